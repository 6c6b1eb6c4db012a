#include "eviction/adaptive_queues.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <vector>

namespace larder {
namespace {

constexpr uint8_t kGhostPercent = 200;

struct NamedRule {
  std::string_view name;  // After the load that it is for.
  AdmissionRule rule;
  // Who changes to it loses what it does not keep, and changing back does not bring that back: for
  // a change its misses count for so much more.
  double handicap = 1;
};

// The first is where a cache begins.
constexpr NamedRule kRules[] = {
    {"mixed", {.window_percent = 15, .ghost_percent = 100, .remembers_main = true}},
    {"drift", {.window_percent = 65, .ghost_percent = 40}, 1.05},
    {"loop", {.window_percent = 1, .ghost_percent = 200}},
    {"long loop", {.window_percent = 1, .ghost_percent = 25}},
};

std::vector<AdmissionRule> AllRules() {
  std::vector<AdmissionRule> rules;
  for (const NamedRule& named : kRules) rules.push_back(named.rule);
  return rules;
}

// The miniatures have a 32nd of the keys, but enough that chance does not decide, and not more than
// it takes. Half as many cost half a per cent of the misses, four times as many saved a tenth of
// one.
constexpr size_t kMiniaturePart = 32;
constexpr size_t kMinMiniatureKeys = 512;
constexpr size_t kMaxMiniatureKeys = 4096;

// Scores are updated as often as there were half as many requests as entries, where an insertion
// counts for as much as two hits. By insertions alone, a cache that hardly misses would keep a
// wrong rule for long.
constexpr size_t kMinProgress = 128;
constexpr size_t kProgressOfInsertion = 2;
constexpr size_t kProgressOfHit = 1;
constexpr double kDecay = 0.95;

}  // namespace

AdaptiveQueues::AdaptiveQueues(uint64_t seed)
    : sample_(static_cast<KeyId>(seed ^ seed >> 32)),
      queues_(kRules[0].rule, kGhostPercent),
      miniatures_(AllRules()) {
  static_assert(std::size(kRules) <= std::tuple_size_v<decltype(scores_)>);
  SampleOneIn(0);
}

void AdaptiveQueues::OnInsert(KeyId id, uint8_t& state, size_t bytes) {
  queues_.OnInsert(id, state, bytes);
  if (queues_.residents() > capacity_) {
    capacity_ = queues_.residents();
    FitSample();
  }
  if (sample_.Includes(id)) {
    miniatures_.OnInsert(id);
    Replay(id, bytes);
  }
  Progress(kProgressOfInsertion);
}

void AdaptiveQueues::Observe(KeyId id, size_t bytes) {
  // The sample may have become smaller since the caller asked.
  if (!sample_.Includes(id)) return;
  Replay(id, bytes);
  Progress(kProgressOfHit << sample_shift_);  // It stands for those that were not observed.
}

void AdaptiveQueues::OnErase(KeyId id, uint8_t& state) {
  if (QueueState(state).queue() == QueueState::Queue::kNone) return;
  queues_.OnErase(id, state);
  if (sample_.Includes(id)) miniatures_.Erase(id);
}

Verdict AdaptiveQueues::Judge(KeyId id, uint8_t* state, const EntryWorth& worth) {
  const Verdict verdict = queues_.Judge(id, state, worth);
  if (verdict == Verdict::kEvict) {
    has_evicted_ = true;
    capacity_ = queues_.residents();
  }
  if (sample_.Includes(id)) {
    if (verdict == Verdict::kEvict) miniatures_.OnEvict(id);
    if (verdict == Verdict::kGone) miniatures_.Erase(id);
  }
  return verdict;
}

void AdaptiveQueues::Clear() {
  queues_.Clear();
  miniatures_.Clear();
  capacity_ = 0;
  has_evicted_ = false;
  SampleOneIn(0);
}

void AdaptiveQueues::Replay(KeyId id, size_t bytes) {
  // While the cache fills, a miniature may have more than its share, by chance; it must not evict.
  const size_t capacity = has_evicted_ ? std::max<size_t>(1, capacity_ >> sample_shift_)
                                       : std::numeric_limits<size_t>::max();
  ++new_requests_;
  miniatures_.Access(id, bytes, capacity, [this](size_t rule) { ++scores_[rule].new_hits; });
  queues_.set_mean_bytes(miniatures_.mean_bytes());
}

void AdaptiveQueues::FitSample() {
  const size_t wanted =
      std::clamp(capacity_ / kMiniaturePart, kMinMiniatureKeys, kMaxMiniatureKeys);
  const size_t sampled = capacity_ >> sample_shift_;
  if (sampled >= 2 * wanted) {
    SampleOneIn(sample_shift_ + 1);
    miniatures_.Thin([this](KeyId id) { return sample_.Includes(id); });
  } else if (sampled < wanted / 4 && sample_shift_ > 0) {
    SampleOneIn(sample_shift_ - 1);  // The miniatures fill up by themselves.
  }
}

void AdaptiveQueues::SampleOneIn(int shift) {
  sample_shift_ = shift;
  sample_.IncludeOneIn(shift);
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
  requests_ = requests_ * kDecay + new_requests_;
  new_requests_ = 0;
  for (Score& score : scores_) {
    score.hits = score.hits * kDecay + score.new_hits;
    score.new_hits = 0;
  }
  size_t best = current_;
  double least = requests_ - scores_[current_].hits;
  for (size_t i = 0; i < std::size(kRules); ++i) {
    const double misses = (requests_ - scores_[i].hits) * kRules[i].handicap;
    if (misses >= least) continue;
    best = i;
    least = misses;
  }
  current_ = best;
  queues_.set_rule(kRules[current_].rule);
}

size_t AdaptiveQueues::memory_bytes() const {
  return sizeof(*this) + miniatures_.memory_bytes() + queues_.memory_bytes();
}

std::string_view AdaptiveQueues::rule_name() const { return kRules[current_].name; }

}  // namespace larder
