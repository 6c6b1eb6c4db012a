#include "eviction/sampled_victims.h"

#include <string>

#include "eviction/access_clock.h"
#include "gtest/gtest.h"

namespace larder {
namespace {

constexpr UnixMillis kNow = 1'700'000'000'000;
constexpr int kDatabases = 4;

// `keys` keys in as many shards as a server has: the n-th was last used n minutes ago.
class SampledVictimsTest : public testing::Test {
 protected:
  SampledVictimsTest() : keyspace_({.shards = 1024, .shard = {.databases = kDatabases}}) {}

  void Fill(int keys, int databases, UnixMillis expiry) {
    for (int i = 0; i < keys; ++i) {
      const std::string key = std::to_string(i);
      const HashedKey hashed = HashedKey::Of(key);
      const int db = i % databases;
      Shard& shard = keyspace_.ShardFor(hashed);
      MutexLock lock(shard.mu());
      const AccessClock clock({.policy = EvictionPolicy::kAllKeysLru}, kNow - 60'000 * int64_t{i});
      shard.SetString(db, hashed, "value", expiry)->set_access(clock.Initial());
    }
  }

  // Where those that go first stand in the order of age, on average: 0 is the youngest key, 1 the
  // oldest. Each is chosen without what looks before it found.
  double AverageAge(int keys, EvictionPolicy policy) {
    constexpr int kChoices = 400;
    double sum = 0;
    for (int i = 0; i < kChoices; ++i) {
      SampledVictims victims(keyspace_);
      Victim victim;
      const VictimSource::Request request{.access = {.policy = policy}, .samples = 5, .now = kNow};
      if (!victims.Next(request, random_, victim)) return -1;
      sum += std::stod(victim.key) / keys;
    }
    return sum / kChoices;
  }

  Keyspace keyspace_;
  Random random_{7};
};

// The oldest of five out of all keys is at 5/6 on average, the oldest of one at 1/2.
constexpr double kOldestOfFive = 5.0 / 6;
constexpr double kTolerance = 0.04;

TEST_F(SampledVictimsTest, AreTheOldestOfFiveHoweverFewKeysAShardHas) {
  Fill(300, 1, kNoExpiry);
  EXPECT_NEAR(AverageAge(300, EvictionPolicy::kAllKeysLru), kOldestOfFive, kTolerance);
}

TEST_F(SampledVictimsTest, AreTheOldestOfFiveWhereAShardHasMany) {
  Fill(100'000, 1, kNoExpiry);
  EXPECT_NEAR(AverageAge(100'000, EvictionPolicy::kAllKeysLru), kOldestOfFive, kTolerance);
}

TEST_F(SampledVictimsTest, AreTheOldestOfFiveOverAllDatabases) {
  Fill(300, kDatabases, kNoExpiry);
  EXPECT_NEAR(AverageAge(300, EvictionPolicy::kAllKeysLru), kOldestOfFive, kTolerance);
}

TEST_F(SampledVictimsTest, AreTheOldestOfFiveWithATtlHoweverFewHaveOne) {
  Fill(300, 1, kNow + 1000);
  for (int i = 0; i < 3000; ++i) {
    const std::string key = "stays" + std::to_string(i);
    const HashedKey hashed = HashedKey::Of(key);
    Shard& shard = keyspace_.ShardFor(hashed);
    MutexLock lock(shard.mu());
    shard.SetString(0, hashed, "value", kNoExpiry);
  }
  EXPECT_NEAR(AverageAge(300, EvictionPolicy::kVolatileLru), kOldestOfFive, kTolerance);
}

TEST_F(SampledVictimsTest, AreAnyKeyAlikeAtRandomWhereMostShardsAreEmpty) {
  Fill(6, 1, kNoExpiry);
  EXPECT_NEAR(AverageAge(6, EvictionPolicy::kAllKeysRandom), 2.5 / 6, 0.08);
}

}  // namespace
}  // namespace larder
