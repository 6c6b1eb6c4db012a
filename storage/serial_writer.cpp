#include "storage/serial_writer.h"

#include <bit>
#include <cstddef>
#include <cstring>
#include <limits>
#include <optional>

#include "base/numbers.h"
#include "storage/lzf.h"
#include "storage/serial_format.h"

namespace larder {
namespace {

// The number's bytes, lowest first, in `out`.
template <typename Number>
void PutLittleEndian(Number number, char* out) {
  static_assert(std::endian::native == std::endian::little);
  std::memcpy(out, &number, sizeof(number));
}

template <typename Number>
void PutBigEndian(Number number, char* out) {
  for (size_t i = 0; i < sizeof(number); ++i) {
    out[i] = static_cast<char>(number >> (8 * (sizeof(number) - 1 - i)));
  }
}

constexpr char Encoded(serial::StringEncodingCode code) {
  return static_cast<char>(serial::kEncoded << 6 | code);
}

}  // namespace

void SerialWriter::Byte(uint8_t byte) {
  const char c = static_cast<char>(byte);
  Raw({&c, 1});
}

void SerialWriter::Length(uint64_t length) {
  char bytes[9];
  if (length < 1u << 6) return Byte(static_cast<uint8_t>(length));
  if (length < 1u << 14) {
    PutBigEndian(static_cast<uint16_t>(length | serial::kLength14 << 14), bytes);
    return Raw({bytes, 2});
  }
  if (length <= std::numeric_limits<uint32_t>::max()) {
    bytes[0] = static_cast<char>(serial::kLength32);
    PutBigEndian(static_cast<uint32_t>(length), bytes + 1);
    return Raw({bytes, 5});
  }
  bytes[0] = static_cast<char>(serial::kLength64);
  PutBigEndian(length, bytes + 1);
  Raw({bytes, 9});
}

bool SerialWriter::Integer(std::string_view text) {
  constexpr size_t kLongest = 11;  // -2147483648
  if (text.size() > kLongest) return false;
  const std::optional<int64_t> number = ParseInt64(text);
  if (!number) return false;
  char bytes[5];
  if (*number >= INT8_MIN && *number <= INT8_MAX) {
    bytes[0] = Encoded(serial::kInt8);
    bytes[1] = static_cast<char>(*number);
    Raw({bytes, 2});
  } else if (*number >= INT16_MIN && *number <= INT16_MAX) {
    bytes[0] = Encoded(serial::kInt16);
    PutLittleEndian(static_cast<int16_t>(*number), bytes + 1);
    Raw({bytes, 3});
  } else if (*number >= INT32_MIN && *number <= INT32_MAX) {
    bytes[0] = Encoded(serial::kInt32);
    PutLittleEndian(static_cast<int32_t>(*number), bytes + 1);
    Raw({bytes, 5});
  } else {
    return false;
  }
  return true;
}

bool SerialWriter::Compressed(std::string_view text) {
  constexpr size_t kTooShort = 20;  // Even of one letter only.
  constexpr size_t kLeastGain = 4;
  if (compress_ == Compress::kNo || text.size() <= kTooShort) return false;
  const size_t room = text.size() - kLeastGain;
  if (compressed_.size() < room) compressed_.resize(room);
  const size_t size = LzfCompress(text, compressed_.data(), room);
  if (size == 0) return false;
  Byte(static_cast<uint8_t>(Encoded(serial::kLzf)));
  Length(size);
  Length(text.size());
  Raw({compressed_.data(), size});
  return true;
}

void SerialWriter::String(std::string_view text) {
  if (Integer(text) || Compressed(text)) return;
  Length(text.size());
  Raw(text);
}

void SerialWriter::String(const ListpackValue& value) {
  char digits[kMaxIntegerText];
  String(value.View(digits));
}

void SerialWriter::BinaryDouble(double number) {
  char bytes[8];
  PutLittleEndian(number, bytes);
  Raw({bytes, 8});
}

void SerialWriter::Milliseconds(int64_t milliseconds) {
  char bytes[8];
  PutLittleEndian(milliseconds, bytes);
  Raw({bytes, 8});
}

}  // namespace larder
