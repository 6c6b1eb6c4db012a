#include "server/shard_hooks.h"

#include "base/clock.h"
#include "server/client_directory.h"
#include "server/tracking_table.h"

namespace larder {
namespace {

// Of the thread that is running; null on threads that serve no clients.
thread_local std::vector<KeyspaceEvent>* thread_events = nullptr;
thread_local std::vector<ReadyKey>* thread_ready = nullptr;
thread_local ThreadCounters* thread_counters = nullptr;

void NoteReady(uint32_t shard_id, int db, std::string_view key) {
  if (thread_ready == nullptr) return;
  ReadyKey ready{shard_id, db, std::string(key)};
  // A command that changes a key often is one change.
  if (thread_ready->empty() || thread_ready->back() != ready) {
    thread_ready->push_back(std::move(ready));
  }
}

}  // namespace

ShardHooks::ShardHooks(uint32_t shards) : watches_(shards), waits_(shards) {
  for (uint32_t id = 0; id < shards; ++id) leases_.emplace_back(id, lease_budget_, this);
}

void ShardHooks::BindThread(std::vector<KeyspaceEvent>* events, std::vector<ReadyKey>* ready,
                            ThreadCounters* counters) {
  thread_events = events;
  thread_ready = ready;
  thread_counters = counters;
}

bool ShardHooks::WantsChanges(uint32_t shard_id) const {
  return !watches_[shard_id].empty() || !waits_[shard_id].empty() || !leases_[shard_id].empty() ||
         (tracking_ != nullptr && tracking_->Wants(shard_id));
}

void ShardHooks::WakeWaiters(uint32_t shard_id, int db) {
  waits_[shard_id].ForEachKey(db, [&](std::string_view key) { NoteReady(shard_id, db, key); });
}

void ShardHooks::WakeWaitersOf(uint32_t shard_id, int db, std::string_view key) {
  if (waits_[shard_id].Find(db, key) != nullptr) [[unlikely]]
    NoteReady(shard_id, db, key);
}

void ShardHooks::RemoveWaiter(const Waiter& waiter, const Waiter::Key& key) {
  waits_[key.shard].Remove(waiter, key);
  LeaseTable& leases = leases_[key.shard];
  if (leases.empty() || waits_[key.shard].Find(waiter.client.db, key.text) != nullptr) return;
  leases.LeaveLine(waiter.client.db, key.text);
}

void ShardHooks::OnTurn(const LeaseCap::WaitingKey& key) { NoteReady(key.shard, key.db, key.key); }

void ShardHooks::OnKeyChanging(Shard& shard, int db, std::string_view key, KeyChange change) {
  // What ends a value by itself makes nothing untrue that somebody is loading.
  if (change == KeyChange::kWritten && leases_[shard.id()].Void(db, key)) [[unlikely]] {
    shard.mu().AssertHeld();
    shard.set_observed(WantsChanges(shard.id()));
  }
  WakeWaitersOf(shard.id(), db, key);
  watches_[shard.id()].OnKeyChanging(db, key);
  if (tracking_ != nullptr) tracking_->OnKeyChanging(shard, db, key);
}

void ShardHooks::OnKeyExpired(Shard& /*shard*/, int db, std::string_view key) {
  if (thread_counters != nullptr) thread_counters->expired_keys.Increment();
  if (thread_events != nullptr) {
    thread_events->push_back({kNotifyExpired, "expired", db, std::string(key)});
  }
}

void ShardHooks::OnFieldsExpired(Shard& /*shard*/, int db, std::string_view key, size_t fields,
                                 bool key_removed) {
  if (thread_counters != nullptr) {
    thread_counters->expired_fields.Add(static_cast<int64_t>(fields));
  }
  if (thread_events == nullptr) return;
  thread_events->push_back({kNotifyHash, "hexpired", db, std::string(key)});
  if (key_removed) thread_events->push_back({kNotifyGeneric, "del", db, std::string(key)});
}

bool ShardHooks::HoldsExpired() const {
  return clients_ != nullptr && clients_->MayBePaused() && clients_->Paused(MonoNow());
}

}  // namespace larder
