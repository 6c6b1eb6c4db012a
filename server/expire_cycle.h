// The active part of expiry: every worker removes what has expired from its share of the shards, in
// slices so short that no client feels them.
//
// A pass looks at each of the worker's shards once; one in which nothing is due costs a lock and a
// comparison. While a pass finds keys to remove it goes on, slice by slice, with the requests of
// clients in between, so that memory is given back within a fraction of a second of its time
// however many keys expire together.
//
// Concurrency: thread-confined to its worker's thread.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "storage/keyspace.h"

namespace larder {

class ExpireCycle {
 public:
  // Works on shards `first`, first + stride, first + 2 * stride, ...
  ExpireCycle(Keyspace& keyspace, uint32_t first, uint32_t stride)
      : keyspace_(keyspace), first_(first), stride_(stride) {}

  // Begins a pass, unless one is under way.
  void StartPass() {
    if (!active_) next_shard_ = first_;
    active_ = true;
  }
  bool active() const { return active_; }

  struct Slice {
    std::chrono::nanoseconds longest_hold{0};  // Of any one shard's lock.
    size_t expired = 0;
  };
  // Works for about kSlice, or until the pass ends.
  Slice Run(UnixMillis now);

 private:
  // A request that comes in during a slice waits this long at most, well below the time that a
  // request and its reply spend in the kernel under load.
  static constexpr std::chrono::microseconds kSlice{100};
  // Keeps the lock for some ten microseconds.
  static constexpr size_t kBucketsPerLock = 8;

  Keyspace& keyspace_;
  const uint32_t first_;
  const uint32_t stride_;
  uint32_t next_shard_ = 0;
  bool active_ = false;
};

}  // namespace larder
