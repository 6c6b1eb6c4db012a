// maxmemory and its policies as clients see them.
#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/machine_memory.h"
#include "tests/support/background.h"
#include "tests/support/process_figures.h"
#include "tests/support/resp_client.h"
#include "tests/support/server_process.h"
#include "tests/support/wire_case.h"

namespace larder {
namespace {

constexpr char kOutOfMemory[] = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";

class EvictionWireTest : public WireTest {};

TEST_P(EvictionWireTest, AnswersLikeRedis) { Run(); }

LARDER_INSTANTIATE_CASES(MaxMemory, EvictionWireTest,
                         {
                             {"NoEvictionRefusesWhatAddsData",
                              {{"SET a 1", "+OK\r\n"},
                               {"CONFIG SET maxmemory 1", "+OK\r\n"},
                               {"SET a 2", kOutOfMemory},
                               {"APPEND a 2", kOutOfMemory},
                               {"COPY a b", kOutOfMemory},
                               {"GET a", Bulk("1")},
                               {"EXPIRE a 100", ":1\r\n"},
                               {"RENAME a b", "+OK\r\n"},
                               {"DEL b", ":1\r\n"},
                               {"CONFIG SET maxmemory 0", "+OK\r\n"}}},
                             {"ATransactionIsRefusedAsItIsQueued",
                              {{"SET a 1", "+OK\r\n"},
                               {"CONFIG SET maxmemory 1", "+OK\r\n"},
                               {"MULTI", "+OK\r\n"},
                               {"GET a", kOutOfMemory},
                               {"EXEC",
                                "-EXECABORT Transaction discarded because of previous errors.\r\n"},
                               {"PUBLISH a b", ":0\r\n"},
                               {"CONFIG SET maxmemory 0", "+OK\r\n"}}},
                             {"ATransactionThatBeganInTimeIsNotCutInTwo",
                              {{"MULTI", "+OK\r\n"},
                               {"CONFIG SET maxmemory 1", "+QUEUED\r\n"},
                               {"SET a 1", "+QUEUED\r\n"},
                               {"EXEC", "*2\r\n+OK\r\n+OK\r\n"},
                               {"SET b 1", kOutOfMemory},
                               {"CONFIG SET maxmemory 0", "+OK\r\n"},
                               {"DEL a", ":1\r\n"}}},
                             {"VolatilePoliciesSpareKeysWithoutTtl",
                              {{"SET stays 1", "+OK\r\n"},
                               {"SET goes 1 EX 100", "+OK\r\n"},
                               {"CONFIG SET maxmemory-policy volatile-lru", "+OK\r\n"},
                               {"CONFIG SET maxmemory 1", "+OK\r\n"},
                               {"SET new 1", kOutOfMemory},
                               {"EXISTS stays", ":1\r\n"},
                               {"EXISTS goes", ":0\r\n"},
                               {"CONFIG SET maxmemory 0", "+OK\r\n"},
                               {"CONFIG SET maxmemory-policy noeviction", "+OK\r\n"}}},
                         });

// The same keys again and again beside many that are asked for once: what queues are there for.
TEST(EvictionByQueuesTest, AScanDoesNotWashOutWhatIsInUse) {
  for (const char* policy : {"allkeys-s3fifo", "allkeys-adaptive"}) {
    const ServerProcess server = ServerProcess::StartLarder({"--maxmemory-policy", policy});
    RespClient client(server.port());
    const std::string value(1000, 'x');
    const auto ask_for = [&](const std::string& key) {
      if (client.Raw({"GET", key}) != "$-1\r\n") return true;
      client.Raw({"SET", key, value});
      return false;
    };
    const auto ask_for_hot_keys = [&] {
      int hits = 0;
      for (int i = 0; i < 100; ++i) hits += ask_for("hot" + std::to_string(i)) ? 1 : 0;
      return hits;
    };
    for (int i = 0; i < 4; ++i) ask_for_hot_keys();
    const std::string info = client.Call({"INFO", "memory"}).text;
    const int64_t used = kSanitized ? 0 : std::stoll(info.substr(info.find("used_memory:") + 12));
    client.Call({"CONFIG", "SET", "maxmemory", std::to_string(used + 1'000'000)});
    int scanned = 0;
    int hits = 0;
    for (int round = 0; round < 20; ++round) {
      for (int i = 0; i < 500; ++i) ask_for("scan" + std::to_string(scanned++));
      hits += ask_for_hot_keys();
    }
    EXPECT_GT(hits, 1800) << policy;
    const std::string cache = client.Call({"INFO", "cache"}).text;
    EXPECT_THAT(cache, testing::HasSubstr("eviction_rule:"));
    EXPECT_THAT(cache, testing::HasSubstr("eviction_queues:keys="));
    EXPECT_LT(client.Call({"DBSIZE"}).integer, 2000);
  }
}

TEST(EvictionByQueuesTest, AccessTimesAreKept) {
  const ServerProcess server =
      ServerProcess::StartLarder({"--maxmemory-policy", "allkeys-adaptive"});
  RespClient client(server.port());
  client.Call({"SET", "key", "value"});
  EXPECT_THAT(client.Raw({"OBJECT", "FREQ", "key"}),
              testing::StartsWith("-ERR An LFU maxmemory policy is not selected"));
  std::this_thread::sleep_for(std::chrono::milliseconds(2100));
  EXPECT_GE(client.Call({"OBJECT", "IDLETIME", "key"}).integer, 2);
  client.Call({"GET", "key"});
  EXPECT_LE(client.Call({"OBJECT", "IDLETIME", "key"}).integer, 1);
  const std::string dump = client.Call({"DUMP", "key"}).text;
  client.Call({"RESTORE", "other", "0", dump, "IDLETIME", "1000"});
  EXPECT_GE(client.Call({"OBJECT", "IDLETIME", "other"}).integer, 1000);
  client.Call({"CONFIG", "SET", "maxmemory", "1"});  // A key that was given a past goes, too.
  EXPECT_EQ(client.Call({"DBSIZE"}).integer, 0);
}

TEST(EvictionByQueuesTest, KeysThatCameBeforeThePolicyGoToo) {
  const ServerProcess server = ServerProcess::StartLarder({});
  RespClient client(server.port());
  for (int i = 0; i < 5000; ++i) client.Raw({"SET", std::to_string(i), std::string(500, 'x')});
  client.Call({"CONFIG", "SET", "maxmemory-policy", "allkeys-adaptive", "maxmemory", "1"});
  EXPECT_TRUE(Eventually([&] { return client.Call({"DBSIZE"}).integer == 0; }));
}

// Nobody has to write for it: lowering the limit is enough.
TEST_F(EvictionWireTest, ALowerLimitEvictsWithoutAnotherCommand) {
  const ServerProcess server = ServerProcess::StartLarder({"--maxmemory-policy", "allkeys-lru"});
  RespClient client(server.port());
  for (int i = 0; i < 1000; ++i) client.Raw({"SET", std::to_string(i), std::string(1000, 'x')});
  client.Raw({"CONFIG", "SET", "maxmemory", "1"});
  EXPECT_TRUE(Eventually([&] { return client.Call({"DBSIZE"}).integer == 0; }));
}

// Of reads in a row only the first looks whether there is room, but not past anything else.
TEST_F(EvictionWireTest, AReadEvictsBehindALowerLimitInTheSameBatch) {
  const ServerProcess server =
      ServerProcess::StartLarder({"--maxmemory-policy", "allkeys-lru", "--maxmemory", "1gb"});
  RespClient client(server.port());
  client.Raw({"SET", "key", "value"});
  client.SendBytes(EncodeRequest({"GET", "key"}) + EncodeRequest({"GET", "key"}) +
                   EncodeRequest({"CONFIG", "SET", "maxmemory", "1"}) +
                   EncodeRequest({"GET", "key"}));
  EXPECT_EQ(client.ReadReply(), Bulk("value"));
  EXPECT_EQ(client.ReadReply(), Bulk("value"));
  EXPECT_EQ(client.ReadReply(), kOk);
  EXPECT_EQ(client.ReadReply(), kNil);
}

// Fills a server of 4 MB over what it has at its start with three times as much.
class EvictionUnderLoadTest : public testing::TestWithParam<std::string> {
 protected:
  static constexpr int kValueBytes = 1000;
  static constexpr int64_t kRoomBytes = 4 << 20;
  static constexpr int kKeys = 3 * kRoomBytes / kValueBytes;

  EvictionUnderLoadTest()
      : server_(ServerProcess::StartLarder(
            {"--threads", "2", "--maxmemory-policy", GetParam(), "--maxmemory-samples", "10"})),
        client_(server_.port()) {
    // A sanitizer's allocator does not count for threads: only what the shards hold is limited
    // there, and what else is used at the start is no matter.
    const int64_t used = kSanitized ? 0 : UsedMemory();
    client_.Call({"CONFIG", "SET", "maxmemory", std::to_string(used + kRoomBytes)});
  }

  int64_t UsedMemory() {
    const std::string info = client_.Call({"INFO", "memory"}).text;
    const size_t at = info.find("used_memory:");
    return at == std::string::npos ? 0 : std::stoll(info.substr(at + 12));
  }

  std::string Set(int key) {
    std::vector<std::string> args = {"SET", "key" + std::to_string(key),
                                     std::string(kValueBytes, 'x')};
    if (GetParam().starts_with("volatile")) args.insert(args.end(), {"EX", "1000"});
    return client_.Raw(args);
  }

  ServerProcess server_;
  RespClient client_;
};

TEST_P(EvictionUnderLoadTest, MemoryStaysWithinItsLimitAndMostOfItIsUsed) {
  for (int key = 0; key < kKeys; ++key) ASSERT_EQ(Set(key), "+OK\r\n") << key;
  const int64_t keys = client_.Call({"DBSIZE"}).integer;
  EXPECT_LT(keys * kValueBytes, kRoomBytes * 11 / 10);
  EXPECT_GT(keys * kValueBytes, kRoomBytes / 2);
  EXPECT_EQ(Set(kKeys), "+OK\r\n");
}

TEST_P(EvictionUnderLoadTest, SeveralThreadsKeepTheLimitTogether) {
  std::vector<RespClient> clients;
  for (int i = 0; i < 4; ++i) clients.emplace_back(server_.port());
  const std::string value(kValueBytes, 'x');
  for (int round = 0; round < kKeys / 200; ++round) {
    for (size_t i = 0; i < clients.size(); ++i) {
      std::string batch;
      for (int j = 0; j < 50; ++j) {
        batch += EncodeRequest({"SET", std::to_string(round * 1000 + static_cast<int>(i) * 100 + j),
                                value, "EX", "1000"});
      }
      clients[i].SendBytes(batch);
    }
    for (RespClient& client : clients) {
      for (int j = 0; j < 50; ++j) ASSERT_EQ(client.ReadReply(), "+OK\r\n");
    }
  }
  const int64_t keys = client_.Call({"DBSIZE"}).integer;
  EXPECT_LT(keys * kValueBytes, kRoomBytes * 11 / 10);
  EXPECT_GT(keys * kValueBytes, kRoomBytes / 3);
}

INSTANTIATE_TEST_SUITE_P(Policies, EvictionUnderLoadTest,
                         testing::Values("allkeys-lru", "allkeys-lfu", "allkeys-random",
                                         "volatile-lru", "volatile-lfu", "volatile-random",
                                         "volatile-ttl", "allkeys-lrm", "volatile-lrm",
                                         "allkeys-fifo", "allkeys-s3fifo", "allkeys-adaptive",
                                         "volatile-fifo", "volatile-s3fifo", "volatile-adaptive"),
                         [](const auto& policy) {
                           std::string name;
                           for (const char c : policy.param) {
                             if (c != '-') name += c;
                           }
                           return name;
                         });

// Redis's way, where clients' buffers count as data: all goes, and it does not fit even so.
TEST(EvictionForHugeValuesTest, OneLargerThanMaxMemoryIsRefused) {
  if (kSanitized) GTEST_SKIP() << "only what shards hold is counted";
  const ServerProcess server =
      ServerProcess::StartLarder({"--maxmemory-policy", "allkeys-lru", "--maxmemory-clients", "0"});
  RespClient client(server.port());
  for (const char* key : {"a", "b", "c"}) client.Call({"SET", key, "1"});
  client.Call({"CONFIG", "SET", "maxmemory", "8mb"});
  EXPECT_EQ(client.Raw({"SET", "huge", std::string(16 << 20, 'x')}), kOutOfMemory);
  EXPECT_EQ(client.Call({"DBSIZE"}).integer, 0);
  EXPECT_EQ(client.Raw({"SET", "a", "1"}), "+OK\r\n");
}

TEST(ActiveDefragmentationTest, IsOnAndCanBeSwitchedOff) {
  const ServerProcess server = ServerProcess::StartLarder({});
  RespClient client(server.port());
  EXPECT_EQ(client.Call({"CONFIG", "GET", "activedefrag"}).elements[1].text, "yes");
  EXPECT_EQ(InfoNumber(client, "active_defrag_running"), 0);
  EXPECT_EQ(InfoNumber(client, "current_active_defrag_time"), 0);
  EXPECT_EQ(client.Raw({"CONFIG", "SET", "activedefrag", "no"}), "+OK\r\n");
  EXPECT_EQ(client.Raw({"CONFIG", "SET", "activedefrag", "yes"}), "+OK\r\n");
}

TEST(ActiveDefragmentationTest, WinsBackWhatDeletedKeysLeftAndLosesNone) {
  if (kSanitized) GTEST_SKIP() << "A sanitizer's allocator does not tell how full its slabs are.";
  constexpr int kKeys = 400'000;
  const ServerProcess server =
      ServerProcess::StartLarder({"--threads", "2", "--maxmemory", "100mb", "--activedefrag", "no",
                                  "--enable-debug-command", "yes"});
  RespClient client(server.port());
  ASSERT_EQ(client.Raw({"DEBUG", "POPULATE", std::to_string(kKeys), "key", "100"}), "+OK\r\n");
  for (int i = 0; i < kKeys; i += 1000) {
    std::vector<std::string> request = {"DEL"};
    for (int j = i; j < i + 1000; ++j) {
      if (j % 4 != 0) request.push_back("key:" + std::to_string(j));
    }
    ASSERT_EQ(client.Call(request).integer, 750);
  }
  const std::string digest = client.Raw({"DEBUG", "DIGEST"});
  const auto wasted = [&] {
    return InfoNumber(client, "allocator_active") - InfoNumber(client, "allocator_allocated");
  };
  const int64_t wasted_before = wasted();
  ASSERT_GT(wasted_before, 20 << 20);
  client.Call({"CONFIG", "SET", "activedefrag", "yes"});
  EXPECT_TRUE(Eventually([&] { return wasted() < wasted_before / 2; }));
  EXPECT_GT(InfoNumber(client, "active_defrag_hits"), 0);
  EXPECT_EQ(client.Raw({"DEBUG", "DIGEST"}), digest);
}

TEST(MaxMemoryAutoTest, IsAShareOfWhatThereIs) {
  const ServerProcess server = ServerProcess::StartLarder({"--maxmemory", "auto"});
  RespClient client(server.port());
  const int64_t bytes = InfoNumber(client, "maxmemory");
  EXPECT_EQ(client.Call({"CONFIG", "GET", "maxmemory"}).elements[1].text, std::to_string(bytes));
  const MachineMemory machine = FindMachineMemory();
  EXPECT_GT(bytes, machine.bytes / 2);
  EXPECT_LT(bytes, machine.bytes);
  const std::string source = machine.source == MemorySource::kControlGroup
                                 ? "maxmemory_source:cgroup"
                                 : "maxmemory_source:machine";
  EXPECT_THAT(client.Call({"INFO", "memory"}).text, testing::HasSubstr(source));
}

TEST(EvictionOfHugeValuesTest, TheyAreFreedInTheBackground) {
  const ServerProcess server = ServerProcess::StartLarder({"--maxmemory-policy", "allkeys-lru"});
  RespClient client(server.port());
  constexpr int kMembers = kSanitized ? 100'000 : 1'000'000;
  constexpr int kBatch = 10'000;
  for (int first = 0; first < kMembers; first += kBatch) {
    std::vector<std::string> command = {"SADD", "huge"};
    for (int i = first; i < first + kBatch; ++i) command.push_back("member" + std::to_string(i));
    ASSERT_EQ(client.Call(command).integer, kBatch);
  }
  client.Call({"CONFIG", "RESETSTAT"});
  client.Call({"CONFIG", "SET", "maxmemory", "1"});
  EXPECT_TRUE(Eventually([&] { return InfoNumber(client, "lazyfreed_objects") > 0; }));
  EXPECT_EQ(client.Call({"DBSIZE"}).integer, 0);
  EXPECT_EQ(InfoNumber(client, "lazyfreed_objects"), 1);
}

// What a key's access time is under least-recently-modified: reading leaves it, changing moves it.
class LeastRecentlyModifiedTest : public testing::Test {
 protected:
  LeastRecentlyModifiedTest()
      : server_(ServerProcess::StartLarder({"--maxmemory-policy", "allkeys-lrm"})),
        client_(server_.port()) {
    client_.Call({"SET", "string", "1"});
    client_.Call({"HSET", "hash", "field", "1", "spare", "1"});
  }

  // Of the command's key number `key`, after all have been left alone for so long and the command
  // has run.
  int64_t IdleSecondsAfter(const std::vector<std::string>& command, size_t key = 1) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2100));
    EXPECT_NE(client_.Raw(command)[0], '-');
    return client_.Call({"OBJECT", "IDLETIME", command[key]}).integer;
  }

  ServerProcess server_;
  RespClient client_;
};

class LeastRecentlyModifiedCommandTest
    : public LeastRecentlyModifiedTest,
      public testing::WithParamInterface<std::vector<std::string>> {};
class LeastRecentlyModifiedReadTest : public LeastRecentlyModifiedCommandTest {};
class LeastRecentlyModifiedWriteTest : public LeastRecentlyModifiedCommandTest {};

TEST_P(LeastRecentlyModifiedReadTest, LeavesTheTime) { EXPECT_GE(IdleSecondsAfter(GetParam()), 2); }
TEST_P(LeastRecentlyModifiedWriteTest, MovesTheTime) { EXPECT_LE(IdleSecondsAfter(GetParam()), 1); }

TEST_F(LeastRecentlyModifiedTest, ACopyIsNewAndItsSourceIsNot) {
  EXPECT_LE(IdleSecondsAfter({"COPY", "hash", "copy"}, 2), 1);
  EXPECT_GE(client_.Call({"OBJECT", "IDLETIME", "hash"}).integer, 2);
}

TEST_F(LeastRecentlyModifiedTest, AnotherNameIsAChange) {
  EXPECT_LE(IdleSecondsAfter({"RENAME", "hash", "other"}, 2), 1);
}

INSTANTIATE_TEST_SUITE_P(Commands, LeastRecentlyModifiedReadTest,
                         testing::Values(std::vector<std::string>{"GET", "string"},
                                         std::vector<std::string>{"TOUCH", "string"},
                                         std::vector<std::string>{"HGET", "hash", "field"},
                                         std::vector<std::string>{"HDEL", "hash", "none"},
                                         std::vector<std::string>{"SETNX", "string", "2"}));
INSTANTIATE_TEST_SUITE_P(Commands, LeastRecentlyModifiedWriteTest,
                         testing::Values(std::vector<std::string>{"SET", "string", "2"},
                                         std::vector<std::string>{"APPEND", "string", "2"},
                                         std::vector<std::string>{"INCR", "string"},
                                         std::vector<std::string>{"EXPIRE", "string", "100"},
                                         std::vector<std::string>{"HSET", "hash", "field", "2"},
                                         std::vector<std::string>{"HINCRBY", "hash", "field", "1"},
                                         std::vector<std::string>{"HDEL", "hash", "spare"}));

TEST(EvictionEventTest, EvictedKeysAreAnnounced) {
  ServerProcess server = ServerProcess::StartLarder(
      {"--maxmemory-policy", "allkeys-random", "--notify-keyspace-events", "Ee"});
  RespClient listener(server.port());
  listener.Call({"SUBSCRIBE", "__keyevent@0__:evicted"});
  RespClient client(server.port());
  client.Call({"SET", "key", "value"});
  client.Call({"CONFIG", "SET", "maxmemory", "1"});
  client.Call({"SET", "other", "value"});
  EXPECT_EQ(listener.ReadReply(),
            Array({Bulk("message"), Bulk("__keyevent@0__:evicted"), Bulk("key")}));
}

}  // namespace
}  // namespace larder
