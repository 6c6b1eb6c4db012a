// The state of a keyspace at one instant, walked while it goes on changing: no fork, no stall.
//
// Begin takes all shard locks for a moment and marks every table. From then on whoever is about to
// change a bucket that the walk has not reached hands over its old content first (Shard does that
// by itself), so each key reaches the sink exactly once, as it was at Begin. What a snapshot costs
// in memory is what its sink keeps, and flushed tables that are still to be walked.
//
// Concurrency: Step, done and the destructor by one thread at a time, without any shard's lock. The
// sink is called with a shard's lock held, on the thread that steps or writes: calls for one shard
// come one after another, calls for different shards at the same time.
//
//   LARDER_ASSIGN_OR_RETURN(auto snapshot, Snapshot::Begin(keyspace, sink));
//   for (uint32_t shard = 0; shard < keyspace.shard_count(); ++shard) {
//     while (!snapshot->Step(shard, 16)) { ... send what the sink holds ... }
//   }
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "storage/entry.h"
#include "storage/keyspace.h"

namespace larder {

class SnapshotSink {
 public:
  virtual ~SnapshotSink() = default;
  // `db` is the database's number at Begin. Copy the entry or share its blob: it is valid only
  // during the call. Keys past their expiry that were not removed yet come too.
  virtual void OnEntry(uint32_t shard, int db, const Entry& entry) = 0;
};

class Snapshot {
 public:
  // `at_begin` runs while all shards are locked, to note what belongs to the same instant (a
  // replication offset). kFailedPrecondition if the keyspace has a snapshot already.
  static absl::StatusOr<std::unique_ptr<Snapshot>> Begin(
      Keyspace& keyspace, SnapshotSink& sink, absl::FunctionRef<void()> at_begin = [] {});
  // Ends it. If it was not done, some entries never reach the sink.
  ~Snapshot();
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  // Walks up to `max_buckets` buckets of one shard. True once all of the shard has been seen.
  bool Step(uint32_t shard, size_t max_buckets);
  // All shards have been seen.
  bool done() const { return left_ == 0; }

 private:
  explicit Snapshot(Keyspace& keyspace);

  Keyspace& keyspace_;
  std::vector<bool> seen_;  // By shard.
  uint32_t left_;           // How many are not.
};

}  // namespace larder
