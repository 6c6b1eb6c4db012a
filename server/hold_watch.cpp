#include "server/hold_watch.h"

#include <sys/resource.h>

namespace larder {
namespace {

int64_t Interruptions() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nivcsw;
}

}  // namespace

void HoldWatch::Look(uint64_t cycles) {
  looked_at_ = cycles;
  interruptions_ = Interruptions();
}

void HoldWatch::NoteLongest(int64_t nanoseconds) {
  if (Interruptions() == interruptions_) {
    counters_.longest_shard_hold_ns.Set(nanoseconds);
  } else if (nanoseconds > counters_.longest_interrupted_hold_ns.Get()) {
    counters_.longest_interrupted_hold_ns.Set(nanoseconds);
  }
}

}  // namespace larder
