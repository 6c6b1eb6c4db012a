#include "storage/hash.h"

#include <algorithm>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "base/check.h"
#include "base/numbers.h"
#include "base/text.h"
#include "storage/member_table.h"

namespace larder {
namespace {

// Listpack elements beyond name and value that a change may add: headers, lengths, an expiry.
constexpr size_t kElementOverhead = 32;
// How a timed listpack says that a field has no expiry.
constexpr int64_t kNoExpiryInListpack = 0;

bool HasExpired(UnixMillis expiry, UnixMillis now) { return expiry != kNoExpiry && now > expiry; }

UnixMillis ExpiryFrom(const ListpackValue& element) {
  return element.integer == kNoExpiryInListpack ? kNoExpiry : element.integer;
}

int64_t ForListpack(UnixMillis expiry) {
  return expiry == kNoExpiry ? kNoExpiryInListpack : expiry;
}

void ReadValue(const Entry& entry, HashField& field) {
  field.expiry = entry.expiry();
  if (entry.IsBlob()) {
    field.blob = entry.blob();
    field.value.text = field.blob->view();
  } else {
    const Entry::Value value = entry.value();
    field.value.text = {static_cast<const char*>(value.bytes), value.size};
  }
}

HashField FieldOf(const Entry& entry) {
  HashField field;
  field.name.text = entry.key();
  ReadValue(entry, field);
  return field;
}

// A value on its way into a table: its text, or a blob if it is large.
class TableValue {
 public:
  TableValue(std::string_view text, BlobRef blob) {
    if (text.size() <= Entry::kMaxInlineBytes) {
      value_ = Entry::Value::Text(text);
      return;
    }
    blob_ = (blob ? std::move(blob) : BlobRef::CopyOf(text)).Detach();
    value_ = Entry::Value::OfBlob(blob_);
  }
  TableValue(const TableValue&) = delete;
  TableValue& operator=(const TableValue&) = delete;

  const Entry::Value& get() const { return value_; }

 private:
  Blob* blob_ = nullptr;  // Owned by the entry that is made of it.
  Entry::Value value_;
};

// One more reference to the entry's blob.
Blob* Share(const Entry& entry) {
  BlobRef own = BlobRef::Adopt(entry.blob());
  BlobRef shared = own;
  own.Detach();
  return shared.Detach();
}

// A copy that shares the entry's blob.
Entry* CloneEntry(const Entry& entry) {
  if (!entry.IsBlob()) return MemberTable::CopyOfEntry(entry);
  Blob* const blob = Share(entry);
  return Entry::Create(entry.key(), Entry::Value::OfBlob(blob), entry.expiry(), entry.access());
}

}  // namespace

// ---- Life.

Hash Hash::Create() {
  return Hash(
      Object{kType, static_cast<uint8_t>(HashEncoding::kListpack), Listpack::Create().data()});
}

Hash Hash::Adopt(Listpack listpack, bool timed, const EncodingLimits& limits) {
  const HashEncoding encoding = timed ? HashEncoding::kTimedListpack : HashEncoding::kListpack;
  Hash hash(Object{kType, static_cast<uint8_t>(encoding), listpack.data()});
  if (hash.size() > limits.hash_max_listpack_entries) hash.ConvertToTable();
  return hash;
}

Object Hash::object() const {
  HashEncoding encoding = encoding_;
  if (IsTable(encoding)) {
    const bool timed = table().table().volatile_size() != 0;
    encoding = timed ? HashEncoding::kTimedTable : HashEncoding::kTable;
  }
  return {kType, static_cast<uint8_t>(encoding), data_};
}

size_t Hash::size() const { return is_listpack() ? listpack().size() / stride() : table().size(); }

// ---- Reading.

HashField Hash::FieldAt(Listpack::Position& position) const {
  const Listpack listpack = this->listpack();
  HashField field;
  field.name = listpack.At(position);
  position = listpack.Next(position);
  field.value = listpack.At(position);
  position = listpack.Next(position);
  if (encoding_ == HashEncoding::kTimedListpack) {
    field.expiry = ExpiryFrom(listpack.At(position));
    position = listpack.Next(position);
  }
  return field;
}

bool Hash::Find(std::string_view name, UnixMillis now, HashField& field) const {
  if (!is_listpack()) {
    const Entry* entry = table().Find(name);
    if (entry == nullptr || entry->ExpiredAt(now)) return false;
    ReadValue(*entry, field);
    return true;
  }
  const Listpack listpack = this->listpack();
  Listpack::Position position = FindInListpack(name);
  if (position == Listpack::kNone) return false;
  position = listpack.Next(position);
  field.value = listpack.At(position);
  if (encoding_ == HashEncoding::kTimedListpack) [[unlikely]] {
    field.expiry = ExpiryFrom(listpack.At(listpack.Next(position)));
    return !HasExpired(field.expiry, now);
  }
  return true;
}

void Hash::ForEach(UnixMillis now, absl::FunctionRef<bool(const HashField&)> visit) const {
  if (!is_listpack()) {
    return table().ForEach(
        [&](const Entry& entry) { return entry.ExpiredAt(now) || visit(FieldOf(entry)); });
  }
  Listpack::Position position = listpack().First();
  while (position != Listpack::kNone) {
    const HashField field = FieldAt(position);
    if (!HasExpired(field.expiry, now) && !visit(field)) return;
  }
}

uint64_t Hash::Scan(uint64_t cursor, UnixMillis now,
                    absl::FunctionRef<void(const HashField&)> visit) const {
  if (!is_listpack()) {
    return table().Scan(cursor, [&](const Entry& entry) {
      if (!entry.ExpiredAt(now)) visit(FieldOf(entry));
    });
  }
  ForEach(now, [&](const HashField& field) {
    visit(field);
    return true;
  });
  return 0;
}

std::optional<HashField> Hash::RandomField(Random& random, UnixMillis now) const {
  // What has expired is erased within a second, so that there is little of it as a rule.
  constexpr int kTries = 100;
  for (int i = 0; i < kTries && !empty(); ++i) {
    HashField field;
    if (is_listpack()) {
      const auto index = static_cast<int64_t>(random.Uniform(size()) * stride());
      Listpack::Position position = listpack().Seek(index);
      field = FieldAt(position);
    } else {
      field = FieldOf(*table().RandomMember(random));
    }
    if (!HasExpired(field.expiry, now)) return field;
  }
  std::optional<HashField> first;
  ForEach(now, [&](const HashField& field) {
    first = field;
    return false;
  });
  return first;
}

// ---- Changing.

bool Hash::FitsListpack(std::string_view name, std::string_view value,
                        const EncodingLimits& limits) const {
  return name.size() <= limits.hash_max_listpack_value &&
         value.size() <= limits.hash_max_listpack_value &&
         listpack().MayGrowBy(name.size() + value.size() + kElementOverhead);
}

bool Hash::Set(std::string_view name, std::string_view value, const Write& write, BlobRef blob) {
  if (is_listpack()) {
    if (FitsListpack(name, value, write.limits)) [[likely]] {
      const bool is_new = SetInListpack(name, value, write);
      // As Redis does, also when an old field is set and the limit has become lower.
      if (size() > write.limits.hash_max_listpack_entries) ConvertToTable();
      return is_new;
    }
    ConvertToTable();
  }
  return SetInTable(name, value, write, std::move(blob));
}

bool Hash::SetInTable(std::string_view name, std::string_view value, const Write& write,
                      BlobRef blob) {
  const HashedKey member = HashedMember(name);
  const TableValue stored(value, std::move(blob));
  Entry* entry = table().size() == 0 ? nullptr : table().Find(member);
  UnixMillis expiry = write.expiry;
  if (entry == nullptr) {
    if (expiry == kKeepExpiry) expiry = kNoExpiry;
    table().Insert(member, stored.get(), expiry);
    return true;
  }
  const bool is_new = entry->ExpiredAt(write.now);
  if (expiry == kKeepExpiry) expiry = is_new ? kNoExpiry : entry->expiry();
  table().Assign(entry, stored.get(), expiry);
  return is_new;
}

bool Hash::SetInListpack(std::string_view name, std::string_view value, const Write& write) {
  Listpack listpack = this->listpack();
  Listpack::Position position = FindInListpack(name);
  const bool sets_expiry = write.expiry != kNoExpiry && write.expiry != kKeepExpiry;
  if (encoding_ == HashEncoding::kListpack && !sets_expiry) [[likely]] {
    if (position != Listpack::kNone) {
      listpack.Replace(listpack.Next(position), value);
    } else {
      listpack.Append(name);
      listpack.Append(value);
    }
    SetListpack(listpack);
    return position == Listpack::kNone;
  }

  if (encoding_ == HashEncoding::kListpack) {
    ConvertToTimedListpack();
    listpack = this->listpack();
    position = FindInListpack(name);
  }
  if (position == Listpack::kNone) {
    InsertTimed(name, value, write.expiry == kKeepExpiry ? kNoExpiry : write.expiry);
    return true;
  }
  const Listpack::Position value_at = listpack.Replace(listpack.Next(position), value);
  SetListpack(listpack);
  const UnixMillis old_expiry = ExpiryFrom(listpack.At(listpack.Next(value_at)));
  const bool is_new = HasExpired(old_expiry, write.now);
  UnixMillis expiry = write.expiry;
  if (expiry == kKeepExpiry) expiry = is_new ? kNoExpiry : old_expiry;
  if (expiry != old_expiry) MoveInListpack(position, expiry);
  return is_new;
}

void Hash::InsertTimed(std::string_view name, std::string_view value, UnixMillis expiry) {
  Listpack listpack = this->listpack();
  // Before the first field that has no expiry or a later one; without an expiry at the end.
  Listpack::Position at = Listpack::kNone;
  if (expiry != kNoExpiry) {
    Listpack::Position next = listpack.First();
    while (next != Listpack::kNone) {
      const Listpack::Position start = next;
      const UnixMillis other = FieldAt(next).expiry;
      if (other == kNoExpiry || other > expiry) {
        at = start;
        break;
      }
    }
  }
  if (at == Listpack::kNone) {
    listpack.Append(name);
    listpack.Append(value);
    listpack.Append(ForListpack(expiry));
  } else {
    char digits[kMaxIntegerText];
    const Listpack::Position name_at = listpack.InsertBefore(at, name);
    const Listpack::Position value_at = listpack.InsertAfter(name_at, value);
    listpack.InsertAfter(value_at, {digits, FormatInt64(ForListpack(expiry), digits)});
  }
  SetListpack(listpack);
}

void Hash::MoveInListpack(Listpack::Position position, UnixMillis expiry) {
  Listpack listpack = this->listpack();
  const std::string name = listpack.At(position).Text();
  const std::string value = listpack.At(listpack.Next(position)).Text();
  listpack.Erase(position, 3);
  SetListpack(listpack);
  InsertTimed(name, value, expiry);
}

void Hash::SetExpiry(std::string_view name, UnixMillis expiry) {
  if (!is_listpack()) {
    Entry* entry = table().Find(name);
    LARDER_DCHECK(entry != nullptr);
    if (!entry->IsBlob()) {
      table().Assign(entry, entry->value(), expiry);
      return;
    }
    Blob* const blob = Share(*entry);  // Assign takes it over, and drops the old reference.
    table().Assign(entry, Entry::Value::OfBlob(blob), expiry);
    return;
  }
  if (encoding_ == HashEncoding::kListpack) {
    if (expiry == kNoExpiry) return;
    ConvertToTimedListpack();
  }
  const Listpack::Position position = FindInListpack(name);
  LARDER_DCHECK(position != Listpack::kNone);
  MoveInListpack(position, expiry);
}

bool Hash::Erase(std::string_view name, UnixMillis now) {
  if (!is_listpack()) {
    const HashedKey member = HashedMember(name);
    const Entry* entry = table().size() == 0 ? nullptr : table().Find(member);
    return entry != nullptr && !entry->ExpiredAt(now) && table().Erase(member);
  }
  const Listpack::Position position = FindInListpack(name);
  if (position == Listpack::kNone) return false;
  Listpack listpack = this->listpack();
  if (encoding_ == HashEncoding::kTimedListpack) {
    Listpack::Position at = position;
    if (HasExpired(FieldAt(at).expiry, now)) return false;
  }
  listpack.Erase(position, stride());
  SetListpack(listpack);
  return true;
}

void Hash::ConvertToTimedListpack() {
  Listpack timed = Listpack::Create();
  Listpack::Position position = listpack().First();
  while (position != Listpack::kNone) {
    const HashField field = FieldAt(position);
    timed.Append(field.name);
    timed.Append(field.value);
    timed.Append(kNoExpiryInListpack);
  }
  listpack().Free();
  SetListpack(timed);
  encoding_ = HashEncoding::kTimedListpack;
}

void Hash::ConvertToTable() {
  auto* table = new MemberTable;
  table->Reserve(size());
  ForEach(kBeforeAllTime, [&](const HashField& field) {
    char name[kMaxIntegerText];
    char value[kMaxIntegerText];
    const TableValue stored(field.value.View(value), /*blob=*/{});
    table->Insert(field.name.View(name), stored.get(), field.expiry);
    return true;
  });
  listpack().Free();
  data_ = table;
  encoding_ = HashEncoding::kTable;
}

// ---- Time.

uint64_t Hash::due_tick() const {
  if (!is_listpack()) return table().table().due_tick();
  if (encoding_ == HashEncoding::kListpack) return kNoTick;
  Listpack::Position first = listpack().First();
  if (first == Listpack::kNone) return kNoTick;
  const UnixMillis soonest = FieldAt(first).expiry;
  return soonest == kNoExpiry ? kNoTick : TickOf(soonest);
}

size_t Hash::EraseExpired(UnixMillis now, size_t& buckets) {
  if (due_tick() > TickOf(now - 1)) return 0;  // Something expires the millisecond after its time.
  return is_listpack() ? EraseExpiredFromListpack(now) : EraseExpiredFromTable(now, buckets);
}

size_t Hash::EraseExpiredFromListpack(UnixMillis now) {
  Listpack listpack = this->listpack();
  size_t expired = 0;
  Listpack::Position position = listpack.First();
  while (position != Listpack::kNone && HasExpired(FieldAt(position).expiry, now)) ++expired;
  if (expired == 0) return 0;
  listpack.Erase(listpack.First(), expired * stride());
  SetListpack(listpack);
  return expired;
}

size_t Hash::EraseExpiredFromTable(UnixMillis now, size_t& buckets) {
  Table& members = table().table();
  const uint64_t tick = TickOf(now - 1);
  size_t expired = 0;
  uint32_t index;
  while ((index = members.NextDue(tick, buckets)) != Table::kNone) {
    members.PrefetchEntries(index);
    unsigned position = 0;
    while (const Table::Place place = members.PlaceAt(index, position)) {
      if (!place.entry()->ExpiredAt(now)) {
        ++position;
        continue;
      }
      // The chain's last entry takes its position: look there again.
      Entry::Destroy(members.Remove(index, place));
      ++expired;
    }
    members.RefreshTick(index);
  }
  // Only now, since merging would move what is due behind the walk.
  for (size_t i = 0; i < expired && members.WantsToShrink(); ++i) members.Shrink();
  return expired;
}

// ---- Bytes from outside.

bool IsHashListpack(std::string_view bytes, bool timed) {
  absl::flat_hash_set<std::string> names;
  const unsigned stride = timed ? 3 : 2;
  unsigned part = 0;
  UnixMillis last_expiry = 0;
  bool expiries_ended = false;
  const bool valid = Listpack::Validate(bytes, [&](const ListpackValue& element) {
    const unsigned is_part = part;
    part = (part + 1) % stride;
    if (is_part == 0) return names.insert(element.Text()).second;
    if (is_part == 1) return true;
    if (!element.is_integer || element.integer < 0) return false;
    if (element.integer == kNoExpiryInListpack) {
      expiries_ended = true;
      return true;
    }
    if (expiries_ended || element.integer < last_expiry) return false;
    last_expiry = element.integer;
    return true;
  });
  return valid && part == 0 && !names.empty();
}

// ---- What storage does with a hash.

namespace {

size_t AllocatedBytesOf(const Object& object) {
  const Hash hash(object);
  if (hash.is_listpack()) return hash.listpack().allocated_bytes();
  return SizeClass(sizeof(MemberTable)) + static_cast<const MemberTable*>(object.data)->bytes();
}

void DestroyHash(const Object& object) {
  const Hash hash(object);
  if (hash.is_listpack()) {
    hash.listpack().Free();
  } else {
    delete static_cast<MemberTable*>(object.data);
  }
}

Object CloneHash(const Object& object) {
  Object clone = object;
  const Hash hash(object);
  if (hash.is_listpack()) {
    clone.data = Listpack::CopyOf(hash.listpack().bytes()).data();
  } else {
    clone.data = new MemberTable(static_cast<const MemberTable*>(object.data)->Clone(&CloneEntry));
  }
  return clone;
}

size_t FreeEffortOf(const Object& object) {
  const Hash hash(object);
  return hash.is_listpack() ? 1 : static_cast<const MemberTable*>(object.data)->free_effort();
}

const MemberTable* MembersOf(const Object& object) {
  return Hash(object).is_listpack() ? nullptr : static_cast<const MemberTable*>(object.data);
}

std::string_view EncodingNameOf(const Object& object) {
  switch (static_cast<HashEncoding>(object.encoding)) {
    case HashEncoding::kListpack:
      return "listpack";
    case HashEncoding::kTimedListpack:
      return "listpackex";
    case HashEncoding::kTable:
    case HashEncoding::kTimedTable:
      break;
  }
  return "hashtable";
}

}  // namespace

const ObjectOperations kHashOperations = {
    .allocated_bytes = &AllocatedBytesOf,
    .destroy = &DestroyHash,
    .clone = &CloneHash,
    .free_effort = &FreeEffortOf,
    .encoding_name = &EncodingNameOf,
    .members = &MembersOf,
};

}  // namespace larder
