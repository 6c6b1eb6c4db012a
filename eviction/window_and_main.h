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
  void OnInsert(KeyId id, uint8_t& state, Residents& residents);
  void OnErase(uint8_t& state);
  std::optional<KeyId> PickVictim(Residents& residents);

  size_t residents() const { return window_.residents + main_.residents; }
  // What is allocated, without this object itself.
  size_t memory_bytes() const;

 private:
  struct Queue {
    QueueState::Queue name;
    PlaceQueue places;
    size_t residents = 0;
  };
  struct Candidate {
    KeyId id = 0;
    QueueState state;
  };

  bool WindowIsFull() const;
  bool CameBackSoon(KeyId id);
  // The entry at the end of the queue, still in its place.
  std::optional<Candidate> Front(Queue& queue, Residents& residents);
  void Enter(Queue& queue, KeyId id, QueueState state, Residents& residents);
  void Leave(QueueState state);
  // Takes the front of a queue to the back of main.
  void MoveToMain(Queue& from, const Candidate& candidate, uint8_t hits, Residents& residents);
  KeyId Evict(Queue& queue, const Candidate& candidate);
  void Remember(KeyId id);
  // Drops places that erased entries left, a few at each call.
  void SweepSome(Queue& queue, Residents& residents);

  AdmissionRule rule_;
  const uint8_t ghost_percent_;
  bool has_evicted_ = false;
  Queue window_{.name = QueueState::Queue::kWindow};
  Queue main_{.name = QueueState::Queue::kMain};
  GhostQueue ghosts_;
};

}  // namespace larder
