#include "commands/watch.h"

#include <memory>
#include <utility>

#include "commands/services.h"
#include "commands/transaction.h"
#include "commands/watch_table.h"

namespace larder {
namespace {

bool IsWatching(const WatchState& watch, int db, std::string_view key) {
  for (const WatchedKey& watched : watch.keys) {
    if (watched.db == db && watched.key == key) return true;
  }
  return false;
}

}  // namespace

void Watch(Client& client, int db, std::string_view key, Shard& shard, Services& services) {
  if (client.watch == nullptr) {
    client.watch = std::make_unique<WatchState>();
    client.watch->flag = std::make_shared<WatchFlag>();
  }
  WatchState& watch = *client.watch;
  if (IsWatching(watch, db, key)) return;
  watch.keys.push_back({.db = db, .key = std::string(key)});
  watch.name_bytes += key.size();
  services.watches(shard.id()).Add(db, key, watch.flag);
  services.UpdateObserved(shard.id());
}

void UnwatchAll(Client& client, Keyspace& keyspace, Services& services) {
  if (client.watch == nullptr) return;
  const std::unique_ptr<WatchState> watch = std::move(client.watch);
  for (const WatchedKey& watched : watch->keys) {
    Shard& shard = keyspace.shard(keyspace.ShardOf(KeySlot(watched.key)));
    MutexLock lock(shard.mu());
    services.watches(shard.id()).Remove(watched.db, watched.key, watch->flag);
    services.UpdateObserved(shard.id());
  }
}

void DiscardTransaction(Client& client, Keyspace& keyspace, Services& services) {
  client.transaction.reset();
  client.Set(kClientMulti | kClientDirtyExec, false);
  UnwatchAll(client, keyspace, services);
}

}  // namespace larder
