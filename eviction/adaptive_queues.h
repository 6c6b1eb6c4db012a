// Window and main queue under whichever of four rules would do best of late. Which one that is, a
// miniature of the cache under each of them tells.
//
// No rule does well on everything. Loops want hardly a window, and a memory for ghosts that is as
// long as the loop, or, if the loop is far larger than the cache, so short that the cache stays as
// it is; what drifts wants a large window. Larger sets of rules, admission by a frequency sketch
// (W-TinyLFU) and a rule for scans among them, did no better in simulation (benchmarks/eviction):
// the choice has an error of its own, and each change of rule loses a part of what is there.
//
// A hit costs a saturating counter in the entry and a look at the sample filter; a sampled key pays
// a lookup in the miniatures besides: every key of a small cache, one in 32 of a larger one, and a
// few thousand of a very large one. In memory: 4 bytes a key for its place, 4 for ghosts, and about
// 100 for each sampled key.
//
// Concurrency: as EvictionQueues says.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "eviction/eviction_queues.h"
#include "eviction/miniatures.h"
#include "eviction/window_and_main.h"

namespace larder {

class AdaptiveQueues final : public EvictionQueues {
 public:
  explicit AdaptiveQueues(uint64_t seed);

  void OnInsert(KeyId id, uint8_t& state, size_t bytes) override;
  void Observe(KeyId id, size_t bytes) override;
  void OnErase(KeyId id, uint8_t& state) override;
  void ForgetIf(absl::FunctionRef<bool(KeyId)> is_unwanted) override {
    miniatures_.Thin([is_unwanted](KeyId id) { return !is_unwanted(id); });
  }
  std::optional<KeyId> Candidate() override { return queues_.Candidate(); }
  Verdict Judge(KeyId id, uint8_t* state, const EntryWorth& worth) override;
  void Clear() override;

  const SampleFilter& sample() const override { return sample_; }
  size_t residents() const override { return queues_.residents(); }
  size_t memory_bytes() const override;
  std::string_view rule_name() const override;

  const AdmissionRule& rule() const { return queues_.rule(); }

 private:
  struct Score {
    double hits = 0;        // Of the miniature, older ones for less.
    uint32_t new_hits = 0;  // Since the scores were last updated.
  };

  // Lets the miniatures see a request for a sampled key.
  void Replay(KeyId id, size_t bytes);
  // Lets the number of sampled keys follow that of all.
  void FitSample();
  void SampleOneIn(int shift);
  // Updates the scores when it is time to.
  void Progress(size_t amount);
  void UpdateScores();

  SampleFilter sample_;
  int sample_shift_ = 0;  // One key in 2^sample_shift_ is sampled.
  WindowAndMain queues_;
  Miniatures miniatures_;
  std::array<Score, Miniatures::kMaxRules> scores_;
  double requests_ = 0;  // That these are of.
  uint32_t new_requests_ = 0;
  size_t current_ = 0;   // The rule that holds.
  size_t capacity_ = 0;  // Entries at the last eviction, or more if there were more since.
  bool has_evicted_ = false;
  size_t progress_ = 0;  // Towards the next update of the scores.
};

}  // namespace larder
