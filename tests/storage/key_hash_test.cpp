#include "storage/key_hash.h"

#include <string>

#include "storage/types.h"
#include <gtest/gtest.h>

namespace larder {
namespace {

uint16_t BitwiseCrc16(std::string_view text) {
  uint16_t crc = 0;
  for (const char c : text) {
    crc = static_cast<uint16_t>(crc ^ (static_cast<unsigned char>(c) << 8));
    for (int bit = 0; bit < 8; ++bit) {
      crc = static_cast<uint16_t>((crc << 1) ^ ((crc & 0x8000) != 0 ? 0x1021 : 0));
    }
  }
  return crc;
}

TEST(KeyHashTest, SlotsAreThoseOfRedisCluster) {
  // As CLUSTER KEYSLOT of redis-server 7.0.15 answers.
  EXPECT_EQ(KeySlot("foo"), 12182);
  EXPECT_EQ(KeySlot("somekey"), 11058);
  EXPECT_EQ(KeySlot("123456789"), 12739);
  EXPECT_EQ(KeySlot(""), 0);
}

TEST(KeyHashTest, SlicedCrcIsTheBitwiseOne) {
  std::string text;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(KeySlot(text), BitwiseCrc16(text) % kSlotCount) << text.size();
    text.push_back(static_cast<char>(i * 37 + 200));
    if (text.back() == '{') text.back() = '!';
  }
}

TEST(KeyHashTest, OnlyTheHashTagCounts) {
  EXPECT_EQ(KeySlot("{foo}bar"), KeySlot("foo"));
  EXPECT_EQ(KeySlot("bar{foo}"), KeySlot("foo"));
  EXPECT_EQ(KeySlot("{foo}{bar}"), KeySlot("foo"));
  EXPECT_EQ(KeySlot("a{{foo}}"), KeySlot("{foo"));
  // No tag: nothing between the braces, or no closing one after the first opening one.
  EXPECT_EQ(KeySlot("{}foo"), BitwiseCrc16("{}foo") % kSlotCount);
  EXPECT_EQ(KeySlot("{}{foo}"), BitwiseCrc16("{}{foo}") % kSlotCount);
  EXPECT_EQ(KeySlot("}foo{"), BitwiseCrc16("}foo{") % kSlotCount);
  EXPECT_EQ(KeySlot("{foo"), BitwiseCrc16("{foo") % kSlotCount);
}

TEST(KeyHashTest, TheHashDependsOnTheSeedAndTheWholeKey) {
  SetHashSeedForTests(1);
  const uint64_t first = HashedKey::Of("{tag}a").hash;
  EXPECT_NE(first, HashedKey::Of("{tag}b").hash);
  EXPECT_EQ(first, HashKeyText("{tag}a"));
  SetHashSeedForTests(2);
  EXPECT_NE(first, HashedKey::Of("{tag}a").hash);
}

}  // namespace
}  // namespace larder
