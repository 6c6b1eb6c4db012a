// What maxmemory-policy calls a policy.
#pragma once

#include <string_view>

#include "eviction/eviction_policy.h"

namespace larder {

constexpr std::string_view PolicyName(EvictionPolicy policy) {
  switch (policy) {
    case EvictionPolicy::kNoEviction:
      return "noeviction";
    case EvictionPolicy::kAllKeysLru:
      return "allkeys-lru";
    case EvictionPolicy::kAllKeysLrm:
      return "allkeys-lrm";
    case EvictionPolicy::kAllKeysLfu:
      return "allkeys-lfu";
    case EvictionPolicy::kAllKeysRandom:
      return "allkeys-random";
    case EvictionPolicy::kVolatileLru:
      return "volatile-lru";
    case EvictionPolicy::kVolatileLrm:
      return "volatile-lrm";
    case EvictionPolicy::kVolatileLfu:
      return "volatile-lfu";
    case EvictionPolicy::kVolatileRandom:
      return "volatile-random";
    case EvictionPolicy::kVolatileTtl:
      return "volatile-ttl";
    case EvictionPolicy::kAllKeysFifo:
      return "allkeys-fifo";
    case EvictionPolicy::kAllKeysS3Fifo:
      return "allkeys-s3fifo";
    case EvictionPolicy::kAllKeysAdaptive:
      return "allkeys-adaptive";
    case EvictionPolicy::kVolatileFifo:
      return "volatile-fifo";
    case EvictionPolicy::kVolatileS3Fifo:
      return "volatile-s3fifo";
    case EvictionPolicy::kVolatileAdaptive:
      return "volatile-adaptive";
  }
  return "unknown";
}

}  // namespace larder
