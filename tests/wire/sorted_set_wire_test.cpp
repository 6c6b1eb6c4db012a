// Sorted sets as clients see them.
#include <chrono>
#include <string>
#include <vector>

#include "tests/support/wire_case.h"
#include "tests/wire/same_as_redis.h"

namespace larder {
namespace {

using namespace std::chrono_literals;

class SortedSetWireTest : public WireTest {};

TEST_P(SortedSetWireTest, AnswersLikeRedis) { Run(); }

const std::string kBoundNotAFloat = "-ERR min or max is not a float\r\n";
const std::string kBadLexBound = "-ERR min or max not valid string range item\r\n";
const std::string kMustBePositive = "-ERR value is out of range, must be positive\r\n";
const std::string kEmptyArray = "*0\r\n";
const std::string kNilArray = "*-1\r\n";

std::string Words(const std::vector<std::string>& words) {
  std::vector<std::string> bulks;
  for (const std::string& word : words) bulks.push_back(Bulk(word));
  return Array(bulks);
}

// A score in RESP3.
std::string Number(const std::string& text) { return "," + text + "\r\n"; }

LARDER_INSTANTIATE_CASES(
    Adding, SortedSetWireTest,
    {
        {"Add",
         {{"ZADD z 1 a 2 b", Int(2)},
          {"ZADD z 1 a 3 b 4 c", Int(1)},
          {"ZRANGE z 0 -1 WITHSCORES", Words({"a", "1", "b", "3", "c", "4"}),
           Array({Array({Bulk("a"), Number("1")}), Array({Bulk("b"), Number("3")}),
                  Array({Bulk("c"), Number("4")})})},
          {"ZCARD z", Int(3)},
          {"TYPE z", "+zset\r\n"}}},
        {"AddTheSameTwice", {{"ZADD z 1 a 2 a", Int(1)}, {"ZSCORE z a", Bulk("2"), Number("2")}}},
        {"AddNx",
         {{"ZADD z 1 a", Int(1)},
          {"ZADD z NX 2 a 2 b", Int(1)},
          {"ZMSCORE z a b", Array({Bulk("1"), Bulk("2")}), Array({Number("1"), Number("2")})}}},
        {"AddXx",
         {{"ZADD z XX 1 a", Int(0)},
          {"EXISTS z", Int(0)},
          {"ZADD z 1 a", Int(1)},
          {"ZADD z XX CH 2 a 2 b", Int(1)},
          {"ZRANGE z 0 -1", Words({"a"})}}},
        {"AddGtAndLt",
         {{"ZADD z 5 a", Int(1)},
          {"ZADD z GT CH 4 a", Int(0)},
          {"ZADD z GT CH 6 a 1 b", Int(2)},
          {"ZADD z LT CH 7 a", Int(0)},
          {"ZADD z XX LT CH 1 a 1 c", Int(1)},
          {"ZMSCORE z a b c", Array({Bulk("1"), Bulk("1"), kNil}),
           Array({Number("1"), Number("1"), kNilInResp3})}}},
        {"AddIncr",
         {{"ZADD z INCR 1.5 a", Bulk("1.5"), Number("1.5")},
          {"ZADD z INCR 1.5 a", Bulk("3"), Number("3")},
          {"ZADD z NX INCR 1 a", kNil, kNilInResp3},
          {"ZADD z XX INCR 1 b", kNil, kNilInResp3},
          {"ZADD z GT INCR -1 a", kNil, kNilInResp3},
          {"ZADD none XX INCR 1 b", kNil, kNilInResp3},
          {"ZINCRBY z -3 a", Bulk("0"), Number("0")}}},
        {"AddErrors",
         {{"ZADD z NX XX 1 a", "-ERR XX and NX options at the same time are not compatible\r\n"},
          {"ZADD z NX GT 1 a",
           "-ERR GT, LT, and/or NX options at the same time are not compatible\r\n"},
          {"ZADD z GT LT 1 a",
           "-ERR GT, LT, and/or NX options at the same time are not compatible\r\n"},
          {"ZADD z INCR 1 a 2 b", "-ERR INCR option supports a single increment-element pair\r\n"},
          {"ZADD z NX XX 1 a 2", kSyntaxError},
          {"ZADD z NX", WrongArity("zadd")},
          {"ZADD z NX CH INCR", kSyntaxError},
          {"ZADD z x a", kNotAFloat},
          {"ZADD z 1 a nan b", kNotAFloat},
          {"ZADD z 1 a '' b", kNotAFloat},
          {"ZADD z 1 a ' 1' b", kNotAFloat},
          {"EXISTS z", Int(0)},
          {"SET s 1", kOk},
          {"ZADD s 1 a", kWrongType},
          {"ZADD s x a", kNotAFloat},
          {"ZADD s XX 1 a", kWrongType},
          {"ZINCRBY z x a", kNotAFloat},
          {"ZINCRBY z nx a", kSyntaxError},
          {"ZINCRBY z GT XX", kSyntaxError},
          {"ZINCRBY z x NX", kNotAFloat}}},
        {"InfinityMinusInfinity",
         {{"ZADD z inf a", Int(1)},
          {"ZINCRBY z -inf a", "-ERR resulting score is not a number (NaN)\r\n"},
          {"ZADD z INCR -inf a", "-ERR resulting score is not a number (NaN)\r\n"},
          {"ZSCORE z a", Bulk("inf"), Number("inf")}}},
        {"Scores",
         {{"ZADD z 0.1 a -0 b 1e20 c 0x10 d +5 e -inf f 123456789012345678 g 1e17 h", Int(8)},
          {"ZSCORE z a", Bulk("0.10000000000000001"), Number("0.10000000000000001")},
          {"ZSCORE z b", Bulk("0"), Number("0")},
          {"ZSCORE z c", Bulk("1e+20"), Number("1e+20")},
          {"ZSCORE z d", Bulk("16"), Number("16")},
          {"ZSCORE z e", Bulk("5"), Number("5")},
          {"ZSCORE z f", Bulk("-inf"), Number("-inf")},
          {"ZSCORE z g", Bulk("1.2345678901234568e+17"), Number("1.2345678901234568e+17")},
          {"ZSCORE z h", Bulk("1e+17"), Number("1e+17")}}},
        // A negative zero survives in the large encoding only.
        {"NegativeZeroInLargeSet",
         {{{"ZADD", "z", "-0", std::string(65, 'x')}, Int(1)},
          {{"ZSCORE", "z", std::string(65, 'x')}, Bulk("-0"), Number("-0")}}},
        {"Remove",
         {{"ZADD z 1 a 2 b 3 c", Int(3)},
          {"ZREM z a none c", Int(2)},
          {"ZREM z b b", Int(1)},
          {"EXISTS z", Int(0)},
          {"ZREM z b", Int(0)},
          {"SET s 1", kOk},
          {"ZREM s b", kWrongType}}},
        {"KeepsItsTtl",
         {{"ZADD z 1 a", Int(1)},
          {"EXPIRE z 100", Int(1)},
          {"ZADD z 2 b", Int(1)},
          {"ZREM z a", Int(1)},
          {"TTL z", IntegerBetween(99, 100)}}},
        {"Encodings",
         {{"ZADD z 1 a", Int(1)},
          {"OBJECT ENCODING z", Bulk("listpack")},
          {{"ZADD", "z", "1", std::string(64, 'x')}, Int(1)},
          {"OBJECT ENCODING z", Bulk("listpack")},
          {{"ZADD", "z", "1", std::string(65, 'x')}, Int(1)},
          {"OBJECT ENCODING z", Bulk("skiplist")},
          {{"ZREM", "z", std::string(65, 'x')}, Int(1)},
          {"OBJECT ENCODING z", Bulk("skiplist")}}},
        {"EncodingLimitOfZero",
         {{"CONFIG SET zset-max-listpack-entries 0", kOk},
          {"ZADD z 1 a", Int(1)},
          {"OBJECT ENCODING z", Bulk("skiplist")},
          {"CONFIG SET zset-max-listpack-entries 128", kOk},
          {"ZUNIONSTORE z 1 z", Int(1)},
          {"OBJECT ENCODING z", Bulk("listpack")}}},
    });

LARDER_INSTANTIATE_CASES(
    LookingUp, SortedSetWireTest,
    {
        {"Missing",
         {{"ZCARD none", Int(0)},
          {"ZSCORE none a", kNil, kNilInResp3},
          {"ZMSCORE none a b", Array({kNil, kNil}), Array({kNilInResp3, kNilInResp3})},
          {"ZRANK none a", kNil, kNilInResp3},
          {"ZREVRANK none a", kNil, kNilInResp3},
          {"ZCOUNT none 0 1", Int(0)},
          {"ZLEXCOUNT none - +", Int(0)},
          {"ZRANGE none 0 -1", kEmptyArray},
          {"ZREVRANGE none 0 -1 WITHSCORES", kEmptyArray},
          {"ZRANGEBYSCORE none 0 1", kEmptyArray},
          {"ZRANDMEMBER none", kNil, kNilInResp3},
          {"ZRANDMEMBER none 3", kEmptyArray},
          {"ZRANDMEMBER none -3 WITHSCORES", kEmptyArray},
          {"ZSCAN none 0", Array({Bulk("0"), kEmptyArray})},
          {"ZSCAN none x", "-ERR invalid cursor\r\n"},
          {"ZREMRANGEBYRANK none 0 1", Int(0)},
          {"ZPOPMIN none", kEmptyArray},
          {"ZPOPMAX none 3", kEmptyArray},
          {"ZMPOP 2 none nil MIN", kNilArray, kNilInResp3},
          {"ZINTERCARD 2 none nil", Int(0)}}},
        {"WrongType",
         {{"SET s 1", kOk},
          {"ZCARD s", kWrongType},
          {"ZSCORE s a", kWrongType},
          {"ZMSCORE s a", kWrongType},
          {"ZRANK s a", kWrongType},
          {"ZCOUNT s 0 1", kWrongType},
          {"ZCOUNT s x 1", kBoundNotAFloat},
          {"ZLEXCOUNT s - +", kWrongType},
          {"ZRANGE s 0 -1", kWrongType},
          {"ZRANGE s x -1", kNotAnInteger},
          {"ZRANDMEMBER s", kWrongType},
          {"ZRANDMEMBER s 0", kWrongType},
          {"ZSCAN s 0 FOO", kWrongType},
          {"ZREMRANGEBYLEX s - +", kWrongType},
          {"ZPOPMIN s 0", kWrongType},
          {"ZMPOP 2 none s MIN", kWrongType},
          {"ZRANGESTORE d s 0 -1", kWrongType},
          {"ZUNION 1 s WEIGHTS x", kWrongType},
          {"ZUNIONSTORE d 2 none s", kWrongType}}},
        {"Rank",
         {{"ZADD z 1 a 2 b 3 c", Int(3)},
          {"ZRANK z a", Int(0)},
          {"ZRANK z c", Int(2)},
          {"ZREVRANK z a", Int(2)},
          {"ZRANK z none", kNil, kNilInResp3},
          {"ZRANK z a FOO", WrongArity("zrank")},
          {"ZREVRANK z a b c", WrongArity("zrevrank")}}},
        {"RankWithScore",
         {{"ZADD z 1 a 2.5 b", Int(2)},
          {"ZRANK z b WITHSCORE", Array({Int(1), Bulk("2.5")}), Array({Int(1), Number("2.5")})},
          {"ZREVRANK z b withscore", Array({Int(0), Bulk("2.5")}), Array({Int(0), Number("2.5")})},
          {"ZRANK z none WITHSCORE", kNilArray, kNilInResp3},
          {"ZRANK none a WITHSCORE", kNilArray, kNilInResp3}},
         kLarderOnly},
        {"CountBounds",
         {{"ZADD z 1 a 2 b 3 c", Int(3)},
          {"ZCOUNT z -inf +inf", Int(3)},
          {"ZCOUNT z (1 3", Int(2)},
          {"ZCOUNT z 1 (3", Int(2)},
          {"ZCOUNT z (1 (1", Int(0)},
          {"ZCOUNT z 3 1", Int(0)},
          {"ZCOUNT z ' 1' 10", Int(3)},
          {"ZCOUNT z '' 10", Int(3)},
          {"ZCOUNT z 1 1e400", Int(3)},
          {"ZCOUNT z 1e-400 1", Int(1)},
          {"ZCOUNT z '( 1' 2", Int(1)},
          {"ZCOUNT z ((1 2", kBoundNotAFloat},
          {"ZCOUNT z '1 ' 2", kBoundNotAFloat},
          {"ZCOUNT z 1 nan", kBoundNotAFloat},
          {"ZLEXCOUNT z a b", kBadLexBound},
          {"ZLEXCOUNT z [a ''", kBadLexBound}}},
        {"RandomMember",
         {{"ZADD z 1 a", Int(1)},
          {"ZRANDMEMBER z", Bulk("a")},
          {"ZRANDMEMBER z 5", Words({"a"})},
          {"ZRANDMEMBER z -2", Words({"a", "a"})},
          {"ZRANDMEMBER z 0", kEmptyArray},
          {"ZRANDMEMBER z 1 WITHSCORES", Words({"a", "1"}),
           Array({Array({Bulk("a"), Number("1")})})},
          {"ZRANDMEMBER z -2 WITHSCORES", Words({"a", "1", "a", "1"}),
           Array({Array({Bulk("a"), Number("1")}), Array({Bulk("a"), Number("1")})})},
          {"ZRANDMEMBER z x", kNotAnInteger},
          {"ZRANDMEMBER z 1 FOO", kSyntaxError},
          {"ZRANDMEMBER z 1 WITHSCORES x", kSyntaxError},
          {"ZRANDMEMBER z 4611686018427387904 WITHSCORES", "-ERR value is out of range\r\n"},
          {"ZRANDMEMBER z -9223372036854775808",
           "-ERR value is out of range, value must between -9223372036854775807 and "
           "9223372036854775807\r\n"}}},
        {"MoreRandomMembersThanMemoryHolds",
         {{"ZADD z 1 a", Int(1)},
          {"ZRANDMEMBER z -1000000000000", "-ERR value is out of range\r\n"}},
         kLarderOnly},
        {"Scan",
         {{"ZADD z 1 a 2.5 b 1e17 c", Int(3)},
          {"ZSCAN z 0",
           Array({Bulk("0"), Words({"a", "1", "b", "2.5", "c", "100000000000000000"})})},
          {"ZSCAN z 0 MATCH b* COUNT 1", Array({Bulk("0"), Words({"b", "2.5"})})},
          {"ZSCAN z 0 COUNT 0", kSyntaxError},
          {"ZSCAN z 0 FOO", kSyntaxError}}},
    });

LARDER_INSTANTIATE_CASES(
    Ranges, SortedSetWireTest,
    {
        {"ByRank",
         {{"ZADD z 1 a 2 b 3 c 4 d", Int(4)},
          {"ZRANGE z 1 2", Words({"b", "c"})},
          {"ZRANGE z -2 -1", Words({"c", "d"})},
          {"ZRANGE z -100 100", Words({"a", "b", "c", "d"})},
          {"ZRANGE z 3 1", kEmptyArray},
          {"ZRANGE z 4 5", kEmptyArray},
          {"ZRANGE z 0 -5", kEmptyArray},
          {"ZRANGE z 0 1 REV", Words({"d", "c"})},
          {"ZREVRANGE z 0 1 WITHSCORES", Words({"d", "4", "c", "3"}),
           Array({Array({Bulk("d"), Number("4")}), Array({Bulk("c"), Number("3")})})},
          {"ZREVRANGE z -1 -1", Words({"a"})}}},
        {"ByScore",
         {{"ZADD z 1 a 2 b 3 c 4 d", Int(4)},
          {"ZRANGEBYSCORE z (1 3", Words({"b", "c"})},
          {"ZRANGEBYSCORE z -inf +inf LIMIT 1 2", Words({"b", "c"})},
          {"ZRANGEBYSCORE z -inf +inf LIMIT 1 -5", Words({"b", "c", "d"})},
          {"ZRANGEBYSCORE z -inf +inf LIMIT -1 2", kEmptyArray},
          {"ZRANGEBYSCORE z -inf +inf LIMIT 0 0", kEmptyArray},
          {"ZRANGEBYSCORE z -inf +inf LIMIT 4 1", kEmptyArray},
          {"ZREVRANGEBYSCORE z 3 (1", Words({"c", "b"})},
          {"ZREVRANGEBYSCORE z 4 1 LIMIT 1 2 WITHSCORES", Words({"c", "3", "b", "2"}),
           Array({Array({Bulk("c"), Number("3")}), Array({Bulk("b"), Number("2")})})},
          {"ZRANGE z (2 +inf BYSCORE", Words({"c", "d"})},
          {"ZRANGE z +inf (2 BYSCORE REV LIMIT 0 1", Words({"d"})},
          {"ZRANGEBYSCORE z 1", WrongArity("zrangebyscore")},
          {"ZRANGEBYSCORE z x 1", kBoundNotAFloat}}},
        {"ByLex",
         {{"ZADD z 0 a 0 b 0 c 0 d", Int(4)},
          {"ZRANGEBYLEX z - +", Words({"a", "b", "c", "d"})},
          {"ZRANGEBYLEX z (a [c", Words({"b", "c"})},
          {"ZRANGEBYLEX z [aa +", Words({"b", "c", "d"})},
          {"ZRANGEBYLEX z + -", kEmptyArray},
          {"ZRANGEBYLEX z (b (b", kEmptyArray},
          {"ZRANGEBYLEX z - + LIMIT 1 2", Words({"b", "c"})},
          {"ZREVRANGEBYLEX z [c -", Words({"c", "b", "a"})},
          {"ZRANGE z [d (a BYLEX REV LIMIT 1 1", Words({"c"})},
          {"ZLEXCOUNT z [b [c", Int(2)},
          {"ZRANGEBYLEX z b c", kBadLexBound},
          {"ZRANGEBYLEX z - [", kEmptyArray}}},
        // Redis answers so, and clients may have come to depend on it.
        {"ByLexWithScoresThatDiffer",
         {{"ZADD z 1 d 2 a 3 c 4 b", Int(4)},
          {"ZRANGEBYLEX z [b +", Words({"d", "a", "c", "b"})},
          {"ZREVRANGEBYLEX z [b -", kEmptyArray},
          {"ZREVRANGEBYLEX z + [b", Words({"b", "c"})},
          {"ZRANGEBYLEX z - [c", kEmptyArray}}},
        {"RangeErrors",
         {{"ZADD z 1 a", Int(1)},
          {"ZRANGE z 0 -1 LIMIT 0 1",
           "-ERR syntax error, LIMIT is only supported in combination with either BYSCORE or "
           "BYLEX\r\n"},
          {"ZRANGE z 0 -1 LIMIT 0 -1", Words({"a"})},
          {"ZRANGE z 0 -1 LIMIT x y", kNotAnInteger},
          {"ZRANGE z 0 -1 LIMIT 0", kSyntaxError},
          {"ZRANGE z - + BYLEX WITHSCORES",
           "-ERR syntax error, WITHSCORES not supported in combination with BYLEX\r\n"},
          {"ZRANGE z - + BYLEX BYSCORE", kSyntaxError},
          {"ZRANGEBYSCORE z 0 1 REV", kSyntaxError},
          {"ZREVRANGE z 0 1 REV", kSyntaxError},
          {"ZRANGESTORE d z 0 -1 WITHSCORES", kSyntaxError},
          {"ZRANGE z 1.5 2", kNotAnInteger}}},
        {"Store",
         {{"ZADD z 1 a 2 b 3 c", Int(3)},
          {"SET d text", kOk},
          {"ZRANGESTORE d z 1 -1", Int(2)},
          {"ZRANGE d 0 -1", Words({"b", "c"})},
          {"ZRANGESTORE d z (1 2 BYSCORE", Int(1)},
          {"ZRANGESTORE d z 0 0 REV", Int(1)},
          {"ZRANGE d 0 -1", Words({"c"})},
          {"ZRANGESTORE z z 0 1", Int(2)},
          {"ZRANGE z 0 -1", Words({"a", "b"})},
          {"ZRANGESTORE d none 0 -1", Int(0)},
          {"EXISTS d", Int(0)}}},
        {"RemoveRanges",
         {{"ZADD z 1 a 2 b 3 c 4 d 5 e", Int(5)},
          {"ZREMRANGEBYRANK z 0 0", Int(1)},
          {"ZREMRANGEBYRANK z 5 6", Int(0)},
          {"ZREMRANGEBYSCORE z (2 3", Int(1)},
          {"ZRANGE z 0 -1", Words({"b", "d", "e"})},
          {"ZREMRANGEBYRANK z 0 -1", Int(3)},
          {"EXISTS z", Int(0)},
          {"ZADD z 0 a 0 b", Int(2)},
          {"ZREMRANGEBYLEX z [a (b", Int(1)},
          {"ZREMRANGEBYLEX z x y", kBadLexBound},
          {"ZREMRANGEBYSCORE z x y", kBoundNotAFloat},
          {"ZREMRANGEBYRANK z x y", kNotAnInteger}}},
    });

LARDER_INSTANTIATE_CASES(
    Popping, SortedSetWireTest,
    {
        {"Pop",
         {{"ZADD z 1 a 2 b 3 c 4 d", Int(4)},
          {"ZPOPMIN z", Words({"a", "1"}), Array({Bulk("a"), Number("1")})},
          {"ZPOPMAX z", Words({"d", "4"}), Array({Bulk("d"), Number("4")})},
          {"ZPOPMIN z 1", Words({"b", "2"}), Array({Array({Bulk("b"), Number("2")})})},
          {"ZPOPMAX z 9", Words({"c", "3"}), Array({Array({Bulk("c"), Number("3")})})},
          {"EXISTS z", Int(0)}}},
        {"PopErrors",
         {{"ZADD z 1 a", Int(1)},
          {"ZPOPMIN z -1", kMustBePositive},
          {"ZPOPMIN z x", kMustBePositive},
          {"ZPOPMIN none -1", kMustBePositive},
          {"ZPOPMIN z 1 2", kSyntaxError},
          {"ZPOPMIN z 0", kEmptyArray}}},
        {"PopOfSeveral",
         {{"ZADD z 1 a 2 b 3 c", Int(3)},
          {"ZMPOP 2 none z MIN", Array({Bulk("z"), Array({Words({"a", "1"})})}),
           Array({Bulk("z"), Array({Array({Bulk("a"), Number("1")})})})},
          {"ZMPOP 1 z max COUNT 5",
           Array({Bulk("z"), Array({Words({"c", "3"}), Words({"b", "2"})})}),
           Array({Bulk("z"),
                  Array({Array({Bulk("c"), Number("3")}), Array({Bulk("b"), Number("2")})})})},
          {"EXISTS z", Int(0)},
          {"ZMPOP 0 z MIN", "-ERR numkeys should be greater than 0\r\n"},
          {"ZMPOP x z MIN", "-ERR numkeys should be greater than 0\r\n"},
          {"ZMPOP 1 z FOO", kSyntaxError},
          {"ZMPOP 5 z MIN", kSyntaxError},
          {"ZMPOP 9223372036854775807 z MIN", kSyntaxError},
          {"ZMPOP 1 z MIN COUNT 0", "-ERR count should be greater than 0\r\n"},
          {"ZMPOP 1 z MIN COUNT 1 COUNT 1", kSyntaxError},
          {"ZMPOP 1 z MIN COUNT", kSyntaxError},
          {"BZMPOP x 0 z MIN", "-ERR numkeys should be greater than 0\r\n"},
          {"BZMPOP x 1 z MIN", "-ERR timeout is not a float or out of range\r\n"}}},
        {"PopAtOnce",
         {{"ZADD z 1 a 2 b", Int(2)},
          {"BZPOPMIN none z 0", Array({Bulk("z"), Bulk("a"), Bulk("1")}),
           Array({Bulk("z"), Bulk("a"), Number("1")})},
          {"BZMPOP 0 2 none z MAX COUNT 3", Array({Bulk("z"), Array({Words({"b", "2"})})}),
           Array({Bulk("z"), Array({Array({Bulk("b"), Number("2")})})})},
          {"EXISTS z", Int(0)}}},
        {"PopTimesOut",
         {{"BZPOPMIN none 0.01", kNilArray, kNilInResp3},
          {"BZPOPMAX none nil 0.01", kNilArray, kNilInResp3},
          {"BZMPOP 0.01 1 none MIN", kNilArray, kNilInResp3},
          {"BZPOPMIN none -1", "-ERR timeout is negative\r\n"},
          {"BZPOPMIN none x", "-ERR timeout is not a float or out of range\r\n"},
          {"SET s 1", kOk},
          {"BZPOPMIN none s 0", kWrongType}}},
        {"PopInTransaction",
         {{"MULTI", kOk},
          {"BZPOPMIN none 0", kQueued},
          {"BZMPOP 0 1 none MIN", kQueued},
          {"EXEC", Array({kNilArray, kNilArray}), Array({kNilInResp3, kNilInResp3})}}},
        {"PopWaits",
         {On(1, {"PING", "+PONG\r\n"}),
          On(1, {"BZPOPMIN z y 10", Nothing()}),
          After(100ms, {"ZADD y 5 a 6 b", Int(2)}),
          Receive(1, Array({Bulk("y"), Bulk("a"), Bulk("5")})),
          {"ZRANGE y 0 -1", Words({"b"})}}},
        {"FirstWhoWaitsIsServedFirst",
         {On(1, {"BZPOPMAX z 10", Nothing()}),
          After(100ms, On(2, {"BZMPOP 10 1 z MIN COUNT 10", Nothing()})),
          After(100ms, {"ZADD z 1 a 2 b 3 c", Int(3)}),
          Receive(1, Array({Bulk("z"), Bulk("c"), Bulk("3")})),
          Receive(2, Array({Bulk("z"), Array({Words({"a", "1"}), Words({"b", "2"})})})),
          {"EXISTS z", Int(0)}}},
        {"WaitsOnWhileTheTypeIsWrong",
         {On(1, {"BZPOPMIN z 10", Nothing()}),
          After(100ms, {"SET z text", kOk}),
          {"DEL z", Int(1)},
          {"ZADD z 1 a", Int(1)},
          Receive(1, Array({Bulk("z"), Bulk("a"), Bulk("1")}))}},
        {"ServedByStoredSets",
         {{"ZADD src 1 a", Int(1)},
          On(1, {"BZPOPMIN z 10", Nothing()}),
          After(100ms, {"ZUNIONSTORE z 1 src", Int(1)}),
          Receive(1, Array({Bulk("z"), Bulk("a"), Bulk("1")}))}},
    });

LARDER_INSTANTIATE_CASES(
    Algebra, SortedSetWireTest,
    {
        {"Union",
         {{"ZADD a 1 x 2 y", Int(2)},
          {"ZADD b 10 y 20 z", Int(2)},
          {"ZUNION 2 a b", Words({"x", "y", "z"})},
          {"ZUNION 2 a b WITHSCORES", Words({"x", "1", "y", "12", "z", "20"}),
           Array({Array({Bulk("x"), Number("1")}), Array({Bulk("y"), Number("12")}),
                  Array({Bulk("z"), Number("20")})})},
          {"ZUNIONSTORE d 3 a b none WEIGHTS 2 1 5 AGGREGATE MIN", Int(3)},
          {"ZRANGE d 0 -1 WITHSCORES", Words({"x", "2", "y", "4", "z", "20"}),
           Array({Array({Bulk("x"), Number("2")}), Array({Bulk("y"), Number("4")}),
                  Array({Bulk("z"), Number("20")})})},
          {"ZUNIONSTORE a 1 none", Int(0)},
          {"EXISTS a", Int(0)}}},
        {"Intersection",
         {{"ZADD a 1 x 2 y", Int(2)},
          {"ZADD b 10 y 20 z", Int(2)},
          {"ZINTER 2 a b AGGREGATE MAX WITHSCORES", Words({"y", "10"}),
           Array({Array({Bulk("y"), Number("10")})})},
          {"ZINTERSTORE a 2 a b", Int(1)},
          {"ZINTERCARD 2 a b", Int(1)},
          {"ZINTER 2 b none", kEmptyArray}}},
        {"CardinalityUpToALimit",
         {{"ZADD a 1 x 2 y 3 z", Int(3)},
          {"ZINTERCARD 2 a a", Int(3)},
          {"ZINTERCARD 2 a a LIMIT 2", Int(2)},
          {"ZINTERCARD 1 a LIMIT 0", Int(3)},
          {"ZINTERCARD 1 a LIMIT -1", "-ERR LIMIT can't be negative\r\n"},
          {"ZINTERCARD 1 a LIMIT x", "-ERR LIMIT can't be negative\r\n"},
          {"ZINTERCARD 1 a WITHSCORES", kSyntaxError}}},
        {"Difference",
         {{"ZADD a 1 x 2 y 3 z", Int(3)},
          {"ZADD b 10 y", Int(1)},
          {"ZDIFF 2 a b WITHSCORES", Words({"x", "1", "z", "3"}),
           Array({Array({Bulk("x"), Number("1")}), Array({Bulk("z"), Number("3")})})},
          {"ZDIFFSTORE d 2 a b", Int(2)},
          {"ZDIFF 2 a a", kEmptyArray},
          {"ZDIFF 1 a WEIGHTS 1", kSyntaxError},
          {"ZDIFFSTORE d 1 a WITHSCORES", kSyntaxError}}},
        {"SetsAsInputs",
         {{"SADD s x y 5", Int(3)},
          {"ZADD z 3 x 4 5", Int(2)},
          {"ZUNION 2 s z WITHSCORES", Words({"y", "1", "x", "4", "5", "5"}),
           Array({Array({Bulk("y"), Number("1")}), Array({Bulk("x"), Number("4")}),
                  Array({Bulk("5"), Number("5")})})},
          {"ZINTERSTORE d 2 z s WEIGHTS 1 10", Int(2)},
          {"ZRANGE d 0 -1 WITHSCORES", Words({"x", "13", "5", "14"}),
           Array({Array({Bulk("x"), Number("13")}), Array({Bulk("5"), Number("14")})})},
          {"ZDIFF 2 s z", Words({"y"})}}},
        // Infinity times zero, and infinity minus infinity, count as nothing.
        {"InfiniteScores",
         {{"ZADD a inf x", Int(1)},
          {"ZADD b -inf x", Int(1)},
          {"ZUNION 2 a b WITHSCORES", Words({"x", "0"}), Array({Array({Bulk("x"), Number("0")})})},
          {"ZUNION 1 a WEIGHTS 0 WITHSCORES", Words({"x", "0"}),
           Array({Array({Bulk("x"), Number("0")})})}}},
        {"AlgebraErrors",
         {{"ZADD z 1 a", Int(1)},
          {"ZUNION 0 z", "-ERR at least 1 input key is needed for 'zunion' command\r\n"},
          {"ZUNIONSTORE d -1 z",
           "-ERR at least 1 input key is needed for 'zunionstore' command\r\n"},
          {"ZUNION x z", kNotAnInteger},
          {"ZUNION 2 z", kSyntaxError},
          {"ZUNION 9223372036854775807 z", kSyntaxError},
          {"ZUNION 1 z WEIGHTS", kSyntaxError},
          {"ZUNION 1 z WEIGHTS x", "-ERR weight value is not a float\r\n"},
          {"ZUNION 1 z WEIGHTS 1 2", kSyntaxError},
          {"ZUNION 1 z AGGREGATE FOO", kSyntaxError},
          {"ZUNIONSTORE d 1 z WITHSCORES", kSyntaxError}}},
    });

// Both encodings, at their borders, in thousands of ways.
TEST_F(SortedSetWireTest, RandomChangesLeaveWhatRedisHas) {
  std::vector<std::string> lines = {"FLUSHALL", "CONFIG SET zset-max-listpack-entries 20"};
  uint64_t state = 1;
  const auto random = [&state](uint64_t bound) {
    state = state * 6364136223846793005 + 1442695040888963407;
    return (state >> 33) % bound;
  };
  const auto number = [&](uint64_t bound) { return std::to_string(random(bound)); };
  const std::vector<std::string> scores = {"inf", "-inf", "0.1", "-2.5", "1e17", "1e-7", "-3"};
  const auto score = [&] { return random(4) == 0 ? scores[random(scores.size())] : number(20); };
  for (int i = 0; i < 3000; ++i) {
    const std::string key = random(2) == 0 ? "small" : "large";
    const std::string member = "m" + number(key == "small" ? 18 : 200);
    switch (random(16)) {
      case 0:
        lines.push_back("ZREM " + key + " " + member);
        break;
      case 1:
        lines.push_back("ZINCRBY " + key + " " + score() + " " + member);
        break;
      case 2:
        lines.push_back("ZPOPMIN " + key + " " + number(3));
        break;
      case 3:
        lines.push_back("ZRANGEBYSCORE " + key + " " + score() + " (" + score());
        break;
      case 4:
        lines.push_back("ZREVRANGE " + key + " " + number(5) + " -" + number(9) + " WITHSCORES");
        break;
      case 5:
        lines.push_back("ZREMRANGEBYRANK " + key + " " + number(100) + " " + number(100));
        break;
      case 6:
        lines.push_back("ZRANK " + key + " " + member);
        break;
      case 7:
        lines.push_back("ZUNIONSTORE " + key + " 2 small large AGGREGATE MAX");
        break;
      default:
        lines.push_back("ZADD " + key + " CH " + score() + " " + member + " " + score() + " m" +
                        number(200));
    }
    if (i % 100 == 0) lines.push_back("OBJECT ENCODING " + key);
    if (i % 100 == 50) lines.push_back("ZRANGE " + key + " 0 -1 WITHSCORES");
  }
  lines.push_back("CONFIG SET zset-max-listpack-entries 128");
  EXPECT_EQ(DifferencesFromRedis(Larder().port(), Redis().port(), lines), "");
}

}  // namespace
}  // namespace larder
