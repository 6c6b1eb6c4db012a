#include "commands/bit_operations.h"

#include <string>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"

namespace larder {
namespace {

std::string RandomBytes(Random& random, size_t size) {
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random.Next());
  return bytes;
}

bool Bit(std::string_view bytes, uint64_t offset) {
  return offset / 8 < bytes.size() &&
         ((static_cast<uint8_t>(bytes[offset / 8]) >> (7 - offset % 8)) & 1) != 0;
}

TEST(BitOperationsTest, CountsAndFindsAsALoopOverBitsDoes) {
  Random random(1);
  for (int round = 0; round < 300; ++round) {
    std::string bytes = RandomBytes(random, 1 + random.Uniform(100));
    // Long runs of one kind are what FindBit is made for.
    if (round % 3 == 1) bytes.assign(bytes.size(), '\0');
    if (round % 3 == 2) bytes.assign(bytes.size(), '\xff');
    bytes[random.Uniform(bytes.size())] = static_cast<char>(random.Next());
    const uint64_t first = random.Uniform(bytes.size() * 8);
    const uint64_t last = first + random.Uniform(bytes.size() * 8 - first);

    uint64_t count = 0;
    std::optional<uint64_t> first_set;
    std::optional<uint64_t> first_clear;
    for (uint64_t i = first; i <= last; ++i) {
      if (Bit(bytes, i)) {
        ++count;
        if (!first_set) first_set = i;
      } else if (!first_clear) {
        first_clear = i;
      }
    }
    EXPECT_EQ(CountBits(bytes, first, last), count);
    EXPECT_EQ(FindBit(bytes, true, first, last), first_set);
    EXPECT_EQ(FindBit(bytes, false, first, last), first_clear);
  }
}

bool Combined(BitOperation operation, const std::vector<bool>& bits) {
  size_t set = 0;
  for (const bool bit : bits) set += bit ? 1 : 0;
  const bool x = bits[0];
  const bool any_y = set > (x ? 1u : 0u);
  switch (operation) {
    case BitOperation::kAnd:
      return set == bits.size();
    case BitOperation::kOr:
      return set > 0;
    case BitOperation::kXor:
      return set % 2 == 1;
    case BitOperation::kNot:
      return !x;
    case BitOperation::kDiff:
      return x && !any_y;
    case BitOperation::kDiff1:
      return !x && any_y;
    case BitOperation::kAndOr:
      return x && any_y;
    case BitOperation::kOne:
      return set == 1;
  }
  return false;
}

TEST(BitOperationsTest, CombinesBitByBitAcrossBlocks) {
  Random random(2);
  for (const BitOperation operation :
       {BitOperation::kAnd, BitOperation::kOr, BitOperation::kXor, BitOperation::kNot,
        BitOperation::kDiff, BitOperation::kDiff1, BitOperation::kAndOr, BitOperation::kOne}) {
    const std::vector<std::string> texts = {RandomBytes(random, 9000), RandomBytes(random, 5000),
                                            RandomBytes(random, 3), ""};
    const size_t used = operation == BitOperation::kNot ? 1 : texts.size();
    const std::vector<std::string_view> sources(texts.begin(),
                                                texts.begin() + static_cast<ptrdiff_t>(used));
    std::string result(9000, '\0');
    CombineBits(operation, sources, result);
    for (uint64_t offset = 0; offset < 9000 * 8; ++offset) {
      std::vector<bool> bits;
      for (const std::string_view source : sources) bits.push_back(Bit(source, offset));
      ASSERT_EQ(Bit(result, offset), Combined(operation, bits)) << offset;
    }
  }
}

TEST(BitOperationsTest, WritesAFieldAndNothingBesideIt) {
  Random random(3);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes = RandomBytes(random, 12);
    const std::string before = bytes;
    const auto bits = static_cast<unsigned>(1 + random.Uniform(64));
    const uint64_t offset = random.Uniform(12 * 8 - bits + 1);
    const uint64_t value = random.Next();
    WriteBits(bytes, offset, bits, value);
    EXPECT_EQ(ReadBits(bytes, offset, bits), bits == 64 ? value : value & ((1ull << bits) - 1));
    for (uint64_t i = 0; i < 12 * 8; ++i) {
      const bool inside = i >= offset && i < offset + bits;
      ASSERT_TRUE(inside || Bit(bytes, i) == Bit(before, i));
    }
  }
  EXPECT_EQ(ReadBits("\xff", 4, 8), 0xf0u);  // Zeros follow.
  EXPECT_EQ(ReadBits("\xff", 100, 8), 0u);
}

}  // namespace
}  // namespace larder
