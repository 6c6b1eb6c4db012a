// Two FIFOs behind one another, as in S3-FIFO (Yang et al., "FIFO queues are all you need for cache
// eviction", SOSP 2023): new keys enter a window. At its end, who was hit twice passes into the
// main queue; others go, and are remembered by a ghost queue: who comes back soon enters main at
// once. Who was hit in main moves from its front to its back, and loses one hit. A hit itself moves
// nothing.
//
// How large the window is, and how soon is soon, are the rule. It may change at any time; that
// moves nothing either.
//
// Concurrency: as its owner's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "eviction/eviction_queues.h"
#include "eviction/ghost_queue.h"
#include "eviction/place_queue.h"

namespace larder {

struct AdmissionRule {
  uint8_t window_percent = 10;  // Of the keys; 100 is a plain FIFO, in which nobody passes.
  uint8_t ghost_percent = 90;   // Evictions until who was evicted is forgotten, in the same unit.
};

class WindowAndMain {
 public:
  // Remembers `ghost_percent` of its keys, which no rule may exceed.
  WindowAndMain(AdmissionRule rule, uint8_t ghost_percent)
      : rule_(rule), ghost_percent_(ghost_percent) {}

  const AdmissionRule& rule() const { return rule_; }
  void set_rule(AdmissionRule rule) { rule_ = rule; }

  // These are EvictionQueues' events of the same names.
  void OnInsert(KeyId id, uint8_t& state);
  void OnErase(KeyId id, uint8_t& state);
  std::optional<KeyId> Candidate();
  Verdict Judge(KeyId id, uint8_t* state, const EntryWorth& worth);
  void Clear();

  size_t residents() const { return window_.size() + main_.size(); }
  // What is allocated, without this object itself.
  size_t memory_bytes() const;

 private:
  bool WindowIsFull() const;
  // The queue whose turn it is to give up its front. REQUIRES: there are residents.
  PlaceQueue& NextToGive();
  bool CameBackSoon(KeyId id);
  bool DeservesToStay(QueueState entry, bool in_window) const;
  void Remember(KeyId id);

  AdmissionRule rule_;
  const uint8_t ghost_percent_;
  bool has_evicted_ = false;
  int moves_ = 0;  // Of candidates that stayed, since the last that went.
  PlaceQueue window_;
  PlaceQueue main_;
  GhostQueue ghosts_;
};

}  // namespace larder
