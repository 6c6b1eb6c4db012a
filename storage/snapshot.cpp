#include "storage/snapshot.h"

#include "absl/status/status.h"
#include "base/mutex.h"

namespace larder {

Snapshot::Snapshot(Keyspace& keyspace)
    : keyspace_(keyspace), seen_(keyspace.shard_count()), left_(keyspace.shard_count()) {}

// The analysis cannot follow a loop that takes many locks.
absl::StatusOr<std::unique_ptr<Snapshot>> Snapshot::Begin(Keyspace& keyspace, SnapshotSink& sink,
                                                          absl::FunctionRef<void()> at_begin)
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (keyspace.snapshot_active_.exchange(true)) {
    return absl::FailedPreconditionError("a snapshot is under way already");
  }
  std::unique_ptr<Snapshot> snapshot(new Snapshot(keyspace));
  for (uint32_t id = 0; id < keyspace.shard_count(); ++id) keyspace.shard(id).mu().Lock();
  for (uint32_t id = 0; id < keyspace.shard_count(); ++id) keyspace.shard(id).BeginSnapshot(&sink);
  at_begin();
  for (uint32_t id = keyspace.shard_count(); id-- > 0;) keyspace.shard(id).mu().Unlock();
  return snapshot;
}

Snapshot::~Snapshot() {
  for (uint32_t id = 0; id < keyspace_.shard_count(); ++id) {
    Shard& shard = keyspace_.shard(id);
    MutexLock lock(shard.mu());
    shard.EndSnapshot();
  }
  keyspace_.snapshot_active_.store(false);
}

bool Snapshot::Step(uint32_t shard_id, size_t max_buckets) {
  if (seen_[shard_id]) return true;
  Shard& shard = keyspace_.shard(shard_id);
  MutexLock lock(shard.mu());
  if (!shard.StepSnapshot(max_buckets)) return false;
  shard.EndSnapshot();
  seen_[shard_id] = true;
  --left_;
  return true;
}

}  // namespace larder
