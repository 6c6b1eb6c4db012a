// Remembers the keys that were evicted last, without the keys: who comes back soon after eviction
// deserves a longer stay. Two bytes a key.
//
// A hash table of small buckets with a fingerprint and a time in each slot, as S3-FIFO's authors
// propose (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023, section 4.2).
// Time is counted in evictions, so that one table answers for any shorter memory too. Nothing is
// removed in order: a new key takes the place of the oldest in its bucket. One lookup in 128 finds
// a key that was not there.
//
// Concurrency: as its owner's.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace larder {

class GhostQueue {
 public:
  // How many keys it remembers; the oldest of them with gaps, where hashes crowd. Forgets all.
  void Resize(size_t keys);
  size_t keys() const { return keys_; }

  void Add(uint64_t hash);
  // Whether the key is among the last `keys` that were added, to a sixteenth of keys(); with keys()
  // or more, whether it is remembered at all. It is forgotten at once.
  bool Take(uint64_t hash, size_t keys);

  size_t memory_bytes() const { return buckets_.capacity() * sizeof(Bucket); }

 private:
  // 11 bits of fingerprint, 5 bits of time.
  using Slot = uint16_t;
  static constexpr size_t kSlots = 16;
  static constexpr int kTimeBits = 5;
  static constexpr uint32_t kFingerprintMask = (1u << (16 - kTimeBits)) - 1;
  static constexpr uint32_t kTimeMask = (1u << kTimeBits) - 1;
  // Ticks in which keys_ keys are added. The clock goes round after twice as many, and hardly any
  // slot is not overwritten by then.
  static constexpr uint64_t kTicks = 16;
  static constexpr Slot kFree = 0;
  using Bucket = std::array<Slot, kSlots>;

  Bucket& BucketOf(uint64_t hash) { return buckets_[(hash >> 32) * buckets_.size() >> 32]; }
  uint32_t Now() const { return static_cast<uint32_t>(added_ * kTicks / (keys_ + 1)) & kTimeMask; }
  Slot SlotOf(uint64_t hash, uint32_t now) const {
    // Never that of a free slot.
    const auto fingerprint = std::max(static_cast<uint32_t>(hash) & kFingerprintMask, 1u);
    return static_cast<Slot>(fingerprint << kTimeBits | now);
  }
  // In ticks; a free slot is older than any.
  static uint32_t Age(Slot slot, uint32_t now) {
    return slot == kFree ? kTimeMask + 1 : (now - slot) & kTimeMask;
  }

  std::vector<Bucket> buckets_;
  size_t keys_ = 0;
  uint64_t added_ = 0;
};

}  // namespace larder
