// What an allocation really occupies, computed instead of asked for: accounting does this at every
// write, and a call into the allocator would cost as much as the write's own arithmetic.
#pragma once

#include <bit>
#include <cstddef>

namespace larder {

// jemalloc's classes: 8, multiples of 16 up to 128, then four to each doubling. The tests compare
// this with the allocator itself. Storage always allocates whole classes, so that an entry may grow
// into its class in place whatever the allocator.
constexpr size_t SizeClass(size_t bytes) {
  if (bytes <= 8) return 8;
  if (bytes <= 128) return (bytes + 15) & ~size_t{15};
  const size_t step = size_t{1} << (std::bit_width(bytes - 1) - 3);
  return (bytes + step - 1) & ~(step - 1);
}

// The largest class of which several share pages.
inline constexpr size_t kMaxSharingClass = 14 << 10;

// What an allocation takes of physical memory on average. One that has its pages for itself touches
// no more of them than it uses, but jemalloc begins it anywhere in the first, which costs a page.
constexpr size_t ResidentBytes(size_t bytes) {
  return bytes <= kMaxSharingClass ? SizeClass(bytes) : bytes + (4 << 10);
}

// The largest class that `bytes` fill. REQUIRES: bytes >= 8.
constexpr size_t SizeClassBelow(size_t bytes) {
  if (bytes < 16) return 8;
  if (bytes < 128) return bytes & ~size_t{15};
  const size_t step = size_t{1} << (std::bit_width(bytes) - 3);
  return bytes & ~(step - 1);
}

}  // namespace larder
