#include "server/hold_watch.h"

#include <algorithm>
#include <chrono>
#include <sched.h>
#include <sys/resource.h>

#include "base/clock.h"
#include <gtest/gtest.h>

namespace larder {
namespace {

int64_t Longest(const ThreadCounters& counters) {
  return std::max(counters.longest_shard_hold_ns.Get(), counters.longest_interrupted_hold_ns.Get());
}

TEST(HoldWatchTest, KeepsTheLongestHold) {
  ThreadCounters counters(/*commands=*/1);
  HoldWatch watch(counters);
  watch.Begin(CycleCount());
  watch.Note(500);
  watch.Note(900);
  watch.Note(700);
  // Which of the two it counts as is for the machine to say.
  EXPECT_EQ(Longest(counters), 900);
}

TEST(HoldWatchTest, HoldsWhileTheProcessorWasTakenAwayCountApart) {
  ThreadCounters counters(/*commands=*/1);
  HoldWatch watch(counters);
  watch.Begin(CycleCount());
  // A busy thread beside others on one processor is interrupted sooner or later; then no hold that
  // began before counts as undisturbed.
  rusage before{};
  getrusage(RUSAGE_THREAD, &before);
  rusage now = before;
  const MonoTime end = MonoNow() + std::chrono::seconds(10);
  while (now.ru_nivcsw == before.ru_nivcsw && MonoNow() < end) {
    sched_yield();
    getrusage(RUSAGE_THREAD, &now);
  }
  if (now.ru_nivcsw == before.ru_nivcsw) GTEST_SKIP() << "nobody else wants the processor";
  watch.Note(1000);
  EXPECT_EQ(counters.longest_shard_hold_ns.Get(), 0);
  EXPECT_EQ(counters.longest_interrupted_hold_ns.Get(), 1000);
}

}  // namespace
}  // namespace larder
