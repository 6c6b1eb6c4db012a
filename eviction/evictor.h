// Keeps memory within maxmemory: asked before each command that may add data, it evicts what the
// policy names until there is room again.
//
// Concurrency: thread-confined; every thread has its own. Locks shards one at a time.
//
//   if (!evictor.MakeRoom(options, now, random, on_evicted)) return Error(kOutOfMemory);
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "base/clock.h"
#include "base/random.h"
#include "eviction/eviction_domains.h"
#include "eviction/eviction_policy.h"
#include "eviction/memory_gauge.h"
#include "eviction/victim_source.h"
#include "storage/keyspace.h"

namespace larder {

class Evictor {
 public:
  struct Options {
    int64_t maxmemory_bytes = 0;  // 0: no limit.
    int samples = 5;
    AccessOptions access;
  };
  struct Evicted {
    int db;
    std::string_view key;
    int64_t bytes;         // Entry and value.
    int64_t idle_seconds;  // Since its last access.
  };
  // Told of each key that was evicted; no lock is held then.
  using OnEvicted = absl::FunctionRef<void(const Evicted&)>;

  Evictor(Keyspace& keyspace, EvictionDomains& domains, std::unique_ptr<MemoryGauge> gauge,
          std::unique_ptr<VictimSource> victims)
      : keyspace_(keyspace),
        domains_(domains),
        gauge_(std::move(gauge)),
        victims_(std::move(victims)) {}
  // With the gauge of this build, Redis's way to choose, and the queues of `domains`, which
  // outlives this object.
  Evictor(Keyspace& keyspace, EvictionDomains& domains);

  // True if a command that adds data may run: memory is within the limit, or will be soon, for one
  // call evicts for half a millisecond at most. False if it is not, and nothing may be evicted.
  // REQUIRES: the caller holds no shard's lock.
  bool MakeRoom(const Options& options, UnixMillis now, Random& random, OnEvicted on_evicted) {
    if (Within(options.maxmemory_bytes)) [[likely]] {
      return true;
    }
    return Evict(options, now, random, on_evicted);
  }
  bool Within(int64_t maxmemory_bytes) {
    return maxmemory_bytes <= 0 || gauge_->Within(maxmemory_bytes);
  }

 private:
  bool Evict(const Options& options, UnixMillis now, Random& random, OnEvicted on_evicted);
  bool Choose(const VictimSource::Request& request, Random& random, Victim& victim);
  // How many bytes that freed; 0 if the key had gone already.
  int64_t EvictOne(const Victim& victim, const VictimSource::Request& request,
                   OnEvicted on_evicted);

  Keyspace& keyspace_;
  EvictionDomains& domains_;
  std::unique_ptr<MemoryGauge> gauge_;
  std::unique_ptr<VictimSource> victims_;
};

}  // namespace larder
