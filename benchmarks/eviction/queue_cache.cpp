#include <vector>

#include "base/check.h"
#include "benchmarks/eviction/simulated_cache.h"
#include "eviction/pick_victim.h"

namespace larder {
namespace {

// Stands in for the server: a table of entries by the ids of their keys.
class QueueCache final : public SimulatedCache {
 public:
  QueueCache(QueuePolicy policy, CacheShape shape, uint64_t seed)
      : capacity_(shape.capacity),
        entries_(shape.keys),
        queues_(MakeEvictionQueues(policy, seed)) {}

  bool Access(uint32_t key, uint32_t size, size_t /*time*/) override {
    Slot& slot = entries_[key];
    if (slot.resident) {
      QueueState(slot.state).AddHit();
      if (queues_->sample().Includes(IdOf(key))) queues_->Observe(IdOf(key), size);
      return true;
    }
    if (size > capacity_) return false;
    slot = {.size = size, .resident = true};
    used_ += size;
    queues_->OnInsert(IdOf(key), slot.state, size);
    while (used_ > capacity_) EvictOne();
    return false;
  }
  size_t memory_bytes() const override { return queues_->memory_bytes(); }
  size_t residents() const override { return queues_->residents(); }

 private:
  struct Slot {
    uint32_t size = 0;
    uint8_t state = 0;
    bool resident = false;
  };

  // A bijection that leaves nothing of the order of key numbers, as a hash would.
  static constexpr uint32_t kFactor = 0x9e3779b1;
  static constexpr uint32_t InverseOf(uint32_t odd) {
    uint32_t inverse = odd;  // Right for 3 bits; each step of Newton's doubles them.
    for (int step = 0; step < 4; ++step) inverse *= 2 - odd * inverse;
    return inverse;
  }
  static KeyId IdOf(uint32_t key) {
    const uint32_t id = (key + 1) * kFactor;
    return (id ^ id >> 16) * kFactor;
  }
  static uint32_t KeyOf(KeyId id) {
    id *= InverseOf(kFactor);
    return (id ^ id >> 16) * InverseOf(kFactor) - 1;
  }

  void EvictOne() {
    const std::optional<KeyId> victim = PickVictim(*queues_, [this](KeyId id) {
      Slot& slot = entries_[KeyOf(id)];
      return CandidateEntry{slot.resident ? &slot.state : nullptr, {.bytes = slot.size}};
    });
    LARDER_CHECK(victim.has_value());
    Slot& slot = entries_[KeyOf(*victim)];
    LARDER_CHECK(slot.resident);
    slot.resident = false;
    used_ -= slot.size;
  }

  const uint64_t capacity_;
  uint64_t used_ = 0;
  std::vector<Slot> entries_;
  std::unique_ptr<EvictionQueues> queues_;
};

}  // namespace

std::unique_ptr<SimulatedCache> MakeQueueCache(QueuePolicy policy, CacheShape shape,
                                               uint64_t seed) {
  return std::make_unique<QueueCache>(policy, shape, seed);
}

}  // namespace larder
