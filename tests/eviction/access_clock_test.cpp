#include "eviction/access_clock.h"

#include "gtest/gtest.h"

namespace larder {
namespace {

constexpr UnixMillis kStart = 1'700'000'000'000;
constexpr UnixMillis kSecond = 1000;
constexpr UnixMillis kMinute = 60 * kSecond;

AccessClock Recency(UnixMillis now) {
  return AccessClock({.policy = EvictionPolicy::kAllKeysLru}, now);
}
AccessClock Frequency(UnixMillis now, int log_factor = 10, int decay_minutes = 1) {
  return AccessClock({.policy = EvictionPolicy::kAllKeysLfu,
                      .lfu_log_factor = log_factor,
                      .lfu_decay_minutes = decay_minutes},
                     now);
}

uint32_t TouchedTimes(const AccessClock& clock, uint32_t access, int times, Random& random) {
  for (int i = 0; i < times; ++i) access = clock.Touched(access, random);
  return access;
}

TEST(AccessClockTest, IdleTimeIsInSeconds) {
  const uint32_t access = Recency(kStart).Initial();
  EXPECT_EQ(Recency(kStart).IdleSeconds(access), 0u);
  EXPECT_EQ(Recency(kStart + 90 * kSecond).IdleSeconds(access), 90u);
}

TEST(AccessClockTest, IdleTimeSurvivesTheWrapOfTheClock) {
  constexpr UnixMillis kWrap = (UnixMillis{1} << 24) * 107 * kSecond;
  const uint32_t access = Recency(kWrap - 5 * kSecond).Initial();
  EXPECT_EQ(Recency(kWrap + 5 * kSecond).IdleSeconds(access), 10u);
}

TEST(AccessClockTest, AnAccessResetsIdleTime) {
  Random random(1);
  const uint32_t access = Recency(kStart).Initial();
  const AccessClock later = Recency(kStart + kMinute);
  EXPECT_EQ(later.IdleSeconds(later.Touched(access, random)), 0u);
}

TEST(AccessClockTest, PoliciesWithoutFrequencyKeepTheTime) {
  EXPECT_FALSE(AccessClock({.policy = EvictionPolicy::kNoEviction}, kStart).counts());
  EXPECT_FALSE(AccessClock({.policy = EvictionPolicy::kVolatileTtl}, kStart).counts());
  EXPECT_TRUE(AccessClock({.policy = EvictionPolicy::kVolatileLfu}, kStart).counts());
}

TEST(AccessClockTest, BesideQueuesTheTimeKeepsToItsBits) {
  Random random(1);
  const auto clock_at = [](UnixMillis now) {
    return AccessClock({.policy = EvictionPolicy::kAllKeysAdaptive}, now);
  };
  constexpr uint32_t kOfQueues = 0b0110;
  uint32_t access = clock_at(kStart).Touched(kOfQueues, random);
  EXPECT_EQ(access & 0xf, kOfQueues);
  EXPECT_FALSE(AccessClock::EverTouched(kOfQueues));
  EXPECT_TRUE(AccessClock::EverTouched(access));
  EXPECT_EQ(clock_at(kStart + 90 * kSecond).IdleSeconds(access), 90u);
  EXPECT_EQ(clock_at(kStart).IdleSeconds(clock_at(kStart).OfIdleSeconds(1000)), 1000u);
  // It wraps after 2^20 seconds, and is never zero.
  constexpr UnixMillis kWrap = (UnixMillis{1} << 20) * 1700 * kSecond;
  access = clock_at(kWrap - 5 * kSecond).Touched(kOfQueues, random);
  EXPECT_EQ(clock_at(kWrap + 5 * kSecond).IdleSeconds(access), 10u);
  EXPECT_TRUE(AccessClock::EverTouched(clock_at(kWrap).Touched(kOfQueues, random)));
}

TEST(AccessClockTest, ANewEntryHasAFrequencyOfFive) {
  Random random(1);
  const AccessClock clock = Frequency(kStart);
  EXPECT_EQ(clock.DecayedFrequency(clock.Initial()), 5u);
  // Zero is how storage makes entries; the write that made it is no second access.
  EXPECT_EQ(clock.Touched(0, random), clock.Initial());
}

TEST(AccessClockTest, LowFrequenciesGrowAtEveryAccess) {
  Random random(1);
  const AccessClock clock = Frequency(kStart);
  const uint32_t access = clock.Initial() - 4;  // Frequency 1.
  EXPECT_EQ(clock.DecayedFrequency(TouchedTimes(clock, access, 4, random)), 5u);
}

// The table in redis.conf: with a factor of 10, a hundred accesses give about 10, a thousand about
// 18, a hundred thousand about 142.
TEST(AccessClockTest, FrequencyIsLogarithmic) {
  Random random(7);
  const AccessClock clock = Frequency(kStart);
  const auto after = [&](int times) {
    return clock.DecayedFrequency(TouchedTimes(clock, clock.Initial(), times, random));
  };
  EXPECT_NEAR(after(100), 10, 4);
  EXPECT_NEAR(after(1000), 18, 5);
  EXPECT_NEAR(after(100'000), 142, 15);
}

TEST(AccessClockTest, FrequencyStopsAtItsMaximum) {
  Random random(7);
  const AccessClock clock = Frequency(kStart, /*log_factor=*/0);
  EXPECT_EQ(clock.DecayedFrequency(TouchedTimes(clock, clock.Initial(), 1000, random)), 255u);
}

TEST(AccessClockTest, FrequencyFallsByOneEachDecayTime) {
  const uint32_t access = Frequency(kStart).Initial();
  EXPECT_EQ(Frequency(kStart + 3 * kMinute).DecayedFrequency(access), 2u);
  EXPECT_EQ(Frequency(kStart + 3 * kMinute, 10, 3).DecayedFrequency(access), 4u);
  EXPECT_EQ(Frequency(kStart + 100 * kMinute).DecayedFrequency(access), 0u);
}

TEST(AccessClockTest, FrequencyNeverFallsWithoutADecayTime) {
  const uint32_t access = Frequency(kStart).Initial();
  EXPECT_EQ(Frequency(kStart + 1000 * kMinute, 10, 0).DecayedFrequency(access), 5u);
}

TEST(AccessClockTest, FrequencyDecaysAcrossTheWrapOfTheMinutes) {
  constexpr UnixMillis kWrap = (UnixMillis{1} << 16) * 434 * kMinute;
  const uint32_t access = Frequency(kWrap - kMinute).Initial();
  EXPECT_EQ(Frequency(kWrap + kMinute).DecayedFrequency(access), 3u);
}

}  // namespace
}  // namespace larder
