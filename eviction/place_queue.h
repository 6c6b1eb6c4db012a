// A FIFO of keys by their ids, from which keys may also be erased: an erased key leaves its place
// behind, and a note that the oldest place of its id is dead. Whoever comes by drops both. Lest
// dead places add up, a sweep goes over the queue, a few places at each change, once there is one
// for every four keys.
//
// The places stand in a std::deque: 512-byte blocks that come and go singly, so that neither
// growth nor a half-full ring costs anything.
//
// Concurrency: as its owner's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "eviction/eviction_queues.h"

namespace larder {

class PlaceQueue {
 public:
  // Keys in line.
  size_t size() const { return places() - dead_.total - dead_since_.total; }
  bool empty() const { return size() == 0; }

  void Push(KeyId id);
  // The key leaves the line, from its oldest place if it has several. REQUIRES: it stands in line;
  // if it does not, another may lose its place.
  void Erase(KeyId id);
  // The key that has stood in line for longest, if there is one.
  std::optional<KeyId> Front();
  // REQUIRES: Front() has named a key since the last change.
  void PopFront();
  void Clear();

  size_t memory_bytes() const;

 private:
  // How many places of each id are dead.
  struct DeadPlaces {
    void Add(KeyId id);
    // True if the id had one, which is one less now.
    bool Take(KeyId id);
    size_t memory_bytes() const;

    absl::flat_hash_map<KeyId, uint32_t> counts;
    size_t total = 0;
  };

  size_t places() const { return ids_.size() - (read_ - write_); }
  bool sweeping() const { return read_ > 0; }
  void DropFront();
  // Drops dead places, oldest first, a few of them.
  void SweepSome();
  void EndSweep();
  // All that the sweep has kept was popped: what it dropped lies before what it has not seen.
  void SkipGap();

  // [0, write_) was kept by the sweep under way, [write_, read_) is a gap, the rest is unseen.
  std::deque<KeyId> ids_;
  size_t write_ = 0;
  size_t read_ = 0;
  DeadPlaces dead_;
  // Those that died during the sweep. A place that the sweep has kept may be among them, and the
  // same id may stand in line again behind it: the sweep must not take the one for the other.
  DeadPlaces dead_since_;
};

}  // namespace larder
