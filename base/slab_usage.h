// How well small allocations fill the slabs that they share with others of their size, and how to
// move one to where it is fuller.
//
// After many frees a few allocations on each slab keep all of its pages; nothing but moving them
// away gives the pages back. The allocator puts a new one on a slab that has begun to fill, so who
// moves what lies on the emptiest ones ends up with few full slabs, as Redis's active
// defragmentation does. Larger allocations have pages of their own and need none of this.
//
// Concurrency: immutable after construction; the functions are safe from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace larder {

class SlabUsage {
 public:
  // Whether the allocator tells: jemalloc does, a sanitizer's does not. Then nothing is sparse.
  static bool available();

  // As of now. Takes tens of microseconds, and the allocator's locks for moments.
  SlabUsage();

  // What slabs have beyond what is allocated in them.
  int64_t wasted_bytes() const { return wasted_bytes_; }
  // Whether moving `memory` helps: its slab is no fuller than its size's are on average, and those
  // are not nearly full. A few tens of nanoseconds.
  bool IsSparse(const void* memory, size_t bytes) const;

 private:
  struct SizeClass {
    size_t bytes = 0;
    size_t sparse_regions = 0;  // A slab with at most so many allocations is sparse.
  };

  std::vector<SizeClass> classes_;  // By ascending size.
  int64_t wasted_bytes_ = 0;
};

// Moves what is allocated at `memory`, of `bytes` as Deallocate takes them, and returns where it
// is. Past the thread's cache, which would offer the place of what was moved before.
void* MoveAllocation(void* memory, size_t bytes);

}  // namespace larder
