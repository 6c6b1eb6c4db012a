#include "base/scheduling.h"

#include <sys/resource.h>
#include <thread>

#include "gtest/gtest.h"

namespace larder {
namespace {

int Nice() { return getpriority(PRIO_PROCESS, 0); }

TEST(SchedulingTest, GivingWayConcernsTheCallingThreadAlone) {
  const int before = Nice();
  int inside = before;
  std::thread([&] {
    GiveWayToOthers();
    inside = Nice();
  }).join();
  EXPECT_GT(inside, before);
  EXPECT_EQ(Nice(), before);
}

TEST(SchedulingTest, ShortTurnsTakeNothingFromTheThreadsShare) {
  std::thread([] {
    GiveWayToOthers();
    const int before = Nice();
    AskForShortTurns();
    EXPECT_EQ(Nice(), before);
  }).join();
}

}  // namespace
}  // namespace larder
