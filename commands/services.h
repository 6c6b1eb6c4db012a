// What handlers may ask of the process around them. commands/ declares these interfaces, server/
// implements them; a handler reaches them through CommandContext::server().
//
// Concurrency: every call is safe from any thread. Implementations lock mutexes of their own, all
// of which come after the shards' in the lock order.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "base/blob.h"
#include "base/clock.h"
#include "commands/client.h"
#include "commands/memory_figures.h"

namespace larder {

class CommandTable;
class Keyspace;
struct KeyspaceFigures;  // commands/keyspace_figures.h
struct PrefixTotals;     // commands/prefix_lookups.h
class LatencyMonitor;    // commands/latency_monitor.h
class LeaseCap;          // eviction/lease_cap.h
class LeaseTable;        // eviction/lease_table.h
class MissRatioCurve;    // eviction/miss_ratio_curve.h
class SlowLog;           // commands/slow_log.h
class StampedeFigures;   // eviction/stampede_figures.h
class TagTable;          // storage/tags.h
class WatchTable;        // commands/watch_table.h

enum class PauseMode : uint8_t { kWrite, kAll };
enum class UnblockReason : uint8_t { kTimeout, kError };

// All connected clients, on whichever thread they live.
class ClientDirectory {
 public:
  virtual ~ClientDirectory() = default;
  virtual std::vector<std::shared_ptr<ClientRecord>> All() const = 0;  // By ascending id.
  virtual std::shared_ptr<ClientRecord> Find(uint64_t id) const = 0;
  // Asks the owning thread to close the connection; true for the first who asks.
  virtual bool Kill(const std::shared_ptr<ClientRecord>& client) = 0;
  // False if the client is not blocked.
  virtual bool Unblock(uint64_t id, UnblockReason reason) = 0;
  virtual void Pause(MonoTime until, PauseMode mode) = 0;
  virtual void Unpause() = 0;
  // Sends bytes that are complete messages, out of turn, in the protocol the client speaks when
  // they arrive. Either may be empty: then nothing is sent in that protocol.
  virtual void Deliver(const ClientRecord& client, BlobRef resp2, BlobRef resp3) = 0;
};

enum class ChannelKind : uint8_t { kChannel, kPattern, kShardChannel };

// Publish and subscribe. Messages of one channel reach all its subscribers in one order.
class PubSub {
 public:
  virtual ~PubSub() = default;
  // False if it was subscribed already. Called on the client's own thread, as is Unsubscribe.
  virtual bool Subscribe(Client& client, ChannelKind kind, std::string_view name) = 0;
  virtual bool Unsubscribe(Client& client, ChannelKind kind, std::string_view name) = 0;
  virtual void UnsubscribeAll(Client& client) = 0;
  // Returns how many clients got it. `publisher` (may be null) gets its own copy before its reply.
  virtual int64_t Publish(ChannelKind kind, std::string_view channel, std::string_view message,
                          Client* publisher) = 0;
  virtual std::vector<std::string> Channels(ChannelKind kind, std::string_view glob) const = 0;
  virtual int64_t Subscribers(ChannelKind kind, std::string_view channel) const = 0;
  virtual int64_t PatternCount() const = 0;
};

// Client-side caching: who has to be told when keys change.
class ClientTracking {
 public:
  virtual ~ClientTracking() = default;
  // Starts or stops telling `client`, whose TrackingState is set already, or gone.
  virtual void Enable(Client& client) = 0;
  virtual void Disable(Client& client) = 0;
  // A database was emptied: whoever tracks anything is told to forget everything.
  // REQUIRES: all shards' locks are held.
  virtual void OnFlushed() = 0;
  virtual int64_t TrackedKeys() const = 0;
  virtual int64_t TrackedItems() const = 0;
  virtual int64_t TrackedPrefixes() const = 0;
};

// Whether the one who asks is on this machine, which `enable-protected-configs local` wants to
// know.
enum class ConfigCaller : uint8_t { kRemote, kLocal };

// What a rewritten configuration file names: what differs from the defaults, or everything.
enum class RewriteScope : uint8_t { kChanged, kAll };

// The configuration as text, as CONFIG shows and takes it.
class ConfigAccess {
 public:
  virtual ~ConfigAccess() = default;
  virtual std::vector<std::pair<std::string, std::string>> Get(
      std::span<const std::string_view> globs) const = 0;
  // All or nothing. A message without "ERR".
  virtual absl::Status Set(std::span<const std::pair<std::string_view, std::string_view>> pairs,
                           ConfigCaller caller) = 0;
  virtual absl::Status Rewrite(RewriteScope scope) = 0;
  // Whether the setting's value is not for logs.
  virtual bool IsSecret(std::string_view name) const = 0;
};

struct CommandStatistics {
  int64_t calls = 0;
  int64_t microseconds = 0;
  int64_t rejected_calls = 0;
  int64_t failed_calls = 0;
};

struct ShutdownOptions {
  bool save = false;
  bool no_save = false;
  bool now = false;
  bool force = false;
};

class Services {
 public:
  virtual ~Services() = default;

  virtual Keyspace& keyspace() = 0;
  virtual const CommandTable& command_table() const = 0;
  virtual ClientDirectory& clients() = 0;
  virtual PubSub& pubsub() = 0;
  virtual ClientTracking& tracking() = 0;
  virtual ConfigAccess& config() = 0;
  virtual SlowLog& slow_log() = 0;
  virtual LatencyMonitor& latency_monitor() = 0;
  virtual MissRatioCurve& miss_ratio_curve() = 0;
  // REQUIRES: the shard's lock is held.
  virtual WatchTable& watches(uint32_t shard_id) = 0;
  // Who waits for keys of this database is to look again, when the command has run: the whole
  // database changes. REQUIRES: the shard's lock is held.
  virtual void WakeWaiters(uint32_t shard_id, int db) = 0;
  // The same for who waits for one key, which has not changed. REQUIRES: the shard's lock is held.
  virtual void WakeWaitersOf(uint32_t shard_id, int db, std::string_view key) = 0;
  // The same once it is `when`, on this thread. REQUIRES: the calling thread serves clients.
  virtual void WakeWaitersAt(MonoTime when, uint32_t shard_id, int db, std::string_view key) = 0;
  // How many there are. REQUIRES: the shard's lock is held.
  virtual size_t WaitersOf(uint32_t shard_id, int db, std::string_view key) = 0;
  // How many clients wait for keys at all.
  virtual int64_t WaitersInAll() const = 0;
  // Recomputes whether the shard has to report changes. REQUIRES: the shard's lock is held.
  virtual void UpdateObserved(uint32_t shard_id) = 0;

  // ---- Stampede protection.
  // REQUIRES: the shard's lock is held.
  virtual LeaseTable& leases(uint32_t shard_id) = 0;
  virtual TagTable& tags() = 0;
  // Somebody is in line, or has taken its turn: leases that end by themselves are to be noticed, on
  // this thread. REQUIRES: the calling thread serves clients.
  virtual void WatchLeases(const std::shared_ptr<LeaseCap>& cap) = 0;
  // A number that no other process has: tokens of leases name it.
  virtual uint64_t incarnation() const = 0;
  // Of keys to which no rule applies.
  virtual const std::shared_ptr<StampedeFigures>& stampede_figures() const = 0;

  // INFO's text for the named sections ("default", "all", "everything" included), CRLF lines. The
  // caller has counted the keyspace: it knows which shards are locked already.
  virtual std::string Info(std::span<const std::string_view> sections,
                           const KeyspaceFigures& keyspace) = 0;
  // What only the process knows of its memory.
  virtual ProcessMemory process_memory() const { return {}; }
  // Summed over all threads.
  virtual CommandStatistics StatisticsOf(uint32_t command_id) const = 0;
  // Latency histogram of a command, the buckets of commands/latency_histogram.h; empty if it never
  // ran.
  virtual std::vector<int64_t> HistogramOf(uint32_t command_id) const = 0;
  // Lookups by prefix, of all threads.
  virtual void AddPrefixLookups(PrefixTotals& /*totals*/) const {}
  virtual void ResetHistogram(uint32_t command_id) = 0;
  virtual void ResetStatistics() = 0;

  // A client joins or leaves the MONITOR feed.
  virtual void SetMonitor(Client& client, bool on) = 0;
  // Stops accepting, ends all connections and leaves the process. Not at once: the reply of
  // SHUTDOWN is the closing of the connection. False if what the options ask for cannot be done.
  virtual bool RequestShutdown(const ShutdownOptions& options) = 0;
  virtual bool AbortShutdown() = 0;
  // DEBUG LOG: a line for the server's log.
  virtual void LogWarning(std::string_view line) = 0;
  // DEBUG SET-ACTIVE-EXPIRE.
  virtual void SetActiveExpiry(bool enabled) = 0;
  // DEBUG PAUSE-CRON.
  virtual void PauseCron(bool paused) = 0;
  virtual int tcp_port() const = 0;
  virtual MonoTime started_at() const = 0;
  // LASTSAVE: when the data was last on disk. While nothing is saved, the start, as in Redis.
  virtual UnixMillis last_save() const { return 0; }
};

}  // namespace larder
