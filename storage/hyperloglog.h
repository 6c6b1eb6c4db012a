// HyperLogLog as Redis holds it, byte for byte: a string that estimates how many different elements
// were added to it, to within 0.81 %.
//
//   "HYLL", encoding (0 dense, 1 sparse), 3 bytes unused, cardinality (8 bytes, little endian; its
//   highest bit: out of date), registers
//
// There are 16384 registers; each holds the longest run of zeros, plus one, in the hashes that fell
// to it. Dense, a register takes 6 bits, counted from the lowest bit of the first byte. Sparse, the
// registers are run-length coded:
//
//   00xxxxxx           x + 1 registers are 0
//   01xxxxxx xxxxxxxx  the same with 14 bits
//   1vvvvvxx           x + 1 registers are v + 1
//
// The estimate is Otmar Ertl's ("New cardinality estimation algorithms for HyperLogLog sketches",
// arXiv:1702.01284).
//
// Bytes may come from anywhere (SET, RESTORE): every function takes what it is given for possibly
// corrupt, and reads and writes nothing outside of it.
//
// Concurrency: every function is safe from any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace larder::hyperloglog {

inline constexpr size_t kRegisters = 16384;
inline constexpr size_t kHeaderBytes = 16;
inline constexpr size_t kDenseBytes = kHeaderBytes + kRegisters * 6 / 8;

enum class Encoding : uint8_t { kDense = 0, kSparse = 1 };

// Whether the header is a HyperLogLog's and, if dense, the length. What follows a sparse one's
// header is not looked at.
bool HasForm(std::string_view bytes);

// The rest REQUIRES HasForm of the bytes it gets, unless it says otherwise.

inline Encoding EncodingOf(std::string_view bytes) { return static_cast<Encoding>(bytes[4]); }

// Sparse, with nothing added.
std::string Empty();

// What an element does: its register is to be at least `rank`.
struct Observation {
  uint32_t index;
  uint8_t rank;  // 1 .. 51
};
Observation Observe(std::string_view element);

enum class Effect : uint8_t { kNone, kRaised, kCorrupt };

// What Raise would do.
Effect Probe(std::string_view bytes, Observation observation);
// Raises the register if it is lower. A sparse form changes its length, and becomes a dense one
// when it would be longer than `sparse_max_bytes`. The cardinality is then out of date.
Effect Raise(std::string& bytes, Observation observation, size_t sparse_max_bytes);

// The same for bytes that are dense already. REQUIRES: EncodingOf(bytes) is kDense.
Effect RaiseDense(std::span<char> bytes, Observation observation);

// False if the sparse form is corrupt; then nothing has changed.
bool MakeDense(std::string& bytes);

// ---- Cardinality.

// What is noted in the header, unless it is out of date.
std::optional<uint64_t> CachedCardinality(std::string_view bytes);
void SetCachedCardinality(std::span<char> bytes, uint64_t cardinality);
void ForgetCachedCardinality(std::span<char> bytes);
// Nothing if the sparse form is corrupt.
std::optional<uint64_t> EstimateCardinality(std::string_view bytes);

// ---- Many at once, and inspection: a byte a register.

using Registers = std::array<uint8_t, kRegisters>;

// Raises each register to what it is in `bytes`. False if that is corrupt.
bool MergeInto(Registers& registers, std::string_view bytes);
uint64_t EstimateCardinality(const Registers& registers);

// A sparse form's runs as PFDEBUG DECODE prints them: "Z:100 v:2,1 z:3".
std::string DescribeRuns(std::string_view bytes);

}  // namespace larder::hyperloglog
