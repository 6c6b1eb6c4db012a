#include "server/hold_watch.h"

#include <algorithm>
#include <time.h>

namespace larder {
namespace {

int64_t ThreadProcessorNanos() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * int64_t{1'000'000'000} + time.tv_nsec;
}

}  // namespace

void HoldWatch::Look() {
  looked_at_ = CycleCount();
  waited_ = 0;
  processor_time_ = ThreadProcessorNanos();
}

void HoldWatch::NoteLongest(int64_t nanoseconds) {
  const int64_t processor_time = ThreadProcessorNanos() - processor_time_;
  const uint64_t wanted = CycleCount() - looked_at_ - waited_;
  const auto lost =
      static_cast<int64_t>(static_cast<double>(wanted) * nanos_per_cycle_) - processor_time;
  const int64_t own = nanoseconds - std::clamp<int64_t>(lost, 0, nanoseconds);
  Counter& longest = counters_.longest_shard_hold_ns;
  Counter& longest_wall = counters_.longest_shard_hold_wall_ns;
  longest.Set(std::max(longest.Get(), own));
  longest_wall.Set(std::max(longest_wall.Get(), nanoseconds));
}

}  // namespace larder
