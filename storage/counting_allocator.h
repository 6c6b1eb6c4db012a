// Lets a standard or Abseil container keep account of what it occupies: every allocation is added
// to a counter as the allocator rounds it, so that the owner knows its size in constant time.
//
// Concurrency: as the container; the counter must outlive it and be guarded alike.
#pragma once

#include <cstddef>

#include "base/allocator.h"
#include "storage/size_class.h"

namespace larder {

template <typename T>
class CountingAllocator {
 public:
  using value_type = T;

  explicit CountingAllocator(size_t* bytes) : bytes_(bytes) {}
  template <typename U>
  CountingAllocator(const CountingAllocator<U>& other) : bytes_(other.bytes()) {}

  T* allocate(size_t count) {
    const size_t size = SizeClass(count * sizeof(T));
    *bytes_ += size;
    return static_cast<T*>(Allocate(size));
  }
  void deallocate(T* memory, size_t count) {
    const size_t size = SizeClass(count * sizeof(T));
    *bytes_ -= size;
    Deallocate(memory, size);
  }

  size_t* bytes() const { return bytes_; }

  template <typename U>
  friend bool operator==(const CountingAllocator& a, const CountingAllocator<U>& b) {
    return a.bytes() == b.bytes();
  }

 private:
  size_t* bytes_;
};

}  // namespace larder
