// All shards, and which of them a key belongs to.
//
// Concurrency: immutable after construction; each shard has its own lock.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "storage/lazy_free.h"
#include "storage/shard.h"

namespace larder {

class Keyspace {
 public:
  struct Options {
    uint32_t shards = 256;  // A power of two, at most kSlotCount.
    ShardOptions shard;
  };
  explicit Keyspace(const Options& options);
  ~Keyspace();
  Keyspace(const Keyspace&) = delete;
  Keyspace& operator=(const Keyspace&) = delete;

  int databases() const { return databases_; }
  uint32_t shard_count() const { return shard_mask_ + 1; }
  uint32_t ShardOf(uint16_t slot) const { return slot & shard_mask_; }
  Shard& shard(uint32_t id) { return shards_[id]; }
  const Shard& shard(uint32_t id) const { return shards_[id]; }
  Shard& ShardFor(const HashedKey& key) { return shards_[ShardOf(key.slot)]; }

  // Brings in what locking the shard and finding a bucket of its database 0 will touch. A hint that
  // needs no lock.
  void PrefetchShard(uint32_t id) const {
    const char* shard = reinterpret_cast<const char*>(&shards_[id]);
    __builtin_prefetch(shard, /*rw=*/1);
  }

  LazyFree& lazy_free() { return lazy_free_; }
  // Keys that are never evicted, in all shards.
  int64_t pinned_keys() const { return pinned_keys_.load(std::memory_order_relaxed); }

  // "Many more than threads": a collision of two threads on a shard's lock stays rare.
  static uint32_t DefaultShards(unsigned threads);

 private:
  friend class Snapshot;

  const uint32_t shard_mask_;
  const int databases_;
  LazyFree lazy_free_;  // Before the shards, which may use it to the end.
  // Written by shards when a key is pinned or no longer is; orders nothing.
  std::atomic<int64_t> pinned_keys_{0};
  Shard* shards_;  // One allocation, each shard on cache lines of its own.
  // Whether a snapshot is under way. Only Snapshot writes it, by compare-and-swap.
  std::atomic<bool> snapshot_active_{false};
};

}  // namespace larder
