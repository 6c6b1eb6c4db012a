#include "eviction/miniature.h"

#include <optional>
#include <utility>

namespace larder {

bool Miniature::Access(KeyId id, size_t capacity) {
  const auto [key, is_new] = states_.try_emplace(id, uint8_t{0});
  if (!is_new) {
    QueueState(key->second).AddHit();
    return true;
  }
  queues_.OnInsert(id, key->second, *this);
  while (states_.size() > capacity) {
    const std::optional<KeyId> victim = queues_.PickVictim(*this);
    if (!victim) break;
    states_.erase(*victim);
  }
  return false;
}

void Miniature::Erase(KeyId id) {
  const auto key = states_.find(id);
  if (key == states_.end()) return;
  queues_.OnErase(key->second);
  states_.erase(key);
}

void Miniature::Thin(absl::FunctionRef<bool(KeyId)> keep) {
  absl::erase_if(states_, [&](auto& key) {
    if (keep(key.first)) return false;
    queues_.OnErase(key.second);
    return true;
  });
}

uint8_t* Miniature::Find(KeyId id) {
  const auto key = states_.find(id);
  return key == states_.end() ? nullptr : &key->second;
}

size_t Miniature::memory_bytes() const {
  // A slot and its control byte.
  constexpr size_t kSlotBytes = sizeof(std::pair<KeyId, uint8_t>) + 1;
  return states_.capacity() * kSlotBytes + queues_.memory_bytes();
}

}  // namespace larder
