// Builds serialized values by hand, of forms too that Larder itself never writes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/crc64.h"

namespace larder {

// `size` bytes of the number, the lowest first.
inline std::string LittleEndian(uint64_t number, size_t size) {
  std::string bytes;
  for (size_t i = 0; i < size; ++i) bytes += static_cast<char>(number >> (8 * i));
  return bytes;
}

inline std::string BigEndian(uint64_t number, size_t size) {
  const std::string bytes = LittleEndian(number, size);
  return {bytes.rbegin(), bytes.rend()};
}

// A length below 16384 as it stands in front of a string or a collection.
inline std::string SerialLength(size_t length) {
  if (length < 64) return std::string(1, static_cast<char>(length));
  return BigEndian(length | 0x4000, 2);
}

inline std::string SerialString(std::string_view text) {
  return SerialLength(text.size()) + std::string(text);
}

// What RESTORE takes: type, value, version and checksum.
inline std::string Payload(uint8_t type, const std::string& value, unsigned version = 10) {
  const std::string bytes = static_cast<char>(type) + value + LittleEndian(version, 2);
  return bytes + LittleEndian(Crc64(bytes), 8);
}

// A ziplist; elements that are to be integers start with '#'.
inline std::string Ziplist(const std::vector<std::string>& elements) {
  std::string body;
  size_t previous = 0;
  size_t last_offset = 10;
  for (const std::string& element : elements) {
    last_offset = 10 + body.size();
    const size_t begin = body.size();
    body += previous < 254 ? LittleEndian(previous, 1) : "\xfe" + LittleEndian(previous, 4);
    if (element.starts_with('#')) {
      const int64_t number = std::stoll(element.substr(1));
      if (number >= 0 && number <= 12) {
        body += static_cast<char>(0xf1 + number);
      } else if (number >= INT8_MIN && number <= INT8_MAX) {
        body += "\xfe" + LittleEndian(static_cast<uint64_t>(number), 1);
      } else if (number >= INT16_MIN && number <= INT16_MAX) {
        body += "\xc0" + LittleEndian(static_cast<uint64_t>(number), 2);
      } else if (number >= -(1 << 23) && number < 1 << 23) {
        body += "\xf0" + LittleEndian(static_cast<uint64_t>(number), 3);
      } else if (number >= INT32_MIN && number <= INT32_MAX) {
        body += "\xd0" + LittleEndian(static_cast<uint64_t>(number), 4);
      } else {
        body += "\xe0" + LittleEndian(static_cast<uint64_t>(number), 8);
      }
    } else if (element.size() < 64) {
      body += static_cast<char>(element.size()) + element;
    } else if (element.size() < 16384) {
      body += BigEndian(element.size() | 0x4000, 2) + element;
    } else {
      body += "\x80" + BigEndian(element.size(), 4) + element;
    }
    previous = body.size() - begin;
  }
  return LittleEndian(10 + body.size() + 1, 4) + LittleEndian(last_offset, 4) +
         LittleEndian(elements.size(), 2) + body + "\xff";
}

// A zipmap of keys and values in turn, each shorter than 254 bytes, with `unused` bytes behind each
// value.
inline std::string Zipmap(const std::vector<std::string>& elements, size_t unused = 0) {
  std::string bytes(1, static_cast<char>(elements.size() / 2));
  for (size_t i = 0; i + 1 < elements.size(); i += 2) {
    bytes += static_cast<char>(elements[i].size()) + elements[i];
    bytes += static_cast<char>(elements[i + 1].size());
    bytes += static_cast<char>(unused);
    bytes += elements[i + 1] + std::string(unused, '\0');
  }
  return bytes + "\xff";
}

}  // namespace larder
