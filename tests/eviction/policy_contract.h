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
  static constexpr size_t kBytes = 100;  // Of an entry, where a test says nothing else.

  // `capacity` in entries of kBytes.
  TestDomain(QueuePolicy policy, size_t capacity, uint64_t seed = 1)
      : capacity_(capacity), queues_(MakeEvictionQueues(policy, seed)) {}

  // Asks for a key, which comes in if it is missing. True if it was there.
  bool Access(KeyId id, size_t bytes = kBytes) {
    if (const auto entry = entries_.find(id); entry != entries_.end()) {
      QueueState(entry->second.state).AddHit();
      if (queues_->sample().Includes(id)) queues_->Observe(id, bytes);
      return true;
    }
    Entry& entry = entries_[id];
    entry.bytes = bytes;
    used_bytes_ += bytes;
    queues_->OnInsert(id, entry.state, bytes);
    while (used_bytes_ > capacity_ * kBytes && EvictOne()) {
    }
    return false;
  }

  void Erase(KeyId id) {
    const auto entry = entries_.find(id);
    if (entry == entries_.end()) return;
    queues_->OnErase(id, entry->second.state);
    Drop(entry);
  }

  // As a flushed table whose entries nobody tells of.
  void Vanish() {
    entries_.clear();
    used_bytes_ = 0;
  }

  // False if the policy named none, or one that is not there.
  bool EvictOne() {
    const std::optional<KeyId> victim = PickVictim(*queues_, [this](KeyId id) {
      const auto entry = entries_.find(id);
      if (entry == entries_.end()) return CandidateEntry{};
      return CandidateEntry{&entry->second.state, {.bytes = entry->second.bytes}};
    });
    if (!victim || !Has(*victim)) return false;
    Erase(*victim);  // As a table that tells of all erasures alike.
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
    return entry == entries_.end() ? nullptr : &entry->second.state;
  }

 private:
  struct Entry {
    uint8_t state = 0;
    size_t bytes = 0;
  };

  void Drop(std::map<KeyId, Entry>::iterator entry) {
    used_bytes_ -= entry->second.bytes;
    entries_.erase(entry);
  }

  const size_t capacity_;
  size_t used_bytes_ = 0;
  std::map<KeyId, Entry> entries_;
  std::vector<KeyId> victims_;
  std::unique_ptr<EvictionQueues> queues_;
};

}  // namespace larder
