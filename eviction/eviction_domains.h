// Eviction by queues for a whole keyspace: which entries the policy knows, who goes next, and the
// change from one policy to another while the server runs.
//
// The keyspace is divided into a few domains, each with queues of its own. Few, since a policy
// chooses the better the more it sees; with many threads more than one, since whoever adds or
// removes a key locks its domain. A hit locks nothing, but for a sample of the keys.
//
// An entry's name in the queues (KeyId) is made of its shard's number within the domain and of
// those bits of its key's hash by which a table finds it: the fingerprint and the lowest ones.
//
// Entries that go with a whole table (FLUSHDB) leave their places behind; when most places are
// such, the queues are made anew. A policy that comes while there are entries clears what their
// access bits said, shard by shard and a few entries at a time, and then enters them into the
// queues in the same way. Until that has come to an end the queues do not know all entries.
//
// Concurrency: safe from any thread. Lock order: the lock of a change, then shards, then a
// domain's.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/random.h"
#include "eviction/eviction_policy.h"
#include "eviction/eviction_queues.h"
#include "eviction/victim_source.h"
#include "storage/keyspace.h"
#include "storage/resident_listener.h"

namespace larder {

class EvictionDomains final : public ResidentListener {
 public:
  // For so many threads that serve clients.
  EvictionDomains(Keyspace& keyspace, uint32_t threads, uint64_t seed);
  ~EvictionDomains() override;

  // The policy that is to hold; Advance() makes it so. Any locks may be held.
  void set_policy(EvictionPolicy policy);
  // Whether Advance() has something to do.
  bool changing() const { return changing_.load(std::memory_order_acquire); }
  // Goes on with a change for a fraction of a millisecond. True if there is more to do. REQUIRES:
  // the caller holds no shard's lock.
  bool Advance(UnixMillis now);

  // An entry was read or overwritten. REQUIRES: its shard is locked, and its access bits are those
  // of queues.
  void OnHit(const Shard& shard, uint64_t hash, Entry& entry);

  // Names the entry that goes next, which the queues have forgotten by then. False if they know of
  // none, or if what they know has gone. REQUIRES: the caller holds no shard's lock.
  bool Next(Random& random, UnixMillis now, Victim& victim);

  struct Figures {
    size_t residents = 0;     // Entries that the queues know.
    size_t memory_bytes = 0;  // Of queues, ghosts, miniatures.
    std::string_view rule;    // By which the first domain judges; empty without queues.
  };
  Figures figures() const;

  // ---- ResidentListener.
  void OnInserted(const Shard& shard, uint64_t hash, Entry& entry) override;
  void OnErasing(const Shard& shard, uint64_t hash, Entry& entry) override;
  void OnVolatilityChanged(const Shard& shard, uint64_t hash, Entry& entry) override;
  void OnFlushed(const Shard& shard, size_t entries, size_t volatile_entries) override;

 private:
  struct alignas(64) Domain {
    mutable Mutex mu;
    std::unique_ptr<EvictionQueues> queues ABSL_GUARDED_BY(mu);
    // Entries that went with a flushed table and whose places the queues have not met since.
    size_t flushed ABSL_GUARDED_BY(mu) = 0;
    // That of the queues. Changed only while no shard's bits are those of queues, and so readable
    // under the lock of a shard whose bits are.
    const SampleFilter* sample = nullptr;
    std::atomic<size_t> residents{0};  // As the queues had it last.

    void Publish() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
      residents.store(queues->residents(), std::memory_order_relaxed);
    }
  };
  // Where a walk over the entries of all shards stands.
  struct Walk {
    enum class Phase : uint8_t { kClear, kEnter };
    uint32_t shard = 0;
    Phase phase = Phase::kClear;
    int db = 0;
    uint64_t cursor = 0;
    uint32_t swaps = 0;  // Of the shard, when the phase began.
  };

  Domain& DomainOf(uint32_t shard) { return domains_[shard & (domain_count_ - 1)]; }
  uint32_t IndexBits() const { return kHashBits - shard_bits_; }
  KeyId IdOf(uint32_t shard, uint64_t hash) const;
  uint32_t ShardOf(uint32_t domain, KeyId id) const;
  uint64_t HashOf(KeyId id) const;

  uint32_t RandomDomain(Random& random) const;
  // One entry is looked at; `found` if it is to go.
  Verdict JudgeOne(uint32_t domain, KeyId id, UnixMillis now, Victim& victim);
  bool IsEligible(const Entry& entry) const { return !volatile_only_ || entry.has_expiry(); }
  void Enter(const Shard& shard, uint64_t hash, Entry& entry);

  void BeginChange(EvictionPolicy policy) ABSL_EXCLUSIVE_LOCKS_REQUIRED(change_mu_);
  // A few entries; true if there is more to do.
  bool StepChange(UnixMillis now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(change_mu_);
  bool WalkShard(Shard& shard, UnixMillis now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(change_mu_, shard.mu());

  // Of a KeyId: bits that are the shard's or the lowest of a hash. The others are the fingerprint.
  static constexpr uint32_t kHashBits = 24;

  Keyspace& keyspace_;
  const uint64_t seed_;
  const uint32_t domain_count_;  // A power of two.
  const uint32_t domain_bits_;
  const uint32_t shard_bits_;  // By which a domain tells its shards apart.
  const std::unique_ptr<Domain[]> domains_;
  bool volatile_only_ = false;  // As Domain::sample.

  std::atomic<EvictionPolicy> wanted_{EvictionPolicy::kNoEviction};
  std::atomic<bool> renewal_wanted_{false};  // Most places are of entries that have gone.
  std::atomic<bool> changing_{false};
  Mutex change_mu_;  // Before any shard's.
  EvictionPolicy policy_ ABSL_GUARDED_BY(change_mu_) = EvictionPolicy::kNoEviction;
  Walk walk_ ABSL_GUARDED_BY(change_mu_);
};

}  // namespace larder
