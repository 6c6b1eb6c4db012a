#include "eviction/coarse_size.h"

#include "gtest/gtest.h"

namespace larder {
namespace {

TEST(CoarseSizeTest, SmallSizesAreExact) {
  for (uint64_t bytes = 0; bytes <= 128; ++bytes) EXPECT_EQ(CoarseSize(bytes).bytes(), bytes);
}

TEST(CoarseSizeTest, LargeOnesAreRightToWithinAPerCent) {
  for (uint64_t bytes = 1; bytes < uint64_t{1} << 36; bytes += bytes / 7 + 1) {
    EXPECT_NEAR(static_cast<double>(CoarseSize(bytes).bytes()), static_cast<double>(bytes),
                static_cast<double>(bytes) / 100);
  }
}

TEST(CoarseSizeTest, RoundsToTheNextPowerOfTwo) { EXPECT_EQ(CoarseSize(16383).bytes(), 16384u); }

TEST(CoarseSizeTest, GoesThroughItsCode) {
  for (uint64_t bytes = 1; bytes < uint64_t{1} << 40; bytes *= 3) {
    const CoarseSize size(bytes);
    EXPECT_LT(size.code(), 1u << CoarseSize::kBits);
    EXPECT_EQ(CoarseSize::FromCode(size.code()).bytes(), size.bytes());
  }
}

TEST(CoarseSizeTest, WhatIsLargerThanAnyCodeIsTheLargest) {
  EXPECT_EQ(CoarseSize(~uint64_t{0}).bytes(), uint64_t{127} << 30);
}

}  // namespace
}  // namespace larder
