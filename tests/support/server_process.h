// A server of its own for a test: started on a free port of 127.0.0.1 in a fresh directory,
// awaited, and ended (by its own process id) with the object.
//
//   ServerProcess server = ServerProcess::StartLarder({"--maxmemory", "10mb"});
//   RespClient client(server.port());
//
// What goes wrong throws std::runtime_error with the server's log in it; GoogleTest reports that.
//
// Concurrency: thread-confined.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace larder {

// A directory of its own below the system's temporary one, removed with the object.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(TemporaryDirectory&& other) noexcept;
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class ServerProcess {
 public:
  // "--port", "--bind" and "--save ''" are given by the harness, before `arguments`. Both return
  // once the server answers PING.
  static ServerProcess StartLarder(const std::vector<std::string>& arguments = {});
  static ServerProcess StartRedis(const std::vector<std::string>& arguments = {});

  // Any program, nothing added and nothing awaited: for what must refuse to start, or listens on a
  // port or socket of the caller's choice. It runs in directory().
  ServerProcess(const std::string& program, const std::vector<std::string>& arguments);
  ~ServerProcess();
  ServerProcess(ServerProcess&& other) noexcept;
  ServerProcess& operator=(ServerProcess&&) = delete;

  int port() const { return port_; }
  pid_t pid() const { return pid_; }
  const std::filesystem::path& directory() const { return directory_.path(); }
  // Everything it has written to standard output and error so far.
  std::string Log() const;

  bool running();
  void Signal(int signal) const;
  // The status as a shell says it (128 + n after signal n), or nothing if it still runs then.
  std::optional<int> WaitForExit(std::chrono::milliseconds timeout);
  // SIGTERM, and SIGKILL if that is not obeyed within five seconds. Returns the status.
  int Stop();

 private:
  static ServerProcess Start(const std::string& program, const std::vector<std::string>& arguments);
  bool AnswersPing(int port);

  TemporaryDirectory directory_;
  pid_t pid_ = -1;
  std::optional<int> status_;
  int port_ = 0;
};

// A TCP port that nobody listened on a moment ago.
int FreePort();

// larder-server as the environment (LARDER_SERVER) or else the build says.
std::string LarderServerPath();

}  // namespace larder
