// A FIFO of keys by their ids. Keys that were deleted leave their places behind; a sweep, a few
// places at a time, drops them before they add up.
//
// Stands in a std::deque: 512-byte blocks that come and go singly, so that neither growth nor a
// half-full ring costs anything.
//
// Concurrency: as its owner's.
#pragma once

#include <cstddef>
#include <deque>

#include "base/check.h"
#include "eviction/eviction_queues.h"

namespace larder {

class PlaceQueue {
 public:
  // Places, those included whose keys have gone.
  size_t places() const { return ids_.size() - (read_ - write_); }
  bool empty() const { return places() == 0; }

  void Push(KeyId id) { ids_.push_back(id); }
  // The oldest place. REQUIRES: !empty().
  KeyId Front() {
    if (write_ == 0) SkipGap();
    return ids_.front();
  }
  // REQUIRES: Front() was called since the last change.
  void PopFront() {
    ids_.pop_front();
    if (write_ > 0) {
      --write_;
      --read_;
    }
  }
  void Clear() {
    ids_.clear();
    read_ = write_ = 0;
  }

  bool sweeping() const { return read_ > 0; }
  // What a sweep gives the mark of an entry that it has met. Whoever pushes a place gives the entry
  // the opposite, so that a sweep tells a second place of the same entry from its first.
  bool sweep_mark() const { return sweep_mark_; }
  // Looks at the next `places` places, oldest first, and drops those for which keep(id) is false.
  // Goes on where the last call ended. True when it has reached the end, which ends the sweep.
  template <typename Keep>
  bool Sweep(size_t places, Keep keep) {
    for (; places > 0 && read_ < ids_.size(); --places, ++read_) {
      if (keep(ids_[read_])) ids_[write_++] = ids_[read_];
    }
    if (read_ < ids_.size()) return false;
    ids_.resize(write_);
    read_ = write_ = 0;
    sweep_mark_ = !sweep_mark_;
    return true;
  }

  size_t memory_bytes() const {
    constexpr size_t kBlockBytes = 512;
    const size_t blocks = ids_.size() * sizeof(KeyId) / kBlockBytes + 1;
    return blocks * (kBlockBytes + sizeof(void*));
  }

 private:
  // All that the sweep has kept was popped: what it dropped lies before what it has not seen.
  void SkipGap() {
    LARDER_DCHECK(write_ == 0);
    ids_.erase(ids_.begin(), ids_.begin() + static_cast<std::ptrdiff_t>(read_));
    read_ = 0;
  }

  // [0, write_) is kept by the sweep under way, [write_, read_) is a gap, the rest is unseen.
  std::deque<KeyId> ids_;
  size_t write_ = 0;
  size_t read_ = 0;
  bool sweep_mark_ = true;
};

}  // namespace larder
