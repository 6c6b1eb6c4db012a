// A cache domain for tests of eviction policies: entries that are nothing but their state bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "eviction/eviction_queues.h"
#include "eviction/pick_victim.h"

namespace larder {

class TestDomain {
 public:
  TestDomain(QueuePolicy policy, size_t capacity, uint64_t seed = 1)
      : capacity_(capacity), queues_(MakeEvictionQueues(policy, seed)) {}

  // Asks for a key, which comes in if it is missing. True if it was there.
  bool Access(KeyId id) {
    if (const auto entry = entries_.find(id); entry != entries_.end()) {
      QueueState(entry->second).AddHit();
      if (queues_->sample().Includes(id)) queues_->Observe(id, kBytes);
      return true;
    }
    queues_->OnInsert(id, entries_[id], kBytes);
    while (entries_.size() > capacity_ && EvictOne()) {
    }
    return false;
  }

  void Erase(KeyId id) {
    const auto entry = entries_.find(id);
    if (entry == entries_.end()) return;
    queues_->OnErase(id, entry->second);
    entries_.erase(entry);
  }

  // As a flushed table whose entries nobody tells of.
  void Vanish() { entries_.clear(); }

  // False if the policy named none, or one that is not there.
  bool EvictOne() {
    const std::optional<KeyId> victim = PickVictim(*queues_, [this](KeyId id) {
      return CandidateEntry{Find(id), {.bytes = kBytes}};
    });
    if (!victim || !Has(*victim)) return false;
    queues_->OnErase(*victim, entries_[*victim]);  // As a table that tells of all erasures alike.
    entries_.erase(*victim);
    victims_.push_back(*victim);
    return true;
  }

  bool Has(KeyId id) const { return entries_.contains(id); }
  size_t size() const { return entries_.size(); }
  const std::vector<KeyId>& victims() const { return victims_; }
  EvictionQueues& queues() { return *queues_; }

  // The state of the entry, null if there is none.
  uint8_t* Find(KeyId id) {
    const auto entry = entries_.find(id);
    return entry == entries_.end() ? nullptr : &entry->second;
  }

 private:
  static constexpr size_t kBytes = 100;

  const size_t capacity_;
  std::map<KeyId, uint8_t> entries_;
  std::vector<KeyId> victims_;
  std::unique_ptr<EvictionQueues> queues_;
};

}  // namespace larder
