// Clients that do what no client should, or more of it than anybody expects: memory stays bounded,
// the others are served meanwhile, and nothing is left behind.
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <deque>
#include <optional>
#include <poll.h>
#include <random>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/background.h"
#include "tests/support/process_figures.h"
#include "tests/support/resp_client.h"
#include "tests/support/server_process.h"

namespace larder {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

std::string Repeated(std::string_view text, size_t times) {
  std::string all;
  all.reserve(text.size() * times);
  for (size_t i = 0; i < times; ++i) all += text;
  return all;
}

// Sends without ever reading; how much the server took before it closed the connection.
size_t SendWithoutReading(RespClient& client, std::string_view bytes, size_t times,
                          std::chrono::milliseconds patience) {
  size_t total = 0;
  for (size_t i = 0; i < times; ++i) {
    std::string_view rest = bytes;
    while (!rest.empty()) {
      const ssize_t sent = send(client.fd(), rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent > 0) {
        total += static_cast<size_t>(sent);
        rest.remove_prefix(static_cast<size_t>(sent));
        continue;
      }
      if (errno != EAGAIN) return total;
      pollfd waiting{.fd = client.fd(), .events = POLLOUT, .revents = 0};
      if (poll(&waiting, 1, static_cast<int>(patience.count())) == 0) return total;
    }
  }
  return total;
}

// Exactly `bytes` of them, for replies too large to be held.
void ReadAway(RespClient& client, size_t bytes) {
  std::vector<char> buffer(1 << 20);
  while (bytes > 0) {
    pollfd waiting{.fd = client.fd(), .events = POLLIN, .revents = 0};
    if (poll(&waiting, 1, 20'000) <= 0) throw std::runtime_error("no more bytes in time");
    const ssize_t got = recv(client.fd(), buffer.data(), std::min(buffer.size(), bytes), 0);
    if (got <= 0) throw std::runtime_error("the server closed the connection");
    bytes -= static_cast<size_t>(got);
  }
}

// Asks again and again until `done`.
std::chrono::nanoseconds SlowestPing(RespClient& client, const std::atomic<bool>& done) {
  auto slowest = 0ns;
  while (!done) {
    const auto before = std::chrono::steady_clock::now();
    EXPECT_EQ(client.Raw({"PING"}), "+PONG\r\n");
    slowest =
        std::max<std::chrono::nanoseconds>(slowest, std::chrono::steady_clock::now() - before);
    std::this_thread::sleep_for(1ms);
  }
  return slowest;
}

class RobustnessTest : public testing::Test {
 protected:
  ServerProcess& Start(std::vector<std::string> arguments = {}) {
    if (std::find(arguments.begin(), arguments.end(), "--threads") == arguments.end()) {
      arguments.insert(arguments.end(), {"--threads", "2"});
    }
    server_.emplace(ServerProcess::StartLarder(arguments));
    return *server_;
  }
  ServerProcess& server() { return *server_; }
  RespClient Connect() { return RespClient(server().port(), 30s); }

  int64_t InfoNumber(const std::string& field) {
    RespClient client = Connect();
    return larder::InfoNumber(client, field);
  }
  // Alone with its own connection.
  bool ClientsHaveGone() {
    return Eventually([&] { return InfoNumber("connected_clients") == 1; });
  }

 private:
  std::optional<ServerProcess> server_;
};

TEST_F(RobustnessTest, ClientThatPipelinesAndNeverReadsIsCutOff) {
  Start({"--client-output-buffer-limit", "normal 64mb 0 0"});
  RespClient other = Connect();
  ASSERT_EQ(other.Raw({"SET", "key", std::string(1000, 'v')}), "+OK\r\n");
  const int64_t used_before = InfoNumber("used_memory");
  const int64_t resident_before = ResidentBytes(server().pid());

  std::atomic<bool> done{false};
  size_t taken = 0;
  RespClient greedy = Connect();
  Background sending([&] {
    const std::string chunk = Repeated("*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n", 50'000);
    taken = SendWithoutReading(greedy, chunk, 100'000'000 / chunk.size(), 5s);
    done = true;
  });
  const auto slowest = SlowestPing(other, done);
  sending.Join();
  EXPECT_LT(taken, 100'000'000u);
  EXPECT_LT(slowest, kSanitized ? 10s : 1s);
  EXPECT_EQ(InfoNumber("client_output_buffer_limit_disconnections"), 1);
  EXPECT_THAT(server().Log(), HasSubstr("overcame its output buffer limits"));
  if (kSanitized) return;
  EXPECT_LT(PeakResidentBytes(server().pid()), resident_before + 100 * kMebibyte);
  greedy.Close();
  EXPECT_TRUE(Eventually([&] { return InfoNumber("used_memory") < used_before + kMebibyte; }));
  other.Raw({"MEMORY", "PURGE"});
  EXPECT_TRUE(Eventually([&] {
    return ResidentBytes(server().pid()) < resident_before + 16 * kMebibyte;
  })) << ResidentBytes(server().pid()) - resident_before;
}

TEST_F(RobustnessTest, SoftLimitOfOutputGivesTime) {
  Start({"--client-output-buffer-limit", "normal 0 1mb 1"});
  RespClient client = Connect();
  ASSERT_EQ(client.Raw({"SET", "key", std::string(16 << 20, 'v')}), "+OK\r\n");
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 4; ++i) client.Send({"GET", "key"});
  EXPECT_TRUE(
      Eventually([&] { return InfoNumber("client_output_buffer_limit_disconnections") == 1; }));
  EXPECT_GT(std::chrono::steady_clock::now() - begin, 1s);
}

TEST_F(RobustnessTest, ClaimedLengthsCostNoMemory) {
  const size_t count = kSanitized ? 100 : 1000;
  if (!MayOpenDescriptors(count + 100)) GTEST_SKIP() << "too few descriptors";
  Start();
  const int64_t before = ResidentBytes(server().pid());
  std::vector<RespClient> clients;
  for (size_t i = 0; i < count; ++i) {
    clients.push_back(Connect());
    clients.back().SendBytes("*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$536870912\r\n");
  }
  EXPECT_EQ(Connect().Raw({"PING"}), "+PONG\r\n");
  // The one that sent PING leaves when the server has noticed.
  EXPECT_TRUE(Eventually(
      [&] { return InfoNumber("connected_clients") == static_cast<int64_t>(count) + 1; }));
  if (!kSanitized) {
    EXPECT_LT(ResidentBytes(server().pid()), before + 64 * kMebibyte);
  }
  clients.clear();
  EXPECT_TRUE(ClientsHaveGone());
}

TEST_F(RobustnessTest, HugeCountsCostNoMemory) {
  Start();
  const int64_t before = ResidentBytes(server().pid());
  std::vector<RespClient> clients;
  for (const char* bytes : {"*2147483647\r\n", "*1048576\r\n$3\r\nGET\r\n"}) {
    for (int i = 0; i < 50; ++i) {
      clients.push_back(Connect());
      clients.back().SendBytes(bytes);
    }
  }
  RespClient wrong = Connect();
  wrong.SendBytes("*2147483648\r\n");
  EXPECT_EQ(wrong.ReadReply(), "-ERR Protocol error: invalid multibulk length\r\n");
  EXPECT_TRUE(wrong.ReadsEnd());
  if (!kSanitized) {
    EXPECT_LT(ResidentBytes(server().pid()), before + 16 * kMebibyte);
  }
}

TEST_F(RobustnessTest, QueryBufferHasItsLimit) {
  Start({"--client-query-buffer-limit", "1mb"});
  RespClient client = Connect();
  const std::string request = EncodeRequest({"SET", "key", std::string(2 << 20, 'v')});
  SendWithoutReading(client, request, 1, 1s);
  EXPECT_TRUE(client.ReadsEnd());
  EXPECT_EQ(InfoNumber("client_query_buffer_limit_disconnections"), 1);
  EXPECT_EQ(Connect().Raw({"EXISTS", "key"}), ":0\r\n");
}

TEST_F(RobustnessTest, QueueOfTransactionCountsAsQueryBuffer) {
  Start({"--client-query-buffer-limit", "1mb"});
  RespClient client = Connect();
  ASSERT_EQ(client.Raw({"MULTI"}), "+OK\r\n");
  const std::string request = EncodeRequest({"SET", "key", std::string(1000, 'v')});
  SendWithoutReading(client, request, 2000, 1s);
  EXPECT_TRUE(client.ReadsEnd());
}

TEST_F(RobustnessTest, LargestBulkFollowsTheConfiguration) {
  Start();
  RespClient client = Connect();
  ASSERT_EQ(client.Raw({"CONFIG", "SET", "proto-max-bulk-len", "1mb"}), "+OK\r\n");
  EXPECT_EQ(client.Raw({"SET", "key", std::string(1 << 20, 'v')}), "+OK\r\n");
  client.SendBytes("*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$1048577\r\n");
  EXPECT_EQ(client.ReadReply(), "-ERR Protocol error: invalid bulk length\r\n");
  EXPECT_TRUE(client.ReadsEnd());
}

TEST_F(RobustnessTest, RequestsComeByteByByte) {
  Start();
  RespClient client = Connect();
  const std::string bytes = EncodeRequest({"SET", "key", "value"}) + "GET key\r\n" +
                            EncodeRequest({"APPEND", "key", "!"});
  for (const char byte : bytes) client.SendBytes({&byte, 1});
  EXPECT_EQ(client.ReadReply(), "+OK\r\n");
  EXPECT_EQ(client.ReadReply(), "$5\r\nvalue\r\n");
  EXPECT_EQ(client.ReadReply(), ":6\r\n");
}

// printf ... | nc: the replies are more than the sockets' buffers hold.
TEST_F(RobustnessTest, HalfClosedClientGetsAllItsReplies) {
  Start();
  const size_t size = 100'000;
  const size_t count = kSanitized ? 200 : 1000;
  RespClient client = Connect();
  ASSERT_EQ(client.Raw({"SET", "key", std::string(size, 'v')}), "+OK\r\n");
  client.SendBytes(Repeated(EncodeRequest({"GET", "key"}), count));
  ASSERT_EQ(shutdown(client.fd(), SHUT_WR), 0);
  std::this_thread::sleep_for(100ms);  // So that the server has seen the end before we read.
  ReadAway(client, count * (size + std::string("$100000\r\n\r\n").size()));
  EXPECT_TRUE(client.ReadsEnd());
  EXPECT_TRUE(ClientsHaveGone());
}

TEST_F(RobustnessTest, HalfClosedClientThatLeavesIsForgotten) {
  Start();
  {
    RespClient client = Connect();
    ASSERT_EQ(client.Raw({"SET", "key", std::string(1 << 20, 'v')}), "+OK\r\n");
    client.SendBytes(Repeated(EncodeRequest({"GET", "key"}), 50));
    shutdown(client.fd(), SHUT_WR);
    std::this_thread::sleep_for(100ms);
  }
  EXPECT_TRUE(ClientsHaveGone());
}

TEST_F(RobustnessTest, GarbageHarmsNobody) {
  Start();
  const size_t descriptors = OpenDescriptors(server().pid());
  RespClient other = Connect();
  std::mt19937 random(7);
  for (int i = 0; i < 200; ++i) {
    RespClient client = Connect();
    std::string bytes(1 + random() % 5000, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    if (i % 2 == 0) bytes[0] = '*';
    SendWithoutReading(client, bytes, 1, 100ms);
    ASSERT_EQ(other.Raw({"PING"}), "+PONG\r\n");
  }
  other.Close();
  EXPECT_TRUE(ClientsHaveGone());
  EXPECT_TRUE(Eventually([&] { return OpenDescriptors(server().pid()) <= descriptors; }));
}

TEST_F(RobustnessTest, EmptyLinesAreNoRequests) {
  Start();
  RespClient client = Connect();
  client.SendBytes(Repeated("\r\n", 100'000));
  EXPECT_EQ(client.Raw({"PING"}), "+PONG\r\n");
  EXPECT_TRUE(client.StaysSilent(20ms));
}

TEST_F(RobustnessTest, PipelineOfAMillionIsAnsweredInOrder) {
  Start();
  const int64_t count = kSanitized ? 50'000 : 1'000'000;
  RespClient client = Connect();
  // A writer and a reader of one socket: send and recv do not mind each other.
  const std::string all = Repeated("*2\r\n$4\r\nINCR\r\n$1\r\nc\r\n", static_cast<size_t>(count));
  Background writing([&] {
    for (std::string_view rest = all; !rest.empty();) {
      const ssize_t sent = send(client.fd(), rest.data(), rest.size(), MSG_NOSIGNAL);
      if (sent <= 0) throw std::runtime_error("send failed");
      rest.remove_prefix(static_cast<size_t>(sent));
    }
  });
  std::string expected;
  for (int64_t i = 1; i <= count; ++i) expected += ":" + std::to_string(i) + "\r\n";
  std::string received;
  std::vector<char> buffer(1 << 20);
  while (received.size() < expected.size()) {
    const ssize_t got = recv(client.fd(), buffer.data(), buffer.size(), 0);
    ASSERT_GT(got, 0);
    received.append(buffer.data(), static_cast<size_t>(got));
  }
  writing.Join();
  EXPECT_TRUE(received == expected);
}

TEST_F(RobustnessTest, ValuesOfEverySizeSurviveEveryCut) {
  Start();
  RespClient client = Connect();
  std::mt19937 random(11);
  std::vector<size_t> sizes = {1, 2, 100, 16'000, kSanitized ? 100'000u : 16u << 20};
  for (const size_t edge : {32u << 10, 64u << 10, 1u << 20}) {
    for (const size_t size : {edge - 30, edge - 2, edge - 1, edge, edge + 1, edge + 30}) {
      sizes.push_back(size);
    }
  }
  for (const size_t size : sizes) {
    std::string value(size, '\0');
    for (char& byte : value) byte = static_cast<char>(random());
    // What comes before and behind travels in the same pieces.
    const std::string bytes = EncodeRequest({"SET", "key", value}) + EncodeRequest({"GET", "key"}) +
                              EncodeRequest({"STRLEN", "key"});
    const size_t most = 1 + random() % (2 * bytes.size() / 3);
    for (size_t at = 0; at < bytes.size();) {
      const size_t piece = std::min(1 + random() % most, bytes.size() - at);
      client.SendBytes({bytes.data() + at, piece});
      at += piece;
    }
    ASSERT_EQ(client.ReadReply(), "+OK\r\n");
    ASSERT_TRUE(client.ReadValue().text == value) << size;
    ASSERT_EQ(client.ReadValue().integer, static_cast<int64_t>(size));
  }
}

// On one thread, which must not serve the eager one alone.
TEST_F(RobustnessTest, ClientThatTakesALotLeavesTimeForOthers) {
  Start({"--threads", "1", "--client-output-buffer-limit", "normal 0 0 0"});
  const size_t size = 4 << 20;
  const size_t count = kSanitized ? 20 : 300;
  RespClient eager = Connect();
  ASSERT_EQ(eager.Raw({"SET", "key", std::string(size, 'v')}), "+OK\r\n");
  std::atomic<bool> done{false};
  const auto begin = std::chrono::steady_clock::now();
  Background reading([&] {
    eager.SendBytes(Repeated(EncodeRequest({"GET", "key"}), count));
    ReadAway(eager, count * (size + std::string("$4194304\r\n\r\n").size()));
    done = true;
  });
  RespClient other = Connect();
  const auto slowest = SlowestPing(other, done);
  reading.Join();
  // A machine that is busy with other things is slow for both: served alone, the eager one would
  // keep the other waiting for nearly all of its time.
  const std::chrono::nanoseconds whole = std::chrono::steady_clock::now() - begin;
  EXPECT_LT(slowest, std::max<std::chrono::nanoseconds>(kSanitized ? 5s : 250ms, whole / 4));
}

TEST_F(RobustnessTest, SubscriberThatDoesNotReadIsCutOff) {
  Start({"--client-output-buffer-limit", "pubsub 8mb 0 0"});
  RespClient slow = Connect();
  RespClient quick = Connect();
  ASSERT_THAT(slow.Raw({"SUBSCRIBE", "news"}), HasSubstr("subscribe"));
  ASSERT_THAT(quick.Raw({"SUBSCRIBE", "news"}), HasSubstr("subscribe"));
  RespClient publisher = Connect();
  const std::string padding(1 << 20, 'm');
  for (int i = 0; i < 40; ++i) {
    publisher.Call({"PUBLISH", "news", std::to_string(i) + padding});
    const RespValue message = quick.ReadValue();
    ASSERT_TRUE(message.elements[2].text == std::to_string(i) + padding) << i;
  }
  EXPECT_TRUE(Eventually([&] { return publisher.Call({"PUBLISH", "news", "last"}).integer == 1; }));
  EXPECT_EQ(InfoNumber("client_output_buffer_limit_disconnections"), 1);
}

TEST_F(RobustnessTest, ClientsComeAndGoWithoutALeak) {
  Start({"--threads", "4"});
  RespClient steady = Connect();
  ASSERT_EQ(steady.Raw({"SET", "big", std::string(200'000, 'v')}), "+OK\r\n");
  // Whoever found out that the server is up has left before anything is counted.
  ASSERT_TRUE(Eventually([&] { return larder::InfoNumber(steady, "connected_clients") == 1; }));
  const size_t descriptors = OpenDescriptors(server().pid());
  std::deque<Background> visitors;
  for (unsigned seed = 0; seed < 4; ++seed) {
    visitors.emplace_back([&, seed] {
      std::mt19937 random(seed);
      for (int i = 0; i < (kSanitized ? 100 : 400); ++i) {
        RespClient client = Connect();
        switch (random() % 7) {
          case 0:
            break;
          case 1:
            client.Raw({"PING"});
            break;
          case 2:
            client.SendBytes(Repeated(EncodeRequest({"GET", "big"}), 20));
            break;
          case 3:
            client.SendBytes("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100000\r\nabc");
            break;
          case 4:
            client.Send({"SUBSCRIBE", "a", "b"});
            client.Send({"MONITOR"});
            break;
          case 5:
            client.SendBytes(EncodeRequest({"WATCH", "big"}) + EncodeRequest({"MULTI"}) +
                             EncodeRequest({"SET", "k", "v"}));
            break;
          default:
            client.Send({"WAIT", "1", "0"});
        }
      }
    });
  }
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(steady.Call({"INCR", "steady"}).integer, i + 1);
  for (Background& visitor : visitors) visitor.Join();
  EXPECT_TRUE(Eventually([&] { return OpenDescriptors(server().pid()) <= descriptors; }))
      << OpenDescriptors(server().pid()) << " descriptors, were " << descriptors;
  steady.Close();
  EXPECT_TRUE(ClientsHaveGone());
  EXPECT_EQ(InfoNumber("blocked_clients"), 0);
  EXPECT_EQ(InfoNumber("pubsub_clients"), 0);
  EXPECT_EQ(InfoNumber("monitors"), 0);
}

TEST_F(RobustnessTest, ThousandsOfIdleClientsAreNoBurden) {
  const size_t count = kSanitized ? 300 : 2000;
  if (!MayOpenDescriptors(count + 100)) GTEST_SKIP() << "too few descriptors";
  Start();
  std::vector<RespClient> clients;
  for (size_t i = 0; i < count; ++i) clients.push_back(Connect());
  for (RespClient& client : clients) client.Send({"PING"});
  for (RespClient& client : clients) ASSERT_EQ(client.ReadReply(), "+PONG\r\n");
  EXPECT_EQ(InfoNumber("connected_clients"), static_cast<int64_t>(count) + 1);
  clients.clear();
  EXPECT_TRUE(ClientsHaveGone());
}

// ---- What one thread does to the clients of another.

TEST_F(RobustnessTest, PausedPipelinesGoOnInOrder) {
  Start({"--threads", "4"});
  RespClient admin = Connect();
  std::vector<RespClient> clients;
  for (int i = 0; i < 8; ++i) clients.push_back(Connect());
  ASSERT_EQ(admin.Raw({"CLIENT", "PAUSE", "60000", "WRITE"}), "+OK\r\n");
  // More than one batch, with a value that is received on its own in the middle.
  const std::string value(100'000, 'v');
  for (size_t i = 0; i < clients.size(); ++i) {
    const std::string key = "key" + std::to_string(i);
    clients[i].SendBytes(EncodeRequest({"GET", key}) + Repeated(EncodeRequest({"INCR", key}), 100) +
                         EncodeRequest({"SET", key, value}) + EncodeRequest({"STRLEN", key}));
  }
  for (RespClient& client : clients) {
    EXPECT_EQ(client.ReadReply(), "$-1\r\n");  // Reading goes on.
    EXPECT_TRUE(client.StaysSilent(10ms));
  }
  ASSERT_EQ(admin.Raw({"CLIENT", "UNPAUSE"}), "+OK\r\n");
  for (RespClient& client : clients) {
    for (int i = 1; i <= 100; ++i) ASSERT_EQ(client.ReadValue().integer, i);
    EXPECT_EQ(client.ReadReply(), "+OK\r\n");
    EXPECT_EQ(client.ReadValue().integer, 100'000);
  }
}

TEST_F(RobustnessTest, FreedMemoryGoesBackToTheSystem) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer keeps what is freed";
  Start({"--threads", "2", "--enable-debug-command", "local"});
  RespClient client = Connect();
  const int64_t before = ResidentBytes(server().pid());
  ASSERT_EQ(client.Raw({"DEBUG", "POPULATE", "200000", "key", "1000"}), "+OK\r\n");
  ASSERT_GT(ResidentBytes(server().pid()), before + 180 * kMebibyte);
  ASSERT_EQ(client.Raw({"FLUSHALL"}), "+OK\r\n");
  // All but what is kept for the next values. Who gives it back makes way for everybody else: on a
  // machine that is busy it comes when it comes.
  EXPECT_TRUE(
      Eventually([&] { return ResidentBytes(server().pid()) < before + 100 * kMebibyte; }, 120s));
}

TEST_F(RobustnessTest, LongPipelinesLetOthersThrough) {
  Start({"--threads", "1"});
  RespClient busy = Connect();
  ASSERT_EQ(busy.Raw({"SETRANGE", "big", "1000000", "v"}), ":1000001\r\n");
  RespClient other = Connect();
  ASSERT_EQ(other.Raw({"PING"}), "+PONG\r\n");
  // What arrives in one piece keeps the thread busy for tens of milliseconds.
  constexpr int kCount = 2000;
  busy.SendBytes(Repeated(EncodeRequest({"BITCOUNT", "big"}), kCount));
  const std::string stats = other.Call({"INFO", "commandstats"}).text;
  const std::string name = "cmdstat_bitcount:calls=";
  const size_t at = stats.find(name);
  EXPECT_TRUE(at == std::string::npos || std::stoi(stats.substr(at + name.size())) < kCount);
  for (int i = 0; i < kCount; ++i) ASSERT_EQ(busy.ReadReply(), ":5\r\n");
}

TEST_F(RobustnessTest, PauseEndsByItself) {
  Start({"--threads", "2"});
  RespClient admin = Connect();
  RespClient client = Connect();
  ASSERT_EQ(admin.Raw({"CLIENT", "PAUSE", "300"}), "+OK\r\n");
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(client.Raw({"PING"}), "+PONG\r\n");
  EXPECT_GT(std::chrono::steady_clock::now() - begin, 200ms);
}

TEST_F(RobustnessTest, WaitingClientsAreUnblockedKilledAndForgotten) {
  Start({"--threads", "4"});
  RespClient admin = Connect();
  std::vector<RespClient> clients;
  std::vector<std::string> ids;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(Connect());
    ids.push_back(std::to_string(clients.back().Call({"CLIENT", "ID"}).integer));
    clients.back().SendBytes(EncodeRequest({"WAIT", "1", "0"}) + EncodeRequest({"PING"}));
  }
  ASSERT_TRUE(Eventually([&] { return InfoNumber("blocked_clients") == 8; }));
  for (size_t i = 0; i < 4; ++i) {
    const bool error = i % 2 == 0;
    ASSERT_EQ(admin.Raw({"CLIENT", "UNBLOCK", ids[i], error ? "ERROR" : "TIMEOUT"}), ":1\r\n");
    EXPECT_EQ(clients[i].ReadReply(),
              error ? "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n" : ":0\r\n");
    EXPECT_EQ(clients[i].ReadReply(), "+PONG\r\n");
  }
  for (size_t i = 4; i < 6; ++i) {
    ASSERT_EQ(admin.Raw({"CLIENT", "KILL", "ID", ids[i]}), ":1\r\n");
    EXPECT_TRUE(clients[i].ReadsEnd());
  }
  for (size_t i = 6; i < 8; ++i) clients[i].Close();
  EXPECT_TRUE(Eventually([&] { return InfoNumber("blocked_clients") == 0; }));
  EXPECT_EQ(admin.Raw({"CLIENT", "UNBLOCK", ids[7]}), ":0\r\n");
}

TEST_F(RobustnessTest, MessagesOfOnePublisherKeepTheirOrderEverywhere) {
  Start({"--threads", "4"});
  const int count = kSanitized ? 500 : 3000;
  std::vector<RespClient> subscribers;
  for (int i = 0; i < 8; ++i) {
    subscribers.push_back(Connect());
    ASSERT_THAT(subscribers.back().Raw({"SUBSCRIBE", "a", "b"}), HasSubstr("subscribe"));
    ASSERT_THAT(subscribers.back().ReadReply(), HasSubstr("subscribe"));
  }
  std::deque<Background> publishers;
  for (const std::string channel : {"a", "b"}) {
    publishers.emplace_back([&, channel] {
      RespClient client = Connect();
      std::string pipeline;
      for (int i = 0; i < count; ++i) {
        pipeline += EncodeRequest({"PUBLISH", channel, std::to_string(i)});
      }
      client.SendBytes(pipeline);
      for (int i = 0; i < count; ++i) client.ReadReply();
    });
  }
  for (RespClient& subscriber : subscribers) {
    int next[2] = {0, 0};
    for (int i = 0; i < 2 * count; ++i) {
      const RespValue message = subscriber.ReadValue();
      int& expected = next[message.elements[1].text == "b"];
      ASSERT_EQ(message.elements[2].text, std::to_string(expected));
      ++expected;
    }
  }
  for (Background& publisher : publishers) publisher.Join();
}

TEST_F(RobustnessTest, MonitorSeesEveryThread) {
  Start({"--threads", "4"});
  RespClient monitor = Connect();
  ASSERT_EQ(monitor.Raw({"MONITOR"}), "+OK\r\n");
  std::vector<RespClient> clients;
  for (int i = 0; i < 8; ++i) clients.push_back(Connect());
  for (int i = 0; i < 8; ++i) {
    ASSERT_EQ(clients[static_cast<size_t>(i)].Raw({"SET", "key", std::to_string(i)}), "+OK\r\n");
    EXPECT_THAT(monitor.ReadReply(), HasSubstr("\"SET\" \"key\" \"" + std::to_string(i) + "\""));
  }
}

}  // namespace
}  // namespace larder
