// How the server starts, refuses to start, and ends.
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <thread>
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
using testing::Not;

constexpr auto kExitTimeout = 10s;

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void WriteFile(const std::filesystem::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

// Runs the server to its end with `arguments`; returns its output.
struct Ended {
  std::optional<int> status;
  std::string output;
};
Ended RunToEnd(const std::vector<std::string>& arguments) {
  ServerProcess server(LarderServerPath(), arguments);
  const std::optional<int> status = server.WaitForExit(kExitTimeout);
  return {status, server.Log()};
}

TEST(LifecycleTest, VersionIsPrinted) {
  for (const char* option : {"--version", "-v"}) {
    const Ended ended = RunToEnd({option});
    EXPECT_EQ(ended.status, 0);
    EXPECT_THAT(ended.output, testing::StartsWith("Larder server v="));
  }
}

TEST(LifecycleTest, HelpIsPrinted) {
  for (const char* option : {"--help", "-h"}) {
    const Ended ended = RunToEnd({option});
    EXPECT_EQ(ended.status, 0);
    EXPECT_THAT(ended.output, testing::StartsWith("Usage: larder-server"));
  }
}

TEST(LifecycleTest, BadLineOfTheConfigurationIsNamed) {
  TemporaryDirectory directory;
  const std::filesystem::path file = directory.path() / "bad.conf";
  WriteFile(file, "threads 1\n# a comment\nport many\n");
  const Ended ended = RunToEnd({file});
  EXPECT_EQ(ended.status, 1);
  EXPECT_THAT(ended.output, HasSubstr("bad.conf"));
  EXPECT_THAT(ended.output, HasSubstr("3"));
  EXPECT_THAT(ended.output, HasSubstr("port many"));
}

TEST(LifecycleTest, UnknownDirectiveStopsTheStart) {
  const Ended ended = RunToEnd({"--no-such-directive", "1"});
  EXPECT_EQ(ended.status, 1);
  EXPECT_THAT(ended.output, HasSubstr("no-such-directive"));
}

TEST(LifecycleTest, MissingConfigurationFileStopsTheStart) {
  const Ended ended = RunToEnd({"/no/such/larder.conf"});
  EXPECT_EQ(ended.status, 1);
  EXPECT_THAT(ended.output, HasSubstr("/no/such/larder.conf"));
}

TEST(LifecycleTest, MissingDirectoryStopsTheStart) {
  const Ended ended = RunToEnd({"--port", "0", "--unixsocket", "s", "--dir", "/no/such/directory"});
  EXPECT_EQ(ended.status, 1);
  EXPECT_THAT(ended.output, HasSubstr("/no/such/directory"));
  EXPECT_THAT(ended.output, HasSubstr("No such file or directory"));
}

TEST(LifecycleTest, LogFileInMissingDirectoryStopsTheStart) {
  TemporaryDirectory directory;
  const std::string path = directory.path() / "missing" / "larder.log";
  for (const char* daemonize : {"no", "yes"}) {
    const Ended ended =
        RunToEnd({"--port", "0", "--unixsocket", "s", "--logfile", path, "--daemonize", daemonize});
    EXPECT_EQ(ended.status, 1);
    EXPECT_THAT(ended.output, HasSubstr(path));
    EXPECT_THAT(ended.output, HasSubstr("No such file or directory"));
    EXPECT_FALSE(std::filesystem::exists(directory.path() / "missing"));
  }
}

TEST(LifecycleTest, TooFewDescriptorsStopTheStart) {
  ServerProcess server("/bin/sh", {"-c", "ulimit -n 30; exec " + LarderServerPath() +
                                             " --threads 1 --port 0 --unixsocket s"});
  EXPECT_EQ(server.WaitForExit(kExitTimeout), 1);
  EXPECT_THAT(server.Log(), HasSubstr("limit on open files"));
}

TEST(LifecycleTest, FewDescriptorsLowerMaxclients) {
  ServerProcess server("/bin/sh", {"-c", "ulimit -n 100; exec " + LarderServerPath() +
                                             " --threads 1 --port 0 --unixsocket s"});
  const std::string path = server.directory() / "s";
  ASSERT_TRUE(Eventually([&] { return std::filesystem::exists(path); })) << server.Log();
  RespClient client(path);
  // 100 less 32 for the process and 2 for the thread.
  EXPECT_EQ(client.Raw({"CONFIG", "GET", "maxclients"}), "*2\r\n$10\r\nmaxclients\r\n$2\r\n66\r\n");
  EXPECT_THAT(server.Log(), HasSubstr("lowered"));
}

class ThreadsTest : public testing::TestWithParam<int> {};

TEST_P(ThreadsTest, AnyNumberOfThreadsServes) {
  ServerProcess server = ServerProcess::StartLarder({"--threads", std::to_string(GetParam())});
  std::vector<RespClient> clients;
  for (int i = 0; i < 2 * GetParam(); ++i) clients.emplace_back(server.port());
  for (RespClient& client : clients) client.Send({"INCR", "counter"});
  int64_t sum = 0;
  for (RespClient& client : clients) sum += client.ReadValue().integer;
  const int64_t count = 2 * GetParam();
  EXPECT_EQ(sum, count * (count + 1) / 2);
  EXPECT_EQ(server.Stop(), 0);
}

INSTANTIATE_TEST_SUITE_P(Threads, ThreadsTest, testing::Values(1, 2, 8, 64));

class SignalTest : public testing::TestWithParam<int> {};

TEST_P(SignalTest, EndsTheServerInOrder) {
  ServerProcess server = ServerProcess::StartLarder({"--threads", "2"});
  std::vector<RespClient> clients;
  for (int i = 0; i < 4; ++i) clients.emplace_back(server.port());
  EXPECT_EQ(clients[0].Raw({"PING"}), "+PONG\r\n");
  clients[1].Send({"WAIT", "1", "0"});
  EXPECT_EQ(clients[2].Raw({"CLIENT", "PAUSE", "60000", "WRITE"}), "+OK\r\n");
  clients[3].Send({"SET", "key", "value"});
  server.Signal(GetParam());
  for (RespClient& client : clients) EXPECT_TRUE(client.ReadsEnd());
  EXPECT_EQ(server.WaitForExit(kExitTimeout), 0);
  EXPECT_THAT(server.Log(),
              HasSubstr(GetParam() == SIGINT ? "Received SIGINT" : "Received SIGTERM"));
  EXPECT_THAT(server.Log(), HasSubstr("bye bye"));
}

INSTANTIATE_TEST_SUITE_P(Signals, SignalTest, testing::Values(SIGTERM, SIGINT));

TEST(LifecycleTest, EndOfTerminalOrPipeEndsNothing) {
  ServerProcess server = ServerProcess::StartLarder();
  server.Signal(SIGHUP);
  server.Signal(SIGPIPE);
  RespClient client(server.port());
  EXPECT_EQ(client.Raw({"PING"}), "+PONG\r\n");
}

TEST(LifecycleTest, ShutdownEndsBlockedAndPausedClients) {
  ServerProcess server = ServerProcess::StartLarder({"--threads", "2"});
  RespClient blocked(server.port());
  RespClient paused(server.port());
  RespClient admin(server.port());
  blocked.Send({"WAIT", "1", "0"});
  ASSERT_EQ(admin.Raw({"CLIENT", "PAUSE", "60000", "WRITE"}), "+OK\r\n");
  paused.Send({"SET", "key", "value"});
  admin.Send({"SHUTDOWN"});
  EXPECT_TRUE(blocked.ReadsEnd());
  EXPECT_TRUE(paused.ReadsEnd());
  EXPECT_TRUE(admin.ReadsEnd());
  EXPECT_EQ(server.WaitForExit(kExitTimeout), 0);
}

TEST(LifecycleTest, NothingRunsBehindShutdown) {
  ServerProcess server = ServerProcess::StartLarder();
  RespClient client(server.port());
  client.SendBytes(EncodeRequest({"PING"}) + EncodeRequest({"SHUTDOWN", "NOSAVE"}) +
                   EncodeRequest({"PING"}));
  EXPECT_EQ(client.ReadReply(), "+PONG\r\n");
  EXPECT_THROW(client.ReadReply(), std::runtime_error);
  EXPECT_EQ(server.WaitForExit(kExitTimeout), 0);
}

TEST(LifecycleTest, WhoSeesTheEndCannotConnectAgain) {
  for (int round = 0; round < 20; ++round) {
    ServerProcess server = ServerProcess::StartLarder({"--threads", "2"});
    RespClient client(server.port());
    client.Send({"SHUTDOWN"});
    ASSERT_TRUE(client.ReadsEnd());
    EXPECT_THROW(RespClient(server.port()), std::runtime_error) << round;
    EXPECT_EQ(server.WaitForExit(kExitTimeout), 0);
  }
}

// What Redis answers, and does, when it cannot save.
TEST(LifecycleTest, ShutdownSaveIsRefusedWhereNothingCanBeSaved) {
  ServerProcess server = ServerProcess::StartLarder();
  RespClient client(server.port());
  EXPECT_EQ(client.Raw({"SHUTDOWN", "SAVE"}), "-ERR Errors trying to SHUTDOWN. Check logs.\r\n");
  EXPECT_EQ(client.Raw({"PING"}), "+PONG\r\n");
  EXPECT_THAT(server.Log(), HasSubstr("can't exit"));
  client.Send({"SHUTDOWN", "SAVE", "FORCE"});
  EXPECT_TRUE(client.ReadsEnd());
  EXPECT_EQ(server.WaitForExit(kExitTimeout), 0);
}

TEST(LifecycleTest, ShutdownNowNeedsNoWaiting) {
  ServerProcess server = ServerProcess::StartLarder();
  RespClient client(server.port());
  client.Send({"SHUTDOWN", "NOSAVE", "NOW", "FORCE"});
  EXPECT_TRUE(client.ReadsEnd());
  EXPECT_EQ(server.WaitForExit(kExitTimeout), 0);
}

// The thread that sets the port waits for the main thread, which ends at that moment.
TEST(LifecycleTest, EndsWhileListenersAreBeingChanged) {
  for (int round = 0; round < 5; ++round) {
    ServerProcess server = ServerProcess::StartLarder({"--threads", "2"});
    const std::string ports[] = {std::to_string(FreePort()), std::to_string(FreePort())};
    std::thread changing([&] {
      try {
        RespClient client(server.port());
        for (int i = 0;; ++i) client.Raw({"CONFIG", "SET", "port", ports[i % 2]});
      } catch (const std::runtime_error&) {
        return;  // The server has ended.
      }
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(10 + 7 * round));
    server.Signal(SIGTERM);
    EXPECT_EQ(server.WaitForExit(kExitTimeout), 0);
    server.Signal(SIGKILL);
    changing.join();
  }
}

TEST(LifecycleTest, StartsAgainOnTheSamePortAfterItWasKilled) {
  const std::string port = std::to_string(FreePort());
  for (int round = 0; round < 3; ++round) {
    ServerProcess server(LarderServerPath(), {"--port", port, "--bind", "127.0.0.1"});
    std::optional<RespClient> client;
    ASSERT_TRUE(Eventually([&] {
      try {
        client.emplace(std::stoi(port));
        return true;
      } catch (const std::runtime_error&) {
        return false;
      }
    })) << server.Log();
    EXPECT_EQ(client->Raw({"SET", "key", "value"}), "+OK\r\n");
    server.Signal(SIGKILL);
    EXPECT_TRUE(client->ReadsEnd());
    EXPECT_EQ(server.WaitForExit(kExitTimeout), 128 + SIGKILL);
  }
}

// Ends a daemon that the test is not the parent of.
class Daemon {
 public:
  explicit Daemon(std::filesystem::path pid_file) : pid_file_(std::move(pid_file)) {}
  ~Daemon() {
    if (const pid_t found = pid(); found > 0 && kill(found, 0) == 0) kill(found, SIGKILL);
  }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  pid_t pid() const {
    const std::string text = ReadFile(pid_file_);
    return text.empty() ? -1 : std::stoi(text);
  }

 private:
  const std::filesystem::path pid_file_;
};

TEST(LifecycleTest, DaemonLeavesItsStarterAndIsKnownByItsPidFile) {
  TemporaryDirectory directory;
  const std::filesystem::path pid_file = directory.path() / "larder.pid";
  const std::filesystem::path log = directory.path() / "larder.log";
  const std::string port = std::to_string(FreePort());
  const Daemon daemon(pid_file);
  const Ended ended = RunToEnd({"--daemonize", "yes", "--pidfile", pid_file, "--logfile", log,
                                "--port", port, "--bind", "127.0.0.1", "--dir", directory.path()});
  EXPECT_EQ(ended.status, 0);
  ASSERT_TRUE(Eventually([&] {
    return ReadFile(log).find("Ready to accept") != std::string::npos;
  })) << ReadFile(log);
  RespClient client(std::stoi(port));
  EXPECT_EQ(client.Raw({"PING"}), "+PONG\r\n");
  EXPECT_THAT(client.Call({"INFO", "server"}).text,
              HasSubstr("process_id:" + std::to_string(daemon.pid()) + "\r\n"));
  kill(daemon.pid(), SIGTERM);
  EXPECT_TRUE(client.ReadsEnd());
  EXPECT_TRUE(Eventually([&] { return !std::filesystem::exists(pid_file); }));
  EXPECT_THAT(ReadFile(log), HasSubstr("bye bye"));
}

TEST(LifecycleTest, ServerThatFailsToStartLeavesAnothersPidFileAlone) {
  TemporaryDirectory directory;
  const std::string pid_file = directory.path() / "larder.pid";
  ServerProcess first = ServerProcess::StartLarder({"--pidfile", pid_file});
  const std::string before = ReadFile(pid_file);
  EXPECT_EQ(before, std::to_string(first.pid()) + "\n");
  const Ended second = RunToEnd(
      {"--port", std::to_string(first.port()), "--bind", "127.0.0.1", "--pidfile", pid_file});
  EXPECT_EQ(second.status, 1);
  EXPECT_EQ(ReadFile(pid_file), before);
  EXPECT_EQ(first.Stop(), 0);
  EXPECT_FALSE(std::filesystem::exists(pid_file));
}

}  // namespace
}  // namespace larder
