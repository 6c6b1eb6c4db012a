#include "commands/eviction_counters.h"

#include "gtest/gtest.h"

namespace larder {
namespace {

TEST(EvictionCountersTest, AgesFallIntoBucketsByPowersOfTwo) {
  const struct {
    int64_t seconds;
    size_t bucket;
  } kRows[] = {{0, 0}, {1, 0},     {2, 1},        {3, 2},       {4, 2},
               {5, 3}, {3600, 12}, {1 << 24, 24}, {1 << 30, 24}};
  for (const auto& row : kRows) {
    EXPECT_EQ(EvictionCounters::AgeBucket(row.seconds), row.bucket) << row.seconds;
  }
}

TEST(EvictionCountersTest, CountsByPolicyAndByAge) {
  EvictionCounters counters;
  counters.Count(EvictionPolicy::kAllKeysLru, 100, 5);
  counters.Count(EvictionPolicy::kAllKeysLru, 50, 7);
  counters.Count(EvictionPolicy::kVolatileTtl, 1, 0);
  EXPECT_EQ(counters.by_policy[static_cast<size_t>(EvictionPolicy::kAllKeysLru)].keys.Get(), 2);
  EXPECT_EQ(counters.by_policy[static_cast<size_t>(EvictionPolicy::kAllKeysLru)].bytes.Get(), 150);
  EXPECT_EQ(counters.by_age[3].Get(), 2);
  EXPECT_EQ(counters.by_age[0].Get(), 1);
  EXPECT_EQ(counters.idle_seconds.Get(), 12);
  counters.Reset();
  EXPECT_EQ(counters.by_age[3].Get(), 0);
}

}  // namespace
}  // namespace larder
