#include "commands/prefix_lookups.h"

#include <string>

#include "gtest/gtest.h"

namespace larder {
namespace {

class PrefixLookupsTest : public testing::Test {
 protected:
  static constexpr size_t kMost = 10;

  PrefixLookupsTest() { lookups_.Configure({.max_prefixes = kMost, .delimiter = ':'}); }

  PrefixTotals Totals() const {
    PrefixTotals totals;
    lookups_.AddTo(totals);
    return totals;
  }
  void Count(std::string_view key, int hits, int misses) {
    for (int i = 0; i < hits; ++i) lookups_.Count(key, Lookup::kHit);
    for (int i = 0; i < misses; ++i) lookups_.Count(key, Lookup::kMiss);
  }

  PrefixLookups lookups_{/*seed=*/1};
};

TEST_F(PrefixLookupsTest, CountsByWhatStandsBeforeTheFirstDelimiter) {
  Count("user:1:name", 2, 1);
  Count("user:2", 1, 0);
  Count(":", 0, 1);
  Count("plain", 3, 4);
  std::string longest(PrefixLookups::kLongestPrefix, 'x');
  longest.back() = ':';
  Count(longest, 1, 0);
  Count("x" + longest, 1, 0);
  const PrefixTotals totals = Totals();
  EXPECT_EQ(totals.by_prefix.size(), 3u);
  EXPECT_EQ(totals.by_prefix.at("user:").hits, 3);
  EXPECT_EQ(totals.by_prefix.at("user:").misses, 1);
  EXPECT_EQ(totals.by_prefix.at(":").misses, 1);
  EXPECT_EQ(totals.none.hits, 4);
  EXPECT_EQ(totals.none.misses, 4);
  EXPECT_EQ(totals.other.lookups(), 0);
}

TEST_F(PrefixLookupsTest, NoFloodDrivesOutWhatComesAgain) {
  constexpr int kFlood = 100'000;
  int64_t lookups = 0;
  for (int i = 0; i < kFlood; ++i) {
    lookups_.Count("flood" + std::to_string(i) + ":x", Lookup::kMiss);
    // Five that make out a hundredth of all each.
    if (i % 100 < 5) lookups_.Count("real" + std::to_string(i % 100) + ":x", Lookup::kHit);
    lookups += i % 100 < 5 ? 2 : 1;
  }
  const PrefixTotals totals = Totals();
  EXPECT_EQ(totals.by_prefix.size(), kMost);
  int64_t counted = totals.other.lookups() + totals.none.lookups();
  for (const auto& [prefix, figures] : totals.by_prefix) counted += figures.lookups();
  EXPECT_EQ(counted, lookups);
  for (int i = 0; i < 5; ++i) {
    const auto real = totals.by_prefix.find("real" + std::to_string(i) + ":");
    ASSERT_NE(real, totals.by_prefix.end()) << i;
    EXPECT_GT(real->second.hits, kFlood / 100 * 9 / 10);
    EXPECT_EQ(real->second.misses, 0);
  }
}

TEST_F(PrefixLookupsTest, WhatBecomesPopularLaterFindsAPlace) {
  for (int i = 0; i < 10; ++i) Count("old" + std::to_string(i) + ":", 100, 0);
  Count("new:", 2000, 0);
  EXPECT_TRUE(Totals().by_prefix.contains("new:"));
}

TEST_F(PrefixLookupsTest, OtherOptionsBeginAnewAndTheSameDoNot) {
  Count("user:1", 1, 0);
  lookups_.Configure({.max_prefixes = kMost, .delimiter = ':'});
  EXPECT_EQ(Totals().by_prefix.size(), 1u);
  lookups_.Configure({.max_prefixes = kMost, .delimiter = '/'});
  EXPECT_TRUE(Totals().by_prefix.empty());
  Count("user/1", 1, 0);
  EXPECT_TRUE(Totals().by_prefix.contains("user/"));
  lookups_.Reset();
  EXPECT_TRUE(Totals().by_prefix.empty());
  lookups_.Configure({});
  EXPECT_FALSE(lookups_.enabled());
}

}  // namespace
}  // namespace larder
