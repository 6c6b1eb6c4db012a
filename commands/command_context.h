// What a handler sees while it runs: the request, its keys with their shards locked, the reply, the
// client and the process. A handler parses everything, then looks up, then changes, then replies; a
// command that is refused has changed nothing. It takes no lock, does no I/O and never waits.
//
// Keys are named by their number among the keys that the command's row declares, not by argument:
// for GET key 0, for RENAME keys 0 and 1.
//
// Concurrency: thread-confined; lives for one request (and is reused for the next).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "base/clock.h"
#include "base/random.h"
#include "commands/client.h"
#include "commands/command_table.h"
#include "commands/services.h"
#include "commands/settings.h"
#include "eviction/access_clock.h"
#include "eviction/eviction_domains.h"
#include "protocol/error_text.h"
#include "protocol/reply_writer.h"
#include "protocol/request_parser.h"
#include "storage/entry.h"
#include "storage/keyspace.h"
#include "storage/shard.h"

namespace larder {

// What one thread counts while it runs commands; readers add up all threads.
struct ThreadCounters;  // commands/thread_counters.h

// What looking for a string found.
enum class Found : uint8_t { kNothing, kValue, kWrongType };

// One keyspace event, sent after the shards are unlocked.
struct KeyspaceEvent {
  uint32_t notify_class;
  std::string_view event;  // A literal.
  int db;
  std::string key;
};

class CommandContext {
 public:
  // ---- The request.
  const Command& command() const { return *command_; }
  size_t argc() const { return args_.size(); }
  std::string_view arg(size_t index) const { return args_[index]; }
  std::span<const std::string_view> args() const { return args_; }
  // The blob that a large argument was received into, or an empty reference. Moves it out.
  BlobRef TakeBlob(size_t arg_index);

  // Argument `index` is a secret: MONITOR and the slow log show "(redacted)" in its place.
  void RedactArg(size_t index) { redacted_args_.push_back(static_cast<uint32_t>(index)); }

  ReplyWriter& reply() { return *reply_; }
  Client& client() { return *client_; }
  Services& server() { return *services_; }
  const Settings& settings() const { return *settings_; }
  Random& random() { return *random_; }
  const AccessClock& access_clock() const { return access_clock_; }
  int db() const { return client_->db; }
  // Read once a batch (inside MULTI: once for the whole transaction).
  UnixMillis now() const { return now_; }
  // Running inside EXEC, where nothing may block.
  bool in_transaction() const { return in_transaction_; }

  // ---- Keys. Their shards are locked.
  size_t key_count() const { return keys_.size(); }
  const HashedKey& key(size_t key) const { return keys_[key]; }
  // The argument in which key number `key` stands.
  size_t key_arg(size_t key) const { return key_args_[key]; }
  Shard& shard(size_t key) { return *shards_[key]; }

  // The live entry or null; counts as an access (hit or miss, idle time, frequency).
  Entry* Find(size_t key);
  // The same for what asks about a key and not for its value (EXISTS, TTL, TYPE): a hit or a miss,
  // but no access.
  Entry* Inspect(size_t key);
  // The same without counting and without touching (OBJECT and other debugging).
  Entry* Peek(size_t key) { return PeekIn(db(), key); }
  // In another database of the same shard (MOVE, COPY).
  Entry* PeekIn(int db, size_t key);
  // Find, wanting a string. On kValue `value` is readable while the shard is unchanged.
  Found FindString(size_t key, StringValue& value);
  // Find for a write: misses and hits are not counted, as Redis does not for writes.
  Entry* FindForWrite(size_t key);

  // Changes, all in the client's database; each marks the key dirty (rdb_changes_since_last_save).
  Entry* SetString(size_t key, std::string_view value, UnixMillis expiry,
                   const Freshness* freshness = nullptr);
  // From argument `arg_index`: moves its blob in if it has one, else copies the bytes.
  Entry* SetStringFromArg(size_t key, size_t arg_index, UnixMillis expiry,
                          const Freshness* freshness = nullptr);
  // The same, not looked at for a number.
  Entry* SetText(size_t key, std::string_view value, UnixMillis expiry);
  // The same, held as bytes that are edited; see Shard.
  Entry* SetRawString(size_t key, std::string_view value, UnixMillis expiry);
  Entry* SetBlob(size_t key, BlobRef value, UnixMillis expiry);
  Entry* SetInteger(size_t key, int64_t value, UnixMillis expiry);
  // Null: the key is created. REQUIRES: otherwise that it holds a string.
  std::span<char> EditString(size_t key, Entry*& entry, size_t size);
  // Redis holds a string as bytes once somebody has tried to edit it, even if nothing changed.
  void MakeRaw(size_t key, Entry*& entry);
  // Collections are edited through Edit (commands/edit.h), which stands on these three.
  // Creates or replaces the key; the shard owns the object from then on.
  Entry* SetObject(size_t key, const Object& object, UnixMillis expiry);
  void BeginEdit(size_t key, Entry* entry);
  void EndEdit(size_t key, Entry* entry, const Object& object, size_t bytes_before, bool changed);
  Entry* SetExpiry(size_t key, Entry* entry, UnixMillis expiry);
  Entry* SetFreshness(size_t key, Entry* entry, const Freshness& freshness);
  // Part of a SetString or its like with a freshness, which comes before.
  void SetTags(size_t key, Entry* entry, TagStampPtr tags);
  // True if there was one. `lazy` asks for background freeing.
  bool Erase(size_t key, Shard::Reclaim reclaim);
  // Removes a collection in which nothing is left; that it was emptied has been counted.
  void EraseEmptied(size_t key);
  void MarkDirty(int64_t changes = 1) { dirty_ += changes; }

  // Notes an access to an entry of `shard`, which is locked, whose key has this hash.
  void TouchIn(Shard& shard, uint64_t hash, Entry& entry);
  // A value has come under key number `key`, in whichever database, from another key or database
  // with its access bits: to *-lrm that is a change.
  void NotePlaced(size_t key, Entry& entry);
  // Whether the access bits of entries in `shard`, which is locked, are those of access_clock().
  // While the policy changes they may not be, and are left alone.
  bool ClockHolds(Shard& shard) const;

  // A keyspace event about key number `key`, if anybody configured them.
  void Notify(uint32_t notify_class, std::string_view event, size_t key) {
    if ((settings_->notify_events & notify_class) != 0) [[unlikely]] {
      QueueEvent(notify_class, event, client_->db, keys_[key].text);
    }
  }
  void NotifyIn(int db, uint32_t notify_class, std::string_view event, std::string_view key) {
    if ((settings_->notify_events & notify_class) != 0) QueueEvent(notify_class, event, db, key);
  }

  // ---- The whole keyspace, for rows flagged kShardByShard or kAllShards. Locks each shard in turn
  // unless all are held already. The visitor returns false to stop.
  void ForEachShard(absl::FunctionRef<bool(Shard&)> visit);
  // One shard, by number; the same rules.
  void WithShard(uint32_t shard_id, absl::FunctionRef<void(Shard&)> visit);
  // A key that no row declares (DEBUG OBJECT, OBJECT of a name found by SCAN), the same rules.
  void WithKey(std::string_view key, absl::FunctionRef<void(Shard&, const HashedKey&)> visit);
  // The live entry of a key that no row declares, or null; counts as an access. REQUIRES: the row's
  // needs_all_shards has said so.
  Entry* FindNamed(const HashedKey& key);
  // Watchers of every key of database `db` in `shard` are told that it changes (FLUSH).
  void NotifyDatabaseChanging(Shard& shard, int db);
  // Watchers of every key that either database has are told that it changes (SWAPDB).
  void NotifyDatabasesSwapping(Shard& shard, int a, int b);

  // ---- Stampede protection: leases of key number `key`.
  LeaseTable& leases(size_t key);
  // The rule that applies to it; null if none does.
  const StampedeRule* RuleFor(size_t key) const;
  // Where what happens to the key counts.
  const std::shared_ptr<StampedeFigures>& FiguresFor(size_t key) const;
  // A lease has ended and no value has come: who waits for the key is to ask again.
  void LeasesChanged(size_t key);
  // The same when the lease that there is ends by itself. A key in line for one is woken anyway.
  void WakeAtEndOfLease(size_t key);
  size_t WaiterCount(size_t key);

  // ---- Waiting. The connection handles no further request until `deadline` (MonoTime::max():
  // never) or CLIENT UNBLOCK; then `on_timeout` writes the reply. The handler must not have
  // replied. REQUIRES: !in_transaction().
  struct Block {
    MonoTime deadline;
    std::function<void(ReplyWriter&)> on_timeout;
    // What CLIENT UNBLOCK id ERROR answers.
    std::string_view unblocked_error = "UNBLOCKED client unblocked via CLIENT UNBLOCK";
    // BlockOnKeys: that a key is gone is a reason to go on too (XREADGROUP).
    bool when_deleted = false;
    // BlockOnKeys: what the handler sees in place of these arguments when it is called again.
    std::vector<std::pair<size_t, std::string>> replaced_args = {};
  };
  void BlockClient(Block block);
  // The same until one of the request's keys numbered `keys` lets it go on (BLPOP, XREAD BLOCK):
  // whenever a command has changed one of them, the handler is called again with the shards of all
  // the request's keys locked, first come first served. If it replies, that is the client's reply;
  // if it calls BlockOnKeys again, the client goes on waiting, its deadline unchanged. Of `keys` it
  // finds only the one that changed, as if the others were empty: in Redis that one is served.
  void BlockOnKeys(Block block, std::span<const size_t> keys);
  // Called again for a client that waits. A key that holds the wrong type is no reason to go on.
  bool retrying() const { return retrying_; }
  // When it began to wait. REQUIRES: retrying().
  MonoTime waiting_since() const { return waiting_since_; }
  // Whether it is key number `key` that has changed. REQUIRES: retrying().
  bool WokenBy(size_t key) const { return !IsHidden(key); }

 private:
  friend class Dispatcher;  // server/dispatcher.h prepares a context and takes its results.

  // Before key number `key` is written: whether that creates it may interest somebody.
  void NotifyIfNew(size_t key) {
    if ((settings_->notify_events & kNotifyNew) != 0 && Peek(key) == nullptr) [[unlikely]] {
      QueueEvent(kNotifyNew, "new", client_->db, keys_[key].text);
    }
  }
  void QueueEvent(uint32_t notify_class, std::string_view event, int db, std::string_view key);
  // The entry of key number `key` is accessed. However often a handler comes back to it, that is
  // one access.
  void Touch(size_t key, Entry& entry);
  // The same of one that was looked up for a command; setting one counts as an access anyway.
  void NoteLookup(size_t key, Entry& entry);
  // What was looked up is now changed in place: that is the access where reading is none.
  void NoteChange(size_t key, Entry& entry);
  // What every write comes down to: the entry has been accessed, and is as large as it is now.
  void Stored(size_t key, Entry& entry) {
    Touch(key, entry);
    if (settings_->miss_ratio_curve) [[unlikely]]
      NoteStore(keys_[key], entry);
  }
  // For the miss-ratio curve, while it is on.
  void NoteRead(const HashedKey& key, const Entry* entry);
  void NoteStore(const HashedKey& key, const Entry& entry);
  void NoteErase(const HashedKey& key);
  // While a request is tried again: one of the keys that it waits for, but not the one that
  // changed.
  bool IsHidden(size_t key) const;

  const Command* command_ = nullptr;
  std::span<const std::string_view> args_;
  std::vector<std::pair<uint32_t, BlobRef>>* blobs_ = nullptr;
  ReplyWriter* reply_ = nullptr;
  Client* client_ = nullptr;
  Services* services_ = nullptr;
  Keyspace* keyspace_ = nullptr;
  const Settings* settings_ = nullptr;
  Random* random_ = nullptr;
  ThreadCounters* counters_ = nullptr;
  UnixMillis now_ = 0;
  AccessClock access_clock_;
  EvictionDomains* eviction_domains_ = nullptr;
  uint64_t touched_ = 0;  // A bit for each of the first keys.
  bool in_transaction_ = false;
  bool all_shards_locked_ = false;
  int64_t dirty_ = 0;
  uint64_t unsampled_reads_ = 0;   // Since the miss-ratio curve was last told of any,
  uint64_t unsampled_misses_ = 0;  // and misses among them.

  std::vector<uint32_t> redacted_args_;
  std::vector<HashedKey> keys_;
  std::vector<uint32_t> key_args_;
  std::vector<Shard*> shards_;
  std::vector<KeyspaceEvent> events_;
  Block block_{};
  bool block_requested_ = false;
  bool retrying_ = false;
  MonoTime waiting_since_{};        // While retrying_.
  std::string_view retry_key_;      // What has changed, while retrying_,
  std::vector<size_t> retry_keys_;  // among these.
  std::vector<size_t> block_keys_;  // Of the request; empty: it waits for no key.
};

}  // namespace larder
