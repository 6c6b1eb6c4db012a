// OBJECT as clients see it.
#include "tests/support/wire_case.h"

namespace larder {
namespace {

constexpr char kFrequencyNotTracked[] =
    "-ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that "
    "when switching between policies at runtime LRU and LFU data will take some time to "
    "adjust.\r\n";
constexpr char kIdleTimeNotTracked[] =
    "-ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when "
    "switching between policies at runtime LRU and LFU data will take some time to adjust.\r\n";

class ObjectWireTest : public WireTest {};

TEST_P(ObjectWireTest, AnswersLikeRedis) { Run(); }

LARDER_INSTANTIATE_CASES(
    Object, ObjectWireTest,
    {
        {"Arity",
         {{"OBJECT", "-ERR wrong number of arguments for 'object' command\r\n"},
          {"OBJECT ENCODING", "-ERR wrong number of arguments for 'object|encoding' command\r\n"},
          {"OBJECT FREQ a b", "-ERR wrong number of arguments for 'object|freq' command\r\n"},
          {"OBJECT HELP x", "-ERR wrong number of arguments for 'object|help' command\r\n"}}},
        {"UnknownSubcommand",
         {{"OBJECT foo", "-ERR unknown subcommand 'foo'. Try OBJECT HELP.\r\n"},
          {"OBJECT FOO a", "-ERR unknown subcommand 'FOO'. Try OBJECT HELP.\r\n"}}},
        {"OfMissingKey",
         {{"OBJECT ENCODING none", "$-1\r\n", "_\r\n"},
          {"OBJECT REFCOUNT none", "$-1\r\n", "_\r\n"},
          {"OBJECT IDLETIME none", "$-1\r\n", "_\r\n"},
          {"OBJECT FREQ none", "$-1\r\n", "_\r\n"}}},
        {"EncodingOfStrings",
         {{"SET a 5", "+OK\r\n"},
          {"OBJECT ENCODING a", Bulk("int")},
          {"SET a -9223372036854775808", "+OK\r\n"},
          {"OBJECT ENCODING a", Bulk("int")},
          {"SET a 9223372036854775808", "+OK\r\n"},
          {"OBJECT ENCODING a", Bulk("embstr")},
          {"SET a 05", "+OK\r\n"},
          {"OBJECT ENCODING a", Bulk("embstr")},
          {{"SET", "a", std::string(44, 'x')}, "+OK\r\n"},
          {"OBJECT ENCODING a", Bulk("embstr")},
          {{"SET", "a", std::string(45, 'x')}, "+OK\r\n"},
          {"OBJECT ENCODING a", Bulk("raw")},
          {"SET a x", "+OK\r\n"},
          {"APPEND a y", ":2\r\n"},
          {"OBJECT ENCODING a", Bulk("raw")}}},
        {"ASumWithFractionsIsText",
         {{"INCRBYFLOAT a 5", Bulk("5")},
          {"OBJECT ENCODING a", Bulk("embstr")},
          {"OBJECT REFCOUNT a", ":1\r\n"},
          {"INCR a", ":6\r\n"},
          {"OBJECT ENCODING a", Bulk("int")}}},
        {"ReferenceCount",
         {{"MSET small 9999 large 10000 negative -1 text hello", "+OK\r\n"},
          {"OBJECT REFCOUNT small", ":2147483647\r\n"},
          {"OBJECT REFCOUNT large", ":1\r\n"},
          {"OBJECT REFCOUNT negative", ":1\r\n"},
          {"OBJECT REFCOUNT text", ":1\r\n"}}},
        {"IdleTime",
         {{"SET a hello", "+OK\r\n"},
          {"OBJECT IDLETIME a", IntegerBetween(0, 1)},
          {"OBJECT FREQ a", kFrequencyNotTracked}}},
        {"IdleTimeGrowsUntilAnAccess",
         {{"SET a hello", "+OK\r\n"},
          After(std::chrono::milliseconds(2100), {"OBJECT IDLETIME a", IntegerBetween(1, 3)}),
          {"EXISTS a", ":1\r\n"},
          {"TTL a", ":-1\r\n"},
          {"TYPE a", "+string\r\n"},
          {"OBJECT IDLETIME a", IntegerBetween(1, 3)},
          {"TOUCH a", ":1\r\n"},
          {"OBJECT IDLETIME a", ":0\r\n"}}},
        {"Frequency",
         {{"CONFIG SET maxmemory-policy allkeys-lfu", "+OK\r\n"},
          {"SET a hello", "+OK\r\n"},
          {"OBJECT FREQ a", ":5\r\n"},
          {"OBJECT IDLETIME a", kIdleTimeNotTracked},
          {"GET a", Bulk("hello")},
          {"OBJECT FREQ a", ":6\r\n"},
          {"TYPE a", "+string\r\n"},
          {"OBJECT FREQ a", ":6\r\n"},
          {"OBJECT FREQ none", "$-1\r\n", "_\r\n"},
          {"CONFIG SET maxmemory-policy noeviction", "+OK\r\n"}}},
        {"Help",
         {{"OBJECT help",
           "*15\r\n"
           "+OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:\r\n"
           "+ENCODING <key>\r\n"
           "+    Return the kind of internal representation used in order to store the value\r\n"
           "+    associated with a <key>.\r\n"
           "+FREQ <key>\r\n"
           "+    Return the access frequency index of the <key>. The returned integer is\r\n"
           "+    proportional to the logarithm of the recent access frequency of the key.\r\n"
           "+IDLETIME <key>\r\n"
           "+    Return the idle time of the <key>, that is the approximated number of\r\n"
           "+    seconds elapsed since the last access to the key.\r\n"
           "+REFCOUNT <key>\r\n"
           "+    Return the number of references of the value associated with the specified\r\n"
           "+    <key>.\r\n"
           "+HELP\r\n"
           "+    Prints this help.\r\n"}}},
    });

}  // namespace
}  // namespace larder
