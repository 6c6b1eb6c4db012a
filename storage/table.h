// The hash table of one database in one shard: linear hashing (Litwin 1980) over buckets of one
// cache line.
//
// It grows and shrinks one bucket at a time: with n buckets, growth splits bucket n - 2^floor(log2
// n) and appends bucket n; shrinking undoes that. There is no rehash, no second table, and the load
// stays constant. Buckets live in segments of 16, found through pages of 512 segments, so that
// nothing larger than 8 KiB is ever copied, whatever the table's size.
//
// Expiry needs no index either: a bucket knows a lower bound of the expiries in it, a segment one
// of its buckets, and the table one of its segments. Setting an expiry lowers the bounds; they rise
// again when the walk of the due ones (NextDue) looks. A hash with fields that expire counts with
// the bound of its own table.
//
// The table owns its entries. It knows no time, no observer and no snapshot: Shard does what those
// need before it changes a bucket.
//
// Concurrency: shard-guarded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/functional/function_ref.h"
#include "base/random.h"
#include "storage/bucket.h"
#include "storage/entry.h"
#include "storage/type_usage.h"
#include "storage/types.h"

namespace larder {

class Table {
 public:
  // Growth keeps the load below 6.5 entries a bucket, overflow not counted: more saves little, for
  // chains cost what emptier buckets would, and a lookup in a chain is another cache miss.
  static constexpr uint64_t kGrowAtHalves = 13;
  static constexpr uint64_t kShrinkBelow = 3;

  // Where an entry's pointer stands. Valid until the table changes.
  struct Place {
    Bucket* bucket = nullptr;
    unsigned slot = 0;

    explicit operator bool() const { return bucket != nullptr; }
    Entry* entry() const { return bucket->entry(slot); }
  };

  Table() = default;
  ~Table() { Clear(); }
  Table(Table&& other) noexcept { Swap(other); }
  Table& operator=(Table&& other) noexcept {
    Table moved(std::move(other));
    Swap(moved);
    return *this;
  }
  void Swap(Table& other) noexcept;

  uint64_t size() const { return size_; }
  uint64_t volatile_size() const { return volatile_size_; }
  uint32_t bucket_count() const { return bucket_count_; }
  // Entries, what they point to, buckets and directory, allocator rounding included.
  size_t bytes() const { return bytes_; }
  // Adds what the entries are and occupy, without buckets and directory.
  void AddUsageTo(UsageByType& usage) const;

  // ---- Finding. All but Find need a table with a bucket.
  Place Find(const HashedKey& key) const;
  uint32_t BucketIndex(uint64_t hash) const {
    const auto index = static_cast<uint32_t>(hash) & mask_;
    return index < bucket_count_ ? index : index & (mask_ >> 1);
  }
  Bucket& bucket(uint32_t index) const { return SegmentOf(index).buckets[index % kSegmentBuckets]; }
  void PrefetchBucket(uint64_t hash) const {
    if (bucket_count_ != 0) Prefetch(&bucket(BucketIndex(hash)));
  }
  // `to_end`: also what stands behind the value (its freshness), if that is not long.
  void PrefetchEntry(uint64_t hash, bool to_end = false) const;
  // The first entry with the hash's fingerprint: nearly always the one that is looked for.
  const Entry* LikelyEntry(uint64_t hash) const;
  // The first entry whose hash has the same fingerprint and the same low `bits` bits as `hash`, and
  // for which wanted(entry) is true; null if there is none. Keys are hashed to compare those bits.
  Entry* FindLike(uint64_t hash, int bits, absl::FunctionRef<bool(Entry&)> wanted) const;
  // The beginning of the collection or blob to which the entry points. False if it has neither.
  bool PrefetchValue(uint64_t hash) const;

  // Where the entry stands that is, or was until it moved, at `address`: only addresses are
  // compared. REQUIRES: it is in the table, under this hash.
  Place PlaceOf(uint64_t hash, const void* address) const;

  // Uniform over all entries. REQUIRES: size() > 0.
  Entry* RandomEntry(Random& random) const {
    uint32_t index = 0;
    return RandomPlace(random, index).entry();
  }
  // The same; `index` becomes that of its bucket, as Remove takes it.
  Place RandomPlace(Random& random, uint32_t& index) const;
  // Visits the bucket in which `cursor` stands and returns the start of the next, 0 after the last.
  //
  // A cursor is a point in the space of hashes with their low 48 bits reversed. There a bucket with
  // l significant bits is one interval, which a split halves and a merge doubles. So whatever the
  // table does between two calls, everything before the cursor has been visited.
  uint64_t Scan(uint64_t cursor, absl::FunctionRef<void(Entry&)> visit) const;
  // The same walk for who moves what entries occupy (Entry::Relocate).
  uint64_t Relocate(uint64_t cursor, absl::FunctionRef<void*(void*, size_t)> move);

  // ---- Changing.
  // Creates the first bucket if there is none. `version` is what its buckets start with.
  void Prepare(uint32_t version) {
    if (bucket_count_ == 0) CreateFirstBucket(version);
  }
  // REQUIRES: Prepare() was called, the key is not there.
  void Insert(uint64_t hash, Entry* entry);
  // The `position`th entry of a bucket's chain, or nothing behind the last.
  Place PlaceAt(uint32_t index, unsigned position) const;
  void PrefetchEntries(uint32_t index) const { PrefetchChain(bucket(index)); }
  template <typename Visit>
  void ForEachIn(uint32_t index, Visit visit) const {
    ForEachInChain(bucket(index), visit);
  }
  // Forgets the entry without freeing it; the chain's last entry takes its place.
  Entry* Remove(uint32_t index, Place place);
  // What is counted for an entry; to be taken before it is changed.
  struct Counted {
    explicit Counted(const Entry& entry)
        : bytes(entry.allocated_bytes()), type(entry.type()), has_expiry(entry.has_expiry()) {}
    size_t bytes;
    ValueType type;
    bool has_expiry;
  };
  // The entry at `place` is now `entry`, which may be at another address, with other sizes:
  // `before` tells what was counted for it.
  void Update(uint64_t hash, Place place, Entry* entry, const Counted& before);

  // Splits buckets ahead of time, while they are empty and splitting costs next to nothing: for so
  // many entries. REQUIRES: size() == 0, Prepare() was called.
  void Reserve(uint64_t entries) {
    while (entries * 2 > uint64_t{bucket_count_} * kGrowAtHalves) Grow();
  }
  // A copy of the same shape, without hashing a key; `copy` makes each entry's.
  static Table CopyOf(const Table& other, absl::FunctionRef<Entry*(const Entry&)> copy);

  // What an entry of this type points to has grown by so much.
  void AddBytes(ValueType type, int64_t bytes) {
    bytes_ += static_cast<size_t>(bytes);
    if (type != ValueType::kString)
      UsageOf(*collections_, type).bytes += static_cast<size_t>(bytes);
  }

  bool WantsToGrow() const { return size_ * 2 > uint64_t{bucket_count_} * kGrowAtHalves; }
  // Brings in what the next Grow will read: the bucket two insertions ahead, its entries one ahead.
  void PrefetchGrowth() const {
    const uint64_t left = uint64_t{bucket_count_} * kGrowAtHalves - size_ * 2;
    if (left >= 4) [[likely]]
      return;
    if (left >= 2) return Prefetch(&bucket(split_index()));
    PrefetchChain(bucket(split_index()));
  }
  bool WantsToShrink() const {
    return bucket_count_ > 1 && size_ < uint64_t{bucket_count_} * kShrinkBelow;
  }
  // The bucket that the next Grow() splits, and the two that the next Shrink() merges.
  uint32_t split_index() const { return bucket_count_ - std::bit_floor(bucket_count_); }
  uint32_t last_index() const { return bucket_count_ - 1; }
  uint32_t merge_index() const { return last_index() - std::bit_floor(last_index()); }
  void Grow();
  void Shrink();

  // ---- Expiry.
  // Nothing expires before this tick.
  uint64_t due_tick() const { return due_tick_; }
  // The hash `entry` has fields that expire, perhaps sooner than was known.
  void NoteDueFields(uint64_t hash, const Entry& entry);
  bool HasDue(uint64_t tick) const { return due_tick_ <= tick; }
  // Continues the walk over the buckets whose bound is at most `tick`. Returns the next such
  // bucket, kNone when the walk has gone round (`budget` > 0) or `budget` is used up (0). The
  // caller removes what has expired from the bucket and calls RefreshTick.
  uint32_t NextDue(uint64_t tick, size_t& budget);
  void RefreshTick(uint32_t index);
  static constexpr uint32_t kNone = UINT32_MAX;

  // ---- Freeing. Drops up to `buckets` buckets with their entries, from the end; true when done.
  // Only for a table that nobody looks at any more.
  bool ClearSome(uint32_t buckets);
  void Clear() {
    while (!ClearSome(UINT32_MAX)) {
    }
  }

  // ---- Snapshot, see Shard.
  struct Walk {
    bool pending = false;  // Buckets whose version is not the shard's epoch are still to be seen.
    int db = 0;            // The number that the database had when the snapshot began.
    uint32_t next = 0;     // All buckets before it have been seen.
  };
  Walk& walk() { return walk_; }
  const Walk& walk() const { return walk_; }
  void ResetVersions(uint32_t version) {
    for (uint32_t index = 0; index < bucket_count_; ++index) bucket(index).set_version(version);
  }

  // Aborts if anything is not as this file says. For tests.
  void CheckInvariants() const;

 private:
  static constexpr uint32_t kSegmentBuckets = 16;
  static constexpr uint32_t kPageSegments = 512;
  // The last segment doubles from here up; the first starts with a single bucket.
  static constexpr uint32_t kMinLastCapacity = 16;

  struct Segment {
    Bucket* buckets;
    uint64_t due_tick;  // At most the tick of each of its buckets.
  };

  Segment& SegmentOf(uint32_t index) const {
    const uint32_t segment = index / kSegmentBuckets;
    if (segment < kPageSegments) [[likely]]
      return first_page_[segment];
    return more_pages_[segment / kPageSegments - 1][segment % kPageSegments];
  }
  uint32_t segment_count() const { return (bucket_count_ + kSegmentBuckets - 1) / kSegmentBuckets; }

  void CreateFirstBucket(uint32_t version);
  Bucket& AppendBucket();
  void DropLastBucket();
  void AddSegment(uint32_t capacity);
  void AddPageFor(uint32_t segment);
  void DropPageOf(uint32_t segment);
  void ResizeLastSegment(uint32_t capacity);

  void AddToChain(Bucket& home, uint8_t fingerprint, Entry* entry);
  void FreeOverflow(Bucket* overflow);
  void FreeChain(Bucket& home);
  void LowerTick(uint32_t index, uint64_t tick);
  template <typename Visit>
  static void ForEachInChain(const Bucket& home, Visit visit) {
    for (const Bucket* bucket = &home; bucket != nullptr; bucket = bucket->overflow()) {
      for (unsigned slot = 0, count = bucket->count(); slot < count; ++slot) {
        visit(bucket->entry(slot));
      }
    }
  }
  static void PrefetchChain(const Bucket& home);
  // Where a scan goes on behind this bucket.
  uint64_t CursorAfter(uint32_t index) const;

  void CountEntry(const Entry& entry);
  void UncountEntry(const Entry& entry);
  void CountCollection(ValueType type, size_t bytes);
  void UncountCollection(ValueType type, size_t bytes);
  void DropCollectionCounts();
  // Buckets or directory have grown by so much.
  void AddStructure(int64_t bytes) {
    bytes_ += static_cast<size_t>(bytes);
    structure_bytes_ += static_cast<size_t>(bytes);
  }

  uint32_t bucket_count_ = 0;
  uint32_t mask_ = 0;  // bit_ceil(bucket_count_) - 1.
  Segment* first_page_ = nullptr;
  uint64_t size_ = 0;
  size_t bytes_ = 0;
  uint64_t volatile_size_ = 0;
  uint64_t due_tick_ = kNoTick;   // At most the tick of each segment.
  uint64_t pass_tick_ = kNoTick;  // The same for those that NextDue has passed in this round.
  uint32_t pass_segment_ = 0;     // Where NextDue goes on.

  uint16_t first_page_capacity_ = 0;
  uint8_t last_capacity_ = 0;   // Buckets for which the last segment has room.
  uint8_t pass_offset_ = 0;     // The bucket in pass_segment_; may be one past its end.
  uint8_t longest_chain_ = 1;   // Buckets in the longest chain since the table was empty.
  uint32_t more_capacity_ = 0;  // Pages for which more_pages_ has room.
  Segment** more_pages_ = nullptr;
  Walk walk_;
  // Of bytes_, what is no entry's.
  size_t structure_bytes_ = 0;
  // All but strings, which are the rest: they are counted without touching a cache line more than
  // an insertion does anyway. Null until there is a collection.
  std::unique_ptr<UsageByType> collections_;
};

}  // namespace larder
