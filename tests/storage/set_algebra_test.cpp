#include "storage/set_algebra.h"

#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "storage/key_hash.h"
#include <gtest/gtest.h>

namespace larder {
namespace {

using Names = std::set<std::string>;

class SetAlgebraTest : public testing::Test {
 protected:
  SetAlgebraTest() { SetHashSeedForTests(9); }
  ~SetAlgebraTest() override {
    for (const Set& set : sets_) Destroy(set.object());
  }

  // The numbers from `first` to before `end`, every `step`-th; with a text, too, if asked for.
  Set Make(int first, int end, int step = 1, bool with_text = false) {
    Set set = Set::Create();
    for (int i = first; i < end; i += step) set.Add(std::to_string(i), limits_);
    if (with_text) set.Add("text", limits_);
    sets_.push_back(set);
    return sets_.back();
  }

  static Names NamesOf(const Set& set) {
    Names names;
    set.ForEach([&](const SetMember& member) { return names.insert(member.Text()).second; });
    return names;
  }
  // What an operation visits: each member once.
  template <typename Operation>
  static Names Visited(Operation operation) {
    Names names;
    operation([&](const SetMember& member) {
      EXPECT_TRUE(names.insert(member.Text()).second) << member.Text();
      return true;
    });
    return names;
  }

  Names Intersected(const std::vector<Set>& sets) {
    const Names names = Visited([&](SetVisitor visit) { IntersectSets(sets, visit); });
    const Set stored = Intersection(sets, limits_);
    EXPECT_EQ(NamesOf(stored), names);
    Destroy(stored.object());
    return names;
  }
  Names Subtracted(const Set& from, const std::vector<Set>& others) {
    const Names names = Visited([&](SetVisitor visit) { SubtractSets(from, others, visit); });
    const Set stored = Difference(from, others, limits_);
    EXPECT_EQ(NamesOf(stored), names);
    Destroy(stored.object());
    return names;
  }
  Names United(const std::vector<Set>& sets) {
    const Names names = Visited([&](SetVisitor visit) { UniteSets(sets, visit); });
    const Set stored = Union(sets, limits_);
    EXPECT_EQ(NamesOf(stored), names);
    Destroy(stored.object());
    return names;
  }

  EncodingLimits limits_;
  std::vector<Set> sets_;
};

TEST_F(SetAlgebraTest, OfOneSetAllThreeAreTheSet) {
  for (const int size : {0, 10, 1000}) {
    const Set set = Make(0, size, 1, /*with_text=*/size != 10);
    EXPECT_EQ(Intersected({set}), NamesOf(set));
    EXPECT_EQ(Subtracted(set, {}), NamesOf(set));
    EXPECT_EQ(United({set}), NamesOf(set));
  }
}

TEST_F(SetAlgebraTest, OfTheSameSetTwice) {
  const Set set = Make(0, 1000);
  EXPECT_EQ(Intersected({set, set}), NamesOf(set));
  EXPECT_EQ(Subtracted(set, {Make(0, 3), set}), Names());
  EXPECT_EQ(United({set, set, set, set, set}), NamesOf(set));
}

TEST_F(SetAlgebraTest, StopsWhenTheVisitorSaysSo) {
  const std::vector<Set> sets = {Make(0, 1000), Make(0, 2000), Make(5000, 5100)};
  int visits = 0;
  const auto stop_at_seven = [&](const SetMember&) { return ++visits < 7; };
  IntersectSets(std::span(sets).first(2), stop_at_seven);
  EXPECT_EQ(visits, 7);
  visits = 0;
  SubtractSets(sets[1], std::span(sets).subspan(2), stop_at_seven);
  EXPECT_EQ(visits, 7);
  visits = 0;
  UniteSets(sets, stop_at_seven);
  EXPECT_EQ(visits, 7);
}

TEST_F(SetAlgebraTest, AUnionWithALargeSetLeavesThatAlone) {
  const Set large = Make(0, 2000);
  EXPECT_EQ(United({Make(1990, 2010), large}).size(), 2010u);
  EXPECT_EQ(large.size(), 2000u);
}

TEST_F(SetAlgebraTest, ResultsStartAsIntsets) {
  limits_.set_max_intset_entries = 10;
  const Set table = Make(0, 400);
  ASSERT_EQ(table.encoding(), Set::Encoding::kTable);
  limits_.set_max_intset_entries = 512;
  for (const Set& result : {Intersection(std::vector<Set>{table}, limits_),
                            Difference(table, {}, limits_), Union(std::vector{table}, limits_)}) {
    EXPECT_EQ(result.encoding(), Set::Encoding::kIntset);
    EXPECT_EQ(NamesOf(result), NamesOf(table));
    Destroy(result.object());
  }
}

// Every combination of encodings, of sizes that choose each way to subtract.
TEST_F(SetAlgebraTest, RandomSetsOfAllEncodingsGiveWhatTheStandardLibraryGives) {
  Random random(23);
  for (int round = 0; round < 400; ++round) {
    std::vector<Set> sets;
    std::vector<Names> models;
    const size_t count = 1 + random.Uniform(round % 10 == 0 ? 12 : 5);
    for (size_t i = 0; i < count; ++i) {
      constexpr int kSizes[] = {1, 5, 40, 200, 1500};
      const int size = kSizes[random.Uniform(5)];
      const int first = static_cast<int>(random.Uniform(50));
      const int step = 1 + static_cast<int>(random.Uniform(3));
      sets.push_back(Make(first, first + size, step, random.Uniform(2) == 0));
      models.push_back(NamesOf(sets.back()));
    }
    Names common = models[0];
    Names rest = models[0];
    Names all = models[0];
    for (size_t i = 1; i < count; ++i) {
      std::erase_if(common, [&](const std::string& name) { return !models[i].contains(name); });
      std::erase_if(rest, [&](const std::string& name) { return models[i].contains(name); });
      all.insert(models[i].begin(), models[i].end());
    }
    ASSERT_EQ(Intersected(sets), common);
    ASSERT_EQ(Subtracted(sets[0], {sets.begin() + 1, sets.end()}), rest);
    ASSERT_EQ(United(sets), all);
  }
}

}  // namespace
}  // namespace larder
