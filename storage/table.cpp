#include "storage/table.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

#include "base/allocator.h"
#include "base/check.h"
#include "storage/hash.h"

namespace larder {
namespace {

constexpr int kCursorBits = 48;

Bucket* AllocateBuckets(uint32_t count) {
  return static_cast<Bucket*>(AllocateAligned(count * sizeof(Bucket), alignof(Bucket)));
}

uint64_t ReverseBits(uint64_t x) {
  x = __builtin_bswap64(x);
  x = ((x & 0x0f0f0f0f0f0f0f0f) << 4) | ((x >> 4) & 0x0f0f0f0f0f0f0f0f);
  x = ((x & 0x3333333333333333) << 2) | ((x >> 2) & 0x3333333333333333);
  return ((x & 0x5555555555555555) << 1) | ((x >> 1) & 0x5555555555555555);
}

uint64_t ReverseCursor(uint64_t x) { return ReverseBits(x) >> (64 - kCursorBits); }

// The tick before which nothing of the entry has to go: neither itself nor, of a hash, a field.
uint64_t DueTick(const Entry& entry) {
  const uint64_t tick = entry.has_expiry() ? TickOf(entry.expiry()) : kNoTick;
  if (!entry.has_timed_fields()) [[likely]]
    return tick;
  return std::min(tick, Hash(entry.object()).due_tick());
}

template <typename T>
int64_t BytesOf(size_t count) {
  return static_cast<int64_t>(count * sizeof(T));
}

// The same, as the allocator rounds it.
template <typename T>
int64_t RoundedBytesOf(size_t count) {
  return count == 0 ? 0 : static_cast<int64_t>(SizeClass(count * sizeof(T)));
}

void PrefetchEntryLines(const Entry* entry) {
  Prefetch(entry);
  Prefetch(reinterpret_cast<const char*>(entry) + 64);
}

}  // namespace

void Table::Swap(Table& other) noexcept {
  std::swap(bucket_count_, other.bucket_count_);
  std::swap(mask_, other.mask_);
  std::swap(first_page_, other.first_page_);
  std::swap(size_, other.size_);
  std::swap(bytes_, other.bytes_);
  std::swap(structure_bytes_, other.structure_bytes_);
  std::swap(collections_, other.collections_);
  std::swap(volatile_size_, other.volatile_size_);
  std::swap(due_tick_, other.due_tick_);
  std::swap(pass_tick_, other.pass_tick_);
  std::swap(pass_segment_, other.pass_segment_);
  std::swap(pass_offset_, other.pass_offset_);
  std::swap(first_page_capacity_, other.first_page_capacity_);
  std::swap(last_capacity_, other.last_capacity_);
  std::swap(longest_chain_, other.longest_chain_);
  std::swap(more_capacity_, other.more_capacity_);
  std::swap(more_pages_, other.more_pages_);
  std::swap(walk_, other.walk_);
}

// ---- Finding

Table::Place Table::Find(const HashedKey& key) const {
  if (bucket_count_ == 0) return {};
  const uint8_t fingerprint = Bucket::FingerprintOf(key.hash);
  Bucket* bucket = &this->bucket(BucketIndex(key.hash));
  do {
    for (unsigned matches = bucket->Match(fingerprint); matches != 0; matches &= matches - 1) {
      const auto slot = static_cast<unsigned>(std::countr_zero(matches));
      if (bucket->entry(slot)->KeyEquals(key.text)) [[likely]]
        return {bucket, slot};
    }
    bucket = bucket->overflow();
  } while (bucket != nullptr);
  return {};
}

const Entry* Table::LikelyEntry(uint64_t hash) const {
  if (bucket_count_ == 0) return nullptr;
  const Bucket* bucket = &this->bucket(BucketIndex(hash));
  const uint8_t fingerprint = Bucket::FingerprintOf(hash);
  do {
    const unsigned matches = bucket->Match(fingerprint);
    if (matches != 0) return bucket->entry(static_cast<unsigned>(std::countr_zero(matches)));
    bucket = bucket->overflow();
  } while (bucket != nullptr);
  return nullptr;
}

void Table::PrefetchEntry(uint64_t hash, bool to_end) const {
  const Entry* entry = LikelyEntry(hash);
  if (entry == nullptr) return;
  PrefetchEntryLines(entry);
  if (to_end) Prefetch(reinterpret_cast<const char*>(entry) + 128);
}

Entry* Table::FindLike(uint64_t hash, int bits, absl::FunctionRef<bool(Entry&)> wanted) const {
  if (bucket_count_ == 0) return nullptr;
  const uint64_t known = (uint64_t{1} << bits) - 1;
  const uint8_t fingerprint = Bucket::FingerprintOf(hash);
  // A table with more buckets than the known bits can tell apart has several homes for them.
  uint64_t home = hash & known;
  do {
    for (const Bucket* bucket = &this->bucket(BucketIndex(home)); bucket != nullptr;
         bucket = bucket->overflow()) {
      for (unsigned matches = bucket->Match(fingerprint); matches != 0; matches &= matches - 1) {
        Entry* entry = bucket->entry(static_cast<unsigned>(std::countr_zero(matches)));
        if (((HashKeyText(entry->key()) ^ hash) & known) == 0 && wanted(*entry)) return entry;
      }
    }
    home += known + 1;
  } while (home <= mask_);
  return nullptr;
}

bool Table::PrefetchValue(uint64_t hash) const {
  constexpr size_t kLines = 3;  // A small collection, or what a large one or a blob begins with.
  const Entry* entry = LikelyEntry(hash);
  if (entry == nullptr) return false;
  const bool is_string = entry->type() == ValueType::kString;
  if (is_string && !entry->IsBlob()) return false;
  const auto* data = is_string ? reinterpret_cast<const char*>(entry->blob())
                               : static_cast<const char*>(entry->object().data);
  for (size_t line = 0; line < kLines; ++line) Prefetch(data + line * sizeof(Bucket));
  return true;
}

Table::Place Table::PlaceOf(uint64_t hash, const void* address) const {
  Bucket* bucket = &this->bucket(BucketIndex(hash));
  do {
    for (unsigned slot = 0, count = bucket->count(); slot < count; ++slot) {
      if (bucket->entry(slot) == address) return {bucket, slot};
    }
    bucket = bucket->overflow();
  } while (bucket != nullptr);
  return {};
}

Table::Place Table::RandomPlace(Random& random, uint32_t& index) const {
  LARDER_DCHECK(size_ > 0);
  // By rejection: every (bucket, position) is equally likely, and a position that holds nothing is
  // drawn again. A longer chain therefore gets just the larger share that it is due.
  const uint64_t positions = (Bucket::kSlots - 1) * longest_chain_ + 1;
  while (true) {
    index = static_cast<uint32_t>(random.Uniform(bucket_count_));
    const auto position = static_cast<unsigned>(random.Uniform(positions));
    if (const Place place = PlaceAt(index, position)) return place;
  }
}

uint64_t Table::Scan(uint64_t cursor, absl::FunctionRef<void(Entry&)> visit) const {
  if (bucket_count_ == 0) return 0;
  const uint32_t index = BucketIndex(ReverseCursor(cursor));
  const Bucket& home = bucket(index);
  PrefetchChain(home);
  ForEachInChain(home, [&](Entry* entry) { visit(*entry); });
  return CursorAfter(index);
}

uint64_t Table::Relocate(uint64_t cursor, absl::FunctionRef<void*(void*, size_t)> move) {
  if (bucket_count_ == 0) return 0;
  const uint32_t index = BucketIndex(ReverseCursor(cursor));
  PrefetchChain(bucket(index));
  for (Bucket* bucket = &this->bucket(index); bucket != nullptr; bucket = bucket->overflow()) {
    for (unsigned slot = 0, count = bucket->count(); slot < count; ++slot) {
      bucket->SetEntry(slot, Entry::Relocate(bucket->entry(slot), move));
    }
  }
  return CursorAfter(index);
}

uint64_t Table::CursorAfter(uint32_t index) const {
  // Buckets that the current round of growth has split, and their other halves, have a bit more.
  const uint32_t round = std::bit_floor(bucket_count_);
  const bool is_split = index >= round || index < bucket_count_ - round;
  const int bits = std::countr_zero(round) + (is_split ? 1 : 0);
  const uint64_t next = ReverseCursor(index) + (uint64_t{1} << (kCursorBits - bits));
  return next >> kCursorBits != 0 ? 0 : next;
}

void Table::PrefetchChain(const Bucket& home) {
  ForEachInChain(home, [](const Entry* entry) { Prefetch(entry); });
}

// ---- Changing

void Table::CountEntry(const Entry& entry) {
  const size_t bytes = entry.allocated_bytes();
  ++size_;
  volatile_size_ += entry.has_expiry();
  bytes_ += bytes;
  if (entry.type() != ValueType::kString) [[unlikely]]
    CountCollection(entry.type(), bytes);
}

void Table::UncountEntry(const Entry& entry) {
  const size_t bytes = entry.allocated_bytes();
  --size_;
  volatile_size_ -= entry.has_expiry();
  bytes_ -= bytes;
  if (entry.type() != ValueType::kString) [[unlikely]]
    UncountCollection(entry.type(), bytes);
}

void Table::CountCollection(ValueType type, size_t bytes) {
  if (collections_ == nullptr) {
    collections_ = std::make_unique<UsageByType>();
    AddStructure(RoundedBytesOf<UsageByType>(1));
  }
  TypeUsage& usage = UsageOf(*collections_, type);
  ++usage.keys;
  usage.bytes += bytes;
}

void Table::UncountCollection(ValueType type, size_t bytes) {
  TypeUsage& usage = UsageOf(*collections_, type);
  --usage.keys;
  usage.bytes -= bytes;
}

// When nothing is left to be counted.
void Table::DropCollectionCounts() {
  if (collections_ == nullptr) return;
  collections_.reset();
  AddStructure(-RoundedBytesOf<UsageByType>(1));
}

void Table::AddUsageTo(UsageByType& usage) const {
  TypeUsage strings = {.keys = size_, .bytes = bytes_ - structure_bytes_};
  if (collections_ != nullptr) {
    for (size_t type = 0; type < usage.size(); ++type) {
      const TypeUsage& collections = (*collections_)[type];
      usage[type].keys += collections.keys;
      usage[type].bytes += collections.bytes;
      strings.keys -= collections.keys;
      strings.bytes -= collections.bytes;
    }
  }
  UsageOf(usage, ValueType::kString).keys += strings.keys;
  UsageOf(usage, ValueType::kString).bytes += strings.bytes;
}

void Table::Insert(uint64_t hash, Entry* entry) {
  const uint32_t index = BucketIndex(hash);
  AddToChain(bucket(index), Bucket::FingerprintOf(hash), entry);
  CountEntry(*entry);
  if (const uint64_t tick = DueTick(*entry); tick != kNoTick) LowerTick(index, tick);
}

void Table::AddToChain(Bucket& home, uint8_t fingerprint, Entry* entry) {
  Bucket* bucket = &home;
  unsigned length = 1;
  while (bucket->has_overflow()) {
    bucket = bucket->overflow();
    ++length;
  }
  const unsigned count = bucket->count();
  if (count < Bucket::kSlots) return bucket->Set(count, fingerprint, entry);

  auto* overflow = new (AllocateBuckets(1)) Bucket;
  AddStructure(sizeof(Bucket));
  constexpr unsigned kLast = Bucket::kOverflowSlot;
  overflow->Set(0, bucket->fingerprint(kLast), bucket->entry(kLast));
  overflow->Set(1, fingerprint, entry);
  bucket->Clear(kLast);
  bucket->set_overflow(overflow);
  longest_chain_ = static_cast<uint8_t>(std::max<unsigned>(longest_chain_, length + 1));
}

Entry* Table::Remove(uint32_t index, Place place) {
  Entry* removed = place.entry();
  UncountEntry(*removed);
  // The hole is filled with the chain's last entry, so that chains stay as short as they can be.
  Bucket* before_last = nullptr;
  Bucket* last = &bucket(index);
  while (last->has_overflow()) {
    before_last = last;
    last = last->overflow();
  }
  const unsigned end = last->count() - 1;
  place.bucket->Set(place.slot, last->fingerprint(end), last->entry(end));
  last->Clear(end);
  if (before_last != nullptr && end == 1) {
    // What is left in the last bucket fits where its address stands.
    const uint8_t fingerprint = last->fingerprint(0);
    Entry* entry = last->entry(0);
    before_last->clear_overflow();
    before_last->Set(Bucket::kOverflowSlot, fingerprint, entry);
    FreeOverflow(last);
  }
  return removed;
}

void Table::FreeOverflow(Bucket* overflow) {
  Deallocate(overflow, sizeof(Bucket));
  AddStructure(-int64_t{sizeof(Bucket)});
}

Table::Place Table::PlaceAt(uint32_t index, unsigned position) const {
  Bucket* bucket = &this->bucket(index);
  while (position >= bucket->capacity() && bucket->has_overflow()) {
    position -= bucket->capacity();
    bucket = bucket->overflow();
  }
  return position < bucket->count() ? Place{bucket, position} : Place{};
}

void Table::Update(uint64_t hash, Place place, Entry* entry, const Counted& before) {
  place.bucket->SetEntry(place.slot, entry);
  const size_t bytes = entry->allocated_bytes();
  bytes_ += bytes - before.bytes;
  volatile_size_ += entry->has_expiry() - uint64_t{before.has_expiry};
  if (before.type != ValueType::kString) [[unlikely]]
    UncountCollection(before.type, before.bytes);
  if (entry->type() != ValueType::kString) [[unlikely]]
    CountCollection(entry->type(), bytes);
  if (const uint64_t tick = DueTick(*entry); tick != kNoTick) LowerTick(BucketIndex(hash), tick);
}

void Table::Grow() {
  const uint32_t round_bit = std::bit_floor(bucket_count_);
  const uint32_t source_index = split_index();
  PrefetchChain(bucket(source_index));
  // Appending first: it may move the last segment, in which the source may be.
  Bucket& target = AppendBucket();
  Bucket& source = bucket(source_index);
  const uint32_t target_index = last_index();

  // The chain is taken apart and dealt out anew.
  Bucket chain = source;
  const uint32_t version = source.version();
  new (&source) Bucket;
  source.set_version(version);
  target.set_version(version);
  uint64_t source_tick = kNoTick;
  uint64_t target_tick = kNoTick;
  for (Bucket* part = &chain; part != nullptr;) {
    for (unsigned slot = 0, count = part->count(); slot < count; ++slot) {
      Entry* entry = part->entry(slot);
      const bool moves = (HashKeyText(entry->key()) & round_bit) != 0;
      AddToChain(moves ? target : source, part->fingerprint(slot), entry);
      uint64_t& tick = moves ? target_tick : source_tick;
      tick = std::min(tick, DueTick(*entry));
    }
    Bucket* next = part->overflow();
    if (part != &chain) FreeOverflow(part);
    part = next;
  }
  source.set_tick(source_tick);  // Not below the segment's bound, which the old one respected.
  LowerTick(target_index, target_tick);
}

void Table::Shrink() {
  const uint32_t target_index = merge_index();
  Bucket& source = bucket(last_index());
  Bucket& target = bucket(target_index);
  // All keys of the last bucket belong to the target once a bit less counts: no key is looked at.
  for (Bucket* part = &source; part != nullptr;) {
    for (unsigned slot = 0, count = part->count(); slot < count; ++slot) {
      AddToChain(target, part->fingerprint(slot), part->entry(slot));
    }
    Bucket* next = part->overflow();
    if (part != &source) FreeOverflow(part);
    part = next;
  }
  LowerTick(target_index, source.tick());
  DropLastBucket();
}

Table Table::CopyOf(const Table& other, absl::FunctionRef<Entry*(const Entry&)> copy) {
  Table table;
  for (uint32_t index = 0; index < other.bucket_count_; ++index) {
    if (index + 1 < other.bucket_count_) PrefetchChain(other.bucket(index + 1));
    // Its address is void once another bucket is appended, not before.
    Bucket& home = table.AppendBucket();
    uint64_t tick = kNoTick;
    for (const Bucket* part = &other.bucket(index); part != nullptr; part = part->overflow()) {
      for (unsigned slot = 0, count = part->count(); slot < count; ++slot) {
        Entry* entry = copy(*part->entry(slot));
        table.AddToChain(home, part->fingerprint(slot), entry);
        table.CountEntry(*entry);
        tick = std::min(tick, DueTick(*entry));
      }
    }
    table.LowerTick(index, tick);
  }
  return table;
}

// ---- Buckets, segments, pages

void Table::CreateFirstBucket(uint32_t version) { AppendBucket().set_version(version); }

Bucket& Table::AppendBucket() {
  const uint32_t index = bucket_count_;
  const uint32_t offset = index % kSegmentBuckets;
  if (offset == 0) {
    AddSegment(index == 0 ? 1 : kMinLastCapacity);
  } else if (offset == last_capacity_) {
    ResizeLastSegment(last_capacity_ * 2u);
  }
  ++bucket_count_;
  mask_ = std::bit_ceil(bucket_count_) - 1;
  return *new (&bucket(index)) Bucket;
}

void Table::DropLastBucket() {
  --bucket_count_;
  mask_ = bucket_count_ == 0 ? 0 : std::bit_ceil(bucket_count_) - 1;
  const uint32_t segment = bucket_count_ / kSegmentBuckets;
  const uint32_t left = bucket_count_ % kSegmentBuckets;
  if (left != 0) {
    // A quarter full: half of the room goes, and another quarter must fill before it comes back.
    const uint32_t smallest = segment == 0 ? 1 : kMinLastCapacity;
    if (left * 4 <= last_capacity_ && last_capacity_ > smallest) {
      ResizeLastSegment(last_capacity_ / 2u);
    }
    return;
  }
  Deallocate(SegmentOf(bucket_count_).buckets, last_capacity_ * sizeof(Bucket));
  AddStructure(-BytesOf<Bucket>(last_capacity_));
  last_capacity_ = kSegmentBuckets;
  DropPageOf(segment);
}

void Table::AddSegment(uint32_t capacity) {
  const uint32_t segment = bucket_count_ / kSegmentBuckets;
  AddPageFor(segment);
  SegmentOf(bucket_count_) = {.buckets = AllocateBuckets(capacity), .due_tick = kNoTick};
  last_capacity_ = static_cast<uint8_t>(capacity);
  AddStructure(BytesOf<Bucket>(capacity));
}

void Table::AddPageFor(uint32_t segment) {
  if (segment < kPageSegments) {
    if (segment < first_page_capacity_) return;
    const uint32_t capacity = std::max(1u, first_page_capacity_ * 2u);
    auto* page = static_cast<Segment*>(Allocate(capacity * sizeof(Segment)));
    if (segment != 0) {
      std::memcpy(page, first_page_, segment * sizeof(Segment));
      Deallocate(first_page_, first_page_capacity_ * sizeof(Segment));
    }
    first_page_ = page;
    AddStructure(BytesOf<Segment>(capacity) - BytesOf<Segment>(first_page_capacity_));
    first_page_capacity_ = static_cast<uint16_t>(capacity);
    return;
  }
  if (segment % kPageSegments != 0) return;
  const uint32_t page = segment / kPageSegments - 1;
  if (page == more_capacity_) {
    // Grows to 8 KiB only when the table has 33 million buckets.
    const uint32_t capacity = std::max(4u, more_capacity_ * 2);
    more_pages_ = static_cast<Segment**>(Reallocate(more_pages_, capacity * sizeof(Segment*)));
    AddStructure(RoundedBytesOf<Segment*>(capacity) - RoundedBytesOf<Segment*>(more_capacity_));
    more_capacity_ = capacity;
  }
  more_pages_[page] = static_cast<Segment*>(Allocate(kPageSegments * sizeof(Segment)));
  AddStructure(BytesOf<Segment>(kPageSegments));
}

void Table::DropPageOf(uint32_t segment) {
  if (segment == 0) {
    Deallocate(first_page_, first_page_capacity_ * sizeof(Segment));
    AddStructure(-BytesOf<Segment>(first_page_capacity_));
    DropCollectionCounts();
    first_page_ = nullptr;
    first_page_capacity_ = 0;
    longest_chain_ = 1;
    due_tick_ = kNoTick;
    pass_tick_ = kNoTick;
    pass_segment_ = 0;
    pass_offset_ = 0;
    return;
  }
  if (segment < kPageSegments || segment % kPageSegments != 0) return;
  const uint32_t page = segment / kPageSegments - 1;
  Deallocate(more_pages_[page], kPageSegments * sizeof(Segment));
  AddStructure(-BytesOf<Segment>(kPageSegments));
  if (page != 0) return;
  Deallocate(more_pages_, more_capacity_ * sizeof(Segment*));
  AddStructure(-RoundedBytesOf<Segment*>(more_capacity_));
  more_pages_ = nullptr;
  more_capacity_ = 0;
}

void Table::ResizeLastSegment(uint32_t capacity) {
  Segment& segment = SegmentOf(bucket_count_ - 1);
  const uint32_t used = (bucket_count_ - 1) % kSegmentBuckets + 1;
  Bucket* buckets = AllocateBuckets(capacity);
  std::copy_n(segment.buckets, used, buckets);
  Deallocate(segment.buckets, last_capacity_ * sizeof(Bucket));
  AddStructure(BytesOf<Bucket>(capacity) - BytesOf<Bucket>(last_capacity_));
  segment.buckets = buckets;
  last_capacity_ = static_cast<uint8_t>(capacity);
}

// ---- Expiry

void Table::LowerTick(uint32_t index, uint64_t tick) {
  Segment& segment = SegmentOf(index);
  Bucket& home = segment.buckets[index % kSegmentBuckets];
  if (tick >= home.tick()) return;
  home.set_tick(tick);
  if (tick >= segment.due_tick) return;
  segment.due_tick = tick;
  due_tick_ = std::min(due_tick_, tick);
  pass_tick_ = std::min(pass_tick_, tick);  // The walk may be past this segment.
}

uint32_t Table::NextDue(uint64_t tick, size_t& budget) {
  constexpr uint32_t kSegmentsPerUnit = 16;  // So many bounds cost about what one bucket does.
  if (pass_segment_ == 0 && pass_offset_ == 0) pass_tick_ = kNoTick;
  uint32_t skipped = 0;
  while (pass_segment_ < segment_count()) {
    const uint32_t start = pass_segment_ * kSegmentBuckets;
    const uint32_t count = std::min(kSegmentBuckets, bucket_count_ - start);
    Segment& segment = SegmentOf(start);
    if (segment.due_tick <= tick) {
      for (; pass_offset_ < count; ++pass_offset_) {
        if (segment.buckets[pass_offset_].tick() > tick) continue;
        if (budget == 0) return kNone;
        --budget;
        return start + pass_offset_++;
      }
      segment.due_tick = kNoTick;
      for (uint32_t i = 0; i < count; ++i) {
        segment.due_tick = std::min(segment.due_tick, segment.buckets[i].tick());
      }
    } else if (++skipped % kSegmentsPerUnit == 0) {
      if (budget == 0) return kNone;
      --budget;
    }
    pass_tick_ = std::min(pass_tick_, segment.due_tick);
    ++pass_segment_;
    pass_offset_ = 0;
  }
  due_tick_ = pass_tick_;
  pass_segment_ = 0;
  pass_offset_ = 0;
  if (budget == 0) budget = 1;  // Tells the end of a round from the end of the budget.
  return kNone;
}

void Table::RefreshTick(uint32_t index) {
  Bucket& home = bucket(index);
  uint64_t tick = kNoTick;
  ForEachInChain(home, [&](const Entry* entry) { tick = std::min(tick, DueTick(*entry)); });
  home.set_tick(tick);
}

void Table::NoteDueFields(uint64_t hash, const Entry& entry) {
  LowerTick(BucketIndex(hash), DueTick(entry));
}

// ---- Freeing

void Table::FreeChain(Bucket& home) {
  PrefetchChain(home);
  for (Bucket* part = &home; part != nullptr;) {
    for (unsigned slot = 0, count = part->count(); slot < count; ++slot) {
      Entry* entry = part->entry(slot);
      UncountEntry(*entry);
      Entry::Destroy(entry);
    }
    Bucket* next = part->overflow();
    if (part != &home) FreeOverflow(part);
    part = next;
  }
}

bool Table::ClearSome(uint32_t buckets) {
  for (; buckets > 0 && bucket_count_ > 0; --buckets) {
    FreeChain(bucket(last_index()));
    DropLastBucket();
  }
  return bucket_count_ == 0;
}

// ---- Checking

void Table::CheckInvariants() const {
  UsageByType usage;
  uint64_t size = 0;
  uint64_t volatile_size = 0;
  size_t bytes = first_page_capacity_ * sizeof(Segment);
  if (segment_count() > kPageSegments) {
    bytes += SizeClass(more_capacity_ * sizeof(Segment*));
    bytes += (segment_count() - 1) / kPageSegments * kPageSegments * sizeof(Segment);
  }
  for (uint32_t index = 0; index < bucket_count_; ++index) {
    const Segment& segment = SegmentOf(index);
    if (index % kSegmentBuckets == 0) {
      const bool is_last = index / kSegmentBuckets == segment_count() - 1;
      bytes += (is_last ? last_capacity_ : kSegmentBuckets) * sizeof(Bucket);
      LARDER_CHECK(due_tick_ <= segment.due_tick);
    }
    const Bucket& home = segment.buckets[index % kSegmentBuckets];
    LARDER_CHECK(segment.due_tick <= home.tick());
    unsigned length = 0;
    for (const Bucket* part = &home; part != nullptr; part = part->overflow()) {
      ++length;
      if (part != &home) {
        bytes += sizeof(Bucket);
        LARDER_CHECK(part->count() >= 2);
      }
      if (part->has_overflow()) LARDER_CHECK(part->count() == Bucket::kSlots - 1);
      for (unsigned slot = 0; slot < Bucket::kSlots; ++slot) {
        LARDER_CHECK((part->fingerprint(slot) != 0) == (slot < part->count()));
      }
      for (unsigned slot = 0; slot < part->count(); ++slot) {
        const Entry& entry = *part->entry(slot);
        const HashedKey key = HashedKey::Of(entry.key());
        LARDER_CHECK(BucketIndex(key.hash) == index);
        LARDER_CHECK(part->fingerprint(slot) == Bucket::FingerprintOf(key.hash));
        const Place found = Find(key);
        LARDER_CHECK(found.bucket == part && found.slot == slot);
        LARDER_CHECK(home.tick() <= DueTick(entry));
        ++size;
        volatile_size += entry.has_expiry();
        ++UsageOf(usage, entry.type()).keys;
        UsageOf(usage, entry.type()).bytes += entry.allocated_bytes();
      }
    }
    LARDER_CHECK(length <= longest_chain_);
  }
  LARDER_CHECK(size == size_);
  LARDER_CHECK(volatile_size == volatile_size_);
  if (collections_ != nullptr) bytes += SizeClass(sizeof(UsageByType));
  LARDER_CHECK(bytes == structure_bytes_);
  UsageByType counted;
  AddUsageTo(counted);
  for (size_t type = 0; type < usage.size(); ++type) {
    LARDER_CHECK(usage[type].keys == counted[type].keys);
    LARDER_CHECK(usage[type].bytes == counted[type].bytes);
    bytes += usage[type].bytes;
  }
  LARDER_CHECK(bytes == bytes_);
  LARDER_CHECK(bucket_count_ != 0 || first_page_ == nullptr);
}

}  // namespace larder
