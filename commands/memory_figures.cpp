#include "commands/memory_figures.h"

#include <algorithm>
#include <cstdlib>
#include <fcntl.h>
#include <unistd.h>

namespace larder {
namespace {

double Ratio(int64_t a, int64_t b) {
  return b > 0 ? static_cast<double>(a) / static_cast<double>(b) : 0;
}

double Percent(int64_t part, int64_t whole) { return 100 * Ratio(part, whole); }

int64_t Signed(size_t bytes) { return static_cast<int64_t>(bytes); }

}  // namespace

// The second field of /proc/self/statm is the number of resident pages.
int64_t ResidentBytes() {
  const int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char text[128];
  const ssize_t size = read(fd, text, sizeof(text) - 1);
  close(fd);
  if (size <= 0) return 0;
  text[size] = '\0';
  char* rest = nullptr;
  std::strtoll(text, &rest, 10);
  return std::strtoll(rest, nullptr, 10) * sysconf(_SC_PAGESIZE);
}

double MemoryFigures::dataset_percent() const {
  return Percent(dataset_bytes(), used_bytes - startup_bytes);
}
double MemoryFigures::peak_percent() const { return Percent(used_bytes, peak_bytes); }
int64_t MemoryFigures::bytes_per_key() const {
  return keys > 0 ? std::max<int64_t>(0, used_bytes - startup_bytes) / keys : 0;
}
double MemoryFigures::allocator_fragmentation_ratio() const {
  return Ratio(Signed(allocator.active), Signed(allocator.allocated));
}
double MemoryFigures::allocator_resident_ratio() const {
  return Ratio(Signed(allocator.resident), Signed(allocator.active));
}
double MemoryFigures::resident_overhead_ratio() const {
  return Ratio(resident_bytes, Signed(allocator.resident));
}
double MemoryFigures::fragmentation_ratio() const { return Ratio(resident_bytes, used_bytes); }
int64_t MemoryFigures::allocator_fragmentation_bytes() const {
  return Signed(allocator.active) - Signed(allocator.allocated);
}
int64_t MemoryFigures::allocator_resident_overhead_bytes() const {
  return Signed(allocator.resident) - Signed(allocator.active);
}
int64_t MemoryFigures::resident_overhead_bytes() const {
  return resident_bytes - Signed(allocator.resident);
}
int64_t MemoryFigures::fragmentation_bytes() const { return resident_bytes - used_bytes; }

MemoryFigures CollectMemory(const ProcessMemory& process, int64_t keys, int64_t table_bytes) {
  MemoryFigures figures{.used_bytes = process.used_bytes,
                        .startup_bytes = process.startup_bytes,
                        .client_bytes = process.client_bytes,
                        .table_bytes = table_bytes,
                        .keys = keys,
                        .resident_bytes = ResidentBytes(),
                        .allocator = GetAllocatorStats()};
  figures.peak_bytes = std::max(process.peak_bytes, figures.used_bytes);
  return figures;
}

int64_t TotalSystemMemory() {
  const long pages = sysconf(_SC_PHYS_PAGES);
  return pages > 0 ? static_cast<int64_t>(pages) * sysconf(_SC_PAGESIZE) : 0;
}

}  // namespace larder
