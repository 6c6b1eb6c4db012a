#include "storage/set_algebra.h"

#include <algorithm>
#include <array>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "base/numbers.h"

namespace larder {
namespace {

// Members on their way through the other sets. So many that their cache misses overlap, so few that
// they stay in the first-level cache.
class Batch {
 public:
  static constexpr size_t kCapacity = 32;

  bool full() const { return count_ == kCapacity; }
  void Clear() { count_ = 0; }

  // What the member's text points to must stay until Clear.
  void Add(const SetMember& member) {
    Item& item = items_[count_];
    item.member = member;
    item.is_hashed = false;
    left_[count_++] = &item;
  }

  // Drops those that are not in `set` (kPresent) or are in it (kAbsent).
  enum class Keep : uint8_t { kPresent, kAbsent };
  void Filter(const Set& set, Keep keep) {
    if (set.encoding() == Set::Encoding::kTable) Prefetch(set.table());
    KeepIf([&](Item& item) { return Contains(set, item) == (keep == Keep::kPresent); });
  }

  // Adds to `marked` where `table` has these members.
  void Mark(const MemberTable& table, absl::flat_hash_set<const Entry*>& marked) {
    Prefetch(table);
    for (size_t i = 0; i < count_; ++i) {
      if (const Entry* entry = table.Find(left_[i]->hashed)) marked.insert(entry);
    }
  }

  void AddTo(Set& set, const EncodingLimits& limits) {
    if (set.encoding() == Set::Encoding::kTable) Prefetch(set.table());
    for (size_t i = 0; i < count_; ++i) {
      Item& item = *left_[i];
      // It may become a table at any of them.
      if (set.encoding() == Set::Encoding::kTable) {
        set.AddHashed(HashedOf(item));
      } else {
        set.Add(TextOf(item), limits);
      }
    }
  }

  void RemoveFrom(Set& set) {
    for (size_t i = 0; i < count_; ++i) set.Remove(TextOf(*left_[i]));
  }

  // False if the visitor wants no more.
  bool Visit(SetVisitor visit) const {
    for (size_t i = 0; i < count_; ++i) {
      if (!visit(left_[i]->member)) return false;
    }
    return true;
  }

 private:
  struct Item {
    SetMember member;
    HashedKey hashed;
    bool is_hashed = false;
    char digits[kMaxIntegerText];
  };

  static std::string_view TextOf(Item& item) { return item.member.View(item.digits); }
  static const HashedKey& HashedOf(Item& item) {
    if (!item.is_hashed) {
      item.hashed = HashedMember(TextOf(item));
      item.is_hashed = true;
    }
    return item.hashed;
  }

  static bool Contains(const Set& set, Item& item) {
    if (set.encoding() == Set::Encoding::kTable) return set.table().Find(HashedOf(item)) != nullptr;
    if (set.encoding() == Set::Encoding::kIntset && item.member.is_integer) {
      return set.intset().Contains(item.member.integer);
    }
    return set.Contains(TextOf(item));
  }

  // Has buckets and entries fetched ahead.
  void Prefetch(const MemberTable& table) {
    for (size_t i = 0; i < count_; ++i) table.PrefetchBucket(HashedOf(*left_[i]).hash);
    for (size_t i = 0; i < count_; ++i) table.PrefetchEntry(left_[i]->hashed.hash);
  }

  template <typename Predicate>
  void KeepIf(Predicate predicate) {
    size_t kept = 0;
    for (size_t i = 0; i < count_; ++i) {
      if (predicate(*left_[i])) left_[kept++] = left_[i];
    }
    count_ = kept;
  }

  std::array<Item, kCapacity> items_;
  std::array<Item*, kCapacity> left_;
  size_t count_ = 0;
};

// Returns false to stop.
using BatchStep = absl::FunctionRef<bool(Batch&)>;

// Collects members and passes them on by the batch.
class Batcher {
 public:
  explicit Batcher(BatchStep step) : step_(step) {}

  // False if no more are wanted.
  bool Add(const SetMember& member) {
    batch_.Add(member);
    if (batch_.full()) Pass();
    return wants_more_;
  }
  void Finish() {
    if (wants_more_) Pass();
  }

 private:
  void Pass() {
    wants_more_ = step_(batch_);
    batch_.Clear();
  }

  const BatchStep step_;
  Batch batch_;
  bool wants_more_ = true;
};

void ForEachBatch(const Set& source, BatchStep step) {
  Batcher batcher(step);
  source.ForEach([&](const SetMember& member) { return batcher.Add(member); });
  batcher.Finish();
}

enum class Order : uint8_t { kSmallestFirst, kLargestFirst };

std::vector<Set> BySize(std::span<const Set> sets, Order order) {
  std::vector<Set> sorted(sets.begin(), sets.end());
  std::sort(sorted.begin(), sorted.end(), [order](const Set& a, const Set& b) {
    return order == Order::kSmallestFirst ? a.size() < b.size() : a.size() > b.size();
  });
  return sorted;
}

// ---- Intersection

void Intersect(std::span<const Set> sets, BatchStep step) {
  const std::vector<Set> by_size = BySize(sets, Order::kSmallestFirst);
  ForEachBatch(by_size[0], [&](Batch& batch) {
    for (size_t i = 1; i < by_size.size(); ++i) batch.Filter(by_size[i], Batch::Keep::kPresent);
    return step(batch);
  });
}

// ---- Difference

void SubtractByLookingUp(const Set& from, std::span<const Set> others, BatchStep step) {
  // What is taken away is most likely found in the largest.
  const std::vector<Set> by_size = BySize(others, Order::kLargestFirst);
  ForEachBatch(from, [&](Batch& batch) {
    for (const Set& other : by_size) batch.Filter(other, Batch::Keep::kAbsent);
    return step(batch);
  });
}

// Looks up the others' members in `from`, a table.
void SubtractByMarking(const Set& from, std::span<const Set> others, BatchStep step) {
  const MemberTable& table = from.table();
  absl::flat_hash_set<const Entry*> marked;
  for (const Set& other : others) {
    ForEachBatch(other, [&](Batch& batch) {
      batch.Mark(table, marked);
      return true;
    });
  }
  Batcher batcher(step);
  table.ForEach(
      [&](Entry& entry) { return marked.contains(&entry) || batcher.Add({.text = entry.key()}); });
  batcher.Finish();
}

// The same for a compact set: from a copy of it.
void SubtractByRemoving(const Set& from, std::span<const Set> others, BatchStep step) {
  Set rest(Clone(from.object()));
  for (const Set& other : others) {
    ForEachBatch(other, [&](Batch& batch) {
      batch.RemoveFrom(rest);
      return !rest.empty();
    });
    if (rest.empty()) break;
  }
  ForEachBatch(rest, step);
  Destroy(rest.object());
}

void Subtract(const Set& from, std::span<const Set> others, BatchStep step) {
  size_t all = 0;
  for (const Set& other : others) {
    if (other.object().data == from.object().data) return;
    all += other.size();
  }
  // Either each of the first set's members is looked up in the others (where about half of these
  // lookups are spared, for one that succeeds ends them), or each of the others' in the first.
  if (others.empty() || all >= from.size() * others.size() / 2) {
    SubtractByLookingUp(from, others, step);
  } else if (from.encoding() == Set::Encoding::kTable) {
    SubtractByMarking(from, others, step);
  } else {
    SubtractByRemoving(from, others, step);
  }
}

}  // namespace

void IntersectSets(std::span<const Set> sets, SetVisitor visit) {
  Intersect(sets, [&](Batch& batch) { return batch.Visit(visit); });
}

Set Intersection(std::span<const Set> sets, const EncodingLimits& limits) {
  Set result = Set::Create();
  Intersect(sets, [&](Batch& batch) {
    batch.AddTo(result, limits);
    return true;
  });
  return result;
}

void SubtractSets(const Set& from, std::span<const Set> others, SetVisitor visit) {
  Subtract(from, others, [&](Batch& batch) { return batch.Visit(visit); });
}

Set Difference(const Set& from, std::span<const Set> others, const EncodingLimits& limits) {
  Set result = Set::Create();
  Subtract(from, others, [&](Batch& batch) {
    batch.AddTo(result, limits);
    return true;
  });
  return result;
}

// ---- Union

void UniteSets(std::span<const Set> sets, SetVisitor visit) {
  // Of few sets each one's members are looked up in those before it, which costs no memory. With
  // many that would be quadratic.
  constexpr size_t kFew = 3;
  if (sets.size() > kFew) {
    const Set all = Union(sets, EncodingLimits{});
    all.ForEach(visit);
    return Destroy(all.object());
  }
  const std::vector<Set> by_size = BySize(sets, Order::kLargestFirst);
  bool go_on = true;
  for (size_t i = 0; i < by_size.size() && go_on; ++i) {
    ForEachBatch(by_size[i], [&](Batch& batch) {
      for (size_t before = 0; before < i; ++before) {
        batch.Filter(by_size[before], Batch::Keep::kAbsent);
      }
      go_on = batch.Visit(visit);
      return go_on;
    });
  }
}

Set Union(std::span<const Set> sets, const EncodingLimits& limits) {
  const std::vector<Set> by_size = BySize(sets, Order::kLargestFirst);
  size_t copied = 0;
  Set all = Set::Create();
  // One that will be a table in any case is copied as a whole, bucket by bucket.
  const size_t compact = std::max(limits.set_max_intset_entries, limits.set_max_listpack_entries);
  if (!by_size.empty() && by_size[0].encoding() == Set::Encoding::kTable &&
      by_size[0].size() > compact) {
    Destroy(all.object());
    all = Set(Clone(by_size[0].object()));
    copied = 1;
  }
  for (size_t i = copied; i < by_size.size(); ++i) {
    ForEachBatch(by_size[i], [&](Batch& batch) {
      batch.AddTo(all, limits);
      return true;
    });
  }
  return all;
}

}  // namespace larder
