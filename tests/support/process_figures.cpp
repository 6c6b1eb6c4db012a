#include "tests/support/process_figures.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/resource.h>

namespace larder {
namespace {

std::string DirectoryOf(pid_t pid) { return "/proc/" + std::to_string(pid); }

// A line such as "VmHWM:     1234 kB".
int64_t StatusBytes(pid_t pid, std::string_view field) {
  std::ifstream status(DirectoryOf(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field)) return std::stoll(line.substr(field.size() + 1)) * 1024;
  }
  throw std::runtime_error("no figures of process " + std::to_string(pid));
}

}  // namespace

int64_t ResidentBytes(pid_t pid) { return StatusBytes(pid, "VmRSS"); }

int64_t PeakResidentBytes(pid_t pid) { return StatusBytes(pid, "VmHWM"); }

size_t OpenDescriptors(pid_t pid) {
  const std::filesystem::directory_iterator descriptors(DirectoryOf(pid) + "/fd");
  return static_cast<size_t>(std::distance(begin(descriptors), end(descriptors)));
}

bool MayOpenDescriptors(size_t count) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur >= count;
}

}  // namespace larder
