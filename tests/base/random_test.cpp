#include "base/random.h"

#include <array>
#include <cstdint>

#include <gtest/gtest.h>

namespace larder {
namespace {

TEST(RandomTest, GivesTheSequenceOfItsAuthors) {
  // xoshiro256** seeded with splitmix64(0), computed from the published definitions.
  Random random(0);
  EXPECT_EQ(random.Next(), 0x99ec5f36cb75f2b4u);
  EXPECT_EQ(random.Next(), 0xbf6e1f784956452au);
  EXPECT_EQ(random.Next(), 0x1a5f849d4933e6e0u);
}

TEST(RandomTest, TheSeedDecides) {
  Random a(7);
  Random b(7);
  Random c(8);
  const uint64_t first = a.Next();
  EXPECT_EQ(first, b.Next());
  EXPECT_NE(first, c.Next());
}

TEST(RandomTest, UniformFavoursNoResult) {
  Random random(3);
  std::array<int, 7> counts{};
  constexpr int kDrawsForEach = 100000;
  for (int i = 0; i < 7 * kDrawsForEach; ++i) ++counts[random.Uniform(counts.size())];
  // Standard deviation is 293; six of them.
  for (const int count : counts) EXPECT_NEAR(count, kDrawsForEach, 1800);
}

TEST(RandomTest, UniformRejectsWhatWouldBias) {
  // With this bound a plain multiplication would give the lower half of the results 2/3 of the
  // draws.
  constexpr uint64_t kBound = (uint64_t{1} << 63) + (uint64_t{1} << 62);
  Random random(4);
  int low = 0;
  for (int i = 0; i < 100000; ++i) low += random.Uniform(kBound) < kBound / 2;
  EXPECT_NEAR(low, 50000, 1000);
}

TEST(RandomTest, UniformOfOneIsZero) {
  Random random(5);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(random.Uniform(1), 0);
}

TEST(RandomTest, DoublesLieInTheUnitInterval) {
  Random random(6);
  double sum = 0;
  for (int i = 0; i < 100000; ++i) {
    const double value = random.UniformDouble();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    sum += value;
  }
  EXPECT_NEAR(sum / 100000, 0.5, 0.01);
}

}  // namespace
}  // namespace larder
