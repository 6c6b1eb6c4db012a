#include "storage/old_encodings.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace larder {
namespace {

constexpr uint8_t kEnd = 0xff;

// Takes pieces off the front of bytes; at the first that is not there it stays failed.
class Pieces {
 public:
  explicit Pieces(std::string_view bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  size_t left() const { return bytes_.size(); }

  std::string_view Take(uint64_t size) {
    if (!ok_ || size > bytes_.size()) {
      ok_ = false;
      return {};
    }
    const std::string_view piece = bytes_.substr(0, static_cast<size_t>(size));
    bytes_.remove_prefix(static_cast<size_t>(size));
    return piece;
  }
  // A number in so many bytes, lowest first, unsigned.
  uint64_t TakeNumber(size_t size) {
    uint64_t number = 0;
    const std::string_view piece = Take(size);
    for (size_t i = piece.size(); i > 0; --i) {
      number = number << 8 | static_cast<uint8_t>(piece[i - 1]);
    }
    return number;
  }
  uint64_t TakeBigEndian(size_t size) {
    uint64_t number = 0;
    for (const char c : Take(size)) number = number << 8 | static_cast<uint8_t>(c);
    return number;
  }
  int64_t TakeSigned(size_t size) {
    const unsigned unused = 64 - 8 * static_cast<unsigned>(size);
    return static_cast<int64_t>(TakeNumber(size) << unused) >> unused;
  }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

// ---- Ziplist: total bytes (4), offset of the last element (4), number of elements (2; 65535:
// unknown), elements, 0xff. An element: length of the one before it, encoding, payload.

constexpr size_t kZiplistHeader = 10;
constexpr uint64_t kUnknownCount = 0xffff;
constexpr uint64_t kLongPrevious = 0xfe;

uint64_t TakePreviousSize(Pieces& pieces) {
  const uint64_t first = pieces.TakeNumber(1);
  return first < kLongPrevious ? first : pieces.TakeNumber(4);
}

ListpackValue IntegerOf(int64_t integer) { return {.integer = integer, .is_integer = true}; }

bool TakeZiplistElement(Pieces& pieces, ListpackValue& value) {
  const auto encoding = static_cast<uint8_t>(pieces.TakeNumber(1));
  switch (encoding >> 6) {
    case 0:
      value = {.text = pieces.Take(encoding & 0x3f)};
      return pieces.ok();
    case 1:
      value = {.text = pieces.Take((uint64_t{encoding & 0x3fu} << 8) | pieces.TakeNumber(1))};
      return pieces.ok();
    case 2:
      value = {.text = pieces.Take(pieces.TakeBigEndian(4))};
      return pieces.ok() && encoding == 0x80;
    default:
      break;
  }
  switch (encoding) {
    case 0xc0:
      value = IntegerOf(pieces.TakeSigned(2));
      return pieces.ok();
    case 0xd0:
      value = IntegerOf(pieces.TakeSigned(4));
      return pieces.ok();
    case 0xe0:
      value = IntegerOf(pieces.TakeSigned(8));
      return pieces.ok();
    case 0xf0:
      value = IntegerOf(pieces.TakeSigned(3));
      return pieces.ok();
    case 0xfe:
      value = IntegerOf(pieces.TakeSigned(1));
      return pieces.ok();
    default:
      value = IntegerOf((encoding & 0x0f) - 1);
      return encoding >= 0xf1 && encoding <= 0xfd;
  }
}

// ---- Zipmap: number of pairs (1; 254: unknown), pairs, 0xff. A pair: length and bytes of the key,
// length of the value, number of unused bytes behind it (1), its bytes, unused bytes.

constexpr uint64_t kLongLength = 0xfe;

uint64_t TakeZipmapLength(Pieces& pieces) {
  const uint64_t first = pieces.TakeNumber(1);
  return first < kLongLength ? first : pieces.TakeNumber(4);
}

}  // namespace

bool ReadZiplist(std::string_view bytes, absl::FunctionRef<bool(const ListpackValue&)> visit) {
  if (bytes.size() < kZiplistHeader + 1 || static_cast<uint8_t>(bytes.back()) != kEnd) return false;
  Pieces pieces(bytes.substr(0, bytes.size() - 1));
  const uint64_t total = pieces.TakeNumber(4);
  const uint64_t last_offset = pieces.TakeNumber(4);
  const uint64_t stored_count = pieces.TakeNumber(2);
  if (total != bytes.size()) return false;

  uint64_t count = 0;
  size_t previous_size = 0;
  size_t offset = kZiplistHeader;
  for (; pieces.left() > 0; ++count) {
    const size_t left = pieces.left();
    ListpackValue value;
    if (TakePreviousSize(pieces) != previous_size || !pieces.ok()) return false;
    if (!TakeZiplistElement(pieces, value) || !visit(value)) return false;
    offset += previous_size;
    previous_size = left - pieces.left();
  }
  return last_offset == offset && (stored_count == kUnknownCount || stored_count == count);
}

bool ReadZipmap(std::string_view bytes,
                absl::FunctionRef<bool(std::string_view key, std::string_view value)> visit) {
  if (bytes.size() < 2 || static_cast<uint8_t>(bytes.back()) != kEnd) return false;
  Pieces pieces(bytes.substr(0, bytes.size() - 1));
  const uint64_t stored_count = pieces.TakeNumber(1);
  uint64_t count = 0;
  for (; pieces.left() > 0; ++count) {
    const std::string_view key = pieces.Take(TakeZipmapLength(pieces));
    const uint64_t size = TakeZipmapLength(pieces);
    const uint64_t unused = pieces.TakeNumber(1);
    const std::string_view value = pieces.Take(size);
    pieces.Take(unused);
    if (!pieces.ok() || !visit(key, value)) return false;
  }
  return stored_count >= kLongLength || stored_count == count;
}

}  // namespace larder
