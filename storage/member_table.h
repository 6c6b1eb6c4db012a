// The members of a large set, hash or sorted set: the keyspace's own table (storage/table.h), with
// a member as key and what belongs to it (a field's value, a score) as value.
//
// So a collection of millions grows and shrinks one bucket at a time, is scanned with the same
// guarantee as the keyspace, gives fair random members, and finds members whose time has come.
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

class MemberTable {
 public:
  size_t size() const { return table_.size(); }
  // Members, values and buckets, allocator rounding included; this object not.
  size_t bytes() const { return table_.bytes(); }

  // Null if there is no such member. Valid until that member is changed or erased.
  Entry* Find(std::string_view member) const;
  // REQUIRES: it is not a member. Takes over what `value` points to.
  Entry* Insert(std::string_view member, const Entry::Value& value, UnixMillis expiry = kNoExpiry);
  // Gives a member another value and expiry and returns where it is now: the entry may have moved.
  // Frees what the old value pointed to.
  Entry* Assign(Entry* entry, const Entry::Value& value, UnixMillis expiry = kNoExpiry);
  // False if it is not a member.
  bool Erase(std::string_view member);
  // Takes the member out without freeing it: the caller owns the entry. Null if there is none.
  Entry* Extract(std::string_view member);

  // Uniform over all members. REQUIRES: size() > 0.
  Entry* RandomMember(Random& random) const { return table_.RandomEntry(random); }
  // As Shard::Scan.
  uint64_t Scan(uint64_t cursor, absl::FunctionRef<void(Entry&)> visit) const;
  // Every member once; `visit` returns false to stop, and must not change the table.
  void ForEach(absl::FunctionRef<bool(Entry&)> visit) const;

  // For members that expire (fields of a hash).
  Table& table() { return table_; }
  const Table& table() const { return table_; }

 private:
  Table table_;
};

}  // namespace larder
