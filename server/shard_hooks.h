// What the server does when keys change, expire or are watched: the observer of every shard.
//
// Concurrency: the watch tables are shard-guarded, one a shard. BindThread is called by each worker
// on its own thread; what a change queues goes to the worker whose thread made it.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "commands/command_context.h"
#include "commands/thread_counters.h"
#include "commands/watch_table.h"
#include "eviction/lease_table.h"
#include "server/wait_table.h"
#include "storage/shard.h"
#include "storage/tags.h"

namespace larder {

class ClientRegistry;
class TrackingTable;

// A key that has changed and that somebody waits for.
struct ReadyKey {
  uint32_t shard;
  int db;
  std::string text;

  friend bool operator==(const ReadyKey&, const ReadyKey&) = default;
};

class ShardHooks : public ShardObserver, public TurnListener {
 public:
  explicit ShardHooks(uint32_t shards);

  // Clients that wait for a key, of whatever kind; safe from any thread.
  std::atomic<int64_t>& waiting() { return waiting_; }
  const std::atomic<int64_t>& waiting() const { return waiting_; }

  // Once, before any shard is used.
  void set_tracking(TrackingTable* tracking) { tracking_ = tracking; }
  // The same. While it pauses clients, nothing expires.
  void set_clients(const ClientRegistry* clients) { clients_ = clients; }

  // Where this thread's expired keys are announced and counted, and where keys are noted that
  // somebody waits for; nulls before the thread ends.
  void BindThread(std::vector<KeyspaceEvent>* events, std::vector<ReadyKey>* ready,
                  ThreadCounters* counters);

  // Of all shards; safe from any thread.
  TagTable& tags() { return tags_; }
  // How many leases there are, and may be; safe from any thread.
  LeaseBudget& lease_budget() { return lease_budget_; }

  // REQUIRES: the shard's lock is held, as for all that follows.
  WatchTable& watches(uint32_t shard_id) { return watches_[shard_id]; }
  WaitTable& waits(uint32_t shard_id) { return waits_[shard_id]; }
  LeaseTable& leases(uint32_t shard_id) { return leases_[shard_id]; }
  // All keys of the database that somebody waits for have changed.
  void WakeWaiters(uint32_t shard_id, int db);
  // There is news for those who wait for this key, if there are any.
  void WakeWaitersOf(uint32_t shard_id, int db, std::string_view key);
  bool WantsChanges(uint32_t shard_id) const;
  // The client no longer waits for the key.
  void RemoveWaiter(const Waiter& waiter, const Waiter::Key& key);

  void OnKeyChanging(Shard& shard, int db, std::string_view key, KeyChange change) override;
  void OnKeyExpired(Shard& shard, int db, std::string_view key) override;
  void OnFieldsExpired(Shard& shard, int db, std::string_view key, size_t fields,
                       bool key_removed) override;
  bool HoldsExpired() const override;
  // Safe with any shard's lock held, and with none.
  void OnTurn(const LeaseCap::WaitingKey& key) override;

 private:
  std::vector<WatchTable> watches_;
  std::vector<WaitTable> waits_;
  std::atomic<int64_t> waiting_{0};  // Orders nothing.
  TagTable tags_;  // Before what may be tagged. The keyspace goes before the hooks.
  LeaseBudget lease_budget_;
  std::deque<LeaseTable> leases_;  // They do not move.
  TrackingTable* tracking_ = nullptr;
  const ClientRegistry* clients_ = nullptr;
};

}  // namespace larder
