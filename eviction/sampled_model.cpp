#include "eviction/sampled_model.h"

#include <optional>
#include <utility>

namespace larder {

SampledModel::SampledModel(EvictionPolicy policy, const Options& options, uint64_t seed)
    : access_{.policy = policy,
              .lfu_log_factor = options.lfu_log_factor,
              .lfu_decay_minutes = options.lfu_decay_minutes},
      samples_(options.samples),
      random_(seed),
      clock_(access_, 0) {}

bool SampledModel::Read(KeyId id, UnixMillis now) {
  const auto found = places_.find(id);
  if (found == places_.end()) return false;
  clock_.set_now(now);
  uint32_t& access = residents_[found->second].access;
  access = clock_.Touched(access, random_);
  return true;
}

void SampledModel::Fill(KeyId id, uint64_t bytes, uint64_t capacity_bytes, UnixMillis now) {
  clock_.set_now(now);
  const auto [found, is_new] = places_.try_emplace(id, static_cast<uint32_t>(residents_.size()));
  if (is_new) {
    // By less than twice as much: what models take is the cache's loss.
    if (residents_.size() == residents_.capacity()) {
      residents_.reserve(residents_.size() + residents_.size() / 8 + 16);
    }
    residents_.push_back({.bytes = bytes, .id = id, .access = clock_.Initial()});
    bytes_ += bytes;
  } else {
    Resident& resident = residents_[found->second];
    bytes_ += bytes - resident.bytes;
    resident.bytes = bytes;
  }
  while (bytes_ > capacity_bytes) EvictOne();
}

void SampledModel::Erase(KeyId id) {
  const auto found = places_.find(id);
  if (found != places_.end()) EraseAt(found->second);
}

void SampledModel::EraseIf(absl::FunctionRef<bool(KeyId)> is_unwanted) {
  for (size_t place = residents_.size(); place-- > 0;) {
    if (is_unwanted(residents_[place].id)) EraseAt(place);
  }
}

void SampledModel::EvictOne() {
  EraseAt(access_.policy == EvictionPolicy::kAllKeysRandom ? random_.Uniform(residents_.size())
                                                           : PickVictim());
}

size_t SampledModel::PickVictim() {
  constexpr int kLooks = 8;  // As SampledVictims.
  for (int look = 0; look < kLooks; ++look) {
    FillPool();
    while (const std::optional<Pool::Candidate> best = pool_.TakeBest()) {
      const auto found = places_.find(best->name);
      if (found == places_.end()) continue;
      if (ScoreOf(residents_[found->second]) >= best->score) return found->second;
    }
  }
  return random_.Uniform(residents_.size());
}

uint32_t SampledModel::ScoreOf(const Resident& resident) const {
  return clock_.counts() ? AccessClock::kMaxFrequency - clock_.DecayedFrequency(resident.access)
                         : clock_.IdleSeconds(resident.access);
}

void SampledModel::FillPool() {
  for (int i = 0; i < samples_; ++i) {
    const Resident& resident = residents_[random_.Uniform(residents_.size())];
    pool_.Offer(
        ScoreOf(resident), [&](KeyId pooled) { return pooled == resident.id; },
        [&] { return resident.id; });
  }
}

void SampledModel::EraseAt(size_t place) {
  bytes_ -= residents_[place].bytes;
  places_.erase(residents_[place].id);
  if (place + 1 < residents_.size()) {
    residents_[place] = residents_.back();
    places_[residents_[place].id] = static_cast<uint32_t>(place);
  }
  residents_.pop_back();
}

size_t SampledModel::memory_bytes() const {
  constexpr size_t kPlaceBytes = sizeof(std::pair<KeyId, uint32_t>) + 1;  // And a control byte.
  return places_.capacity() * kPlaceBytes + residents_.capacity() * sizeof(Resident) +
         pool_.memory_bytes();
}

}  // namespace larder
