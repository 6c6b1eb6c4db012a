// One part of the keyspace: for each database a table, with its expiry and snapshot state, behind
// one mutex. The dispatcher locks, handlers never do.
//
// Every change of a key goes through one private call, BeforeMutation, so that the snapshot walk,
// WATCH, client tracking and (later) replication each hook in one place. The public calls below
// all make it.
//
// Concurrency: guarded by mu(). Lock order: shards by ascending id, all before any other mutex.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "base/blob.h"
#include "base/mutex.h"
#include "base/random.h"
#include "storage/entry.h"
#include "storage/pinned_keys.h"
#include "storage/resident_listener.h"
#include "storage/table.h"
#include "storage/tags.h"
#include "storage/types.h"

namespace larder {

class LazyFree;
class MemberTable;
class Shard;
class SnapshotSink;

// Why a key changes.
enum class KeyChange : uint8_t {
  kWritten,  // Somebody wants it to.
  kExpired,  // Its time has come, or that of fields in it.
  kEvicted,  // Others need its room.
};

// What the layers above want to know about keys. Called with the shard's lock held, on whatever
// thread made the change: do little, lock nothing of a lower order.
class ShardObserver {
 public:
  virtual ~ShardObserver() = default;
  // A key is about to be changed, removed or created; or, if it is a collection edited in place,
  // has just been changed. Only called while the shard is observed (Shard::set_observed), so that
  // nobody pays when nobody listens.
  virtual void OnKeyChanging(Shard& shard, int db, std::string_view key, KeyChange change) = 0;
  // A key was removed because its time had come.
  virtual void OnKeyExpired(Shard& shard, int db, std::string_view key) = 0;
  // Fields of a hash were removed because their time had come, and with the last one the key.
  virtual void OnFieldsExpired(Shard& /*shard*/, int /*db*/, std::string_view /*key*/,
                               size_t /*fields*/, bool /*key_removed*/) {}
  // Whether what has expired stays for now, unseen, instead of being removed (CLIENT PAUSE). Only
  // asked when there is something to remove.
  virtual bool HoldsExpired() const { return false; }
};

struct ShardOptions {
  int databases = 16;  // Of the keyspace. A shard makes room for those that are used.
  ShardObserver* observer = nullptr;  // Outlives the shard. May be null.
  // Outlives the shard; Keyspace brings its own. Null: everything is freed in place.
  LazyFree* lazy_free = nullptr;
  // How many keys of all shards are pinned. Outlives the shard; Keyspace brings its own. May be
  // null.
  std::atomic<int64_t>* pinned_keys = nullptr;
};

class alignas(64) Shard {
 public:
  Shard(uint32_t id, const ShardOptions& options);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  Mutex& mu() ABSL_LOCK_RETURNED(mu_) { return mu_; }
  uint32_t id() const { return id_; }

  // ---- Looking ahead: for a pipeline's keys, first all buckets, then all entries, then the
  // collections to which these point. Harmless hints.
  void PrefetchBucket(int db, uint64_t hash) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void PrefetchEntry(int db, uint64_t hash, bool to_end = false) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool PrefetchValue(int db, uint64_t hash) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The members of a key's set, hash or sorted set, to look them up ahead in turn: null if there is
  // no such key or its members are in no hash table. A hint: seldom it is another key's.
  const MemberTable* LikelyMembers(int db, uint64_t hash) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // ---- Reading.
  // The live entry or null. An entry past its expiry at `now` is removed (and observed) unless
  // lazy removal is off, and in either case not returned.
  Entry* Find(int db, const HashedKey& key, UnixMillis now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  size_t size(int db) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  size_t volatile_size(int db) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);  // Keys with a TTL.
  // Sum of remaining TTLs is not kept; this samples: average over up to 16 keys, 0 if none.
  int64_t AverageTtl(int db, UnixMillis now, Random& random) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // A uniformly random entry (expired ones included; the caller filters), null if empty.
  Entry* RandomEntry(int db, Random& random) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // An entry of any database whose key's hash agrees with `hash` in the fingerprint and in the low
  // `bits` bits, and for which wanted(entry) is true; its database in `db`. Null if there is none.
  Entry* FindLike(uint64_t hash, int bits, absl::FunctionRef<bool(Entry&)> wanted, int& db)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Visits at least one bucket's entries from `cursor` on; returns the next cursor, 0 at the end.
  // Redis's SCAN guarantee: an entry present from the first call to the last is visited at least
  // once, whatever the table does in between. `visit` must not change the shard.
  uint64_t Scan(int db, uint64_t cursor, const std::function<void(Entry&)>& visit)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Offers move(memory, bytes) what the entries of one bucket occupy, walking as Scan does; it
  // returns where that is now. Nothing but addresses changes, so nobody is told.
  uint64_t Relocate(int db, uint64_t cursor, absl::FunctionRef<void*(void*, size_t)> move)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // ---- Changing. Each returns the entry where it now is.
  // Creates or replaces `key` with a string that is held as compactly as it can be; the access bits
  // of a new entry are 0. `expiry` replaces whatever was set: pass the old one to keep it. So does
  // `freshness`, null for none; whatever else below changes a value leaves it without, and without
  // tags.
  Entry* SetString(int db, const HashedKey& key, std::string_view value, UnixMillis expiry,
                   const Freshness* freshness = nullptr) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Entry* SetBlob(int db, const HashedKey& key, BlobRef value, UnixMillis expiry,
                 const Freshness* freshness = nullptr) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The same, held as bytes that somebody edits (OBJECT ENCODING says "raw"), never as a number.
  // `value` may be a view of what the key holds.
  Entry* SetRawString(int db, const HashedKey& key, std::string_view value, UnixMillis expiry)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The same, not looked at for a number (OBJECT ENCODING says "embstr" of a short one).
  Entry* SetText(int db, const HashedKey& key, std::string_view value, UnixMillis expiry)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The same for a number, kept as one.
  Entry* SetInteger(int db, const HashedKey& key, int64_t value, UnixMillis expiry)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Makes the string `entry` `size` bytes long (never shorter than it is), new bytes zero, held so
  // that it can be edited, and gives its bytes for writing. `entry` is updated when it moves.
  std::span<char> EditString(int db, const HashedKey& key, Entry*& entry, size_t size)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Holds the string as SetRawString would. No change: what it says stays the same.
  Entry* MakeRaw(int db, const HashedKey& key, Entry* entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Creates or replaces `key` with a collection, which is the shard's from then on.
  Entry* SetObject(int db, const HashedKey& key, const Object& object, UnixMillis expiry)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The collection of `entry` is changed in place, through a handle made of entry->object(), after
  // BeginEdit (a snapshot may still want what it holds) and before EndEdit, which is told where
  // the value is now and what it occupied at first. Other keys may change in between.
  void BeginEdit(int db, const HashedKey& key, Entry* entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // `changed`: the edit was more than an attempt, and who watches the key is to know.
  void EndEdit(int db, const HashedKey& key, Entry* entry, const Object& object,
               size_t bytes_before, bool changed) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Removes fields of a hash whose time has come, those of a large one perhaps not all (lazy
  // expiry). Returns the entry, or null if nothing was left in it.
  Entry* ExpireFields(int db, const HashedKey& key, Entry* entry, UnixMillis now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Sets (kNoExpiry: removes) the expiry of an existing entry.
  Entry* SetExpiry(int db, const HashedKey& key, Entry* entry, UnixMillis expiry)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Sets the freshness of an existing string, or removes it (null), with the tags if it has any.
  Entry* SetFreshness(int db, const HashedKey& key, Entry* entry, const Freshness* freshness)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Tags a string that has just been set with a freshness: part of that change.
  void SetTags(int db, const HashedKey& key, Entry* entry, TagStampPtr tags)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  enum class Reclaim : uint8_t {
    kNow,         // Free in place, unless that takes long.
    kBackground,  // Hand large values to the background thread (UNLINK, lazyfree-*).
  };
  // False if there was no such key.
  bool Erase(int db, const HashedKey& key, Reclaim reclaim, KeyChange change = KeyChange::kWritten)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // A value on its way to another key, database or shard (RENAME, MOVE, COPY).
  // Frees the value if it is never attached.
  class Detached {
   public:
    ~Detached();
    Detached(const Detached&) = delete;
    Detached& operator=(const Detached&) = delete;
    // As it was under its old key.
    const Entry& entry() const { return *entry_; }

   private:
    friend class Shard;
    explicit Detached(Entry* entry, bool pinned = false) : entry_(entry), pinned_(pinned) {}
    Entry* entry_;
    bool pinned_;  // The key was, and so will be the one that gets the value.
  };
  // Copies value, expiry, freshness, tags and access bits of `entry`; blobs are shared, collections
  // are copied.
  std::unique_ptr<Detached> Clone(const Entry& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Takes the value out, erasing the key.
  std::unique_ptr<Detached> Extract(int db, const HashedKey& key, Entry* entry)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Creates or replaces `key` with it.
  Entry* Attach(int db, const HashedKey& key, std::unique_ptr<Detached> value)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // ---- Pinned keys, which nothing evicts. A pin belongs to a key that exists: it stays whatever
  // the key is set to, follows Extract and Attach, and goes with the key. False if `most` keys of
  // the keyspace are pinned already. REQUIRES: the key exists.
  bool Pin(int db, const HashedKey& key, int64_t most) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // False if it was not pinned.
  bool Unpin(int db, const HashedKey& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool IsPinned(int db, std::string_view key) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return has_pins_ && pins_->Contains(db, key);
  }
  size_t pinned_size(int db) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return has_pins_ ? pins_->size(db) : 0;
  }
  // Calls visit(entry) for each pinned key, also one past its expiry. `visit` must not change the
  // shard.
  void ForEachPinned(int db, absl::FunctionRef<void(const Entry&)> visit) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Empties a database in constant time: its table goes to the background thread. kNow frees a
  // small one here; a large one would hold the lock for too long, so who promised that its memory
  // is gone waits for LazyFree::Drain once the lock is given back. The observer is not told of each
  // key.
  void Flush(int db, Reclaim reclaim) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void SwapDatabases(int a, int b) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // ---- Upkeep, from the owning thread's timer.
  struct ExpireResult {
    size_t expired = 0;
    bool more = false;  // The budget ran out before the work did.
  };
  // Removes keys whose time has come, looking into at most `max_buckets` buckets, and goes on where
  // the last call ended. Also gives back room that tables no longer need. Costs next to nothing
  // when nothing is due.
  ExpireResult ExpireSome(UnixMillis now, size_t max_buckets) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Bytes held by this shard: entries, values and tables, allocator rounding included.
  size_t memory_bytes() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Adds the keys of all databases and what these occupy, tables not counted, by type.
  void AddUsageTo(UsageByType& usage) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // What the access bits of the entries here mean. Belongs to eviction.
  enum class AccessBits : uint8_t {
    kClock,      // What AccessClock says.
    kUndecided,  // Nothing: those of old entries are being cleared, new ones have none.
    kQueues,     // The lowest four belong to the listener, which is told of what comes and goes.
  };
  AccessBits access_bits() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return access_bits_; }
  // `listener` outlives its use; null for all but kQueues.
  void set_access_bits(AccessBits bits, ResidentListener* listener)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Grows when databases are swapped, which leads a walk by their numbers astray.
  uint32_t database_swaps() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return database_swaps_; }
  // Gives an entry the access bits that another had, or it had in another life. What a listener
  // knows of it stays.
  void InheritAccess(Entry& entry, uint32_t access) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Whether OnKeyChanging is wanted: someone watches or tracks a key here.
  void set_observed(bool observed) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool observed() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return (hooks_ & kObserved) != 0; }
  // DEBUG SET-ACTIVE-EXPIRE and friends: whether Find removes what has expired.
  void set_lazy_expiry(bool enabled) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Aborts if the tables contradict themselves; walks everything. For tests.
  void CheckInvariants() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

 private:
  friend class Snapshot;  // storage/snapshot.h

  enum Hook : uint8_t { kObserved = 1, kSnapshot = 2 };

  const Table* TableOf(int db) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (db == 0) return &first_table_;
    const size_t other = static_cast<size_t>(db) - 1;
    return other < other_tables_.size() ? other_tables_[other].get() : nullptr;
  }
  Table* TableOf(int db) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return const_cast<Table*>(static_cast<const Shard*>(this)->TableOf(db));
  }
  // Where the table of a database is, or is to be. REQUIRES: db is not 0.
  std::unique_ptr<Table>& PlaceOf(int db) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // With at least one bucket.
  Table& UsableTable(int db) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Everything that wants to know of a change hooks in here. Called before the key's bucket
  // changes.
  void BeforeMutation(int db, Table& table, uint64_t hash, std::string_view key,
                      KeyChange change = KeyChange::kWritten) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (hooks_ != 0) [[unlikely]]
      RunHooks(db, table, hash, key, change);
  }
  void RunHooks(int db, Table& table, uint64_t hash, std::string_view key, KeyChange change)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Every entry that comes or goes passes here.
  void TellInserted(uint64_t hash, Entry& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (access_bits_ == AccessBits::kQueues) [[unlikely]]
      residents_->OnInserted(*this, hash, entry);
  }
  void TellErasing(Entry& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (access_bits_ == AccessBits::kQueues) [[unlikely]]
      residents_->OnErasing(*this, HashKeyText(entry.key()), entry);
  }
  void TellVolatility(uint64_t hash, Entry& entry, bool had_expiry)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (access_bits_ == AccessBits::kQueues && entry.has_expiry() != had_expiry) [[unlikely]] {
      residents_->OnVolatilityChanged(*this, hash, entry);
    }
  }

  // What every writing call comes down to.
  Entry* Put(int db, const HashedKey& key, const Entry::Value& value, UnixMillis expiry)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Entry* Replace(Table& table, uint64_t hash, Table::Place place, const Entry::Value& value,
                 UnixMillis expiry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Entry* PutText(int db, const HashedKey& key, std::string_view value, StringEncoding encoding,
                 UnixMillis expiry, const Freshness* freshness) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  static Entry* ChangeFreshness(Table& table, uint64_t hash, Table::Place place,
                                std::optional<uint64_t> packed);
  Entry* Unlink(int db, Table& table, const HashedKey& key, Table::Place place, KeyChange change)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void EditBlob(Table& table, Table::Place place, size_t size) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool MayRemoveExpired() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return lazy_expiry_ && !HoldsExpired();
  }
  bool HoldsExpired() const { return observer_ != nullptr && observer_->HoldsExpired(); }
  void RemoveExpired(int db, Table& table, uint32_t index, Table::Place place, uint64_t hash)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  size_t ExpireBucket(int db, Table& table, uint32_t index, UnixMillis now, size_t& budget)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The same for fields of the hash at `place`. False if the key is gone.
  bool ExpireFieldsAt(int db, Table& table, uint32_t index, Table::Place place, UnixMillis now,
                      size_t& budget) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // A key is about to be removed.
  void ForgetPin(int db, std::string_view key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (has_pins_) [[unlikely]]
      NotePins(-static_cast<int64_t>(pins_->Erase(db, key)));
  }
  // So many more are pinned (fewer if negative).
  void NotePins(int64_t more) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Free(Entry* entry, Reclaim reclaim);
  void FreeObject(const Object& object);

  void GrowIfNeeded(Table& table) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Drops at most `budget` buckets, counting down; a table without entries goes altogether.
  void ShrinkIfNeeded(int db, Table& table, size_t& budget) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ShrinkAfterErase(int db, Table& table) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    size_t budget = 1;
    ShrinkIfNeeded(db, table, budget);
  }

  void BeginSnapshot(SnapshotSink* sink) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Looks into at most `max_buckets`; true when all has been seen.
  bool StepSnapshot(size_t max_buckets) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void EndSnapshot() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool WalkTable(Table& table, size_t& budget) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void HandOver(Table& table, uint32_t index) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Discard(Table&& table, Reclaim reclaim);

  // The first cache lines hold what an access to database 0 needs.
  mutable Mutex mu_;
  const uint32_t id_;
  uint8_t hooks_ ABSL_GUARDED_BY(mu_) = 0;
  bool lazy_expiry_ ABSL_GUARDED_BY(mu_) = true;
  AccessBits access_bits_ ABSL_GUARDED_BY(mu_) = AccessBits::kClock;
  bool has_pins_ ABSL_GUARDED_BY(mu_) = false;  // Whether there are pins_.
  uint32_t epoch_ ABSL_GUARDED_BY(mu_) = 0;     // Of the last snapshot, as Bucket::version counts.
  Table first_table_ ABSL_GUARDED_BY(mu_);
  // Null while empty, and only as many as have been used: most servers use database 0 alone, and
  // places for fifteen more are 128 bytes a shard.
  std::vector<std::unique_ptr<Table>> other_tables_ ABSL_GUARDED_BY(mu_);
  ShardObserver* const observer_;
  LazyFree* const lazy_free_;
  ResidentListener* residents_ ABSL_GUARDED_BY(mu_) = nullptr;  // Set while kQueues.
  uint32_t database_swaps_ ABSL_GUARDED_BY(mu_) = 0;
  std::atomic<int64_t>* const pinned_keys_;
  std::unique_ptr<PinnedKeys> pins_ ABSL_GUARDED_BY(mu_);  // Null while nothing is pinned.
  SnapshotSink* sink_ ABSL_GUARDED_BY(mu_) = nullptr;
  std::vector<Table> flushed_ ABSL_GUARDED_BY(mu_);  // Not entirely seen by the snapshot yet.
};

}  // namespace larder
