#include "storage/tags.h"

#include <algorithm>
#include <list>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "base/allocator.h"
#include "base/check.h"
#include "base/mutex.h"
#include "base/text.h"
#include "storage/size_class.h"

namespace larder {
namespace {

constexpr int kStripeBits = 6;
constexpr size_t kStripes = size_t{1} << kStripeBits;
// Tags without values: of all stripes together some 10,000.
constexpr size_t kRememberedOfStripe = 160;

}  // namespace

// ---- TagTable

struct TagTable::Tag {
  Tag(std::string_view tag_name, Stripe& home, uint64_t number)
      : name(tag_name), stripe(home), invalidated_at(number) {}

  const std::string name;
  Stripe& stripe;
  // Both are written under the stripe's mutex, the time first, and read without: who sees a number
  // sees a time that is not older.
  std::atomic<uint64_t> invalidated_at;
  std::atomic<UnixMillis> invalidated_when{0};
  // Guarded by the stripe's mutex: how many values carry it, and where it stands among those that
  // are remembered although none does, if it is one of them.
  int64_t values = 0;
  std::optional<std::list<Tag*>::iterator> place;
};

// A part of the names. Tags of one never wait for those of another.
struct alignas(64) TagTable::Stripe {
  mutable Mutex mu;
  absl::flat_hash_map<std::string_view, std::unique_ptr<Tag>, TextHash, TextEqual> tags
      ABSL_GUARDED_BY(mu);
  std::list<Tag*> remembered ABSL_GUARDED_BY(mu);  // Without a value, the longest so first.
  uint64_t forgotten_at ABSL_GUARDED_BY(mu) = 0;   // The last number of those that no longer are.

  Tag& Find(std::string_view name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu);
  // A value more, or one less.
  void AddValue(Tag& tag) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu);
  void RemoveValue(Tag& tag) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu);
  // No value carries it.
  void Remember(Tag& tag) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu);
  void Forget(Tag& tag) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu);
};

TagTable::TagTable() : stripes_(std::make_unique<Stripe[]>(kStripes)) {}

TagTable::~TagTable() = default;

TagTable::Stripe& TagTable::StripeOf(std::string_view name) {
  // The map of the stripe looks at the lower bits.
  return stripes_[TextHash{}(name) >> (64 - kStripeBits)];
}

TagStampPtr TagTable::Stamp(std::span<const std::string_view> names) {
  LARDER_DCHECK(names.size() <= kMostTags);
  TagStampPtr stamp = TagStamp::Create(names.size());
  TagStamp::Mark* mark = stamp->marks();
  for (const std::string_view name : names) {
    Stripe& stripe = StripeOf(name);
    MutexLock lock(stripe.mu);
    Tag& tag = stripe.Find(name);
    stripe.AddValue(tag);
    *mark++ = {.tag = &tag, .seen = tag.invalidated_at.load(std::memory_order_relaxed)};
  }
  return stamp;
}

bool TagTable::Invalidate(std::string_view name, UnixMillis now) {
  Stripe& stripe = StripeOf(name);
  MutexLock lock(stripe.mu);
  Tag& tag = stripe.Find(name);
  tag.invalidated_when.store(now, std::memory_order_relaxed);
  tag.invalidated_at.store(++sequence_, std::memory_order_release);
  if (tag.values > 0) return true;
  stripe.Remember(tag);
  return false;
}

size_t TagTable::size() const {
  size_t size = 0;
  for (size_t i = 0; i < kStripes; ++i) {
    const Stripe& stripe = stripes_[i];
    MutexLock lock(stripe.mu);
    size += stripe.tags.size();
  }
  return size;
}

TagTable::Tag& TagTable::Stripe::Find(std::string_view name) {
  const auto found = tags.find(name);
  if (found != tags.end()) return *found->second;
  auto tag = std::make_unique<Tag>(name, *this, forgotten_at);
  Tag& inserted = *tag;
  tags.emplace(inserted.name, std::move(tag));
  return inserted;
}

void TagTable::Stripe::AddValue(Tag& tag) {
  ++tag.values;
  if (!tag.place) return;
  remembered.erase(*tag.place);
  tag.place.reset();
}

void TagTable::Stripe::RemoveValue(Tag& tag) {
  if (--tag.values > 0) return;
  // What is not remembered counts as invalidated then.
  if (tag.invalidated_at.load(std::memory_order_relaxed) <= forgotten_at) return Forget(tag);
  Remember(tag);
}

void TagTable::Stripe::Remember(Tag& tag) {
  if (tag.place) remembered.erase(*tag.place);
  tag.place = remembered.insert(remembered.end(), &tag);
  if (remembered.size() <= kRememberedOfStripe) return;
  Tag& oldest = *remembered.front();
  remembered.pop_front();
  forgotten_at = std::max(forgotten_at, oldest.invalidated_at.load(std::memory_order_relaxed));
  Forget(oldest);
}

void TagTable::Stripe::Forget(Tag& tag) {
  // The key is a view of the tag's own name.
  tags.erase(tags.find(tag.name));
  // Room for more than eight times what is there goes back, so that a wave of tags leaves nothing.
  constexpr size_t kRoomKept = 64;
  if (tags.capacity() > std::max(kRoomKept, 8 * tags.size())) tags.rehash(0);
}

// ---- TagStamp

void TagStampDeleter::operator()(TagStamp* stamp) const {
  TagStamp::Mark* const marks = stamp->marks();
  for (size_t i = 0; i < stamp->size_; ++i) {
    TagTable::Tag& tag = *marks[i].tag;
    TagTable::Stripe& stripe = tag.stripe;
    MutexLock lock(stripe.mu);
    stripe.RemoveValue(tag);
  }
  Deallocate(stamp, TagStamp::BytesFor(stamp->size_));
}

size_t TagStamp::BytesFor(size_t marks) {
  return SizeClass(sizeof(TagStamp) + marks * sizeof(Mark));
}

TagStampPtr TagStamp::Create(size_t size) {
  static_assert(alignof(Mark) <= alignof(TagStamp) && sizeof(TagStamp) % alignof(Mark) == 0);
  return TagStampPtr(new (Allocate(BytesFor(size))) TagStamp(size));
}

size_t TagStamp::allocated_bytes() const { return BytesFor(size_); }

TagStampPtr TagStamp::Clone() const {
  TagStampPtr clone = Create(size_);
  clone->own_freshness_ = own_freshness_;
  for (size_t i = 0; i < size_; ++i) {
    const Mark& mark = marks()[i];
    {
      TagTable::Stripe& stripe = mark.tag->stripe;
      MutexLock lock(stripe.mu);
      stripe.AddValue(*mark.tag);
    }
    clone->marks()[i] = mark;
  }
  return clone;
}

std::string_view TagStamp::name(size_t index) const { return marks()[index].tag->name; }

uint64_t TagStamp::Mark::Now() const { return tag->invalidated_at.load(std::memory_order_acquire); }

Freshness TagStamp::freshness() const {
  Freshness freshness = Freshness::Unpack(own_freshness_);
  for (size_t i = 0; i < size_; ++i) {
    const Mark& mark = marks()[i];
    if (mark.Now() == mark.seen) [[likely]]
      continue;
    const UnixMillis when = mark.tag->invalidated_when.load(std::memory_order_relaxed);
    freshness.fresh_until = std::min(freshness.fresh_until, when - Freshness::kStaleForAll.count());
  }
  return freshness;
}

uint64_t TagStamp::InvalidatedAt() const {
  uint64_t last = 0;
  for (size_t i = 0; i < size_; ++i) last = std::max(last, marks()[i].Now());
  return last;
}

uint64_t TagStamp::InvalidatedBefore() const {
  uint64_t last = 0;
  for (size_t i = 0; i < size_; ++i) last = std::max(last, marks()[i].seen);
  return last;
}

bool TagStamp::IsOutdated() const {
  for (size_t i = 0; i < size_; ++i) {
    if (marks()[i].Now() != marks()[i].seen) return true;
  }
  return false;
}

}  // namespace larder
