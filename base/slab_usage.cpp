#include "base/slab_usage.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "base/allocator.h"

#if LARDER_JEMALLOC
#include <jemalloc/jemalloc.h>
#endif

namespace larder {

#if LARDER_JEMALLOC

namespace {

// Of slabs that are fuller than this, nothing is moved: it would take many moves to free one.
constexpr double kNearlyFull = 31.0 / 32;

template <typename T>
T Read(const std::string& name) {
  T value{};
  size_t length = sizeof(value);
  mallctl(name.c_str(), &value, &length, nullptr, 0);
  return value;
}

// The path of a name of jemalloc's, looked up once.
struct Mib {
  explicit Mib(const char* name) { found = mallctlnametomib(name, parts.data(), &length) == 0; }

  std::array<size_t, 4> parts;
  size_t length = parts.size();
  bool found = false;
};

const Mib& Query() {
  static const Mib query("experimental.utilization.batch_query");
  return query;
}

}  // namespace

bool SlabUsage::available() { return Query().found; }

SlabUsage::SlabUsage() {
  uint64_t epoch = 1;  // Asks for statistics of this moment.
  size_t length = sizeof(epoch);
  mallctl("epoch", &epoch, &length, &epoch, length);
  const auto count = Read<unsigned>("arenas.nbins");
  classes_.reserve(count);
  for (unsigned i = 0; i < count; ++i) {
    const std::string shape = "arenas.bin." + std::to_string(i);
    const std::string state = "stats.arenas.4096.bins." + std::to_string(i);  // Of all arenas.
    const auto bytes = Read<size_t>(shape + ".size");
    const auto slabs = Read<size_t>(state + ".curslabs");
    const auto used = Read<size_t>(state + ".curregs");
    const size_t room = slabs * Read<uint32_t>(shape + ".nregs");
    const bool is_full = static_cast<double>(used) >= kNearlyFull * static_cast<double>(room);
    classes_.push_back({.bytes = bytes, .sparse_regions = is_full ? 0 : used / slabs});
    wasted_bytes_ += static_cast<int64_t>((room - std::min(room, used)) * bytes);
  }
}

bool SlabUsage::IsSparse(const void* memory, size_t bytes) const {
  const auto size_class =
      std::lower_bound(classes_.begin(), classes_.end(), bytes,
                       [](const SizeClass& known, size_t wanted) { return known.bytes < wanted; });
  if (size_class == classes_.end() || size_class->sparse_regions == 0) return false;
  struct {
    size_t free_regions;
    size_t regions;
    size_t slab_bytes;
  } slab{};
  size_t length = sizeof(slab);
  const Mib& query = Query();
  if (mallctlbymib(query.parts.data(), query.length, &slab, &length, &memory, sizeof(memory)) != 0)
    return false;
  return slab.regions - slab.free_regions <= size_class->sparse_regions;
}

void* MoveAllocation(void* memory, size_t bytes) {
  void* moved = mallocx(bytes, MALLOCX_TCACHE_NONE);
  if (moved == nullptr) return memory;
  std::memcpy(moved, memory, bytes);
  sdallocx(memory, bytes, MALLOCX_TCACHE_NONE);
  return moved;
}

#else

bool SlabUsage::available() { return false; }
SlabUsage::SlabUsage() = default;
bool SlabUsage::IsSparse(const void* /*memory*/, size_t /*bytes*/) const { return false; }

void* MoveAllocation(void* memory, size_t bytes) {
  void* moved = Allocate(bytes);
  std::memcpy(moved, memory, bytes);
  Deallocate(memory, bytes);
  return moved;
}

#endif

}  // namespace larder
