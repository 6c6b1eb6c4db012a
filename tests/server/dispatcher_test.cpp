#include "server/dispatcher.h"

#include <map>
#include <string>

#include "base/allocator.h"
#include "base/clock.h"
#include "eviction/memory_gauge.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/engine.h"

namespace larder {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

using Outcome = Dispatcher::Outcome;

std::map<std::string, int64_t> CountsOf(const ErrorCounters& errors) {
  std::map<std::string, int64_t> counts;
  errors.ForEach([&](std::string_view word, int64_t count) { counts.emplace(word, count); });
  return counts;
}

TEST(DispatcherTest, FindsEachCommandWhateverCameBefore) {
  Engine engine;
  EXPECT_EQ(engine.Run({{"SET", "k", "1"},
                        {"set", "k", "2"},
                        {"GET", "k"},
                        {"INCR", "k"},
                        {"DECR", "k"},
                        {"INCS", "k"},
                        {"INCR", "k"},
                        {"ECHO", "x"},
                        {"STRLEN", "k"},
                        {"EXISTS", "k"},
                        {"EXPIRE", "k", "9"},
                        {"STRLEN", "k"}}),
            "+OK\r\n+OK\r\n$1\r\n2\r\n:3\r\n:2\r\n"
            "-ERR unknown command 'INCS', with args beginning with: 'k' \r\n"
            ":3\r\n$1\r\nx\r\n:1\r\n:1\r\n:1\r\n:1\r\n");
}

TEST(DispatcherTest, AnswersABatchInOrder) {
  Engine engine;
  EXPECT_EQ(engine.Run({{"SET", "a", "1"}, {"INCR", "a"}, {"GET", "a"}, {"GET", "none"}}),
            "+OK\r\n:2\r\n$1\r\n2\r\n$-1\r\n");
  EXPECT_EQ(engine.result().outcome, Outcome::kDone);
  EXPECT_EQ(engine.result().executed, 4u);
  EXPECT_EQ(engine.counters().commands_processed.Get(), 4);
}

// What is looked up ahead for one request must not show in the next.
TEST(DispatcherTest, ABatchMayNameOneKeyAndItsMembersAgainAndAgain) {
  Engine engine;
  std::vector<std::vector<std::string>> fill;
  for (int i = 0; i < 1000; ++i) fill.push_back({"SADD", "large", "m" + std::to_string(i)});
  for (const std::vector<std::string>& request : fill) engine.Run({request});
  EXPECT_EQ(
      engine.Run({{"SISMEMBER", "large", "m1"},
                  {"SISMEMBER", "large", "none"},
                  {"SISMEMBER", "none", "m1"},
                  {"DEL", "large"},
                  {"SISMEMBER", "large", "m1"},
                  {"SADD", "large", "m1"},
                  {"SCARD", "large"},
                  {"PING"},
                  {"SISMEMBER", "large", "m1"},
                  {"HSET", "large", "f", "v"},
                  {"SET", "large", "text"},
                  {"SISMEMBER", "large", "m1"},
                  {"ZADD", "z", "1", "m1", "2", "m2"},
                  {"ZSCORE", "z", "m2"},
                  {"ZADD", "z"}}),
      ":1\r\n:0\r\n:0\r\n:1\r\n:0\r\n:1\r\n:1\r\n+PONG\r\n:1\r\n"
      "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n+OK\r\n"
      "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n:2\r\n$1\r\n2\r\n"
      "-ERR wrong number of arguments for 'zadd' command\r\n");
}

// Keys are fetched ahead for the database that the client had before the batch: only a hint.
TEST(DispatcherTest, SelectHoldsWithinTheBatch) {
  Engine engine;
  EXPECT_EQ(engine.Run({{"SET", "k", "0"},
                        {"SELECT", "1"},
                        {"SET", "k", "1"},
                        {"GET", "k"},
                        {"SELECT", "0"},
                        {"GET", "k"}}),
            "+OK\r\n+OK\r\n+OK\r\n$1\r\n1\r\n+OK\r\n$1\r\n0\r\n");
}

TEST(DispatcherTest, RefusesWhatIsNoRequest) {
  Engine engine;
  EXPECT_THAT(engine.Run({{"NOSUCH", "x"}}), StartsWith("-ERR unknown command 'NOSUCH'"));
  EXPECT_THAT(engine.Run({{"GET"}}), StartsWith("-ERR wrong number of arguments for 'get'"));
  EXPECT_THAT(engine.Run({{"CONFIG", "NOSUCH"}}), StartsWith("-ERR unknown subcommand 'NOSUCH'"));
  EXPECT_EQ(engine.counters_of("get").rejected_calls.Get(), 1);
  EXPECT_EQ(engine.counters_of("get").calls.Get(), 0);
  EXPECT_EQ(engine.counters().error_replies.Get(), 3);
}

TEST(DispatcherTest, ArityComesBeforeAuthenticationComesBeforeAllElse) {
  Engine engine({"--requirepass", "secret"});
  engine.client().Set(kClientAuthenticated, false);
  EXPECT_THAT(engine.Run({{"GET"}}), StartsWith("-ERR wrong number"));
  EXPECT_THAT(engine.Run({{"GET", "k"}}), StartsWith("-NOAUTH"));
  EXPECT_EQ(engine.Run({{"AUTH", "secret"}, {"GET", "k"}}), "+OK\r\n$-1\r\n");
}

TEST(DispatcherTest, BatchEndsWithACommandThatBlocks) {
  Engine engine;
  EXPECT_EQ(engine.Run({{"PING"}, {"WAIT", "1", "0"}, {"PING"}}), "+PONG\r\n");
  EXPECT_EQ(engine.result().outcome, Outcome::kBlocked);
  EXPECT_EQ(engine.result().executed, 2u);
  EXPECT_EQ(engine.dispatcher().TakeBlock().deadline, MonoTime::max());
}

TEST(DispatcherTest, PausedCommandIsLeftForLater) {
  Engine engine;
  engine.server().paused_flags = kWrite;
  EXPECT_EQ(engine.Run({{"GET", "k"}, {"SET", "k", "v"}, {"GET", "k"}}), "$-1\r\n");
  EXPECT_EQ(engine.result().outcome, Outcome::kPaused);
  EXPECT_EQ(engine.result().executed, 1u);
  engine.server().paused_flags = 0;
  EXPECT_EQ(engine.Run({{"GET", "k"}}), "$-1\r\n");
}

TEST(DispatcherTest, NothingRunsBehindQuit) {
  Engine engine;
  EXPECT_EQ(engine.Run({{"QUIT"}, {"SET", "k", "v"}}), "+OK\r\n");
  EXPECT_EQ(engine.result().outcome, Outcome::kClosing);
  EXPECT_EQ(engine.result().executed, 1u);
}

TEST(DispatcherTest, SilencedRepliesLeaveNoByte) {
  Engine engine;
  EXPECT_EQ(engine.Run({{"CLIENT", "REPLY", "SKIP"}, {"PING"}, {"PING"}}), "+PONG\r\n");
  EXPECT_EQ(engine.Run({{"CLIENT", "REPLY", "OFF"}, {"PING"}, {"NOSUCH"}}), "");
  EXPECT_EQ(engine.Run({{"PING"}, {"CLIENT", "REPLY", "ON"}, {"PING"}}), "+OK\r\n+PONG\r\n");
}

TEST(DispatcherTest, LocksAreFreeAfterEveryKindOfCommand) {
  Engine engine;
  for (const std::vector<std::string>& request : Engine::Requests{
           {"SET", "a", "1"},
           {"MSET", "a", "1", "b", "2", "{a}c", "3"},
           {"MGET", "a", "b", "a"},
           {"DBSIZE"},
           {"FLUSHALL"},
           {"SWAPDB", "0", "1"},
           {"INCR", "b", "too many"},
           {"MSET", "odd"},
       }) {
    engine.Run({request});
    EXPECT_TRUE(engine.AllShardsAreFree()) << request[0];
  }
  engine.Run({{"WATCH", "a", "b"}, {"MULTI"}, {"SET", "a", "1"}, {"FLUSHDB"}, {"EXEC"}});
  EXPECT_TRUE(engine.AllShardsAreFree());
}

TEST(DispatcherTest, TransactionRunsItsQueueAndLeavesMulti) {
  Engine engine;
  EXPECT_EQ(engine.Run({{"MULTI"}, {"SET", "a", "1"}, {"INCR", "b"}, {"EXEC"}, {"GET", "b"}}),
            "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n:1\r\n$1\r\n1\r\n");
  EXPECT_FALSE(engine.client().Is(kClientMulti));
  EXPECT_EQ(engine.counters_of("set").calls.Get(), 1);
  EXPECT_EQ(engine.counters_of("exec").calls.Get(), 1);
}

TEST(DispatcherTest, RefusedCommandSpoilsTheTransaction) {
  Engine engine;
  EXPECT_THAT(engine.Run({{"MULTI"}, {"GET"}, {"SET", "a", "1"}, {"EXEC"}, {"EXISTS", "a"}}),
              testing::EndsWith("-EXECABORT Transaction discarded because of previous "
                                "errors.\r\n:0\r\n"));
}

// Publishing takes the mutexes of the hub and wakes other threads: not under a shard's lock.
TEST(DispatcherTest, EventsArePublishedWithoutALock) {
  Engine engine({"--notify-keyspace-events", "KEA"});
  bool free = true;
  engine.server().published.on_publish = [&] { free = free && engine.AllShardsAreFree(); };
  engine.Run({{"SET", "a", "1"}, {"MSET", "a", "2", "b", "3"}, {"MULTI"}, {"DEL", "a"}, {"EXEC"}});
  EXPECT_EQ(engine.server().published.messages.size(), 8u);
  EXPECT_TRUE(free);
}

TEST(DispatcherTest, MonitorsSeeWhatRanWithoutItsSecrets) {
  Engine engine;
  engine.Run({{"SET", "unseen", "1"}});
  engine.server().has_monitor = true;
  engine.Run({{"SET", "k", "v"}, {"GET"}, {"HELLO", "3", "AUTH", "default", "secret"}});
  EXPECT_THAT(engine.server().monitor_lines, testing::Contains("SET k v"));
  EXPECT_THAT(engine.server().monitor_lines,
              testing::Not(testing::Contains(testing::HasSubstr("secret"))));
  EXPECT_THAT(engine.server().monitor_lines, testing::Not(testing::Contains("GET")));
}

TEST(DispatcherTest, SlowCommandsAreNoted) {
  Engine patient;
  patient.Run({{"PING"}});
  EXPECT_THAT(patient.server().noted, IsEmpty());
  Engine impatient({"--slowlog-log-slower-than", "0"});
  impatient.Run({{"SET", "k", "v"}});
  EXPECT_THAT(impatient.server().noted, ElementsAre("SET k v"));
}

TEST(DispatcherTest, FullMemoryRefusesWritesOnly) {
  if (AllocatorName() == "libc") GTEST_SKIP() << "needs an allocator that counts";
  Engine engine({"--maxmemory", "1"});
  EXPECT_THAT(engine.Run({{"SET", "k", "v"}}), StartsWith("-OOM"));
  EXPECT_EQ(engine.Run({{"GET", "k"}, {"DEL", "k"}}), "$-1\r\n:0\r\n");
}

// Whoever asks would be asked again at once, and take a whole processor.
TEST(DispatcherTest, NothingLeftToEvictIsNoReasonToTryAgain) {
  if (AllocatorName() == "libc") GTEST_SKIP() << "needs an allocator that counts";
  constexpr int64_t kGiB = int64_t{1} << 30;
  Engine engine({"--maxmemory", "1gb", "--maxmemory-policy", "allkeys-lru"});
  engine.Run({{"SET", "k", "v"}});
  AllocatorGauge::SetStrain(2 * kGiB);
  engine.dispatcher().EvictSlice(UnixMillisNow());
  EXPECT_EQ(engine.counters().evicted_keys.Get(), 1);
  EXPECT_FALSE(engine.dispatcher().EvictSlice(UnixMillisNow()));
  AllocatorGauge::SetStrain(0);
}

TEST(DispatcherTest, ProtectedCommandsAskFirst) {
  Engine engine;
  EXPECT_THAT(engine.Run({{"DEBUG", "JMAP"}}), StartsWith("-ERR DEBUG command not allowed"));
  EXPECT_EQ(engine.counters_of("debug").calls.Get(), 0);
}

TEST(DispatcherTest, ErrorsAreCountedByTheirFirstWord) {
  Engine engine;
  engine.Run({{"NOSUCH"}, {"GET"}, {"SET", "k", "v"}, {"INCR", "k"}});
  EXPECT_EQ(CountsOf(engine.errors()), (std::map<std::string, int64_t>{{"ERR", 3}}));
  EXPECT_EQ(engine.counters_of("incr").failed_calls.Get(), 1);
  EXPECT_EQ(engine.counters_of("incr").calls.Get(), 1);
}

}  // namespace
}  // namespace larder
