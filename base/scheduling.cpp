#include "base/scheduling.h"

#include <cstdint>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace larder {
namespace {

// Linux's sched_setattr, which the C library does not wrap.
struct SchedulingAttributes {
  uint32_t size = sizeof(SchedulingAttributes);
  uint32_t policy = SCHED_OTHER;
  uint64_t flags = 0;
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t turn_ns = 0;
  uint64_t deadline_ns = 0;
  uint64_t period_ns = 0;
};

}  // namespace

void AskForShortTurns() {
  constexpr uint64_t kShortestTurnNs = 100'000;
  if (sched_getscheduler(0) != SCHED_OTHER) return;  // The administrator has other plans.
  const SchedulingAttributes attributes{.nice = getpriority(PRIO_PROCESS, 0),
                                        .turn_ns = kShortestTurnNs};
  syscall(SYS_sched_setattr, 0, &attributes, 0);
}

void GiveWayToOthers() {
  constexpr int kStepsDown = 10;
  // Linux takes 0 for the calling thread, not for its process.
  setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + kStepsDown);
}

}  // namespace larder
