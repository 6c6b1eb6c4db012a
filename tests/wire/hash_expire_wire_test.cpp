// Hash fields that expire, as clients see them. Redis has them from 7.4 on; what it answers there
// is documented and tested in public.
#include <string>
#include <vector>

#include "tests/support/wire_case.h"

namespace larder {
namespace {

using std::chrono_literals::operator""ms;

class HashExpireWireTest : public WireTest {};

TEST_P(HashExpireWireTest, AnswersLikeRedis) { Run(); }

std::string Ints(const std::vector<int64_t>& values) {
  std::vector<std::string> elements;
  for (const int64_t value : values) elements.push_back(Int(value));
  return Array(elements);
}

const std::string kMisplacedFields =
    "-ERR Mandatory argument FIELDS is missing or not at the right position\r\n";
const std::string kBadCount = "-ERR Number of fields must be a positive integer\r\n";
const std::string kCountMismatch =
    "-ERR The `numfields` parameter must match the number of arguments\r\n";
const std::string kNegative = "-ERR invalid expire time, must be >= 0\r\n";

// The same rows for a listpack and for a table.
std::vector<WireCase> InBothEncodings(std::vector<WireCase> rows) {
  std::vector<WireCase> both;
  for (WireCase& row : rows) {
    row.targets = kLarderOnly;
    WireCase table = row;
    table.name += "InTable";
    table.steps.insert(table.steps.begin(), {"CONFIG SET hash-max-listpack-entries 0", kOk});
    table.steps.push_back({"CONFIG SET hash-max-listpack-entries 512", kOk});
    both.push_back(std::move(row));
    both.push_back(std::move(table));
  }
  return both;
}

INSTANTIATE_TEST_SUITE_P(
    Encodings, HashExpireWireTest,
    testing::ValuesIn(InBothEncodings({
        {"SetAndAsk",
         {{"HSET k a 1 b 2", Int(2)},
          {"HEXPIRE k 100 FIELDS 2 a none", Ints({1, -2})},
          {"HTTL k FIELDS 3 a b none", Ints({100, -1, -2})},
          {"HPTTL k FIELDS 1 a", Like("*1\r\n:<int>\r\n")},
          {"HPEXPIREAT k 4000000000123 FIELDS 1 b", Ints({1})},
          {"HPEXPIRETIME k FIELDS 2 b a", Like("*2\r\n:4000000000123\r\n:<int>\r\n")},
          {"HEXPIRETIME k FIELDS 1 b", Ints({4000000001})},  // Rounded up.
          {"HEXPIREAT k 4000000000 FIELDS 1 b", Ints({1})},
          {"HPEXPIRETIME k FIELDS 1 b", Ints({4000000000000})}}},
        {"OfNothing",
         {{"HEXPIRE none 100 FIELDS 2 a b", Ints({-2, -2})},
          {"HPEXPIREAT none 1 FIELDS 1 a", Ints({-2})},
          {"HTTL none FIELDS 2 a b", Ints({-2, -2})},
          {"HPERSIST none FIELDS 1 a", Ints({-2})},
          {"HGETDEL none FIELDS 1 a", Array({kNil}), Array({kNilInResp3})},
          {"HGETEX none FIELDS 1 a", Array({kNil}), Array({kNilInResp3})},
          {"EXISTS none", Int(0)}}},
        {"Conditions",
         {{"HSET k a 1 b 2", Int(2)},
          {"HPEXPIREAT k 4000000000000 XX FIELDS 1 a", Ints({0})},
          {"HPEXPIREAT k 4000000000000 GT FIELDS 1 a", Ints({0})},
          {"HPEXPIREAT k 4000000000000 NX FIELDS 1 a", Ints({1})},
          {"HPEXPIREAT k 4000000000000 LT FIELDS 2 a b", Ints({0, 1})},
          {"HPEXPIREAT k 4100000000000 NX FIELDS 1 a", Ints({0})},
          {"HPEXPIREAT k 4000000000000 GT FIELDS 1 a", Ints({0})},
          {"HPEXPIREAT k 4100000000000 GT FIELDS 1 a", Ints({1})},
          {"HPEXPIREAT k 4050000000000 LT FIELDS 1 a", Ints({1})},
          {"HPEXPIREAT k 4060000000000 xx FIELDS 1 a", Ints({1})},
          {"HPEXPIRETIME k FIELDS 2 a b", Ints({4060000000000, 4000000000000})}}},
        {"PastTimesDelete",
         {{"HSET k a 1 b 2 c 3", Int(3)},
          {"HEXPIRE k 0 FIELDS 1 a", Ints({2})},
          {"HEXPIREAT k 1 FIELDS 2 b b", Ints({2, -2})},
          {"HGETALL k", Array({Bulk("c"), Bulk("3")}), Map({Bulk("c"), Bulk("3")})},
          {"HPEXPIREAT k 1 XX FIELDS 1 c", Ints({0})},
          {"HPEXPIRE k 0 FIELDS 1 c", Ints({2})},
          {"EXISTS k", Int(0)}}},
        {"Persist",
         {{"HSET k a 1 b 2", Int(2)},
          {"HEXPIRE k 100 FIELDS 1 a", Ints({1})},
          {"HPERSIST k FIELDS 3 a b c", Ints({1, -1, -2})},
          {"HTTL k FIELDS 1 a", Ints({-1})}}},
        {"FieldsGoWhenTheirTimeHasCome",
         {{"HSET k a 1 b 2", Int(2)},
          {"HPEXPIRE k 300 FIELDS 1 a", Ints({1})},
          {"HGET k a", Bulk("1")},
          After(310ms, {"HGET k a", kNil}),
          {"HEXISTS k a", Int(0)},
          {"HSTRLEN k a", Int(0)},
          {"HMGET k a b", Array({kNil, Bulk("2")}), Array({kNilInResp3, Bulk("2")})},
          {"HGETALL k", Array({Bulk("b"), Bulk("2")}), Map({Bulk("b"), Bulk("2")})},
          {"HKEYS k", Array({Bulk("b")})},
          {"HVALS k", Array({Bulk("2")})},
          {"HLEN k", Int(1)},
          {"HTTL k FIELDS 1 a", Ints({-2})},
          {"HRANDFIELD k -3", Array({Bulk("b"), Bulk("b"), Bulk("b")})},
          {"HSCAN k 0", Array({Bulk("0"), Array({Bulk("b"), Bulk("2")})})},
          {"HDEL k a", Int(0)},
          {"HINCRBY k a 5", Int(5)},
          {"HTTL k FIELDS 1 a", Ints({-1})}}},
        {"TheKeyGoesWithItsLastField",
         {{"HSET k a 1 b 2", Int(2)},
          {"HPEXPIRE k 20 FIELDS 2 a b", Ints({1, 1})},
          After(30ms, {"HGET k a", kNil}),
          {"EXISTS k", Int(0)}}},
        {"TheCycleRemovesWhatNobodyAsksFor",
         {{"HSET k a 1 b 2", Int(2)},
          {"HPEXPIRE k 20 FIELDS 2 a b", Ints({1, 1})},
          {"HSET other a 1 b 2", Int(2)},
          {"HPEXPIRE other 20 FIELDS 1 a", Ints({1})},
          After(1000ms, {"EXISTS k", Int(0)}),
          {"DBSIZE", Int(1)}}},
        {"WritingTakesTheExpiryAway",
         {{"HSET k a 1 b 1 c 1", Int(3)},
          {"HEXPIRE k 100 FIELDS 3 a b c", Ints({1, 1, 1})},
          {"HSET k a 2", Int(0)},
          {"HINCRBY k b 1", Int(2)},
          {"HINCRBYFLOAT k c 1", Bulk("2")},
          {"HTTL k FIELDS 3 a b c", Ints({-1, 100, 100})}}},
        {"TimesTravelWithTheKey",
         {{"HSET k a 1 b 2", Int(2)},
          {"HEXPIRE k 100 FIELDS 1 a", Ints({1})},
          {"COPY k copy", Int(1)},
          {"RENAME k moved", kOk},
          {"HTTL copy FIELDS 2 a b", Ints({100, -1})},
          {"HTTL moved FIELDS 2 a b", Ints({100, -1})},
          {"MOVE moved 3", Int(1)},
          {"SELECT 3", kOk},
          {"HTTL moved FIELDS 2 a b", Ints({100, -1})}}},
        {"GetDel",
         {{"HSET k a 1 b 2 c 3", Int(3)},
          {"HGETDEL k FIELDS 3 a none a", Array({Bulk("1"), kNil, kNil}),
           Array({Bulk("1"), kNilInResp3, kNilInResp3})},
          {"HGETDEL k FIELDS 4 b c d e", Array({Bulk("2"), Bulk("3"), kNil, kNil}),
           Array({Bulk("2"), Bulk("3"), kNilInResp3, kNilInResp3})},
          {"EXISTS k", Int(0)}}},
        {"GetEx",
         {{"HSET k a 1 b text", Int(2)},
          {"HGETEX k FIELDS 2 a none", Array({Bulk("1"), kNil}), Array({Bulk("1"), kNilInResp3})},
          {"HTTL k FIELDS 1 a", Ints({-1})},
          {"HGETEX k EX 100 FIELDS 2 a b", Array({Bulk("1"), Bulk("text")})},
          {"HTTL k FIELDS 2 a b", Ints({100, 100})},
          {"HGETEX k FIELDS 1 a PERSIST", Array({Bulk("1")})},
          {"HTTL k FIELDS 2 a b", Ints({-1, 100})},
          {"HGETEX k PXAT 4000000000123 FIELDS 1 a", Array({Bulk("1")})},
          {"HPEXPIRETIME k FIELDS 1 a", Ints({4000000000123})},
          {"HGETEX k EXAT 1 FIELDS 3 a a b", Array({Bulk("1"), Bulk("1"), Bulk("text")})},
          {"EXISTS k", Int(0)}}},
        {"SetEx",
         {{"HSETEX k EX 100 FIELDS 2 a 1 b 2", Int(1)},
          {"HTTL k FIELDS 2 a b", Ints({100, 100})},
          {"HSETEX k KEEPTTL FIELDS 2 a 3 c 4", Int(1)},
          {"HTTL k FIELDS 2 a c", Ints({100, -1})},
          {"HSETEX k FIELDS 1 a 5", Int(1)},
          {"HTTL k FIELDS 1 a", Ints({-1})},
          {"HMGET k a b c", Array({Bulk("5"), Bulk("2"), Bulk("4")})},
          {"HSETEX k FIELDS 1 a 6 PXAT 4000000000123 FXX", Int(1)},
          {"HPEXPIRETIME k FIELDS 1 a", Ints({4000000000123})},
          {"HSETEX k EXAT 1 FIELDS 1 a 7", Int(1)},
          {"HGET k a", kNil},
          {"HSETEX k PX 0 FIELDS 2 b 7 c 7", Int(1)},
          {"EXISTS k", Int(0)},
          {"HSETEX k EXAT 1 FIELDS 1 a 7", Int(1)},
          {"EXISTS k", Int(0)}}},
        {"SetExIf",
         {{"HSETEX k FXX FIELDS 1 a 1", Int(0)},
          {"EXISTS k", Int(0)},
          {"HSETEX k FNX FIELDS 1 a 1", Int(1)},
          {"HSETEX k FNX FIELDS 2 b 1 a 2", Int(0)},
          {"HSETEX k FXX FIELDS 2 b 1 a 2", Int(0)},
          {"HSETEX k FXX FIELDS 1 a 2", Int(1)},
          {"HGETALL k", Array({Bulk("a"), Bulk("2")}), Map({Bulk("a"), Bulk("2")})}}},
        {"FieldsNamedLikeOptions",
         {{"HSETEX k FIELDS 2 EX 60 FIELDS x", Int(1)},
          {"HGETEX k FIELDS 3 EX FIELDS PERSIST", Array({Bulk("60"), Bulk("x"), kNil}),
           Array({Bulk("60"), Bulk("x"), kNilInResp3})},
          {"HEXPIRE k 100 FIELDS 1 EX NX", Ints({1})},
          {"HTTL k FIELDS 2 EX FIELDS", Ints({100, -1})}}},
    })),
    WireCaseName);

LARDER_INSTANTIATE_CASES(
    Errors, HashExpireWireTest,
    {
        {"Expire",
         {{"HEXPIRE k 1 FIELDS 1", WrongArity("hexpire")},
          {"HEXPIRE k x FIELDS 1 a", kNotAnInteger},
          {"HEXPIRE k -1 FIELDS 1 a", kNegative},
          {"HEXPIRE k 70368744177664 FIELDS 1 a", InvalidExpire("hexpire")},
          {"HPEXPIRE k 70368744177663 FIELDS 1 a", InvalidExpire("hpexpire")},
          {"HPEXPIREAT k 70368744177664 FIELDS 1 a", InvalidExpire("hpexpireat")},
          {"HPEXPIREAT k 70368744177663 FIELDS 1 a", Ints({-2})},
          {"HEXPIREAT k 9223372036854775807 FIELDS 1 a", InvalidExpire("hexpireat")},
          {"HEXPIRE k 1 FIELDS 0 a", "-ERR Parameter `numFields` should be greater than 0\r\n"},
          {"HEXPIRE k 1 FIELDS x a", "-ERR Parameter `numFields` should be greater than 0\r\n"},
          {"HEXPIRE k 1 FIELDS 2 a", WrongArity("hexpire")},
          {"HEXPIRE k 1 FIELDS 1 a b", "-ERR unknown argument: b\r\n"},
          {"HEXPIRE k 1 BAD FIELDS 1 a", "-ERR unknown argument: BAD\r\n"},
          {"HEXPIRE k 1 NX XX FIELDS 1 a", "-ERR Multiple condition flags specified\r\n"},
          {"HEXPIRE k 1 NX NX NX NX", "-ERR missing FIELDS argument\r\n"},
          {"HEXPIRE k 1 FIELDS 1 a FIELDS 1 b",
           "-ERR FIELDS keyword specified multiple times\r\n"}},
         kLarderOnly},
        {"OnlyFields",
         {{"HTTL k FIELDS 1", WrongArity("httl")},
          {"HTTL k BAD 1 a", kMisplacedFields},
          {"HTTL k FIELDS 0 a", kBadCount},
          {"HTTL k FIELDS -1 a", kBadCount},
          {"HTTL k FIELDS x a", kBadCount},
          {"HTTL k FIELDS 2 a", kCountMismatch},
          {"HTTL k FIELDS 1 a b", kCountMismatch},
          {"HPERSIST k BAD 1 a", kMisplacedFields},
          {"HGETDEL k FIELDS 9223372036854775808 a", kBadCount}},
         kLarderOnly},
        {"GetEx",
         {{"HGETEX k FIELDS 1", WrongArity("hgetex")},
          {"HGETEX k EX x FIELDS 1 a", kNotAnInteger},
          {"HGETEX k EX FIELDS 1 a", kNotAnInteger},
          {"HGETEX k PX -1 FIELDS 1 a", kNegative},
          {"HGETEX k EX 70368744177664 FIELDS 1 a", InvalidExpire("hgetex")},
          {"HGETEX k EX 1 PX 1 FIELDS 1 a",
           "-ERR Only one of EX, PX, EXAT, PXAT or PERSIST arguments can be specified\r\n"},
          {"HGETEX k PERSIST EX 1 FIELDS 1 a",
           "-ERR Only one of EX, PX, EXAT, PXAT or PERSIST arguments can be specified\r\n"},
          {"HGETEX k KEEPTTL FIELDS 1 a", "-ERR unknown argument: KEEPTTL\r\n"},
          {"HGETEX k FIELDS 0 a", "-ERR invalid number of fields\r\n"},
          {"HGETEX k FIELDS 1 a EX", "-ERR missing expire time\r\n"},
          {"HGETEX k EX 1 EX",
           "-ERR Only one of EX, PX, EXAT, PXAT or PERSIST arguments can be specified\r\n"},
          {"HGETEX k EX 1 FIELDS", "-ERR wrong number of arguments for 'hgetex' command\r\n"}},
         kLarderOnly},
        {"SetEx",
         {{"HSETEX k FIELDS 1 a", WrongArity("hsetex")},
          {"HSETEX k FIELDS 2 a 1", WrongArity("hsetex")},
          {"HSETEX k FIELDS 1 a 1 b 2", "-ERR unknown argument: b\r\n"},
          {"HSETEX k FNX FXX FIELDS 1 a 1",
           "-ERR Only one of FXX or FNX arguments can be specified\r\n"},
          {"HSETEX k EX 1 KEEPTTL FIELDS 1 a 1",
           "-ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified\r\n"},
          {"HSETEX k PERSIST FIELDS 1 a 1", "-ERR unknown argument: PERSIST\r\n"},
          {"HSETEX k FIELDS x a 1", "-ERR invalid number of fields\r\n"},
          {"HSETEX k EX 1 FNX EX",
           "-ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can "
           "be specified\r\n"},
          {"EXISTS k", Int(0)}},
         kLarderOnly},
        {"WrongType",
         {{"SET s x", kOk},
          {"HEXPIRE s 1 FIELDS 1 a", kWrongType},
          {"HPEXPIREAT s 1 FIELDS 1 a", kWrongType},
          {"HTTL s FIELDS 1 a", kWrongType},
          {"HPEXPIRETIME s FIELDS 1 a", kWrongType},
          {"HPERSIST s FIELDS 1 a", kWrongType},
          {"HGETDEL s FIELDS 1 a", kWrongType},
          {"HGETEX s FIELDS 1 a", kWrongType},
          {"HSETEX s FIELDS 1 a 1", kWrongType}},
         kLarderOnly},
    });

// A keyevent message about key k.
std::string Event(const std::string& name) {
  return Array({Bulk("pmessage"), Bulk("*"), Bulk("__keyevent@0__:" + name), Bulk("k")});
}

LARDER_INSTANTIATE_CASES(Surroundings, HashExpireWireTest,
                         {
                             {"Encoding",
                              {{"HSET k a 1", Int(1)},
                               {"OBJECT ENCODING k", Bulk("listpack")},
                               {"HEXPIRE k 100 FIELDS 1 a", Ints({1})},
                               {"OBJECT ENCODING k", Bulk("listpackex")},
                               {"HPERSIST k FIELDS 1 a", Ints({1})},
                               {"OBJECT ENCODING k", Bulk("listpackex")}},
                              kLarderOnly},
                             {"Events",
                              {{"CONFIG SET notify-keyspace-events Ehg", kOk},
                               On(1, {"PSUBSCRIBE *", Anything()}),
                               {"HSETEX k EX 100 FIELDS 3 a 1 b 2 c 3", Int(1)},
                               Receive(1, Event("hset")),
                               Receive(1, Event("hexpire")),
                               {"HEXPIRE k 100 FIELDS 1 a", Ints({1})},
                               Receive(1, Event("hexpire")),
                               {"HEXPIRE k 100 NX FIELDS 1 a", Ints({0})},
                               {"HPERSIST k FIELDS 1 a", Ints({1})},
                               Receive(1, Event("hpersist")),
                               {"HPERSIST k FIELDS 1 a", Ints({-1})},
                               {"HGETEX k PERSIST FIELDS 2 a b", Anything()},
                               Receive(1, Event("hpersist")),
                               {"HGETEX k EX 5 FIELDS 1 b", Anything()},
                               Receive(1, Event("hexpire")),
                               {"HEXPIRE k 0 FIELDS 1 a", Ints({2})},
                               Receive(1, Event("hdel")),
                               {"HGETDEL k FIELDS 1 b", Anything()},
                               Receive(1, Event("hdel")),
                               {"HPEXPIRE k 1 FIELDS 1 c", Ints({1})},
                               Receive(1, Event("hexpire")),
                               Receive(1, Event("hexpired")),
                               Receive(1, Event("del")),
                               {"CONFIG SET notify-keyspace-events ''", kOk}},
                              kLarderOnly},
                             {"AnExpiredFieldChangesAWatchedKey",
                              {{"HSET k a 1 b 2", Int(2)},
                               {"HPEXPIRE k 300 FIELDS 1 a", Ints({1})},
                               {"WATCH k", kOk},
                               {"MULTI", kOk},
                               After(310ms, {"EXEC", "*-1\r\n"})},
                              kLarderOnly},
                             {"MemoryAndFigures",
                              {{"CONFIG RESETSTAT", kOk},
                               {"HSETEX k PX 1 FIELDS 2 a 1 b 2", Int(1)},
                               {"MEMORY USAGE k", Like(":<int>\r\n")},
                               After(20ms, {"HGET k a", kNil}),
                               {"INFO stats", WireReply("expired_subkeys:2", 1,
                                                        [](std::string_view bytes) {
                                                          return bytes.find(
                                                                     "expired_subkeys:2\r\n") !=
                                                                 bytes.npos;
                                                        })}},
                              kLarderOnly},
                         });

}  // namespace
}  // namespace larder
