#include "storage/set.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "absl/container/flat_hash_set.h"
#include "base/numbers.h"
#include "storage/size_class.h"

namespace larder {
namespace {

const Entry::Value kNoValue = Entry::Value::Text({});

// Chooses `count` of `size` that come one by one, each combination with the same probability:
// Knuth, The Art of Computer Programming, volume 2, algorithm S.
class Selection {
 public:
  Selection(size_t count, size_t size, Random& random)
      : wanted_(count), left_(size), random_(random) {}

  bool TakesNext() {
    if (random_.Uniform(left_--) >= wanted_) return false;
    --wanted_;
    return true;
  }
  bool done() const { return wanted_ == 0; }

 private:
  size_t wanted_;
  size_t left_;
  Random& random_;
};

SetMember Text(std::string_view text) { return {.text = text}; }
SetMember Integer(int64_t integer) { return {.integer = integer, .is_integer = true}; }

// `count` different ones, drawn until they are; quick as long as they are few of all.
absl::flat_hash_set<const Entry*> DrawDifferent(const MemberTable& table, size_t count,
                                                Random& random) {
  absl::flat_hash_set<const Entry*> drawn;
  drawn.reserve(count);
  while (drawn.size() < count) drawn.insert(table.RandomMember(random));
  return drawn;
}

// The longest text of an intset's members is that of its first or of its last.
size_t LongestText(const Intset& set) {
  return std::max(Int64TextSize(set.At(0)), Int64TextSize(set.At(set.size() - 1)));
}

bool FitListpack(size_t size, size_t longest, const EncodingLimits& limits) {
  return size <= limits.set_max_listpack_entries && longest <= limits.set_max_listpack_value;
}

bool FitIntset(size_t size, const EncodingLimits& limits) {
  return size <= std::min(limits.set_max_intset_entries, Intset::kMaxSize - 1);
}

}  // namespace

Set Set::Adopt(Intset members, const EncodingLimits& limits) {
  Set set(Encoding::kIntset, members.data());
  if (!FitIntset(members.size(), limits)) set.ConvertToTable(members.size());
  return set;
}

Set Set::Adopt(Listpack members, const EncodingLimits& limits) {
  size_t longest = 0;
  for (auto at = members.First(); at != Listpack::kNone; at = members.Next(at)) {
    longest = std::max(longest, members.At(at).TextSize());
  }
  Set set(Encoding::kListpack, members.data());
  const size_t size = members.size();
  if (!FitListpack(size, longest, limits)) set.ConvertToTable(size);
  return set;
}

size_t Set::size() const {
  switch (encoding_) {
    case Encoding::kIntset:
      return intset().size();
    case Encoding::kListpack:
      return listpack().size();
    case Encoding::kTable:
      return table().size();
  }
  __builtin_unreachable();
}

// ---- Asking

bool Set::Contains(std::string_view member) const {
  switch (encoding_) {
    case Encoding::kIntset: {
      const std::optional<int64_t> integer = ParseInt64(member);
      return integer && intset().Contains(*integer);
    }
    case Encoding::kListpack:
      return listpack().Find(listpack().First(), member) != Listpack::kNone;
    case Encoding::kTable:
      return table().Find(member) != nullptr;
  }
  __builtin_unreachable();
}

void Set::ForEach(absl::FunctionRef<bool(const SetMember&)> visit) const {
  switch (encoding_) {
    case Encoding::kIntset: {
      const Intset set = intset();
      for (size_t i = 0, size = set.size(); i < size; ++i) {
        if (!visit(Integer(set.At(i)))) return;
      }
      return;
    }
    case Encoding::kListpack: {
      const Listpack list = listpack();
      for (auto at = list.First(); at != Listpack::kNone; at = list.Next(at)) {
        if (!visit(list.At(at))) return;
      }
      return;
    }
    case Encoding::kTable:
      table().ForEach([&](Entry& entry) { return visit(Text(entry.key())); });
      return;
  }
}

uint64_t Set::Scan(uint64_t cursor, Visitor visit) const {
  if (encoding_ == Encoding::kTable) {
    return table().Scan(cursor, [&](Entry& entry) { visit(Text(entry.key())); });
  }
  ForEach([&](const SetMember& member) {
    visit(member);
    return true;
  });
  return 0;
}

SetMember Set::RandomMember(Random& random) const {
  switch (encoding_) {
    case Encoding::kIntset:
      return Integer(intset().At(random.Uniform(intset().size())));
    case Encoding::kListpack: {
      const Listpack list = listpack();
      return list.At(list.Seek(static_cast<int64_t>(random.Uniform(list.size()))));
    }
    case Encoding::kTable:
      return Text(table().RandomMember(random)->key());
  }
  __builtin_unreachable();
}

void Set::RandomMembers(size_t count, Random& random, Visitor visit) const {
  const size_t size = this->size();
  LARDER_DCHECK(count <= size);
  // Of a large set a few are drawn one by one. From a third on, drawing anew what has been drawn
  // already would cost more than walking over all.
  if (encoding_ == Encoding::kTable && count < size / 3) {
    for (const Entry* entry : DrawDifferent(table(), count, random)) visit(Text(entry->key()));
    return;
  }
  Selection selection(count, size, random);
  if (selection.done()) return;
  ForEach([&](const SetMember& member) {
    if (selection.TakesNext()) visit(member);
    return !selection.done();
  });
}

// ---- Changing

bool Set::Add(std::string_view member, const EncodingLimits& limits) {
  switch (encoding_) {
    case Encoding::kIntset:
      return AddToIntset(member, limits);
    case Encoding::kListpack:
      return AddToListpack(member, limits);
    case Encoding::kTable:
      return AddHashed(HashedMember(member));
  }
  __builtin_unreachable();
}

bool Set::AddHashed(const HashedKey& member) {
  if (table().Find(member) != nullptr) return false;
  table().Insert(member, kNoValue);
  return true;
}

bool Set::AddToIntset(std::string_view member, const EncodingLimits& limits) {
  Intset set = intset();
  if (const std::optional<int64_t> integer = ParseInt64(member)) {
    const bool added = set.Add(*integer);
    data_ = set.data();
    const size_t size = set.size();
    if (!added || FitIntset(size, limits)) return added;
    FitListpack(size, LongestText(set), limits) ? ConvertToListpack() : ConvertToTable(size);
    return true;
  }
  const size_t longest = set.empty() ? 0 : LongestText(set);
  const size_t size = set.size() + 1;
  if (FitListpack(size, std::max(longest, member.size()), limits)) {
    ConvertToListpack();
  } else {
    ConvertToTable(size);
  }
  return Add(member, limits);
}

bool Set::AddToListpack(std::string_view member, const EncodingLimits& limits) {
  Listpack list = listpack();
  if (list.Find(list.First(), member) != Listpack::kNone) return false;
  constexpr size_t kMostOverhead = 16;
  const size_t size = list.size() + 1;
  if (!FitListpack(size, member.size(), limits) || !list.MayGrowBy(member.size() + kMostOverhead)) {
    ConvertToTable(size);
    return Add(member, limits);
  }
  list.Append(member);
  data_ = list.data();
  return true;
}

void Set::ConvertToListpack() {
  Intset from = intset();
  Listpack to = Listpack::Create();
  for (size_t i = 0, size = from.size(); i < size; ++i) to.Append(from.At(i));
  from.Free();
  *this = Set(Encoding::kListpack, to.data());
}

void Set::ConvertToTable(size_t size) {
  auto* to = new MemberTable;
  to->Reserve(size);
  ForEach([&](const SetMember& member) {
    char digits[kMaxIntegerText];
    to->Insert(member.View(digits), kNoValue);
    return true;
  });
  Destroy(object());
  *this = Set(Encoding::kTable, to);
}

bool Set::Remove(std::string_view member) {
  switch (encoding_) {
    case Encoding::kIntset: {
      const std::optional<int64_t> integer = ParseInt64(member);
      if (!integer) return false;
      Intset set = intset();
      const bool removed = set.Remove(*integer);
      data_ = set.data();
      return removed;
    }
    case Encoding::kListpack: {
      Listpack list = listpack();
      const Listpack::Position at = list.Find(list.First(), member);
      if (at == Listpack::kNone) return false;
      list.Erase(at);
      data_ = list.data();
      return true;
    }
    case Encoding::kTable:
      return table().Erase(member);
  }
  __builtin_unreachable();
}

// ---- Popping

void Set::Pop(Random& random, Visitor visit) {
  switch (encoding_) {
    case Encoding::kIntset: {
      Intset set = intset();
      const int64_t value = set.At(random.Uniform(set.size()));
      visit(Integer(value));
      set.Remove(value);
      data_ = set.data();
      return;
    }
    case Encoding::kListpack: {
      Listpack list = listpack();
      const auto at = list.Seek(static_cast<int64_t>(random.Uniform(list.size())));
      visit(list.At(at));
      list.Erase(at);
      data_ = list.data();
      return;
    }
    case Encoding::kTable: {
      Entry* const entry = table().ExtractRandom(random);
      visit(Text(entry->key()));
      Entry::Destroy(entry);
      return;
    }
  }
}

void Set::PopSeveral(size_t count, Random& random, const EncodingLimits& limits, Visitor visit) {
  const size_t size = this->size();
  LARDER_DCHECK(count < size);
  // As in Redis, who takes nearly all of a set leaves a new one behind: it may be compact again.
  constexpr size_t kFew = 5;
  const size_t kept = size - count;
  if (kept * kFew > count) {
    PopFewOf(count, random, visit);
  } else {
    PopAllBut(kept, random, limits, visit);
  }
}

void Set::PopFewOf(size_t count, Random& random, Visitor visit) {
  if (encoding_ == Encoding::kTable) {
    for (size_t i = 0; i < count; ++i) Pop(random, visit);
    return;
  }
  Selection selection(count, size(), random);
  if (encoding_ == Encoding::kIntset) {
    Intset set = intset();
    set.Filter([&](int64_t value) {
      if (selection.done() || !selection.TakesNext()) return true;
      visit(Integer(value));
      return false;
    });
    data_ = set.data();
    return;
  }
  Listpack list = listpack();
  Listpack rest = Listpack::Create();
  for (auto at = list.First(); at != Listpack::kNone; at = list.Next(at)) {
    const SetMember member = list.At(at);
    !selection.done() && selection.TakesNext() ? visit(member) : rest.Append(member);
  }
  list.Free();
  data_ = rest.data();
}

void Set::PopAllBut(size_t kept, Random& random, const EncodingLimits& limits, Visitor visit) {
  Set rest = Create();
  const auto keep = [&](const SetMember& member) {
    char digits[kMaxIntegerText];
    rest.Add(member.View(digits), limits);
  };
  if (encoding_ == Encoding::kTable) {
    const absl::flat_hash_set<const Entry*> chosen = DrawDifferent(table(), kept, random);
    table().ForEach([&](Entry& entry) {
      chosen.contains(&entry) ? keep(Text(entry.key())) : visit(Text(entry.key()));
      return true;
    });
  } else {
    Selection selection(kept, size(), random);
    ForEach([&](const SetMember& member) {
      !selection.done() && selection.TakesNext() ? keep(member) : visit(member);
      return true;
    });
  }
  Destroy(object());
  *this = rest;
}

// ---- What storage does with any value

namespace {

size_t SetAllocatedBytes(const Object& object) {
  const Set set(object);
  switch (set.encoding()) {
    case Set::Encoding::kIntset:
      return set.intset().allocated_bytes();
    case Set::Encoding::kListpack:
      return set.listpack().allocated_bytes();
    case Set::Encoding::kTable:
      return SizeClass(sizeof(MemberTable)) + set.table().bytes();
  }
  __builtin_unreachable();
}

void DestroySet(const Object& object) {
  const Set set(object);
  switch (set.encoding()) {
    case Set::Encoding::kIntset:
      return set.intset().Free();
    case Set::Encoding::kListpack:
      return set.listpack().Free();
    case Set::Encoding::kTable:
      delete &set.table();
      return;
  }
}

Object CloneSet(const Object& object) {
  const Set set(object);
  Object clone = object;
  switch (set.encoding()) {
    case Set::Encoding::kIntset:
      clone.data = Intset::CopyOf(set.intset().bytes()).data();
      break;
    case Set::Encoding::kListpack:
      clone.data = Listpack::CopyOf(set.listpack().bytes()).data();
      break;
    case Set::Encoding::kTable:
      clone.data = new MemberTable(set.table().Clone(&MemberTable::CopyOfEntry));
      break;
  }
  return clone;
}

size_t SetFreeEffort(const Object& object) {
  const Set set(object);
  return set.encoding() == Set::Encoding::kTable ? set.table().free_effort() : 1;
}

const MemberTable* SetMembers(const Object& object) {
  const Set set(object);
  return set.encoding() == Set::Encoding::kTable ? &set.table() : nullptr;
}

std::string_view SetEncodingName(const Object& object) {
  return Set(object).encoding() == Set::Encoding::kIntset ? "intset" : "hashtable";
}

}  // namespace

constinit const ObjectOperations kSetOperations = {
    .allocated_bytes = &SetAllocatedBytes,
    .destroy = &DestroySet,
    .clone = &CloneSet,
    .free_effort = &SetFreeEffort,
    .encoding_name = &SetEncodingName,
    .members = &SetMembers,
};

}  // namespace larder
