// Consumer groups as clients see them: XGROUP, XREADGROUP, XACK, XPENDING, XCLAIM, XAUTOCLAIM,
// XINFO.
#include <string>
#include <vector>

#include "tests/support/wire_case.h"
#include "tests/wire/same_as_redis.h"

namespace larder {
namespace {

class StreamGroupWireTest : public WireTest {};

TEST_P(StreamGroupWireTest, AnswersLikeRedis) { Run(); }

const std::string kKeyGone = "-UNBLOCKED the stream key no longer exists\r\n";
const std::string kGroupGone =
    "-NOGROUP the consumer group this client was blocked on no longer exists\r\n";

// [id, [field, value]]
std::string Entry(const std::string& id) {
  return Array({Bulk(id), Array({Bulk("a"), Bulk("b")})});
}

std::string Read(const std::vector<std::string>& entries) {
  return Array({Array({Bulk("s"), Array(entries)})});
}

std::string ReadInResp3(const std::vector<std::string>& entries) {
  return Map({Bulk("s"), Array(entries)});
}

WireStep Add(const std::string& id) { return {"XADD s " + id + " a b", Bulk(id)}; }
WireStep Make(const std::string& id = "0") { return {"XGROUP CREATE s g " + id, kOk}; }
// Entry 1-1 is pending for consumer c of group g.
std::vector<WireStep> Given() {
  return {Add("1-1"), Make(), {"XREADGROUP GROUP g c STREAMS s >", Anything()}};
}
std::vector<WireStep> Given(std::vector<WireStep> steps) {
  std::vector<WireStep> all = Given();
  all.insert(all.end(), steps.begin(), steps.end());
  return all;
}

// A client waits in group g for what comes behind 1-1, and then something happens.
std::vector<WireStep> Waiting(std::vector<WireStep> steps) {
  std::vector<WireStep> all = {Add("1-1"), Make("$"),
                               Waits(0, "XREADGROUP GROUP g c BLOCK 0 STREAMS s >")};
  all.insert(all.end(), steps.begin(), steps.end());
  return all;
}

LARDER_INSTANTIATE_CASES(
    Reading, StreamGroupWireTest,
    {
        {"GivesEachEntryOnce",
         {Add("1-1"),
          Add("2-1"),
          Make(),
          {"XREADGROUP GROUP g c COUNT 1 STREAMS s >", Read({Entry("1-1")}),
           ReadInResp3({Entry("1-1")})},
          {"XREADGROUP GROUP g d STREAMS s >", Read({Entry("2-1")}), ReadInResp3({Entry("2-1")})},
          {"XREADGROUP GROUP g c STREAMS s >", "*-1\r\n"},
          {"XREADGROUP GROUP g c STREAMS s 0", Read({Entry("1-1")}), ReadInResp3({Entry("1-1")})},
          {"XREADGROUP GROUP g e STREAMS s 0", Read({}), ReadInResp3({})}}},
        {"HistoryOfWhatIsDeleted",
         Given({{"XDEL s 1-1", Int(1)},
                {"XREADGROUP GROUP g c STREAMS s 0", Read({Array({Bulk("1-1"), "*-1\r\n"})}),
                 ReadInResp3({Array({Bulk("1-1"), kNilInResp3})})}})},
        {"NoAck",
         {Add("1-1"),
          Make(),
          {"XREADGROUP GROUP g c NOACK STREAMS s >", Read({Entry("1-1")}),
           ReadInResp3({Entry("1-1")})},
          {"XPENDING s g", Array({Int(0), kNil, kNil, "*-1\r\n"}),
           Array({Int(0), kNilInResp3, kNilInResp3, kNilInResp3})}}},
        {"LargestIdIsNew",
         {Add("1-1"),
          Make(),
          {"XREADGROUP GROUP g c STREAMS s 18446744073709551615-18446744073709551615",
           Read({Entry("1-1")}), ReadInResp3({Entry("1-1")})}}},
        {"SetIdTakesTheEndsOfARange",
         Given({{"XGROUP SETID s g -", kOk},
                {"XREADGROUP GROUP g d STREAMS s >", Read({Entry("1-1")}),
                 ReadInResp3({Entry("1-1")})},
                {"XPENDING s g - + 5 c", Array({})},
                {"XGROUP SETID s g +", kOk},
                {"XGROUP CREATE s h -",
                 "-ERR Invalid stream ID specified as stream command argument\r\n"}})},
        {"MissingGroupComesBeforeKeys",
         {{"XREADGROUP COUNT 1 STREAMS a b 0 0", "-ERR Missing GROUP option for XREADGROUP\r\n"}}},
        {"Events",
         {{"CONFIG SET notify-keyspace-events KEt", kOk},
          On(1, {"PSUBSCRIBE __keyevent*", Anything()}),
          {"XGROUP CREATE s g $ MKSTREAM", kOk},
          Receive(1, Array({Bulk("pmessage"), Bulk("__keyevent*"),
                            Bulk("__keyevent@0__:xgroup-create"), Bulk("s")})),
          {"XREADGROUP GROUP g c STREAMS s 0", Read({})},
          Receive(1, Array({Bulk("pmessage"), Bulk("__keyevent*"),
                            Bulk("__keyevent@0__:xgroup-createconsumer"), Bulk("s")})),
          {"XGROUP DELCONSUMER s g c", Int(0)},
          Receive(1, Array({Bulk("pmessage"), Bulk("__keyevent*"),
                            Bulk("__keyevent@0__:xgroup-delconsumer"), Bulk("s")})),
          {"XGROUP DESTROY s g", Int(1)},
          Receive(1, Array({Bulk("pmessage"), Bulk("__keyevent*"),
                            Bulk("__keyevent@0__:xgroup-destroy"), Bulk("s")})),
          {"CONFIG SET notify-keyspace-events ''", kOk}}},
        {"GroupsAreNoChangeToWatchers", Given({{"WATCH s", kOk},
                                               On(1, {"XACK s g 1-1", Int(1)}),
                                               On(1, {"XGROUP CREATE s h 0", kOk}),
                                               On(1, {"XGROUP DESTROY s h", Int(1)}),
                                               {"MULTI", kOk},
                                               {"PING", kQueued},
                                               {"EXEC", Array({"+PONG\r\n"})}})},
    });

LARDER_INSTANTIATE_CASES(
    Waiting, StreamGroupWireTest,
    {
        {"Served", Waiting({On(1, Add("2-1")), Receive(0, Read({Entry("2-1")}))})},
        {"ServedWithWhatHasGone",
         Waiting({On(1, {"MULTI", kOk}), On(1, {"XADD s 2-1 a b", kQueued}),
                  On(1, {"XDEL s 2-1", kQueued}), On(1, {"EXEC", Array({Bulk("2-1"), Int(1)})}),
                  Receive(0, Read({}))})},
        {"KeyDeleted", Waiting({On(1, {"DEL s", Int(1)}), Receive(0, kKeyGone)})},
        {"KeyOverwritten", Waiting({On(1, {"SET s v", kOk}), Receive(0, kKeyGone)})},
        {"KeyRenamed", Waiting({On(1, {"RENAME s t", kOk}), Receive(0, kKeyGone)})},
        {"KeyExpired", Waiting({On(1, {"PEXPIRE s 1", Int(1)}), Receive(0, kKeyGone)})},
        {"AllFlushed", Waiting({On(1, {"FLUSHALL", kOk}), Receive(0, kKeyGone)})},
        {"GroupDestroyed",
         Waiting({On(1, {"XGROUP DESTROY s g", Int(1)}), Receive(0, kGroupGone)})},
        {"KeyWithoutTheGroup", Waiting({On(1, {"XADD t 1-1 a b", Bulk("1-1")}),
                                        On(1, {"RENAME t s", kOk}), Receive(0, kGroupGone)})},
        {"MadeAnewInOneGo", Waiting({On(1, {"MULTI", kOk}), On(1, {"DEL s", kQueued}),
                                     On(1, {"XGROUP CREATE s g 0 MKSTREAM", kQueued}),
                                     On(1, {"XADD s 2-1 a b", kQueued}),
                                     On(1, {"EXEC", Array({Int(1), kOk, Bulk("2-1")})}),
                                     Receive(0, Read({Entry("2-1")}))})},
        {"Unblocked",
         {Add("1-1"),
          Make("$"),
          {"XREADGROUP GROUP g c BLOCK 1 STREAMS s >", "*-1\r\n"},
          {"XREADGROUP GROUP g c BLOCK 0 STREAMS s 0", Read({}), ReadInResp3({})}}},
    });

LARDER_INSTANTIATE_CASES(
    Pending, StreamGroupWireTest,
    {
        {"Acknowledged", Given({{"XACK s g 1-1 1-1 2-2", Int(1)},
                                {"XACK s g 1-1", Int(0)},
                                {"XACK s x 1", Int(0)}})},
        {"Summary", Given({{"XPENDING s g", Array({Int(1), Bulk("1-1"), Bulk("1-1"),
                                                   Array({Array({Bulk("c"), Bulk("1")})})})}})},
        {"Listed", Given({{"XPENDING s g - + 5",
                           Like("*1\r\n*4\r\n$3\r\n1-1\r\n$1\r\nc\r\n:<int>\r\n:1\r\n")},
                          {"XPENDING s g IDLE 100000 - + 5", Array({})},
                          {"XPENDING s g (1-1 + 5", Array({})}})},
        {"Claimed", Given({{"XCLAIM s g d 0 1-1 9-9", Array({Entry("1-1")})},
                           {"XCLAIM s g d 100000 1-1", Array({})},
                           {"XCLAIM s g e 0 1-1 RETRYCOUNT 7 JUSTID", Array({Bulk("1-1")})},
                           {"XPENDING s g - + 5",
                            Like("*1\r\n*4\r\n$3\r\n1-1\r\n$1\r\ne\r\n:<int>\r\n:7\r\n")}})},
        {"ClaimingForgetsWhatIsGone",
         Given({{"XDEL s 1-1", Int(1)},
                {"XCLAIM s g d 0 1-1", Array({})},
                {"XPENDING s g - + 5", Array({})},
                {"XINFO CONSUMERS s g",
                 Like("*1\r\n*6\r\n$4\r\nname\r\n$1\r\nc\r\n$7\r\npending\r\n:0\r\n$4\r\nidle\r\n"
                      ":<int>\r\n")}})},
        {"AutoClaimed",
         Given({Add("2-1"),
                Add("3-1"),
                {"XREADGROUP GROUP g c STREAMS s >", Anything()},
                {"XDEL s 2-1", Int(1)},
                {"XAUTOCLAIM s g d 0 0 COUNT 1",
                 Array({Bulk("2-1"), Array({Entry("1-1")}), Array({})})},
                {"XAUTOCLAIM s g d 0 2-1 JUSTID",
                 Array({Bulk("0-0"), Array({Bulk("3-1")}), Array({Bulk("2-1")})})},
                {"XAUTOCLAIM s g d 0 0 COUNT 9999999999999999",
                 "-ERR Insufficient memory, failed allocating transient memory, COUNT too "
                 "high.\r\n"}})},
        {"FullInformation",
         Given({{"XINFO STREAM s FULL",
                 Like("*18\r\n<bulk>:1\r\n<bulk>:1\r\n<bulk>:2\r\n<bulk><bulk><bulk><bulk><bulk>:1"
                      "\r\n<bulk><bulk><bulk>*1\r\n*2\r\n<bulk>*2\r\n<bulk><bulk><bulk>*1\r\n*14\r"
                      "\n<bulk><bulk><bulk><bulk><bulk>:1\r\n<bulk>:0\r\n<bulk>:1\r\n<bulk>*1\r\n*4"
                      "\r\n<bulk><bulk>:<int>\r\n:1\r\n<bulk>*1\r\n*8\r\n<bulk><bulk><bulk>:<int>"
                      "\r\n<bulk>:1\r\n<bulk>*1\r\n*3\r\n<bulk>:<int>\r\n:1\r\n")}})},
        {"AckDel",
         Given({{"XGROUP CREATE s h 0", kOk},
                {"XACKDEL s g ACKED IDS 2 1-1 9-9", Array({Int(2), Int(-1)})},
                {"XREADGROUP GROUP h c STREAMS s >", Anything()},
                {"XACKDEL s h ACKED IDS 1 1-1", Array({Int(1)})},
                {"XLEN s", Int(0)},
                {"XACKDEL none g IDS 1 1-1", Array({Int(-1)})}}),
         kLarderOnly},
    });

// From here on every option and every error, alone and against each other, over keys such as these.

// A string, and a stream whose last ID is the last of its millisecond.
const std::vector<std::string> kTwoEntries = {
    "SET str v",
    "XADD s2 5 a b",
    "XADD s2 7-18446744073709551615 a b",
};

// A string, and a stream without groups.
const std::vector<std::string> kFourEntries = {
    "SET str v", "XADD s 1-1 a 1", "XADD s 2-1 a 2 b 22", "XADD s 3-1 c 3", "XADD s 4-1 c 4",
};

// The same, with a group whose entries are delivered: 1-1 to c, 2-1 without a trace, the rest to
// c3.
std::vector<std::string> Delivered() {
  std::vector<std::string> lines = kFourEntries;
  lines.insert(lines.end(), {
                                "XGROUP CREATE s g 0",
                                "XREADGROUP GROUP g c COUNT 1 STREAMS s >",
                                "XREADGROUP GROUP g c3 NOACK COUNT 1 STREAMS s >",
                                "XREADGROUP GROUP g c3 COUNT 5 STREAMS s >",
                            });
  return lines;
}

// A stream, and a group that has seen all of it.
const std::vector<std::string> kSeenByGroup = {
    "XADD s 7-7 a b",
    "XGROUP CREATE s g $",
};

TEST_F(StreamGroupWireTest, MakesGroupsLikeRedis) {
  EXPECT_EQ(DifferencesFromRedis(kTwoEntries,
                                 {
                                     "XINFO FOO",
                                     "XINFO FOO s2",
                                     "XINFO HELP",
                                     "XINFO HELP x",
                                     "XINFO GROUPS s2",
                                     "XINFO GROUPS none",
                                     "XINFO GROUPS str",
                                     "XINFO CONSUMERS none g",
                                     "XGROUP HELP",
                                     "XGROUP FOO",
                                     "XGROUP CREATE none g $",
                                     "XGROUP CREATE none g foo",
                                     "XGROUP CREATE none g foo MKSTREAM",
                                     "XGROUP CREATE none g $ FOO",
                                     "XGROUP CREATE none g $ MKSTREAM FOO",
                                     "XGROUP CREATE str g $",
                                     "XGROUP CREATE str g $ FOO",
                                     "XGROUP CREATE s2 g $",
                                     "XGROUP CREATE s2 g $",
                                     "XGROUP CREATE s2 g foo",
                                     "XGROUP CREATE s2 g2 0-0 ENTRIESREAD",
                                     "XGROUP CREATE s2 g2 0-0 ENTRIESREAD x",
                                     "XGROUP CREATE s2 g2 0-0 ENTRIESREAD -2",
                                     "XGROUP CREATE s2 g2 0-0 ENTRIESREAD 5 MKSTREAM",
                                     "XGROUP CREATE s3 g $ mkstream",
                                     "XINFO STREAM s3",
                                     "XGROUP CREATE s2 g4 5",
                                     "XGROUP CREATE s2 g5 +",
                                     "XGROUP CREATE s2 g6 -",
                                     "XGROUP CREATE s2 g a b c d e",
                                     "XGROUP CREATE s2",
                                     "XGROUP CREATE s2 g $ ENTRIESREAD 1 ENTRIESREAD 2",
                                     "XINFO GROUPS",
                                     "XGROUP CREATE none g 3 ENTRIESREAD x",
                                 }),
            "");
}

TEST_F(StreamGroupWireTest, MovesAndDropsGroupsLikeRedis) {
  EXPECT_EQ(DifferencesFromRedis(kTwoEntries,
                                 {
                                     "XGROUP CREATE s2 g $",
                                     "XGROUP CREATE s2 g2 0-0",
                                     "XGROUP SETID s2 g 3",
                                     "XGROUP SETID s2 gx 3",
                                     "XGROUP SETID s2 g 3 MKSTREAM",
                                     "XGROUP SETID s2 g $ ENTRIESREAD 3",
                                     "XGROUP SETID s2 g $ ENTRIESREAD -1",
                                     "XGROUP SETID s2 g $ ENTRIESREAD -2",
                                     "XGROUP SETID none g 3",
                                     "XGROUP SETID str g 3",
                                     "XGROUP SETID s2 g foo",
                                     "XGROUP SETID s2 gx foo",
                                     "XGROUP DESTROY s2 gx",
                                     "XGROUP DESTROY s2 g2",
                                     "XGROUP DESTROY none g2",
                                     "XGROUP DESTROY str g2",
                                     "XGROUP DESTROY",
                                     "XGROUP DESTROY s2",
                                     "XGROUP CREATECONSUMER s2 g c",
                                     "XGROUP CREATECONSUMER s2 g c",
                                     "XGROUP CREATECONSUMER s2 gx c",
                                     "XGROUP CREATECONSUMER none gx c",
                                     "XGROUP CREATECONSUMER str gx c",
                                     "XGROUP DELCONSUMER s2 g c",
                                     "XGROUP DELCONSUMER s2 g c",
                                     "XGROUP DELCONSUMER s2 gx c",
                                     "XGROUP DELCONSUMER none gx c",
                                     "XINFO GROUPS s2",
                                     "XGROUP CREATECONSUMER s2 g",
                                     "XGROUP CREATECONSUMER s2 g c d",
                                 }),
            "");
}

TEST_F(StreamGroupWireTest, ChecksArgumentsOfSetIdLikeRedis) {
  EXPECT_EQ(DifferencesFromRedis(kSeenByGroup,
                                 {
                                     "XGROUP SETID s g 3 FOO 1",
                                     "XGROUP SETID s g 3 ENTRIESREAD x",
                                     "XGROUP SETID none g 3 ENTRIESREAD x",
                                     "XGROUP SETID s g 3 ENTRIESREAD 1 X",
                                     "XGROUP SETID s g 3 ENTRIESREAD 1 X Y",
                                 }),
            "");
}

TEST_F(StreamGroupWireTest, ReadsInAGroupLikeRedis) {
  EXPECT_EQ(DifferencesFromRedis(kFourEntries,
                                 {
                                     "XREADGROUP STREAMS s 0",
                                     "XREADGROUP GROUP g c STREAMS s",
                                     "XREADGROUP GROUP g c STREAMS s >",
                                     "XREADGROUP GROUP g c STREAMS none >",
                                     "XREADGROUP GROUP g c STREAMS str >",
                                     "XREADGROUP GROUP g c STREAMS s $",
                                     "XREADGROUP GROUP g c STREAMS none $",
                                     "XREADGROUP COUNT 1 BLOCK 1 NOACK STREAMS s >",
                                     "XGROUP CREATE s g 0",
                                     "XREADGROUP GROUP g c COUNT 1 STREAMS s >",
                                     "XREADGROUP GROUP g c STREAMS s 0",
                                     "XREADGROUP GROUP g c2 STREAMS s 0",
                                     "XREADGROUP GROUP g c3 NOACK COUNT 1 STREAMS s >",
                                     "XINFO GROUPS s",
                                     "XREADGROUP GROUP g c3 COUNT 5 STREAMS s >",
                                     "XREADGROUP GROUP g c3 COUNT 5 STREAMS s >",
                                     "XREADGROUP GROUP g c4 COUNT 5 STREAMS s >",
                                     "XREADGROUP GROUP g c5 STREAMS s str > 0",
                                     "XREADGROUP GROUP g c5 STREAMS s none > 0",
                                 }),
            "");
}

TEST_F(StreamGroupWireTest, ChecksArgumentsOfReadingLikeRedis) {
  EXPECT_EQ(DifferencesFromRedis(kSeenByGroup,
                                 {
                                     "XREADGROUP GROUP g c FOO 1 STREAMS s >",
                                     "XREADGROUP GROUP g STREAMS s >",
                                     "XREADGROUP GROUP g c BLOCK",
                                     "XREADGROUP GROUP g c BLOCK x STREAMS s >",
                                     "XREADGROUP GROUP g c COUNT x STREAMS s >",
                                     "XREADGROUP GROUP g c STREAMS s s >",
                                     "XREADGROUP GROUP g c COUNT 1 BLOCK 1 s >",
                                     "XREADGROUP GROUP g c STREAMS s foo",
                                     "XREADGROUP GROUP g c STREAMS s +",
                                     "XREADGROUP GROUP g c STREAMS s $",
                                     "XREADGROUP GROUP gx c STREAMS s foo",
                                     "XREADGROUP COUNT 1 STREAMS a b c d",
                                     "XREADGROUP FOO g c STREAMS s >",
                                     "XREADGROUP GROUP g c GROUP h d STREAMS s >",
                                 }),
            "");
}

TEST_F(StreamGroupWireTest, ListsWhatIsPendingLikeRedis) {
  EXPECT_EQ(DifferencesFromRedis(Delivered(),
                                 {
                                     "XPENDING s g",
                                     "XPENDING s gx",
                                     "XPENDING none gx",
                                     "XPENDING str gx",
                                     "XPENDING s g -",
                                     "XPENDING s g - +",
                                     "XPENDING s g - + x",
                                     "XPENDING s g - + -1",
                                     "XPENDING s g IDLE 10000 - +",
                                     "XPENDING s g FOO 10000 - + 1",
                                     "XPENDING s g foo + 1",
                                     "XPENDING s g IDLE",
                                     "XPENDING s g IDLE 5",
                                     "XPENDING s g IDLE 5 -",
                                 }),
            "");
}

TEST_F(StreamGroupWireTest, ChecksArgumentsOfPendingLikeRedis) {
  EXPECT_EQ(DifferencesFromRedis(kSeenByGroup,
                                 {
                                     "XPENDING s g - + 5 \"\"",
                                     "XPENDING s g IDLE 1 - + x",
                                     "XPENDING s g IDLE x - + x",
                                     "XPENDING s g x y z",
                                     "XPENDING s g (18446744073709551615-18446744073709551615 y 1",
                                     "XPENDING s g - (0-0 1",
                                     "XPENDING none g - foo 1",
                                 }),
            "");
}

TEST_F(StreamGroupWireTest, AcknowledgesLikeRedis) {
  EXPECT_EQ(DifferencesFromRedis(Delivered(),
                                 {
                                     "XDEL s 3-1",
                                     "XREADGROUP GROUP g c3 STREAMS s 0",
                                     "XREADGROUP GROUP g c3 COUNT 1 STREAMS s 3-0",
                                     "XACK s g foo",
                                     "XACK s gx foo",
                                     "XACK none g foo",
                                     "XACK str g 1",
                                     "XACK s g 1-1 1-1 foo",
                                     "XACK s g 1-1 1-1",
                                     "XACK s g 1-1",
                                     "XACK s",
                                     "XACK s g",
                                 }),
            "");
}

TEST_F(StreamGroupWireTest, ClaimsLikeRedis) {
  EXPECT_EQ(DifferencesFromRedis(Delivered(),
                                 {
                                     "XDEL s 3-1",
                                     "XACK s g 1-1",
                                     "XCLAIM s g c 0 foo",
                                     "XCLAIM s g c x 3-1",
                                     "XCLAIM s g c -5 3-1 4-1 JUSTID",
                                     "XCLAIM s gx c 0 3-1",
                                     "XCLAIM none g c 0 3-1",
                                     "XCLAIM none g c x 3-1",
                                     "XCLAIM str g c 0 3-1",
                                     "XCLAIM s g c 0 3-1",
                                     "XCLAIM s g c 0 4-1 IDLE 1000",
                                     "XCLAIM s g c 0 4-1 IDLE x",
                                     "XCLAIM s g c 0 4-1 IDLE -5",
                                     "XCLAIM s g c 0 4-1 TIME x",
                                     "XCLAIM s g c 0 4-1 TIME 99999999999999",
                                     "XCLAIM s g c 0 4-1 TIME -5",
                                     "XCLAIM s g c 0 4-1 RETRYCOUNT x",
                                     "XCLAIM s g c 0 4-1 RETRYCOUNT -1",
                                     "XCLAIM s g c 0 4-1 RETRYCOUNT 7 JUSTID",
                                     "XCLAIM s g c 0 4-1 LASTID",
                                     "XCLAIM s g c 0 4-1 LASTID foo",
                                     "XCLAIM s g c 0 4-1 LASTID 9-9",
                                     "XINFO GROUPS s",
                                     "XCLAIM s g c 0 4-1 FOO",
                                     "XCLAIM s g c 0 4-1 \"F\\x00O\"",
                                     "XCLAIM s g c 0 4-1 FORCE FORCE JUSTID",
                                     "XCLAIM s g c 0 1-1 2-1 FORCE",
                                     "XCLAIM s g c 0 3-1 77-1 FORCE JUSTID",
                                     "XCLAIM s g newc 0 88-1",
                                     "XCLAIM s g newc2 100000 1-1",
                                     "XCLAIM s g newc2 100000 1-1 IDLE",
                                 }),
            "");
}

TEST_F(StreamGroupWireTest, ChecksArgumentsOfClaimingLikeRedis) {
  EXPECT_EQ(DifferencesFromRedis(kSeenByGroup,
                                 {
                                     "XCLAIM s g c 0 1 2 3 JUSTID 5",
                                     "XCLAIM s g c 0 JUSTID",
                                     "XCLAIM s g c 0 1 - JUSTID",
                                     "XCLAIM s g c 0 1 IDLE 9223372036854775807",
                                     "XCLAIM s g c 0 1 IDLE -9223372036854775808",
                                 }),
            "");
}

TEST_F(StreamGroupWireTest, AutoClaimsLikeRedis) {
  EXPECT_EQ(DifferencesFromRedis(
                Delivered(),
                {
                    "XDEL s 3-1",
                    "XCLAIM s g c 0 1-1 2-1 FORCE",
                    "XAUTOCLAIM s g c 0 0",
                    "XAUTOCLAIM s g c x 0",
                    "XAUTOCLAIM s g c 0 foo",
                    "XAUTOCLAIM s g c 0 0 COUNT 0",
                    "XAUTOCLAIM s g c 0 0 COUNT -1",
                    "XAUTOCLAIM s g c 0 0 COUNT x",
                    "XAUTOCLAIM s g c 0 0 COUNT 99999999999999999",
                    "XAUTOCLAIM s g c 0 0 COUNT",
                    "XAUTOCLAIM s g c 0 0 FOO",
                    "XAUTOCLAIM s gx c 0 0",
                    "XAUTOCLAIM none g c 0 0",
                    "XAUTOCLAIM str g c 0 0",
                    "XAUTOCLAIM s g c 0 - JUSTID",
                    "XAUTOCLAIM s g c 0 (1-1 JUSTID COUNT 1",
                    "XAUTOCLAIM s g c 0 (18446744073709551615-18446744073709551615 JUSTID COUNT 1",
                    "XAUTOCLAIM s g c 0 + JUSTID",
                    "XAUTOCLAIM s g cnew 1000000 0 JUSTID",
                    "XAUTOCLAIM s g c 0 0 COUNT 1 JUSTID",
                    "XAUTOCLAIM s g c -10 0 COUNT 1 JUSTID",
                }),
            "");
}

TEST_F(StreamGroupWireTest, ForgetsAConsumerLikeRedis) {
  EXPECT_EQ(DifferencesFromRedis(Delivered(),
                                 {
                                     "XGROUP DELCONSUMER s g c",
                                     "XPENDING s g",
                                     "XGROUP CREATE s gg 0",
                                     "XPENDING s gg",
                                     "XGROUP DELCONSUMER s g c",
                                     "XINFO STREAM s",
                                     "XINFO GROUPS s",
                                     "XREADGROUP GROUP g c COUNT 5 STREAMS s >",
                                     "XREADGROUP GROUP g c COUNT 5 STREAMS s 0",
                                     "XPENDING s gg",
                                     "XAUTOCLAIM s gg c 0 0",
                                     "XCLAIM s gg c 0 1-1",
                                     "DEBUG DIGEST-VALUE s",
                                 }),
            "");
}

TEST_F(StreamGroupWireTest, ChecksArgumentsOfAutoClaimingLikeRedis) {
  EXPECT_EQ(DifferencesFromRedis(kSeenByGroup,
                                 {
                                     "XAUTOCLAIM none g c x 0",
                                     "XAUTOCLAIM none g c 0 foo",
                                     "XAUTOCLAIM none g c 0 0 FOO",
                                     "XAUTOCLAIM none g c 0 0 COUNT x",
                                     "XAUTOCLAIM none g c 0 0 COUNT 99999999999999999",
                                     "XAUTOCLAIM s g c 0 0 COUNT 9223372036854775807",
                                     "XAUTOCLAIM s g c 0 0 COUNT 576460752303423487",
                                     "XAUTOCLAIM s g c 0 0 COUNT 576460752303423488",
                                     "XAUTOCLAIM s g c 0 0 COUNT 1152921504606846975",
                                     "XAUTOCLAIM s g c 0 0 COUNT 1000000000000000",
                                     "XAUTOCLAIM s g c 0 0 COUNT 10000000000000",
                                     "XAUTOCLAIM s g c 0 0 COUNT 1000000000000",
                                     "XAUTOCLAIM s g c 0 0 COUNT 100000000000",
                                     "XAUTOCLAIM s g c 0 0 COUNT 10000000000",
                                 }),
            "");
}

}  // namespace
}  // namespace larder
