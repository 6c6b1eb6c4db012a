#include "base/allocator.h"

#include "base/memory_meter.h"
#include "gtest/gtest.h"

namespace larder {
namespace {

// jemalloc takes a handful of a size when a thread asks for the first one.
TEST(AllocatorTest, WhatIsKeptAtHandForAThreadIsNotAllocated) {
  if (!MemoryMeter::available()) GTEST_SKIP() << "another allocator";
  constexpr size_t kBytes = 14 * 1024;
  const size_t before = AllocatedBytes();
  void* const memory = Allocate(kBytes);
  EXPECT_EQ(AllocatedBytes(), before + kBytes);
  Deallocate(memory, kBytes);
  EXPECT_EQ(AllocatedBytes(), before);
}

}  // namespace
}  // namespace larder
