#include "eviction/recency_stack.h"

#include <cstdint>
#include <list>
#include <optional>

#include "base/random.h"
#include "gtest/gtest.h"

namespace larder {
namespace {

TEST(RecencyStackTest, CountsWhatWasUsedSince) {
  RecencyStack stack;
  stack.Use({.id = 1, .bytes = 10});
  stack.Use({.id = 2, .bytes = 20});
  stack.Use({.id = 3, .bytes = 30});
  EXPECT_EQ(stack.bytes(), 60u);
  EXPECT_EQ(stack.BytesSince(3), 0u);
  EXPECT_EQ(stack.BytesSince(2), 30u);
  EXPECT_EQ(stack.BytesSince(1), 50u);
}

TEST(RecencyStackTest, AnotherUseMovesAKeyToTheTop) {
  RecencyStack stack;
  stack.Use({.id = 1, .bytes = 10});
  stack.Use({.id = 2, .bytes = 20});
  stack.Use({.id = 1, .bytes = 11});
  EXPECT_EQ(stack.size(), 2u);
  EXPECT_EQ(stack.bytes(), 31u);
  EXPECT_EQ(stack.BytesSince(2), 11u);
  EXPECT_EQ(stack.Find(1)->bytes, 11u);
}

TEST(RecencyStackTest, WhatIsErasedWeighsNothing) {
  RecencyStack stack;
  stack.Use({.id = 1, .bytes = 10});
  stack.Use({.id = 2, .bytes = 20});
  stack.Use({.id = 3, .bytes = 30});
  stack.Erase(2);
  stack.Erase(4);
  EXPECT_EQ(stack.Find(2), nullptr);
  EXPECT_EQ(stack.BytesSince(1), 30u);
  stack.EraseOldest();
  EXPECT_EQ(stack.Find(1), nullptr);
  stack.EraseIf([](const RecencyStack::Key& key) { return key.bytes == 30; });
  EXPECT_TRUE(stack.empty());
  EXPECT_EQ(stack.bytes(), 0u);
}

// The same by a list, searched from the top.
class ListOfKeys {
 public:
  void Use(KeyId id, uint64_t bytes) {
    Erase(id);
    keys_.push_front({id, bytes});
  }
  void Erase(KeyId id) {
    keys_.remove_if([&](const auto& key) { return key.id == id; });
  }
  std::optional<uint64_t> BytesSince(KeyId id) const {
    uint64_t bytes = 0;
    for (const auto& key : keys_) {
      if (key.id == id) return bytes;
      bytes += key.bytes;
    }
    return std::nullopt;
  }
  KeyId Oldest() const { return keys_.back().id; }
  size_t size() const { return keys_.size(); }

 private:
  struct Key {
    KeyId id;
    uint64_t bytes;
  };
  std::list<Key> keys_;
};

TEST(RecencyStackTest, AgreesWithAListThroughPackingAndErasing) {
  RecencyStack stack;
  ListOfKeys list;
  Random random(1);
  for (int step = 0; step < 20'000; ++step) {
    const auto id = static_cast<KeyId>(random.Uniform(300));
    const std::optional<uint64_t> expected = list.BytesSince(id);
    ASSERT_EQ(stack.Find(id) != nullptr, expected.has_value()) << step;
    if (expected.has_value()) {
      ASSERT_EQ(stack.BytesSince(id), *expected) << step;
    }
    if (random.Uniform(5) == 0) {
      stack.Erase(id);
      list.Erase(id);
    } else if (random.Uniform(20) == 0 && list.size() > 0) {
      stack.EraseOldest();
      list.Erase(list.Oldest());
    } else {
      const uint64_t bytes = random.Uniform(1000);
      stack.Use({.id = id, .bytes = bytes});
      list.Use(id, bytes);
    }
    ASSERT_EQ(stack.size(), list.size());
  }
}

TEST(RecencyStackTest, MemoryFollowsTheKeysAndNotTheUses) {
  RecencyStack stack;
  for (int use = 0; use < 100'000; ++use) {
    stack.Use({.id = static_cast<KeyId>(use % 1000), .bytes = 1});
  }
  EXPECT_LT(stack.memory_bytes(), 100'000u);
}

}  // namespace
}  // namespace larder
