#include "storage/listpack.h"

#include <bit>
#include <optional>

#include "base/allocator.h"
#include "base/check.h"
#include "base/numbers.h"

namespace larder {
namespace {

static_assert(std::endian::native == std::endian::little);  // As the format is.

// First bytes of an element. The lower bits of the first four hold a number or a length.
constexpr uint8_t kText6 = 0x80;   // 10 + length
constexpr uint8_t kInt13 = 0xc0;   // 110 + high bits, then the low byte
constexpr uint8_t kText12 = 0xe0;  // 1110 + high bits of the length, then its low byte
constexpr uint8_t kText32 = 0xf0;  // Then four bytes of length.
constexpr uint8_t kInt16 = 0xf1;   // Then the number, little endian, as all below.
constexpr uint8_t kInt24 = 0xf2;
constexpr uint8_t kInt32 = 0xf3;
constexpr uint8_t kInt64 = 0xf4;
constexpr uint8_t kFirstFree = 0xf5;  // From here on nothing is defined but the terminator.

constexpr size_t kMaxInt7 = 0x7f;
constexpr size_t kMaxText6 = 0x3f;
constexpr size_t kMaxText12 = 0xfff;

template <typename Integer>
Integer Load(const uint8_t* from) {
  Integer value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

template <typename Integer>
void Store(uint8_t* to, Integer value) {
  std::memcpy(to, &value, sizeof(value));
}

// ---- The length behind an element, readable from its end: groups of seven bits, highest first,
// each but the first marked with the high bit.

// Redis spends a longer form already on the largest length of each shorter one (but the shortest).
size_t BacklenSize(size_t length) {
  if (length <= 127) [[likely]]
    return 1;
  if (length < (size_t{1} << 14) - 1) return 2;
  if (length < (size_t{1} << 21) - 1) return 3;
  return length < (size_t{1} << 28) - 1 ? 4 : 5;
}

// Returns where it ends.
uint8_t* WriteBacklen(uint8_t* to, size_t length) {
  const size_t size = BacklenSize(length);
  for (size_t i = size; i-- > 0; length >>= 7) {
    to[i] = static_cast<uint8_t>((length & 0x7f) | (i == 0 ? 0 : 0x80));
  }
  return to + size;
}

// `end` is behind its last byte. At most five bytes are looked at: as long as the header that
// stands before the first element.
size_t ReadBacklen(const uint8_t* end) {
  size_t length = 0;
  for (unsigned shift = 0; shift < 35; shift += 7) {
    const uint8_t group = *--end;
    length |= static_cast<size_t>(group & 0x7f) << shift;
    if ((group & 0x80) == 0) break;
  }
  return length;
}

// ---- Reading an element.

bool IsInteger(uint8_t first) {
  return first <= kMaxInt7 || (first >= kInt13 && first < kText12) ||
         (first >= kInt16 && first <= kInt64);
}

// How many bytes tell the length of the element that starts with `first`.
size_t LengthBytes(uint8_t first) {
  if (first == kText32) return 5;
  return first >= kText12 && first < kText32 ? 2 : 1;
}

// Encoding and payload, without the length behind them. REQUIRES: a defined encoding.
size_t EncodedSize(const uint8_t* element) {
  const uint8_t first = *element;
  if (first < kText6) return 1;
  if (first < kInt13) return 1u + (first & kMaxText6);
  if (first < kText12) return 2;
  switch (first) {
    case kText32:
      return size_t{5} + Load<uint32_t>(element + 1);
    case kInt16:
      return 3;
    case kInt24:
      return 4;
    case kInt32:
      return 5;
    case kInt64:
      return 9;
    default:
      return size_t{2} + ((first & 0x0fu) << 8 | element[1]);
  }
}

size_t WholeSize(const uint8_t* element) {
  const size_t encoded = EncodedSize(element);
  return encoded + BacklenSize(encoded);
}

// REQUIRES: IsInteger(*element).
int64_t ReadInteger(const uint8_t* element) {
  switch (*element) {
    case kInt16:
      return Load<int16_t>(element + 1);
    case kInt24:
      return static_cast<int32_t>(uint32_t{Load<uint16_t>(element + 1)} << 8 | uint32_t{element[3]}
                                                                                   << 24) >>
             8;
    case kInt32:
      return Load<int32_t>(element + 1);
    case kInt64:
      return Load<int64_t>(element + 1);
    default:
      break;
  }
  if (*element <= kMaxInt7) return *element;
  const int value = (*element & 0x1f) << 8 | element[1];
  return value < 4096 ? value : value - 8192;
}

// REQUIRES: !IsInteger(*element).
std::string_view ReadText(const uint8_t* element) {
  const size_t head = LengthBytes(*element);
  return {reinterpret_cast<const char*>(element) + head, EncodedSize(element) - head};
}

ListpackValue ReadValue(const uint8_t* element) {
  if (IsInteger(*element)) return {.integer = ReadInteger(element), .is_integer = true};
  return {.text = ReadText(element)};
}

// ---- Writing an element. One class for each kind of value: Size() is what it takes without the
// length behind it, Write() returns where it ends.

class EncodedText {
 public:
  explicit EncodedText(std::string_view text) : text_(text) {}

  size_t Size() const {
    if (text_.size() <= kMaxText6) return 1 + text_.size();
    return (text_.size() <= kMaxText12 ? 2 : 5) + text_.size();
  }
  uint8_t* Write(uint8_t* to) const {
    const size_t size = text_.size();
    if (size <= kMaxText6) {
      *to++ = static_cast<uint8_t>(kText6 | size);
    } else if (size <= kMaxText12) {
      *to++ = static_cast<uint8_t>(kText12 | size >> 8);
      *to++ = static_cast<uint8_t>(size);
    } else {
      *to++ = kText32;
      Store(to, static_cast<uint32_t>(size));
      to += 4;
    }
    std::memcpy(to, text_.data(), size);
    return to + size;
  }

 private:
  std::string_view text_;
};

class EncodedInteger {
 public:
  explicit EncodedInteger(int64_t value) : value_(value), size_(SizeOf(value)) {}

  size_t Size() const { return size_; }
  uint8_t* Write(uint8_t* to) const {
    switch (size_) {
      case 1:
        *to = static_cast<uint8_t>(value_);
        break;
      case 2:
        to[0] = static_cast<uint8_t>(kInt13 | (value_ >> 8 & 0x1f));
        to[1] = static_cast<uint8_t>(value_);
        break;
      case 3:
        to[0] = kInt16;
        Store(to + 1, static_cast<int16_t>(value_));
        break;
      case 4:
        to[0] = kInt24;
        Store(to + 1, static_cast<uint16_t>(value_));
        to[3] = static_cast<uint8_t>(value_ >> 16);
        break;
      case 5:
        to[0] = kInt32;
        Store(to + 1, static_cast<int32_t>(value_));
        break;
      default:
        to[0] = kInt64;
        Store(to + 1, value_);
        break;
    }
    return to + size_;
  }

 private:
  static size_t SizeOf(int64_t value) {
    if (value >= 0 && value <= int64_t{kMaxInt7}) return 1;
    // The bits that a number needs are those of the non-negative one of it and its complement.
    const int bits = std::bit_width(static_cast<uint64_t>(value < 0 ? ~value : value)) + 1;
    if (bits <= 13) return 2;
    if (bits <= 16) return 3;
    if (bits <= 24) return 4;
    return bits <= 32 ? 5 : 9;
  }

  int64_t value_;
  size_t size_;
};

// Calls `put` with the shortest encoding of `text`.
template <typename Put>
auto WithEncoded(std::string_view text, const Put& put) {
  if (const std::optional<int64_t> integer = ParseInt64(text)) return put(EncodedInteger(*integer));
  return put(EncodedText(text));
}

}  // namespace

std::string_view ListpackValue::View(char* buffer) const {
  if (!is_integer) return text;
  return {buffer, FormatInt64(integer, buffer)};
}

std::string ListpackValue::Text() const {
  char buffer[kMaxIntegerText];
  return std::string(View(buffer));
}

size_t ListpackValue::TextSize() const { return is_integer ? Int64TextSize(integer) : text.size(); }

// ---- Life.

Listpack Listpack::Create() {
  constexpr uint32_t kEmptyBytes = kHeaderBytes + 1;
  Listpack listpack(Allocate(SizeClass(kEmptyBytes)));
  Store(listpack.bytes_, kEmptyBytes);
  Store(listpack.bytes_ + 4, uint16_t{0});
  listpack.bytes_[kHeaderBytes] = kEnd;
  return listpack;
}

Listpack Listpack::CopyOf(std::string_view bytes) {
  Listpack listpack(Allocate(SizeClass(bytes.size())));
  std::memcpy(listpack.bytes_, bytes.data(), bytes.size());
  return listpack;
}

void Listpack::Free() {
  Deallocate(bytes_, allocated_bytes());
  bytes_ = nullptr;
}

// ---- Walking.

size_t Listpack::CountElements() const {
  size_t count = 0;
  for (Position at = First(); at != kNone; at = Next(at)) ++count;
  return count;
}

Listpack::Position Listpack::Skip(Position position) const {
  return position + static_cast<Position>(WholeSize(bytes_ + position));
}

Listpack::Position Listpack::First() const { return OrNone(kHeaderBytes); }

Listpack::Position Listpack::Last() const { return Previous(End()); }

Listpack::Position Listpack::Next(Position position) const { return OrNone(Skip(position)); }

Listpack::Position Listpack::Previous(Position position) const {
  if (position == kHeaderBytes) return kNone;
  const size_t encoded = ReadBacklen(bytes_ + position);
  return position - static_cast<Position>(encoded + BacklenSize(encoded));
}

Listpack::Position Listpack::Seek(int64_t index) const {
  const size_t stored = StoredSize();
  if (stored != kUnknownSize) {
    const auto size = static_cast<int64_t>(stored);
    if (index >= size || index < -size) return kNone;
    // From whichever end is nearer.
    if (index > size / 2) index -= size;
    if (index < -size / 2) index += size;
  }
  if (index < 0) {
    Position at = Last();
    while (at != kNone && ++index < 0) at = Previous(at);
    return at;
  }
  Position at = First();
  while (at != kNone && index-- > 0) at = Next(at);
  return at;
}

ListpackValue Listpack::At(Position position) const { return ReadValue(bytes_ + position); }

bool Listpack::Equals(Position position, std::string_view text) const {
  const uint8_t* element = bytes_ + position;
  if (!IsInteger(*element)) return ReadText(element) == text;
  const std::optional<int64_t> integer = ParseInt64(text);
  return integer && *integer == ReadInteger(element);
}

Listpack::Position Listpack::Find(Position from, std::string_view text, unsigned skip) const {
  // Parsed once, and only if there are integers to compare with.
  std::optional<int64_t> integer;
  bool parsed = false;
  if (from == kNone) return kNone;
  unsigned to_skip = 0;
  for (const uint8_t* at = bytes_ + from; *at != kEnd; at += WholeSize(at)) {
    if (to_skip > 0) {
      --to_skip;
      continue;
    }
    to_skip = skip;
    if (!IsInteger(*at)) {
      if (ReadText(at) == text) return static_cast<Position>(at - bytes_);
      continue;
    }
    if (!parsed) integer = ParseInt64(text);
    parsed = true;
    if (integer && *integer == ReadInteger(at)) return static_cast<Position>(at - bytes_);
  }
  return kNone;
}

// ---- Changing.

void Listpack::AddToStoredSize(int64_t change) {
  const size_t stored = StoredSize();
  if (stored != kUnknownSize) {
    const auto size = static_cast<size_t>(static_cast<int64_t>(stored) + change);
    Store(bytes_ + 4, static_cast<uint16_t>(size < kUnknownSize ? size : kUnknownSize));
    return;
  }
  // Once so few bytes are left that the number must fit again, it is counted for good: an element
  // takes two at least.
  if (total_bytes() - kHeaderBytes <= 2 * kUnknownSize) {
    Store(bytes_ + 4, static_cast<uint16_t>(CountElements()));
  }
}

void Listpack::Resize(Position offset, size_t old_bytes, size_t new_bytes) {
  if (new_bytes == old_bytes) return;
  const size_t old_total = total_bytes();
  const size_t new_total = old_total - old_bytes + new_bytes;
  LARDER_DCHECK(new_total <= UINT32_MAX);
  const size_t tail = old_total - offset - old_bytes;
  const bool moves = SizeClass(new_total) != SizeClass(old_total);
  if (moves && new_total > old_total) {
    bytes_ = static_cast<uint8_t*>(Reallocate(bytes_, SizeClass(new_total)));
  }
  if (tail == 1) {
    bytes_[offset + new_bytes] = kEnd;
  } else {
    std::memmove(bytes_ + offset + new_bytes, bytes_ + offset + old_bytes, tail);
  }
  if (moves && new_total < old_total) {
    bytes_ = static_cast<uint8_t*>(Reallocate(bytes_, SizeClass(new_total)));
  }
  Store(bytes_, static_cast<uint32_t>(new_total));
}

// Writes an element in place of `old_bytes` at `offset`. REQUIRES: `value` is no view into this.
template <typename Value>
void Listpack::Put(Position offset, size_t old_bytes, const Value& value) {
  const size_t encoded = value.Size();
  Resize(offset, old_bytes, encoded + BacklenSize(encoded));
  WriteBacklen(value.Write(bytes_ + offset), encoded);
  if (old_bytes == 0) AddToStoredSize(1);
}

void Listpack::Append(std::string_view value) {
  WithEncoded(value, [&](const auto& encoded) { Put(End(), 0, encoded); });
}

void Listpack::Append(int64_t value) { Put(End(), 0, EncodedInteger(value)); }

void Listpack::Append(const ListpackValue& value) {
  if (value.is_integer) return Append(value.integer);
  Append(value.text);
}

void Listpack::Prepend(std::string_view value) { InsertBefore(kHeaderBytes, value); }

void Listpack::Prepend(const ListpackValue& value) {
  if (value.is_integer) return Put(kHeaderBytes, 0, EncodedInteger(value.integer));
  Prepend(value.text);
}

Listpack::Position Listpack::InsertBefore(Position position, std::string_view value) {
  WithEncoded(value, [&](const auto& encoded) { Put(position, 0, encoded); });
  return position;
}

Listpack::Position Listpack::InsertBefore(Position position, const ListpackValue& value) {
  if (!value.is_integer) return InsertBefore(position, value.text);
  Put(position, 0, EncodedInteger(value.integer));
  return position;
}

Listpack::Position Listpack::InsertAfter(Position position, std::string_view value) {
  return InsertBefore(Skip(position), value);
}

Listpack::Position Listpack::Replace(Position position, std::string_view value) {
  const size_t old_bytes = WholeSize(bytes_ + position);
  WithEncoded(value, [&](const auto& encoded) { Put(position, old_bytes, encoded); });
  return position;
}

Listpack::Position Listpack::Replace(Position position, int64_t value) {
  Put(position, WholeSize(bytes_ + position), EncodedInteger(value));
  return position;
}

Listpack::Position Listpack::Replace(Position position, const ListpackValue& value) {
  if (value.is_integer) return Replace(position, value.integer);
  return Replace(position, value.text);
}

Listpack::Position Listpack::Erase(Position position, size_t count) {
  Position end = position;
  int64_t erased = 0;
  for (; count > 0 && bytes_[end] != kEnd; --count, ++erased) end = Skip(end);
  Resize(position, end - position, 0);
  AddToStoredSize(-erased);
  return OrNone(position);
}

Listpack Listpack::Split(Position position) {
  const size_t moved_bytes = End() - position;
  Listpack tail(Allocate(SizeClass(kHeaderBytes + moved_bytes + 1)));
  Store(tail.bytes_, static_cast<uint32_t>(kHeaderBytes + moved_bytes + 1));
  std::memcpy(tail.bytes_ + kHeaderBytes, bytes_ + position, moved_bytes + 1);
  const size_t moved = tail.CountElements();
  Store(tail.bytes_ + 4, static_cast<uint16_t>(moved < kUnknownSize ? moved : kUnknownSize));
  Resize(position, moved_bytes, 0);
  AddToStoredSize(-static_cast<int64_t>(moved));
  return tail;
}

void Listpack::AppendAll(const Listpack& other) {
  const size_t added_bytes = other.total_bytes() - kHeaderBytes - 1;
  const size_t added = other.size();
  const Position end = End();
  Resize(end, 0, added_bytes);
  std::memcpy(bytes_ + end, other.bytes_ + kHeaderBytes, added_bytes);
  AddToStoredSize(static_cast<int64_t>(added));
}

// ---- At the head, in place.

void Listpack::SetHeader(size_t total_bytes, size_t stored_size) {
  Store(bytes_, static_cast<uint32_t>(total_bytes));
  Store(bytes_ + 4, static_cast<uint16_t>(stored_size));
}

size_t Listpack::PrependInFront(std::string_view value, size_t room) {
  return WithEncoded(value, [&](const auto& encoded) -> size_t {
    const size_t size = encoded.Size();
    const size_t whole = size + BacklenSize(size);
    if (whole > room) return 0;
    const size_t total = total_bytes();
    const size_t stored = StoredSize();
    bytes_ -= whole;
    // This overwrites the header, which stands further in front now.
    WriteBacklen(encoded.Write(bytes_ + kHeaderBytes), size);
    SetHeader(total + whole, stored);
    AddToStoredSize(1);
    return whole;
  });
}

size_t Listpack::EraseFirstInFront() {
  const size_t whole = WholeSize(bytes_ + kHeaderBytes);
  const size_t total = total_bytes();
  const size_t stored = StoredSize();
  bytes_ += whole;
  SetHeader(total - whole, stored);
  AddToStoredSize(-1);
  return whole;
}

// ---- Bytes from outside.

bool Listpack::Validate(std::string_view bytes,
                        absl::FunctionRef<bool(const ListpackValue&)> visit) {
  const auto* const begin = reinterpret_cast<const uint8_t*>(bytes.data());
  if (bytes.size() < kHeaderBytes + 1 || Load<uint32_t>(begin) != bytes.size()) return false;
  const uint8_t* const end = begin + bytes.size() - 1;
  if (*end != kEnd) return false;
  size_t count = 0;
  const uint8_t* element = begin + kHeaderBytes;
  while (element != end) {
    // The terminator's byte may be read, whatever stands before it.
    const auto left = static_cast<size_t>(end - element);
    if (*element >= kFirstFree || LengthBytes(*element) > left) return false;
    const size_t encoded = EncodedSize(element);
    const size_t whole = encoded + BacklenSize(encoded);
    if (whole > left || ReadBacklen(element + whole) != encoded) return false;
    if (!visit(ReadValue(element))) return false;
    element += whole;
    ++count;
  }
  const size_t stored = Load<uint16_t>(begin + 4);
  return stored == kUnknownSize || stored == count;
}

}  // namespace larder
