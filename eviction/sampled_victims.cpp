#include "eviction/sampled_victims.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace larder {
namespace {

constexpr uint64_t kGoesFirst = std::numeric_limits<uint64_t>::max();

uint64_t Score(const Entry& entry, EvictionPolicy policy, const AccessClock& clock,
               UnixMillis now) {
  if (entry.ExpiredAt(now)) return kGoesFirst;
  if (policy == EvictionPolicy::kVolatileTtl) {
    return kGoesFirst - static_cast<uint64_t>(entry.expiry());
  }
  if (TracksFrequency(policy)) {
    return AccessClock::kMaxFrequency - clock.DecayedFrequency(entry.access());
  }
  return clock.IdleSeconds(entry.access());
}

// How many keys may go. Pinned ones are few, so that looking at each is cheap.
uint64_t Weight(Shard& shard, int db, bool volatile_only)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mu()) {
  if (!volatile_only) return shard.size(db) - shard.pinned_size(db);
  uint64_t pinned = 0;
  shard.ForEachPinned(db, [&](const Entry& entry) { pinned += entry.has_expiry(); });
  return shard.volatile_size(db) - pinned;
}

bool MayGo(Shard& shard, int db, const Entry& entry, bool volatile_only)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mu()) {
  return (!volatile_only || entry.has_expiry()) && !shard.IsPinned(db, entry.key());
}

}  // namespace

bool SampledVictims::Next(const Request& request, Random& random, Victim& victim) {
  const EvictionPolicy policy = request.access.policy;
  if (policy == EvictionPolicy::kAllKeysRandom || policy == EvictionPolicy::kVolatileRandom) {
    return NextAtRandom(request, random, victim);
  }
  if (policy != pooled_for_) {
    pool_.clear();  // Scores of another kind.
    pooled_for_ = policy;
  }
  // A candidate may have gone or been used since it was pooled; a few looks then give up, and the
  // caller decides whether to ask again.
  constexpr int kLooks = 8;
  for (int look = 0; look < kLooks; ++look) {
    FillPool(request, random);
    while (!pool_.empty()) {
      Candidate best = std::move(pool_.back());
      pool_.pop_back();
      if (!StillStands(best, request)) continue;
      victim = std::move(best.victim);
      return true;
    }
  }
  return NextAtRandom(request, random, victim);
}

bool SampledVictims::NextAtRandom(const Request& request, Random& random, Victim& victim) {
  const bool volatile_only = EvictsOnlyVolatile(request.access.policy);
  const std::optional<Place> place = RandomPlace(volatile_only, random);
  if (!place) return false;
  bool found = false;
  Sample(*place, volatile_only, 1, random, [&](const Entry& entry) {
    victim = {place->shard, place->db, std::string(entry.key())};
    found = true;
  });
  return found;
}

void SampledVictims::FillPool(const Request& request, Random& random) {
  const bool volatile_only = EvictsOnlyVolatile(request.access.policy);
  const std::optional<Place> place = RandomPlace(volatile_only, random);
  if (!place) return;
  const AccessClock clock(request.access, request.now);
  Sample(*place, volatile_only, request.samples, random, [&](const Entry& entry) {
    Offer(*place, entry, Score(entry, request.access.policy, clock, request.now));
  });
}

void SampledVictims::Offer(const Place& place, const Entry& entry, uint64_t score) {
  if (pool_.size() == kPoolSize && score <= pool_.front().score) return;
  for (const Candidate& pooled : pool_) {
    if (pooled.victim.shard == place.shard && pooled.victim.db == place.db &&
        pooled.victim.key == entry.key()) {
      return;
    }
  }
  if (pool_.size() == kPoolSize) pool_.erase(pool_.begin());
  const auto behind = std::upper_bound(
      pool_.begin(), pool_.end(), score,
      [](uint64_t wanted, const Candidate& pooled) { return wanted < pooled.score; });
  pool_.insert(behind,
               {.score = score,
                .victim = {.shard = place.shard, .db = place.db, .key = std::string(entry.key())}});
}

bool SampledVictims::StillStands(const Candidate& candidate, const Request& request) {
  const AccessClock clock(request.access, request.now);
  Shard& shard = keyspace_.shard(candidate.victim.shard);
  const HashedKey key = HashedKey::Of(candidate.victim.key);
  MutexLock lock(shard.mu());
  const Entry* entry = shard.Find(candidate.victim.db, key, request.now);
  if (entry == nullptr) return false;
  const bool volatile_only = EvictsOnlyVolatile(request.access.policy);
  if (!MayGo(shard, candidate.victim.db, *entry, volatile_only)) return false;
  return Score(*entry, request.access.policy, clock, request.now) >= candidate.score;
}

std::optional<SampledVictims::Place> SampledVictims::RandomPlace(bool volatile_only,
                                                                 Random& random) {
  constexpr int kDraws = 16;
  uint64_t heaviest = 0;
  std::optional<Place> heaviest_place;
  for (int draw = 0; draw < kDraws; ++draw) {
    Place place{.shard = static_cast<uint32_t>(random.Uniform(keyspace_.shard_count()))};
    Shard& shard = keyspace_.shard(place.shard);
    MutexLock lock(shard.mu());
    uint64_t weight = 0;
    for (int db = 0; db < keyspace_.databases(); ++db) {
      weight += Weight(shard, db, volatile_only);
    }
    if (weight == 0) continue;
    uint64_t nth = random.Uniform(weight);
    while (nth >= Weight(shard, place.db, volatile_only)) {
      nth -= Weight(shard, place.db, volatile_only);
      ++place.db;
    }
    if (weight > heaviest) {
      heaviest = weight;
      heaviest_place = place;
    }
    largest_ = std::max(largest_, weight);
    if (random.Uniform(largest_) < weight) return place;
  }
  if (!heaviest_place) return FirstPlace(volatile_only, random);
  largest_ = heaviest;  // The shards have become smaller.
  return heaviest_place;
}

std::optional<SampledVictims::Place> SampledVictims::FirstPlace(bool volatile_only,
                                                                Random& random) {
  const auto start = static_cast<uint32_t>(random.Uniform(keyspace_.shard_count()));
  for (uint32_t i = 0; i < keyspace_.shard_count(); ++i) {
    const uint32_t id = (start + i) % keyspace_.shard_count();
    Shard& shard = keyspace_.shard(id);
    MutexLock lock(shard.mu());
    for (int db = 0; db < keyspace_.databases(); ++db) {
      if (Weight(shard, db, volatile_only) > 0) return Place{id, db};
    }
  }
  return std::nullopt;
}

void SampledVictims::Sample(const Place& place, bool volatile_only, int samples, Random& random,
                            absl::FunctionRef<void(const Entry&)> visit) {
  // With fewer volatile keys than one in this many, drawing takes longer than walking.
  constexpr uint64_t kTooRare = 16;
  Shard& shard = keyspace_.shard(place.shard);
  MutexLock lock(shard.mu());
  const uint64_t keys = shard.size(place.db);
  const uint64_t eligible = Weight(shard, place.db, volatile_only);
  if (eligible == 0) return;
  int left = samples;
  if (eligible * kTooRare >= keys) {
    for (int draws = samples * static_cast<int>(kTooRare); draws > 0 && left > 0; --draws) {
      const Entry* entry = shard.RandomEntry(place.db, random);
      if (entry == nullptr || !MayGo(shard, place.db, *entry, volatile_only)) continue;
      visit(*entry);
      --left;
    }
  }
  if (left < samples) return;
  const uint64_t anywhere = random.Next() >> 16;  // A cursor has 48 bits.
  for (uint64_t cursor : {anywhere, uint64_t{0}}) {
    do {
      cursor = shard.Scan(place.db, cursor, [&](Entry& entry) {
        shard.mu().AssertHeld();
        if (left == 0 || !MayGo(shard, place.db, entry, volatile_only)) return;
        visit(entry);
        --left;
      });
    } while (cursor != 0 && left > 0);
  }
}

}  // namespace larder
