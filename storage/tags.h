// Tags: names under which values are stored, so that all values under one can be made stale at
// once, in constant time, wherever they are.
//
// Invalidations are numbered, all of a table in one sequence. A tag knows the number of its last
// one, and a value (TagStamp) those that its tags had when it was stored: it is stale by tag when
// one differs. Whoever reads a value finds out; nobody goes looking for it.
//
// The numbers also fence. What somebody has begun to load after invalidation n, and stores under a
// tag, may be stored if the tag's number is at most n. That is why a tag is remembered without
// values too, for as long as there is room; one that the table does not know counts as invalidated
// when the last was forgotten.
//
// Concurrency: TagTable is safe from any thread; its mutexes are leaves of the lock order and may
// be taken below a shard's. A TagStamp is guarded as what owns it is: an entry by its shard's lock.
// Stamps must not outlive their table.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/clock.h"
#include "storage/freshness.h"

namespace larder {

class TagStamp;
struct TagStampDeleter {
  void operator()(TagStamp* stamp) const;
};
using TagStampPtr = std::unique_ptr<TagStamp, TagStampDeleter>;

class TagTable {
 public:
  // Of one value. Each is a comparison when the value is read.
  static constexpr size_t kMostTags = 16;

  TagTable();
  ~TagTable();
  TagTable(const TagTable&) = delete;
  TagTable& operator=(const TagTable&) = delete;

  // The number of the last invalidation of any tag; 0 before the first. What happened before an
  // invalidation began sees a lower number than the invalidation's.
  uint64_t sequence() const { return sequence_.load(); }

  // For a value that is stored now under these tags. REQUIRES: they are different ones, and no more
  // than kMostTags.
  TagStampPtr Stamp(std::span<const std::string_view> names);
  // Makes all values stale that carry the tag. False if none does; the tag is remembered.
  bool Invalidate(std::string_view name, UnixMillis now);

  // How many tags are known, with and without values.
  size_t size() const;

 private:
  friend class TagStamp;
  friend struct TagStampDeleter;

  struct Tag;
  struct Stripe;

  Stripe& StripeOf(std::string_view name);

  std::atomic<uint64_t> sequence_{0};
  const std::unique_ptr<Stripe[]> stripes_;
};

// The tags of one value, in one allocation, with its own freshness beside.
class TagStamp {
 public:
  // What the value's own freshness makes of it, and its tags: one that is stale by tag has been for
  // kStaleForAll when the last invalidation was made.
  Freshness freshness() const;
  // The value's own.
  uint64_t own_freshness() const { return own_freshness_; }
  void set_own_freshness(uint64_t packed) { own_freshness_ = packed; }

  // The number of the last invalidation of any of its tags: now, and when it was made.
  uint64_t InvalidatedAt() const;
  uint64_t InvalidatedBefore() const;
  // Whether these differ for any of its tags.
  bool IsOutdated() const;

  size_t size() const { return size_; }
  std::string_view name(size_t index) const;

  // For a copy of the value: as stale as this one.
  TagStampPtr Clone() const;
  size_t allocated_bytes() const;

  // As the freshness word of an entry holds it: it names the stamp, and does not own it.
  uint64_t Pack() const { return Freshness::kIsElsewhere | reinterpret_cast<uintptr_t>(this); }

 private:
  friend class TagTable;
  friend struct TagStampDeleter;
  using Tag = TagTable::Tag;

  struct Mark {
    Tag* tag;
    uint64_t seen;  // Its number when the value was stored.

    // Its number now.
    uint64_t Now() const;
  };

  explicit TagStamp(size_t size) : size_(size) {}
  // Its marks are to be written.
  static TagStampPtr Create(size_t size);
  static size_t BytesFor(size_t marks);

  // They stand behind the object.
  const Mark* marks() const { return reinterpret_cast<const Mark*>(this + 1); }
  Mark* marks() { return reinterpret_cast<Mark*>(this + 1); }

  uint64_t own_freshness_ = Freshness{}.Pack();
  size_t size_;
};

}  // namespace larder
