// Runs requests: finds the command, checks what every command owes (arity, authentication, memory,
// MULTI, subscriptions), locks the shards of its keys, calls the handler, and accounts for it.
//
// A pipeline is run as a batch: the keys of all its requests are hashed first and their buckets and
// entries fetched into the cache while there is other work to do, so that a batch pays the latency
// of memory once and not once a key.
//
// Concurrency: thread-confined, one a thread. It knows no sockets: benchmarks drive it directly.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "commands/command_context.h"
#include "commands/thread_counters.h"
#include "eviction/evictor.h"
#include "protocol/reply_writer.h"
#include "protocol/request_parser.h"
#include "server/error_counters.h"
#include "server/hold_watch.h"
#include "server/shard_hooks.h"
#include "server/shard_locks.h"
#include "server/wait_result.h"

namespace larder {

class OwnedRequest;

// What is found out about a request before the first of its batch runs.
struct PreparedRequest {
  const Command* command = nullptr;
  HashedKey key;  // Of the only key, if has_key.
  int db = 0;
  bool has_key = false;
  bool repeats_key = false;   // The same as that of the request before.
  bool names_member = false;  // Of the collection at the key,
  uint64_t member_hash = 0;   // with this hash.
};

class Dispatcher {
 public:
  // The largest batch. Thirty-two commands' lines still fit a first-level cache beside the replies.
  static constexpr size_t kBatch = 32;

  // Cross-cutting matters of the process that a request meets.
  class Environment {
   public:
    virtual ~Environment() = default;
    // Somebody runs MONITOR: told of every request when it has run.
    virtual bool monitored() const = 0;
    virtual void FeedMonitors(const Client& client, const Command& command,
                              std::span<const std::string_view> args) = 0;
    // CLIENT PAUSE holds back this kind of command now.
    virtual bool Paused(const Client& client, const Command& command) const = 0;
    // kProtected commands: enable-debug-command and the like. Empty if it may run, else the error.
    virtual std::string_view RefusedByProtection(const Client& client, const Command& command) = 0;
    // A client that tracks its reads has read these keys; their shards are locked.
    virtual void RememberReads(Client& client, CommandContext& context) = 0;
    // A client that tracks has had the reply of its command (null: an unknown one).
    virtual void AfterTrackedCommand(Client& client, const Command* command) = 0;
    // What made room for the client's next command is told before it runs.
    virtual void TellOfEvicted(Client& client) = 0;
    // The data stands still, and nothing is evicted (CLIENT PAUSE).
    virtual bool HoldsData() const = 0;
    // What this thread's batch changed is due to be told to clients that track prefixes.
    virtual void SendBroadcasts() = 0;
    // A client that waited for keys goes on with this.
    virtual void EndWait(const ClientRecord& client, WaitResult result) = 0;
    // A command took `nanoseconds`, which slow log or latency monitor may want to know.
    virtual void NoteDuration(const Client& client, const Command& command,
                              std::span<const std::string_view> args, int64_t nanoseconds) = 0;
  };

  struct Options {
    Services& services;
    Keyspace& keyspace;
    EvictionDomains& eviction_domains;
    const CommandTable& commands;
    Environment& environment;
    ShardHooks& hooks;
    ThreadCounters& counters;
    ErrorCounters& errors;
    // Called after a command that may have changed the configuration; calls set_settings.
    std::function<void()> refresh_settings;
    uint64_t seed = 0;
  };
  explicit Dispatcher(const Options& options);

  // Shards report what happens on this thread to this dispatcher, or to nobody any more.
  void BindThread() { hooks_.BindThread(&context_.events_, &ready_, &counters_); }
  void UnbindThread() { hooks_.BindThread(nullptr, nullptr, nullptr); }

  // Settings for the requests from here on; must outlive their use.
  void set_settings(const Settings* settings);

  enum class Outcome : uint8_t {
    kDone,     // All requests ran.
    kBlocked,  // The last one that ran blocks its client; TakeBlock() says how.
    kPaused,   // The next one must wait for the end of CLIENT PAUSE.
    kClosing,  // The client is to be closed; what follows in the batch is void.
  };
  struct Result {
    Outcome outcome = Outcome::kDone;
    size_t executed = 0;  // Requests that ran (or were answered with an error).
    uint64_t cycles = 0;  // How long they took.
  };

  // Finds commands and keys, and begins to fetch the keys' shards.
  // REQUIRES: `prepared` is as long as `requests`.
  void Prepare(const Client& client, std::span<const Request> requests,
               std::span<PreparedRequest> prepared);
  // Fetches buckets and entries of the keys; worth it for more than one.
  void Warm(std::span<PreparedRequest> prepared);
  // Runs `requests` in order and writes their replies. REQUIRES: requests.size() <= kBatch, and
  // `prepared` is what Prepare made of them.
  Result Run(Client& client, std::span<Request> requests, std::span<const PreparedRequest> prepared,
             UnixMillis now, ReplyWriter& reply);
  // All three.
  Result Run(Client& client, std::span<Request> requests, UnixMillis now, ReplyWriter& reply);

  CommandContext::Block TakeBlock() { return std::move(context_.block_); }
  // Of a request that waits for keys; null for what waits for something else.
  std::shared_ptr<Waiter> TakeWaiter() { return std::move(waiter_); }
  // The client goes on without what it waited for. False if it was served just before: then the
  // reply is on its way. REQUIRES: no shard's lock is held.
  bool CancelWait(Waiter& waiter);
  // A client that waited got this error instead.
  void CountFailedWait(const Waiter& waiter, std::string_view error);
  // Whether a key has changed, or a lease ended, that somebody may be waiting for.
  bool has_ready_waiters() const { return !ready_.empty() || !later_.empty(); }
  // Serves those who wait for keys that have changed outside of a handler's knowledge.
  // REQUIRES: no shard's lock is held.
  void ServeWaiters(UnixMillis now) {
    if (!has_ready_waiters()) [[likely]]
      return;
    context_.now_ = now;
    ServeLater();
  }

  // The connection that held these is gone. Those that went with it have ended; whoever waits for
  // their keys is served by the next ServeWaiters. REQUIRES: no shard's lock is held.
  void EndLeases(std::span<const std::shared_ptr<Lease>> leases);
  // Those who wait for this key are to ask again. REQUIRES: no shard's lock is held.
  void WakeWaitersOf(uint32_t shard_id, int db, std::string_view key);
  // Ends those leases that have reached their deadline; who is in line for them gets its turn.
  // REQUIRES: no shard's lock is held.
  void EndOverdueLeases(LeaseCap& cap);
  // Forgets what has ended by itself, in every step-th shard. REQUIRES: no shard's lock is held.
  void SweepLeases(uint32_t first, uint32_t step);

  // Publishes the keyspace events that wait for it: of handlers, and of what happens to keys
  // without one (expiry, eviction). REQUIRES: no shard's lock is held.
  void PublishEvents();

  // For holds outside of commands.
  HoldWatch& hold_watch() { return hold_watch_; }

  // Evicts for half a millisecond at most if memory is over its limit, whether or not a command
  // wants room. True if it did and there is more to evict. REQUIRES: no shard's lock is held.
  bool EvictSlice(UnixMillis now);

 private:
  const Command* FindCommand(std::span<const std::string_view> args);
  Outcome RunOne(Client& client, Request& request, const PreparedRequest& prepared,
                 ReplyWriter& reply);
  static bool MayAddData(const Client& client, const Command& command);
  bool MakeRoom();
  bool Admit(Client& client, const Command& command, Request& request, ReplyWriter& reply);
  // Evicts if that is due. False if the command may add data and there is no room for it.
  bool HasRoomFor(Client& client, const Command& command);
  void Reject(Client& client, const Command* command, std::string_view error, ReplyWriter& reply);
  void RejectUnknown(Client& client, const Request& request, ReplyWriter& reply);
  void Queue(Client& client, const Command& command, Request& request, ReplyWriter& reply);

  void RunSingleKey(const Command& command, const HashedKey& key);
  // False, and nothing has happened, if those who wait for the key need more than its shard.
  bool TrySingleKey(const Command& command, Shard& shard);
  void RunManyKeys(const Command& command, Request& request);
  // With the keys that are in the context already.
  void RunBoundKeys(const Command& command);
  // While the locks are still held: the client begins to wait, or others stop waiting.
  void AfterHandler(std::span<const uint32_t> held);
  // When they are given back.
  void FinishLocked();
  // Returns how many of the queue's commands failed: they have been accounted for, and EXEC itself
  // did not fail because of them.
  uint64_t RunTransaction(Client& client, ReplyWriter& reply);
  // Whether one of the client's watched keys changed or expired. The shards are locked.
  bool WatchedKeysChanged(Client& client);
  // The keys of the request into the context; false (and an error replied) if they make no sense.
  void BindKeys(const Command& command, std::span<const std::string_view> args,
                CommandContext& context);
  // What Warm brings in one behind the other, buckets being first.
  void WarmEntries(std::span<const PreparedRequest> prepared);
  // What entries point to: collections, for commands on them, and with `blobs` large strings for
  // the others. Whether there was one of those.
  bool WarmValues(std::span<const PreparedRequest> prepared, bool blobs);
  void WarmMembers(std::span<PreparedRequest> prepared);
  void RunKeyless(const Command& command);
  void CallHandler(const Command& command);
  // After a command that may have changed the configuration.
  void FollowSettings();
  // ---- Clients that wait for keys: dispatcher_waits.cpp. `held` are the shards whose locks are
  // held, ascending.
  void ParkClient(Client& client);
  void Unpark(Waiter& waiter);
  void LockWithWaiters(int db, std::span<const HashedKey> keys);
  bool AddWaitersShards(int db, std::span<const HashedKey> keys, std::span<const uint32_t> held,
                        std::vector<uint32_t>& wanted);
  bool Holds(const Waiter& waiter, std::span<const uint32_t> held) const;
  void ServeReady(std::span<const uint32_t> held);
  // False if somebody in the line needs more locks.
  bool ServeLine(const ReadyKey& ready, std::span<const uint32_t> held);
  bool TryLine(const ReadyKey& ready, std::span<const uint32_t> held);
  // Everybody in its line has been asked: if it was the key's turn to be loaded, and nobody wanted
  // to, the next one's has come. REQUIRES: its shard's lock is held.
  void PassTurn(const ReadyKey& ready);
  void ServeLater();
  void BindRetry(Waiter& waiter, std::string_view changed_key, ReplyWriter& reply);
  void Retry(Waiter& waiter, std::string_view changed_key);

  // As others may see them.
  std::span<const std::string_view> ShownArgs(std::span<const std::string_view> args);
  void Account(const Client& client, const Command& command, std::span<const std::string_view> args,
               uint64_t errors_before);

  Services& services_;
  Keyspace& keyspace_;
  const CommandTable& commands_;
  Environment& environment_;
  ShardHooks& hooks_;
  ThreadCounters& counters_;
  ErrorCounters& errors_;
  const std::function<void()> refresh_settings_;
  const Settings* settings_ = nullptr;
  Random random_;
  Evictor evictor_;
  CommandContext context_;
  // Of a client that waits: its request may be tried in the middle of another's.
  CommandContext retry_context_;
  ShardLocks locks_;
  HoldWatch hold_watch_;
  std::vector<ReadyKey> ready_;  // Changed by what runs now, with somebody waiting for them.
  std::vector<ReadyKey> later_;  // The same, to be served when all locks are given back.
  std::shared_ptr<Waiter> waiter_;
  std::array<PreparedRequest, kBatch> prepared_;
  bool found_room_ = false;      // In this batch; since then, nothing has run but what only reads.
  uint64_t last_name_word_ = 0;  // See FindCommand.
  const Command* last_command_ = nullptr;
  uint8_t rounds_without_blobs_ = 0;  // For how many more of them none are fetched ahead.
  std::vector<KeyPosition> positions_;
  std::vector<std::string_view> shown_args_;
  uint64_t last_cycles_ = 0;  // When the previous command ended.
  // From here on a duration interests the slow log or the latency monitor.
  int64_t notable_nanoseconds_ = 0;
  const double nanos_per_cycle_;
};

}  // namespace larder
