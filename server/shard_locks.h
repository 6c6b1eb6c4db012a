// Holds the locks of the shards that one command needs, always taken in ascending order of shard
// id, which is what makes commands over several shards free of deadlock.
//
// The set is known only at run time, which clang's analysis cannot follow: this class is the one
// place that switches it off, and handlers restore the fact with mu().AssertHeld().
//
// Concurrency: thread-confined.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "storage/keyspace.h"

namespace larder {

class ShardLocks {
 public:
  explicit ShardLocks(Keyspace& keyspace) : keyspace_(keyspace) {}
  ~ShardLocks() { Unlock(); }
  ShardLocks(const ShardLocks&) = delete;
  ShardLocks& operator=(const ShardLocks&) = delete;

  // REQUIRES: nothing is held.
  void Add(uint32_t shard_id) { ids_.push_back(shard_id); }
  void AddAll();
  void Lock();
  void Unlock();
  // Those that are held, ascending, each once.
  std::span<const uint32_t> ids() const { return ids_; }
  bool holds_all() const { return locked_ && ids_.size() == keyspace_.shard_count(); }

 private:
  Keyspace& keyspace_;
  std::vector<uint32_t> ids_;
  bool locked_ = false;
};

}  // namespace larder
