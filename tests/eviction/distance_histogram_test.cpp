#include "eviction/distance_histogram.h"

#include "gtest/gtest.h"

namespace larder {
namespace {

TEST(DistanceHistogramTest, CountsWhatIsLonger) {
  DistanceHistogram distances;
  distances.Add(10, 1);
  distances.Add(20, 2);
  distances.AddInfinite(4);
  EXPECT_DOUBLE_EQ(distances.Beyond(9), 7);
  EXPECT_DOUBLE_EQ(distances.Beyond(10), 6);
  EXPECT_DOUBLE_EQ(distances.Beyond(19), 6);
  EXPECT_DOUBLE_EQ(distances.Beyond(20), 4);
  EXPECT_DOUBLE_EQ(distances.Beyond(uint64_t{1} << 60), 4);
  distances.Clear();
  EXPECT_DOUBLE_EQ(distances.Beyond(0), 0);
}

TEST(DistanceHistogramTest, SpreadsWhatIsWithinABucket) {
  DistanceHistogram distances;
  distances.Add(1000, 1);  // In a bucket from 992 to 1007.
  EXPECT_DOUBLE_EQ(distances.Beyond(991), 1);
  EXPECT_DOUBLE_EQ(distances.Beyond(999), 0.5);
  EXPECT_DOUBLE_EQ(distances.Beyond(1007), 0);
}

TEST(DistanceHistogramTest, IsExactToAThirtySecondAtAnyLength) {
  for (int power = 1; power < 62; ++power) {
    const uint64_t bytes = (uint64_t{3} << power) / 2;
    DistanceHistogram distances;
    distances.Add(bytes, 1);
    EXPECT_DOUBLE_EQ(distances.Beyond(bytes + bytes / 16), 0) << bytes;
    EXPECT_DOUBLE_EQ(distances.Beyond(bytes - bytes / 16 - 1), 1) << bytes;
  }
}

}  // namespace
}  // namespace larder
