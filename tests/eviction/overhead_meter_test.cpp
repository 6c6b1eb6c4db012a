#include "eviction/overhead_meter.h"

#include <thread>

#include "gtest/gtest.h"

namespace larder {
namespace {

class OverheadMeterTest : public testing::Test {
 protected:
  ~OverheadMeterTest() override {
    OverheadMeter::SetThreadBytes(0);
    OverheadMeter::SetRefresher(nullptr);
    OverheadMeter::SetBudget(0);
  }
};

TEST_F(OverheadMeterTest, ThreadsAddUpToAtMostTheBudget) {
  OverheadMeter::SetBudget(1000);
  OverheadMeter::SetThreadBytes(300);
  std::thread([] {
    OverheadMeter::SetThreadBytes(500);
    EXPECT_EQ(OverheadMeter::ThreadBytes(), 500);
    EXPECT_EQ(OverheadMeter::ExemptBytes(), 800);
    OverheadMeter::SetThreadBytes(900);
    EXPECT_EQ(OverheadMeter::ExemptBytes(), 1000);
  }).join();
  EXPECT_EQ(OverheadMeter::ExemptBytes(), 300);  // A thread that has ended holds nothing.
}

TEST_F(OverheadMeterTest, WithoutABudgetNothingIsExempt) {
  OverheadMeter::SetThreadBytes(300);
  EXPECT_EQ(OverheadMeter::ExemptBytes(), 0);
}

TEST_F(OverheadMeterTest, TheThreadsOwnFigureIsFresh) {
  OverheadMeter::SetBudget(1000);
  OverheadMeter::SetRefresher(
      [] { OverheadMeter::SetThreadBytes(OverheadMeter::ThreadBytes() + 1); });
  EXPECT_EQ(OverheadMeter::ExemptBytes(), 1);
  EXPECT_EQ(OverheadMeter::ExemptBytes(), 2);
}

}  // namespace
}  // namespace larder
