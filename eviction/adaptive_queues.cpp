#include "eviction/adaptive_queues.h"

#include <algorithm>
#include <limits>

#include "eviction/key_mix.h"

namespace larder {
namespace {

constexpr uint8_t kGhostPercent = 200;
// The first is where a cache begins.
constexpr AdmissionRule kRules[] = {
    {.window_percent = 10, .ghost_percent = 150},
    {.window_percent = 1, .ghost_percent = 100},
    {.window_percent = 1, .ghost_percent = 200},
    {.window_percent = 40, .ghost_percent = 150},
};

// A miniature has a 32nd of the keys, but enough that chance does not decide, and not more than it
// takes. At least 256, 512 or 4096 keys closed the same share of the gap to within half a point.
constexpr size_t kMiniaturePart = 32;
constexpr size_t kMinMiniatureKeys = 512;
constexpr size_t kMaxMiniatureKeys = 8192;

// Scores are updated as often as there were half as many requests as entries, where an insertion
// counts for as much as two hits. By insertions alone, a cache that hardly misses would keep a
// wrong rule for long.
constexpr size_t kMinProgress = 128;
constexpr size_t kProgressOfInsertion = 2;
constexpr size_t kProgressOfHit = 1;
constexpr double kDecay = 0.93;

}  // namespace

AdaptiveQueues::AdaptiveQueues(uint64_t seed)
    : seed_(static_cast<KeyId>(seed)), queues_(kRules[0], kGhostPercent) {
  for (const AdmissionRule& rule : kRules) {
    contenders_.push_back({.miniature = Miniature(rule, kGhostPercent)});
  }
}

void AdaptiveQueues::OnInsert(KeyId id, uint8_t& state, Residents& residents) {
  queues_.OnInsert(id, state, residents);
  if (queues_.residents() > capacity_) {
    capacity_ = queues_.residents();
    FitSample();
  }
  Observe(id);
  Progress(kProgressOfInsertion);
}

void AdaptiveQueues::OnHit(KeyId id, uint8_t& state) {
  QueueState(state).AddHit();
  Observe(id);
  Progress(kProgressOfHit);
}

void AdaptiveQueues::OnErase(KeyId id, uint8_t& state) {
  if (QueueState(state).queue() == QueueState::Queue::kNone) return;
  queues_.OnErase(state);
  if (!IsSampled(id)) return;
  for (Contender& contender : contenders_) contender.miniature.Erase(id);
}

std::optional<KeyId> AdaptiveQueues::PickVictim(Residents& residents) {
  const std::optional<KeyId> victim = queues_.PickVictim(residents);
  has_evicted_ = true;
  capacity_ = queues_.residents();
  return victim;
}

void AdaptiveQueues::Observe(KeyId id) {
  if (!IsSampled(id)) [[likely]]
    return;
  // While the cache fills, a miniature may have more than its share, by chance; it must not evict.
  const size_t capacity = has_evicted_ ? std::max<size_t>(1, capacity_ >> sample_shift_)
                                       : std::numeric_limits<size_t>::max();
  for (Contender& contender : contenders_) {
    if (contender.miniature.Access(id, capacity)) ++contender.hits;
  }
}

bool AdaptiveQueues::IsSampled(KeyId id) const {
  // Other bits than those by which the miniatures' own tables place a key.
  const uint64_t mask = (uint64_t{1} << sample_shift_) - 1;
  return (MixKeyId(id ^ seed_) >> 32 & mask) == 0;
}

void AdaptiveQueues::FitSample() {
  const size_t wanted =
      std::clamp(capacity_ / kMiniaturePart, kMinMiniatureKeys, kMaxMiniatureKeys);
  const size_t sampled = capacity_ >> sample_shift_;
  if (sampled >= 2 * wanted) {
    ++sample_shift_;
    for (Contender& contender : contenders_) {
      contender.miniature.Thin([this](KeyId id) { return IsSampled(id); });
    }
  } else if (sampled < wanted / 4 && sample_shift_ > 0) {
    --sample_shift_;  // The miniatures fill up by themselves.
  }
}

void AdaptiveQueues::Progress(size_t amount) {
  progress_ += amount;
  if (progress_ < std::max(kMinProgress, capacity_ / 2)) [[likely]]
    return;
  progress_ = 0;
  UpdateScores();
}

void AdaptiveQueues::UpdateScores() {
  FitSample();
  size_t best = current_;
  for (size_t i = 0; i < contenders_.size(); ++i) {
    Contender& contender = contenders_[i];
    contender.score = contender.score * kDecay + contender.hits;
    contender.hits = 0;
    if (contender.score > contenders_[best].score) best = i;
  }
  current_ = best;
  queues_.set_rule(contenders_[best].miniature.rule());
}

size_t AdaptiveQueues::memory_bytes() const {
  size_t bytes = sizeof(*this) + contenders_.capacity() * sizeof(Contender);
  for (const Contender& contender : contenders_) bytes += contender.miniature.memory_bytes();
  return bytes + queues_.memory_bytes();
}

}  // namespace larder
