// What the server does when keys change, expire or are watched: the observer of every shard.
//
// Concurrency: the watch tables are shard-guarded, one a shard. BindThread is called by each worker
// on its own thread; what a change queues goes to the worker whose thread made it.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "commands/command_context.h"
#include "commands/thread_counters.h"
#include "commands/watch_table.h"
#include "storage/shard.h"

namespace larder {

class TrackingTable;

class ShardHooks : public ShardObserver {
 public:
  explicit ShardHooks(uint32_t shards) : watches_(shards) {}

  // Once, before any shard is used.
  void set_tracking(TrackingTable* tracking) { tracking_ = tracking; }

  // Where this thread's expired keys are counted and announced; nulls before the thread ends.
  void BindThread(std::vector<KeyspaceEvent>* events, ThreadCounters* counters);

  // REQUIRES: the shard's lock is held, as for all that follows.
  WatchTable& watches(uint32_t shard_id) { return watches_[shard_id]; }
  bool WantsChanges(uint32_t shard_id) const;

  void OnKeyChanging(Shard& shard, int db, std::string_view key) override;
  void OnKeyExpired(Shard& shard, int db, std::string_view key) override;

 private:
  std::vector<WatchTable> watches_;
  TrackingTable* tracking_ = nullptr;
};

}  // namespace larder
