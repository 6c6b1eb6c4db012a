#include "server/defrag_cycle.h"

#include <string>

#include "base/allocator.h"
#include "gtest/gtest.h"

namespace larder {
namespace {

constexpr int64_t kMiB = 1 << 20;
constexpr int64_t kGiB = 1024 * kMiB;
constexpr DefragCycle::Options kUnlimited = {.enabled = true,
                                             .ignored_bytes = 100 * kMiB,
                                             .threshold_lower = 10,
                                             .threshold_upper = 100,
                                             .least_cpu_percent = 1,
                                             .most_cpu_percent = 25};

DefragCycle::Options Limited(int64_t maxmemory_bytes) {
  DefragCycle::Options options = kUnlimited;
  options.maxmemory_bytes = maxmemory_bytes;
  return options;
}

TEST(DefragCpuTest, GrowsWithTheWaste) {
  EXPECT_EQ(DefragCycle::CpuPercent(kUnlimited, 90 * kMiB, 100 * kMiB), 0);    // Ignored bytes.
  EXPECT_EQ(DefragCycle::CpuPercent(kUnlimited, 190 * kMiB, 2000 * kMiB), 0);  // Ten percent.
  EXPECT_EQ(DefragCycle::CpuPercent(kUnlimited, 200 * kMiB, 2000 * kMiB), 1);
  EXPECT_EQ(DefragCycle::CpuPercent(kUnlimited, 1100 * kMiB, 2000 * kMiB), 13);
  EXPECT_EQ(DefragCycle::CpuPercent(kUnlimited, 9000 * kMiB, 2000 * kMiB), 25);
}

TEST(DefragCpuTest, UnderALimitAPartOfItIsReasonEnough) {
  EXPECT_EQ(DefragCycle::CpuPercent(Limited(320 * kMiB), 9 * kMiB, 300 * kMiB), 0);
  EXPECT_EQ(DefragCycle::CpuPercent(Limited(320 * kMiB), 10 * kMiB, 300 * kMiB), 1);
  EXPECT_EQ(DefragCycle::CpuPercent(Limited(320 * kMiB), 21 * kMiB, 300 * kMiB), 13);
  EXPECT_EQ(DefragCycle::CpuPercent(Limited(320 * kMiB), 32 * kMiB, 300 * kMiB), 25);
  EXPECT_EQ(DefragCycle::CpuPercent(Limited(16 * kMiB), 7 * kMiB, 16 * kMiB), 0);
  EXPECT_EQ(DefragCycle::CpuPercent(Limited(16 * kGiB), 99 * kMiB, 9 * kGiB), 0);
  EXPECT_EQ(DefragCycle::CpuPercent(Limited(16 * kGiB), 100 * kMiB, 9 * kGiB), 1);
}

TEST(DefragCpuTest, NothingWhileItIsOff) {
  DefragCycle::Options off = kUnlimited;
  off.enabled = false;
  EXPECT_EQ(DefragCycle::CpuPercent(off, 9000 * kMiB, 2000 * kMiB), 0);
}

class DefragCycleTest : public testing::Test {
 protected:
  static constexpr int kKeys = 400'000;
  static constexpr int kKeptOneIn = 4;

  static std::string Name(int i) { return "key:" + std::to_string(i); }
  static std::string Value(int i) { return std::string(100, static_cast<char>('a' + i % 26)); }

  void SetUp() override {
    if (!SlabUsage::available()) GTEST_SKIP() << "This build's allocator does not tell.";
    for (int i = 0; i < kKeys; ++i) {
      const std::string name = Name(i);
      const HashedKey key = HashedKey::Of(name);
      Shard& shard = keyspace_.ShardFor(key);
      MutexLock lock(shard.mu());
      shard.SetString(0, key, Value(i), kNoExpiry);
    }
    for (int i = 0; i < kKeys; ++i) {
      if (i % kKeptOneIn == 0) continue;
      const std::string name = Name(i);
      const HashedKey key = HashedKey::Of(name);
      Shard& shard = keyspace_.ShardFor(key);
      MutexLock lock(shard.mu());
      shard.Erase(0, key, Shard::Reclaim::kNow);
    }
    FlushThreadCache();
  }

  static void Pass(DefragCycle& cycle, MonoTime now) {
    cycle.Consider(Limited(16 * kMiB), now);
    while (cycle.active()) cycle.Run();
  }

  Keyspace keyspace_{{.shards = 16}};
};

TEST_F(DefragCycleTest, WinsBackWhatDeletedKeysLeft) {
  const int64_t before = SlabUsage().wasted_bytes();
  DefragCycle cycle(keyspace_, 0, 1);
  MonoTime now{};
  for (int pass = 0; pass < 5; ++pass) Pass(cycle, now += std::chrono::seconds(20));
  EXPECT_LT(SlabUsage().wasted_bytes(), before / 3);
  EXPECT_GT(cycle.figures().moved.Get(), 0);
  EXPECT_EQ(cycle.figures().cpu_percent.Get(), 0);
  EXPECT_EQ(cycle.figures().began_ns.Get(), 0);
  for (uint32_t id = 0; id < keyspace_.shard_count(); ++id) {
    Shard& shard = keyspace_.shard(id);
    MutexLock lock(shard.mu());
    shard.CheckInvariants();
  }
  for (int i = 0; i < kKeys; i += kKeptOneIn) {
    const std::string name = Name(i);
    const HashedKey key = HashedKey::Of(name);
    Shard& shard = keyspace_.ShardFor(key);
    MutexLock lock(shard.mu());
    const Entry* entry = shard.Find(0, key, 0);
    ASSERT_NE(entry, nullptr) << name;
    StringValue value;
    entry->ReadString(value);
    ASSERT_EQ(value.view(), Value(i)) << name;
  }
}

TEST_F(DefragCycleTest, RestsBetweenLooksAndTakesItsPartOfTheTime) {
  DefragCycle cycle(keyspace_, 0, 1);
  const MonoTime start = MonoNow();
  cycle.Consider(Limited(16 * kMiB), start);
  ASSERT_TRUE(cycle.active());
  EXPECT_EQ(cycle.UntilSlice(start).count(), 0);
  EXPECT_EQ(cycle.figures().began_ns.Get(), start.time_since_epoch().count());
  cycle.Run();
  ASSERT_TRUE(cycle.active());
  EXPECT_GT(cycle.UntilSlice(start).count(), 100'000);
  while (cycle.active()) cycle.Run();
  cycle.Consider(Limited(16 * kMiB), start + std::chrono::milliseconds(249));
  EXPECT_FALSE(cycle.active());
}

TEST_F(DefragCycleTest, EndsWhenItIsSwitchedOff) {
  DefragCycle cycle(keyspace_, 0, 1);
  cycle.Consider(Limited(16 * kMiB), MonoTime{} + std::chrono::seconds(1));
  ASSERT_TRUE(cycle.active());
  cycle.Consider({}, MonoTime{} + std::chrono::seconds(1));
  EXPECT_FALSE(cycle.active());
}

}  // namespace
}  // namespace larder
