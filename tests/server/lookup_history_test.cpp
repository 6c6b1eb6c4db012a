#include "server/lookup_history.h"

#include "gtest/gtest.h"

namespace larder {
namespace {

using std::chrono::seconds;

// Three hits and a miss a second, sampled ten times a second.
void RunFor(LookupHistory& history, int from, int to) {
  for (int tenth = from * 10; tenth <= to * 10; ++tenth) {
    history.Sample({.hits = tenth / 10 * 3, .misses = tenth / 10},
                   MonoTime(std::chrono::milliseconds(100 * tenth)));
  }
}

TEST(LookupHistoryTest, BeforeAWindowHasPassedItIsAllThereWas) {
  LookupHistory history;
  EXPECT_EQ(history.Within(seconds(60), {.hits = 1, .misses = 2}, MonoTime(seconds(0))).total(), 3);
  RunFor(history, 0, 30);
  const LookupCounts within =
      history.Within(seconds(60), {.hits = 90, .misses = 30}, MonoTime(seconds(30)));
  EXPECT_EQ(within.hits, 90);
  EXPECT_EQ(within.misses, 30);
}

TEST(LookupHistoryTest, AWindowIsWhatCameWithinIt) {
  LookupHistory history;
  RunFor(history, 0, 2000);
  const LookupCounts total{.hits = 6000, .misses = 2000};
  const MonoTime now{seconds(2000)};
  EXPECT_EQ(history.Within(seconds(60), total, now).hits, 180);
  EXPECT_EQ(history.Within(seconds(60), total, now).misses, 60);
  EXPECT_EQ(history.Within(seconds(600), total, now).total(), 2400);
}

TEST(LookupHistoryTest, WhatIsIdleFallsOut) {
  LookupHistory history;
  RunFor(history, 0, 10);
  for (int second = 11; second < 200; ++second) {
    history.Sample({.hits = 30, .misses = 10}, MonoTime(seconds(second)));
  }
  EXPECT_EQ(history.Within(seconds(60), {30, 10}, MonoTime(seconds(199))).total(), 0);
}

TEST(LookupHistoryTest, TotalsThatBeganAgainAreNotSubtractedFrom) {
  LookupHistory history;
  RunFor(history, 0, 100);
  EXPECT_EQ(history.Within(seconds(60), {.hits = 5, .misses = 0}, MonoTime(seconds(100))).hits, 5);
  history.Clear();
  EXPECT_EQ(history.Within(seconds(60), {.hits = 400, .misses = 0}, MonoTime(seconds(100))).hits,
            400);
}

}  // namespace
}  // namespace larder
