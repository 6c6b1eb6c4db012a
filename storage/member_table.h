// The members of a large set, hash or sorted set: the keyspace's own table (storage/table.h), with
// a member as key and what belongs to it (a field's value, a score) as value.
//
// So a collection of millions grows and shrinks one bucket at a time, is scanned with the same
// guarantee as the keyspace, gives fair random members, and finds members whose time has come.
//
// Who looks up many members hashes each once (HashedMember; all tables hash alike) and prefetches
// some ahead, so that it does not wait for memory member by member.
//
// Concurrency: shard-guarded, as the value that it is part of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "base/random.h"
#include "storage/entry.h"
#include "storage/table.h"

namespace larder {

// Members are found by their hash alone; a slot means nothing here.
inline HashedKey HashedMember(std::string_view member) {
  return {.text = member, .hash = HashKeyText(member)};
}

class MemberTable {
 public:
  size_t size() const { return table_.size(); }
  // Members, values and buckets, allocator rounding included; this object not.
  size_t bytes() const { return table_.bytes(); }

  // Null if there is no such member. Valid until that member is changed or erased.
  Entry* Find(std::string_view member) const {
    return table_.size() == 0 ? nullptr : Find(HashedMember(member));
  }
  Entry* Find(const HashedKey& member) const {
    const Table::Place place = table_.Find(member);
    return place ? place.entry() : nullptr;
  }
  // Hints that a member is about to be looked for: first all buckets, then all entries.
  void PrefetchBucket(uint64_t hash) const { table_.PrefetchBucket(hash); }
  void PrefetchEntry(uint64_t hash) const { table_.PrefetchEntry(hash); }

  // REQUIRES: it is not a member. Takes over what `value` points to.
  Entry* Insert(std::string_view member, const Entry::Value& value, UnixMillis expiry = kNoExpiry) {
    return Insert(HashedMember(member), value, expiry);
  }
  Entry* Insert(const HashedKey& member, const Entry::Value& value, UnixMillis expiry = kNoExpiry);
  // Gives a member another value and expiry and returns where it is now: the entry may have moved.
  // Frees what the old value pointed to.
  Entry* Assign(Entry* entry, const Entry::Value& value, UnixMillis expiry = kNoExpiry);
  // False if it is not a member.
  bool Erase(std::string_view member) { return table_.size() != 0 && Erase(HashedMember(member)); }
  bool Erase(const HashedKey& member);
  // Takes the member out without freeing it: the caller owns the entry. Null if there is none.
  Entry* Extract(std::string_view member) {
    return table_.size() == 0 ? nullptr : Extract(HashedMember(member));
  }
  Entry* Extract(const HashedKey& member);
  // The same for a random member, each with equal probability. REQUIRES: size() > 0.
  Entry* ExtractRandom(Random& random);

  // Makes room for so many members at once. REQUIRES: size() == 0.
  void Reserve(size_t members);
  // `copy` makes each member's entry (CopyOfEntry if its value points to nothing).
  MemberTable Clone(absl::FunctionRef<Entry*(const Entry&)> copy) const {
    MemberTable clone;
    clone.table_ = Table::CopyOf(table_, copy);
    return clone;
  }
  static Entry* CopyOfEntry(const Entry& entry) {
    return Entry::Create(entry.key(), entry.value(), entry.expiry(), entry.access());
  }

  // Uniform over all members. REQUIRES: size() > 0.
  Entry* RandomMember(Random& random) const { return table_.RandomEntry(random); }
  // As Shard::Scan.
  uint64_t Scan(uint64_t cursor, absl::FunctionRef<void(Entry&)> visit) const {
    return table_.Scan(cursor, visit);
  }
  // Every member once; `visit` returns false to stop, and must not change the table.
  void ForEach(absl::FunctionRef<bool(Entry&)> visit) const;

  // About how many allocations freeing it gives back.
  size_t free_effort() const { return table_.size() + table_.bucket_count() / 8; }

  // For members that expire (fields of a hash).
  Table& table() { return table_; }
  const Table& table() const { return table_; }

 private:
  Entry* Remove(uint32_t index, Table::Place place);

  Table table_;
};

}  // namespace larder
