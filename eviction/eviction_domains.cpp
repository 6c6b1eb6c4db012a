#include "eviction/eviction_domains.h"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <string>

#include "base/check.h"
#include "eviction/access_clock.h"

namespace larder {
namespace {

// With two threads one lock in a dozen is found taken, and then for tens of nanoseconds.
constexpr uint32_t kThreadsPerDomain = 2;
constexpr uint32_t kMaxDomains = 16;

// Entries that are looked at under one lock of a shard while the policy changes.
constexpr size_t kEntriesAtOnce = 128;
constexpr std::chrono::microseconds kLongestAdvance{250};

// Places that one choice may go through. What stays is bounded by the queues themselves; places of
// what was flushed are not.
constexpr int kMaxLooks = 2048;

QueuePolicy QueuePolicyOf(EvictionPolicy policy) {
  switch (policy) {
    case EvictionPolicy::kAllKeysFifo:
    case EvictionPolicy::kVolatileFifo:
      return QueuePolicy::kFifo;
    case EvictionPolicy::kAllKeysS3Fifo:
    case EvictionPolicy::kVolatileS3Fifo:
      return QueuePolicy::kS3Fifo;
    default:
      LARDER_CHECK(policy == EvictionPolicy::kAllKeysAdaptive ||
                   policy == EvictionPolicy::kVolatileAdaptive);
      return QueuePolicy::kAdaptive;
  }
}

bool Knows(Entry& entry) {
  return QueueState(entry.queue_state()).queue() != QueueState::Queue::kNone;
}

EntryWorth WorthOf(const Entry& entry, UnixMillis now) {
  EntryWorth worth{.bytes = entry.allocated_bytes()};
  if (entry.has_expiry()) worth.ttl_ms = std::max<int64_t>(entry.expiry() - now, 0);
  return worth;
}

uint32_t DomainCount(uint32_t threads, uint32_t shards) {
  return std::min({std::bit_floor(std::max(threads / kThreadsPerDomain, 1u)), kMaxDomains, shards});
}

}  // namespace

EvictionDomains::EvictionDomains(Keyspace& keyspace, uint32_t threads, uint64_t seed)
    : keyspace_(keyspace),
      seed_(seed),
      domain_count_(DomainCount(threads, keyspace.shard_count())),
      domain_bits_(static_cast<uint32_t>(std::countr_zero(domain_count_))),
      shard_bits_(static_cast<uint32_t>(std::countr_zero(keyspace.shard_count())) - domain_bits_),
      domains_(std::make_unique<Domain[]>(domain_count_)) {}

EvictionDomains::~EvictionDomains() {
  // The keyspace outlives this object, and still has entries to drop.
  for (uint32_t id = 0; id < keyspace_.shard_count(); ++id) {
    Shard& shard = keyspace_.shard(id);
    MutexLock lock(shard.mu());
    shard.set_access_bits(Shard::AccessBits::kClock, nullptr);
  }
}

// ---- Names

KeyId EvictionDomains::IdOf(uint32_t shard, uint64_t hash) const {
  const uint32_t index_bits = IndexBits();
  const auto fingerprint = static_cast<uint32_t>(hash >> 56);
  const uint32_t index = static_cast<uint32_t>(hash) & ((1u << index_bits) - 1);
  return fingerprint << kHashBits | (shard >> domain_bits_) << index_bits | index;
}

uint32_t EvictionDomains::ShardOf(uint32_t domain, KeyId id) const {
  const uint32_t within = (id & ((1u << kHashBits) - 1)) >> IndexBits();
  return within << domain_bits_ | domain;
}

uint64_t EvictionDomains::HashOf(KeyId id) const {
  return uint64_t{id >> kHashBits} << 56 | (id & ((1u << IndexBits()) - 1));
}

// ---- What happens to entries

void EvictionDomains::Enter(const Shard& shard, uint64_t hash, Entry& entry) {
  Domain& domain = DomainOf(shard.id());
  MutexLock lock(domain.mu);
  domain.queues->OnInsert(IdOf(shard.id(), hash), entry.queue_state(), entry.allocated_bytes());
  domain.Publish();
}

void EvictionDomains::OnInserted(const Shard& shard, uint64_t hash, Entry& entry) {
  if (IsEligible(entry) && !Knows(entry)) Enter(shard, hash, entry);
}

void EvictionDomains::OnErasing(const Shard& shard, uint64_t hash, Entry& entry) {
  if (!Knows(entry)) return;
  Domain& domain = DomainOf(shard.id());
  MutexLock lock(domain.mu);
  domain.queues->OnErase(IdOf(shard.id(), hash), entry.queue_state());
  domain.Publish();
}

void EvictionDomains::OnVolatilityChanged(const Shard& shard, uint64_t hash, Entry& entry) {
  if (!volatile_only_) return;
  if (!entry.has_expiry()) {
    OnErasing(shard, hash, entry);
  } else if (!Knows(entry)) {
    Enter(shard, hash, entry);
  }
}

void EvictionDomains::OnFlushed(const Shard& shard, size_t entries, size_t volatile_entries) {
  Domain& domain = DomainOf(shard.id());
  MutexLock lock(domain.mu);
  domain.flushed += volatile_only_ ? volatile_entries : entries;
  if (domain.flushed <= domain.queues->residents() / 2) return;
  renewal_wanted_.store(true, std::memory_order_relaxed);
  changing_.store(true, std::memory_order_release);
}

void EvictionDomains::OnHit(const Shard& shard, uint64_t hash, Entry& entry) {
  QueueState state(entry.queue_state());
  if (state.queue() == QueueState::Queue::kNone) return;
  state.AddHit();
  Domain& domain = DomainOf(shard.id());
  const KeyId id = IdOf(shard.id(), hash);
  if (!domain.sample->Includes(id)) [[likely]]
    return;
  const size_t bytes = entry.allocated_bytes();
  MutexLock lock(domain.mu);
  domain.queues->Observe(id, bytes);
}

// ---- Choosing

bool EvictionDomains::Next(Random& random, UnixMillis now, Victim& victim) {
  const uint32_t first = RandomDomain(random);
  for (uint32_t i = 0; i < domain_count_; ++i) {
    const uint32_t domain = (first + i) & (domain_count_ - 1);
    for (int look = 0; look < kMaxLooks; ++look) {
      std::optional<KeyId> id;
      {
        MutexLock lock(domains_[domain].mu);
        if (domains_[domain].queues == nullptr) return false;
        id = domains_[domain].queues->Candidate();
      }
      if (!id) break;
      if (JudgeOne(domain, *id, now, victim) == Verdict::kEvict) return true;
    }
  }
  return false;
}

// By how many entries each has: keys that share a hash tag may make one of them larger.
uint32_t EvictionDomains::RandomDomain(Random& random) const {
  if (domain_count_ == 1) return 0;
  std::array<size_t, kMaxDomains> residents;
  size_t all = 0;
  for (uint32_t i = 0; i < domain_count_; ++i) {
    residents[i] = domains_[i].residents.load(std::memory_order_relaxed);
    all += residents[i];
  }
  if (all == 0) return 0;
  size_t nth = random.Uniform(all);
  uint32_t domain = 0;
  while (nth >= residents[domain]) nth -= residents[domain++];
  return domain;
}

Verdict EvictionDomains::JudgeOne(uint32_t domain_index, KeyId id, UnixMillis now, Victim& victim) {
  Domain& domain = domains_[domain_index];
  Shard& shard = keyspace_.shard(ShardOf(domain_index, id));
  MutexLock shard_lock(shard.mu());
  // A change of policy may have begun since: then there are other queues, or none.
  if (shard.access_bits() != Shard::AccessBits::kQueues) return Verdict::kStale;
  int db = 0;
  Entry* entry = shard.FindLike(
      HashOf(id), static_cast<int>(IndexBits()), [](Entry& candidate) { return Knows(candidate); },
      db);
  if (entry != nullptr && shard.IsPinned(db, entry->key())) {
    // It leaves the queues until it may go again.
    OnErasing(shard, HashKeyText(entry->key()), *entry);
    return Verdict::kStays;
  }
  const EntryWorth worth = entry == nullptr ? EntryWorth{} : WorthOf(*entry, now);
  MutexLock lock(domain.mu);
  const Verdict verdict =
      domain.queues->Judge(id, entry == nullptr ? nullptr : &entry->queue_state(), worth);
  if (verdict == Verdict::kGone && domain.flushed > 0) --domain.flushed;
  domain.Publish();
  if (verdict == Verdict::kEvict) {
    victim = {.shard = shard.id(), .db = db, .key = std::string(entry->key())};
  }
  return verdict;
}

// ---- Changing the policy

void EvictionDomains::set_policy(EvictionPolicy policy) {
  if (wanted_.exchange(policy, std::memory_order_relaxed) == policy) return;
  changing_.store(true, std::memory_order_release);
}

bool EvictionDomains::Advance(UnixMillis now) {
  if (!changing()) return false;
  if (!change_mu_.TryLock()) return false;  // Another thread is at it.
  const MonoTime deadline = MonoNow() + kLongestAdvance;
  const bool renew = renewal_wanted_.exchange(false, std::memory_order_relaxed);
  const EvictionPolicy wanted = wanted_.load(std::memory_order_relaxed);
  if (renew || wanted != policy_) BeginChange(wanted);
  bool more = true;
  while (more && MonoNow() < deadline) more = StepChange(now);
  if (!more) {
    changing_.store(false, std::memory_order_relaxed);
    // What was asked for in the meantime must not be forgotten.
    more = wanted_.load(std::memory_order_relaxed) != policy_ ||
           renewal_wanted_.load(std::memory_order_relaxed);
    if (more) changing_.store(true, std::memory_order_relaxed);
  }
  change_mu_.Unlock();
  return more;
}

void EvictionDomains::BeginChange(EvictionPolicy policy) {
  policy_ = policy;
  const bool queues = UsesQueues(policy);
  for (uint32_t id = 0; id < keyspace_.shard_count(); ++id) {
    Shard& shard = keyspace_.shard(id);
    MutexLock lock(shard.mu());
    shard.set_access_bits(queues ? Shard::AccessBits::kUndecided : Shard::AccessBits::kClock,
                          nullptr);
  }
  volatile_only_ = EvictsOnlyVolatile(policy);
  for (uint32_t i = 0; i < domain_count_; ++i) {
    auto fresh = queues ? MakeEvictionQueues(QueuePolicyOf(policy), seed_ + i) : nullptr;
    Domain& domain = domains_[i];
    MutexLock lock(domain.mu);
    domain.sample = queues ? &fresh->sample() : nullptr;
    domain.queues.swap(fresh);
    domain.flushed = 0;
    domain.residents.store(0, std::memory_order_relaxed);
  }
  walk_ = {.shard = queues ? 0 : keyspace_.shard_count()};
}

bool EvictionDomains::StepChange(UnixMillis now) {
  if (walk_.shard == keyspace_.shard_count()) return false;
  Shard& shard = keyspace_.shard(walk_.shard);
  MutexLock lock(shard.mu());
  const bool begins = walk_.db == 0 && walk_.cursor == 0;
  if (begins || shard.database_swaps() != walk_.swaps) {
    walk_.swaps = shard.database_swaps();
    walk_.db = 0;
    walk_.cursor = 0;
  }
  if (WalkShard(shard, now)) return true;
  walk_.db = 0;
  walk_.cursor = 0;
  if (walk_.phase == Walk::Phase::kClear) {
    shard.set_access_bits(Shard::AccessBits::kQueues, this);
    walk_.phase = Walk::Phase::kEnter;
  } else {
    walk_.phase = Walk::Phase::kClear;
    ++walk_.shard;
  }
  return walk_.shard < keyspace_.shard_count();
}

bool EvictionDomains::WalkShard(Shard& shard, UnixMillis now) {
  const AccessClock clock({.policy = policy_}, now);
  size_t seen = 0;
  while (walk_.db < keyspace_.databases()) {
    walk_.cursor = shard.Scan(walk_.db, walk_.cursor, [&](Entry& entry) {
      ++seen;
      if (walk_.phase == Walk::Phase::kClear) {
        entry.set_access(clock.OfIdleSeconds(0));
      } else {
        shard.mu().AssertHeld();
        OnInserted(shard, HashKeyText(entry.key()), entry);
      }
    });
    if (walk_.cursor == 0) ++walk_.db;
    if (seen >= kEntriesAtOnce) return walk_.db < keyspace_.databases();
  }
  return false;
}

EvictionDomains::Figures EvictionDomains::figures() const {
  Figures figures;
  for (uint32_t i = 0; i < domain_count_; ++i) {
    MutexLock lock(domains_[i].mu);
    if (domains_[i].queues == nullptr) return {};
    figures.residents += domains_[i].queues->residents();
    figures.memory_bytes += domains_[i].queues->memory_bytes();
    if (i == 0) figures.rule = domains_[i].queues->rule_name();
  }
  return figures;
}

}  // namespace larder
