// The policies that keep keys in queues (EvictionQueues), without a keyspace.
//
// Concurrency: as its owner's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/container/flat_hash_map.h"
#include "eviction/cache_model.h"
#include "eviction/eviction_queues.h"

namespace larder {

class QueueModel final : public CacheModel {
 public:
  QueueModel(QueuePolicy policy, uint64_t seed) : queues_(MakeEvictionQueues(policy, seed)) {}

  bool Read(KeyId id, UnixMillis now) override;
  void Fill(KeyId id, uint64_t bytes, uint64_t capacity_bytes, UnixMillis now) override;
  void Erase(KeyId id) override;
  void EraseIf(absl::FunctionRef<bool(KeyId)> is_unwanted) override;

  size_t keys() const override { return residents_.size(); }
  size_t memory_bytes() const override;

 private:
  struct Resident {
    uint32_t bytes = 0;  // Values above 4 GiB count as that.
    uint8_t state = 0;
  };
  using Residents = absl::flat_hash_map<KeyId, Resident>;

  // False if the queues know nobody.
  bool EvictOne();

  Residents residents_;
  std::unique_ptr<EvictionQueues> queues_;
  uint64_t bytes_ = 0;
};

}  // namespace larder
