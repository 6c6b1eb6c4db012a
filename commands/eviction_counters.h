// What one thread has evicted: how much by which policy, and how long it had been idle.
//
// Concurrency: written by the owning thread, read by all (base/counter.h).
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "base/counter.h"
#include "eviction/eviction_policy.h"

namespace larder {

struct EvictionCounters {
  // By EvictionPolicy, with room for more.
  static constexpr size_t kPolicies = 32;
  // Bucket i counts what was idle for at most 2^i seconds and longer than those before it; the last
  // one's 194 days are all that access bits can say.
  static constexpr size_t kAges = 25;

  struct OfPolicy {
    Counter keys;
    Counter bytes;
  };
  std::array<OfPolicy, kPolicies> by_policy;
  std::array<Counter, kAges> by_age;
  Counter idle_seconds;  // Of all together.

  static constexpr size_t AgeBucket(int64_t idle_seconds) {
    if (idle_seconds <= 1) return 0;
    return std::min<size_t>(std::bit_width(static_cast<uint64_t>(idle_seconds - 1)), kAges - 1);
  }

  void Count(EvictionPolicy policy, int64_t bytes, int64_t idle) {
    LARDER_DCHECK(static_cast<size_t>(policy) < kPolicies);
    OfPolicy& counters = by_policy[static_cast<size_t>(policy)];
    counters.keys.Increment();
    counters.bytes.Add(bytes);
    by_age[AgeBucket(idle)].Increment();
    idle_seconds.Add(idle);
  }

  void Reset() {
    for (OfPolicy& counters : by_policy) {
      counters.keys.Set(0);
      counters.bytes.Set(0);
    }
    for (Counter& counter : by_age) counter.Set(0);
    idle_seconds.Set(0);
  }
};

}  // namespace larder
