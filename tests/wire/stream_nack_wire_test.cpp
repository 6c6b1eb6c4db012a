// XNACK, which Redis 7.0 does not have: a consumer gives entries back to its group. The replies are
// those that its documentation tells.
#include <string>
#include <vector>

#include "tests/support/wire_case.h"

namespace larder {
namespace {

class StreamNackWireTest : public WireTest {};

TEST_P(StreamNackWireTest, AnswersLikeRedis) { Run(); }

const std::string kInvalidId = "-ERR Invalid stream ID specified as stream command argument\r\n";
const std::string kNoNumIds = "-ERR numids must be a positive integer\r\n";
const std::string kTooFewIds = "-ERR number of IDs doesn't match numids\r\n";
constexpr int64_t kMost = 9223372036854775807;

// [id, [a, b]]
std::string Entry(const std::string& id) {
  return Array({Bulk(id), Array({Bulk("a"), Bulk("b")})});
}

// What XPENDING says of an entry that no consumer has.
std::string Released(const std::string& id, int64_t deliveries) {
  return Array({Bulk(id), Bulk(""), Int(-1), Int(deliveries)});
}
// The same as a pattern, for an entry that a consumer has.
std::string Owned(const std::string& id, const std::string& consumer, int64_t deliveries) {
  return "*4\r\n" + Bulk(id) + Bulk(consumer) + ":<int>\r\n" + Int(deliveries);
}

// Entries 1-1, 2-1 and 3-1, of which consumer c of group g has the first two.
std::vector<WireStep> Given(std::vector<WireStep> steps) {
  std::vector<WireStep> all = {
      {"XADD s 1-1 a b", Bulk("1-1")},
      {"XADD s 2-1 a b", Bulk("2-1")},
      {"XADD s 3-1 a b", Bulk("3-1")},
      {"XGROUP CREATE s g 0", kOk},
      {"XREADGROUP GROUP g c COUNT 2 STREAMS s >", Anything()},
  };
  all.insert(all.end(), steps.begin(), steps.end());
  return all;
}

INSTANTIATE_TEST_SUITE_P(
    Giving, StreamNackWireTest,
    testing::ValuesIn(std::vector<WireCase>{
        {"NoConsumerHasItThen",
         Given({{"XNACK s g FAIL IDS 1 1-1", Int(1)},
                {"XPENDING s g - + 5", Like("*2\r\n" + Released("1-1", 1) + Owned("2-1", "c", 1))},
                {"XPENDING s g",
                 Array({Int(2), Bulk("1-1"), Bulk("2-1"), Array({Array({Bulk("c"), Bulk("1")})})})},
                {"XPENDING s g - + 5 c", Like("*1\r\n" + Owned("2-1", "c", 1))},
                {"XPENDING s g IDLE 10000000 - + 5", Array({Released("1-1", 1)})},
                {"XNACK s g FAIL IDS 1 2-1", Int(1)},
                {"XPENDING s g", Array({Int(2), Bulk("1-1"), Bulk("2-1"), Array({})})}}),
         kLarderOnly},
        {"TheModeSaysHowOftenItCounts",
         Given({{"XCLAIM s g c 0 1-1 2-1 RETRYCOUNT 5 JUSTID", Anything()},
                {"XNACK s g SILENT IDS 1 1-1", Int(1)},
                {"XNACK s g fail ids 1 2-1", Int(1)},
                {"XPENDING s g - + 5", Array({Released("1-1", 4), Released("2-1", 5)})},
                {"XNACK s g FATAL IDS 2 1-1 2-1", Int(2)},
                {"XPENDING s g - + 5", Array({Released("1-1", kMost), Released("2-1", kMost)})},
                {"XNACK s g FATAL IDS 1 1-1 RETRYCOUNT 1", Int(1)},
                {"XNACK s g SILENT IDS 2 1-1 1-1", Int(2)},
                {"XPENDING s g - + 5", Array({Released("1-1", 0), Released("2-1", kMost)})}}),
         kLarderOnly},
        {"OnlyWhatIsPendingUnlessForced",
         Given({{"XNACK s g FAIL IDS 3 1-1 3-1 9-9", Int(1)},
                {"XNACK s g FAIL IDS 3 1-1 3-1 9-9 FORCE", Int(2)},
                {"XNACK s g FATAL IDS 1 3-1 RETRYCOUNT 7 FORCE", Int(1)},
                {"XPENDING s g 1 3 5",
                 Like("*3\r\n" + Released("1-1", 1) + Owned("2-1", "c", 1) + Released("3-1", 7))},
                {"XACK s g 3-1", Int(1)},
                {"XNACK s g FATAL IDS 1 3-1 FORCE", Int(1)},
                {"XPENDING s g 3 3 5", Array({Released("3-1", kMost)})}}),
         kLarderOnly},
        {"AnEntryThatIsGoneMayBeGivenBack",
         Given({{"XDEL s 1-1", Int(1)},
                {"XNACK s g FAIL IDS 1 1-1", Int(1)},
                {"XAUTOCLAIM s g d 1000 0", Array({Bulk("0-0"), Array({}), Array({Bulk("1-1")})})},
                {"XNACK s g FAIL IDS 1 1-1 FORCE", Int(0)}}),
         kLarderOnly},
        {"TellsInXInfo",
         Given({{"XNACK s g FAIL IDS 1 1-1", Int(1)},
                {"XINFO CONSUMERS s g",
                 Like("*1\r\n*6\r\n" + Bulk("name") + Bulk("c") + Bulk("pending") + Int(1) +
                      Bulk("idle") + ":<int>\r\n"),
                 Like("*1\r\n%3\r\n" + Bulk("name") + Bulk("c") + Bulk("pending") + Int(1) +
                      Bulk("idle") + ":<int>\r\n")},
                {"XACK s g 2-1", Int(1)},
                {"XGROUP DELCONSUMER s g c", Int(0)},
                {"XINFO STREAM s FULL COUNT 1",
                 Like("*18\r\n<bulk>:3\r\n<bulk>:1\r\n<bulk>:2\r\n<bulk><bulk><bulk><bulk><bulk>:3"
                      "\r\n<bulk><bulk><bulk>*1\r\n" +
                      Entry("1-1") +
                      "<bulk>*1\r\n*16\r\n<bulk><bulk><bulk><bulk><bulk>:2\r\n<bulk>:1\r\n<bulk>:1"
                      "\r\n<bulk>*1\r\n" +
                      Array({Bulk("1-1"), Bulk(""), Int(0), Int(1)}) + "<bulk>*0\r\n" +
                      Bulk("nacked-count") + Int(1)),
                 Anything()},
                {"XACK s g 1-1", Int(1)}}),
         kLarderOnly},
        {"SurvivesBeingCopiedAndStored",
         Given({{"XNACK s g FAIL IDS 1 1-1", Int(1)},
                {"COPY s t", Int(1)},
                {"XPENDING t g 1 1 5", Array({Released("1-1", 1)})},
                {"DEBUG RELOAD", kOk},
                {"XPENDING s g 1 1 5", Array({Released("1-1", 1)})},
                {"XACK s g 1-1 2-1", Int(2)},
                {"XPENDING s g - + 5", Array({})}}),
         kLarderOnly},
        {"WithinATransaction",
         Given({{"WATCH s", kOk},
                On(1, {"XNACK s g FAIL IDS 1 1-1", Int(1)}),
                {"MULTI", kOk},
                {"XNACK s g FAIL IDS 2 1-1 2-1", kQueued},
                {"EXEC", Array({Int(2)})}}),
         kLarderOnly},
    }),
    WireCaseName);

INSTANTIATE_TEST_SUITE_P(
    Taking, StreamNackWireTest,
    testing::ValuesIn(std::vector<WireCase>{
        {"ByXClaimHoweverShortTheWait",
         Given({{"XCLAIM s g d 100000000 1-1", Array({})},
                {"XNACK s g FAIL IDS 1 1-1", Int(1)},
                {"XCLAIM s g d 9000000000000000000 1-1", Array({Entry("1-1")})},
                {"XPENDING s g 1 1 5", Like("*1\r\n" + Owned("1-1", "d", 2))},
                {"XCLAIM s g e 100000000 1-1", Array({})}}),
         kLarderOnly},
        {"ByXAutoClaimHoweverShortTheWait",
         Given({{"XNACK s g SILENT IDS 1 2-1", Int(1)},
                {"XAUTOCLAIM s g d 9000000000000000000 0",
                 Array({Bulk("0-0"), Array({Entry("2-1")}), Array({})})},
                {"XPENDING s g - + 5",
                 Like("*2\r\n" + Owned("1-1", "c", 1) + Owned("2-1", "d", 1))}}),
         kLarderOnly},
        {"NotAsNewsAndNotAsHistory",
         Given({{"XNACK s g FAIL IDS 1 1-1", Int(1)},
                {"XREADGROUP GROUP g c STREAMS s 0",
                 Array({Array({Bulk("s"), Array({Entry("2-1")})})}),
                 Map({Bulk("s"), Array({Entry("2-1")})})},
                {"XREADGROUP GROUP g c STREAMS s >",
                 Array({Array({Bulk("s"), Array({Entry("3-1")})})}),
                 Map({Bulk("s"), Array({Entry("3-1")})})},
                {"XREADGROUP GROUP g c STREAMS s >", "*-1\r\n"}}),
         kLarderOnly},
        {"AForcedEntryIsStillNews",
         Given({{"XNACK s g FATAL IDS 1 3-1 FORCE", Int(1)},
                {"XREADGROUP GROUP g d STREAMS s >", Anything()},
                {"XPENDING s g 3 3 5", Like("*1\r\n" + Owned("3-1", "d", 1))}}),
         kLarderOnly},
        {"TheHighestCountIsTheHighest",
         Given({{"XNACK s g FATAL IDS 1 1-1", Int(1)},
                {"XCLAIM s g d 0 1-1", Array({Entry("1-1")})},
                {"XPENDING s g 1 1 5", Like("*1\r\n" + Owned("1-1", "d", kMost))},
                {"XREADGROUP GROUP g d STREAMS s 0", Anything()},
                {"XPENDING s g 1 1 5", Like("*1\r\n" + Owned("1-1", "d", kMost))},
                {"XAUTOCLAIM s g d 0 1 COUNT 1", Anything()},
                {"XPENDING s g 1 1 5", Like("*1\r\n" + Owned("1-1", "d", kMost))}}),
         kLarderOnly},
    }),
    WireCaseName);

INSTANTIATE_TEST_SUITE_P(
    Errors, StreamNackWireTest,
    testing::ValuesIn(std::vector<WireCase>{
        {"InTheirOrder",
         Given({{"XNACK s g FAIL IDS 1", WrongArity("xnack")},
                {"SET str v", kOk},
                {"XNACK str g FOO BAR 0 x", kWrongType},
                {"XNACK none g FOO BAR 0 x",
                 "-NOGROUP No such key 'none' or consumer group 'g'\r\n"},
                {"XNACK s h FOO BAR 0 x", "-NOGROUP No such key 's' or consumer group 'h'\r\n"},
                {"XNACK s g FOO BAR 0 x", "-ERR mode must be SILENT, FAIL, or FATAL\r\n"},
                {"XNACK s g FAIL BAR 0 x", kSyntaxError},
                {"XNACK s g FAIL IDS 0 x", kNoNumIds},
                {"XNACK s g FAIL IDS x x", kNoNumIds},
                {"XNACK s g FAIL IDS 2147483648 x", kNoNumIds},
                {"XNACK s g FAIL IDS 2 x", kTooFewIds},
                {"XNACK s g FAIL IDS 1 x FOO", kInvalidId},
                {"XNACK s g FAIL IDS 1 1-1 2-1", "-ERR Unrecognized XNACK option '2-1'\r\n"},
                {"XNACK s g FAIL IDS 1 1-1 RETRYCOUNT",
                 "-ERR Unrecognized XNACK option 'RETRYCOUNT'\r\n"},
                {"XNACK s g FAIL IDS 1 1-1 RETRYCOUNT x", kNotAnInteger},
                {"XNACK s g FAIL IDS 1 1-1 FORCE RETRYCOUNT -1",
                 "-ERR Invalid RETRYCOUNT value, must be >= 0\r\n"},
                {"XPENDING s g 1 1 5", Like("*1\r\n" + Owned("1-1", "c", 1))}}),
         kLarderOnly},
    }),
    WireCaseName);

}  // namespace
}  // namespace larder
