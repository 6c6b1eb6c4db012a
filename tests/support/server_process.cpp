#include "tests/support/server_process.h"

#include <arpa/inet.h>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <netinet/in.h>
#include <signal.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include "tests/support/resp_client.h"

namespace larder {
namespace {

using namespace std::chrono_literals;

// Generous, for sanitizer builds on a busy machine.
constexpr auto kStartTimeout = 30s;
constexpr auto kStopTimeout = 5s;
constexpr auto kPollInterval = 5ms;
// Between choosing a free port and listening on it somebody else may take it.
constexpr int kStartAttempts = 3;
constexpr char kLogName[] = "log";

[[noreturn]] void ThrowErrno(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

[[noreturn]] void RunChild(const std::filesystem::path& directory, char* const* argv) {
  // A test that crashes must not leave its servers behind.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (chdir(directory.c_str()) != 0) _exit(127);
  const int log = open(kLogName, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (log < 0 || null < 0) _exit(127);
  dup2(null, STDIN_FILENO);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execvp(argv[0], argv);
  _exit(127);
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() {
  std::string pattern = std::filesystem::temp_directory_path() / "larder-test-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) ThrowErrno("mkdtemp");
  path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
  if (path_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

TemporaryDirectory::TemporaryDirectory(TemporaryDirectory&& other) noexcept
    : path_(std::exchange(other.path_, {})) {}

int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  const bool known =
      fd >= 0 && bind(fd, generic, size) == 0 && getsockname(fd, generic, &size) == 0;
  if (fd >= 0) close(fd);
  if (!known) ThrowErrno("looking for a free port");
  return ntohs(address.sin_port);
}

std::string LarderServerPath() {
  const char* const given = std::getenv("LARDER_SERVER");
  return given != nullptr && *given != '\0' ? given : LARDER_SERVER_PATH;
}

ServerProcess::ServerProcess(const std::string& program,
                             const std::vector<std::string>& arguments) {
  std::vector<std::string> words = {program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_ = fork();
  if (pid_ < 0) ThrowErrno("fork");
  if (pid_ == 0) RunChild(directory(), argv.data());
}

ServerProcess::ServerProcess(ServerProcess&& other) noexcept
    : directory_(std::move(other.directory_)),
      pid_(std::exchange(other.pid_, -1)),
      status_(other.status_),
      port_(other.port_) {}

ServerProcess::~ServerProcess() {
  if (pid_ > 0) Stop();
}

ServerProcess ServerProcess::StartLarder(const std::vector<std::string>& arguments) {
  return Start(LarderServerPath(), arguments);
}

ServerProcess ServerProcess::StartRedis(const std::vector<std::string>& arguments) {
  return Start("redis-server", arguments);
}

ServerProcess ServerProcess::Start(const std::string& program,
                                   const std::vector<std::string>& arguments) {
  for (int attempt = 1;; ++attempt) {
    const int port = FreePort();
    std::vector<std::string> words = {
        "--port", std::to_string(port), "--bind", "127.0.0.1", "--save", ""};
    words.insert(words.end(), arguments.begin(), arguments.end());
    ServerProcess server(program, words);
    const auto deadline = std::chrono::steady_clock::now() + kStartTimeout;
    while (server.running() && std::chrono::steady_clock::now() < deadline) {
      if (server.AnswersPing(port)) {
        server.port_ = port;
        return server;
      }
      std::this_thread::sleep_for(kPollInterval);
    }
    if (attempt == kStartAttempts) {
      throw std::runtime_error(program + " did not start; its log:\n" + server.Log());
    }
  }
}

bool ServerProcess::AnswersPing(int port) {
  try {
    RespClient client(port, 2s);
    client.Send({"PING"});
    // With requirepass it says NOAUTH, and is up as well.
    const std::string reply = client.ReadReply();
    return reply == "+PONG\r\n" || reply.starts_with("-NOAUTH");
  } catch (const std::runtime_error&) {
    return false;
  }
}

std::string ServerProcess::Log() const {
  std::ifstream file(directory() / kLogName, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

bool ServerProcess::running() { return !WaitForExit(0ms).has_value(); }

void ServerProcess::Signal(int signal) const {
  if (pid_ > 0 && !status_) kill(pid_, signal);
}

std::optional<int> ServerProcess::WaitForExit(std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!status_) {
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
      status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      break;
    }
    if (std::chrono::steady_clock::now() >= deadline) break;
    std::this_thread::sleep_for(kPollInterval);
  }
  return status_;
}

int ServerProcess::Stop() {
  Signal(SIGTERM);
  if (!WaitForExit(kStopTimeout)) {
    Signal(SIGKILL);
    WaitForExit(kStopTimeout);
  }
  return status_.value_or(-1);
}

}  // namespace larder
