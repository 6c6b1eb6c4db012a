// Caches that keep no values: what a policy hits and misses is all there is to see.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "eviction/eviction_queues.h"

namespace larder {

class SimulatedCache {
 public:
  virtual ~SimulatedCache() = default;
  // Asks for key number `key` at request number `time`; if it is missing, it comes in, unless it is
  // larger than the cache. True if it was there.
  virtual bool Access(uint32_t key, uint32_t size, size_t time) = 0;
  // What the policy allocated, where that is of interest.
  virtual size_t memory_bytes() const { return 0; }
  virtual size_t residents() const { return 0; }
};

// `capacity` is in the unit of the sizes: bytes, or 1 for each key.
struct CacheShape {
  size_t keys = 0;  // Keys have numbers below it.
  uint64_t capacity = 0;
};

std::unique_ptr<SimulatedCache> MakeQueueCache(QueuePolicy policy, CacheShape shape, uint64_t seed);

}  // namespace larder
