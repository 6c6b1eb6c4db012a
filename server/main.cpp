// larder-server: reads the configuration, starts the server, runs it until it is told to stop.

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/allocator.h"
#include "base/text.h"
#include "base/version.h"
#include "server/config_loader.h"
#include "server/config_store.h"
#include "server/logging.h"
#include "server/page_release.h"
#include "server/server.h"

namespace larder {
namespace {

int Fail(std::string_view message) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(message.size()), message.data());
  return 1;
}

// Detaches from the terminal; the parent leaves. False if there is no memory for a process.
bool Daemonize() {
  const pid_t pid = fork();
  if (pid < 0) return false;
  if (pid > 0) _exit(0);
  setsid();
  const int null = open("/dev/null", O_RDWR);
  if (null >= 0) {
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    if (null > STDERR_FILENO) close(null);
  }
  return true;
}

void WritePidFile(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (file == nullptr) {
    Log(LogLevel::kWarning, absl::StrCat("Failed to write PID file: ", std::strerror(errno)));
    return;
  }
  std::fprintf(file, "%d\n", static_cast<int>(getpid()));
  std::fclose(file);
}

int RunServer(ConfigStore& store) {
  const std::shared_ptr<const Config> config = store.Snapshot();
  if (!config->dir.empty() && chdir(config->dir.c_str()) != 0) {
    return Fail(absl::StrCat("Can't chdir to '", config->dir, "': ", std::strerror(errno)));
  }
  // The log comes first: who starts a daemon is still there to hear that it cannot be opened.
  if (absl::Status status = InitLogging(*config); !status.ok()) {
    return Fail(AsStd(status.message()));
  }
  if (config->daemonize && !Daemonize()) return Fail("Can't run in the background");
  // The end of a terminal, or of a pipe that the log goes to, is not the end of the server.
  std::signal(SIGHUP, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
  const PageRelease page_release([&store]() -> PageBalance::Limit {
    const std::shared_ptr<const Config> now = store.Snapshot();
    return {.bytes = now->max_memory_bytes,
            .evicts = now->max_memory_policy != EvictionPolicy::kNoEviction};
  });
  Log(LogLevel::kNotice, absl::StrCat("Larder ", AsAbsl(kLarderVersion), " starting, pid ",
                                      getpid(), ", ", config->threads, " threads"));
  for (const ConfigWarning& warning : store.TakeWarnings()) {
    Log(LogLevel::kWarning, absl::StrCat(warning.origin, ": ", warning.text));
  }
  Server server(store);
  if (absl::Status status = server.Start(); !status.ok()) {
    Log(LogLevel::kWarning, AsStd(status.message()));
    return 1;
  }
  // Not before: a server that fails because another has the port leaves that one's file alone. A
  // pid file is what daemons are known by, also when its place was not chosen.
  const std::string pid_file =
      config->pid_file.empty() && config->daemonize ? "/var/run/larder.pid" : config->pid_file;
  if (!pid_file.empty()) WritePidFile(pid_file);
  Log(LogLevel::kNotice, "Ready to accept connections");
  server.Run();
  if (!pid_file.empty()) unlink(pid_file.c_str());
  return 0;
}

int Main(std::vector<std::string_view> arguments) {
  switch (ActionOfCommandLine(arguments)) {
    case CommandLineAction::kPrintVersion:
      std::printf("Larder server v=%s malloc=%s bits=%zu\n", std::string(kLarderVersion).c_str(),
                  AllocatorName().c_str(), sizeof(void*) * 8);
      return 0;
    case CommandLineAction::kPrintHelp:
      std::fputs(CommandLineHelp().c_str(), stdout);
      return 0;
    case CommandLineAction::kRun:
      break;
  }
  ConfigStore store;
  if (absl::Status status = store.LoadArguments(arguments); !status.ok()) {
    std::fputs(std::string(AsStd(status.message())).c_str(), stderr);
    return 1;
  }
  return RunServer(store);
}

}  // namespace
}  // namespace larder

int main(int argc, char** argv) {
  return larder::Main(std::vector<std::string_view>(argv + 1, argv + argc));
}
