// The longest time for which this thread has held a shard's lock: by the clock on the wall, and in
// processor time, which leaves out what was not the thread's doing: that the kernel, or the
// hypervisor below it, gave the processor to somebody else meanwhile.
//
// Asking for a thread's processor time costs some 200 nanoseconds; so it is read once a millisecond
// and again only for a hold that would be a new maximum. What the thread went without since the
// reading before counts as if all of it had fallen into the hold: the figure in processor time is a
// lower bound, too low by what was lost in less than the millisecond before.
//
// Concurrency: thread-confined; what it writes, every thread may read.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "commands/thread_counters.h"

namespace larder {

class HoldWatch {
 public:
  explicit HoldWatch(ThreadCounters& counters)
      : counters_(counters), nanos_per_cycle_(NanosPerCycle()) {}

  // Before the thread waits for events: until the next Begin it wants no processor.
  void BeforeWait(uint64_t cycles) { waits_since_ = cycles; }
  // Before holds begin that end at most some milliseconds from now.
  void Begin(uint64_t cycles) {
    if (waits_since_ != 0) {
      waited_ += cycles - waits_since_;
      waits_since_ = 0;
    }
    if (cycles - looked_at_ > kCyclesBetweenLooks) [[unlikely]]
      Look();
  }
  void Note(int64_t nanoseconds) {
    if (nanoseconds > counters_.longest_shard_hold_ns.Get()) [[unlikely]]
      NoteLongest(nanoseconds);
  }

 private:
  static constexpr uint64_t kCyclesBetweenLooks = 2'000'000;  // About a millisecond.

  void Look();
  void NoteLongest(int64_t nanoseconds);

  ThreadCounters& counters_;
  const double nanos_per_cycle_;
  uint64_t waits_since_ = 0;  // 0: it does not wait.
  uint64_t looked_at_ = 0;
  uint64_t waited_ = 0;         // Cycles since then.
  int64_t processor_time_ = 0;  // Nanoseconds as of then.
};

}  // namespace larder
