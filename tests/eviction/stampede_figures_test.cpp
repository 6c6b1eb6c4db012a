#include "eviction/stampede_figures.h"

#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace larder {
namespace {

using std::chrono::milliseconds;

TEST(StampedeFiguresTest, ThreadsAddUp) {
  constexpr int kThreads = 20;  // More than there are stripes.
  constexpr int kEach = 1000;
  StampedeFigures figures;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < kEach; ++j) {
        figures.Count(StampedeFigures::kStaleServed);
        figures.CountWaitServed(milliseconds(3));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const StampedeFigures::Totals totals = figures.Total();
  EXPECT_EQ(totals[StampedeFigures::kStaleServed], kThreads * kEach);
  EXPECT_EQ(totals.wait_times[2], kThreads * kEach);
  EXPECT_EQ(totals.loads_saved(), 2 * kThreads * kEach);
  EXPECT_EQ(totals[StampedeFigures::kLeases], 0);
}

TEST(StampedeFiguresTest, TimesGoByPowersOfTwo) {
  using std::chrono::microseconds;
  EXPECT_EQ(StampedeFigures::BucketOf(microseconds(999)), 0u);
  EXPECT_EQ(StampedeFigures::BucketOf(milliseconds(1)), 1u);
  EXPECT_EQ(StampedeFigures::BucketOf(milliseconds(2)), 2u);
  EXPECT_EQ(StampedeFigures::BucketOf(milliseconds(3)), 2u);
  EXPECT_EQ(StampedeFigures::BucketOf(milliseconds(4)), 3u);
  EXPECT_EQ(StampedeFigures::BucketOf(std::chrono::hours(100)), StampedeFigures::kBuckets - 1);
}

TEST(StampedeFiguresTest, AFillCountsItsTime) {
  StampedeFigures figures;
  figures.CountFill(milliseconds(100));
  figures.CountFill(milliseconds(20));
  EXPECT_EQ(figures.Total()[StampedeFigures::kFills], 2);
  EXPECT_EQ(figures.Total().load_ms, 120);
  EXPECT_EQ(figures.Total().load_times[7], 1);
  figures.Reset();
  EXPECT_EQ(figures.Total()[StampedeFigures::kFills], 0);
  EXPECT_EQ(figures.Total().load_ms, 0);
}

}  // namespace
}  // namespace larder
