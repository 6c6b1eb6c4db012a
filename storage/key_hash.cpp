#include "storage/key_hash.h"

#include <array>
#include <bit>
#include <cstring>
#include <random>

#include "storage/types.h"

// The whole of xxHash inlined here, and only here: a 16-byte key then costs two nanoseconds.
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace larder {
namespace {

using Crc16Tables = std::array<std::array<uint16_t, 256>, 8>;

// tables[0] is the usual one; tables[k] is what a byte does to the CRC when k bytes follow it, so
// that eight bytes need eight independent look-ups instead of a chain of eight.
constexpr Crc16Tables kCrc16 = [] {
  constexpr uint16_t kPolynomial = 0x1021;
  Crc16Tables tables{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    auto crc = static_cast<uint16_t>(byte << 8);
    for (int bit = 0; bit < 8; ++bit) {
      crc = static_cast<uint16_t>((crc << 1) ^ ((crc & 0x8000) != 0 ? kPolynomial : 0));
    }
    tables[0][byte] = crc;
  }
  for (size_t k = 1; k < tables.size(); ++k) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint16_t before = tables[k - 1][byte];
      tables[k][byte] = static_cast<uint16_t>((before << 8) ^ tables[0][before >> 8]);
    }
  }
  return tables;
}();

uint16_t Crc16(std::string_view text) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  size_t left = text.size();
  uint16_t crc = 0;
  for (; left >= 8; left -= 8, bytes += 8) {
    crc = static_cast<uint16_t>(kCrc16[7][bytes[0] ^ (crc >> 8)] ^
                                kCrc16[6][bytes[1] ^ (crc & 0xff)] ^ kCrc16[5][bytes[2]] ^
                                kCrc16[4][bytes[3]] ^ kCrc16[3][bytes[4]] ^ kCrc16[2][bytes[5]] ^
                                kCrc16[1][bytes[6]] ^ kCrc16[0][bytes[7]]);
  }
  for (; left > 0; --left, ++bytes) {
    crc = static_cast<uint16_t>((crc << 8) ^ kCrc16[0][(crc >> 8) ^ *bytes]);
  }
  return crc;
}

// What is between the first '{' and the next '}', unless there is nothing; else the whole key.
std::string_view HashTag(std::string_view key) {
  const size_t open = key.find('{');
  if (open == std::string_view::npos) [[likely]]
    return key;
  const size_t close = key.find('}', open + 1);
  if (close == std::string_view::npos || close == open + 1) return key;
  return key.substr(open + 1, close - open - 1);
}

uint64_t RandomSeed() {
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

uint64_t hash_seed = RandomSeed();

}  // namespace

void SetHashSeedForTests(uint64_t seed) { hash_seed = seed; }

uint16_t KeySlot(std::string_view key) { return Crc16(HashTag(key)) & (kSlotCount - 1); }

uint64_t HashKeyText(std::string_view key) {
  return XXH3_64bits_withSeed(key.data(), key.size(), hash_seed);
}

HashedKey HashedKey::Of(std::string_view key) {
  return {.text = key, .hash = HashKeyText(key), .slot = KeySlot(key)};
}

}  // namespace larder
