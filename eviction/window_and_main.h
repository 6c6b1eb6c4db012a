// Two FIFOs behind one another, as in S3-FIFO (Yang et al., "FIFO queues are all you need for cache
// eviction", SOSP 2023): new keys enter a window. At its end, who was hit twice passes into the
// main queue; others go, and are remembered by a ghost queue: who comes back soon enters main at
// once. Who was hit in main moves from its front to its back, and loses one hit. A hit itself moves
// nothing.
//
// How large the window is, and how soon is soon, are the rule. It may change at any time; that
// moves nothing either.
//
// Where the mean size is known, hits are weighed against bytes, as in GDSF (Cherkasova, "Improving
// WWW Proxies Performance with Greedy-Dual-Size-Frequency Caching Policy", HP Labs 1998): a small
// entry passes with fewer hits, and one of half the mean size loses a hit every other time only.
// That makes for fewer misses, though not for fewer bytes missed. What will expire before it has
// had a fair part of the time that a turn of main takes goes as if it had fewer hits.
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
  bool remembers_main = false;  // Who was evicted from main may come back soon, too.
};

class WindowAndMain {
 public:
  // Remembers `ghost_percent` of its keys, which no rule may exceed.
  WindowAndMain(AdmissionRule rule, uint8_t ghost_percent)
      : rule_(rule), ghost_percent_(ghost_percent) {}

  const AdmissionRule& rule() const { return rule_; }
  void set_rule(AdmissionRule rule) { rule_ = rule; }
  // Of residents; what is large or small is measured by it. 0: not known, sizes do not count.
  void set_mean_bytes(double mean_bytes) { mean_bytes_ = mean_bytes; }

  // These are EvictionQueues' events of the same names.
  void OnInsert(KeyId id, uint8_t& state, size_t bytes);
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
  bool CameBackSoon(KeyId id, size_t bytes);
  // With how many hits the candidate moves to the back of main; nothing if it does not deserve to.
  std::optional<uint8_t> HitsToGoOnWith(uint8_t hits, bool in_window, const EntryWorth& worth);
  // In units of the mean; 1 if either is not known.
  double RelativeSize(size_t bytes) const;
  // Rounds up or down by chance, so that the mean is right.
  int RoundByChance(double number);
  bool ExpiresSoon(uint8_t hits, const EntryWorth& worth) const;
  // The front of main has been judged.
  void MeasureTurn(int64_t now_ms);
  void Remember(KeyId id);
  size_t GhostsWanted() const;

  AdmissionRule rule_;
  const uint8_t ghost_percent_;
  bool has_evicted_ = false;
  double mean_bytes_ = 0;
  uint32_t chance_ = 0;
  int moves_ = 0;      // Of candidates that stayed, since the last that went.
  size_t turned_ = 0;  // Entries judged in main since turn_began_ms_.
  int64_t turn_began_ms_ = 0;
  int64_t turn_ms_ = 0;  // What the last turn of main took. 0: not known.
  PlaceQueue window_;
  PlaceQueue main_;
  GhostQueue ghosts_;
};

}  // namespace larder
