#include "eviction/place_queue.h"

#include <utility>

#include "base/check.h"

namespace larder {
namespace {

constexpr size_t kToleratedPart = 4;  // One dead place for so many keys, and
constexpr size_t kToleratedAnyway = 64;
constexpr size_t kPlacesAtOnce = 8;

}  // namespace

void PlaceQueue::DeadPlaces::Add(KeyId id) {
  ++counts[id];
  ++total;
}

bool PlaceQueue::DeadPlaces::Take(KeyId id) {
  if (counts.empty()) [[likely]]
    return false;
  const auto count = counts.find(id);
  if (count == counts.end()) return false;
  if (--count->second == 0) counts.erase(count);
  --total;
  return true;
}

size_t PlaceQueue::DeadPlaces::memory_bytes() const {
  // A slot and its control byte.
  return counts.capacity() * (sizeof(std::pair<KeyId, uint32_t>) + 1);
}

void PlaceQueue::Push(KeyId id) {
  ids_.push_back(id);
  SweepSome();
}

void PlaceQueue::Erase(KeyId id) {
  if (empty()) return;
  (sweeping() ? dead_since_ : dead_).Add(id);
  if (empty()) {
    Clear();
  } else {
    SweepSome();
  }
}

std::optional<KeyId> PlaceQueue::Front() {
  while (!empty()) {
    if (write_ == 0) SkipGap();
    const KeyId id = ids_.front();
    if (!dead_.Take(id) && !dead_since_.Take(id)) return id;
    DropFront();
  }
  return std::nullopt;
}

void PlaceQueue::PopFront() {
  DropFront();
  if (empty()) Clear();
}

void PlaceQueue::DropFront() {
  ids_.pop_front();
  if (write_ > 0) {
    --write_;
    --read_;
  }
}

void PlaceQueue::Clear() {
  ids_.clear();
  read_ = write_ = 0;
  dead_ = dead_since_ = DeadPlaces();
}

void PlaceQueue::SweepSome() {
  const size_t dead = dead_.total + dead_since_.total;
  if (!sweeping() && dead <= size() / kToleratedPart + kToleratedAnyway) [[likely]]
    return;
  for (size_t looks = kPlacesAtOnce; looks > 0 && read_ < ids_.size(); --looks, ++read_) {
    if (!dead_.Take(ids_[read_])) ids_[write_++] = ids_[read_];
  }
  if (read_ == ids_.size()) EndSweep();
}

void PlaceQueue::EndSweep() {
  ids_.resize(write_);
  read_ = write_ = 0;
  // Every place was looked at, so nothing is noted that is still there but what died since.
  dead_ = std::exchange(dead_since_, DeadPlaces());
}

void PlaceQueue::SkipGap() {
  LARDER_DCHECK(write_ == 0);
  ids_.erase(ids_.begin(), ids_.begin() + static_cast<std::ptrdiff_t>(read_));
  read_ = 0;
}

size_t PlaceQueue::memory_bytes() const {
  constexpr size_t kBlockBytes = 512;
  const size_t blocks = ids_.size() * sizeof(KeyId) / kBlockBytes + 1;
  return blocks * (kBlockBytes + sizeof(void*)) + dead_.memory_bytes() + dead_since_.memory_bytes();
}

}  // namespace larder
