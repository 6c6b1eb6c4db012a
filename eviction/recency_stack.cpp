#include "eviction/recency_stack.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace larder {

const RecencyStack::Key* RecencyStack::Find(KeyId id) const {
  const auto found = places_.find(id);
  return found == places_.end() ? nullptr : &row_[found->second];
}

uint64_t RecencyStack::BytesSince(KeyId id) const {
  const auto found = places_.find(id);
  LARDER_DCHECK(found != places_.end());
  return bytes_ - BytesUpTo(found->second);
}

void RecencyStack::Use(const Key& key) {
  LARDER_DCHECK(!IsGone(key));
  Erase(key.id);
  if (row_.size() + 1 >= sums_.size()) Pack();
  const size_t place = row_.size();
  row_.push_back(key);
  places_[key.id] = static_cast<uint32_t>(place);
  AddAt(place, key.bytes);
  bytes_ += key.bytes;
}

void RecencyStack::Erase(KeyId id) {
  const auto found = places_.find(id);
  if (found == places_.end()) return;
  EraseAt(found->second);
  places_.erase(found);
}

void RecencyStack::EraseOldest() {
  LARDER_DCHECK(!empty());
  while (IsGone(row_[oldest_])) ++oldest_;
  Erase(row_[oldest_].id);
}

void RecencyStack::EraseIf(absl::FunctionRef<bool(const Key&)> is_unwanted) {
  absl::erase_if(places_, [&](const auto& key) {
    if (!is_unwanted(row_[key.second])) return false;
    EraseAt(key.second);
    return true;
  });
}

void RecencyStack::EraseAt(size_t place) {
  AddAt(place, 0 - row_[place].bytes);
  bytes_ -= row_[place].bytes;
  row_[place].bytes = kGone;
}

void RecencyStack::Pack() {
  // A quarter of the keys may be used again before the next time: one use pays for moving five.
  constexpr size_t kLeast = 64;
  std::erase_if(row_, IsGone);
  row_.reserve(row_.size() + std::max(kLeast, row_.size() / 4));
  oldest_ = 0;
  for (size_t place = 0; place < row_.size(); ++place) {
    places_[row_[place].id] = static_cast<uint32_t>(place);
  }
  RebuildSums();
}

void RecencyStack::RebuildSums() {
  sums_.assign(row_.capacity() + 1, 0);
  for (size_t place = 0; place < row_.size(); ++place) sums_[place + 1] = row_[place].bytes;
  for (size_t node = 1; node < sums_.size(); ++node) {
    const size_t parent = node + (node & (0 - node));
    if (parent < sums_.size()) sums_[parent] += sums_[node];
  }
}

void RecencyStack::AddAt(size_t place, uint64_t bytes) {
  for (size_t node = place + 1; node < sums_.size(); node += node & (0 - node)) {
    sums_[node] += bytes;
  }
}

uint64_t RecencyStack::BytesUpTo(size_t place) const {
  uint64_t bytes = 0;
  for (size_t node = place + 1; node > 0; node -= node & (0 - node)) bytes += sums_[node];
  return bytes;
}

size_t RecencyStack::memory_bytes() const {
  constexpr size_t kPlaceBytes = sizeof(std::pair<KeyId, uint32_t>) + 1;  // And a control byte.
  return places_.capacity() * kPlaceBytes + row_.capacity() * sizeof(Key) +
         sums_.capacity() * sizeof(uint64_t);
}

}  // namespace larder
