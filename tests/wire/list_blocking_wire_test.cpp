// BLPOP and the other list commands that wait.
#include <string>
#include <thread>
#include <vector>

#include "tests/support/background.h"
#include "tests/support/wire_case.h"
#include "tests/wire/same_as_redis.h"

namespace larder {
namespace {

class ListBlockingWireTest : public WireTest {};

TEST_P(ListBlockingWireTest, AnswersLikeRedis) { Run(); }

const std::string kNilArray = "*-1\r\n";

std::string Bulks(const std::vector<std::string>& texts) {
  std::vector<std::string> elements;
  for (const std::string& text : texts) elements.push_back(Bulk(text));
  return Array(elements);
}

LARDER_INSTANTIATE_CASES(Pop, ListBlockingWireTest,
                         {
                             {"TakesWhatIsThere",
                              {{"RPUSH b 1 2 3", Int(3)},
                               {"BLPOP a b 0", Bulks({"b", "1"})},
                               {"BRPOP b a 0", Bulks({"b", "3"})},
                               {"RPUSH a x y", Int(2)},
                               {"BLPOP a b 1.5", Bulks({"a", "x"})},
                               {"BLMPOP 0 2 c b LEFT COUNT 5", Array({Bulk("b"), Bulks({"2"})})}}},
                             {"WaitsForAPush",
                              {Waits(1, "BLPOP a b 0"),
                               {"RPUSH b 1 2", Int(2)},
                               Receive(1, Bulks({"b", "1"})),
                               {"LRANGE b 0 -1", Bulks({"2"})}}},
                             {"WaitsForTheTail",
                              {Waits(1, "BRPOP a 0"),
                               {"RPUSH a 1 2", Int(2)},
                               Receive(1, Bulks({"a", "2"})),
                               {"LRANGE a 0 -1", Bulks({"1"})}}},
                             {"WaitsForSome",
                              {Waits(1, "BLMPOP 0 2 a b RIGHT COUNT 2"),
                               {"RPUSH b 1 2 3", Int(3)},
                               Receive(1, Array({Bulk("b"), Bulks({"3", "2"})})),
                               {"LLEN b", Int(1)}}},
                             {"FirstComeFirstServed",
                              {Waits(1, "BLPOP a 0"),
                               Waits(2, "BLPOP a 0"),
                               Waits(3, "BRPOP a 0"),
                               {"RPUSH a 1 2 3 4", Int(4)},
                               Receive(1, Bulks({"a", "1"})),
                               Receive(2, Bulks({"a", "2"})),
                               Receive(3, Bulks({"a", "4"})),
                               {"LRANGE a 0 -1", Bulks({"3"})}}},
                             {"TimesOut",
                              {{"BLPOP a 0.01", kNilArray, kNilInResp3},
                               {"BRPOP a b 0.01", kNilArray, kNilInResp3},
                               {"BLMPOP 0.01 1 a LEFT", kNilArray, kNilInResp3},
                               {"BLMOVE a b LEFT LEFT 0.01", kNilArray, kNilInResp3},
                               {"BRPOPLPUSH a b 0.01", kNilArray, kNilInResp3}}},
                             {"DoesNotWaitInATransaction",
                              {{"MULTI", kOk},
                               {"BLPOP a 0", "+QUEUED\r\n"},
                               {"BLMPOP 0 1 a LEFT", "+QUEUED\r\n"},
                               {"BLMOVE a b LEFT LEFT 0", "+QUEUED\r\n"},
                               {"BRPOPLPUSH a b 0", "+QUEUED\r\n"},
                               {"EXEC", Array({kNilArray, kNilArray, kNil, kNil}),
                                Array({kNilInResp3, kNilInResp3, kNilInResp3, kNilInResp3})}}},
                             {"WhatATransactionPushesIsSeenAtItsEnd",
                              {Waits(1, "BLPOP a 0"),
                               {"MULTI", kOk},
                               {"RPUSH a 1", "+QUEUED\r\n"},
                               {"DEL a", "+QUEUED\r\n"},
                               {"RPUSH a 2", "+QUEUED\r\n"},
                               {"EXEC", Array({Int(1), Int(1), Int(1)})},
                               Receive(1, Bulks({"a", "2"}))}},
                             {"AnotherTypeIsNoReasonToGoOn",
                              {Waits(1, "BLPOP a 0"),
                               {"SET a v", kOk},
                               {"DEL a", Int(1)},
                               {"RPUSH a 1", Int(1)},
                               Receive(1, Bulks({"a", "1"}))}},
                             {"AnotherTypeBeforehandIsAnError",
                              {{"SET s v", kOk},
                               {"RPUSH l 1", Int(1)},
                               {"BLPOP s l 0", kWrongType},
                               {"BLPOP l s 0", Bulks({"l", "1"})},
                               {"BLMPOP 0 1 s LEFT", kWrongType},
                               {"BLMOVE s l LEFT LEFT 0", kWrongType},
                               {"BRPOPLPUSH s l 0", kWrongType}}},
                             {"AListArrivesByRename",
                              {Waits(1, "BLPOP {t}a 0"),
                               {"RPUSH {t}b 1", Int(1)},
                               {"RENAME {t}b {t}a", kOk},
                               Receive(1, Bulks({"{t}a", "1"}))}},
                             {"LInsertAndLSetAreNoPush",
                              {{"RPUSH b x", Int(1)},
                               Waits(1, "BLPOP a 0"),
                               {"LPUSHX a 1", Int(0)},
                               {"LPUSH a 1", Int(1)},
                               Receive(1, Bulks({"a", "1"}))}},
                             {"TheSameKeyTwice",
                              {Waits(1, "BLPOP a a 0"),
                               {"RPUSH a 1 2", Int(2)},
                               Receive(1, Bulks({"a", "1"})),
                               {"LLEN a", Int(1)}}},
                             {"TheKeyIsGoneWhenTheLastIsTaken",
                              {Waits(1, "BLPOP a 0"),
                               {"RPUSH a 1", Int(1)},
                               Receive(1, Bulks({"a", "1"})),
                               {"EXISTS a", Int(0)}}},
                         });

LARDER_INSTANTIATE_CASES(
    Move, ListBlockingWireTest,
    {
        {"TakesWhatIsThere",
         {{"RPUSH a 1 2 3", Int(3)},
          {"BLMOVE a b LEFT RIGHT 0", Bulk("1")},
          {"BRPOPLPUSH a b 0", Bulk("3")},
          {"LRANGE b 0 -1", Bulks({"3", "1"})}}},
        {"WaitsForAPush",
         {Waits(1, "BLMOVE a b LEFT RIGHT 0"),
          {"RPUSH a 1 2", Int(2)},
          Receive(1, Bulk("1")),
          {"LRANGE b 0 -1", Bulks({"1"})}}},
        {"WhoWaitsForTheDestinationIsServedNext",
         {Waits(1, "BLPOP b 0"),
          Waits(2, "BLMOVE a b LEFT RIGHT 0"),
          {"RPUSH a 1", Int(1)},
          Receive(2, Bulk("1")),
          Receive(1, Bulks({"b", "1"})),
          {"EXISTS a b", Int(0)}}},
        {"AChainOfMoves",
         {Waits(1, "BRPOPLPUSH a b 0"),
          Waits(2, "BRPOPLPUSH b c 0"),
          {"RPUSH a x", Int(1)},
          Receive(1, Bulk("x")),
          Receive(2, Bulk("x")),
          {"LRANGE c 0 -1", Bulks({"x"})}}},
        {"ToItself",
         {Waits(1, "BLMOVE a a LEFT RIGHT 0"),
          {"RPUSH a 1 2", Int(2)},
          Receive(1, Bulk("1")),
          {"LRANGE a 0 -1", Bulks({"2", "1"})}}},
        {"ADestinationOfAnotherTypeEndsTheWait",
         {{"SET b v", kOk},
          Waits(1, "BLMOVE a b LEFT RIGHT 0"),
          {"RPUSH a 1", Int(1)},
          Receive(1, kWrongType),
          {"LRANGE a 0 -1", Bulks({"1"})}}},
        {"SeveralOnceThereAreEnough",
         {Waits(1, "BLMOVEM a b LEFT RIGHT 0 EXACTLY 3 BULK"),
          {"RPUSH a 1 2", Int(2)},
          {"EXISTS b", Int(0)},
          {"LINSERT a BEFORE 1 0", Int(3)},
          Receive(1, Bulks({"0", "1", "2"})),
          {"EXISTS a", Int(0)}},
         kLarderOnly},
        {"SeveralAsSoonAsThereIsOne",
         {Waits(1, "BLMOVEM a b LEFT LEFT 0 COUNT 3 OBO"),
          {"RPUSH a 1 2", Int(2)},
          Receive(1, Bulks({"2", "1"}))},
         kLarderOnly},
        {"SeveralErrorsAndTimeouts",
         {{"BLMOVEM a b LEFT LEFT x", "-ERR timeout is not a float or out of range\r\n"},
          {"BLMOVEM a b LEFT LEFT 0 COUNT 1", kSyntaxError},
          {"BLMOVEM a b LEFT LEFT 0.01", kNilArray, kNilInResp3},
          {"RPUSH a 1", Int(1)},
          {"BLMOVEM a b LEFT LEFT 0.01 EXACTLY 2 BULK", kNilArray, kNilInResp3},
          {"MULTI", kOk},
          {"BLMOVEM a b LEFT LEFT 0 EXACTLY 2 BULK", "+QUEUED\r\n"},
          {"EXEC", Array({kNilArray}), Array({kNilInResp3})},
          {"BLMOVEM a b LEFT LEFT 0", Bulks({"1"})}},
         kLarderOnly},
    });

TEST_F(ListBlockingWireTest, ErrorsAreRediss) {
  EXPECT_EQ(DifferencesFromRedis(Larder().port(), Redis().port(),
                                 {"FLUSHALL",
                                  "RPUSH l a b c d e f g h i j k l m",
                                  "BLPOP l x",
                                  "BLPOP l -1",
                                  "BLPOP l -0.5",
                                  "BLPOP l -0.0001",
                                  "BLPOP l 0x10",
                                  "BLPOP l nan",
                                  "BLPOP l inf",
                                  "BLPOP l -inf",
                                  "BLPOP l 1e30",
                                  "BLPOP l 1e400",
                                  "BLPOP l 9223372036854775",
                                  "BLPOP l 9223372036854776",
                                  "BLPOP l ' 1'",
                                  "BLPOP l ''",
                                  "BLPOP l +1",
                                  "BLPOP l 01",
                                  "BLPOP l",
                                  "BRPOP l x",
                                  "BRPOP",
                                  "BLMPOP x 0 l LEFT",
                                  "BLMPOP x 1 l LEFT",
                                  "BLMPOP -1 1 l LEFT",
                                  "BLMPOP 0 1 l UP",
                                  "BLMPOP 0 5 l LEFT",
                                  "BLMPOP 0 1 l LEFT COUNT 0",
                                  "BLMPOP 0 1 l",
                                  "BLMOVE l d LEFT UP x",
                                  "BLMOVE l d LEFT LEFT x",
                                  "BLMOVE l d LEFT LEFT -1",
                                  "BLMOVE l d LEFT LEFT",
                                  "BRPOPLPUSH l d x",
                                  "BRPOPLPUSH l d -1",
                                  "BRPOPLPUSH l d",
                                  "LRANGE l 0 -1"}),
            "");
}

TEST_F(ListBlockingWireTest, ClientUnblockEndsAWait) {
  for (ServerProcess* server : {&Larder(), &Redis()}) {
    RespClient waiter(server->port());
    RespClient other(server->port());
    const int64_t id = waiter.Call({"CLIENT", "ID"}).integer;
    const auto unblock = [&](const std::string& reason) {
      ASSERT_TRUE(Eventually([&] {
        return other.Call({"CLIENT", "UNBLOCK", std::to_string(id), reason}).integer == 1;
      })) << "never blocked";
    };
    waiter.SendBytes(EncodeRequest({"BLPOP", "nowhere", "0"}));
    unblock("TIMEOUT");
    EXPECT_EQ(waiter.ReadReply(), kNilArray);
    waiter.SendBytes(EncodeRequest({"BLMOVE", "nowhere", "else", "LEFT", "LEFT", "0"}));
    unblock("ERROR");
    EXPECT_EQ(waiter.ReadReply(), "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n");
  }
}

// Many who take and many who give, on a few keys: nothing is lost, nothing is given twice.
TEST_F(ListBlockingWireTest, NothingIsLostBetweenManyThreads) {
  constexpr int kThreads = 6;
  constexpr int kEach = 400;
  const int port = Larder().port();
  RespClient(port).Raw({"FLUSHALL"});
  std::vector<std::vector<std::string>> taken(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      RespClient client(port);
      for (int i = 0; i < kEach; ++i) {
        const RespValue reply = client.Call({"BLPOP", "queue1", "queue2", "queue3", "0"});
        taken[static_cast<size_t>(t)].push_back(reply.elements.at(1).text);
      }
    });
    threads.emplace_back([&, t] {
      RespClient client(port);
      for (int i = 0; i < kEach; ++i) {
        const std::string value = std::to_string(t * kEach + i);
        const std::string key = "queue" + std::to_string(1 + (i + t) % 3);
        if (i % 3 == 0) {
          client.Raw({"RPUSH", "feed" + std::to_string(t), value});
          client.Raw({"LMOVE", "feed" + std::to_string(t), key, "LEFT", "RIGHT"});
        } else {
          client.Raw({"RPUSH", key, value});
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<bool> seen(kThreads * kEach);
  for (const auto& values : taken) {
    for (const std::string& value : values) {
      EXPECT_FALSE(seen.at(std::stoul(value))) << value;
      seen.at(std::stoul(value)) = true;
    }
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), true), kThreads * kEach);
}

}  // namespace
}  // namespace larder
