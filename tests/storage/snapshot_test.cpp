#include "storage/snapshot.h"

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "base/random.h"
#include <gtest/gtest.h>

namespace larder {
namespace {

constexpr UnixMillis kNow = 1'700'000'000'000;

using Contents = std::map<std::pair<int, std::string>, std::pair<std::string, UnixMillis>>;

void AddTo(Contents& contents, int db, const Entry& entry) {
  StringValue value;
  entry.ReadString(value);
  const bool is_new = contents
                          .emplace(std::make_pair(db, std::string(entry.key())),
                                   std::make_pair(std::string(value.view()), entry.expiry()))
                          .second;
  EXPECT_TRUE(is_new) << "twice: " << entry.key();
}

// Collects by shard, since calls for different shards come at the same time.
class Collector : public SnapshotSink {
 public:
  explicit Collector(uint32_t shards) : contents_(shards) {}
  void OnEntry(uint32_t shard, int db, const Entry& entry) override {
    AddTo(contents_[shard], db, entry);
  }
  std::vector<Contents>& contents() { return contents_; }

 private:
  std::vector<Contents> contents_;
};

// REQUIRES: all locks are held.
std::vector<Contents> CopyOf(Keyspace& keyspace) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  std::vector<Contents> copy(keyspace.shard_count());
  for (uint32_t id = 0; id < keyspace.shard_count(); ++id) {
    for (int db = 0; db < keyspace.databases(); ++db) {
      uint64_t cursor = 0;
      do {
        cursor =
            keyspace.shard(id).Scan(db, cursor, [&](Entry& entry) { AddTo(copy[id], db, entry); });
      } while (cursor != 0);
    }
  }
  return copy;
}

void Finish(Snapshot& snapshot, uint32_t shards, size_t buckets) {
  for (uint32_t id = 0; id < shards; ++id) {
    while (!snapshot.Step(id, buckets)) {
    }
  }
  EXPECT_TRUE(snapshot.done());
}

class SnapshotTest : public testing::Test {
 protected:
  static constexpr uint32_t kShards = 16;

  SnapshotTest() : keyspace_({.shards = kShards, .shard = {.databases = 3}}), sink_(kShards) {}

  void Set(int db, const std::string& name, const std::string& value,
           UnixMillis expiry = kNoExpiry) {
    const HashedKey key = HashedKey::Of(name);
    Shard& shard = keyspace_.ShardFor(key);
    MutexLock lock(shard.mu());
    shard.SetString(db, key, value, expiry);
  }
  void Erase(int db, const std::string& name) {
    const HashedKey key = HashedKey::Of(name);
    Shard& shard = keyspace_.ShardFor(key);
    MutexLock lock(shard.mu());
    shard.Erase(db, key, Shard::Reclaim::kNow);
  }
  template <typename Change>
  void InEachShard(Change change) {
    for (uint32_t id = 0; id < kShards; ++id) {
      Shard& shard = keyspace_.shard(id);
      MutexLock lock(shard.mu());
      change(shard);
    }
  }
  std::unique_ptr<Snapshot> Begin() {
    auto snapshot = Snapshot::Begin(keyspace_, sink_, [&] { expected_ = CopyOf(keyspace_); });
    EXPECT_TRUE(snapshot.ok());
    return *std::move(snapshot);
  }
  void ExpectExact() {
    for (uint32_t id = 0; id < kShards; ++id) EXPECT_EQ(sink_.contents()[id], expected_[id]);
  }

  Keyspace keyspace_;
  Collector sink_;
  std::vector<Contents> expected_;
};

TEST_F(SnapshotTest, OfAnEmptyKeyspaceIsEmpty) {
  const auto snapshot = Begin();
  Finish(*snapshot, kShards, 1);
  ExpectExact();
}

TEST_F(SnapshotTest, OnlyOneAtATime) {
  auto snapshot = Begin();
  EXPECT_FALSE(Snapshot::Begin(keyspace_, sink_).ok());
  snapshot.reset();
  EXPECT_TRUE(Snapshot::Begin(keyspace_, sink_).ok());
}

TEST_F(SnapshotTest, SeesTheStateAtItsBeginningThroughGrowth) {
  for (int i = 0; i < 3000; ++i) Set(i % 3, std::to_string(i), "old");
  const auto snapshot = Begin();
  for (int i = 0; i < 10'000; ++i) Set(i % 3, std::to_string(i), "new");
  Finish(*snapshot, kShards, 3);
  ExpectExact();
}

TEST_F(SnapshotTest, SeesTheStateAtItsBeginningThroughShrinking) {
  for (int i = 0; i < 6000; ++i) Set(i % 3, std::to_string(i), "old", kNow);
  const auto snapshot = Begin();
  snapshot->Step(0, 20);
  for (int i = 0; i < 5990; ++i) Erase(i % 3, std::to_string(i));
  Finish(*snapshot, kShards, 3);
  ExpectExact();
}

TEST_F(SnapshotTest, SeesWhatExpiresMeanwhile) {
  for (int i = 0; i < 3000; ++i) Set(0, std::to_string(i), "old", kNow);
  const auto snapshot = Begin();
  InEachShard([](Shard& shard) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    while (shard.ExpireSome(kNow + 1, 10).more) {
    }
    EXPECT_EQ(shard.size(0), 0u);
  });
  Finish(*snapshot, kShards, 3);
  ExpectExact();
}

TEST_F(SnapshotTest, SeesFlushedAndSwappedDatabases) {
  for (int i = 0; i < 3000; ++i) Set(i % 3, std::to_string(i), "old");
  const auto snapshot = Begin();
  InEachShard([](Shard& shard) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    shard.SwapDatabases(0, 2);
    shard.Flush(0, Shard::Reclaim::kNow);
    shard.Flush(1, Shard::Reclaim::kBackground);
  });
  for (int i = 0; i < 3000; ++i) Set(i % 3, std::to_string(i), "new");
  InEachShard([](Shard& shard) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    EXPECT_GT(shard.memory_bytes(), 0u);
    shard.SwapDatabases(1, 2);
    shard.Flush(0, Shard::Reclaim::kNow);
    shard.CheckInvariants();
  });
  Finish(*snapshot, kShards, 3);
  ExpectExact();
}

TEST_F(SnapshotTest, EditsInPlaceHandOverTheOldBytesFirst) {
  Set(0, "a", "text");
  Set(0, "b", std::string(9000, 'x'));
  const auto snapshot = Begin();
  for (const char* name : {"a", "b"}) {
    const HashedKey key = HashedKey::Of(name);
    Shard& shard = keyspace_.ShardFor(key);
    MutexLock lock(shard.mu());
    Entry* entry = shard.Find(0, key, kNow);
    shard.EditString(0, key, entry, 4)[0] = '!';
    shard.SetExpiry(0, key, entry, kNow);
  }
  Finish(*snapshot, kShards, 3);
  ExpectExact();
}

TEST_F(SnapshotTest, OneThatIsGivenUpLeavesTheNextOneWhole) {
  for (int i = 0; i < 3000; ++i) Set(i % 3, std::to_string(i), "old");
  {
    Collector ignored(kShards);
    const auto abandoned = Snapshot::Begin(keyspace_, ignored);
    (*abandoned)->Step(1, 10);
    Set(0, "x", "y");
    InEachShard([](Shard& shard)
                    ABSL_NO_THREAD_SAFETY_ANALYSIS { shard.Flush(1, Shard::Reclaim::kNow); });
  }
  const auto snapshot = Begin();
  Finish(*snapshot, kShards, 1000);
  ExpectExact();
}

// Threads do everything that changes keys, within and between shards, while snapshot after snapshot
// is taken; each must be exactly what a copy made under all locks was.
class SnapshotHammerTest : public SnapshotTest {
 protected:
  static constexpr uint64_t kKeys = 4000;

  void Hammer(uint64_t seed) {
    Random random(seed);
    for (uint64_t i = 0; !stop_.load(std::memory_order_relaxed); ++i) {
      operations_.fetch_add(1, std::memory_order_relaxed);
      // Waves of growth and of shrinking.
      const bool shrinking = i / 8192 % 2 == 1;
      const int db = static_cast<int>(random.Uniform(3));
      const std::string name = "key:" + std::to_string(random.Uniform(kKeys));
      const HashedKey key = HashedKey::Of(name);
      const uint64_t choice = random.Uniform(shrinking ? 14 : 10);
      if (choice == 0) {
        Rename(random, db, key);
        continue;
      }
      Shard& shard = keyspace_.ShardFor(key);
      MutexLock lock(shard.mu());
      if (random.Uniform(20'000) == 0) shard.Flush(db, Shard::Reclaim::kBackground);
      if (random.Uniform(20'000) == 0) shard.SwapDatabases(db, static_cast<int>(random.Uniform(3)));
      Entry* entry = shard.Find(db, key, kNow);
      if (choice >= 10 || choice == 1) {
        shard.Erase(db, key, Shard::Reclaim::kBackground);
      } else if (choice == 2 && entry != nullptr) {
        shard.SetExpiry(db, key, entry, kNow + static_cast<int64_t>(random.Uniform(1000)));
      } else if (choice == 3 && entry != nullptr) {
        StringValue value;
        entry->ReadString(value);
        shard.EditString(db, key, entry, value.size() + 1).back() = 'e';
      } else if (choice == 4) {
        shard.ExpireSome(kNow + static_cast<int64_t>(random.Uniform(500)), 2);
      } else {
        const size_t size = random.Uniform(200) == 0 ? 6000 : random.Uniform(100);
        shard.SetString(db, key, std::string(size, static_cast<char>('a' + i % 26)), kNoExpiry);
      }
    }
  }

  void Rename(Random& random, int db, const HashedKey& from) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    const std::string name = "key:" + std::to_string(random.Uniform(kKeys));
    const HashedKey to = HashedKey::Of(name);
    Shard* first = &keyspace_.ShardFor(from);
    Shard* second = &keyspace_.ShardFor(to);
    const bool same = first == second;
    if (first->id() > second->id()) std::swap(first, second);
    first->mu().Lock();
    if (!same) second->mu().Lock();
    if (Entry* entry = keyspace_.ShardFor(from).Find(db, from, kNow)) {
      auto value = keyspace_.ShardFor(from).Extract(db, from, entry);
      keyspace_.ShardFor(to).Attach(db, to, std::move(value));
    }
    if (!same) second->mu().Unlock();
    first->mu().Unlock();
  }

  void LetWritersDo(uint64_t operations) {
    const uint64_t until = operations_.load(std::memory_order_relaxed) + operations;
    while (operations_.load(std::memory_order_relaxed) < until) std::this_thread::yield();
  }

  std::atomic<bool> stop_{false};
  std::atomic<uint64_t> operations_{0};
};

TEST_F(SnapshotHammerTest, IsExactUnderWriters) {
  std::vector<std::thread> writers;
  for (uint64_t seed = 1; seed <= 2; ++seed) {
    writers.emplace_back([this, seed] { Hammer(seed); });
  }
  LetWritersDo(10'000);
  size_t entries = 0;
  for (int round = 0; round < 12; ++round) {
    for (Contents& contents : sink_.contents()) contents.clear();
    auto snapshot = Begin();
    for (uint32_t id = 0; id < kShards; ++id) {
      while (!snapshot->Step(id, 4)) LetWritersDo(10);
    }
    snapshot.reset();
    ExpectExact();
    LetWritersDo(3000);
    for (const Contents& contents : expected_) entries += contents.size();
    if (HasFailure()) break;
  }
  stop_ = true;
  for (std::thread& writer : writers) writer.join();
  EXPECT_GT(entries, 10'000u);
  InEachShard([](Shard& shard) ABSL_NO_THREAD_SAFETY_ANALYSIS { shard.CheckInvariants(); });
}

}  // namespace
}  // namespace larder
