#include "eviction/eviction_domains.h"

#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "eviction/access_clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace larder {
namespace {

constexpr UnixMillis kNow = 1'700'000'000'000;

struct Case {
  std::string name;
  EvictionPolicy policy;
  uint32_t threads;
};

class EvictionDomainsTest : public testing::TestWithParam<Case> {
 protected:
  EvictionDomainsTest()
      : keyspace_({.shards = 16, .shard = {.databases = 3}}),
        domains_(keyspace_, GetParam().threads, /*seed=*/1) {}

  static bool VolatileOnly() { return EvictsOnlyVolatile(GetParam().policy); }
  // Of a key that the policy may evict.
  static UnixMillis Expiry() { return VolatileOnly() ? kNow + 1000 : kNoExpiry; }

  void UsePolicy(EvictionPolicy policy) {
    domains_.set_policy(policy);
    Settle();
  }
  void Settle() {
    while (domains_.Advance(kNow)) {
    }
    EXPECT_FALSE(domains_.changing());
  }

  void Set(const std::string& text, UnixMillis expiry, int db = 0) {
    const HashedKey key = HashedKey::Of(text);
    Shard& shard = keyspace_.ShardFor(key);
    MutexLock lock(shard.mu());
    shard.SetString(db, key, "value", expiry);
  }
  void Fill(int keys, int db = 0) {
    for (int i = 0; i < keys; ++i) Set("key" + std::to_string(i), Expiry(), db);
  }
  void Hit(const std::string& text) {
    const HashedKey key = HashedKey::Of(text);
    Shard& shard = keyspace_.ShardFor(key);
    MutexLock lock(shard.mu());
    Entry* entry = shard.Find(0, key, kNow);
    if (entry == nullptr || shard.access_bits() != Shard::AccessBits::kQueues) return;
    domains_.OnHit(shard, key.hash, *entry);
  }
  bool Erase(const std::string& text, int db = 0) {
    const HashedKey key = HashedKey::Of(text);
    Shard& shard = keyspace_.ShardFor(key);
    MutexLock lock(shard.mu());
    return shard.Erase(db, key, Shard::Reclaim::kNow);
  }
  void Flush(int db) {
    for (uint32_t id = 0; id < keyspace_.shard_count(); ++id) {
      Shard& shard = keyspace_.shard(id);
      MutexLock lock(shard.mu());
      shard.Flush(db, Shard::Reclaim::kNow);
    }
  }
  size_t Keys() {
    size_t keys = 0;
    for (uint32_t id = 0; id < keyspace_.shard_count(); ++id) {
      Shard& shard = keyspace_.shard(id);
      MutexLock lock(shard.mu());
      for (int db = 0; db < keyspace_.databases(); ++db) keys += shard.size(db);
    }
    return keys;
  }

  // Evicts until nobody is named any more: who went, in order.
  std::vector<std::string> EvictAll() {
    std::vector<std::string> evicted;
    Victim victim;
    while (domains_.Next(random_, kNow, victim)) {
      EXPECT_TRUE(Erase(victim.key, victim.db)) << victim.key;
      evicted.push_back(victim.key);
    }
    return evicted;
  }

  Keyspace keyspace_;
  EvictionDomains domains_;
  Random random_{42};
};

TEST_P(EvictionDomainsTest, NamesEveryEntryOnce) {
  UsePolicy(GetParam().policy);
  Fill(3000);
  EXPECT_EQ(domains_.figures().residents, 3000u);
  const std::vector<std::string> evicted = EvictAll();
  EXPECT_EQ(evicted.size(), 3000u);
  EXPECT_EQ(std::set<std::string>(evicted.begin(), evicted.end()).size(), 3000u);
  EXPECT_EQ(domains_.figures().residents, 0u);
}

TEST_P(EvictionDomainsTest, NamesNothingBeforeThereIsAPolicy) {
  Fill(10);
  Victim victim;
  EXPECT_FALSE(domains_.Next(random_, kNow, victim));
  EXPECT_EQ(domains_.figures().residents, 0u);
}

TEST_P(EvictionDomainsTest, LearnsOfWhatWasThereBefore) {
  Fill(1000, 0);
  Fill(1000, 2);
  UsePolicy(GetParam().policy);
  EXPECT_EQ(domains_.figures().residents, 2000u);
  EXPECT_EQ(EvictAll().size(), 2000u);
  EXPECT_EQ(Keys(), 0u);
}

TEST_P(EvictionDomainsTest, KnowsWhatIsThereWhateverHappens) {
  UsePolicy(GetParam().policy);
  for (int step = 0; step < 30'000; ++step) {
    const std::string key = std::to_string(random_.Uniform(700));
    switch (random_.Uniform(4)) {
      case 0:
        Set(key, Expiry());
        break;
      case 1:
        Erase(key);
        break;
      case 2:
        Hit(key);
        break;
      case 3: {
        Victim victim;
        if (random_.Uniform(8) == 0 && domains_.Next(random_, kNow, victim)) {
          EXPECT_TRUE(Erase(victim.key));
        }
        break;
      }
    }
    ASSERT_EQ(domains_.figures().residents, Keys());
  }
  const size_t left = Keys();
  EXPECT_EQ(EvictAll().size(), left);
}

TEST_P(EvictionDomainsTest, SparesKeysThatMayNotGo) {
  UsePolicy(GetParam().policy);
  Set("stays", kNoExpiry);
  Set("goes", kNow + 1000);
  Set("gets one", kNoExpiry);
  Set("gets one", kNow + 1000);
  Set("loses it", kNow + 1000);
  Set("loses it", kNoExpiry);
  if (VolatileOnly()) {
    EXPECT_THAT(EvictAll(), testing::UnorderedElementsAre("goes", "gets one"));
  } else {
    EXPECT_EQ(EvictAll().size(), 4u);
  }
}

TEST_P(EvictionDomainsTest, ForgetsWhatWasFlushed) {
  UsePolicy(GetParam().policy);
  Fill(3000, 0);
  Fill(500, 1);
  Flush(0);
  Settle();
  EXPECT_EQ(domains_.figures().residents, 500u);
  Fill(10, 0);
  EXPECT_EQ(EvictAll().size(), 510u);
}

TEST_P(EvictionDomainsTest, PoliciesFollowOneAnother) {
  UsePolicy(GetParam().policy);
  Fill(1000);
  for (const EvictionPolicy policy :
       {EvictionPolicy::kAllKeysLru, EvictionPolicy::kAllKeysFifo, EvictionPolicy::kVolatileLfu,
        EvictionPolicy::kVolatileAdaptive, EvictionPolicy::kNoEviction, GetParam().policy}) {
    domains_.set_policy(policy);
    domains_.Advance(kNow);  // Perhaps not to the end.
    Set("new" + std::to_string(static_cast<int>(policy)), Expiry());
  }
  Settle();
  const size_t keys = Keys();
  EXPECT_EQ(domains_.figures().residents, keys);
  EXPECT_EQ(EvictAll().size(), keys);
}

// A walk by the numbers of databases must not pass over one that gets another number.
TEST_P(EvictionDomainsTest, DatabasesMaySwapWhileThePolicyChanges) {
  Fill(4000, 0);
  Fill(4000, 2);
  domains_.set_policy(GetParam().policy);
  bool more = true;
  for (int round = 0; more; ++round) {
    more = domains_.Advance(kNow);
    if (round > 3) continue;
    for (uint32_t id = 0; id < keyspace_.shard_count(); ++id) {
      Shard& shard = keyspace_.shard(id);
      MutexLock lock(shard.mu());
      shard.SwapDatabases(round % 2, 2);
    }
  }
  EXPECT_EQ(domains_.figures().residents, 8000u);
}

TEST_P(EvictionDomainsTest, ThreadsDoAllOfItAtOnce) {
  UsePolicy(GetParam().policy);
  std::atomic<bool> stop{false};
  std::atomic<int> evicted{0};
  std::vector<std::thread> threads;
  for (uint64_t seed = 0; seed < 3; ++seed) {
    threads.emplace_back([&, seed] {
      Random random(seed);
      for (int step = 0; step < 20'000; ++step) {
        const std::string key = std::to_string(random.Uniform(500));
        if (random.Uniform(3) == 0) Set(key, Expiry());
        if (random.Uniform(10) == 0) Erase(key);
        Hit(key);
        Victim victim;
        if (random.Uniform(10) == 0 && domains_.Next(random, kNow, victim)) {
          evicted += Erase(victim.key) ? 1 : 0;
        }
      }
    });
  }
  std::thread changer([&] {
    while (!stop) {
      domains_.set_policy(EvictionPolicy::kAllKeysLru);
      domains_.Advance(kNow);
      domains_.set_policy(GetParam().policy);
      while (domains_.Advance(kNow)) {
      }
    }
  });
  for (std::thread& thread : threads) thread.join();
  stop = true;
  changer.join();
  Settle();
  EXPECT_GT(evicted, 0);
  EXPECT_EQ(domains_.figures().residents, Keys());
  const size_t left = Keys();
  EXPECT_EQ(EvictAll().size(), left);
}

INSTANTIATE_TEST_SUITE_P(
    Policies, EvictionDomainsTest,
    testing::Values(Case{"Fifo", EvictionPolicy::kAllKeysFifo, 1},
                    Case{"S3Fifo", EvictionPolicy::kAllKeysS3Fifo, 2},
                    Case{"Adaptive", EvictionPolicy::kAllKeysAdaptive, 1},
                    Case{"AdaptiveInFourDomains", EvictionPolicy::kAllKeysAdaptive, 8},
                    Case{"VolatileFifo", EvictionPolicy::kVolatileFifo, 4},
                    Case{"VolatileAdaptive", EvictionPolicy::kVolatileAdaptive, 2}),
    [](const auto& test_case) { return test_case.param.name; });

}  // namespace
}  // namespace larder
