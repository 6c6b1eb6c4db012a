#include "storage/serial_reader.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <optional>

#include "base/numbers.h"
#include "storage/lzf.h"
#include "storage/serial_format.h"

namespace larder {
namespace {

constexpr std::string_view kTruncated = "the bytes end early";

template <typename Number>
Number FromLittleEndian(const char* bytes) {
  static_assert(std::endian::native == std::endian::little);
  Number number;
  std::memcpy(&number, bytes, sizeof(number));
  return number;
}

uint64_t FromBigEndian(const char* bytes, size_t size) {
  uint64_t number = 0;
  for (size_t i = 0; i < size; ++i) number = number << 8 | static_cast<uint8_t>(bytes[i]);
  return number;
}

}  // namespace

bool StringSource::Read(char* out, size_t size) {
  if (size > bytes_.size()) return false;
  if (size != 0) std::memcpy(out, bytes_.data(), size);
  bytes_.remove_prefix(size);
  return true;
}

bool SerialReader::Fail(std::string_view error) {
  if (error_.empty()) error_ = error;
  return false;
}

bool SerialReader::Raw(char* out, size_t size) {
  if (!ok()) return false;
  return source_.Read(out, size) || Fail(kTruncated);
}

bool SerialReader::Byte(uint8_t& byte) {
  char c = 0;
  if (!Raw(&c, 1)) return false;
  byte = static_cast<uint8_t>(c);
  return true;
}

bool SerialReader::LengthOrEncoding(uint64_t& length, bool& encoded) {
  encoded = false;
  uint8_t first = 0;
  char bytes[8];
  if (!Byte(first)) return false;
  switch (first >> 6) {
    case serial::kLength6:
      length = first & 0x3f;
      return true;
    case serial::kLength14: {
      uint8_t second = 0;
      if (!Byte(second)) return false;
      length = uint64_t{first & 0x3fu} << 8 | second;
      return true;
    }
    case serial::kLengthLong: {
      if (first != serial::kLength32 && first != serial::kLength64) {
        return Fail("no such form of a length");
      }
      const size_t size = first == serial::kLength32 ? 4 : 8;
      if (!Raw(bytes, size)) return false;
      length = FromBigEndian(bytes, size);
      return true;
    }
    default:
      encoded = true;
      length = first & 0x3f;
      return true;
  }
}

bool SerialReader::Length(uint64_t& length) {
  bool encoded = false;
  if (!LengthOrEncoding(length, encoded)) return false;
  return !encoded || Fail("an encoded string where a length should be");
}

bool SerialReader::Count(uint64_t& count, size_t element_bytes) {
  if (!Length(count)) return false;
  return count <= source_.left() / element_bytes || Fail(kTruncated);
}

bool SerialReader::Bytes(uint64_t size, std::string& text) {
  // A length that is a lie must not cost its memory: a stream that cannot say how much is left is
  // read in steps.
  constexpr size_t kStep = size_t{1} << 20;
  text.clear();
  if (size > source_.left()) return Fail(kTruncated);
  const bool known = source_.left() != ByteSource::kUnknown;
  while (size > 0) {
    const size_t step =
        known ? static_cast<size_t>(size)
              : static_cast<size_t>(std::min<uint64_t>(size, std::max(kStep, text.size())));
    const size_t old_size = text.size();
    text.resize(old_size + step);
    if (!Raw(text.data() + old_size, step)) return false;
    size -= step;
  }
  return true;
}

bool SerialReader::CompressedString(std::string& text) {
  // Three bytes stand for at most 264.
  constexpr uint64_t kMostExpansion = 88;
  uint64_t compressed_size = 0;
  uint64_t size = 0;
  if (!Length(compressed_size) || !Length(size)) return false;
  if (!Bytes(compressed_size, compressed_)) return false;
  if (size / kMostExpansion > compressed_size) return Fail("a compressed string that is too short");
  text.resize(static_cast<size_t>(size));
  return LzfDecompress(compressed_, text.data(), text.size()) ||
         Fail("a corrupt compressed string");
}

bool SerialReader::EncodedString(uint64_t encoding, std::string& text) {
  int64_t number = 0;
  char bytes[4];
  switch (encoding) {
    case serial::kInt8:
      if (!Raw(bytes, 1)) return false;
      number = FromLittleEndian<int8_t>(bytes);
      break;
    case serial::kInt16:
      if (!Raw(bytes, 2)) return false;
      number = FromLittleEndian<int16_t>(bytes);
      break;
    case serial::kInt32:
      if (!Raw(bytes, 4)) return false;
      number = FromLittleEndian<int32_t>(bytes);
      break;
    case serial::kLzf:
      return CompressedString(text);
    default:
      return Fail("no such form of a string");
  }
  char digits[kMaxIntegerText];
  text.assign(digits, FormatInt64(number, digits));
  return true;
}

bool SerialReader::String(std::string& text) {
  uint64_t length = 0;
  bool encoded = false;
  if (!LengthOrEncoding(length, encoded)) return false;
  return encoded ? EncodedString(length, text) : Bytes(length, text);
}

bool SerialReader::BinaryDouble(double& number) {
  char bytes[8];
  if (!Raw(bytes, 8)) return false;
  number = FromLittleEndian<double>(bytes);
  return true;
}

bool SerialReader::TextDouble(double& number) {
  uint8_t size = 0;
  char text[256];
  if (!Byte(size)) return false;
  switch (size) {
    case 255:
      number = -HUGE_VAL;
      return true;
    case 254:
      number = HUGE_VAL;
      return true;
    case 253:
      return Fail("a score that is not a number");
    default:
      break;
  }
  if (!Raw(text, size)) return false;
  const std::optional<double> parsed = ParseDouble({text, size});
  if (!parsed) return Fail("a score that is not a number");
  number = *parsed;
  return true;
}

bool SerialReader::Milliseconds(int64_t& milliseconds) {
  char bytes[8];
  if (!Raw(bytes, 8)) return false;
  milliseconds = FromLittleEndian<int64_t>(bytes);
  return true;
}

}  // namespace larder
