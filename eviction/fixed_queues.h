// The policies that keep to one rule: plain FIFO, and S3-FIFO (Yang et al., "FIFO queues are all
// you need for cache eviction", SOSP 2023).
//
// Concurrency: as EvictionQueues says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "eviction/eviction_queues.h"
#include "eviction/window_and_main.h"

namespace larder {

class FixedQueues final : public EvictionQueues {
 public:
  explicit FixedQueues(AdmissionRule rule) : queues_(rule, rule.ghost_percent) {}

  void OnInsert(KeyId id, uint8_t& state, Residents& residents) override;
  void OnHit(KeyId id, uint8_t& state) override;
  void OnErase(KeyId id, uint8_t& state) override;
  std::optional<KeyId> PickVictim(Residents& residents) override;
  size_t residents() const override { return queues_.residents(); }
  size_t memory_bytes() const override { return sizeof(*this) + queues_.memory_bytes(); }

 private:
  WindowAndMain queues_;
};

}  // namespace larder
