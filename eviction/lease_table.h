// Who is loading which keys of one shard: the leases of stampede protection. A lease is the right
// to load one key; there is at most one a key, and what its holder stores counts only as long as
// nothing else has happened to the key. Leases as in "Scaling Memcache at Facebook" (Nishtala et
// al., NSDI 2013), with deadlines, and with waiters, whom the layers above keep.
//
// A record exists only while a lease is out, or while nobody is to be elected: after a failure, or
// because the origin has no such thing.
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
  bool follows_connection = false;  // Ends when the holder's connection does.
  // Set once, by whoever ends it before its deadline. Orders nothing.
  std::atomic<bool> ended{false};

  bool LiveAt(MonoTime now) const {
    return now < deadline && !ended.load(std::memory_order_relaxed);
  }
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
    MonoTime until{};              // Then the record ends by itself.
    bool wake_set = false;         // Somebody sees to it that those who wait hear of `until`.
    std::shared_ptr<StampedeFigures> figures;  // Where it counts. Null: nowhere.
  };

  // `budget` outlives this.
  LeaseTable(uint32_t shard, LeaseBudget& budget) : shard_(shard), budget_(budget) {}
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
    std::shared_ptr<StampedeFigures> figures;
  };
  // Null if there are as many records as there may be. REQUIRES: Find finds nothing.
  std::shared_ptr<Lease> Grant(int db, std::string_view key, Terms terms, MonoTime now);
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
  void Hold(int db, std::string_view key, MonoTime until, bool is_negative);

  // Something else has happened to the key: what was known is void. False if nothing was.
  bool Void(int db, std::string_view key);
  void VoidDatabase(int db);
  // Drops what has ended by itself.
  void Sweep(MonoTime now);

 private:
  using Records = TextMap<Record>;  // By DatabaseKey.

  bool HasRoom() const {
    return budget_.used.load(std::memory_order_relaxed) <
           budget_.most.load(std::memory_order_relaxed);
  }
  Records::iterator FindLease(int db, std::string_view key, uint64_t number, MonoTime now);
  void Insert(int db, std::string_view key, Record record);
  void End(Records::iterator record);
  // At its own time, or because its holder is gone.
  void Expire(Records::iterator record);

  const uint32_t shard_;
  LeaseBudget& budget_;
  uint64_t last_number_ = 0;
  Records records_;
};

}  // namespace larder
