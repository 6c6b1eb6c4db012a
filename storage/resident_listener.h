// Who keeps order among the entries of shards, and so has to know which there are: eviction by
// queues.
//
// Concurrency: called with the shard's lock held, on whatever thread made the change.
#pragma once

#include <cstddef>
#include <cstdint>

#include "storage/entry.h"

namespace larder {

class Shard;

class ResidentListener {
 public:
  virtual ~ResidentListener() = default;

  // An entry has come; `hash` is its key's. Its access bits are zero, and the lowest four of them
  // are the listener's from now on. Also told of one that is no longer pinned.
  virtual void OnInserted(const Shard& shard, uint64_t hash, Entry& entry) = 0;
  // An entry is about to go.
  virtual void OnErasing(const Shard& shard, uint64_t hash, Entry& entry) = 0;
  // An entry has got or lost its TTL.
  virtual void OnVolatilityChanged(const Shard& shard, uint64_t hash, Entry& entry) = 0;
  // So many entries, of which so many have a TTL, have gone at once.
  virtual void OnFlushed(const Shard& shard, size_t entries, size_t volatile_entries) = 0;
};

}  // namespace larder
