// The policies that decide by order of arrival and by hits, not by a clock: plain FIFO, S3-FIFO and
// the adaptive one. They are independent of what is stored, so that the server and the simulator
// (benchmarks/eviction) run the same code.
//
// A cache domain (a shard, or a group of them) owns one EvictionQueues. It keeps eight bits for the
// policy in each entry, and finds an entry again by 32 bits of its key's hash: queues hold nothing
// else, so entries may move in memory, and deleting one leaves its place in a queue to be dropped
// later.
//
// Concurrency: thread-confined, or guarded by whatever guards the domain.
//
//   auto queues = MakeEvictionQueues(QueuePolicy::kAdaptive, seed);
//   queues->OnInsert(id, entry_state, domain);            // a key is new
//   queues->OnHit(id, entry_state);                       // it was asked for, or overwritten
//   while (too_full) Evict(*queues->PickVictim(domain));
//   queues->OnErase(id, entry_state);                     // it is about to go, for any reason
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace larder {

// By what a domain finds an entry again: bits of the key's hash, or of its place in the table and
// its hash. Two keys may share one by chance; the policy takes them for the same key.
using KeyId = uint32_t;

// The eight bits that an entry keeps for its policy. Zero, as entries are created: no queue knows
// the entry.
class QueueState {
 public:
  enum class Queue : uint8_t { kNone, kWindow, kMain };
  static constexpr uint8_t kMaxHits = 3;

  explicit QueueState(uint8_t& bits) : bits_(bits) {}

  uint8_t hits() const { return bits_ & kHitsMask; }
  void AddHit() {
    if (hits() < kMaxHits) ++bits_;
  }
  void set_hits(uint8_t hits) { bits_ = static_cast<uint8_t>((bits_ & ~kHitsMask) | hits); }

  Queue queue() const { return static_cast<Queue>((bits_ & kQueueMask) >> kQueueShift); }
  void set_queue(Queue queue) {
    bits_ = static_cast<uint8_t>((bits_ & ~kQueueMask) | static_cast<int>(queue) << kQueueShift);
  }

  // Whether the current sweep over its queue has met the entry's place (see PlaceQueue).
  bool mark() const { return (bits_ & kMark) != 0; }
  void set_mark(bool mark) { bits_ = static_cast<uint8_t>((bits_ & ~kMark) | (mark ? kMark : 0)); }

  void Reset() { bits_ = 0; }

 private:
  static constexpr uint8_t kHitsMask = 0b0'0011;
  static constexpr uint8_t kQueueMask = 0b0'1100;
  static constexpr int kQueueShift = 2;
  static constexpr uint8_t kMark = 0b1'0000;

  uint8_t& bits_;
};

// What a policy may ask its domain for.
class Residents {
 public:
  virtual ~Residents() = default;
  // The state of the entry, null if there is none (any more). Valid until the domain changes.
  virtual uint8_t* Find(KeyId id) = 0;
};

class EvictionQueues {
 public:
  virtual ~EvictionQueues() = default;

  // A key has come. `state` is the entry's, which is reset.
  virtual void OnInsert(KeyId id, uint8_t& state, Residents& residents) = 0;
  // An entry was read or overwritten.
  virtual void OnHit(KeyId id, uint8_t& state) = 0;
  // An entry is going: deleted, expired or flushed. Its place in a queue is dropped later. Does
  // nothing for one that PickVictim named, so that a domain may call it for all alike.
  virtual void OnErase(KeyId id, uint8_t& state) = 0;
  // Names the entry to evict, and forgets it: the domain erases it next. Nothing if no entry is
  // left that the queues know. Amortised constant time, and bounded for a single call but for
  // places whose entries have gone.
  virtual std::optional<KeyId> PickVictim(Residents& residents) = 0;

  // Entries that the queues know.
  virtual size_t residents() const = 0;
  // Everything allocated here; the state bits in entries are not.
  virtual size_t memory_bytes() const = 0;
};

enum class QueuePolicy : uint8_t { kFifo, kS3Fifo, kAdaptive };

std::string_view NameOf(QueuePolicy policy);

// The same seed and the same events give the same victims.
std::unique_ptr<EvictionQueues> MakeEvictionQueues(QueuePolicy policy, uint64_t seed);

}  // namespace larder
