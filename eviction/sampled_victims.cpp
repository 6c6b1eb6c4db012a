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
    pool_.Clear();  // Scores of another kind.
    pooled_for_ = policy;
  }
  // A candidate may have gone or been used since it was pooled; a few looks then give up, and the
  // caller decides whether to ask again.
  constexpr int kLooks = 8;
  for (int look = 0; look < kLooks; ++look) {
    if (!FillPool(request, random)) return false;
    while (std::optional<Pool::Candidate> best = pool_.TakeBest()) {
      if (!StillStands(*best, request)) continue;
      victim = std::move(best->name);
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

bool SampledVictims::FillPool(const Request& request, Random& random) {
  // All samples from one place are one lock and one walk through memory, and as good as samples
  // from everywhere, if the place has many times more keys than are looked at. A shard with a
  // handful of keys would not offer a sample but its all, however young.
  constexpr uint64_t kKeysASample = 16;
  const bool volatile_only = EvictsOnlyVolatile(request.access.policy);
  const AccessClock clock(request.access, request.now);
  for (int left = request.samples; left > 0;) {
    const std::optional<Place> place = RandomPlace(volatile_only, random);
    if (!place) return false;
    const auto fair = static_cast<int>(
        std::clamp<uint64_t>(place->keys / kKeysASample, 1, static_cast<uint64_t>(left)));
    Sample(*place, volatile_only, fair, random, [&](const Entry& entry) {
      Offer(*place, entry, Score(entry, request.access.policy, clock, request.now));
    });
    left -= fair;
  }
  return true;
}

void SampledVictims::Offer(const Place& place, const Entry& entry, uint64_t score) {
  pool_.Offer(
      score,
      [&](const Victim& pooled) {
        return pooled.shard == place.shard && pooled.db == place.db && pooled.key == entry.key();
      },
      [&] {
        return Victim{.shard = place.shard, .db = place.db, .key = std::string(entry.key())};
      });
}

bool SampledVictims::StillStands(const Pool::Candidate& candidate, const Request& request) {
  const AccessClock clock(request.access, request.now);
  Shard& shard = keyspace_.shard(candidate.name.shard);
  const HashedKey key = HashedKey::Of(candidate.name.key);
  MutexLock lock(shard.mu());
  const Entry* entry = shard.Find(candidate.name.db, key, request.now);
  if (entry == nullptr) return false;
  const bool volatile_only = EvictsOnlyVolatile(request.access.policy);
  if (!MayGo(shard, candidate.name.db, *entry, volatile_only)) return false;
  return Score(*entry, request.access.policy, clock, request.now) >= candidate.score;
}

std::optional<SampledVictims::Place> SampledVictims::RandomPlace(bool volatile_only,
                                                                 Random& random) {
  // Shards by rejection: one is taken with its share of the largest. If all are refused, which
  // happens when most shards are empty or the largest was emptied, one of those seen is taken, by
  // their shares again.
  constexpr int kDraws = 64;
  uint64_t seen_keys = 0;
  uint64_t largest_seen = 0;
  std::optional<Place> chosen;
  for (int draw = 0; draw < kDraws; ++draw) {
    const auto id = static_cast<uint32_t>(random.Uniform(keyspace_.shard_count()));
    uint64_t keys = 0;
    const std::optional<Place> place = PlaceIn(id, volatile_only, random, keys);
    if (!place) continue;
    largest_ = std::max(largest_, keys);
    if (random.Uniform(largest_) < keys) return place;
    largest_seen = std::max(largest_seen, keys);
    seen_keys += keys;
    if (random.Uniform(seen_keys) < keys) chosen = place;
  }
  if (!chosen) return FirstPlace(volatile_only, random);
  largest_ = largest_seen;
  return chosen;
}

std::optional<SampledVictims::Place> SampledVictims::PlaceIn(uint32_t shard_id, bool volatile_only,
                                                             Random& random, uint64_t& shard_keys) {
  Shard& shard = keyspace_.shard(shard_id);
  MutexLock lock(shard.mu());
  shard_keys = 0;
  for (int db = 0; db < keyspace_.databases(); ++db) {
    shard_keys += Weight(shard, db, volatile_only);
  }
  if (shard_keys == 0) return std::nullopt;
  uint64_t nth = random.Uniform(shard_keys);
  for (Place place{.shard = shard_id};; ++place.db) {
    place.keys = Weight(shard, place.db, volatile_only);
    if (nth < place.keys) return place;
    nth -= place.keys;
  }
}

std::optional<SampledVictims::Place> SampledVictims::FirstPlace(bool volatile_only,
                                                                Random& random) {
  const auto start = static_cast<uint32_t>(random.Uniform(keyspace_.shard_count()));
  for (uint32_t i = 0; i < keyspace_.shard_count(); ++i) {
    uint64_t keys = 0;
    const std::optional<Place> place =
        PlaceIn((start + i) % keyspace_.shard_count(), volatile_only, random, keys);
    if (place) return place;
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
