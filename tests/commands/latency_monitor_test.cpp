#include "commands/latency_monitor.h"

#include "commands/sparkline.h"
#include "gtest/gtest.h"

namespace larder {
namespace {

TEST(LatencyMonitorTest, SamplesOfOneSecondAreOneTheLonger) {
  LatencyMonitor monitor;
  monitor.Record("command", 100, 5);
  monitor.Record("command", 100, 9);
  monitor.Record("command", 100, 7);
  monitor.Record("command", 101, 3);
  const auto event = monitor.Find("command");
  ASSERT_TRUE(event);
  ASSERT_EQ(event->samples.size(), 2u);
  EXPECT_EQ(event->samples[0].milliseconds, 9);
  EXPECT_EQ(event->samples[1].milliseconds, 3);
  EXPECT_EQ(event->worst_milliseconds, 9);
}

TEST(LatencyMonitorTest, KeepsTheNewestAndRemembersTheWorstOfAllTime) {
  LatencyMonitor monitor;
  monitor.Record("command", 0, 999);
  for (int64_t second = 1; second <= 200; ++second) monitor.Record("command", second, 10);
  const auto event = monitor.Find("command");
  ASSERT_TRUE(event);
  EXPECT_EQ(event->samples.size(), LatencyMonitor::kHistory);
  EXPECT_EQ(event->samples.front().unix_seconds, 41);
  EXPECT_EQ(event->samples.back().unix_seconds, 200);
  EXPECT_EQ(event->worst_milliseconds, 999);
}

TEST(LatencyMonitorTest, ResetCountsTheEventsThatWereThere) {
  LatencyMonitor monitor;
  monitor.Record("a", 1, 1);
  monitor.Record("b", 1, 1);
  monitor.Record("c", 1, 1);
  const std::string_view names[] = {"a", "nosuch"};
  EXPECT_EQ(monitor.Reset(names), 1u);
  EXPECT_EQ(monitor.Reset({}), 2u);
  EXPECT_TRUE(monitor.All().empty());
  EXPECT_FALSE(monitor.Find("b"));
}

TEST(SparklineTest, LowestStandsOnTheGroundHighestReachesTheTop) {
  const SparkColumn columns[] = {{20, "1s"}, {30, "0s"}};
  EXPECT_EQ(DrawSparkline(columns),
            " #\n"
            " |\n"
            " |\n"
            "_|\n"
            "  \n"
            "10\n"
            "ss\n");
}

TEST(SparklineTest, EqualValuesStayOnTheGround) {
  const SparkColumn columns[] = {{7, "a"}, {7, "bc"}};
  EXPECT_EQ(DrawSparkline(columns),
            "  \n"
            "  \n"
            "  \n"
            "__\n"
            "  \n"
            "ab\n"
            " c\n");
}

}  // namespace
}  // namespace larder
