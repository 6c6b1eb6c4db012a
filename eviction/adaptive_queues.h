// Window and main queue under whichever of four rules would do best of late. Which one that is, a
// miniature of the cache under each of them tells.
//
// No rule does well on everything: scans and loops want hardly a window and a memory for ghosts
// that is as long as the loop, but not longer; what drifts wants a large window. Larger sets of
// rules, admission by a frequency sketch (W-TinyLFU) among them, closed no more of the gap to the
// optimum in simulation (benchmarks/eviction), for the choice has an error of its own.
//
// A hit costs a saturating counter in the entry and one hash; a sampled key pays a lookup in
// each miniature besides: every key of a small cache, one in 32 of a large one. In memory: 4 bytes
// a key for its place, 4 for ghosts, and what the miniatures take, about 3 in large caches and up
// to 110 KiB in small ones.
//
// Concurrency: as EvictionQueues says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "eviction/eviction_queues.h"
#include "eviction/miniature.h"
#include "eviction/window_and_main.h"

namespace larder {

class AdaptiveQueues final : public EvictionQueues {
 public:
  explicit AdaptiveQueues(uint64_t seed);

  void OnInsert(KeyId id, uint8_t& state, Residents& residents) override;
  void OnHit(KeyId id, uint8_t& state) override;
  void OnErase(KeyId id, uint8_t& state) override;
  std::optional<KeyId> PickVictim(Residents& residents) override;

  size_t residents() const override { return queues_.residents(); }
  size_t memory_bytes() const override;

  const AdmissionRule& rule() const { return queues_.rule(); }

 private:
  struct Contender {
    Miniature miniature;
    double score = 0;   // Hits of the miniature, older ones for less.
    uint32_t hits = 0;  // Since the scores were last updated.
  };

  // Lets the miniatures see a request.
  void Observe(KeyId id);
  bool IsSampled(KeyId id) const;
  // Lets the number of sampled keys follow that of all.
  void FitSample();
  // Updates the scores when it is time to.
  void Progress(size_t amount);
  void UpdateScores();

  const KeyId seed_;
  WindowAndMain queues_;
  std::vector<Contender> contenders_;
  size_t current_ = 0;   // The contender whose rule holds.
  size_t capacity_ = 0;  // Entries at the last eviction, or more if there were more since.
  bool has_evicted_ = false;
  int sample_shift_ = 0;  // One key in 2^sample_shift_ is sampled.
  size_t progress_ = 0;   // Towards the next update of the scores.
};

}  // namespace larder
