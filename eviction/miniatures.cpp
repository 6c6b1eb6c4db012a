#include "eviction/miniatures.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace larder {
namespace {

// No key takes more of a miniature than a part in so many, unless it has so few.
constexpr size_t kLargestPart = 16;

}  // namespace

Miniatures::Miniatures(std::span<const AdmissionRule> rules) {
  LARDER_CHECK(rules.size() <= kMaxRules);
  for (const AdmissionRule& rule : rules) {
    caches_.push_back({.queues = WindowAndMain(rule, rule.ghost_percent)});
  }
}

void Miniatures::OnInsert(KeyId id) { SetInReal(keys_[id], true); }

void Miniatures::Access(KeyId id, size_t bytes, size_t capacity,
                        absl::FunctionRef<void(size_t)> hit) {
  // Evictions take keys out of the table, but move none.
  Key& key = keys_[id];
  SetSize(key, Counted(bytes, capacity));
  const double mean = real_keys_ > 0 ? mean_bytes() : static_cast<double>(key.bytes());
  for (size_t i = 0; i < caches_.size(); ++i) {
    uint8_t state = key.StateIn(i);
    if (state == 0) {
      caches_[i].queues.set_mean_bytes(mean);
      Insert(i, id, key, static_cast<double>(capacity) * mean);
    } else {
      QueueState(state).AddHit();
      key.SetStateIn(i, state);
      hit(i);
    }
  }
  if (key.IsNowhere()) keys_.erase(id);
}

CoarseSize Miniatures::Counted(size_t bytes, size_t capacity) const {
  if (real_bytes_ == 0) return CoarseSize(std::max<size_t>(1, bytes));
  const auto means = static_cast<double>(std::max(kLargestPart, capacity / kLargestPart));
  const double most = std::max(1.0, means * mean_bytes());
  return CoarseSize(static_cast<uint64_t>(std::clamp(static_cast<double>(bytes), 1.0, most)));
}

void Miniatures::Insert(size_t cache, KeyId id, Key& key, double room) {
  Cache& into = caches_[cache];
  uint8_t state = 0;
  into.queues.OnInsert(id, state, key.bytes());
  key.SetStateIn(cache, state);
  into.bytes += key.bytes();
  while (static_cast<double>(into.bytes) > room) JudgeOne(cache, id);
}

void Miniatures::JudgeOne(size_t cache, KeyId newest) {
  WindowAndMain& queues = caches_[cache].queues;
  const KeyId id = *queues.Candidate();
  const auto entry = keys_.find(id);
  Key& key = entry->second;
  uint8_t state = key.StateIn(cache);
  const Verdict verdict = queues.Judge(id, &state, {.bytes = key.bytes()});
  key.SetStateIn(cache, state);
  if (verdict != Verdict::kEvict) return;
  caches_[cache].bytes -= key.bytes();
  // Access() itself looks after the key that it is about.
  if (id != newest && key.IsNowhere()) keys_.erase(entry);
}

void Miniatures::OnEvict(KeyId id) {
  const auto entry = keys_.find(id);
  if (entry == keys_.end()) return;
  SetInReal(entry->second, false);
  if (entry->second.IsNowhere()) keys_.erase(entry);
}

void Miniatures::Erase(KeyId id) {
  const auto entry = keys_.find(id);
  if (entry == keys_.end()) return;
  Forget(id, entry->second);
  keys_.erase(entry);
}

void Miniatures::Thin(absl::FunctionRef<bool(KeyId)> keep) {
  absl::erase_if(keys_, [&](auto& entry) {
    if (keep(entry.first)) return false;
    Forget(entry.first, entry.second);
    return true;
  });
}

void Miniatures::Clear() {
  keys_ = {};
  for (Cache& cache : caches_) {
    cache.queues.Clear();
    cache.bytes = 0;
  }
  real_keys_ = real_bytes_ = 0;
}

void Miniatures::SetSize(Key& key, CoarseSize size) {
  const uint64_t more = size.bytes() - key.bytes();  // Modulo 2^64, as the sums.
  for (size_t i = 0; i < caches_.size(); ++i) {
    if (key.StateIn(i) != 0) caches_[i].bytes += more;
  }
  if (key.in_real()) real_bytes_ += more;
  key.set_size(size);
}

void Miniatures::SetInReal(Key& key, bool is_there) {
  if (key.in_real() == is_there) return;
  key.set_in_real(is_there);
  if (is_there) {
    ++real_keys_;
    real_bytes_ += key.bytes();
  } else {
    --real_keys_;
    real_bytes_ -= key.bytes();
  }
}

void Miniatures::Forget(KeyId id, Key& key) {
  SetInReal(key, false);
  for (size_t i = 0; i < caches_.size(); ++i) {
    uint8_t state = key.StateIn(i);
    if (state == 0) continue;
    caches_[i].queues.OnErase(id, state);
    caches_[i].bytes -= key.bytes();
  }
}

double Miniatures::mean_bytes() const {
  if (real_keys_ == 0) return 0;
  return static_cast<double>(real_bytes_) / static_cast<double>(real_keys_);
}

size_t Miniatures::memory_bytes() const {
  // A slot and its control byte.
  constexpr size_t kSlotBytes = sizeof(std::pair<KeyId, Key>) + 1;
  size_t bytes = keys_.capacity() * kSlotBytes + caches_.capacity() * sizeof(Cache);
  for (const Cache& cache : caches_) bytes += cache.queues.memory_bytes();
  return bytes;
}

}  // namespace larder
