// How much memory this process may use, as far as the operating system says: the smallest limit of
// its control group and that one's ancestors, else what the machine has. `maxmemory auto` is a
// share of it.
//
// Sources: the kernel's Documentation/admin-guide/cgroup-v2.rst (memory.max) and
// cgroup-v1/memory.rst (memory.limit_in_bytes), cgroups(7) for /proc/self/cgroup.
//
// Concurrency: safe from any thread. Reads about a dozen small files of /proc and /sys.
#pragma once

#include <cstdint>
#include <string>

namespace larder {

enum class MemorySource : uint8_t { kUnknown, kMachine, kControlGroup };

struct MachineMemory {
  int64_t bytes = 0;  // 0 if that cannot be told.
  MemorySource source = MemorySource::kUnknown;
};

// `root` stands in for "/" in tests; it ends in a slash.
MachineMemory FindMachineMemory(const std::string& root = "/");

}  // namespace larder
