#include "eviction/miniatures.h"

#include <optional>
#include <utility>

#include "base/check.h"
#include "eviction/pick_victim.h"

namespace larder {

Miniatures::Miniatures(std::span<const AdmissionRule> rules) {
  LARDER_CHECK(rules.size() <= kMaxRules);
  for (const AdmissionRule& rule : rules) caches_.emplace_back(rule, rule.ghost_percent);
}

void Miniatures::Access(KeyId id, size_t capacity, absl::FunctionRef<void(size_t)> hit) {
  // Evictions take keys out of the table, but move none.
  States& states = states_.try_emplace(id, States{}).first->second;
  for (size_t i = 0; i < caches_.size(); ++i) {
    QueueState entry(states[i]);
    if (entry.queue() == QueueState::Queue::kNone) {
      Insert(i, id, states[i], capacity);
    } else {
      entry.AddHit();
      hit(i);
    }
  }
  if (IsNowhere(states)) states_.erase(id);
}

void Miniatures::Insert(size_t cache, KeyId id, uint8_t& state, size_t capacity) {
  caches_[cache].OnInsert(id, state);
  while (caches_[cache].residents() > capacity) {
    const std::optional<KeyId> victim = PickVictim(
        caches_[cache],
        [&](KeyId candidate) { return CandidateEntry{&states_.find(candidate)->second[cache], {}}; });
    // Access() itself looks after the key that it is about.
    if (*victim == id) continue;
    const auto entry = states_.find(*victim);
    if (IsNowhere(entry->second)) states_.erase(entry);
  }
}

void Miniatures::Erase(KeyId id) {
  const auto entry = states_.find(id);
  if (entry == states_.end()) return;
  Forget(id, entry->second);
  states_.erase(entry);
}

void Miniatures::Thin(absl::FunctionRef<bool(KeyId)> keep) {
  absl::erase_if(states_, [&](auto& entry) {
    if (keep(entry.first)) return false;
    Forget(entry.first, entry.second);
    return true;
  });
}

void Miniatures::Clear() {
  states_ = {};
  for (WindowAndMain& cache : caches_) cache.Clear();
}

void Miniatures::Forget(KeyId id, States& states) {
  for (size_t i = 0; i < caches_.size(); ++i) caches_[i].OnErase(id, states[i]);
}

size_t Miniatures::memory_bytes() const {
  // A slot and its control byte.
  constexpr size_t kSlotBytes = sizeof(std::pair<KeyId, States>) + 1;
  size_t bytes = states_.capacity() * kSlotBytes + caches_.capacity() * sizeof(WindowAndMain);
  for (const WindowAndMain& cache : caches_) bytes += cache.memory_bytes();
  return bytes;
}

}  // namespace larder
