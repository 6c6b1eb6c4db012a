// The list commands as clients see them, but for those that move or wait: see list_move_wire_test
// and list_blocking_wire_test.
#include <string>
#include <vector>

#include "tests/support/wire_case.h"
#include "tests/wire/same_as_redis.h"

namespace larder {
namespace {

class ListWireTest : public WireTest {};

TEST_P(ListWireTest, AnswersLikeRedis) { Run(); }

const std::string kNilArray = "*-1\r\n";
const std::string kMustBePositive = "-ERR value is out of range, must be positive\r\n";
const std::string kLarge(20'000, 'x');

std::string Bulks(const std::vector<std::string>& texts) {
  std::vector<std::string> elements;
  for (const std::string& text : texts) elements.push_back(Bulk(text));
  return Array(elements);
}

LARDER_INSTANTIATE_CASES(
    Push, ListWireTest,
    {
        {"PushAtBothEnds",
         {{"RPUSH l c d", Int(2)},
          {"LPUSH l b a", Int(4)},
          {"LRANGE l 0 -1", Bulks({"a", "b", "c", "d"})},
          {"LLEN l", Int(4)},
          {"TYPE l", "+list\r\n"},
          {"OBJECT ENCODING l", Bulk("quicklist")}}},
        {"PushToExistingOnly",
         {{"LPUSHX l a", Int(0)},
          {"RPUSHX l a b", Int(0)},
          {"EXISTS l", Int(0)},
          {"RPUSH l a", Int(1)},
          {"LPUSHX l b c", Int(3)},
          {"RPUSHX l d", Int(4)},
          {"LRANGE l 0 -1", Bulks({"c", "b", "a", "d"})}}},
        {"NumbersAndOddTexts",
         {{{"RPUSH", "l", "1", "-5", "007", "", "99999999999999999999", "1.5"}, Int(6)},
          {"LRANGE l 0 -1", Bulks({"1", "-5", "007", "", "99999999999999999999", "1.5"})},
          {"LINDEX l 0", Bulk("1")}}},
        {"LargeElements",
         {{{"RPUSH", "l", "a", kLarge, "b"}, Int(3)},
          {"LINDEX l 1", Bulk(kLarge)},
          {"LRANGE l 0 -1", Bulks({"a", kLarge, "b"})},
          {"RPOP l", Bulk("b")},
          {"RPOP l", Bulk(kLarge)}}},
        {"PushKeepsTtl",
         {{"RPUSH l a", Int(1)},
          {"EXPIRE l 100", Int(1)},
          {"RPUSH l b", Int(2)},
          {"TTL l", IntegerBetween(99, 100)}}},
        {"PushArity",
         {{"LPUSH l", WrongArity("lpush")},
          {"RPUSH", WrongArity("rpush")},
          {"LPUSHX l", WrongArity("lpushx")},
          {"RPUSHX l", WrongArity("rpushx")}}},
    });

LARDER_INSTANTIATE_CASES(
    Pop, ListWireTest,
    {
        {"PopUntilTheKeyIsGone",
         {{"RPUSH l a 2 c", Int(3)},
          {"LPOP l", Bulk("a")},
          {"RPOP l", Bulk("c")},
          {"LPOP l", Bulk("2")},
          {"EXISTS l", Int(0)},
          {"LPOP l", kNil, kNilInResp3},
          {"RPOP l", kNil, kNilInResp3}}},
        {"PopSome",
         {{"RPUSH l a b c d e", Int(5)},
          {"LPOP l 2", Bulks({"a", "b"})},
          {"RPOP l 2", Bulks({"e", "d"})},
          {"RPOP l 0", Bulks({})},
          {"RPOP l 100", Bulks({"c"})},
          {"EXISTS l", Int(0)},
          {"LPOP l 1", kNilArray, kNilInResp3},
          {"LPOP l 0", kNilArray, kNilInResp3}}},
        {"PopErrors",
         {{"LPOP l x", kMustBePositive},
          {"RPOP l -1", kMustBePositive},
          {"LPOP l 1 2", WrongArity("lpop")},
          {"RPOP", WrongArity("rpop")},
          {"SET s v", kOk},
          {"LPOP s", kWrongType},
          {"LPOP s 0", kWrongType},
          {"RPOP s x", kMustBePositive}}},
        {"MultiPop",
         {{"RPUSH b a b c", Int(3)},
          {"LMPOP 2 a b LEFT", Array({Bulk("b"), Bulks({"a"})})},
          {"LMPOP 2 a b right COUNT 10", Array({Bulk("b"), Bulks({"c", "b"})})},
          {"LMPOP 2 a b LEFT", kNilArray, kNilInResp3}}},
        {"MultiPopErrors",
         {{"LMPOP 0 a LEFT", "-ERR numkeys should be greater than 0\r\n"},
          {"LMPOP x a LEFT", "-ERR numkeys should be greater than 0\r\n"},
          {"LMPOP 9223372036854775807 a LEFT", kSyntaxError},
          {"LMPOP 2 a LEFT", kSyntaxError},
          {"LMPOP 1 a UP", kSyntaxError},
          {"LMPOP 1 a LEFT COUNT", kSyntaxError},
          {"LMPOP 1 a LEFT COUNT 0", "-ERR count should be greater than 0\r\n"},
          {"LMPOP 1 a LEFT COUNT x", "-ERR count should be greater than 0\r\n"},
          {"LMPOP 1 a LEFT COUNT 1 COUNT 1", kSyntaxError},
          {"LMPOP 1 a", WrongArity("lmpop")},
          {"SET s v", kOk},
          {"RPUSH l a", Int(1)},
          {"LMPOP 2 s l LEFT", kWrongType},
          {"LMPOP 2 l s LEFT", Array({Bulk("l"), Bulks({"a"})})}}},
    });

LARDER_INSTANTIATE_CASES(
    Read, ListWireTest,
    {
        {"Range",
         {{"RPUSH l 0 1 2 3 4", Int(5)},
          {"LRANGE l 1 3", Bulks({"1", "2", "3"})},
          {"LRANGE l -2 -1", Bulks({"3", "4"})},
          {"LRANGE l -100 1", Bulks({"0", "1"})},
          {"LRANGE l 3 100", Bulks({"3", "4"})},
          {"LRANGE l 3 2", Bulks({})},
          {"LRANGE l 5 6", Bulks({})},
          {"LRANGE l 0 -100", Bulks({})},
          {"LRANGE l -9223372036854775808 9223372036854775807", Bulks({"0", "1", "2", "3", "4"})},
          {"LRANGE l 9223372036854775807 -9223372036854775808", Bulks({})},
          {"LRANGE none 0 -1", Bulks({})}}},
        {"RangeErrors",
         {{"SET s v", kOk},
          {"LRANGE s x 1", kNotAnInteger},
          {"LRANGE none 1 x", kNotAnInteger},
          {"LRANGE s 0 1", kWrongType},
          {"LRANGE s 0", WrongArity("lrange")}}},
        {"Index",
         {{"RPUSH l a b c", Int(3)},
          {"LINDEX l 0", Bulk("a")},
          {"LINDEX l -1", Bulk("c")},
          {"LINDEX l 3", kNil, kNilInResp3},
          {"LINDEX l -4", kNil, kNilInResp3},
          {"LINDEX l -9223372036854775808", kNil, kNilInResp3},
          {"LINDEX l x", kNotAnInteger},
          {"LINDEX none x", kNil, kNilInResp3},
          {"SET s v", kOk},
          {"LINDEX s x", kWrongType}}},
        {"Length", {{"LLEN none", Int(0)}, {"SET s v", kOk}, {"LLEN s", kWrongType}}},
        {"Position",
         {{"RPUSH l a b c 1 2 3 c c", Int(8)},
          {"LPOS l a", Int(0)},
          {"LPOS l c", Int(2)},
          {"LPOS l 2", Int(4)},
          {"LPOS l 02", kNil, kNilInResp3},
          {"LPOS l c RANK 2", Int(6)},
          {"LPOS l c RANK 4", kNil, kNilInResp3},
          {"LPOS l c RANK -1", Int(7)},
          {"LPOS l c RANK -3", Int(2)},
          {"LPOS l c COUNT 0", Array({Int(2), Int(6), Int(7)})},
          {"LPOS l c COUNT 2", Array({Int(2), Int(6)})},
          {"LPOS l c RANK -1 COUNT 2", Array({Int(7), Int(6)})},
          {"LPOS l c RANK 2 COUNT 0", Array({Int(6), Int(7)})},
          {"LPOS l c MAXLEN 2", kNil, kNilInResp3},
          {"LPOS l c MAXLEN 3", Int(2)},
          {"LPOS l c MAXLEN 3 RANK -1 COUNT 0", Array({Int(7), Int(6)})},
          {"LPOS l c maxlen 0 count 1 rank 1", Array({Int(2)})},
          {"LPOS l x COUNT 2", Array({})},
          {"LPOS none x COUNT 2", Array({})},
          {"LPOS none x", kNil, kNilInResp3},
          {"LPOS l c RANK -9223372036854775807 COUNT 1", Array({})},
          {"LPOS l c RANK -9223372036854775808 COUNT 1", Array({Int(7), Int(6), Int(2)})},
          {"LPOS l c RANK -9223372036854775808", Int(7)}}},
        {"PositionErrors",
         {{"LPOS l x RANK 0",
           "-ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... "
           "or use negative to start from the end of the list\r\n"},
          {"LPOS l x RANK a", kNotAnInteger},
          {"LPOS l x COUNT -1", "-ERR COUNT can't be negative\r\n"},
          {"LPOS l x COUNT a", "-ERR COUNT can't be negative\r\n"},
          {"LPOS l x MAXLEN -1", "-ERR MAXLEN can't be negative\r\n"},
          {"LPOS l x RANK", kSyntaxError},
          {"LPOS l x FOO 1", kSyntaxError},
          {"LPOS l x RANK 1 COUNT", kSyntaxError},
          {"SET s v", kOk},
          {"LPOS s x", kWrongType},
          {"LPOS s x RANK 0 FOO",
           "-ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... "
           "or use negative to start from the end of the list\r\n"}}},
    });

LARDER_INSTANTIATE_CASES(Change, ListWireTest,
                         {
                             {"Set",
                              {{"RPUSH l a b c", Int(3)},
                               {"LSET l 0 1", kOk},
                               {"LSET l -1 xyz", kOk},
                               {"LRANGE l 0 -1", Bulks({"1", "b", "xyz"})},
                               {"LSET l 3 x", "-ERR index out of range\r\n"},
                               {"LSET l -4 x", "-ERR index out of range\r\n"},
                               {"LSET l x x", kNotAnInteger},
                               {"LSET none x x", "-ERR no such key\r\n"},
                               {"SET s v", kOk},
                               {"LSET s x x", kWrongType}}},
                             {"SetMuchLarger",
                              {{"RPUSH l a b c", Int(3)},
                               {{"LSET", "l", "1", kLarge}, kOk},
                               {"LRANGE l 0 -1", Bulks({"a", kLarge, "c"})}}},
                             {"Insert",
                              {{"RPUSH l a c 5", Int(3)},
                               {"LINSERT l BEFORE c b", Int(4)},
                               {"LINSERT l after 5 6", Int(5)},
                               {"LINSERT l after none 6", Int(-1)},
                               {"LINSERT none after a 6", Int(0)},
                               {"LRANGE l 0 -1", Bulks({"a", "b", "c", "5", "6"})},
                               {"LINSERT l beside a b", kSyntaxError},
                               {"SET s v", kOk},
                               {"LINSERT s beside a b", kSyntaxError},
                               {"LINSERT s before a b", kWrongType}}},
                             {"Remove",
                              {{"RPUSH l a b a c a 7", Int(6)},
                               {"LREM l 1 a", Int(1)},
                               {"LRANGE l 0 -1", Bulks({"b", "a", "c", "a", "7"})},
                               {"LREM l -1 a", Int(1)},
                               {"LRANGE l 0 -1", Bulks({"b", "a", "c", "7"})},
                               {"LREM l 0 7", Int(1)},
                               {"LREM l 0 none", Int(0)},
                               {"LREM l -9223372036854775808 a", Int(1)},
                               {"LREM l 5 b", Int(1)},
                               {"LREM l 0 c", Int(1)},
                               {"EXISTS l", Int(0)},
                               {"LREM l 0 c", Int(0)},
                               {"SET s v", kOk},
                               {"LREM s x v", kNotAnInteger},
                               {"LREM s 0 v", kWrongType}}},
                             {"Trim",
                              {{"RPUSH l a b c d e", Int(5)},
                               {"LTRIM l 1 -2", kOk},
                               {"LRANGE l 0 -1", Bulks({"b", "c", "d"})},
                               {"LTRIM l 0 100", kOk},
                               {"LLEN l", Int(3)},
                               {"LTRIM l -2 -1", kOk},
                               {"LRANGE l 0 -1", Bulks({"c", "d"})},
                               {"LTRIM l 5 10", kOk},
                               {"EXISTS l", Int(0)},
                               {"LTRIM l 0 1", kOk},
                               {"SET s v", kOk},
                               {"LTRIM s 0 x", kNotAnInteger},
                               {"LTRIM s 0 1", kWrongType}}},
                             {"ChangesAreCounted",
                              {{"CONFIG RESETSTAT", kOk},
                               {"RPUSH l a b c", Int(3)},
                               {"WATCH l", kOk},
                               On(1, {"LREM l 0 none", Int(0)}),
                               On(1, {"LINSERT l after none x", Int(-1)}),
                               {"MULTI", kOk},
                               {"LLEN l", "+QUEUED\r\n"},
                               {"EXEC", Array({Int(3)})},
                               {"WATCH l", kOk},
                               On(1, {"LSET l 0 a", kOk}),
                               {"MULTI", kOk},
                               {"LLEN l", "+QUEUED\r\n"},
                               {"EXEC", kNilArray, kNilInResp3}}},
                         });

// What subscribers hear of each command, in order.
std::string Event(const std::string& event, const std::string& key) {
  return Array({Bulk("message"), Bulk("__keyevent@0__:" + event), Bulk(key)});
}

LARDER_INSTANTIATE_CASES(
    Events, ListWireTest,
    {
        {"OfEachCommand",
         {On(1, {"CONFIG SET notify-keyspace-events EAn", kOk}),
          {"PSUBSCRIBE __keyevent*", Anything()},
          On(1, {"RPUSH l a b c d e f", Int(6)}),
          Receive(0, Array({Bulk("pmessage"), Bulk("__keyevent*"), Bulk("__keyevent@0__:new"),
                            Bulk("l")})),
          Receive(0, Array({Bulk("pmessage"), Bulk("__keyevent*"), Bulk("__keyevent@0__:rpush"),
                            Bulk("l")})),
          {"PUNSUBSCRIBE", Anything()},
          {"SUBSCRIBE __keyevent@0__:lpush __keyevent@0__:lpop __keyevent@0__:rpop "
           "__keyevent@0__:lset __keyevent@0__:linsert __keyevent@0__:lrem __keyevent@0__:ltrim "
           "__keyevent@0__:del",
           Like("*3\r\n<bulk><bulk>:1\r\n*3\r\n<bulk><bulk>:2\r\n*3\r\n<bulk><bulk>:3\r\n*3\r\n"
                "<bulk><bulk>:4\r\n*3\r\n<bulk><bulk>:5\r\n*3\r\n<bulk><bulk>:6\r\n*3\r\n<bulk>"
                "<bulk>:7\r\n*3\r\n<bulk><bulk>:8\r\n",
                8)},
          On(1, {"LPUSH l x", Int(7)}),
          Receive(0, Event("lpush", "l")),
          On(1, {"LSET l 0 y", kOk}),
          Receive(0, Event("lset", "l")),
          On(1, {"LINSERT l BEFORE y z", Int(8)}),
          Receive(0, Event("linsert", "l")),
          On(1, {"LREM l 0 none", Int(0)}),
          On(1, {"LREM l 0 y", Int(1)}),
          Receive(0, Event("lrem", "l")),
          On(1, {"LPOP l", Bulk("z")}),
          Receive(0, Event("lpop", "l")),
          On(1, {"RPOP l 2", Bulks({"f", "e"})}),
          Receive(0, Event("rpop", "l")),
          On(1, {"LTRIM l 0 -1", kOk}),
          Receive(0, Event("ltrim", "l")),
          On(1, {"LMPOP 1 l LEFT COUNT 2", Array({Bulk("l"), Bulks({"a", "b"})})}),
          Receive(0, Event("lpop", "l")),
          On(1, {"LREM l 0 c", Int(1)}),
          Receive(0, Event("lrem", "l")),
          On(1, {"LTRIM l 5 6", kOk}),
          Receive(0, Event("ltrim", "l")),
          Receive(0, Event("del", "l")),
          On(1, {"CONFIG SET notify-keyspace-events ''", kOk})}},
    });

TEST_F(ListWireTest, DigestsAreRediss) {
  EXPECT_EQ(DifferencesFromRedis(Larder().port(), Redis().port(),
                                 {"FLUSHALL", "RPUSH l a 1 -1000 b", "DEBUG DIGEST-VALUE l",
                                  "RPUSH m " + std::string(9000, 'x') + " y", "EXPIRE m 1000",
                                  "DEBUG DIGEST-VALUE l m", "DEBUG DIGEST"}),
            "");
}

TEST_F(ListWireTest, DebugAnswersAreRediss) {
  EXPECT_EQ(
      DifferencesFromRedis(
          Larder().port(), Redis().port(),
          {"FLUSHALL", "SET s v", "RPUSH l a", "SADD t 1", "DEBUG LISTPACK l",
           "DEBUG LISTPACK none", "DEBUG LISTPACK s", "DEBUG QUICKLIST l", "DEBUG QUICKLIST l 1",
           "DEBUG QUICKLIST none", "DEBUG QUICKLIST s", "DEBUG LISTPACK", "DEBUG QUICKLIST l 1 2",
           "DEBUG QUICKLIST-PACKED-THRESHOLD 4293918720",
           "DEBUG QUICKLIST-PACKED-THRESHOLD 4293918721", "DEBUG QUICKLIST-PACKED-THRESHOLD 0"}),
      "");
}

}  // namespace
}  // namespace larder
