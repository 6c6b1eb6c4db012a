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
  // By queues (eviction_queues.h); Redis has none of these.
  kAllKeysFifo,
  kAllKeysS3Fifo,
  kAllKeysAdaptive,
  kVolatileFifo,
  kVolatileS3Fifo,
  kVolatileAdaptive,
};

// Whether queues say who goes next, instead of looks at random entries.
constexpr bool UsesQueues(EvictionPolicy policy) {
  return policy >= EvictionPolicy::kAllKeysFifo && policy <= EvictionPolicy::kVolatileAdaptive;
}

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
  switch (policy) {
    case EvictionPolicy::kVolatileLru:
    case EvictionPolicy::kVolatileLrm:
    case EvictionPolicy::kVolatileLfu:
    case EvictionPolicy::kVolatileRandom:
    case EvictionPolicy::kVolatileTtl:
    case EvictionPolicy::kVolatileFifo:
    case EvictionPolicy::kVolatileS3Fifo:
    case EvictionPolicy::kVolatileAdaptive:
      return true;
    default:
      return false;
  }
}

// What access bits mean and how they move: maxmemory-policy, lfu-log-factor, lfu-decay-time.
struct AccessOptions {
  EvictionPolicy policy = EvictionPolicy::kNoEviction;
  int lfu_log_factor = 10;
  int lfu_decay_minutes = 1;  // 0: frequencies never decay.
};

}  // namespace larder
