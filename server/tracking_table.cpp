#include "server/tracking_table.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "commands/client_tracking.h"
#include "commands/command_context.h"
#include "server/push_message.h"
#include "storage/keyspace.h"

namespace larder {

// A key that changed, and who changed it (0: no client).
struct ChangedKey {
  std::string key;
  uint64_t client_id = 0;
  size_t order = 0;  // Among the changes held with it.
};

namespace {

constexpr std::string_view kInvalidateChannel = "__redis__:invalidate";

// What this thread holds back; thread_tracking tells the dispatcher that there is something.
thread_local std::vector<std::optional<std::string>> held_invalidations;  // Nothing: every key.
thread_local std::vector<ChangedKey> held_broadcasts;

bool IsRunning(uint64_t client_id) {
  return thread_tracking.client != nullptr && thread_tracking.client->id() == client_id;
}

void HoldBack(std::optional<std::string> key) {
  held_invalidations.push_back(std::move(key));
  thread_tracking.has_invalidations = true;
}

}  // namespace

// One invalidation, built for a protocol version when the first client needs it.
class TrackingTable::Message {
 public:
  // No keys: all are invalid.
  explicit Message(std::span<const std::string_view> keys) : keys_(keys) {}

  const BlobRef& Push() {
    if (!push_) push_ = Build(">2\r\n$10\r\ninvalidate\r\n", "_\r\n");
    return push_;
  }
  const BlobRef& ChannelMessage() {
    if (!channel_message_) {
      std::string head = "*3\r\n$7\r\nmessage\r\n";
      AppendBulk(head, kInvalidateChannel);
      channel_message_ = Build(std::move(head), "$-1\r\n");
    }
    return channel_message_;
  }

 private:
  BlobRef Build(std::string bytes, std::string_view null) const {
    if (keys_.empty()) {
      bytes.append(null);
    } else {
      AppendHeader(bytes, '*', static_cast<int64_t>(keys_.size()));
      for (const std::string_view key : keys_) AppendBulk(bytes, key);
    }
    return BlobRef::CopyOf(bytes);
  }

  std::span<const std::string_view> keys_;
  BlobRef push_;
  BlobRef channel_message_;
};

TrackingTable::TrackingTable(uint32_t shards, ClientRegistry& clients)
    : clients_(clients), tables_(shards) {}

// ---- Who listens.

void TrackingTable::Enable(Client& client) {
  const TrackingState& state = *client.tracking;
  auto listener = std::make_shared<Listener>();
  listener->record = client.record;
  listener->redirect = static_cast<uint64_t>(state.redirect_client);
  listener->broadcast = state.broadcast;
  listener->no_loop = state.no_loop;
  listener->prefixes = state.prefixes;
  client.record->redirect_broken.store(false, std::memory_order_relaxed);

  MutexLock lock(mu_);
  RemoveListener(client.id());
  listeners_[client.id()] = listener;
  for (const std::string& prefix : listener->prefixes) prefixes_[prefix][client.id()] = listener;
  tracking_clients_.fetch_add(1, std::memory_order_relaxed);
  if (listener->broadcast) broadcasters_.fetch_add(1, std::memory_order_relaxed);
}

void TrackingTable::Disable(Client& client) {
  client.record->redirect_broken.store(false, std::memory_order_relaxed);
  MutexLock lock(mu_);
  RemoveListener(client.id());
}

void TrackingTable::RemoveListener(uint64_t id) {
  const auto it = listeners_.find(id);
  if (it == listeners_.end()) return;
  const std::shared_ptr<const Listener> listener = std::move(it->second);
  listeners_.erase(it);
  for (const std::string& prefix : listener->prefixes) {
    const auto entry = prefixes_.find(prefix);
    entry->second.erase(id);
    if (entry->second.empty()) prefixes_.erase(entry);
  }
  tracking_clients_.fetch_sub(1, std::memory_order_relaxed);
  if (listener->broadcast) broadcasters_.fetch_sub(1, std::memory_order_relaxed);
}

int64_t TrackingTable::TrackedPrefixes() const {
  MutexLock lock(mu_);
  return static_cast<int64_t>(prefixes_.size());
}

// ---- What they have read.

void TrackingTable::RememberReads(Client& client, CommandContext& context) {
  if (client.tracking == nullptr || !RemembersReads(*client.tracking)) return;
  const int64_t max_keys = context.settings().tracking_table_max_keys;
  for (size_t i = 0; i < context.key_count(); ++i) {
    const uint32_t shard_id = context.shard(i).id();
    if (Remember(client, shard_id, context.key(i).text, max_keys)) {
      context.server().UpdateObserved(shard_id);
    }
  }
}

bool TrackingTable::Remember(const Client& client, uint32_t shard_id, std::string_view key,
                             int64_t max_keys) {
  KeyTable& table = tables_[shard_id];
  const bool was_empty = table.empty();
  const auto [it, is_new] = table.try_emplace(key);
  Readers& readers = it->second;
  const auto at = std::lower_bound(readers.begin(), readers.end(), client.id());
  if (at == readers.end() || *at != client.id()) {
    readers.insert(at, client.id());
    items_.fetch_add(1, std::memory_order_relaxed);
  }
  if (!is_new) return false;
  const int64_t keys = keys_.fetch_add(1, std::memory_order_relaxed) + 1;
  // Other shards may not be locked from here, so that a key of this one goes, perhaps the new one:
  // its reader is told at once not to keep what it has just been given.
  for (int64_t over = max_keys > 0 ? keys - max_keys : 0; over > 0 && !table.empty(); --over) {
    Forget(table, table.begin());
  }
  return was_empty && !table.empty();
}

void TrackingTable::Trim(Keyspace& keyspace, int64_t max_keys) {
  if (max_keys <= 0) return;
  for (uint32_t id = 0; id < tables_.size() && TrackedKeys() > max_keys; ++id) {
    MutexLock lock(keyspace.shard(id).mu());
    KeyTable& table = tables_[id];
    while (!table.empty() && TrackedKeys() > max_keys) Forget(table, table.begin());
  }
}

void TrackingTable::Forget(KeyTable& table, KeyTable::iterator it) {
  // Out of the table first: what is sent may be long, and the key stands in the node.
  const auto node = table.extract(it);
  keys_.fetch_sub(1, std::memory_order_relaxed);
  items_.fetch_sub(static_cast<int64_t>(node.mapped().size()), std::memory_order_relaxed);
  Invalidate(node.mapped(), node.key());
}

// ---- What has changed.

void TrackingTable::OnKeyChanging(Shard& shard, int /*db*/, std::string_view key) {
  // As in Redis, clients are told key names without a database.
  OnKeyChanging(shard.id(), key);
}

void TrackingTable::OnKeyChanging(uint32_t shard_id, std::string_view key) {
  KeyTable& table = tables_[shard_id];
  if (!table.empty()) {
    if (const auto it = table.find(key); it != table.end()) Forget(table, it);
  }
  if (broadcasters_.load(std::memory_order_relaxed) > 0) {
    const Client* const client = thread_tracking.client;
    held_broadcasts.push_back(
        {std::string(key), client == nullptr ? 0 : client->id(), held_broadcasts.size()});
    thread_tracking.has_broadcasts = true;
    // Upkeep has no batch whose end could be waited for.
    if (client == nullptr) SendBroadcasts();
  }
}

void TrackingTable::OnFlushed() {
  if (TrackingClients() == 0) return;
  for (KeyTable& table : tables_) {
    if (!table.empty()) KeyTable().swap(table);
  }
  keys_.store(0, std::memory_order_relaxed);
  items_.store(0, std::memory_order_relaxed);
  Message everything({});
  MutexLock lock(mu_);
  for (const auto& [id, listener] : listeners_) {
    if (IsRunning(id)) {
      HoldBack(std::nullopt);  // Even with NOLOOP, as Redis.
    } else {
      Send(*listener, everything);
    }
  }
}

// ---- Telling.

void TrackingTable::Invalidate(std::span<const uint64_t> readers, std::string_view key) {
  Message message({&key, 1});
  MutexLock lock(mu_);
  for (const uint64_t id : readers) {
    const auto it = listeners_.find(id);
    // A client may have changed to BCAST since.
    if (it == listeners_.end() || it->second->broadcast) continue;
    if (!IsRunning(id)) {
      Send(*it->second, message);
    } else if (!it->second->no_loop) {
      HoldBack(std::string(key));
    }
  }
}

void TrackingTable::Send(const Listener& listener, Message& message) {
  if (listener.redirect == 0) {
    // RESP2 has no way to say it on the same connection.
    clients_.Deliver(*listener.record, {}, message.Push());
    return;
  }
  const std::shared_ptr<ClientRecord> target = clients_.Find(listener.redirect);
  if (target == nullptr || target->killed.load(std::memory_order_relaxed)) {
    listener.record->redirect_broken.store(true, std::memory_order_relaxed);
    std::string broken = ">2\r\n$21\r\ntracking-redir-broken\r\n";
    AppendHeader(broken, ':', static_cast<int64_t>(listener.redirect));
    clients_.Deliver(*listener.record, {}, BlobRef::CopyOf(broken));
    return;
  }
  clients_.Deliver(*target, message.ChannelMessage(), message.Push());
}

void TrackingTable::AfterCommand(Client& client, const Command* command) {
  if (thread_tracking.has_invalidations) TellOfHeld(client);
  ExpireCaching(client, command);
}

void TrackingTable::TellOfHeld(Client& client) {
  thread_tracking.has_invalidations = false;
  const auto held = std::move(held_invalidations);
  held_invalidations.clear();
  MutexLock lock(mu_);
  const auto it = listeners_.find(client.id());
  if (it == listeners_.end()) return;
  for (const std::optional<std::string>& key : held) {
    const std::string_view name = key ? std::string_view(*key) : std::string_view();
    Message message(key ? std::span<const std::string_view>(&name, 1)
                        : std::span<const std::string_view>());
    Send(*it->second, message);
  }
}

void TrackingTable::SendBroadcasts() {
  thread_tracking.has_broadcasts = false;
  std::vector<ChangedKey> changes = std::move(held_broadcasts);
  held_broadcasts.clear();
  // By key, so that those with one prefix stand together; of several changes the last one counts.
  std::sort(changes.begin(), changes.end(), [](const ChangedKey& a, const ChangedKey& b) {
    return std::tie(a.key, a.order) < std::tie(b.key, b.order);
  });
  size_t kept = 0;
  for (size_t i = 0; i < changes.size(); ++i) {
    if (i + 1 < changes.size() && changes[i + 1].key == changes[i].key) continue;
    if (kept != i) changes[kept] = std::move(changes[i]);
    ++kept;
  }
  changes.resize(kept);

  std::vector<std::string_view> names;
  MutexLock lock(mu_);
  for (const auto& [prefix, listeners] : prefixes_) {
    const auto begin = std::lower_bound(
        changes.begin(), changes.end(), prefix,
        [](const ChangedKey& change, const std::string& wanted) { return change.key < wanted; });
    const auto end = std::find_if(begin, changes.end(), [&](const ChangedKey& change) {
      return !change.key.starts_with(prefix);
    });
    if (begin == end) continue;
    names.clear();
    for (auto it = begin; it != end; ++it) names.push_back(it->key);
    Message to_all(names);
    for (const auto& [id, listener] : listeners) SendBroadcast(*listener, {begin, end}, to_all);
  }
}

void TrackingTable::SendBroadcast(const Listener& listener, std::span<const ChangedKey> changes,
                                  Message& to_all) {
  if (!listener.no_loop) return Send(listener, to_all);
  std::vector<std::string_view> of_others;
  for (const ChangedKey& change : changes) {
    if (change.client_id != listener.record->id) of_others.push_back(change.key);
  }
  if (of_others.size() == changes.size()) return Send(listener, to_all);
  if (of_others.empty()) return;
  Message message(of_others);
  Send(listener, message);
}

}  // namespace larder
