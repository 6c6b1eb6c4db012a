#include "eviction/evictor.h"

#include <algorithm>

#include "eviction/access_clock.h"
#include "eviction/sampled_victims.h"

namespace larder {
namespace {

// As long as Redis evicts for a command at the default tenacity.
constexpr std::chrono::microseconds kLongest{500};
// Between two looks at the clock and at what other threads did.
constexpr int kRound = 16;
// A little more goes than must, so that threads do not have to add up each other's counters again
// at the very next command: one part in this many.
constexpr int64_t kSlackPart = 2048;

}  // namespace

Evictor::Evictor(Keyspace& keyspace, EvictionDomains& domains)
    : Evictor(keyspace, domains, MakeMemoryGauge(keyspace),
              std::make_unique<SampledVictims>(keyspace)) {}

bool Evictor::Choose(const VictimSource::Request& request, Random& random, Victim& victim) {
  const EvictionPolicy policy = request.access.policy;
  if (!UsesQueues(policy)) return victims_->Next(request, random, victim);
  if (domains_.Next(random, request.now, victim)) return true;
  // While a change of policy is under way, the queues do not know everything yet.
  VictimSource::Request at_random = request;
  at_random.access.policy =
      EvictsOnlyVolatile(policy) ? EvictionPolicy::kVolatileRandom : EvictionPolicy::kAllKeysRandom;
  return victims_->Next(at_random, random, victim);
}

bool Evictor::Evict(const Options& options, UnixMillis now, Random& random, OnEvicted on_evicted) {
  if (options.access.policy == EvictionPolicy::kNoEviction) return false;
  const VictimSource::Request request{
      .access = options.access, .samples = options.samples, .now = now};
  const int64_t target_bytes = options.maxmemory_bytes - options.maxmemory_bytes / kSlackPart;
  const MonoTime deadline = MonoNow() + kLongest;
  Victim victim;
  int64_t excess_bytes = gauge_->UsedBytes() - target_bytes;
  while (excess_bytes > 0) {
    for (int i = 0; i < kRound && excess_bytes > 0; ++i) {
      if (!Choose(request, random, victim)) {
        // What FLUSHALL or UNLINK gave up may still be on its way out.
        return keyspace_.lazy_free().pending() > 0 ||
               gauge_->UsedBytes() - gauge_->StrainBytes() <= options.maxmemory_bytes;
      }
      excess_bytes -= EvictOne(victim, request, on_evicted);
    }
    if (MonoNow() >= deadline) return true;
    // Other threads evict too. What has been added meanwhile, be it news of the keys that went, is
    // for the next call: otherwise evicting would be a reason to evict.
    excess_bytes = std::min(excess_bytes, gauge_->UsedBytes() - target_bytes);
  }
  return true;
}

int64_t Evictor::EvictOne(const Victim& victim, const VictimSource::Request& request,
                          OnEvicted on_evicted) {
  Shard& shard = keyspace_.shard(victim.shard);
  const HashedKey key = HashedKey::Of(victim.key);
  Evicted evicted{.db = victim.db, .key = victim.key, .bytes = 0, .idle_seconds = 0};
  {
    MutexLock lock(shard.mu());
    const Entry* entry = shard.Find(victim.db, key, request.now);
    if (entry == nullptr || shard.IsPinned(victim.db, victim.key)) return 0;
    evicted.bytes = static_cast<int64_t>(entry->allocated_bytes());
    evicted.idle_seconds =
        AccessClock(request.access, request.now).SecondsSinceAccess(entry->access());
    shard.Erase(victim.db, key, Shard::Reclaim::kNow, KeyChange::kEvicted);
  }
  on_evicted(evicted);
  return evicted.bytes;
}

}  // namespace larder
