// One key and what it holds, in one allocation: header, optional expiry, key, value.
//
//   6 bytes   kind (type, encoding, has-freshness, has-expiry, long lengths), 24 bits for eviction,
//             key and value length
//   8 bytes   longer lengths, only when the key exceeds 255 bytes or the inline value 255
//   8 bytes   expiry, only when there is one
//   key bytes, then the value: its bytes, an int64_t, or a pointer
//             (a pointer to a blob may have the end of the string behind it)
//   8 bytes   freshness (storage/freshness.h), only of a string that has it, or the address of its
//             tags (storage/tags.h); last, so that nobody who reads a value has to know
//
// So a 16-byte key with an 8-byte value is 30 bytes and fits the allocator's class of 32. Larger
// classes are up to a quarter apart, and a string of 1, 4 or 8 KB with a key and a header just
// misses one. So where it saves a sixteenth, a string is cut (Entry::CutText): its beginning fills
// a blob of a whole class, and its end stands in the entry. Above 28 KB nothing is saved: what has
// its pages for itself does not touch those that it does not use.
// An entry is not aligned; nobody outside this class computes an address in it.
//
// Concurrency: shard-guarded. No pointer to an entry, nor a view of its key or value, outlives the
// shard's lock; any call that changes the shard may move it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "base/blob.h"
#include "storage/freshness.h"
#include "storage/object.h"
#include "storage/size_class.h"
#include "storage/types.h"

namespace larder {

class TagStamp;  // storage/tags.h

// What a string holds, readable as text. An integer's text is made in the object itself, and so is
// that of a string in two pieces, so the view lives as long as both this object and the shard's
// lock.
class StringValue {
 public:
  StringValue() = default;
  StringValue(const StringValue&) = delete;  // The view may point into the object itself.
  StringValue& operator=(const StringValue&) = delete;

  // Puts two pieces together: who can do with them apart is spared the copy.
  std::string_view view() const {
    if (blob_ == nullptr) [[likely]]
      return view_;
    return view_.empty() ? blob_->view() : Whole();
  }
  size_t size() const { return (blob_ == nullptr ? 0 : blob_->size()) + view_.size(); }
  bool is_integer() const { return is_integer_; }
  int64_t integer() const { return integer_; }  // REQUIRES: is_integer().
  // The blob behind a large value, to reply without a copy; null for the others.
  Blob* blob() const { return blob_; }
  // What follows the blob's bytes. REQUIRES: blob() is not null.
  std::string_view rest() const { return view_; }

 private:
  friend class Entry;
  std::string_view Whole() const;

  std::string_view view_;  // Behind a blob, the rest.
  Blob* blob_ = nullptr;
  int64_t integer_ = 0;
  bool is_integer_ = false;
  char digits_[21];
  mutable std::unique_ptr<char[]> whole_;
};

class Entry {
 public:
  // The longest string that stands in its entry. Above it the 32 bytes that a blob costs vanish,
  // and a reply that shares the bytes is cheaper than one that copies them.
  static constexpr size_t kMaxInlineBytes = 4096;

  ValueType type() const { return static_cast<ValueType>(kind_ & 7); }
  // StringEncoding for a string; each other type has its own enum.
  uint8_t encoding() const {
    return type() == ValueType::kString ? static_cast<uint8_t>(string_encoding())
                                        : object_encoding();
  }
  // REQUIRES: type() == kString.
  StringEncoding string_encoding() const { return static_cast<StringEncoding>((kind_ >> 3) & 3); }

  std::string_view key() const { return {Bytes() + key_offset(), key_size()}; }

  bool has_expiry() const { return (kind_ & kHasExpiry) != 0; }
  // kNoExpiry if it has none.
  UnixMillis expiry() const {
    return has_expiry() ? Load<UnixMillis>(is_long() ? 14 : 6) : kNoExpiry;
  }
  // As Redis has it: at the very millisecond of its expiry a key is still there.
  bool ExpiredAt(UnixMillis now) const { return has_expiry() && now > expiry(); }

  // Whether it is a string with a soft deadline. Any other value is fresh until it expires.
  bool has_freshness() const { return (kind_ & kFreshStringMask) == kFreshString; }
  // REQUIRES: has_freshness().
  Freshness freshness() const {
    if (const TagStamp* stamp = tags()) [[unlikely]]
      return FreshnessOf(*stamp);
    return Freshness::Unpack(Load<uint64_t>(freshness_offset()));
  }
  // What a string is tagged with; null if it is not.
  TagStamp* tags() const {
    if (!has_freshness()) return nullptr;
    const auto word = Load<uint64_t>(freshness_offset());
    if ((word & Freshness::kIsElsewhere) == 0) [[likely]]
      return nullptr;
    return reinterpret_cast<TagStamp*>(word & ~Freshness::kIsElsewhere);
  }

  // Whether it is a hash of which fields may expire before it does.
  bool has_timed_fields() const { return (kind_ & kTimedHashMask) == kTimedHash; }

  // 24 bits that belong to eviction: an access time or a frequency, or, where it keeps queues, an
  // access time and in the lowest four what the queues know of the entry. Storage keeps them when
  // it moves an entry and never looks inside.
  uint32_t access() const { return access_[0] | (access_[1] << 8) | (access_[2] << 16); }
  void set_access(uint32_t access) {
    access_[0] = static_cast<uint8_t>(access);
    access_[1] = static_cast<uint8_t>(access >> 8);
    access_[2] = static_cast<uint8_t>(access >> 16);
  }
  // The byte in which those four stand.
  uint8_t& queue_state() { return access_[0]; }

  // REQUIRES: type() == kString. Fills `value` (returned by reference parameter so that integer
  // text is built in place).
  void ReadString(StringValue& value) const;
  size_t StringSize() const;

  // REQUIRES: type() != kString. The collection, to make a handle of (Hash, List, ...).
  Object object() const { return {type(), object_encoding(), Load<void*>(value_offset())}; }

  // What the entry and the value it points to occupy, allocator rounding included.
  size_t allocated_bytes() const { return SizeClass(size()) + outside_bytes(); }
  // "embstr", "raw", "int", ...: what OBJECT ENCODING answers.
  std::string_view EncodingName() const;

  // ---- For storage alone, which owns entries.

  // A value as it stands in an entry: text, the 8 bytes of an integer, or those of a pointer.
  struct Value {
    ValueType type;
    uint8_t encoding;
    const void* bytes;
    size_t size;
    std::optional<uint64_t> freshness = {};  // Packed, or tags. Only with a string.
    std::string_view rest = {};              // Follows the bytes. Only with a blob.

    static Value Text(std::string_view text, StringEncoding encoding = StringEncoding::kInline) {
      return {ValueType::kString, static_cast<uint8_t>(encoding), text.data(), text.size()};
    }
    static Value Integer(const int64_t& integer) {
      return {ValueType::kString, static_cast<uint8_t>(StringEncoding::kInteger), &integer, 8};
    }
    static Value OfBlob(Blob* const& blob, std::string_view rest = {}) {
      constexpr auto kEncoding = static_cast<uint8_t>(StringEncoding::kBlob);
      return {ValueType::kString, kEncoding, &blob, 8, {}, rest};
    }
    static Value OfObject(const Object& object) {
      return {object.type, object.encoding, &object.data, 8};
    }
    // The same with a freshness, or without.
    Value With(std::optional<uint64_t> packed) const {
      return {type, encoding, bytes, size, packed, rest};
    }

    size_t whole_size() const { return size + rest.size(); }
  };

  // Where to cut a text for an entry that has nothing else in it than a key of this size.
  struct Cut {
    size_t in_blob;  // 0: it has no blob.
    size_t in_entry;
  };
  static Cut CutText(size_t key_size, size_t text_size, bool has_expiry, bool has_freshness);

  static constexpr size_t SizeFor(size_t key_size, size_t value_size, bool has_expiry,
                                  bool has_freshness = false) {
    return 6 + (key_size > 255 || value_size > 255 ? 8u : 0u) + (has_expiry ? 8u : 0u) + key_size +
           value_size + (has_freshness ? 8u : 0u);
  }

  // Allocates. REQUIRES: the key is shorter than 4 GiB. Takes over what `value` points to.
  static Entry* Create(std::string_view key, const Value& value, UnixMillis expiry,
                       uint32_t access);
  // Frees the entry and what its value points to.
  static void Destroy(Entry* entry);
  // Frees the entry only: its value has been moved elsewhere.
  static void DestroyShell(Entry* entry);

  // Gives the key another value and expiry, in place if the allocation fits, and returns where the
  // entry is now. The old value is not released: see ReleaseValue. `value` may point into `entry`.
  static Entry* Rewrite(Entry* entry, const Value& value, UnixMillis expiry);
  // The same for another expiry alone.
  static Entry* ChangeExpiry(Entry* entry, UnixMillis expiry);
  // The same for another freshness alone, or none. REQUIRES: a string. Tags are not released.
  static Entry* ChangeFreshness(Entry* entry, std::optional<uint64_t> packed);
  // Offers move(memory, bytes) the entry and, unless a reply shares it, its blob; it returns where
  // that is now. Returns where the entry is.
  static Entry* Relocate(Entry* entry, absl::FunctionRef<void*(void*, size_t)> move);
  // Drops what the value points to; the value must be replaced at once.
  void ReleaseValue();
  // A collection has come out of a change with another encoding or address.
  void SetObject(const Object& object) {
    kind_ =
        static_cast<uint8_t>((kind_ & ~kTypeAndEncoding) | KindOf(object.type, object.encoding));
    Store(value_offset(), object.data);
  }

  Value value() const {
    return {type(), encoding(), Bytes() + value_offset(), value_size(), packed_freshness()};
  }
  size_t size() const { return freshness_offset() + (has_freshness() ? 8 : 0); }
  // What the value occupies outside of the entry.
  size_t outside_bytes() const {
    if (type() != ValueType::kString) [[unlikely]]
      return AllocatedBytes(object());
    const size_t blob_bytes = IsBlob() ? blob()->allocated_bytes() : 0;
    if (const TagStamp* stamp = tags()) [[unlikely]]
      return blob_bytes + BytesOf(*stamp);
    return blob_bytes;
  }
  // REQUIRES: IsBlob().
  Blob* blob() const { return Load<Blob*>(value_offset()); }
  // What follows the blob's bytes. REQUIRES: IsBlob().
  std::string_view rest() const { return {Bytes() + value_offset() + 8, value_size() - 8}; }
  bool IsBlob() const {
    return (kind_ & kTypeAndEncoding & ~kFreshnessBit) ==
           KindOf(ValueType::kString, static_cast<uint8_t>(StringEncoding::kBlob));
  }
  char* value_bytes() { return Bytes() + value_offset(); }
  void SetBlobPointer(Blob* blob) { Store(value_offset(), blob); }

  bool KeyEquals(std::string_view text) const;

 private:
  static constexpr uint8_t kTypeAndEncoding = 0x3f;
  // Strings need two of the three bits of an encoding; the third says that there is a freshness.
  static constexpr uint8_t kFreshnessBit = 0x20;
  static constexpr uint8_t kFreshStringMask = 7 | kFreshnessBit;
  static constexpr uint8_t kFreshString = static_cast<uint8_t>(ValueType::kString) | kFreshnessBit;
  static constexpr uint8_t kHasExpiry = 0x40;
  static constexpr uint8_t kLong = 0x80;
  // One comparison tells type and bit, for this is asked of every entry that moves.
  static constexpr uint8_t kTimedHashMask = 7 | (kTimedHashBit << 3);
  static constexpr uint8_t kTimedHash =
      static_cast<uint8_t>(ValueType::kHash) | (kTimedHashBit << 3);

  static constexpr uint8_t KindOf(ValueType type, uint8_t encoding) {
    return static_cast<uint8_t>(static_cast<uint8_t>(type) | (encoding << 3));
  }

  const char* Bytes() const { return reinterpret_cast<const char*>(this); }
  char* Bytes() { return reinterpret_cast<char*>(this); }
  template <typename T>
  T Load(size_t offset) const {
    T value;
    std::memcpy(&value, Bytes() + offset, sizeof(T));
    return value;
  }
  template <typename T>
  void Store(size_t offset, T value) {
    std::memcpy(Bytes() + offset, &value, sizeof(T));
  }

  bool is_long() const { return (kind_ & kLong) != 0; }
  size_t key_offset() const { return 6u + (is_long() ? 8u : 0u) + (has_expiry() ? 8u : 0u); }
  size_t key_size() const { return is_long() ? Load<uint32_t>(6) : short_key_size_; }
  size_t value_offset() const { return key_offset() + key_size(); }
  size_t value_size() const { return is_long() ? Load<uint32_t>(10) : short_value_size_; }
  // Where the value ends.
  size_t freshness_offset() const { return value_offset() + value_size(); }
  std::optional<uint64_t> packed_freshness() const {
    if (!has_freshness()) [[likely]]
      return std::nullopt;
    return Load<uint64_t>(freshness_offset());
  }
  uint8_t object_encoding() const { return (kind_ >> 3) & 7; }
  static Freshness FreshnessOf(const TagStamp& tags);
  static size_t BytesOf(const TagStamp& tags);

  static size_t SizeWith(size_t key_size, const Value& value, UnixMillis expiry) {
    return SizeFor(key_size, value.whole_size(), expiry != kNoExpiry, value.freshness.has_value());
  }
  void WriteHeader(size_t key_size, const Value& value, UnixMillis expiry);
  static void WriteValue(char* to, const Value& value);

  uint8_t kind_;
  uint8_t access_[3];
  uint8_t short_key_size_;
  uint8_t short_value_size_;
};
static_assert(sizeof(Entry) == 6);

}  // namespace larder
