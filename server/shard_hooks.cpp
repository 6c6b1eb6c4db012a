#include "server/shard_hooks.h"

#include "server/tracking_table.h"

namespace larder {
namespace {

// Of the thread that is running; null on threads that serve no clients.
thread_local std::vector<KeyspaceEvent>* thread_events = nullptr;
thread_local ThreadCounters* thread_counters = nullptr;

}  // namespace

void ShardHooks::BindThread(std::vector<KeyspaceEvent>* events, ThreadCounters* counters) {
  thread_events = events;
  thread_counters = counters;
}

bool ShardHooks::WantsChanges(uint32_t shard_id) const {
  return !watches_[shard_id].empty() || (tracking_ != nullptr && tracking_->Wants(shard_id));
}

void ShardHooks::OnKeyChanging(Shard& shard, int db, std::string_view key) {
  watches_[shard.id()].OnKeyChanging(db, key);
  if (tracking_ != nullptr) tracking_->OnKeyChanging(shard, db, key);
}

void ShardHooks::OnKeyExpired(Shard& /*shard*/, int db, std::string_view key) {
  if (thread_counters != nullptr) thread_counters->expired_keys.Increment();
  if (thread_events != nullptr) {
    thread_events->push_back({kNotifyExpired, "expired", db, std::string(key)});
  }
}

}  // namespace larder
