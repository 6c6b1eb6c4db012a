// Which entries may be evicted and which of them go first: the values of maxmemory-policy, and what
// else the configuration says about it.
#pragma once

#include <cstdint>

namespace larder {

enum class EvictionPolicy : uint8_t {
  kNoEviction,
  kAllKeysLru,
  kAllKeysLrm,
  kAllKeysLfu,
  kAllKeysRandom,
  kVolatileLru,
  kVolatileLrm,
  kVolatileLfu,
  kVolatileRandom,
  kVolatileTtl,
};

// Whether the access bits of entries count how often, instead of saying when last.
constexpr bool TracksFrequency(EvictionPolicy policy) {
  return policy == EvictionPolicy::kAllKeysLfu || policy == EvictionPolicy::kVolatileLfu;
}

// Whether only a change counts as an access (least recently modified); by LRU otherwise.
constexpr bool IgnoresReads(EvictionPolicy policy) {
  return policy == EvictionPolicy::kAllKeysLrm || policy == EvictionPolicy::kVolatileLrm;
}

constexpr bool TracksRecency(EvictionPolicy policy) {
  return policy == EvictionPolicy::kAllKeysLru || policy == EvictionPolicy::kVolatileLru ||
         IgnoresReads(policy);
}

// Whether only entries that have a TTL may be evicted.
constexpr bool EvictsOnlyVolatile(EvictionPolicy policy) {
  return policy == EvictionPolicy::kVolatileLru || policy == EvictionPolicy::kVolatileLrm ||
         policy == EvictionPolicy::kVolatileLfu || policy == EvictionPolicy::kVolatileRandom ||
         policy == EvictionPolicy::kVolatileTtl;
}

// What access bits mean and how they move: maxmemory-policy, lfu-log-factor, lfu-decay-time.
struct AccessOptions {
  EvictionPolicy policy = EvictionPolicy::kNoEviction;
  int lfu_log_factor = 10;
  int lfu_decay_minutes = 1;  // 0: frequencies never decay.
};

}  // namespace larder
