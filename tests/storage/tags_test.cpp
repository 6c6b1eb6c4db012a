#include "storage/tags.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "storage/shard.h"
#include <gtest/gtest.h>

namespace larder {
namespace {

using std::chrono::milliseconds;

constexpr UnixMillis kNow = 1'700'000'000'000;

TagStampPtr Stamp(TagTable& table, std::vector<std::string_view> names) {
  return table.Stamp(names);
}

TEST(TagsTest, AnInvalidationMakesTheValuesOfItsTagStaleAndNoOthers) {
  TagTable table;
  const TagStampPtr both = Stamp(table, {"a", "b"});
  const TagStampPtr other = Stamp(table, {"b"});
  EXPECT_EQ(both->freshness().fresh_until, Freshness::kAlways);
  EXPECT_TRUE(table.Invalidate("a", kNow));
  EXPECT_EQ(both->freshness().fresh_until, kNow - 1000);
  EXPECT_TRUE(both->IsOutdated());
  EXPECT_FALSE(other->IsOutdated());
  EXPECT_EQ(other->freshness().fresh_until, Freshness::kAlways);
  EXPECT_FALSE(Stamp(table, {"a"})->IsOutdated());  // What comes afterwards is fresh.
}

TEST(TagsTest, ItsOwnDeadlineCountsAsWell) {
  TagTable table;
  const TagStampPtr stamp = Stamp(table, {"a"});
  const Freshness own{.fresh_until = kNow - 5000, .load_time = milliseconds(7)};
  stamp->set_own_freshness(own.Pack());
  EXPECT_EQ(stamp->freshness(), own);
  table.Invalidate("a", kNow);
  EXPECT_EQ(stamp->freshness(), own);  // It has been stale for longer.
  stamp->set_own_freshness(Freshness{.fresh_until = kNow, .load_time = milliseconds(7)}.Pack());
  EXPECT_EQ(stamp->freshness().fresh_until, kNow - 1000);
  EXPECT_EQ(stamp->freshness().load_time, milliseconds(7));
}

TEST(TagsTest, InvalidationsAreNumbered) {
  TagTable table;
  EXPECT_EQ(table.sequence(), 0u);
  const TagStampPtr stamp = Stamp(table, {"a", "b"});
  EXPECT_EQ(stamp->InvalidatedAt(), 0u);
  table.Invalidate("c", kNow);
  table.Invalidate("a", kNow);
  EXPECT_EQ(table.sequence(), 2u);
  EXPECT_EQ(stamp->InvalidatedAt(), 2u);
  EXPECT_EQ(stamp->InvalidatedBefore(), 0u);
  EXPECT_EQ(Stamp(table, {"a", "b"})->InvalidatedBefore(), 2u);
  EXPECT_EQ(Stamp(table, {"c"})->InvalidatedBefore(), 1u);
}

TEST(TagsTest, ACopyIsAsStale) {
  TagTable table;
  TagStampPtr stamp = Stamp(table, {"a", "b"});
  table.Invalidate("b", kNow);
  const TagStampPtr copy = stamp->Clone();
  stamp.reset();
  EXPECT_TRUE(copy->IsOutdated());
  ASSERT_EQ(copy->size(), 2u);
  EXPECT_EQ(copy->name(0), "a");
  EXPECT_EQ(copy->name(1), "b");
  EXPECT_TRUE(table.Invalidate("a", kNow));
}

TEST(TagsTest, ATagEndsWithItsLastValue) {
  TagTable table;
  TagStampPtr one = Stamp(table, {"a"});
  TagStampPtr two = one->Clone();
  one.reset();
  EXPECT_EQ(table.size(), 1u);
  two.reset();
  EXPECT_EQ(table.size(), 0u);
}

TEST(TagsTest, AnInvalidatedTagIsRememberedWithoutValues) {
  TagTable table;
  EXPECT_FALSE(table.Invalidate("never seen", kNow));
  EXPECT_EQ(Stamp(table, {"never seen"})->InvalidatedBefore(), 1u);
  Stamp(table, {"a"});
  TagStampPtr stamp = Stamp(table, {"a"});
  EXPECT_TRUE(table.Invalidate("a", kNow));
  stamp.reset();
  EXPECT_EQ(Stamp(table, {"a"})->InvalidatedBefore(), 2u);
}

TEST(TagsTest, WhatIsForgottenCountsAsInvalidatedThen) {
  TagTable table;
  table.Invalidate("first", kNow);
  constexpr int kMany = 100'000;
  for (int i = 0; i < kMany; ++i) table.Invalidate(std::to_string(i), kNow);
  EXPECT_LE(table.size(), 10'240u);
  EXPECT_GE(Stamp(table, {"first"})->InvalidatedBefore(), 1u);
  for (int i = 0; i < kMany; i += 97) {
    const std::string name = std::to_string(i);
    const uint64_t number = static_cast<uint64_t>(i) + 2;
    ASSERT_GE(Stamp(table, {name})->InvalidatedBefore(), number);
  }
  // A value may be stored by whoever began afterwards.
  EXPECT_LE(Stamp(table, {"first"})->InvalidatedBefore(), table.sequence());
}

TEST(TagsTest, StampsRememberAndForgetWhileOthersDo) {
  TagTable table;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&table, thread] {
      for (int i = 0; i < 5000; ++i) {
        const std::string own = std::to_string((i + thread) % 300);
        const TagStampPtr stamp = Stamp(table, {own, "common"});
        if (i % 3 == 0) table.Invalidate(own, kNow);
        if (i % 3 == 1) stamp->Clone();
        if (i % 3 == 2 && stamp->IsOutdated()) stamp->freshness();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(table.size(), 300u);
}

// ---- As entries carry them.

class TaggedEntryTest : public testing::Test {
 protected:
  TaggedEntryTest() { shard_.mu().Lock(); }
  ~TaggedEntryTest() override { shard_.mu().Unlock(); }

  Entry* Set(const std::string& key, const std::string& value,
             std::vector<std::string_view> tags) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    const Freshness freshness;
    const HashedKey hashed = HashedKey::Of(key);
    Entry* const entry = shard_.SetString(0, hashed, value, kNoExpiry, &freshness);
    shard_.SetTags(0, hashed, entry, table_.Stamp(tags));
    shard_.CheckInvariants();
    return entry;
  }
  Entry* Find(const std::string& key) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return shard_.Find(0, HashedKey::Of(key), kNow);
  }
  size_t bytes() ABSL_NO_THREAD_SAFETY_ANALYSIS { return shard_.memory_bytes(); }

  TagTable table_;
  Shard shard_{0, {}};
};

TEST_F(TaggedEntryTest, TagsAreCountedAndGoWithTheValue) {
  const size_t empty = bytes();
  for (const std::string& value : {std::string("1"), std::string("text"), std::string(5000, 'x')}) {
    Set("key", value, {"a", "b"});
    EXPECT_EQ(table_.size(), 2u);
    const size_t tagged = bytes();
    const Freshness freshness;
    shard_.mu().AssertHeld();
    shard_.SetString(0, HashedKey::Of("key"), value, kNoExpiry, &freshness);
    EXPECT_EQ(table_.size(), 0u);
    const size_t untagged = bytes();
    EXPECT_EQ(tagged - untagged, Set("key", value, {"c", "d"})->tags()->allocated_bytes());
    shard_.Erase(0, HashedKey::Of("key"), Shard::Reclaim::kNow);
    EXPECT_EQ(table_.size(), 0u);
    EXPECT_EQ(bytes(), empty);
  }
}

TEST_F(TaggedEntryTest, WhatChangesAValueDropsItsTagsAndWhatMovesItDoesNot) {
  shard_.mu().AssertHeld();
  const HashedKey key = HashedKey::Of("key");
  Set("key", "12", {"a"});
  EXPECT_NE(shard_.MakeRaw(0, key, Find("key"))->tags(), nullptr);
  EXPECT_NE(shard_.SetExpiry(0, key, Find("key"), kNow + 1000)->tags(), nullptr);
  shard_.Attach(0, HashedKey::Of("other"), shard_.Extract(0, key, Find("key")));
  ASSERT_NE(Find("other")->tags(), nullptr);
  EXPECT_EQ(table_.size(), 1u);
  shard_.Attach(0, key, shard_.Clone(*Find("other")));
  shard_.Erase(0, HashedKey::Of("other"), Shard::Reclaim::kNow);
  EXPECT_TRUE(table_.Invalidate("a", kNow));
  EXPECT_TRUE(Find("key")->freshness().StaleAt(kNow));
  const Freshness own{.fresh_until = kNow - 5000};
  EXPECT_EQ(shard_.SetFreshness(0, key, Find("key"), &own)->tags()->name(0), "a");
  EXPECT_EQ(Find("key")->freshness(), own);
  Entry* entry = Find("key");
  shard_.EditString(0, key, entry, 10);
  EXPECT_EQ(Find("key")->tags(), nullptr);
  EXPECT_FALSE(table_.Invalidate("a", kNow));
  shard_.CheckInvariants();
}

TEST_F(TaggedEntryTest, AFlushReleasesThem) {
  shard_.mu().AssertHeld();
  for (int i = 0; i < 1000; ++i) {
    const std::string tag = std::to_string(i / 2);
    Set(std::to_string(i), "value", {tag});
  }
  EXPECT_EQ(table_.size(), 500u);
  shard_.Flush(0, Shard::Reclaim::kNow);
  EXPECT_EQ(table_.size(), 0u);
}

}  // namespace
}  // namespace larder
