#include "eviction/ghost_queue.h"

#include <algorithm>

namespace larder {

void GhostQueue::Resize(size_t keys) {
  buckets_ = std::vector<Bucket>(keys / kSlots + 1);
  keys_ = keys;
  added_ = 0;
}

void GhostQueue::Add(uint64_t hash) {
  if (buckets_.empty()) return;
  ++added_;
  const uint32_t now = Now();
  Bucket& bucket = BucketOf(hash);
  Slot& oldest = *std::max_element(bucket.begin(), bucket.end(),
                                   [now](Slot a, Slot b) { return Age(a, now) < Age(b, now); });
  oldest = SlotOf(hash, now);
}

bool GhostQueue::Take(uint64_t hash, size_t keys) {
  if (buckets_.empty()) return false;
  const uint32_t now = Now();
  const Slot wanted = SlotOf(hash, now);
  for (Slot& slot : BucketOf(hash)) {
    if (slot == kFree || (slot ^ wanted) >> kTimeBits != 0) continue;
    const bool is_recent = keys >= keys_ || Age(slot, now) * (keys_ + 1) <= keys * kTicks;
    slot = kFree;
    return is_recent;
  }
  return false;
}

}  // namespace larder
