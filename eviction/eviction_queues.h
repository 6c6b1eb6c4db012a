// The policies that decide by order of arrival and by hits, not by a clock: plain FIFO, S3-FIFO and
// the adaptive one. They are independent of what is stored, so that the server and the simulator
// (benchmarks/eviction) run the same code.
//
// A cache domain (a part of the keyspace, or all of it) owns one EvictionQueues. Entries keep four
// bits for it, and are named by 32 bits of their key's hash: queues hold nothing else, so entries
// may move in memory and lie behind other locks than the queues. A hit is a counter in the entry
// and does not touch the queues at all, but for a sample of the keys.
//
// Concurrency: guarded by the domain's mutex, but for sample(), which any thread may read without.
// Whoever passes an entry's state holds what guards the entry besides; entries lock before domains.
// Between Candidate() and Judge() the domain may be unlocked, to lock the entry first.
//
//   auto queues = MakeEvictionQueues(QueuePolicy::kAdaptive, seed);
//   queues->OnInsert(id, entry.state, bytes);                     // a key is new
//   QueueState(entry.state).AddHit();                             // it was read or overwritten
//   if (queues->sample().Includes(id)) queues->Observe(id, bytes);
//   queues->OnErase(id, entry.state);                             // it is about to go
//   while (too_full) {
//     const std::optional<KeyId> id = queues->Candidate();
//     ... find the entry
//     if (queues->Judge(*id, &entry.state, worth) == Verdict::kEvict) ... erase it
//   }
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/functional/function_ref.h"

namespace larder {

// By what a domain finds an entry again: bits of the key's hash, or of its place in the table and
// its hash. Two keys may share one by chance; each has a place of its own in the queues, and which
// of them goes first is left to whoever finds one.
using KeyId = uint32_t;

// The low four bits of a byte that an entry keeps for its domain; the others are its owner's and
// stay as they are. Zero, as entries are created: no queue knows the entry.
class QueueState {
 public:
  enum class Queue : uint8_t { kNone, kWindow, kMain };
  static constexpr uint8_t kMaxHits = 3;

  explicit QueueState(uint8_t& bits) : bits_(bits) {}

  uint8_t hits() const { return bits_ & kHitsMask; }
  // Writes only what changes: most hits are those of keys that had many.
  void AddHit() {
    if (hits() < kMaxHits) ++bits_;
  }
  void set_hits(uint8_t hits) { bits_ = static_cast<uint8_t>((bits_ & ~kHitsMask) | hits); }

  Queue queue() const { return static_cast<Queue>((bits_ & kQueueMask) >> kQueueShift); }
  void set_queue(Queue queue) {
    bits_ = static_cast<uint8_t>((bits_ & ~kQueueMask) | static_cast<int>(queue) << kQueueShift);
  }

  void Reset() { bits_ = static_cast<uint8_t>(bits_ & ~(kHitsMask | kQueueMask)); }

 private:
  static constexpr uint8_t kHitsMask = 0b0011;
  static constexpr uint8_t kQueueMask = 0b1100;
  static constexpr int kQueueShift = 2;

  uint8_t& bits_;
};

// Which keys a policy wants to see each request of, beside those that come in: every key, one in a
// power of two, or none. Every hit asks, hence a multiplication and a comparison.
//
// Concurrency: changed under the domain's mutex; Includes() may be asked by any thread without it,
// and then answers for a moment just past. Nothing is ordered by it.
class SampleFilter {
 public:
  // Includes nothing.
  SampleFilter() = default;
  explicit SampleFilter(KeyId seed) : seed_(seed) {}

  bool Includes(KeyId id) const {
    // The upper bits of the product depend on all bits of the id.
    return (id ^ seed_) * kFactor < limit_.load(std::memory_order_relaxed);
  }

  // One key in 2^shift. A larger shift includes a part of the same keys.
  void IncludeOneIn(int shift) { limit_.store(kAll >> shift, std::memory_order_relaxed); }

 private:
  static constexpr uint32_t kFactor = 0x9e3779b1;  // Odd, and near 2^32 over the golden ratio.
  static constexpr uint32_t kAll = ~uint32_t{0};

  const KeyId seed_ = 0;
  std::atomic<uint32_t> limit_ = 0;
};

// What an entry is worth keeping for, as far as its owner knows.
struct EntryWorth {
  size_t bytes = 0;     // 0: not known.
  int64_t ttl_ms = -1;  // What is left of it; -1: it does not expire.
  int64_t now_ms = 0;   // By any clock; 0: not known, and then no TTL counts.
};

enum class Verdict : uint8_t {
  kStale,  // Not the candidate any more, another thread was faster: ask for the next.
  kGone,   // There was no such entry: its place has been dropped.
  kStays,  // It has moved to another place.
  kEvict,  // It is forgotten: erase it.
};

class EvictionQueues {
 public:
  virtual ~EvictionQueues() = default;

  // A key has come, or the queues are to know one that has long been there; either counts as a
  // request for it. REQUIRES: the queues do not know the entry; what `state` says of it is reset.
  virtual void OnInsert(KeyId id, uint8_t& state, size_t bytes) = 0;
  // An entry was read or overwritten. Only for keys that sample() includes; others are passed over.
  virtual void Observe(KeyId id, size_t bytes) = 0;
  // An entry is going: deleted, expired or overwritten by another. Does nothing for one that the
  // queues do not know, as one that Judge() gave up, so that a domain may call it for all alike.
  virtual void OnErase(KeyId id, uint8_t& state) = 0;
  // Nobody will ask any more for keys of which is_unwanted(id) is true, and none is an entry: what
  // is remembered of them may go. For models, which see fewer and fewer keys.
  virtual void ForgetIf(absl::FunctionRef<bool(KeyId)> is_unwanted) = 0;

  // Who would go next; nothing if the queues know no entry.
  virtual std::optional<KeyId> Candidate() = 0;
  // Decides about the candidate; `state` is null if there is no such entry. Between two calls that
  // say kEvict there is a bounded number that say kStays.
  virtual Verdict Judge(KeyId id, uint8_t* state, const EntryWorth& worth) = 0;

  // All entries have gone, or their states are zero and they are to be inserted anew. What was
  // learnt about the load stays.
  virtual void Clear() = 0;

  virtual const SampleFilter& sample() const = 0;
  // Entries that the queues know.
  virtual size_t residents() const = 0;
  // Everything allocated here; the state bits in entries are not.
  virtual size_t memory_bytes() const = 0;
  // By what rule candidates are judged at present, for those who watch the server.
  virtual std::string_view rule_name() const = 0;
};

enum class QueuePolicy : uint8_t { kFifo, kS3Fifo, kAdaptive };

std::string_view NameOf(QueuePolicy policy);

// The same seed and the same events give the same victims.
std::unique_ptr<EvictionQueues> MakeEvictionQueues(QueuePolicy policy, uint64_t seed);

}  // namespace larder
