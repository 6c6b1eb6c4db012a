#include "eviction/early_refresh.h"

#include <cmath>

#include "base/random.h"
#include "gtest/gtest.h"

namespace larder {
namespace {

using std::chrono::milliseconds;

TEST(EarlyRefreshTest, FollowsThePapersRule) {
  // load_time * beta * -ln(unit) against what is left.
  const double unit = std::exp(-3.0);
  EXPECT_TRUE(RefreshesEarly(milliseconds(299), milliseconds(100), 1.0, unit));
  EXPECT_FALSE(RefreshesEarly(milliseconds(301), milliseconds(100), 1.0, unit));
  EXPECT_TRUE(RefreshesEarly(milliseconds(599), milliseconds(100), 2.0, unit));
  EXPECT_FALSE(RefreshesEarly(milliseconds(1), milliseconds(100), 0.0, unit));
  EXPECT_FALSE(RefreshesEarly(milliseconds(1), milliseconds(0), 1.0, unit));
  EXPECT_FALSE(RefreshesEarly(milliseconds(1), milliseconds(100), 1.0, 1.0));
}

TEST(EarlyRefreshTest, NobodyIsEarlyInTheLastMillisecondWhoDoesNotWantToBe) {
  EXPECT_FALSE(RefreshesEarly(milliseconds(0), milliseconds(100), 0.0, 0.5));
  EXPECT_FALSE(RefreshesEarly(milliseconds(0), milliseconds(0), 1.0, 0.5));
  EXPECT_FALSE(MayRefreshEarly(milliseconds(0), milliseconds(100), 0.0));
}

// One in e readers whose value is fresh for exactly the time of a load.
TEST(EarlyRefreshTest, TheShareOfReadersIsThePapers) {
  Random random(1);
  int early = 0;
  constexpr int kReaders = 100'000;
  for (int i = 0; i < kReaders; ++i) {
    early += RefreshesEarly(milliseconds(100), milliseconds(100), 1.0, 1 - random.UniformDouble());
  }
  EXPECT_NEAR(early / double{kReaders}, std::exp(-1.0), 0.01);
}

TEST(EarlyRefreshTest, WhoMayNotNeverDoes) {
  const double smallest_unit = 0x1.0p-53;
  for (int64_t fresh_ms : {1, 100, 3600, 3700, 100'000}) {
    const bool may = MayRefreshEarly(milliseconds(fresh_ms), milliseconds(100), 1.0);
    const bool does = RefreshesEarly(milliseconds(fresh_ms), milliseconds(100), 1.0, smallest_unit);
    EXPECT_TRUE(may || !does) << fresh_ms;
    EXPECT_EQ(may, fresh_ms <= 3680) << fresh_ms;
  }
}

}  // namespace
}  // namespace larder
