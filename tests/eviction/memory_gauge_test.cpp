#include "eviction/memory_gauge.h"

#include "base/memory_meter.h"
#include "gtest/gtest.h"

namespace larder {
namespace {

constexpr int64_t kMegabyte = 1 << 20;

class StrainedAllocatorGaugeTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!MemoryMeter::available()) GTEST_SKIP() << "This build's allocator does not count.";
  }
  ~StrainedAllocatorGaugeTest() override { AllocatorGauge::SetStrain(0); }

  AllocatorGauge gauge_;
};

TEST_F(StrainedAllocatorGaugeTest, TakesTheStrainForUsed) {
  const int64_t used = gauge_.UsedBytes();
  const int64_t limit = used + 64 * kMegabyte;
  AllocatorGauge::SetStrain(80 * kMegabyte);
  EXPECT_GE(gauge_.UsedBytes() - used, 79 * kMegabyte);
  EXPECT_EQ(gauge_.StrainBytes(), 80 * kMegabyte);
  EXPECT_FALSE(gauge_.Within(limit));
  AllocatorGauge::SetStrain(0);
  EXPECT_TRUE(gauge_.Within(limit));
}

TEST_F(StrainedAllocatorGaugeTest, LooksAgainWhenTheStrainHasGrown) {
  const int64_t limit = gauge_.UsedBytes() + 64 * kMegabyte;
  EXPECT_TRUE(gauge_.Within(limit));
  AllocatorGauge::SetStrain(80 * kMegabyte);
  EXPECT_FALSE(gauge_.Within(limit));
}

}  // namespace
}  // namespace larder
