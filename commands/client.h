// What commands see and change of the client that sent them. The connection that owns the socket
// owns its Client.
//
// Concurrency: thread-confined to the connection's thread, but for `record`, which every thread
// may read.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/text.h"
#include "protocol/reply_writer.h"

namespace larder {

class Command;
struct TransactionState;   // commands/transaction.h
struct SubscriptionState;  // below
class HashFieldsets;       // commands/hash_fieldsets.h
class HeldLeases;          // commands/held_leases.h
struct TrackingState;      // commands/client_tracking.h

enum class ReplyMode : uint8_t { kOn, kOff, kSkipNext, kSkipping };

// The client's face to other threads: CLIENT LIST reads it, CLIENT KILL finds its connection by it.
struct ClientRecord {
  // Fixed when the client connects.
  uint64_t id = 0;
  uint32_t worker = 0;  // Index of the thread that owns the connection.
  int fd = -1;
  std::string address;  // "127.0.0.1:53422", or the path of a Unix socket with ":0".
  std::string local_address;
  MonoTime connected_at;
  bool is_loopback = false;  // The peer is on this machine.

  // Written by the owning thread once a batch, read by all. Relaxed: each is a figure by itself.
  std::atomic<int64_t> last_interaction_ns{0};  // Of MonoTime.
  std::atomic<int32_t> db{0};
  std::atomic<uint32_t> flags{0};  // ClientFlags.
  std::atomic<int32_t> channels{0};
  std::atomic<int32_t> patterns{0};
  std::atomic<int32_t> shard_channels{0};
  std::atomic<int32_t> queued_commands{-1};  // In MULTI; -1 outside.
  std::atomic<int32_t> watched_keys{0};
  std::atomic<int64_t> query_buffer_bytes{0};
  std::atomic<int64_t> query_buffer_free_bytes{0};
  std::atomic<int64_t> argument_bytes{0};
  std::atomic<int64_t> multi_bytes{0};
  std::atomic<int64_t> output_bytes{0};
  std::atomic<int64_t> other_bytes{
      0};  // What the connection holds beside: state, subscriptions, ...
  std::atomic<int64_t> net_in_bytes{0};
  std::atomic<int64_t> net_out_bytes{0};
  std::atomic<int64_t> total_commands{0};
  std::atomic<const Command*> last_command{nullptr};
  std::atomic<int32_t> resp{2};
  std::atomic<int64_t> redirect_client{-1};  // Of CLIENT TRACKING; 0: to itself, -1: off.
  std::atomic<bool> redirect_broken{false};  // The client redirected to is gone. Any thread.
  std::atomic<bool> killed{false};           // Set once, by whoever kills it first.

  // Guarded by text_mu, a leaf lock.
  mutable Mutex text_mu;
  std::string name ABSL_GUARDED_BY(text_mu);
  std::string library_name ABSL_GUARDED_BY(text_mu);
  std::string library_version ABSL_GUARDED_BY(text_mu);
  std::string user ABSL_GUARDED_BY(text_mu) = "default";
};

enum ClientFlag : uint32_t {
  kClientMulti = 1u << 0,
  kClientDirtyExec = 1u << 1,  // A command was refused while queueing: EXEC must fail.
  kClientMonitor = 1u << 2,
  kClientPubSub = 1u << 3,  // Has at least one subscription.
  kClientBlocked = 1u << 4,
  kClientCloseAfterReply = 1u << 5,
  kClientCloseNow = 1u << 6,
  kClientNoTouch = 1u << 7,
  kClientNoEvict = 1u << 8,
  kClientUnixSocket = 1u << 9,
  kClientTracking = 1u << 10,
  kClientTrackingBroadcast = 1u << 11,
  kClientTrackingBrokenRedirect = 1u << 12,
  kClientReadOnly = 1u << 13,  // READONLY of the cluster.
  kClientAuthenticated = 1u << 14,
  kClientDirtyCas = 1u << 15,  // Shown in CLIENT LIST; the truth is the watch flag.
};

// Set (once) by whoever changes a watched key, on any thread; read at EXEC.
struct WatchFlag {
  std::atomic<bool> dirty{false};  // Orders nothing: EXEC reads it with the keys' shards locked.
};

struct WatchedKey {
  int db = 0;
  std::string key;
};

struct WatchState {
  std::shared_ptr<WatchFlag> flag;
  std::vector<WatchedKey> keys;
  size_t name_bytes = 0;  // Of all keys.

  size_t memory_bytes() const;
};

// What a client is subscribed to.
struct SubscriptionState {
  absl::flat_hash_set<std::string, TextHash, TextEqual> channels;
  absl::flat_hash_set<std::string, TextHash, TextEqual> patterns;
  absl::flat_hash_set<std::string, TextHash, TextEqual> shard_channels;
  size_t name_bytes = 0;  // Of all of them.

  size_t memory_bytes() const;
};

struct Client {
  explicit Client(std::shared_ptr<ClientRecord> client_record);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  uint64_t id() const { return record->id; }
  bool Is(uint32_t flag) const { return (flags & flag) != 0; }
  void Set(uint32_t flag, bool on = true) { flags = on ? flags | flag : flags & ~flag; }

  std::shared_ptr<ClientRecord> record;
  int db = 0;
  RespVersion resp = RespVersion::kResp2;
  ReplyMode reply_mode = ReplyMode::kOn;
  uint32_t flags = 0;
  // Null until first needed, so that an idle connection costs little.
  std::unique_ptr<TransactionState> transaction;
  std::unique_ptr<WatchState> watch;
  std::unique_ptr<SubscriptionState> subscriptions;
  std::unique_ptr<TrackingState> tracking;
  std::unique_ptr<HashFieldsets> fieldsets;
  std::unique_ptr<HeldLeases> leases;
};

}  // namespace larder
