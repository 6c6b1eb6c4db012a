// What bitmap commands do with bits, on bytes alone. Bit 0 is the highest bit of the first byte.
//
// Concurrency: every function is safe from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace larder {

// How many bits are set.
uint64_t CountBits(std::string_view bytes);
// The same from bit `first` to bit `last`, both included. REQUIRES: they are in `bytes`.
uint64_t CountBits(std::string_view bytes, uint64_t first, uint64_t last);

// The first bit that is `bit`, from `first` to `last`, both included; nothing if there is none.
// REQUIRES: both are in `bytes`.
std::optional<uint64_t> FindBit(std::string_view bytes, bool bit, uint64_t first, uint64_t last);

// BITOP's operations. For those of Redis 8.2, X is the first source and Y any of the others.
enum class BitOperation : uint8_t {
  kAnd,
  kOr,
  kXor,
  kNot,    // Of one source.
  kDiff,   // In X, and in no Y.
  kDiff1,  // In some Y, and not in X.
  kAndOr,  // In X, and in some Y.
  kOne,    // In exactly one source.
};

// Writes the result to `result`; sources count as followed by zeros. REQUIRES: there is a source,
// and none is longer than `result`, nor a part of it.
void CombineBits(BitOperation operation, std::span<const std::string_view> sources,
                 std::span<char> result);

// ---- Integers of 1 to 64 bits anywhere among bytes, as BITFIELD has them.

// Bits behind the end of `bytes` are zero.
uint64_t ReadBits(std::string_view bytes, uint64_t offset, unsigned bits);
// The value is cut to `bits`. REQUIRES: they all are in `bytes`.
void WriteBits(std::span<char> bytes, uint64_t offset, unsigned bits, uint64_t value);

}  // namespace larder
