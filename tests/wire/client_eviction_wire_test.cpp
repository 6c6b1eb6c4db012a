// The memory of clients: who is cut off when all of them hold too much, and that their buffers do
// not cost data.
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/background.h"
#include "tests/support/process_figures.h"
#include "tests/support/resp_client.h"
#include "tests/support/server_process.h"

namespace larder {
namespace {

constexpr int64_t kBulkSlack = 4096;  // What a connection holds besides its buffers, at most.

class ClientEvictionTest : public testing::Test {
 protected:
  explicit ClientEvictionTest(std::vector<std::string> arguments = {"--threads", "4"})
      : server_(ServerProcess::StartLarder(arguments)), control_(server_.port()) {
    control_.Raw({"CLIENT", "SETNAME", "control"});
    control_.Raw({"CLIENT", "NO-EVICT", "on"});
  }

  void Configure(const std::string& name, const std::string& value) {
    ASSERT_EQ(control_.Raw({"CONFIG", "SET", name, value}), "+OK\r\n");
  }

  // A client of that name with the beginning of a request of `bytes` in the server's hands.
  RespClient Hoarder(const std::string& name, int64_t bytes) {
    RespClient client(server_.port());
    client.Raw({"CLIENT", "SETNAME", name});
    Hoard(client, bytes);
    return client;
  }
  void Hoard(RespClient& client, int64_t bytes) {
    client.SendBytes("*2\r\n$" + std::to_string(bytes) + "\r\n");
    client.SendBytes(std::string(static_cast<size_t>(bytes), 'v'));
  }

  // Whether the server closes the connection while so much of one request arrives, or behind it.
  bool IsCutOff(RespClient& client, int mebibytes) {
    const std::string part(kMebibyte, 'v');
    try {
      client.SendBytes("*2\r\n$100000000\r\n");
      for (int i = 0; i < mebibytes; ++i) client.SendBytes(part);
    } catch (const std::runtime_error&) {
      return true;
    }
    return client.ReadsEnd();
  }

  // Of the clients of that name together; 0 if there is none.
  int64_t Memory(const std::string& name, const std::string& field = "tot-mem") {
    const std::string list = control_.Call({"CLIENT", "LIST"}).text;
    int64_t sum = 0;
    for (size_t at = list.find(" name=" + name + " "); at != std::string::npos;
         at = list.find(" name=" + name + " ", at + 1)) {
      sum += std::stoll(list.substr(list.find(" " + field + "=", at) + field.size() + 2));
    }
    return sum;
  }
  bool Lives(const std::string& name) { return Memory(name) > 0; }

  ServerProcess server_;
  RespClient control_;
};

TEST_F(ClientEvictionTest, TheLargestOfAllThreadsGoesFirst) {
  Configure("maxmemory-clients", "4mb");
  std::vector<RespClient> clients;
  for (int i = 0; i < 7; ++i) clients.push_back(Hoarder("small", 100'000));
  clients.push_back(Hoarder("large", 2'500'000));
  ASSERT_TRUE(Eventually([&] { return Memory("large") >= 2'500'000; }));
  ASSERT_TRUE(Eventually([&] { return Memory("small") >= 700'000; }));
  EXPECT_EQ(InfoNumber(control_, "evicted_clients"), 0);

  // A smaller one than the largest makes it too much.
  clients.push_back(Hoarder("last", 1'200'000));
  EXPECT_TRUE(clients[7].ReadsEnd());
  EXPECT_TRUE(Eventually([&] { return Memory("last") >= 1'200'000; }));
  EXPECT_GE(Memory("small"), 700'000);
  EXPECT_EQ(InfoNumber(control_, "evicted_clients"), 1);
  EXPECT_NE(server_.Log().find("Evicting client: id="), std::string::npos);
}

TEST_F(ClientEvictionTest, NoEvictProtectsUntilItIsTakenBack) {
  Configure("maxmemory-clients", "1mb");
  RespClient client(server_.port());
  client.Raw({"CLIENT", "SETNAME", "guarded"});
  ASSERT_EQ(client.Raw({"CLIENT", "NO-EVICT", "on"}), "+OK\r\n");
  client.Raw({"MULTI"});
  for (int i = 0; i < 20; ++i) client.Raw({"SET", "key", std::string(100'000, 'v')});
  EXPECT_TRUE(Eventually([&] { return Memory("guarded") >= 2'000'000; }));
  EXPECT_EQ(InfoNumber(control_, "evicted_clients"), 0);
  ASSERT_EQ(client.Raw({"DISCARD"}), "+OK\r\n");
  EXPECT_TRUE(Eventually([&] { return Memory("guarded") < 100'000; }));

  ASSERT_EQ(client.Raw({"CLIENT", "NO-EVICT", "off"}), "+OK\r\n");
  EXPECT_TRUE(IsCutOff(client, 2));
}

TEST_F(ClientEvictionTest, ALowerLimitTakesEffectAtOnce) {
  std::vector<RespClient> clients;
  for (int i = 0; i < 8; ++i) clients.push_back(Hoarder("one", 1'000'000));
  ASSERT_TRUE(Eventually([&] { return Memory("one", "qbuf") == 8'000'000; }));
  // Half of them and a little.
  Configure("maxmemory-clients", std::to_string(4 * Memory("one") / 8 + 100'000));
  EXPECT_TRUE(Eventually([&] { return Memory("one", "qbuf") == 4'000'000; }));
  EXPECT_EQ(InfoNumber(control_, "evicted_clients"), 4);
}

TEST_F(ClientEvictionTest, WhatSubscriptionsAndWatchesTakeIsCounted) {
  Configure("maxmemory-clients", "200000");
  for (const std::string command : {"SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "WATCH"}) {
    RespClient client(server_.port());
    std::string requests;
    for (int i = 0; i < 10'000; ++i) {
      requests += EncodeRequest({command, "a name of some length " + std::to_string(i)});
    }
    client.SendBytes(requests);
    EXPECT_TRUE(client.ReadsEnd()) << command;
  }
  RespClient client(server_.port());
  std::string requests;
  // Few and long, for each is compared with all those before it.
  std::string prefix(500, ':');
  for (int i = 1000; i < 2000; ++i) {
    prefix.replace(0, 4, std::to_string(i));
    requests += EncodeRequest({"CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", prefix});
  }
  client.SendBytes(requests);
  EXPECT_TRUE(client.ReadsEnd());
  EXPECT_TRUE(Eventually([&] { return InfoNumber(control_, "evicted_clients") == 5; }));
}

TEST_F(ClientEvictionTest, AnIdleClientHoldsNextToNothing) {
  RespClient client(server_.port());
  client.Raw({"CLIENT", "SETNAME", "idle"});
  client.Raw({"SET", "key", std::string(1'000'000, 'v')});
  client.Raw({"GET", "key"});
  EXPECT_TRUE(Eventually([&] { return Memory("idle") < kBulkSlack; }));
  EXPECT_TRUE(
      Eventually([&] { return InfoNumber(control_, "mem_clients_normal") < 4 * kBulkSlack; }));
}

// A server with its limit full of data.
class BuffersAndDataTest : public ClientEvictionTest {
 protected:
  static constexpr int64_t kRoomBytes = 8 * kMebibyte;

  BuffersAndDataTest()
      : ClientEvictionTest({"--threads", "2", "--maxmemory-policy", "allkeys-lru"}) {}

  void Fill() {
    Configure("maxmemory", std::to_string(InfoNumber(control_, "used_memory") + kRoomBytes));
    for (int i = 0; InfoNumber(control_, "evicted_keys") == 0; i += 100) {
      for (int j = i; j < i + 100; ++j) {
        control_.Raw({"SET", std::to_string(j), std::string(1000, 'x')});
      }
    }
    keys_ = control_.Call({"DBSIZE"}).integer;
  }

  int64_t keys_ = 0;
};

TEST_F(BuffersAndDataTest, GrowingBuffersCostNoData) {
  if (kSanitized) GTEST_SKIP() << "only what shards hold is counted";
  Fill();
  std::vector<RespClient> clients;
  for (int i = 0; i < 6; ++i) clients.push_back(Hoarder("query", kMebibyte));
  EXPECT_TRUE(Eventually([&] { return Memory("query") >= 6 * kMebibyte; }));
  EXPECT_GE(InfoNumber(control_, "mem_not_counted_for_evict"), 6 * kMebibyte);
  // A few keys go for what an allocator holds besides.
  EXPECT_GE(control_.Call({"DBSIZE"}).integer, keys_ * 98 / 100);
  EXPECT_EQ(control_.Raw({"SET", "new", std::string(1000, 'x')}), "+OK\r\n");
  EXPECT_EQ(InfoNumber(control_, "evicted_clients"), 0);
}

TEST_F(BuffersAndDataTest, WithAnExplicitZeroTheyDoAsInRedis) {
  if (kSanitized) GTEST_SKIP() << "only what shards hold is counted";
  Configure("maxmemory-clients", "0");
  Fill();
  std::vector<RespClient> clients;
  for (int i = 0; i < 6; ++i) clients.push_back(Hoarder("query", kMebibyte));
  EXPECT_TRUE(Eventually([&] { return control_.Call({"DBSIZE"}).integer < keys_ / 2; }));
  EXPECT_EQ(InfoNumber(control_, "mem_not_counted_for_evict"), 0);
}

TEST_F(BuffersAndDataTest, WhoHoldsMoreThanTheBudgetIsCutOffInstead) {
  if (kSanitized) GTEST_SKIP() << "only what shards hold is counted";
  Fill();
  RespClient client(server_.port());
  EXPECT_TRUE(IsCutOff(client, 64));
  EXPECT_EQ(InfoNumber(control_, "evicted_clients"), 1);
  EXPECT_GE(control_.Call({"DBSIZE"}).integer, keys_ * 98 / 100);
}

// Ten times the budget in replies, for a client that reads them after a while.
TEST_F(BuffersAndDataTest, WhoPipelinesFasterThanItReadsIsHeldBackAndNotCutOff) {
  if (kSanitized) GTEST_SKIP() << "only what shards hold is counted";
  Fill();
  control_.Raw({"SET", "value", std::string(100'000, 'v')});
  RespClient client(server_.port());
  std::string requests;
  for (int i = 0; i < 1000; ++i) requests += EncodeRequest({"GET", "value"});
  client.SendBytes(requests);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(client.ReadReply().size(), 100'000u + 11) << i;
  EXPECT_EQ(InfoNumber(control_, "evicted_clients"), 0);
}

// A pipeline pays for its replies only once they are there, not with data in the middle of it.
TEST_F(BuffersAndDataTest, RepliesOfARunningPipelineCostNoData) {
  if (kSanitized) GTEST_SKIP() << "only what shards hold is counted";
  Fill();
  for (int i = 0; i < 20; ++i) control_.Raw({"RPUSH", "list", std::string(4000, 'v')});
  const int64_t keys = control_.Call({"DBSIZE"}).integer;
  RespClient client(server_.port());
  std::string requests;
  for (int i = 0; i < 40; ++i) requests += EncodeRequest({"LRANGE", "list", "0", "-1"});
  client.SendBytes(requests);
  for (int i = 0; i < 40; ++i) client.ReadReply();
  EXPECT_GE(control_.Call({"DBSIZE"}).integer, keys * 98 / 100);
}

}  // namespace
}  // namespace larder
