#include "commands/sort_order.h"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/random.h"
#include "commands/sort_pattern.h"
#include <gtest/gtest.h>

namespace larder {
namespace {

using Numbers = std::vector<uint32_t>;
constexpr SortDirection kUp = SortDirection::kAscending;
constexpr SortDirection kDown = SortDirection::kDescending;

int AllEqual(uint32_t, uint32_t) { return 0; }

TEST(SortOrderTest, SortsByScore) {
  const std::vector<double> scores = {3, -1, 2.5, 10};
  EXPECT_EQ(OrderByScore(scores, kUp, {0, 4}, AllEqual), (Numbers{1, 2, 0, 3}));
  EXPECT_EQ(OrderByScore(scores, kDown, {0, 4}, AllEqual), (Numbers{3, 0, 2, 1}));
}

TEST(SortOrderTest, WhatIsEqualStaysInItsOrderInEitherDirection) {
  const std::vector<double> scores = {1, 0, 1, 0, 1};
  EXPECT_EQ(OrderByScore(scores, kUp, {0, 5}, AllEqual), (Numbers{1, 3, 0, 2, 4}));
  EXPECT_EQ(OrderByScore(scores, kDown, {0, 5}, AllEqual), (Numbers{0, 2, 4, 1, 3}));
}

TEST(SortOrderTest, EqualScoresAreToldApartByTheComparison) {
  const std::vector<double> scores = {0.0, -0.0, 0.0};
  const auto later_first = [](uint32_t a, uint32_t b) { return a > b ? -1 : 1; };
  EXPECT_EQ(OrderByScore(scores, kUp, {0, 3}, later_first), (Numbers{2, 1, 0}));
  EXPECT_EQ(OrderByScore(scores, kDown, {0, 3}, later_first), (Numbers{0, 1, 2}));
}

TEST(SortOrderTest, TextsCompareAsUnsignedBytesAndNoTextIsLeast) {
  const std::vector<std::string_view> texts = {"b",    "a",        "abcdefghi", {}, "abcdefgh",
                                               "\xff", {"a\0", 2}, "",          {}};
  EXPECT_EQ(OrderByText(texts, kUp, {0, texts.size()}), (Numbers{3, 8, 7, 1, 6, 4, 2, 0, 5}));
  EXPECT_EQ(OrderByText(texts, kDown, {0, texts.size()}), (Numbers{5, 0, 2, 4, 6, 1, 7, 3, 8}));
}

TEST(SortOrderTest, WhatAllTextsBeginWithMakesNoDifference) {
  const std::vector<std::string_view> texts = {
      "prefix:prefix:2", "prefix:prefix:10", {}, "prefix:prefix:1", "prefix:prefix:"};
  EXPECT_EQ(OrderByText(texts, kUp, {0, texts.size()}), (Numbers{2, 4, 3, 1, 0}));
  const std::vector<std::string_view> same = {"prefix:prefix", "prefix:prefix"};
  EXPECT_EQ(OrderByText(same, kDown, {0, 2}), (Numbers{0, 1}));
}

TEST(SortOrderTest, AWindowIsAPartOfTheWhole) {
  Random random(1);
  for (int round = 0; round < 300; ++round) {
    const size_t size = random.Uniform(60);
    std::vector<double> scores(size);
    for (double& score : scores) score = static_cast<double>(random.Uniform(20));
    const SortDirection direction = random.Uniform(2) == 0 ? kUp : kDown;
    const Numbers all = OrderByScore(scores, direction, {0, size}, AllEqual);
    const size_t first = random.Uniform(size + 1);
    const size_t count = random.Uniform(size - first + 1);
    const auto begin = all.begin() + static_cast<ptrdiff_t>(first);
    EXPECT_EQ(OrderByScore(scores, direction, {first, count}, AllEqual),
              Numbers(begin, begin + static_cast<ptrdiff_t>(count)));
  }
}

TEST(SortScoreTest, ReadsWhatStrtodReads) {
  EXPECT_EQ(SortScore("1.5"), 1.5);
  EXPECT_EQ(SortScore("-3"), -3);
  EXPECT_EQ(SortScore("1e3"), 1000);
  EXPECT_EQ(SortScore(" 7"), 7);
  EXPECT_EQ(SortScore("+7"), 7);
  EXPECT_EQ(SortScore("0x10"), 16);
  EXPECT_EQ(SortScore(""), 0);
  EXPECT_EQ(SortScore({"5\0x", 3}), 5);
  EXPECT_EQ(SortScore("inf"), std::numeric_limits<double>::infinity());
  for (const char* none : {"a", "1a", "1 ", "nan", "1e999", "1e-320", "--1", "1,5"}) {
    EXPECT_FALSE(SortScore(none)) << none;
  }
}

TEST(TextArenaTest, TextsStayWhereTheyAre) {
  TextArena arena;
  std::vector<std::string_view> copies;
  std::vector<std::string> originals;
  for (size_t i = 0; i < 3000; ++i) {
    originals.push_back(std::string(i % 1000 == 999 ? 100'000 : i % 97, static_cast<char>(i)));
    copies.push_back(arena.Copy(originals.back()));
  }
  for (size_t i = 0; i < copies.size(); ++i) ASSERT_EQ(copies[i], originals[i]);
}

TEST(SortPatternTest, NamesKeysAndFields) {
  struct Case {
    std::string pattern;
    bool names_keys;
    std::string key_of_x;
    std::string field;
  };
  const Case kCases[] = {
      {"w_*", true, "w_x", ""},
      {"*", true, "x", ""},
      {"a*b*c", true, "axb*c", ""},
      {"h:*->f", true, "h:x", "f"},
      {"h:*:g->f", true, "h:x:g", "f"},
      {"h:*->f->g", true, "h:x", "f->g"},
      {"h:*->", true, "h:x->", ""},
      {"a->b*", true, "a->bx", ""},
      {"*->a*", true, "x", "a*"},
      {"nosort", false, "", ""},
      {"", false, "", ""},
      {"h->f", false, "", ""},
      {std::string("a\0*", 3), false, "", ""},
  };
  std::string buffer;
  for (const Case& test : kCases) {
    const SortPattern pattern(test.pattern);
    EXPECT_FALSE(pattern.is_element());
    EXPECT_EQ(pattern.names_keys(), test.names_keys) << test.pattern;
    EXPECT_EQ(pattern.field(), test.field) << test.pattern;
    if (!pattern.names_keys()) continue;
    EXPECT_EQ(pattern.KeyOf("x", buffer), test.key_of_x);
  }
  EXPECT_TRUE(SortPattern("#").is_element());
  EXPECT_FALSE(SortPattern("#*").is_element());
}

}  // namespace
}  // namespace larder
