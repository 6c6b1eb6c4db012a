#include "server/expire_cycle.h"

#include <string>

#include "gtest/gtest.h"

namespace larder {
namespace {

constexpr UnixMillis kNow = 1'700'000'000'000;

class ExpireCycleTest : public testing::Test {
 protected:
  void Set(const std::string& name, UnixMillis expiry) {
    const HashedKey key = HashedKey::Of(name);
    Shard& shard = keyspace_.ShardFor(key);
    MutexLock lock(shard.mu());
    shard.SetString(0, key, "value", expiry);
  }
  void SetMany(int count, UnixMillis expiry) {
    for (int i = 0; i < count; ++i) Set("key:" + std::to_string(i), expiry);
  }
  size_t KeysIn(uint32_t shard_id) {
    Shard& shard = keyspace_.shard(shard_id);
    MutexLock lock(shard.mu());
    return shard.size(0);
  }
  size_t Keys() {
    size_t keys = 0;
    for (uint32_t id = 0; id < keyspace_.shard_count(); ++id) keys += KeysIn(id);
    return keys;
  }
  // A whole pass; how many keys it removed.
  static size_t Pass(ExpireCycle& cycle, UnixMillis now) {
    size_t expired = 0;
    cycle.StartPass();
    while (cycle.active()) expired += cycle.Run(now).expired;
    return expired;
  }

  Keyspace keyspace_{{.shards = 16}};
};

TEST_F(ExpireCycleTest, RestsUntilAPassIsStarted) {
  SetMany(10, kNow);
  ExpireCycle cycle(keyspace_, 0, 1);
  EXPECT_FALSE(cycle.active());
  EXPECT_EQ(cycle.Run(kNow + 1).expired, 0u);
  EXPECT_EQ(Keys(), 10u);
}

TEST_F(ExpireCycleTest, OnePassRemovesAllThatIsDueAndNothingElse) {
  SetMany(5000, kNow);
  Set("later", kNow + 1000);
  Set("always", kNoExpiry);
  ExpireCycle cycle(keyspace_, 0, 1);
  EXPECT_EQ(Pass(cycle, kNow + 1), 5000u);
  EXPECT_EQ(Keys(), 2u);
  EXPECT_EQ(Pass(cycle, kNow + 1), 0u);
}

TEST_F(ExpireCycleTest, EachThreadHasItsOwnShare) {
  SetMany(1000, kNow);
  ExpireCycle first(keyspace_, 0, 3);
  ExpireCycle second(keyspace_, 1, 3);
  ExpireCycle third(keyspace_, 2, 3);
  Pass(second, kNow + 1);
  for (uint32_t id = 0; id < 16; ++id) EXPECT_EQ(KeysIn(id) == 0, id % 3 == 1) << id;
  Pass(first, kNow + 1);
  Pass(third, kNow + 1);
  EXPECT_EQ(Keys(), 0u);
}

TEST_F(ExpireCycleTest, SliceIsShortHoweverMuchIsDue) {
  SetMany(50'000, kNow);
  ExpireCycle cycle(keyspace_, 0, 1);
  cycle.StartPass();
  EXPECT_LT(cycle.Run(kNow + 1).expired, 50'000u);
  EXPECT_TRUE(cycle.active());
}

// Else a timer that starts passes more often than they end would look at the first shards only.
TEST_F(ExpireCycleTest, PassUnderWayIsNotBegunAnew) {
  SetMany(20'000, kNow);
  ExpireCycle cycle(keyspace_, 0, 1);
  int slices = 0;
  cycle.StartPass();
  while (cycle.active() && slices < 100'000) {
    cycle.Run(kNow + 1);
    if (cycle.active()) cycle.StartPass();
    ++slices;
  }
  EXPECT_EQ(Keys(), 0u);
}

}  // namespace
}  // namespace larder
