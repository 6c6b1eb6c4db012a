#include "commands/bit_operations.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/check.h"

namespace larder {
namespace {

__extension__ using Uint128 = unsigned __int128;

uint8_t ByteAt(std::string_view bytes, uint64_t index) {
  return static_cast<uint8_t>(bytes[static_cast<size_t>(index)]);
}

// The bits of a byte from its `first` on, counted from the highest; and those up to `last`.
constexpr uint8_t MaskFrom(uint64_t first) { return static_cast<uint8_t>(0xff >> (first & 7)); }
constexpr uint8_t MaskTo(uint64_t last) { return static_cast<uint8_t>(0xff << (7 - (last & 7))); }

template <typename Word>
Word LoadWord(const char* bytes) {
  Word word;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

// The first byte that has a bit which is `bit`, or bytes.size().
size_t FirstByteWith(std::string_view bytes, bool bit) {
  const uint64_t none = bit ? 0 : ~uint64_t{0};
  size_t i = 0;
  while (i + 8 <= bytes.size() && LoadWord<uint64_t>(bytes.data() + i) == none) i += 8;
  while (i < bytes.size() && ByteAt(bytes, i) == static_cast<uint8_t>(none)) ++i;
  return i;
}

// ---- BITOP

// Sources are combined a block at a time, so that result and accumulators stay in the first-level
// cache however many sources there are. The compiler makes vector instructions of the loops.
constexpr size_t kBlock = 4096;
using Block = std::array<uint64_t, kBlock / 8>;

// What `source` has at `offset`, zeros behind its end.
void LoadBlock(std::string_view source, size_t offset, Block& block) {
  const size_t size = offset < source.size() ? std::min(source.size() - offset, kBlock) : 0;
  char* const bytes = reinterpret_cast<char*>(block.data());
  if (size != 0) std::memcpy(bytes, source.data() + offset, size);
  std::memset(bytes + size, 0, kBlock - size);
}

template <typename Combine>
void Apply(Block& result, const Block& operand, Combine combine) {
  for (size_t i = 0; i < result.size(); ++i) result[i] = combine(result[i], operand[i]);
}

// All of `sources` from the second on, by or.
void LoadUnionOfRest(std::span<const std::string_view> sources, size_t offset, Block& united) {
  Block operand;
  united.fill(0);
  for (size_t i = 1; i < sources.size(); ++i) {
    LoadBlock(sources[i], offset, operand);
    Apply(united, operand, [](uint64_t a, uint64_t b) { return a | b; });
  }
}

template <typename Combine>
void Fold(std::span<const std::string_view> sources, size_t offset, Block& result,
          Combine combine) {
  Block operand;
  LoadBlock(sources[0], offset, result);
  for (size_t i = 1; i < sources.size(); ++i) {
    LoadBlock(sources[i], offset, operand);
    Apply(result, operand, combine);
  }
}

template <typename Combine>
void FoldFirstWithRest(std::span<const std::string_view> sources, size_t offset, Block& result,
                       Combine combine) {
  Block rest;
  LoadUnionOfRest(sources, offset, rest);
  LoadBlock(sources[0], offset, result);
  Apply(result, rest, combine);
}

void FoldExactlyOne(std::span<const std::string_view> sources, size_t offset, Block& result) {
  Block operand;
  Block twice{};  // What has been in two sources or more.
  LoadBlock(sources[0], offset, result);
  for (size_t i = 1; i < sources.size(); ++i) {
    LoadBlock(sources[i], offset, operand);
    for (size_t word = 0; word < result.size(); ++word) {
      twice[word] |= result[word] & operand[word];
      result[word] |= operand[word];
    }
  }
  Apply(result, twice, [](uint64_t once, uint64_t more) { return once & ~more; });
}

void CombineBlock(BitOperation operation, std::span<const std::string_view> sources, size_t offset,
                  Block& result) {
  switch (operation) {
    case BitOperation::kAnd:
      return Fold(sources, offset, result, [](uint64_t a, uint64_t b) { return a & b; });
    case BitOperation::kOr:
      return Fold(sources, offset, result, [](uint64_t a, uint64_t b) { return a | b; });
    case BitOperation::kXor:
      return Fold(sources, offset, result, [](uint64_t a, uint64_t b) { return a ^ b; });
    case BitOperation::kNot:
      LoadBlock(sources[0], offset, result);
      for (uint64_t& word : result) word = ~word;
      return;
    case BitOperation::kDiff:
      return FoldFirstWithRest(sources, offset, result,
                               [](uint64_t x, uint64_t y) { return x & ~y; });
    case BitOperation::kDiff1:
      return FoldFirstWithRest(sources, offset, result,
                               [](uint64_t x, uint64_t y) { return ~x & y; });
    case BitOperation::kAndOr:
      return FoldFirstWithRest(sources, offset, result,
                               [](uint64_t x, uint64_t y) { return x & y; });
    case BitOperation::kOne:
      return FoldExactlyOne(sources, offset, result);
  }
}

// ---- BITFIELD

// A value of up to 64 bits touches up to nine bytes: they are seen as one number.
constexpr unsigned kWindowBytes = 9;

unsigned ShiftInWindow(uint64_t offset, unsigned bits) {
  return kWindowBytes * 8 - static_cast<unsigned>(offset & 7) - bits;
}

constexpr uint64_t MaskOf(unsigned bits) { return bits == 64 ? ~uint64_t{0} : (1ull << bits) - 1; }

}  // namespace

uint64_t CountBits(std::string_view bytes) {
  // Four counts at a time hide the latency of the instruction.
  uint64_t counts[4] = {};
  size_t i = 0;
  for (; i + 32 <= bytes.size(); i += 32) {
    for (size_t j = 0; j < 4; ++j) {
      counts[j] +=
          static_cast<unsigned>(std::popcount(LoadWord<uint64_t>(bytes.data() + i + 8 * j)));
    }
  }
  for (; i < bytes.size(); ++i) {
    counts[0] += static_cast<unsigned>(std::popcount(ByteAt(bytes, i)));
  }
  return counts[0] + counts[1] + counts[2] + counts[3];
}

uint64_t CountBits(std::string_view bytes, uint64_t first, uint64_t last) {
  LARDER_DCHECK(first <= last && last / 8 < bytes.size());
  const uint64_t first_byte = first / 8;
  const uint64_t last_byte = last / 8;
  const size_t length = static_cast<size_t>(last_byte - first_byte + 1);
  const auto outside = [&](uint64_t byte, uint8_t mask) {
    return static_cast<unsigned>(std::popcount(static_cast<uint8_t>(ByteAt(bytes, byte) & ~mask)));
  };
  return CountBits(bytes.substr(static_cast<size_t>(first_byte), length)) -
         outside(first_byte, MaskFrom(first)) - outside(last_byte, MaskTo(last));
}

std::optional<uint64_t> FindBit(std::string_view bytes, bool bit, uint64_t first, uint64_t last) {
  LARDER_DCHECK(first <= last && last / 8 < bytes.size());
  const size_t last_byte = static_cast<size_t>(last / 8);
  // Bits of `byte` that are as wanted, as ones.
  const auto wanted = [&](size_t byte) {
    const uint8_t value = ByteAt(bytes, byte);
    return static_cast<uint8_t>(bit ? value : ~value);
  };
  size_t byte = static_cast<size_t>(first / 8);
  auto found = static_cast<uint8_t>(wanted(byte) & MaskFrom(first));
  if (found == 0 && byte < last_byte) {
    ++byte;
    byte += FirstByteWith(bytes.substr(byte, last_byte - byte), bit);
    found = wanted(byte);
  }
  if (found == 0) return std::nullopt;
  const uint64_t position = uint64_t{byte} * 8 + static_cast<unsigned>(std::countl_zero(found));
  if (position > last) return std::nullopt;
  return position;
}

void CombineBits(BitOperation operation, std::span<const std::string_view> sources,
                 std::span<char> result) {
  Block block;
  for (size_t offset = 0; offset < result.size(); offset += kBlock) {
    CombineBlock(operation, sources, offset, block);
    std::memcpy(result.data() + offset, block.data(), std::min(kBlock, result.size() - offset));
  }
}

uint64_t ReadBits(std::string_view bytes, uint64_t offset, unsigned bits) {
  Uint128 window = 0;
  for (unsigned i = 0; i < kWindowBytes; ++i) {
    const uint64_t byte = offset / 8 + i;
    window = (window << 8) | (byte < bytes.size() ? ByteAt(bytes, byte) : 0);
  }
  return static_cast<uint64_t>(window >> ShiftInWindow(offset, bits)) & MaskOf(bits);
}

void WriteBits(std::span<char> bytes, uint64_t offset, unsigned bits, uint64_t value) {
  const unsigned shift = ShiftInWindow(offset, bits);
  const Uint128 mask = Uint128{MaskOf(bits)} << shift;
  const Uint128 window = (Uint128{value} << shift) & mask;
  const unsigned touched = (static_cast<unsigned>(offset & 7) + bits + 7) / 8;
  for (unsigned i = 0; i < touched; ++i) {
    char& byte = bytes[static_cast<size_t>(offset / 8 + i)];
    const unsigned to_the_right = (kWindowBytes - 1 - i) * 8;
    const auto kept = static_cast<uint8_t>(~(mask >> to_the_right));
    byte = static_cast<char>((static_cast<uint8_t>(byte) & kept) |
                             static_cast<uint8_t>(window >> to_the_right));
  }
}

}  // namespace larder
