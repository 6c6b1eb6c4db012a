// Who is loading which keys of one shard: the leases of stampede protection. A lease is the right
// to load one key; there is at most one a key, and what its holder stores counts only as long as
// nothing else has happened to the key. Leases as in "Scaling Memcache at Facebook" (Nishtala et
// al., NSDI 2013), with deadlines, and with waiters, whom the layers above keep.
//
// A record exists only while a lease is out, or while nobody is to be elected: after a failure,
// because the origin has no such thing, or because its rule has as many leases out as it may and
// the key is in line for one.
//
// Concurrency: shard-guarded, but for Lease::LiveAt, which is safe from any thread, and the budget.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/text.h"
#include "eviction/lease_cap.h"
#include "storage/tags.h"

namespace larder {

class StampedeFigures;  // eviction/stampede_figures.h

// One lease, as its holder's connection knows it too.
struct Lease {
  uint32_t shard = 0;
  int db = 0;
  std::string key;
  uint64_t number = 0;  // Of this shard, never 0, never used again.
  uint64_t holder = 0;  // A client's id.
  MonoTime granted_at{};
  MonoTime deadline{};
  // Of tags (storage/tags.h), when it was granted: invalidations up to this one were before.
  uint64_t after_invalidation = 0;
  bool follows_connection = false;  // Ends when the holder's connection does.
  // Set once, by whoever ends it before its deadline. Orders nothing.
  std::atomic<bool> ended{false};

  bool LiveAt(MonoTime now) const {
    return now < deadline && !ended.load(std::memory_order_relaxed);
  }
};

// Told whose turn it is to be loaded (eviction/lease_cap.h), with the lock of any shard held: who
// waits for that key is to ask again.
class TurnListener {
 public:
  virtual ~TurnListener() = default;
  virtual void OnTurn(const LeaseCap::WaitingKey& key) = 0;
};

// How many records all shards may have together, and have.
struct LeaseBudget {
  std::atomic<int64_t> most{0};
  std::atomic<int64_t> used{0};
};

class LeaseTable {
 public:
  struct Record {
    std::shared_ptr<Lease> lease;  // Null: nobody is elected until `until`,
    bool is_negative = false;      // because the origin has no such thing, or else is out of order.
    MonoTime until{};              // Then the record ends by itself,
    TagStampPtr tags = nullptr;    // or when one of these is invalidated. Null: there are none.
    bool wake_set = false;         // Somebody sees to it that those who wait hear of `until`.
    std::shared_ptr<StampedeFigures> figures;  // Where it counts. Null: nowhere.
    std::shared_ptr<LeaseCap> cap;             // Where the lease or the ticket is from, if any.
    std::optional<LeaseCap::Ticket> ticket;    // There is no lease: the key is in line for one.
  };

  // `budget` and `listener` outlive this. Without a listener, nobody hears of turns.
  LeaseTable(uint32_t shard, LeaseBudget& budget, TurnListener* listener = nullptr)
      : shard_(shard), budget_(budget), listener_(listener) {}
  ~LeaseTable();
  LeaseTable(const LeaseTable&) = delete;
  LeaseTable& operator=(const LeaseTable&) = delete;

  bool empty() const { return records_.empty(); }
  size_t size() const { return records_.size(); }

  // What is known at `now`; null if nothing is. Valid until the next call of another method.
  Record* Find(int db, std::string_view key, MonoTime now);

  struct Terms {
    uint64_t holder = 0;
    std::chrono::milliseconds duration{};
    bool follows_connection = false;
    uint64_t after_invalidation = 0;
    std::shared_ptr<StampedeFigures> figures;
    std::shared_ptr<LeaseCap> cap = nullptr;  // Of the key's rule. Null: it has none.
    bool gets_in_line = false;  // If the cap has no place: somebody is going to wait for it.
  };
  // Without a lease, the cap has held it back, or there are as many records as there may be.
  struct Election {
    std::shared_ptr<Lease> lease;
    bool held_back = false;
  };
  // REQUIRES: Find finds nothing, or a key in line, and the caller is the first who waits for it.
  Election Grant(int db, std::string_view key, Terms terms, MonoTime now);
  // Ends the lease of this number: what its holder has loaded may be stored, and took so long to
  // load. Nothing if it is not the current one.
  std::optional<std::chrono::nanoseconds> Fill(int db, std::string_view key, uint64_t number,
                                               MonoTime now);
  // Ends the lease without a value. False if it is not the current one.
  bool Release(int db, std::string_view key, uint64_t number, MonoTime now);

  // Its holder is gone. False if it has ended before.
  bool Lose(const Lease& lease, MonoTime now);

  // Nobody is elected until then. Does nothing if there are too many records. REQUIRES: Find finds
  // nothing.
  void Hold(int db, std::string_view key, MonoTime until);
  // The same because the origin has no such thing, as long as none of `tags` is invalidated.
  void HoldNegative(int db, std::string_view key, MonoTime until, TagStampPtr tags);

  // Something else has happened to the key: what was known is void. False if nothing was.
  bool Void(int db, std::string_view key);
  void VoidDatabase(int db);
  // Drops what has ended by itself.
  void Sweep(MonoTime now);

  // Nobody waits for the key any more: it need not be in line.
  void LeaveLine(int db, std::string_view key);
  // The key leaves the line if it was its turn and nobody has taken it. False if that is not so.
  bool PassTurn(int db, std::string_view key);

 private:
  using Records = TextMap<Record>;  // By DatabaseKey.

  bool HasRoom() const {
    return budget_.used.load(std::memory_order_relaxed) <
           budget_.most.load(std::memory_order_relaxed);
  }
  static bool HasEnded(const Record& record, MonoTime now);
  Records::iterator FindInLine(int db, std::string_view key);
  Records::iterator FindLease(int db, std::string_view key, uint64_t number, MonoTime now);
  void Insert(int db, std::string_view key, Record record);
  void End(Records::iterator record);
  // At its own time, or because its holder is gone.
  void Expire(Records::iterator record);

  const uint32_t shard_;
  LeaseBudget& budget_;
  TurnListener* const listener_;
  uint64_t last_number_ = 0;
  Records records_;
};

}  // namespace larder
