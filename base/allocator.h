// The allocator, as the rest of Larder sees it: jemalloc in ordinary builds, the system's under
// sanitizers. Sizes are bytes as the allocator rounds them, for that is what memory costs.
//
// Concurrency: every function is safe from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace larder {

// Never null: running out of memory ends the process, as in Redis.
void* Allocate(size_t bytes);
// `alignment` is a power of two. Free with Deallocate.
void* AllocateAligned(size_t bytes, size_t alignment);
void* Reallocate(void* memory, size_t bytes);
// `bytes` is what was asked for; saves the allocator a lookup.
void Deallocate(void* memory, size_t bytes);
void Deallocate(void* memory);

// What a request of `bytes` really occupies, without allocating (0 for 0).
size_t RoundedSize(size_t bytes);
// What `memory` really occupies.
size_t UsableSize(const void* memory);

// Bytes allocated minus bytes freed by the whole process, rounding included, and without what the
// allocator keeps at hand for threads: the first request of 14 KiB would seem to take ten times as
// much. Under jemalloc exact but for what threads count at this moment; a few microseconds.
size_t AllocatedBytes();

struct AllocatorStats {
  size_t allocated = 0;  // Bytes the program holds.
  size_t active = 0;     // Bytes in pages that hold at least one of them.
  size_t resident = 0;   // Bytes of physical memory mapped, metadata included.
  size_t retained = 0;   // Virtual memory kept but not backed.
  size_t metadata = 0;
};
AllocatorStats GetAllocatorStats();

// jemalloc's own report; a one-line notice elsewhere.
std::string AllocatorReport();
// "jemalloc-5.3.0" or "libc".
std::string AllocatorName();
// Gives what this thread has freed and keeps for itself back to all: for threads that only free.
void FlushThreadCache();
// Gives free pages back to the operating system.
void ReleaseFreeMemory();
// From now on the allocator gives no page back by itself: ReleaseFreeMemory is to be called.
void KeepFreePages();

}  // namespace larder
