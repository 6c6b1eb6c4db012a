// A set, in the most compact of three encodings that its members allow:
//
//   intset    integers only, few of them (storage/intset.h)
//   listpack  few short members (storage/listpack.h); Redis 7.0 has no name for it and says
//             "hashtable"
//   table     anything else (storage/member_table.h)
//
// A set only ever moves down this list, at the limits that EncodingLimits gives; sets that are
// built anew (by SINTERSTORE, or what a large SPOP leaves) start at the top again.
//
// Set is a handle that does not own; see storage/object.h. Views of members are valid until the set
// changes.
//
// Concurrency: shard-guarded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "base/check.h"
#include "base/random.h"
#include "storage/encoding_limits.h"
#include "storage/intset.h"
#include "storage/listpack.h"
#include "storage/member_table.h"
#include "storage/object.h"

namespace larder {

// A member as the encoding holds it: an intset's are integers, a table's are text.
using SetMember = ListpackValue;

class Set {
 public:
  enum class Encoding : uint8_t { kIntset, kListpack, kTable };
  using Visitor = absl::FunctionRef<void(const SetMember&)>;

  static constexpr ValueType kType = ValueType::kSet;
  static constexpr bool kMayBeEmpty = false;

  static Set Create() { return Set(Encoding::kIntset, Intset::Create().data()); }
  // From their serialized forms, taking over the bytes; converted if they are above the limits.
  static Set Adopt(Intset members, const EncodingLimits& limits);
  // REQUIRES: the elements differ from each other.
  static Set Adopt(Listpack members, const EncodingLimits& limits);
  explicit Set(const Object& object)
      : encoding_(static_cast<Encoding>(object.encoding)), data_(object.data) {
    LARDER_DCHECK(object.type == kType);
  }

  Object object() const { return {kType, static_cast<uint8_t>(encoding_), data_}; }
  Encoding encoding() const { return encoding_; }
  bool empty() const { return size() == 0; }
  size_t size() const;

  // ---- Asking.
  bool Contains(std::string_view member) const;
  // Every member once; `visit` returns false to stop.
  void ForEach(absl::FunctionRef<bool(const SetMember&)> visit) const;
  // As Shard::Scan; a compact set is visited whole, whatever the cursor.
  uint64_t Scan(uint64_t cursor, Visitor visit) const;
  // Each member with the same probability. REQUIRES: not empty.
  SetMember RandomMember(Random& random) const;
  // `count` different members, each choice of so many with the same probability. REQUIRES: count <=
  // size().
  void RandomMembers(size_t count, Random& random, Visitor visit) const;

  // ---- Changing. False if it was, or was not, a member already.
  bool Add(std::string_view member, const EncodingLimits& limits);
  // REQUIRES: the set is a table.
  bool AddHashed(const HashedKey& member);
  bool Remove(std::string_view member);
  // Visits a random member and removes it. REQUIRES: not empty.
  void Pop(Random& random, Visitor visit);
  // The same for `count` members. REQUIRES: count < size().
  void PopSeveral(size_t count, Random& random, const EncodingLimits& limits, Visitor visit);

  // REQUIRES: the set has this encoding.
  Intset intset() const { return Intset(data_); }
  Listpack listpack() const { return Listpack(data_); }
  MemberTable& table() const { return *static_cast<MemberTable*>(data_); }

 private:
  Set(Encoding encoding, void* data) : encoding_(encoding), data_(data) {}

  bool AddToIntset(std::string_view member, const EncodingLimits& limits);
  bool AddToListpack(std::string_view member, const EncodingLimits& limits);
  // Members only leave: for the next encoding, with room for `size` of them.
  void ConvertToListpack();
  void ConvertToTable(size_t size);
  void PopFewOf(size_t count, Random& random, Visitor visit);
  void PopAllBut(size_t kept, Random& random, const EncodingLimits& limits, Visitor visit);

  Encoding encoding_;
  void* data_;
};

extern const ObjectOperations kSetOperations;

}  // namespace larder
