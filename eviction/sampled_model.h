// The policies that choose among a few random keys (SampledVictims), without a keyspace.
//
// Concurrency: as its owner's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/random.h"
#include "eviction/access_clock.h"
#include "eviction/cache_model.h"
#include "eviction/candidate_pool.h"

namespace larder {

class SampledModel final : public CacheModel {
 public:
  // `policy` is one of kAllKeysLru, kAllKeysLfu and kAllKeysRandom.
  SampledModel(EvictionPolicy policy, const Options& options, uint64_t seed);

  bool Read(KeyId id, UnixMillis now) override;
  void Fill(KeyId id, uint64_t bytes, uint64_t capacity_bytes, UnixMillis now) override;
  void Erase(KeyId id) override;
  void EraseIf(absl::FunctionRef<bool(KeyId)> is_unwanted) override;

  size_t keys() const override { return residents_.size(); }
  size_t memory_bytes() const override;

 private:
  struct Resident {
    uint64_t bytes = 0;
    KeyId id = 0;
    uint32_t access = 0;  // As AccessClock has it.
  };
  using Pool = CandidatePool<KeyId>;

  uint32_t ScoreOf(const Resident& resident) const;
  void EvictOne();
  void FillPool();
  // Where the best of the pool is that still deserves it; a random place if there is none.
  size_t PickVictim();
  void EraseAt(size_t place);

  const AccessOptions access_;
  const int samples_;
  Random random_;
  AccessClock clock_;
  absl::flat_hash_map<KeyId, uint32_t> places_;
  std::vector<Resident> residents_;
  Pool pool_;
  uint64_t bytes_ = 0;
};

}  // namespace larder
