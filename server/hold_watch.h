// The longest time for which this thread has held a shard's lock, told apart by whose doing it was:
// the thread's own, or the kernel's, which gave the processor to somebody else meanwhile.
//
// A hold is measured by the clock on the wall. The kernel counts how often it has taken the
// processor away from a thread, but asking costs some 300 nanoseconds; so the count is read once a
// millisecond, and again only for a hold that would be a new maximum. If it has moved, the
// interruption may have been outside of the hold: the figure of interrupted holds is an upper
// bound.
//
// Concurrency: thread-confined; what it writes, every thread may read.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "commands/thread_counters.h"

namespace larder {

class HoldWatch {
 public:
  explicit HoldWatch(ThreadCounters& counters) : counters_(counters) {}

  // Before holds begin that end at most some milliseconds from now.
  void Begin(uint64_t cycles) {
    if (cycles - looked_at_ > kCyclesBetweenLooks) [[unlikely]]
      Look(cycles);
  }
  void Note(int64_t nanoseconds) {
    if (nanoseconds > counters_.longest_shard_hold_ns.Get()) [[unlikely]]
      NoteLongest(nanoseconds);
  }

 private:
  static constexpr uint64_t kCyclesBetweenLooks = 2'000'000;  // About a millisecond.

  void Look(uint64_t cycles);
  void NoteLongest(int64_t nanoseconds);

  ThreadCounters& counters_;
  uint64_t looked_at_ = 0;
  int64_t interruptions_ = 0;  // As of then.
};

}  // namespace larder
