// Where the server listens, whom it lets in, and which thread a client comes to.
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <list>
#include <netdb.h>
#include <netinet/in.h>
#include <optional>
#include <sstream>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/background.h"
#include "tests/support/resp_client.h"
#include "tests/support/server_process.h"

namespace larder {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr char kTooManyClients[] = "-ERR max number of clients reached\r\n";

// What the server at `host` answers to PING, or why there is no answer.
std::string Ping(const std::string& host, int port) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) {
    return "no such address";
  }
  const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::string answer = "no connection";
  const timeval timeout{.tv_sec = 5, .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
  if (connect(fd, found->ai_addr, found->ai_addrlen) == 0) {
    char bytes[64];
    send(fd, "PING\r\n", 6, MSG_NOSIGNAL);
    const ssize_t got = recv(fd, bytes, sizeof(bytes), 0);
    answer.assign(bytes, static_cast<size_t>(std::max<ssize_t>(got, 0)));
  }
  close(fd);
  freeaddrinfo(found);
  return answer;
}

bool MachineHasIpv6() {
  const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  const bool has =
      fd >= 0 && bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  if (fd >= 0) close(fd);
  return has;
}

TEST(NetworkTest, ListensOnSeveralAddresses) {
  ServerProcess server = ServerProcess::StartLarder({"--bind", "127.0.0.1", "127.0.0.2"});
  EXPECT_EQ(Ping("127.0.0.1", server.port()), "+PONG\r\n");
  EXPECT_EQ(Ping("127.0.0.2", server.port()), "+PONG\r\n");
  EXPECT_EQ(Ping("127.0.0.3", server.port()), "no connection");
}

TEST(NetworkTest, ListensOnIpv6) {
  if (!MachineHasIpv6()) GTEST_SKIP() << "this machine has no IPv6";
  ServerProcess server = ServerProcess::StartLarder({"--bind", "127.0.0.1", "::1"});
  EXPECT_EQ(Ping("127.0.0.1", server.port()), "+PONG\r\n");
  EXPECT_EQ(Ping("::1", server.port()), "+PONG\r\n");
}

// 203.0.113.0/24 is set aside for documentation: no machine has it.
TEST(NetworkTest, AddressWithMinusMayBeMissing) {
  ServerProcess first = ServerProcess::StartLarder({"--bind", "-203.0.113.7", "127.0.0.1"});
  EXPECT_EQ(Ping("127.0.0.1", first.port()), "+PONG\r\n");
  ServerProcess last = ServerProcess::StartLarder({"--bind", "127.0.0.1", "-203.0.113.7"});
  EXPECT_EQ(Ping("127.0.0.1", last.port()), "+PONG\r\n");
}

TEST(NetworkTest, AddressThatIsMissingStopsTheStart) {
  ServerProcess server(LarderServerPath(),
                       {"--port", std::to_string(FreePort()), "--bind", "203.0.113.7"});
  EXPECT_EQ(server.WaitForExit(10s), 1);
  EXPECT_THAT(server.Log(), HasSubstr("203.0.113.7"));
}

TEST(NetworkTest, PortInUseStopsTheStart) {
  ServerProcess first = ServerProcess::StartLarder();
  // Also at an address that may be missing: there it is not missing, but taken.
  for (const char* bind : {"127.0.0.1", "-127.0.0.1"}) {
    ServerProcess second(LarderServerPath(),
                         {"--port", std::to_string(first.port()), "--bind", bind});
    EXPECT_EQ(second.WaitForExit(10s), 1);
    EXPECT_THAT(second.Log(), HasSubstr("Address already in use"));
    EXPECT_THAT(second.Log(), HasSubstr(std::to_string(first.port())));
  }
  EXPECT_EQ(Ping("127.0.0.1", first.port()), "+PONG\r\n");
}

TEST(NetworkTest, NowhereToListenStopsTheStart) {
  ServerProcess server(LarderServerPath(), {"--port", "0"});
  EXPECT_EQ(server.WaitForExit(10s), 1);
  EXPECT_THAT(server.Log(), HasSubstr("Configured to not listen anywhere"));
}

TEST(NetworkTest, UnixSocketAloneIsEnough) {
  ServerProcess server(LarderServerPath(),
                       {"--port", "0", "--unixsocket", "larder.sock", "--unixsocketperm", "700"});
  const std::string path = server.directory() / "larder.sock";
  ASSERT_TRUE(Eventually([&] {
    struct stat status = {};
    return stat(path.c_str(), &status) == 0 && (status.st_mode & 0777) == 0700;
  })) << server.Log();
  RespClient client(path);
  EXPECT_EQ(client.Raw({"PING"}), "+PONG\r\n");
  EXPECT_THAT(client.Call({"CLIENT", "INFO"}).text, HasSubstr("larder.sock:0"));
  EXPECT_EQ(InfoNumber(client, "tcp_port"), 0);
  EXPECT_EQ(server.Stop(), 0);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(NetworkTest, StaleUnixSocketIsReplaced) {
  TemporaryDirectory directory;
  const std::string path = directory.path() / "larder.sock";
  {
    ServerProcess killed = ServerProcess::StartLarder({"--unixsocket", path});
    killed.Signal(SIGKILL);
    killed.WaitForExit(10s);
  }
  ASSERT_TRUE(std::filesystem::exists(path));
  ServerProcess server = ServerProcess::StartLarder({"--unixsocket", path});
  EXPECT_EQ(RespClient(path).Raw({"PING"}), "+PONG\r\n");
}

TEST(NetworkTest, UnixSocketPathThatIsTooLongStopsTheStart) {
  ServerProcess server(LarderServerPath(),
                       {"--port", "0", "--unixsocket", "/tmp/" + std::string(200, 'x')});
  EXPECT_EQ(server.WaitForExit(10s), 1);
  EXPECT_THAT(server.Log(), HasSubstr("too long"));
}

TEST(NetworkTest, OneClientTooManyIsToldSo) {
  ServerProcess server = ServerProcess::StartLarder({"--maxclients", "3", "--threads", "2"});
  // The harness's own connection may not be forgotten yet.
  std::vector<RespClient> clients;
  ASSERT_TRUE(Eventually([&] {
    clients.clear();
    try {
      for (int i = 0; i < 3; ++i) {
        clients.emplace_back(server.port());
        if (clients.back().Raw({"PING"}) != "+PONG\r\n") return false;
      }
    } catch (const std::runtime_error&) {
      return false;
    }
    return true;
  }));
  for (int i = 0; i < 5; ++i) {
    RespClient refused(server.port());
    EXPECT_EQ(refused.ReadReply(), kTooManyClients);
    EXPECT_TRUE(refused.ReadsEnd());
  }
  EXPECT_GE(InfoNumber(clients[0], "rejected_connections"), 5);

  clients.pop_back();
  EXPECT_TRUE(Eventually([&] {
    RespClient next(server.port());
    next.Send({"PING"});
    return next.ReadReply() == "+PONG\r\n";
  }));
}

TEST(NetworkTest, MaxclientsChangesAtRunTime) {
  ServerProcess server = ServerProcess::StartLarder();
  RespClient client(server.port());
  ASSERT_EQ(client.Raw({"CONFIG", "SET", "maxclients", "1"}), "+OK\r\n");
  EXPECT_EQ(RespClient(server.port()).ReadReply(), kTooManyClients);
  ASSERT_EQ(client.Raw({"CONFIG", "SET", "maxclients", "100"}), "+OK\r\n");
  EXPECT_EQ(RespClient(server.port()).Raw({"PING"}), "+PONG\r\n");
}

TEST(NetworkTest, IdleClientIsClosedButNotWhoWaitsForMessages) {
  ServerProcess server = ServerProcess::StartLarder({"--timeout", "1"});
  RespClient subscriber(server.port());
  subscriber.Raw({"SUBSCRIBE", "channel"});
  RespClient monitor(server.port());
  monitor.Raw({"MONITOR"});
  RespClient blocked(server.port());
  blocked.Send({"WAIT", "1", "0"});
  RespClient idle(server.port());
  EXPECT_EQ(idle.Raw({"PING"}), "+PONG\r\n");
  EXPECT_TRUE(idle.ReadsEnd());
  std::this_thread::sleep_for(1500ms);  // Another look at the idle clients or two.
  RespClient other(server.port());
  EXPECT_EQ(other.Raw({"PUBLISH", "channel", "news"}), ":1\r\n");
  EXPECT_THAT(subscriber.ReadReply(), HasSubstr("news"));
  while (monitor.ReadReply().find("PUBLISH") == std::string::npos) continue;
  EXPECT_TRUE(blocked.StaysSilent(10ms));
}

// The kernel shows a socket's timer, 2 being that of keep-alive, and when it is due in 1/100 s.
TEST(NetworkTest, KeepAliveIsAskedForAsConfigured) {
  ServerProcess server = ServerProcess::StartLarder({"--tcp-keepalive", "100"});
  RespClient client(server.port());
  ASSERT_EQ(client.Raw({"PING"}), "+PONG\r\n");
  char ends[64];
  std::snprintf(ends, sizeof(ends), "0100007F:%04X 0100007F:%04X", server.port(),
                client.LocalPort());
  std::optional<unsigned> due;
  const bool found = Eventually([&] {
    std::ifstream sockets("/proc/net/tcp");
    for (std::string line; std::getline(sockets, line);) {
      unsigned timer = 0;
      unsigned when = 0;
      const size_t at = line.find(ends);
      if (at == std::string::npos) continue;
      if (std::sscanf(line.c_str() + at + std::strlen(ends), " %*x %*x:%*x %x:%x", &timer, &when) !=
              2 ||
          timer != 2) {
        continue;
      }
      due = when;
      return when > 1000;  // Less is the timer of a delayed acknowledgement.
    }
    return false;
  });
  ASSERT_TRUE(found);
  EXPECT_LE(*due, 100u * 100);
  EXPECT_GT(*due, 80u * 100);
}

TEST(NetworkTest, PasswordIsAskedFor) {
  ServerProcess server = ServerProcess::StartLarder({"--requirepass", "secret"});
  RespClient client(server.port());
  EXPECT_EQ(client.Raw({"PING"}), "-NOAUTH Authentication required.\r\n");
  EXPECT_THAT(client.Raw({"AUTH", "wrong"}), testing::StartsWith("-WRONGPASS"));
  EXPECT_EQ(client.Raw({"AUTH", "secret"}), "+OK\r\n");
  EXPECT_EQ(client.Raw({"PING"}), "+PONG\r\n");
}

TEST(NetworkTest, PortMovesAtRunTime) {
  ServerProcess server = ServerProcess::StartLarder();
  RespClient client(server.port());
  const int port = FreePort();
  ASSERT_EQ(client.Raw({"CONFIG", "SET", "port", std::to_string(port)}), "+OK\r\n");
  EXPECT_EQ(Ping("127.0.0.1", port), "+PONG\r\n");
  EXPECT_EQ(Ping("127.0.0.1", server.port()), "no connection");
  EXPECT_EQ(InfoNumber(client, "tcp_port"), port);
  EXPECT_EQ(client.Raw({"PING"}), "+PONG\r\n");  // Who was there stays.
}

TEST(NetworkTest, PortThatIsTakenLeavesTheOldOneOpen) {
  ServerProcess other = ServerProcess::StartLarder();
  ServerProcess server = ServerProcess::StartLarder();
  RespClient client(server.port());
  EXPECT_THAT(client.Raw({"CONFIG", "SET", "port", std::to_string(other.port())}),
              HasSubstr("Unable to listen"));
  EXPECT_EQ(Ping("127.0.0.1", server.port()), "+PONG\r\n");
}

TEST(NetworkTest, AddressesChangeAtRunTime) {
  ServerProcess server = ServerProcess::StartLarder();
  RespClient client(server.port());
  ASSERT_EQ(client.Raw({"CONFIG", "SET", "bind", "127.0.0.2"}), "+OK\r\n");
  EXPECT_EQ(Ping("127.0.0.2", server.port()), "+PONG\r\n");
  EXPECT_EQ(Ping("127.0.0.1", server.port()), "no connection");
  EXPECT_EQ(client.Raw({"PING"}), "+PONG\r\n");
}

TEST(NetworkTest, NewClientComesToTheThreadWithTheFewest) {
  constexpr int kThreads = 4;
  ServerProcess server = ServerProcess::StartLarder({"--threads", std::to_string(kThreads)});
  std::list<RespClient> clients;
  clients.emplace_back(server.port());
  ASSERT_TRUE(Eventually([&] { return InfoNumber(clients.front(), "connected_clients") == 1; }));
  while (clients.size() < 3 * kThreads) clients.emplace_back(server.port());
  for (RespClient& client : clients) ASSERT_EQ(client.Raw({"PING"}), "+PONG\r\n");
  for (int i = 0; i < kThreads; ++i) {
    EXPECT_EQ(InfoNumber(clients.front(), "thread_" + std::to_string(i) + "_clients"), 3);
  }

  // The places that have become free are taken first.
  clients.pop_back();
  clients.pop_back();
  ASSERT_TRUE(Eventually(
      [&] { return InfoNumber(clients.front(), "connected_clients") == 3 * kThreads - 2; }));
  clients.emplace_back(server.port());
  clients.emplace_back(server.port());
  for (RespClient& client : clients) ASSERT_EQ(client.Raw({"PING"}), "+PONG\r\n");
  for (int i = 0; i < kThreads; ++i) {
    EXPECT_EQ(InfoNumber(clients.front(), "thread_" + std::to_string(i) + "_clients"), 3);
  }
}

TEST(BrowserTest, WhatAWebPageSendsIsNotExecuted) {
  ServerProcess server = ServerProcess::StartLarder();
  for (const std::string line : {"POST / HTTP/1.1", "Host: example.com"}) {
    RespClient browser(server.port());
    browser.SendBytes(line + "\r\nSET a 1\r\n");
    EXPECT_ANY_THROW(browser.ReadReply());
  }
  RespClient client(server.port());
  EXPECT_EQ(client.Raw({"EXISTS", "a"}), ":0\r\n");
}

}  // namespace
}  // namespace larder
