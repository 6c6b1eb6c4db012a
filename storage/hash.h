// A hash: fields with values, each of which may have a time of its own at which it goes.
//
// Small ones are a listpack as Redis serializes it: name, value, name, value; once a field has had
// an expiry name, value, expiry (0: none), soonest first and those without at the end. Large ones
// are a MemberTable with the field's name as key. A field past its expiry is no longer seen, but
// takes memory until EraseExpired finds it.
//
// Hash is a handle that does not own, see storage/object.h. What it returns points into the value
// and is void after a change.
//
// Concurrency: shard-guarded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "base/blob.h"
#include "base/random.h"
#include "storage/encoding_limits.h"
#include "storage/listpack.h"
#include "storage/object.h"
#include "storage/types.h"

namespace larder {

class MemberTable;

struct HashField {
  ListpackValue name;  // Find leaves it alone.
  ListpackValue value;
  Blob* blob = nullptr;  // The one behind a large value, to reply without a copy.
  UnixMillis expiry = kNoExpiry;
};

class Hash {
 public:
  static constexpr ValueType kType = ValueType::kHash;
  static constexpr bool kMayBeEmpty = false;
  // As `now`: sees the fields as well whose time has come.
  static constexpr UnixMillis kBeforeAllTime = 0;

  static Hash Create();
  // From a listpack of names and values, or with expiries (`timed`), which the hash then owns. If
  // there are more than `limits` allow it becomes a table; as in Redis, their length does not
  // matter. REQUIRES: IsHashListpack.
  static Hash Adopt(Listpack listpack, bool timed, const EncodingLimits& limits);
  explicit Hash(const Object& object)
      : encoding_(static_cast<HashEncoding>(object.encoding)), data_(object.data) {}
  Object object() const;

  // Counts what has expired and was not erased yet.
  size_t size() const;
  bool empty() const { return size() == 0; }
  bool is_listpack() const { return !IsTable(encoding_); }
  // The serialized form. REQUIRES: is_listpack().
  Listpack listpack() const { return Listpack(data_); }
  // Whether fields have or had expiries: whether the listpack has three elements a field.
  bool timed() const { return IsTimed(object().encoding); }

  // ---- Reading.
  bool Find(std::string_view name, UnixMillis now, HashField& field) const;
  bool Contains(std::string_view name, UnixMillis now) const {
    HashField field;
    return Find(name, now, field);
  }
  // Every field once; `visit` returns false to stop.
  void ForEach(UnixMillis now, absl::FunctionRef<bool(const HashField&)> visit) const;
  // As Shard::Scan; a listpack is visited as a whole.
  uint64_t Scan(uint64_t cursor, UnixMillis now,
                absl::FunctionRef<void(const HashField&)> visit) const;
  // A field, each with equal probability (as long as few have expired); nothing if there is none.
  std::optional<HashField> RandomField(Random& random, UnixMillis now) const;

  // ---- Changing.
  static constexpr UnixMillis kKeepExpiry = -2;

  struct Write {
    UnixMillis now;
    const EncodingLimits& limits;
    // What the field has afterwards; a new field has none to keep.
    UnixMillis expiry = kNoExpiry;
  };
  // Creates or replaces a field; true if it was not there. `blob`, if not empty, holds the bytes of
  // `value` and is kept in place of a copy if that pays. REQUIRES: neither is a view of this hash.
  bool Set(std::string_view name, std::string_view value, const Write& write, BlobRef blob = {});
  // REQUIRES: there is such a field. kNoExpiry removes its expiry.
  void SetExpiry(std::string_view name, UnixMillis expiry);
  // False if there is no such field. The last one may be erased; an empty hash has to go.
  bool Erase(std::string_view name, UnixMillis now);

  // ---- Time.
  // Nothing expires before this tick (TickOf); kNoTick if nothing ever does.
  uint64_t due_tick() const;
  // Erases what has expired, looking into at most `buckets` buckets of a table, which it counts
  // down. Returns how many fields went.
  size_t EraseExpired(UnixMillis now, size_t& buckets);

 private:
  static constexpr bool IsTable(HashEncoding encoding) {
    return (static_cast<uint8_t>(encoding) & 1) != 0;
  }
  static constexpr bool IsTimed(uint8_t encoding) { return (encoding & kTimedHashBit) != 0; }

  MemberTable& table() const { return *static_cast<MemberTable*>(data_); }
  void SetListpack(const Listpack& listpack) { data_ = listpack.data(); }
  // Elements a field takes.
  unsigned stride() const { return encoding_ == HashEncoding::kTimedListpack ? 3 : 2; }
  Listpack::Position FindInListpack(std::string_view name) const {
    return listpack().Find(listpack().First(), name, stride() - 1);
  }
  // Reads the field at `position`, which becomes that of the next one.
  HashField FieldAt(Listpack::Position& position) const;
  size_t EraseExpiredFromListpack(UnixMillis now);
  size_t EraseExpiredFromTable(UnixMillis now, size_t& buckets);

  bool FitsListpack(std::string_view name, std::string_view value,
                    const EncodingLimits& limits) const;
  bool SetInListpack(std::string_view name, std::string_view value, const Write& write);
  bool SetInTable(std::string_view name, std::string_view value, const Write& write, BlobRef blob);
  // Moves the field at `position` to where its new expiry belongs.
  void MoveInListpack(Listpack::Position position, UnixMillis expiry);
  void InsertTimed(std::string_view name, std::string_view value, UnixMillis expiry);
  void ConvertToTimedListpack();
  void ConvertToTable();

  HashEncoding encoding_;
  void* data_;  // A listpack's bytes, or a MemberTable.
};

// Whether a hash can be made of these bytes: a listpack of whole fields, each name once and, if
// `timed`, expiries in order. For what comes from outside.
bool IsHashListpack(std::string_view bytes, bool timed);

extern const ObjectOperations kHashOperations;

}  // namespace larder
