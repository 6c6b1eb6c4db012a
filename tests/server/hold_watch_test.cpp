#include "server/hold_watch.h"

#include <chrono>
#include <thread>

#include "base/clock.h"
#include <gtest/gtest.h>

namespace larder {
namespace {

using namespace std::chrono_literals;

int64_t NanosSince(MonoTime begin) { return (MonoNow() - begin).count(); }

// Returns how long it took, nanoseconds.
int64_t Work(std::chrono::milliseconds duration) {
  const MonoTime begin = MonoNow();
  while (MonoNow() - begin < duration) {
  }
  return NanosSince(begin);
}

TEST(HoldWatchTest, KeepsTheLongestHold) {
  ThreadCounters counters(/*commands=*/1);
  HoldWatch watch(counters);
  watch.Begin(CycleCount());
  watch.Note(500);
  watch.Note(900);
  watch.Note(700);
  EXPECT_EQ(counters.longest_shard_hold_wall_ns.Get(), 900);
  EXPECT_LE(counters.longest_shard_hold_ns.Get(), 900);
}

TEST(HoldWatchTest, WorkIsTheThreadsOwn) {
  // Others may take the processor at any time: one undisturbed round of many is enough.
  for (int round = 0; round < 1000; ++round) {
    ThreadCounters counters(/*commands=*/1);
    HoldWatch watch(counters);
    watch.Begin(CycleCount());
    const int64_t hold = Work(2ms);
    watch.Note(hold);
    EXPECT_EQ(counters.longest_shard_hold_wall_ns.Get(), hold);
    if (counters.longest_shard_hold_ns.Get() > hold / 2) return;
  }
  FAIL() << "work that is not the thread's own";
}

TEST(HoldWatchTest, TimeWithoutTheProcessorIsNotTheThreadsOwn) {
  ThreadCounters counters(/*commands=*/1);
  HoldWatch watch(counters);
  watch.Begin(CycleCount());
  const MonoTime begin = MonoNow();
  std::this_thread::sleep_for(50ms);
  const int64_t hold = NanosSince(begin);
  watch.Note(hold);
  EXPECT_EQ(counters.longest_shard_hold_wall_ns.Get(), hold);
  EXPECT_LT(counters.longest_shard_hold_ns.Get(), hold / 2);
}

TEST(HoldWatchTest, WaitingForEventsTakesNothingOffALaterHold) {
  for (int round = 0; round < 1000; ++round) {
    ThreadCounters counters(/*commands=*/1);
    HoldWatch watch(counters);
    watch.Begin(CycleCount());
    watch.BeforeWait(CycleCount());
    std::this_thread::sleep_for(100us);  // Too short for another look at the processor time.
    watch.Begin(CycleCount());
    const int64_t hold = Work(1ms);
    watch.Note(hold);
    if (counters.longest_shard_hold_ns.Get() > hold - 50'000) return;
  }
  FAIL() << "waiting taken for a loss";
}

}  // namespace
}  // namespace larder
