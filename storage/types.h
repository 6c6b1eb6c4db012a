// The small words of the keyspace that every file of storage and its users share.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/clock.h"

namespace larder {

// The numbers are Redis's own, as RDB files and DEBUG OBJECT show them.
enum class ValueType : uint8_t {
  kString = 0,
  kList = 1,
  kSet = 2,
  kSortedSet = 3,
  kHash = 4,
  kStream = 5,
};

// How a string is held; the names that OBJECT ENCODING gives are derived from it.
enum class StringEncoding : uint8_t {
  kInline = 0,     // The bytes stand in the entry.
  kInlineRaw = 1,  // The same, but the value was edited in place: Redis would call it "raw".
  kInteger = 2,    // Canonical decimal text of an int64_t, held as 8 bytes in the entry.
  kBlob = 3,       // The entry holds a pointer to a Blob.
};

// How a hash is held. One bit says that it is a table and not a listpack, the other that fields of
// it may expire.
inline constexpr uint8_t kTimedHashBit = 2;
enum class HashEncoding : uint8_t {
  kListpack = 0,
  kTable = 1,
  kTimedListpack = kTimedHashBit,
  kTimedTable = kTimedHashBit | 1,
};

inline constexpr UnixMillis kNoExpiry = -1;

inline constexpr uint32_t kSlotCount = 16384;

// A key with what every lookup needs of it, computed once a request.
struct HashedKey {
  std::string_view text;
  uint64_t hash = 0;  // Of the whole key, seeded per process.
  uint16_t slot = 0;  // CRC16 of the hash tag, as Redis Cluster defines it.

  static HashedKey Of(std::string_view key);
};

// CRC16-CCITT (XMODEM) of `key`'s hash tag, or of the whole key when it has none, mod kSlotCount.
uint16_t KeySlot(std::string_view key);
uint64_t HashKeyText(std::string_view key);

}  // namespace larder
