#include "eviction/evictor.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eviction/access_clock.h"
#include "eviction/sampled_victims.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace larder {
namespace {

constexpr UnixMillis kNow = 1'700'000'000'000;
constexpr int kShards = 8;
constexpr int64_t kUnreachable = 1;  // A limit below any use: everything that may go has to.

class EvictorTest : public testing::Test {
 protected:
  EvictorTest()
      : keyspace_({.shards = kShards, .shard = {.databases = 2}}),
        gauge_(keyspace_),
        domains_(keyspace_, 1, /*seed=*/1),
        evictor_(keyspace_, domains_, std::make_unique<ShardGauge>(keyspace_),
                 std::make_unique<SampledVictims>(keyspace_)) {}

  static Evictor::Options WithPolicy(EvictionPolicy policy, int64_t maxmemory_bytes) {
    return {.maxmemory_bytes = maxmemory_bytes, .samples = 10, .access = {.policy = policy}};
  }

  // Stores a key that was last accessed at `accessed`.
  void Set(const std::string& key, UnixMillis accessed = kNow, UnixMillis expiry = kNoExpiry,
           int db = 0) {
    const HashedKey hashed = HashedKey::Of(key);
    Shard& shard = keyspace_.ShardFor(hashed);
    MutexLock lock(shard.mu());
    Entry* entry = shard.SetString(db, hashed, std::string(100, 'x'), expiry);
    entry->set_access(AccessClock({.policy = EvictionPolicy::kAllKeysLru}, accessed).Initial());
  }

  void SetFrequency(const std::string& key, uint32_t frequency) {
    const HashedKey hashed = HashedKey::Of(key);
    Shard& shard = keyspace_.ShardFor(hashed);
    MutexLock lock(shard.mu());
    const AccessClock clock({.policy = EvictionPolicy::kAllKeysLfu}, kNow);
    shard.Find(0, hashed, kNow)
        ->set_access(clock.Initial() - AccessClock::kInitialFrequency + frequency);
  }

  bool Has(const std::string& key, int db = 0) {
    const HashedKey hashed = HashedKey::Of(key);
    Shard& shard = keyspace_.ShardFor(hashed);
    MutexLock lock(shard.mu());
    return shard.Find(db, hashed, kNow) != nullptr;
  }

  bool MakeRoom(const Evictor::Options& options) {
    return evictor_.MakeRoom(options, kNow, random_, [&](const Evictor::Evicted& evicted) {
      evicted_.emplace(evicted.db, std::string(evicted.key));
      longest_idle_seconds_ = std::max(longest_idle_seconds_, evicted.idle_seconds);
      evicted_bytes_ += evicted.bytes;
    });
  }

  // Evicts until so many keys are gone.
  void EvictKeys(EvictionPolicy policy, size_t count) {
    while (evicted_.size() < count) {
      const size_t before = evicted_.size();
      ASSERT_TRUE(MakeRoom(WithPolicy(policy, gauge_.UsedBytes() - 1)));
      ASSERT_GT(evicted_.size(), before);
    }
  }

  int CountEvicted(std::string_view prefix) const {
    int count = 0;
    for (const auto& [db, key] : evicted_) count += key.starts_with(prefix) ? 1 : 0;
    return count;
  }

  Keyspace keyspace_;
  ShardGauge gauge_;
  EvictionDomains domains_;
  Evictor evictor_;
  Random random_{42};
  std::set<std::pair<int, std::string>> evicted_;
  int64_t longest_idle_seconds_ = 0;
  int64_t evicted_bytes_ = 0;
};

TEST_F(EvictorTest, LeavesEverythingWithinTheLimit) {
  Set("key");
  EXPECT_TRUE(MakeRoom(WithPolicy(EvictionPolicy::kAllKeysLru, 1 << 30)));
  EXPECT_TRUE(Has("key"));
}

TEST_F(EvictorTest, WithoutALimitThereIsAlwaysRoom) {
  Set("key");
  EXPECT_TRUE(MakeRoom(WithPolicy(EvictionPolicy::kAllKeysLru, 0)));
  EXPECT_TRUE(Has("key"));
}

TEST_F(EvictorTest, NoEvictionRefuses) {
  Set("key");
  EXPECT_FALSE(MakeRoom(WithPolicy(EvictionPolicy::kNoEviction, kUnreachable)));
  EXPECT_TRUE(Has("key"));
}

// A gauge of what it is told.
class StrainedGauge : public MemoryGauge {
 public:
  StrainedGauge(int64_t used_bytes, int64_t strain_bytes)
      : used_bytes_(used_bytes), strain_bytes_(strain_bytes) {}
  bool Within(int64_t limit_bytes) override { return used_bytes_ <= limit_bytes; }
  int64_t UsedBytes() override { return used_bytes_; }
  int64_t StrainBytes() const override { return strain_bytes_; }

 private:
  const int64_t used_bytes_;
  const int64_t strain_bytes_;
};

TEST_F(EvictorTest, RefusesNothingForFragmentationThatEvictingCannotMend) {
  Set("key");
  const auto makes_room = [&](int64_t used_bytes) {
    Evictor evictor(keyspace_, domains_, std::make_unique<StrainedGauge>(used_bytes, 50),
                    std::make_unique<SampledVictims>(keyspace_));
    return evictor.MakeRoom(WithPolicy(EvictionPolicy::kVolatileLru, 1000), kNow, random_,
                            [](const Evictor::Evicted&) {});
  };
  EXPECT_TRUE(makes_room(1050));
  EXPECT_FALSE(makes_room(1051));
  EXPECT_TRUE(Has("key"));
}

TEST_F(EvictorTest, EvictsEverythingIfItMust) {
  for (int i = 0; i < 100; ++i) Set("key" + std::to_string(i));
  for (int i = 0; evicted_.size() < 100 && i < 100; ++i) {
    EXPECT_TRUE(MakeRoom(WithPolicy(EvictionPolicy::kAllKeysRandom, kUnreachable)));
  }
  EXPECT_EQ(evicted_.size(), 100u);
}

TEST_F(EvictorTest, TellsHowLargeAndHowOldWhatItEvictedWas) {
  Set("key", kNow - 100'000);
  const int64_t used_bytes = gauge_.UsedBytes();
  EvictKeys(EvictionPolicy::kAllKeysLru, 1);
  EXPECT_EQ(longest_idle_seconds_, 100);
  EXPECT_GE(evicted_bytes_, 100);
  EXPECT_LE(evicted_bytes_, used_bytes - gauge_.UsedBytes());
}

TEST_F(EvictorTest, TheObserverIsToldThatAKeyWasEvicted) {
  class Observer : public ShardObserver {
   public:
    void OnKeyChanging(Shard&, int, std::string_view key, KeyChange change) override {
      changes.emplace_back(key, change);
    }
    void OnKeyExpired(Shard&, int, std::string_view) override {}
    std::vector<std::pair<std::string, KeyChange>> changes;
  };
  Observer observer;
  Keyspace keyspace({.shards = 1, .shard = {.databases = 1, .observer = &observer}});
  EvictionDomains domains(keyspace, 1, /*seed=*/1);
  Evictor evictor(keyspace, domains, std::make_unique<ShardGauge>(keyspace),
                  std::make_unique<SampledVictims>(keyspace));
  {
    MutexLock lock(keyspace.shard(0).mu());
    keyspace.shard(0).SetString(0, HashedKey::Of("key"), "value", kNoExpiry);
    keyspace.shard(0).set_observed(true);
  }
  evictor.MakeRoom(WithPolicy(EvictionPolicy::kAllKeysRandom, kUnreachable), kNow, random_,
                   [](const Evictor::Evicted&) {});
  EXPECT_THAT(observer.changes, testing::ElementsAre(testing::Pair("key", KeyChange::kEvicted)));
}

// Half a millisecond; what is left to do is done by the next who ask.
TEST_F(EvictorTest, OneCallDoesNotEvictEverything) {
  for (int i = 0; i < 100'000; ++i) Set("key" + std::to_string(i));
  EXPECT_TRUE(MakeRoom(WithPolicy(EvictionPolicy::kAllKeysLru, kUnreachable)));
  EXPECT_GT(evicted_.size(), 0u);
  EXPECT_LT(evicted_.size(), 50'000u);
}

TEST_F(EvictorTest, EvictsUntilThereIsRoomAndNotMuchMore) {
  for (int i = 0; i < 10'000; ++i) Set("key" + std::to_string(i));
  const int64_t limit = gauge_.UsedBytes() * 9 / 10;
  const Evictor::Options options = WithPolicy(EvictionPolicy::kAllKeysLru, limit);
  while (gauge_.UsedBytes() > limit) ASSERT_TRUE(MakeRoom(options));
  EXPECT_GT(gauge_.UsedBytes(), limit * 98 / 100);
}

TEST_F(EvictorTest, LruTakesWhatWasIdleLongest) {
  for (int i = 0; i < 1000; ++i) Set("old" + std::to_string(i), kNow - 100'000);
  for (int i = 0; i < 1000; ++i) Set("new" + std::to_string(i), kNow);
  EvictKeys(EvictionPolicy::kAllKeysLru, 500);
  EXPECT_GE(CountEvicted("old"), static_cast<int>(evicted_.size()) * 97 / 100);
}

TEST_F(EvictorTest, LfuTakesWhatIsUsedLeast) {
  for (int i = 0; i < 1000; ++i) {
    Set("rare" + std::to_string(i));
    SetFrequency("rare" + std::to_string(i), 5);
    Set("often" + std::to_string(i));
    SetFrequency("often" + std::to_string(i), 50);
  }
  EvictKeys(EvictionPolicy::kAllKeysLfu, 500);
  EXPECT_GE(CountEvicted("rare"), static_cast<int>(evicted_.size()) * 97 / 100);
}

TEST_F(EvictorTest, VolatileTtlTakesWhatEndsFirst) {
  for (int i = 0; i < 1000; ++i) {
    Set("soon" + std::to_string(i), kNow, kNow + 1000);
    Set("late" + std::to_string(i), kNow, kNow + 1'000'000);
    Set("never" + std::to_string(i));
  }
  EvictKeys(EvictionPolicy::kVolatileTtl, 500);
  EXPECT_GE(CountEvicted("soon"), static_cast<int>(evicted_.size()) * 97 / 100);
  EXPECT_EQ(CountEvicted("never"), 0);
}

TEST_F(EvictorTest, RandomTakesFromAllAlike) {
  for (int i = 0; i < 2000; ++i) Set((i % 2 == 0 ? "even" : "odd") + std::to_string(i), kNow - i);
  EvictKeys(EvictionPolicy::kAllKeysRandom, 1000);
  EXPECT_NEAR(CountEvicted("even"), CountEvicted("odd"), 150);
}

TEST_F(EvictorTest, AllDatabasesGiveByTheirShare) {
  for (int i = 0; i < 1500; ++i) Set("key" + std::to_string(i), kNow, kNoExpiry, 0);
  for (int i = 0; i < 500; ++i) Set("key" + std::to_string(i), kNow, kNoExpiry, 1);
  EvictKeys(EvictionPolicy::kAllKeysRandom, 400);
  std::map<int, int> by_db;
  for (const auto& [db, key] : evicted_) ++by_db[db];
  EXPECT_NEAR(by_db[1], static_cast<int>(evicted_.size()) / 4, 60);
}

TEST_F(EvictorTest, AKeyThatWasUsedAfterItWasPooledStays) {
  // The pool remembers 16 of these; all are then used.
  for (int i = 0; i < 20; ++i) Set("key" + std::to_string(i), kNow - 1'000'000);
  EvictKeys(EvictionPolicy::kAllKeysLru, 1);
  for (int i = 0; i < 20; ++i) {
    if (Has("key" + std::to_string(i))) Set("key" + std::to_string(i), kNow);
  }
  for (int i = 0; i < 20; ++i) Set("idle" + std::to_string(i), kNow - 1'000'000);
  evicted_.clear();
  EvictKeys(EvictionPolicy::kAllKeysLru, 10);
  EXPECT_EQ(CountEvicted("idle"), static_cast<int>(evicted_.size()));
}

// Under each policy.
class PinnedKeyTest : public EvictorTest, public testing::WithParamInterface<EvictionPolicy> {
 protected:
  void Pin(const std::string& key) {
    const HashedKey hashed = HashedKey::Of(key);
    Shard& shard = keyspace_.ShardFor(hashed);
    MutexLock lock(shard.mu());
    ASSERT_TRUE(shard.Pin(0, hashed, 100));
  }
};

TEST_P(PinnedKeyTest, GoesNeverAndAllTheRestMay) {
  for (int i = 0; i < 20; ++i) {
    Set("pinned" + std::to_string(i), kNow - 1'000'000, kNow + 1000);
    Pin("pinned" + std::to_string(i));
  }
  for (int i = 0; i < 100; ++i) Set("key" + std::to_string(i), kNow, kNow + 100'000);
  bool room = true;
  for (int i = 0; room && i < 1000; ++i) room = MakeRoom(WithPolicy(GetParam(), kUnreachable));
  EXPECT_FALSE(room);
  EXPECT_EQ(evicted_.size(), 100u);
  EXPECT_EQ(CountEvicted("pinned"), 0);
}

TEST_P(PinnedKeyTest, IsSparedAlsoWhenItWasChosenAlready) {
  // The pool remembers 16 of these.
  for (int i = 0; i < 20; ++i) Set("key" + std::to_string(i), kNow - 1'000'000, kNow + 1000);
  EvictKeys(GetParam(), 1);
  evicted_.clear();
  for (int i = 0; i < 20; ++i) {
    if (Has("key" + std::to_string(i))) Pin("key" + std::to_string(i));
  }
  EXPECT_FALSE(MakeRoom(WithPolicy(GetParam(), kUnreachable)));
  EXPECT_TRUE(evicted_.empty());
}

INSTANTIATE_TEST_SUITE_P(Policies, PinnedKeyTest,
                         testing::Values(EvictionPolicy::kAllKeysLru, EvictionPolicy::kAllKeysLfu,
                                         EvictionPolicy::kAllKeysRandom,
                                         EvictionPolicy::kVolatileLru, EvictionPolicy::kVolatileLfu,
                                         EvictionPolicy::kVolatileRandom,
                                         EvictionPolicy::kVolatileTtl));

// Each policy that spares keys without a TTL, also when next to none has one.
class VolatileEvictorTest : public EvictorTest,
                            public testing::WithParamInterface<EvictionPolicy> {};

TEST_P(VolatileEvictorTest, FindsTheOnlyKeyWithATtlAndThenRefuses) {
  for (int i = 0; i < 5000; ++i) Set("key" + std::to_string(i));
  Set("volatile", kNow, kNow + 1000);
  bool room = true;
  for (int i = 0; room && i < 100; ++i) room = MakeRoom(WithPolicy(GetParam(), kUnreachable));
  EXPECT_FALSE(room);
  EXPECT_THAT(evicted_, testing::ElementsAre(testing::Pair(0, "volatile")));
}

INSTANTIATE_TEST_SUITE_P(Policies, VolatileEvictorTest,
                         testing::Values(EvictionPolicy::kVolatileLru, EvictionPolicy::kVolatileLfu,
                                         EvictionPolicy::kVolatileRandom,
                                         EvictionPolicy::kVolatileTtl));

TEST(AllocatorGaugeTest, SeesWhatWasAllocated) {
  Keyspace keyspace({.shards = 2, .shard = {.databases = 1}});
  const std::unique_ptr<MemoryGauge> gauge = MakeMemoryGauge(keyspace);
  const int64_t limit = gauge->UsedBytes() + (1 << 20);
  EXPECT_TRUE(gauge->Within(limit));
  const HashedKey key = HashedKey::Of("key");
  Shard& shard = keyspace.ShardFor(key);
  {
    MutexLock lock(shard.mu());
    shard.SetString(0, key, std::string(4 << 20, 'x'), kNoExpiry);
  }
  EXPECT_FALSE(gauge->Within(limit));
  EXPECT_FALSE(gauge->Within(limit));
  {
    MutexLock lock(shard.mu());
    shard.Erase(0, key, Shard::Reclaim::kNow);
  }
  EXPECT_TRUE(gauge->Within(limit));
}

}  // namespace
}  // namespace larder
