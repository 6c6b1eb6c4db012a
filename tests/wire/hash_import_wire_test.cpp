// HIMPORT as clients see it. Redis has it from 8.10 on.
#include <string>
#include <vector>

#include "tests/support/wire_case.h"

namespace larder {
namespace {

class HashImportWireTest : public WireTest {};

TEST_P(HashImportWireTest, AnswersLikeRedis) { Run(); }

const std::string kNoFieldset = "-ERR no such fieldset\r\n";
const std::string kValueCount = "-ERR value count does not match the fieldset\r\n";
const std::string kRepeatedField = "-ERR duplicate field name\r\n";

LARDER_INSTANTIATE_CASES(
    All, HashImportWireTest,
    {
        {"PreparesAndSets",
         {{"HIMPORT PREPARE u name email age", kOk},
          {"HIMPORT SET k u ann a@b 30", kOk},
          {"HMGET k name email age", Array({Bulk("ann"), Bulk("a@b"), Bulk("30")})},
          {"OBJECT ENCODING k", Bulk("listpack")},
          {{"HIMPORT", "SET", "k", "u", "bob", std::string(10'000, 'x'), ""}, kOk},
          {"HSTRLEN k email", Int(10'000)},
          {"HLEN k", Int(3)}},
         kLarderOnly},
        {"ReplacesHashesAndNothingElse",
         {{"HIMPORT PREPARE u a b", kOk},
          {"HSET k old 1", Int(1)},
          {"EXPIRE k 100", Int(1)},
          {"HIMPORT SET k u 1 2", kOk},
          {"HKEYS k", Array({Bulk("a"), Bulk("b")})},
          {"TTL k", Int(-1)},
          {"SET s x", kOk},
          {"HIMPORT SET s u 1 2", kWrongType},
          {"GET s", Bulk("x")}},
         kLarderOnly},
        {"FieldsetsBelongToTheConnection",
         {{"HIMPORT PREPARE u a", kOk},
          On(1, {"HIMPORT SET k u 1", kNoFieldset}),
          {"HIMPORT SET k u 1", kOk},
          {"SELECT 1", kOk},
          {"HIMPORT SET k u 1", kOk},
          {"RESET", "+RESET\r\n"},
          {"HIMPORT SET k u 1", kNoFieldset}},
         kLarderOnly},
        {"PrepareReplaces",
         {{"HIMPORT PREPARE u a b", kOk},
          {"HIMPORT PREPARE u x y z", kOk},
          {"HIMPORT SET k u 1 2", kValueCount},
          {"HIMPORT SET k u 1 2 3", kOk},
          {"HIMPORT PREPARE u a a", kRepeatedField},
          {"HIMPORT SET k u 1 2 3", kOk},
          {{"HIMPORT", "PREPARE", "", "", "b"}, kOk},
          {{"HIMPORT", "SET", "k", "", "1", "2"}, kOk},
          {{"HGET", "k", ""}, Bulk("1")}},
         kLarderOnly},
        {"Discards",
         {{"HIMPORT DISCARD u", Int(0)},
          {"HIMPORT DISCARDALL", Int(0)},
          {"HIMPORT PREPARE u a", kOk},
          {"HIMPORT PREPARE v a", kOk},
          {"HIMPORT DISCARD u", Int(1)},
          {"HIMPORT DISCARD u", Int(0)},
          {"HIMPORT DISCARDALL", Int(1)},
          {"HIMPORT SET k v 1", kNoFieldset}},
         kLarderOnly},
        {"InTransactions",
         {{"MULTI", kOk},
          {"HIMPORT PREPARE u a", kQueued},
          {"HIMPORT SET k u 1", kQueued},
          {"EXEC", Array({kOk, kOk})},
          {"HGET k a", Bulk("1")}},
         kLarderOnly},
        {"Arity",
         {{"HIMPORT", WrongArity("himport")},
          {"HIMPORT PREPARE u", WrongArity("himport|prepare")},
          {"HIMPORT SET k u", WrongArity("himport|set")},
          {"HIMPORT DISCARD", WrongArity("himport|discard")},
          {"HIMPORT DISCARDALL x", WrongArity("himport|discardall")},
          {"HIMPORT BAD", "-ERR unknown subcommand 'BAD'. Try HIMPORT HELP.\r\n"}},
         kLarderOnly},
        {"MemoryIsBounded",
         {{{"HIMPORT", "PREPARE", "u", std::string(40'000'000, 'x')}, kOk},
          {{"HIMPORT", "PREPARE", "u", std::string(40'000'000, 'y')}, kOk},
          {{"HIMPORT", "PREPARE", "v", std::string(40'000'000, 'x')},
           "-ERR too many fieldsets are prepared on this connection\r\n"},
          {"HIMPORT DISCARDALL", Int(1)}},
         kLarderOnly},
    });

}  // namespace
}  // namespace larder
