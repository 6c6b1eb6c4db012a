#include "storage/keyspace.h"

#include <string>
#include <thread>
#include <vector>

#include "base/allocator.h"
#include "base/random.h"
#include <gtest/gtest.h>

namespace larder {
namespace {

constexpr UnixMillis kNow = 1'700'000'000'000;

size_t Accounted(Keyspace& keyspace) {
  size_t bytes = 0;
  for (uint32_t id = 0; id < keyspace.shard_count(); ++id) {
    MutexLock lock(keyspace.shard(id).mu());
    bytes += keyspace.shard(id).memory_bytes();
  }
  return bytes;
}

TEST(KeyspaceTest, KeysOfOneHashTagShareAShard) {
  Keyspace keyspace({.shards = 64});
  Shard& shard = keyspace.ShardFor(HashedKey::Of("{user:1}name"));
  EXPECT_EQ(&shard, &keyspace.ShardFor(HashedKey::Of("{user:1}mail")));
  EXPECT_EQ(&shard, &keyspace.shard(KeySlot("user:1") % 64));
  EXPECT_EQ(shard.id(), KeySlot("user:1") % 64);
}

TEST(KeyspaceTest, ManyMoreShardsThanThreads) {
  EXPECT_EQ(Keyspace::DefaultShards(1), 1024u);
  EXPECT_EQ(Keyspace::DefaultShards(32), 1024u);
  EXPECT_EQ(Keyspace::DefaultShards(33), 2048u);
  EXPECT_EQ(Keyspace::DefaultShards(1000), 4096u);
}

// The sum over all shards is what the allocator says, whatever the sizes and the history.
TEST(KeyspaceTest, AccountsForWhatTheAllocatorHolds) {
  if (AllocatorName() == "libc") GTEST_SKIP() << "needs jemalloc's own count";
  Keyspace keyspace({.shards = 64});
  FlushThreadCache();
  const size_t empty = AllocatedBytes();
  Random random(5);
  const auto expect_true = [&](const char* when) {
    FlushThreadCache();
    const double actual = static_cast<double>(AllocatedBytes()) - static_cast<double>(empty);
    EXPECT_NEAR(static_cast<double>(Accounted(keyspace)), actual, actual * 0.02 + 100'000) << when;
  };
  const auto in_shard = [&](int i, auto change) {
    const std::string name = "key:" + std::to_string(i) + std::string(i % 300, 'k');
    const HashedKey key = HashedKey::Of(name);
    Shard& shard = keyspace.ShardFor(key);
    MutexLock lock(shard.mu());
    change(shard, key);
  };
  constexpr int kKeys = 100'000;
  const auto set = [&](Shard& shard, const HashedKey& key) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    const size_t size = random.Uniform(random.Uniform(100) == 0 ? 20'000 : 400);
    const UnixMillis expiry = random.Uniform(2) == 0 ? kNow : kNoExpiry;
    shard.SetString(static_cast<int>(random.Uniform(3)), key, std::string(size, 'v'), expiry);
  };
  for (int i = 0; i < kKeys; ++i) in_shard(i, set);
  expect_true("filled");
  for (int i = 0; i < kKeys; ++i) in_shard(i, set);
  expect_true("overwritten");
  for (int i = 0; i < kKeys; ++i) {
    in_shard(i, [&](Shard& shard, const HashedKey& key) ABSL_NO_THREAD_SAFETY_ANALYSIS {
      if (Entry* entry = shard.Find(0, key, 0)) {
        shard.EditString(0, key, entry, entry->StringSize() + random.Uniform(5000));
      }
      if (Entry* entry = shard.Find(1, key, 0)) shard.SetExpiry(1, key, entry, kNoExpiry);
    });
  }
  expect_true("edited");
  for (int i = 0; i < kKeys * 9 / 10; ++i) {
    in_shard(i, [](Shard& shard, const HashedKey& key) ABSL_NO_THREAD_SAFETY_ANALYSIS {
      for (int db = 0; db < 3; ++db) shard.Erase(db, key, Shard::Reclaim::kBackground);
    });
  }
  keyspace.lazy_free().Drain();
  expect_true("mostly erased");
  for (uint32_t id = 0; id < keyspace.shard_count(); ++id) {
    MutexLock lock(keyspace.shard(id).mu());
    for (int db = 0; db < 3; ++db) keyspace.shard(id).Flush(db, Shard::Reclaim::kBackground);
  }
  keyspace.lazy_free().Drain();
  EXPECT_EQ(Accounted(keyspace), 0u);
  expect_true("flushed");
}

TEST(KeyspaceTest, ThreadsWorkOnAllShards) {
  Keyspace keyspace({.shards = 8});
  constexpr int kIncrements = 20'000;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 3; ++thread) {
    threads.emplace_back([&keyspace, thread] {
      Random random(static_cast<uint64_t>(thread));
      for (int i = 0; i < kIncrements; ++i) {
        const std::string name = std::to_string(random.Uniform(20'000));
        const HashedKey key = HashedKey::Of(name);
        keyspace.PrefetchShard(keyspace.ShardOf(key.slot));
        Shard& shard = keyspace.ShardFor(key);
        MutexLock lock(shard.mu());
        shard.PrefetchBucket(0, key.hash);
        shard.PrefetchEntry(0, key.hash);
        StringValue value;
        if (Entry* entry = shard.Find(0, key, kNow)) entry->ReadString(value);
        shard.SetInteger(0, key, value.integer() + 1, kNoExpiry);
        if (random.Uniform(1000) == 0) {
          shard.SwapDatabases(0, 1);
          shard.Flush(0, Shard::Reclaim::kBackground);
          shard.SwapDatabases(0, 1);
        }
        shard.SetInteger(1, key, i, kNoExpiry);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  int64_t sum = 0;
  for (uint32_t id = 0; id < keyspace.shard_count(); ++id) {
    MutexLock lock(keyspace.shard(id).mu());
    keyspace.shard(id).CheckInvariants();
    uint64_t cursor = 0;
    do {
      cursor = keyspace.shard(id).Scan(0, cursor, [&](Entry& entry) {
        StringValue value;
        entry.ReadString(value);
        sum += value.integer();
      });
    } while (cursor != 0);
  }
  EXPECT_EQ(sum, 3 * kIncrements);
}

}  // namespace
}  // namespace larder
