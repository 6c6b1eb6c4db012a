// Client-side caching: who has read which keys, and has to be told when they change.
//
// For a client in the default mode, each key that it reads is remembered in its shard's table until
// the key changes for the first time. A broadcasting client (BCAST) is told of every change of a
// key with one of its prefixes; nothing is remembered for it. While no client tracks anything, a
// change costs nothing, for its shard is not observed, and a read costs one test of the client's
// flags.
//
// An invalidation cannot overtake the reply that it is about: reply and remembering happen under
// the shard's lock, and what another thread delivers is written behind the batch that is running.
// For a change by the client itself it is held back until its command has replied, and broadcasts
// are held back to the end of the batch, as Redis does it.
//
// Concurrency: the tables are shard-guarded, one a shard; what is common has a mutex of its own.
// Lock order: shards, mu_, then the locks of the registry and its hosts. What is held back is the
// running thread's (server/thread_tracking.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "base/mutex.h"
#include "base/text.h"
#include "commands/services.h"
#include "server/client_directory.h"
#include "server/thread_tracking.h"

namespace larder {

class CommandContext;
class Keyspace;
class Shard;

class TrackingTable final : public ClientTracking {
 public:
  TrackingTable(uint32_t shards, ClientRegistry& clients);

  // ---- ClientTracking.
  void Enable(Client& client) override;
  void Disable(Client& client) override;
  void OnFlushed() override;
  int64_t TrackedKeys() const override { return keys_.load(std::memory_order_relaxed); }
  int64_t TrackedItems() const override { return items_.load(std::memory_order_relaxed); }
  int64_t TrackedPrefixes() const override;
  int64_t TrackingClients() const { return tracking_clients_.load(std::memory_order_relaxed); }

  // ---- For the shards' observer. REQUIRES: the shard's lock is held.
  bool Wants(uint32_t shard_id) const {
    return !tables_[shard_id].empty() || broadcasters_.load(std::memory_order_relaxed) > 0;
  }
  void OnKeyChanging(Shard& shard, int db, std::string_view key);
  void OnKeyChanging(uint32_t shard_id, std::string_view key);

  // ---- For the dispatcher.
  // The client, which tracks, has run a read-only command. REQUIRES: its keys' shards are locked.
  void RememberReads(Client& client, CommandContext& context);
  // One key of it; true if it is the first that the shard remembers. Beyond `max_keys` in all,
  // other keys of the shard are forgotten, and whoever tracks them is told.
  bool Remember(const Client& client, uint32_t shard_id, std::string_view key, int64_t max_keys);
  // Forgets keys until no more than `max_keys` (0: no limit) are left, for the limit may have been
  // lowered; whoever tracks them is told. REQUIRES: no shard's lock is held.
  void Trim(Keyspace& keyspace, int64_t max_keys);
  // The client, which tracks, has had the reply of its command (null: an unknown one).
  void AfterCommand(Client& client, const Command* command);
  // The first half of it, for what happened before the command ran. REQUIRES: has_invalidations.
  void TellOfHeld(Client& client);
  // If thread_tracking.has_broadcasts, at the end of a batch.
  void SendBroadcasts();

 private:
  // Ids rather than pointers: a client that is gone is found out when its key changes. Ascending.
  using Readers = absl::InlinedVector<uint64_t, 2>;
  using KeyTable = TextMap<Readers>;

  // A client that tracks; immutable, replaced as a whole.
  struct Listener {
    std::shared_ptr<ClientRecord> record;
    uint64_t redirect = 0;  // 0: to itself.
    bool broadcast = false;
    bool no_loop = false;
    std::vector<std::string> prefixes;
  };
  class Message;

  // Under the shard's lock.
  void Forget(KeyTable& table, KeyTable::iterator it);

  void Invalidate(std::span<const uint64_t> readers, std::string_view key);
  void Send(const Listener& listener, Message& message) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void RemoveListener(uint64_t id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void SendBroadcast(const Listener& listener, std::span<const struct ChangedKey> changes,
                     Message& to_all) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  ClientRegistry& clients_;
  std::vector<KeyTable> tables_;  // By shard.
  std::atomic<int64_t> keys_{0};
  std::atomic<int64_t> items_{0};
  // Sizes of what mu_ guards, written under it. Relaxed: who begins to listen while a key changes
  // has not been promised to hear of it.
  std::atomic<int64_t> tracking_clients_{0};
  std::atomic<int64_t> broadcasters_{0};

  mutable Mutex mu_;
  absl::flat_hash_map<uint64_t, std::shared_ptr<const Listener>> listeners_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, std::map<uint64_t, std::shared_ptr<const Listener>>, std::less<>> prefixes_
      ABSL_GUARDED_BY(mu_);
};

}  // namespace larder
