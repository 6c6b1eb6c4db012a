#include "storage/freshness.h"

#include <cmath>
#include <cstdint>

#include <gtest/gtest.h>

namespace larder {
namespace {

using std::chrono::milliseconds;

constexpr Freshness Packed(UnixMillis fresh_until, int64_t load_ms) {
  return Freshness::Unpack(
      Freshness{.fresh_until = fresh_until, .load_time = milliseconds(load_ms)}.Pack());
}

int64_t PackedLoadTime(int64_t load_ms) { return Packed(0, load_ms).load_time.count(); }

constexpr UnixMillis kLast = (UnixMillis{1} << 47) - 2;  // Before "always".

static_assert(Freshness{}.Pack() == 0x7fff'ffff'ffff'0000);
static_assert(Packed(1'700'000'000'123, 250) == Freshness{1'700'000'000'123, milliseconds(250)});

TEST(FreshnessTest, KeepsEveryDeadlineThatFitsAndSaturatesBeyond) {
  for (const UnixMillis deadline :
       {UnixMillis{0}, UnixMillis{1}, UnixMillis{1'700'000'000'000}, kLast}) {
    EXPECT_EQ(Packed(deadline, 7).fresh_until, deadline);
  }
  EXPECT_EQ(Packed(-1, 7).fresh_until, Freshness::kNever);
  EXPECT_EQ(Packed(INT64_MIN, 7).fresh_until, Freshness::kNever);
  EXPECT_EQ(Packed(kLast + 1, 7).fresh_until, Freshness::kAlways);
  EXPECT_EQ(Packed(Freshness::kAlways, 7).fresh_until, Freshness::kAlways);
}

TEST(FreshnessTest, IsFreshInTheVeryMillisecondOfItsDeadline) {
  EXPECT_FALSE(Packed(1000, 0).StaleAt(1000));
  EXPECT_TRUE(Packed(1000, 0).StaleAt(1001));
  EXPECT_FALSE(Packed(Freshness::kAlways, 0).StaleAt(INT64_MAX));
  EXPECT_TRUE(Packed(Freshness::kNever, 0).StaleAt(1));
}

TEST(FreshnessTest, ALoadTimeOfSecondsIsExact) {
  for (int64_t ms = 0; ms <= 8192; ++ms) ASSERT_EQ(PackedLoadTime(ms), ms);
}

TEST(FreshnessTest, ALongLoadTimeIsTheNearestThatCanBeSaid) {
  EXPECT_EQ(PackedLoadTime(8193), 8194);    // Steps of 2: half is rounded up.
  EXPECT_EQ(PackedLoadTime(16383), 16384);  // Into the next exponent.
  EXPECT_EQ(PackedLoadTime(16385), 16384);  // Steps of 4.
  EXPECT_EQ(PackedLoadTime(16386), 16388);
  constexpr int64_t kDay = 86'400'000;
  for (int64_t ms = 8192; ms < kDay; ms += ms / 997) {
    const int64_t packed = PackedLoadTime(ms);
    ASSERT_LE(std::abs(packed - ms) * 8192, ms) << ms;
    ASSERT_EQ(PackedLoadTime(packed), packed) << ms;
  }
}

TEST(FreshnessTest, LoadTimesSaturate) {
  constexpr int64_t kLargest = int64_t{8191} << 14;  // 37 hours.
  EXPECT_EQ(PackedLoadTime(kLargest), kLargest);
  EXPECT_EQ(PackedLoadTime(kLargest + 1), kLargest);
  EXPECT_EQ(PackedLoadTime(kLargest - 8193), kLargest - (1 << 14));
  EXPECT_EQ(PackedLoadTime(INT64_MAX), kLargest);
  EXPECT_EQ(PackedLoadTime(-1), 0);
}

TEST(FreshnessTest, EveryWordSurvives) {
  for (uint64_t deadline : {uint64_t{0}, uint64_t{1}, (uint64_t{1} << 47) - 1}) {
    for (uint64_t load_time = 0; load_time <= UINT16_MAX; ++load_time) {
      const uint64_t word = deadline << 16 | load_time;
      ASSERT_EQ(Freshness::Unpack(word).Pack(), word);
    }
  }
}

}  // namespace
}  // namespace larder
