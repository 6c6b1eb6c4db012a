#include "base/allocator.h"

#include <cstdlib>
#include <malloc.h>
#include <new>

#include "base/check.h"

#if LARDER_JEMALLOC
#include <jemalloc/jemalloc.h>
#endif

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define LARDER_SANITIZER_ALLOCATOR 1
#include <sanitizer/allocator_interface.h>
#endif
#endif

namespace larder {

#if LARDER_JEMALLOC

namespace {

size_t ReadSize(const char* name) {
  size_t value = 0;
  size_t length = sizeof(value);
  return mallctl(name, &value, &length, nullptr, 0) == 0 ? value : 0;
}

void RefreshStats() {
  uint64_t epoch = 1;
  size_t length = sizeof(epoch);
  mallctl("epoch", &epoch, &length, &epoch, length);
}

}  // namespace

void* Allocate(size_t bytes) {
  void* memory = mallocx(bytes == 0 ? 1 : bytes, 0);
  if (memory == nullptr) [[unlikely]]
    std::abort();
  return memory;
}

void* AllocateAligned(size_t bytes, size_t alignment) {
  void* memory = mallocx(bytes, MALLOCX_ALIGN(alignment));
  if (memory == nullptr) [[unlikely]]
    std::abort();
  return memory;
}

void* Reallocate(void* memory, size_t bytes) {
  if (memory == nullptr) return Allocate(bytes);
  void* moved = rallocx(memory, bytes == 0 ? 1 : bytes, 0);
  if (moved == nullptr) [[unlikely]]
    std::abort();
  return moved;
}

void Deallocate(void* memory, size_t bytes) {
  if (memory != nullptr) sdallocx(memory, bytes == 0 ? 1 : bytes, 0);
}

void Deallocate(void* memory) {
  if (memory != nullptr) dallocx(memory, 0);
}

size_t RoundedSize(size_t bytes) { return bytes == 0 ? 0 : nallocx(bytes, 0); }

size_t UsableSize(const void* memory) { return memory == nullptr ? 0 : sallocx(memory, 0); }

size_t AllocatedBytes() {
  RefreshStats();
  // What threads keep for their next requests counts as allocated there. 4096: MALLCTL_ARENAS_ALL.
  return ReadSize("stats.allocated") - ReadSize("stats.arenas.4096.tcache_bytes");
}

AllocatorStats GetAllocatorStats() {
  RefreshStats();
  return {.allocated = ReadSize("stats.allocated"),
          .active = ReadSize("stats.active"),
          .resident = ReadSize("stats.resident"),
          .retained = ReadSize("stats.retained"),
          .metadata = ReadSize("stats.metadata")};
}

std::string AllocatorReport() {
  std::string report;
  malloc_stats_print(
      [](void* text, const char* part) { static_cast<std::string*>(text)->append(part); }, &report,
      nullptr);
  return report;
}

std::string AllocatorName() {
  const char* version = nullptr;
  size_t length = sizeof(version);
  if (mallctl("version", &version, &length, nullptr, 0) != 0) return "jemalloc";
  const std::string text = version;
  return "jemalloc-" + text.substr(0, text.find('-'));
}

void FlushThreadCache() { mallctl("thread.tcache.flush", nullptr, nullptr, nullptr, 0); }

void ReleaseFreeMemory() {
  mallctl("arena.4096.purge", nullptr, nullptr, nullptr, 0);  // 4096: MALLCTL_ARENAS_ALL.
}

void KeepFreePages() {
  ssize_t never = -1;
  for (const char* kind : {"dirty", "muzzy"}) {
    // For arenas to come, and for those that are there.
    const std::string name = std::string(kind) + "_decay_ms";
    mallctl(("arenas." + name).c_str(), nullptr, nullptr, &never, sizeof(never));
    unsigned arenas = 0;
    size_t length = sizeof(arenas);
    mallctl("arenas.narenas", &arenas, &length, nullptr, 0);
    for (unsigned arena = 0; arena < arenas; ++arena) {
      mallctl(("arena." + std::to_string(arena) + "." + name).c_str(), nullptr, nullptr, &never,
              sizeof(never));
    }
  }
}

#else

void* Allocate(size_t bytes) {
  void* memory = std::malloc(bytes == 0 ? 1 : bytes);
  if (memory == nullptr) std::abort();
  return memory;
}

void* AllocateAligned(size_t bytes, size_t alignment) {
  void* memory = nullptr;
  const size_t at_least_pointer = alignment < sizeof(void*) ? sizeof(void*) : alignment;
  if (posix_memalign(&memory, at_least_pointer, bytes == 0 ? 1 : bytes) != 0) std::abort();
  return memory;
}

void* Reallocate(void* memory, size_t bytes) {
  void* moved = std::realloc(memory, bytes == 0 ? 1 : bytes);
  if (moved == nullptr) std::abort();
  return moved;
}

void Deallocate(void* memory, size_t /*bytes*/) { std::free(memory); }
void Deallocate(void* memory) { std::free(memory); }

// What jemalloc would answer is of no use to a sanitizer run; 16-byte steps are close enough.
size_t RoundedSize(size_t bytes) { return (bytes + 15) / 16 * 16; }

size_t UsableSize(const void* memory) { return malloc_usable_size(const_cast<void*>(memory)); }

// A sanitizer brings an allocator of its own, of which mallinfo knows nothing.
size_t AllocatedBytes() {
#ifdef LARDER_SANITIZER_ALLOCATOR
  return __sanitizer_get_current_allocated_bytes();
#else
  return mallinfo2().uordblks;
#endif
}

AllocatorStats GetAllocatorStats() {
#ifdef LARDER_SANITIZER_ALLOCATOR
  const size_t allocated = AllocatedBytes();
  const size_t heap = __sanitizer_get_heap_size();
  return {.allocated = allocated, .active = heap, .resident = heap};
#else
  const struct mallinfo2 info = mallinfo2();
  return {
      .allocated = info.uordblks, .active = info.uordblks, .resident = info.arena + info.hblkhd};
#endif
}

std::string AllocatorReport() { return "Stats not supported for the current allocator"; }
std::string AllocatorName() { return "libc"; }
void FlushThreadCache() {}
void ReleaseFreeMemory() { malloc_trim(0); }
void KeepFreePages() {}

#endif

}  // namespace larder
