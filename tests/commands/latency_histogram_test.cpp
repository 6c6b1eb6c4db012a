#include "commands/latency_histogram.h"

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

namespace larder {
namespace {

std::vector<int64_t> Recorded(std::initializer_list<int64_t> nanoseconds) {
  LatencyHistogram histogram;
  for (const int64_t duration : nanoseconds) histogram.Record(duration);
  std::vector<int64_t> buckets;
  histogram.AddTo(buckets);
  return buckets;
}

TEST(LatencyHistogramTest, EveryDurationIsBeforeTheEndOfItsBucketAndNotOfTheOneBefore) {
  for (uint64_t duration = 0; duration < (uint64_t{1} << 34); duration += 1 + duration / 37) {
    const size_t bucket = LatencyHistogram::BucketOf(duration);
    ASSERT_LT(duration, LatencyHistogram::EndOf(bucket)) << duration;
    if (bucket == 0) continue;
    ASSERT_GE(duration, LatencyHistogram::EndOf(bucket - 1)) << duration;
  }
}

TEST(LatencyHistogramTest, TheLastBucketTakesWhateverIsLonger) {
  EXPECT_EQ(LatencyHistogram::BucketOf(UINT64_MAX), LatencyHistogram::kBuckets - 1);
}

TEST(LatencyHistogramTest, NothingRecordedLeavesTheSumsAlone) {
  EXPECT_TRUE(Recorded({}).empty());
  EXPECT_EQ(LatencyPercentile({}, 50), 0);
  EXPECT_TRUE(LatencySteps({}).empty());
}

TEST(LatencyHistogramTest, PercentileIsAtMostAnEighthTooLong) {
  const std::vector<int64_t> buckets = Recorded({1000, 2000, 3000, 100000});
  EXPECT_GE(LatencyPercentile(buckets, 50), 2000);
  EXPECT_LE(LatencyPercentile(buckets, 50), 2250);
  EXPECT_GE(LatencyPercentile(buckets, 99), 100000);
  EXPECT_LE(LatencyPercentile(buckets, 99), 112500);
  EXPECT_LT(LatencyPercentile(buckets, 0), 1130);
}

TEST(LatencyHistogramTest, StepsAreCumulativeAndNamedAsRedisNamesThem) {
  // Up to 1,024 ns is step 1; 40 us is past 32,768 ns, so that it shows at 66 us.
  const std::vector<LatencyStep> steps = LatencySteps(Recorded({500, 900, 20000, 40000}));
  ASSERT_EQ(steps.size(), 3u);
  EXPECT_EQ(steps[0].microseconds, 1);
  EXPECT_EQ(steps[0].calls, 2);
  EXPECT_EQ(steps[1].microseconds, 33);
  EXPECT_EQ(steps[1].calls, 3);
  EXPECT_EQ(steps[2].microseconds, 66);
  EXPECT_EQ(steps[2].calls, 4);
}

TEST(LatencyHistogramTest, ClearForgetsAndRecordingGoesOn) {
  LatencyHistogram histogram;
  histogram.Record(5000);
  histogram.Clear();
  histogram.Record(700);
  std::vector<int64_t> buckets;
  histogram.AddTo(buckets);
  const std::vector<LatencyStep> steps = LatencySteps(buckets);
  ASSERT_EQ(steps.size(), 1u);
  EXPECT_EQ(steps[0].calls, 1);
}

}  // namespace
}  // namespace larder
