#include "server/machine_memory.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>
#include <string_view>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/text.h"

namespace larder {
namespace {

// No limit; version 1 says it with a number that no machine has.
constexpr int64_t kUnlimited = std::numeric_limits<int64_t>::max();

std::string ReadText(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

// "max" and a file that is not there are no limit.
int64_t ReadLimit(const std::string& path) {
  int64_t bytes = 0;
  return absl::SimpleAtoi(absl::StripAsciiWhitespace(ReadText(path)), &bytes) && bytes > 0
             ? bytes
             : kUnlimited;
}

// The smallest limit of the group and its ancestors. Where a container sees the tree from its own
// group on, but the group's path from the host's, the lower ones are not there; the top one is.
int64_t SmallestLimit(const std::string& mount, std::string group, std::string_view file) {
  int64_t smallest = kUnlimited;
  while (true) {
    while (!group.empty() && group.back() == '/') group.pop_back();
    smallest = std::min(smallest, ReadLimit(absl::StrCat(mount, group, "/", AsAbsl(file))));
    if (group.empty()) return smallest;
    const size_t slash = group.rfind('/');
    group.resize(slash == std::string::npos ? 0 : slash);
  }
}

// Whether the list of controllers has the one of memory.
bool HasMemory(const std::string& controllers) {
  for (const auto& name : absl::StrSplit(controllers, ',')) {
    if (name == "memory") return true;
  }
  return false;
}

// A line is `number:controllers:/path`; version 2 has number 0 and no controllers.
int64_t GroupLimit(const std::string& root) {
  const std::string mount = absl::StrCat(root, "sys/fs/cgroup");
  int64_t smallest = kUnlimited;
  std::istringstream lines(ReadText(absl::StrCat(root, "proc/self/cgroup")));
  for (std::string line; std::getline(lines, line);) {
    const std::vector<std::string> fields = absl::StrSplit(line, absl::MaxSplits(':', 2));
    // A path outside of what the process sees begins with "/..": only the top is left to look at.
    if (fields.size() != 3) continue;
    const std::string group = absl::StartsWith(fields[2], "/..") ? std::string() : fields[2];
    if (fields[0] == "0" && fields[1].empty()) {
      smallest = std::min(smallest, SmallestLimit(mount, group, "memory.max"));
    } else if (HasMemory(fields[1])) {
      smallest = std::min(
          smallest, SmallestLimit(absl::StrCat(mount, "/memory"), group, "memory.limit_in_bytes"));
    }
  }
  return smallest;
}

// The line `MemTotal:  16384 kB`; 0 if there is none.
int64_t TotalMemory(const std::string& root) {
  std::ifstream file(absl::StrCat(root, "proc/meminfo"));
  std::string name;
  int64_t kib = 0;
  while (file >> name >> kib) {
    if (name == "MemTotal:") return kib * 1024;
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return 0;
}

}  // namespace

MachineMemory FindMachineMemory(const std::string& root) {
  const int64_t total = TotalMemory(root);
  const int64_t limit = GroupLimit(root);
  if (limit != kUnlimited && (total == 0 || limit < total)) {
    return {.bytes = limit, .source = MemorySource::kControlGroup};
  }
  if (total == 0) return {};
  return {.bytes = total, .source = MemorySource::kMachine};
}

}  // namespace larder
