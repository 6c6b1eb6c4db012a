#include "storage/rank_tree.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"

namespace larder {
namespace {

// A tree and the entries in it, beside a plain sorted set of the same.
class RankTreeTest : public testing::Test {
 protected:
  ~RankTreeTest() override {
    tree_.Clear();
    for (const auto& [score, member, entry] : model_) Entry::Destroy(entry);
  }

  void Insert(double score, const std::string& member) {
    Entry* entry = Entry::Create(member, Entry::Value::Text(""), kNoExpiry, 0);
    tree_.Insert(score, entry);
    model_.insert({score, member, entry});
  }
  void InsertNumber(uint64_t number) {
    Insert(static_cast<double>(number), std::to_string(number));
  }
  void EraseAt(size_t rank) {
    const auto at = std::next(model_.begin(), static_cast<ptrdiff_t>(rank));
    const auto [score, member, entry] = *at;
    model_.erase(at);
    tree_.Erase(score, *entry);
    Entry::Destroy(entry);
  }
  void EraseRange(size_t rank, size_t count) {
    std::vector<Entry*> removed;
    tree_.EraseRange(rank, count, [&](Entry* entry) { removed.push_back(entry); });
    auto at = std::next(model_.begin(), static_cast<ptrdiff_t>(rank));
    ASSERT_EQ(removed.size(), count);
    for (Entry* entry : removed) {
      ASSERT_EQ(entry, std::get<2>(*at));
      at = model_.erase(at);
      Entry::Destroy(entry);
    }
  }
  void ExpectAsModel() {
    tree_.CheckInvariants();
    ASSERT_EQ(tree_.size(), model_.size());
    if (model_.empty()) return;
    RankTree::Position at = tree_.At(0);
    size_t rank = 0;
    for (const auto& [score, member, entry] : model_) {
      ASSERT_TRUE(at);
      ASSERT_EQ(at.entry(), entry);
      ASSERT_EQ(at.score(), score);
      ASSERT_EQ(tree_.RankOf(score, *entry), rank);
      ASSERT_EQ(tree_.At(rank).entry(), entry);
      at.StepForward();
      ++rank;
    }
    ASSERT_FALSE(at);
  }
  size_t CountBelow(double bound) {
    return tree_.CountWhile([=](double score, const Entry&) { return score < bound; });
  }

  RankTree tree_;
  std::set<std::tuple<double, std::string, Entry*>> model_;
};

TEST_F(RankTreeTest, AnEmptyTreeHoldsNothing) {
  EXPECT_EQ(tree_.size(), 0u);
  EXPECT_EQ(tree_.bytes(), 0u);
  EXPECT_EQ(CountBelow(5), 0u);
  tree_.CheckInvariants();
}

TEST_F(RankTreeTest, ElementsThatComeInOrderFillTheirLeaves) {
  for (uint64_t i = 0; i < 10'000; ++i) InsertNumber(i);
  ExpectAsModel();
  EXPECT_LT(static_cast<double>(tree_.bytes()) / 10'000, 15.3);
}

TEST_F(RankTreeTest, ElementsThatComeInReverseOrderFillTheirLeaves) {
  for (uint64_t i = 10'000; i > 0; --i) InsertNumber(i);
  ExpectAsModel();
  EXPECT_LT(static_cast<double>(tree_.bytes()) / 10'000, 15.3);
}

TEST_F(RankTreeTest, ElementsThatComeInAnyOrderFillTwoThirds) {
  Random random(1);
  for (uint64_t i = 0; i < 20'000; ++i) InsertNumber(random.Next() >> 12);
  ExpectAsModel();
  EXPECT_LT(static_cast<double>(tree_.bytes()) / 20'000, 23);
}

TEST_F(RankTreeTest, EqualScoresAreOrderedByTheBytesOfTheMember) {
  for (const char* member : {"b", "a", "aa", "", "\xff", "B"}) Insert(1, member);
  std::vector<std::string> members;
  for (RankTree::Position at = tree_.At(0); at; at.StepForward()) {
    members.emplace_back(at.entry()->key());
  }
  EXPECT_EQ(members, (std::vector<std::string>{"", "B", "a", "aa", "b", "\xff"}));
}

TEST_F(RankTreeTest, ManyEqualScores) {
  Random random(2);
  for (int i = 0; i < 3000; ++i) Insert(7, std::to_string(random.Next()));
  ExpectAsModel();
  EXPECT_EQ(CountBelow(7), 0u);
  EXPECT_EQ(CountBelow(7.5), 3000u);
  while (!model_.empty()) EraseAt(random.Uniform(model_.size()));
  ExpectAsModel();
}

TEST_F(RankTreeTest, CountsUpToABound) {
  for (uint64_t i = 0; i < 5000; ++i) InsertNumber(i * 2);
  for (uint64_t i = 0; i < 10'000; i += 7) {
    ASSERT_EQ(CountBelow(static_cast<double>(i)), (i + 1) / 2) << i;
  }
  EXPECT_EQ(CountBelow(-INFINITY), 0u);
  EXPECT_EQ(CountBelow(INFINITY), 5000u);
}

TEST_F(RankTreeTest, StepsBackToTheFirst) {
  for (uint64_t i = 0; i < 1000; ++i) InsertNumber(i);
  RankTree::Position at = tree_.At(999);
  for (uint64_t i = 1000; i > 0; --i) {
    ASSERT_TRUE(at);
    ASSERT_EQ(at.score(), static_cast<double>(i - 1));
    at.StepBack();
  }
  EXPECT_FALSE(at);
}

TEST_F(RankTreeTest, GivesBackWhatItNoLongerNeeds) {
  for (uint64_t i = 0; i < 50'000; ++i) InsertNumber(i);
  const size_t full = tree_.bytes();
  // Every leaf is thinned out before it is emptied.
  for (size_t rank = 0; rank < model_.size(); ++rank) {
    EraseRange(rank, std::min<size_t>(9, model_.size() - rank));
  }
  ExpectAsModel();
  EXPECT_LT(tree_.bytes(), full / 2);
  EraseRange(0, model_.size());
  EXPECT_EQ(tree_.bytes(), 0u);
}

TEST_F(RankTreeTest, IsDrainedFromEitherEnd) {
  for (uint64_t i = 0; i < 5000; ++i) InsertNumber(i);
  while (model_.size() > 2500) EraseAt(0);
  ExpectAsModel();
  while (!model_.empty()) EraseAt(model_.size() - 1);
  ExpectAsModel();
}

TEST_F(RankTreeTest, BuildsFromElementsInOrder) {
  for (const size_t size : {1, 61, 62, 63, 62 * 31, 62 * 31 + 1, 100'000}) {
    RankTree built;
    std::vector<RankTree::Element> elements;
    for (size_t i = 0; i < size; ++i) {
      const double score = static_cast<double>(i);
      elements.push_back({score, Entry::Create("m", Entry::Value::Text(""), kNoExpiry, 0)});
    }
    built.Build(elements);
    built.CheckInvariants();
    ASSERT_EQ(built.size(), size);
    for (size_t i = 0; i < size; i += 13) ASSERT_EQ(built.At(i).entry(), elements[i].entry);
    built.Clear();
    for (const auto& element : elements) Entry::Destroy(element.entry);
  }
}

// Growing, shrinking, ranges and new scores in any order, with many equal scores.
TEST_F(RankTreeTest, DoesWhatASortedListDoes) {
  for (const uint64_t seed : {1, 2, 3, 4, 5, 6}) {
    Random random(seed);
    const uint64_t scores = seed % 2 == 0 ? 5 : 1'000'000;
    uint64_t next = 0;
    for (int round = 0; round < 60; ++round) {
      const bool grows = round % 12 < 7;
      for (int i = 0; i < 200; ++i) {
        const uint64_t action = random.Uniform(10);
        if (model_.empty() || action < (grows ? 7u : 2u)) {
          Insert(static_cast<double>(random.Uniform(scores)), std::to_string(next++ * 7919));
        } else if (action < 8) {
          EraseAt(random.Uniform(model_.size()));
        } else if (action == 8) {
          const size_t rank = random.Uniform(model_.size());
          const size_t most = std::min<size_t>(model_.size() - rank, grows ? 5 : 200);
          EraseRange(rank, random.Uniform(most + 1));
        } else {
          const size_t rank = random.Uniform(model_.size());
          const auto at = std::next(model_.begin(), static_cast<ptrdiff_t>(rank));
          auto [score, member, entry] = *at;
          model_.erase(at);
          const double next_score =
              random.Uniform(2) == 0 ? score + 1 : static_cast<double>(random.Uniform(scores));
          tree_.Rescore(score, next_score, entry);
          model_.insert({next_score, member, entry});
        }
      }
      ExpectAsModel();
    }
    EraseRange(0, model_.size());
  }
}

}  // namespace
}  // namespace larder
