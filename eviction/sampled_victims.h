// Redis's policies by Redis's method: look at a few random keys, remember the best candidates of
// this and earlier looks in a small pool, and evict the best of the pool.
//
// Samples instead of keeping an exact list, which would cost two pointers a key and a write a read.
// With 5 samples and a pool of 16, LRU comes close to exact.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/functional/function_ref.h"
#include "eviction/access_clock.h"
#include "eviction/candidate_pool.h"
#include "eviction/victim_source.h"
#include "storage/keyspace.h"

namespace larder {

class SampledVictims : public VictimSource {
 public:
  explicit SampledVictims(Keyspace& keyspace) : keyspace_(keyspace) {}

  bool Next(const Request& request, Random& random, Victim& victim) override;

 private:
  using Pool = CandidatePool<Victim>;

  struct Place {
    uint32_t shard = 0;
    int db = 0;
    uint64_t keys = 0;  // That may go, of this database in this shard.
  };

  // Where to look: each database of each shard by its share of the keys that may go.
  std::optional<Place> RandomPlace(bool volatile_only, Random& random);
  std::optional<Place> PlaceIn(uint32_t shard_id, bool volatile_only, Random& random,
                               uint64_t& shard_keys);
  std::optional<Place> FirstPlace(bool volatile_only, Random& random);
  // Calls visit(entry) for up to `samples` random entries of the place that may go.
  void Sample(const Place& place, bool volatile_only, int samples, Random& random,
              absl::FunctionRef<void(const Entry&)> visit);
  bool NextAtRandom(const Request& request, Random& random, Victim& victim);
  // False if no key anywhere may go: whoever then asked again would walk all shards for nothing.
  bool FillPool(const Request& request, Random& random);
  void Offer(const Place& place, const Entry& entry, uint64_t score);
  // Whether the candidate is still there, and still as good a choice as it was.
  bool StillStands(const Pool::Candidate& candidate, const Request& request);

  Keyspace& keyspace_;
  EvictionPolicy pooled_for_ = EvictionPolicy::kNoEviction;
  Pool pool_;
  // The most keys that a shard was seen to have: what others are measured by.
  uint64_t largest_ = 1;
};

}  // namespace larder
