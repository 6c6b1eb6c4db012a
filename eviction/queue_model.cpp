#include "eviction/queue_model.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "eviction/pick_victim.h"

namespace larder {

bool QueueModel::Read(KeyId id, UnixMillis /*now*/) {
  const auto found = residents_.find(id);
  if (found == residents_.end()) return false;
  QueueState(found->second.state).AddHit();
  if (queues_->sample().Includes(id)) queues_->Observe(id, found->second.bytes);
  return true;
}

void QueueModel::Fill(KeyId id, uint64_t bytes, uint64_t capacity_bytes, UnixMillis /*now*/) {
  const auto size =
      static_cast<uint32_t>(std::min<uint64_t>(bytes, std::numeric_limits<uint32_t>::max()));
  const auto [found, is_new] = residents_.try_emplace(id);
  bytes_ += size;
  bytes_ -= found->second.bytes;
  found->second.bytes = size;
  if (is_new) queues_->OnInsert(id, found->second.state, size);
  while (bytes_ > capacity_bytes && EvictOne()) {
  }
}

void QueueModel::Erase(KeyId id) {
  const auto found = residents_.find(id);
  if (found == residents_.end()) return;
  queues_->OnErase(id, found->second.state);
  bytes_ -= found->second.bytes;
  residents_.erase(found);
}

void QueueModel::EraseIf(absl::FunctionRef<bool(KeyId)> is_unwanted) {
  absl::erase_if(residents_, [&](auto& key) {
    if (!is_unwanted(key.first)) return false;
    queues_->OnErase(key.first, key.second.state);
    bytes_ -= key.second.bytes;
    return true;
  });
  queues_->ForgetIf(is_unwanted);
}

bool QueueModel::EvictOne() {
  const std::optional<KeyId> victim = PickVictim(*queues_, [this](KeyId id) {
    const auto found = residents_.find(id);
    if (found == residents_.end()) return CandidateEntry{};
    return CandidateEntry{&found->second.state, {.bytes = found->second.bytes}};
  });
  if (!victim) return false;
  const auto found = residents_.find(*victim);
  bytes_ -= found->second.bytes;
  residents_.erase(found);
  return true;
}

size_t QueueModel::memory_bytes() const {
  constexpr size_t kSlotBytes = sizeof(std::pair<KeyId, Resident>) + 1;  // And a control byte.
  return residents_.capacity() * kSlotBytes + queues_->memory_bytes();
}

}  // namespace larder
