#include "storage/sorted_set.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/allocator.h"
#include "base/random.h"
#include "gtest/gtest.h"

namespace larder {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr AddRules kPlain = {};

using Pairs = std::vector<std::pair<std::string, double>>;

// A set that frees itself.
class OwnedSet {
 public:
  explicit OwnedSet(EncodingLimits limits = {}) : limits_(limits), set_(SortedSet::Create()) {}
  OwnedSet(SortedSet set, EncodingLimits limits) : limits_(limits), set_(set) {}
  ~OwnedSet() { Destroy(set_.object()); }
  OwnedSet(const OwnedSet&) = delete;
  OwnedSet& operator=(const OwnedSet&) = delete;

  SortedSet* operator->() { return &set_; }
  SortedSet& operator*() { return set_; }
  AddResult Add(std::string_view member, double score, const AddRules& rules = kPlain) {
    return set_.Add(member, score, rules, limits_);
  }
  Pairs All(RankOrder order = RankOrder::kAscending) const { return In({0, set_.size()}, order); }
  Pairs In(RankRange range, RankOrder order = RankOrder::kAscending) const {
    Pairs pairs;
    set_.ForEach(range, order,
                 [&](std::string_view member, double score) { pairs.emplace_back(member, score); });
    return pairs;
  }

 private:
  EncodingLimits limits_;
  SortedSet set_;
};

EncodingLimits UpTo(size_t entries) { return {.zset_max_listpack_entries = entries}; }

// What holds in either encoding: the parameter is zset-max-listpack-entries.
class SortedSetTest : public testing::TestWithParam<size_t> {
 protected:
  OwnedSet Make() { return OwnedSet(UpTo(GetParam())); }
};

INSTANTIATE_TEST_SUITE_P(Encodings, SortedSetTest, testing::Values(1000, 0),
                         [](const auto& test) { return test.param == 0 ? "Large" : "Compact"; });

TEST_P(SortedSetTest, KeepsMembersInTheOrderOfTheirScores) {
  OwnedSet set = Make();
  EXPECT_EQ(set.Add("c", 3).outcome, AddOutcome::kAdded);
  set.Add("a", 1);
  set.Add("b", 2);
  set.Add("12", -kInfinity);
  set.Add("z", kInfinity);
  EXPECT_EQ(set.All(), (Pairs{{"12", -kInfinity}, {"a", 1}, {"b", 2}, {"c", 3}, {"z", kInfinity}}));
  EXPECT_EQ(set.All(RankOrder::kDescending),
            (Pairs{{"z", kInfinity}, {"c", 3}, {"b", 2}, {"a", 1}, {"12", -kInfinity}}));
  EXPECT_EQ(set->is_compact(), GetParam() != 0);
  EXPECT_EQ(set->size(), 5u);
}

TEST_P(SortedSetTest, OrdersEqualScoresByMember) {
  OwnedSet set = Make();
  for (const char* member : {"b", "10", "a", "9", "", "B"}) set.Add(member, 1.5);
  EXPECT_EQ(set.All(),
            (Pairs{{"", 1.5}, {"10", 1.5}, {"9", 1.5}, {"B", 1.5}, {"a", 1.5}, {"b", 1.5}}));
}

TEST_P(SortedSetTest, GivesScoresAndRanks) {
  OwnedSet set = Make();
  set.Add("a", 0.1);
  set.Add("b", 1e300);
  set.Add("7", -4.25);
  EXPECT_EQ(set->Score("a"), 0.1);
  EXPECT_EQ(set->Score("b"), 1e300);
  EXPECT_EQ(set->Score("none"), std::nullopt);
  EXPECT_EQ(set->Rank("7")->rank, 0u);
  EXPECT_EQ(set->Rank("b")->rank, 2u);
  EXPECT_EQ(set->Rank("b")->score, 1e300);
  EXPECT_FALSE(set->Rank("none"));
}

TEST_P(SortedSetTest, AddingAPresentMemberGivesItAnotherScore) {
  OwnedSet set = Make();
  set.Add("a", 1);
  set.Add("b", 2);
  EXPECT_EQ(set.Add("a", 1).outcome, AddOutcome::kUnchanged);
  EXPECT_EQ(set.Add("a", 3).outcome, AddOutcome::kRescored);
  EXPECT_EQ(set.All(), (Pairs{{"b", 2}, {"a", 3}}));
}

TEST_P(SortedSetTest, RulesDecideWhetherAMemberIsAdded) {
  OwnedSet set = Make();
  EXPECT_EQ(set.Add("a", 1, {.only_present = true}).outcome, AddOutcome::kRefused);
  EXPECT_EQ(set.Add("a", 1, {.only_new = true}).outcome, AddOutcome::kAdded);
  EXPECT_EQ(set.Add("a", 2, {.only_new = true}).outcome, AddOutcome::kRefused);
  EXPECT_EQ(set.Add("a", 1, {.only_greater = true}).outcome, AddOutcome::kRefused);
  EXPECT_EQ(set.Add("a", 2, {.only_greater = true}).outcome, AddOutcome::kRescored);
  EXPECT_EQ(set.Add("a", 2, {.only_less = true}).outcome, AddOutcome::kRefused);
  EXPECT_EQ(set.Add("a", 0, {.only_less = true}).outcome, AddOutcome::kRescored);
  EXPECT_EQ(set.Add("a", 5, {.only_present = true}).outcome, AddOutcome::kRescored);
  EXPECT_EQ(set.Add("b", 7, {.only_greater = true}).outcome, AddOutcome::kAdded);
  EXPECT_EQ(set.All(), (Pairs{{"a", 5}, {"b", 7}}));
}

TEST_P(SortedSetTest, IncrementsAddUp) {
  OwnedSet set = Make();
  constexpr AddRules kIncrement = {.increment = true};
  EXPECT_EQ(set.Add("a", 1.5, kIncrement).score, 1.5);
  const AddResult result = set.Add("a", 2, kIncrement);
  EXPECT_EQ(result.outcome, AddOutcome::kRescored);
  EXPECT_EQ(result.score, 3.5);
  EXPECT_EQ(set.Add("a", 0, kIncrement).outcome, AddOutcome::kUnchanged);
  set.Add("a", kInfinity);
  EXPECT_EQ(set.Add("a", -kInfinity, kIncrement).outcome, AddOutcome::kNotANumber);
  EXPECT_EQ(set->Score("a"), kInfinity);
}

TEST_P(SortedSetTest, ErasesMembersAndRanges) {
  OwnedSet set = Make();
  for (int i = 0; i < 10; ++i) set.Add(std::to_string(i), i);
  EXPECT_TRUE(set->Erase("5"));
  EXPECT_FALSE(set->Erase("5"));
  set->EraseRange({0, 3});
  set->EraseRange({4, 6});
  set->EraseRange({2, 2});
  EXPECT_EQ(set.All(), (Pairs{{"3", 3}, {"4", 4}, {"6", 6}, {"7", 7}}));
  set->EraseRange({0, 4});
  EXPECT_TRUE(set->empty());
  set->CheckInvariants();
}

TEST_P(SortedSetTest, FindsScores) {
  OwnedSet set = Make();
  for (int i = 0; i < 5; ++i) set.Add(std::string(1, static_cast<char>('a' + i)), i);
  const auto in = [&](const ScoreRange& range) { return set.In(set->InScores(range)); };
  EXPECT_EQ(in({.min = 1, .max = 2}), (Pairs{{"b", 1}, {"c", 2}}));
  EXPECT_EQ(in({.min = 1, .max = 2, .excludes_min = true}), (Pairs{{"c", 2}}));
  EXPECT_EQ(in({.min = 1, .max = 2, .excludes_max = true}), (Pairs{{"b", 1}}));
  EXPECT_EQ(in({.min = 1, .max = 1, .excludes_max = true}), Pairs{});
  EXPECT_EQ(in({.min = 2, .max = 1}), Pairs{});
  EXPECT_EQ(in({.min = 1.5, .max = 1.7}), Pairs{});
  EXPECT_EQ(in({.min = -kInfinity, .max = kInfinity}).size(), 5u);
  EXPECT_EQ(in({.min = 5, .max = kInfinity}), Pairs{});
}

TEST_P(SortedSetTest, FindsMembersOfOneScore) {
  using Kind = LexBound::Kind;
  OwnedSet set = Make();
  for (const char* member : {"a", "b", "c", "10", "d"}) set.Add(member, 0);
  const auto in = [&](LexBound min, LexBound max) {
    std::string members;
    for (const auto& [member, score] : set.In(set->InMembers({min, max}, RankOrder::kAscending))) {
      members += member;
    }
    return members;
  };
  const LexBound before_all;
  const LexBound behind_all = {Kind::kBehindAll, {}};
  EXPECT_EQ(in(before_all, behind_all), "10abcd");
  EXPECT_EQ(in({Kind::kIncluded, "b"}, {Kind::kIncluded, "c"}), "bc");
  EXPECT_EQ(in({Kind::kExcluded, "b"}, {Kind::kIncluded, "c"}), "c");
  EXPECT_EQ(in({Kind::kIncluded, "b"}, {Kind::kExcluded, "c"}), "b");
  EXPECT_EQ(in({Kind::kExcluded, "b"}, {Kind::kExcluded, "c"}), "");
  EXPECT_EQ(in({Kind::kExcluded, "b"}, {Kind::kExcluded, "b"}), "");
  EXPECT_EQ(in({Kind::kIncluded, "c"}, {Kind::kIncluded, "b"}), "");
  EXPECT_EQ(in(before_all, {Kind::kExcluded, "a"}), "10");
  EXPECT_EQ(in({Kind::kIncluded, "bb"}, behind_all), "cd");
  EXPECT_EQ(in(behind_all, before_all), "");
  EXPECT_EQ(in({Kind::kIncluded, "x"}, behind_all), "");
}

TEST_P(SortedSetTest, VisitsEveryMemberAtRandomAndByScan) {
  OwnedSet set = Make();
  for (int i = 0; i < 50; ++i) set.Add(std::to_string(i), i);
  Random random(1);
  std::map<std::string, int> times;
  for (int i = 0; i < 5000; ++i) {
    set->VisitRandom(random, [&](std::string_view member, double score) {
      EXPECT_EQ(std::to_string(static_cast<int>(score)), member);
      ++times[std::string(member)];
    });
  }
  EXPECT_EQ(times.size(), 50u);
  for (const auto& [member, count] : times) EXPECT_GT(count, 40) << member;

  std::set<std::string> scanned;
  uint64_t cursor = 0;
  do {
    cursor = set->Scan(cursor, [&](std::string_view member, double) { scanned.emplace(member); });
  } while (cursor != 0);
  EXPECT_EQ(scanned.size(), 50u);
}

TEST_P(SortedSetTest, AClonesChangesAreItsOwn) {
  OwnedSet set = Make();
  for (int i = 0; i < 200; ++i) set.Add(std::to_string(i), i % 7);
  OwnedSet clone(SortedSet(Clone(set->object())), UpTo(GetParam()));
  clone->CheckInvariants();
  EXPECT_EQ(clone.All(), set.All());
  set->Erase("5");
  EXPECT_EQ(clone->Score("5"), 5);
}

TEST_P(SortedSetTest, AccountsForEveryByte) {
  if (GetParam() == 1000) GTEST_SKIP() << "a listpack's bytes are its own business";
  if (AllocatorName() == "libc") GTEST_SKIP() << "needs jemalloc's own count";
  FlushThreadCache();
  const size_t before = AllocatedBytes();
  OwnedSet set = Make();
  for (int i = 0; i < 100'000; ++i) set.Add(std::to_string(i * 7919 % 100'000), i * 31 % 1000);
  FlushThreadCache();
  const auto held = static_cast<double>(AllocatedBytes() - before);
  EXPECT_NEAR(held / static_cast<double>(AllocatedBytes(set->object())), 1, 0.02);
}

TEST(SortedSetEncodingTest, BecomesLargeWhenALimitIsExceeded) {
  OwnedSet many(UpTo(3));
  for (const char* member : {"a", "b", "c"}) many.Add(member, 1);
  EXPECT_EQ(EncodingName(many->object()), "listpack");
  many.Add("a", 2);
  EXPECT_TRUE(many->is_compact());
  many.Add("d", 0);
  EXPECT_EQ(EncodingName(many->object()), "skiplist");
  EXPECT_EQ(many.All(), (Pairs{{"d", 0}, {"b", 1}, {"c", 1}, {"a", 2}}));
  many->Erase("d");
  EXPECT_FALSE(many->is_compact());

  OwnedSet with_long(EncodingLimits{.zset_max_listpack_value = 4});
  with_long.Add("four", 1);
  EXPECT_TRUE(with_long->is_compact());
  with_long.Add("fiver", 1);
  EXPECT_FALSE(with_long->is_compact());
  with_long->CheckInvariants();
}

// What Redis 7.0 makes of ZADD z 1 a -1.5 bb 1e20 300, as DUMP shows it.
TEST(SortedSetEncodingTest, ListpackIsRedissOwn) {
  OwnedSet set;
  set.Add("a", 1);
  set.Add("bb", -1.5);
  set.Add("300", 1e20);
  const std::string expected(
      "\x20\0\0\0\x06\0"
      "\x82"
      "bb"
      "\x03"
      "\x84-1.5\x05"
      "\x81"
      "a"
      "\x02"
      "\x01\x01"
      "\xc1\x2c\x02"
      "\x85"
      "1e+20"
      "\x06"
      "\xff",
      32);
  EXPECT_EQ(set->listpack().bytes(), expected);
}

TEST(SortedSetEncodingTest, BuildChoosesTheEncoding) {
  const auto build = [](size_t members, size_t member_size) {
    MemberTable table;
    for (size_t i = 0; i < members; ++i) {
      std::string member = std::to_string(i);
      member.resize(std::max(member.size(), member_size), 'x');
      table.Insert(member, NewScore(static_cast<double>((i * 37) % members)));
    }
    return SortedSet::Build(std::move(table), {});
  };
  for (const auto& [members, member_size, compact] :
       {std::tuple{128, 3, true}, {129, 3, false}, {2, 64, true}, {2, 65, false}, {0, 1, true}}) {
    OwnedSet set(build(static_cast<size_t>(members), static_cast<size_t>(member_size)), {});
    EXPECT_EQ(set->is_compact(), compact) << members << " " << member_size;
    EXPECT_EQ(set->size(), static_cast<size_t>(members));
    set->CheckInvariants();
  }
}

TEST(SortedSetEncodingTest, AdoptsAListpack) {
  OwnedSet source;
  for (int i = 0; i < 100; ++i) source.Add(std::to_string(i), i * 0.5);
  ASSERT_TRUE(SortedSet::IsValid(source->listpack().bytes()));
  for (const size_t limit : {100, 99}) {
    const Listpack copy = Listpack::CopyOf(source->listpack().bytes());
    OwnedSet adopted(SortedSet::Adopt(copy, UpTo(limit)), UpTo(limit));
    EXPECT_EQ(adopted->is_compact(), limit == 100);
    EXPECT_EQ(adopted.All(), source.All());
    adopted->CheckInvariants();
  }
}

TEST(SortedSetEncodingTest, RefusesListpacksThatAreNoSortedSet) {
  Listpack pairs = Listpack::Create();
  EXPECT_TRUE(SortedSet::IsValid(pairs.bytes()));
  pairs.Append("a");
  EXPECT_FALSE(SortedSet::IsValid(pairs.bytes()));  // No score.
  pairs.Append("1");
  EXPECT_TRUE(SortedSet::IsValid(pairs.bytes()));
  pairs.Append("a");
  pairs.Append("2");
  EXPECT_FALSE(SortedSet::IsValid(pairs.bytes()));  // Twice.
  EXPECT_FALSE(SortedSet::IsValid(pairs.bytes().substr(1)));
  pairs.Free();
}

// Bytes from outside need not be in order, nor their scores be numbers: nothing may stumble.
TEST(SortedSetEncodingTest, SurvivesAListpackOutOfOrder) {
  Listpack pairs = Listpack::Create();
  for (const char* text : {"a", "9", "b", "junk", "c", "-3", "d", "nan"}) pairs.Append(text);
  ASSERT_TRUE(SortedSet::IsValid(pairs.bytes()));
  OwnedSet set(SortedSet::Adopt(Listpack::CopyOf(pairs.bytes()), {}), {});
  set.Add("e", 1);
  set.Add("a", 2);
  set->InScores({.min = 0, .max = 5});
  set->Erase("b");
  EXPECT_EQ(set->size(), 4u);
  OwnedSet large(SortedSet::Adopt(pairs, UpTo(1)), {});
  large->CheckInvariants();
}

// Random changes against a plain map, through both encodings.
TEST(SortedSetRandomTest, DoesWhatAMapDoes) {
  for (const uint64_t seed : {1, 2, 3, 4}) {
    Random random(seed);
    OwnedSet set(UpTo(seed * 40));
    std::map<std::string, double> model;
    const std::vector<double> scores = {0, 1, -1, 0.1, 1e17, -2.5e-300, kInfinity, -kInfinity, 1e9};
    for (int i = 0; i < 4000; ++i) {
      const std::string member = std::to_string(random.Uniform(300) * 11);
      const double score = random.Uniform(2) == 0 ? scores[random.Uniform(scores.size())]
                                                  : static_cast<double>(random.Uniform(50));
      switch (random.Uniform(i < 2500 ? 4 : 3)) {
        case 0:
          ASSERT_EQ(set->Erase(member), model.erase(member) == 1);
          break;
        case 1: {
          const auto range = set->InScores({.min = score, .max = score});
          const auto in_model = std::count_if(
              model.begin(), model.end(), [&](const auto& pair) { return pair.second == score; });
          ASSERT_EQ(range.size(), static_cast<size_t>(in_model));
          if (random.Uniform(20) != 0) break;
          set->EraseRange(range);
          std::erase_if(model, [&](const auto& pair) { return pair.second == score; });
          break;
        }
        default:
          set.Add(member, score);
          model[member] = score;
      }
      ASSERT_EQ(set->size(), model.size());
      if (i % 100 != 0) continue;
      set->CheckInvariants();
      Pairs sorted(model.begin(), model.end());
      std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
        return std::pair(a.second, a.first) < std::pair(b.second, b.first);
      });
      ASSERT_EQ(set.All(), sorted);
      for (size_t rank = 0; rank < sorted.size(); ++rank) {
        ASSERT_EQ(set->Rank(sorted[rank].first)->rank, rank);
      }
    }
  }
}

}  // namespace
}  // namespace larder
