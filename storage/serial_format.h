// The numbers of Redis's serialized form, as its RDB files have them.
#pragma once

#include <cstdint>

namespace larder::serial {

// Which kind of value follows.
enum Type : uint8_t {
  kString = 0,
  kList = 1,
  kSet = 2,
  kZSet = 3,
  kHash = 4,
  kZSet2 = 5,  // With scores of 8 bytes.
  kHashZipmap = 9,
  kListZiplist = 10,
  kSetIntset = 11,
  kZSetZiplist = 12,
  kHashZiplist = 13,
  kListQuicklist = 14,
  kStreamListpacks = 15,
  kHashListpack = 16,
  kZSetListpack = 17,
  kListQuicklist2 = 18,
  kStreamListpacks2 = 19,
  kSetListpack = 20,
  kStreamListpacks3 = 21,
  kTimedHashEarly = 22,          // Of Redis 7.4's release candidates,
  kTimedHashListpackEarly = 23,  // as this one.
  kTimedHash = 24,
  kTimedHashListpack = 25,
};

// The version of the form that a payload names, by what is in it.
inline constexpr int kVersionRedis70 = 10;
inline constexpr int kVersionTimedHashes = 12;       // Redis 7.4.
inline constexpr int kVersionOwnerlessPending = 13;  // Ours: pending entries that no consumer has.
inline constexpr int kNewestVersion = kVersionOwnerlessPending;

// The two highest bits of a length's first byte.
inline constexpr uint8_t kLength6 = 0;
inline constexpr uint8_t kLength14 = 1;
inline constexpr uint8_t kLengthLong = 2;  // The whole byte says which:
inline constexpr uint8_t kLength32 = 0x80;
inline constexpr uint8_t kLength64 = 0x81;
inline constexpr uint8_t kEncoded = 3;  // Not a length: the other bits say which encoding follows.

enum StringEncodingCode : uint8_t { kInt8 = 0, kInt16 = 1, kInt32 = 2, kLzf = 3 };

// How a list's node is held.
inline constexpr uint64_t kPlainNode = 1;
inline constexpr uint64_t kPackedNode = 2;

}  // namespace larder::serial
