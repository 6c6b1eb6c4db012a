#include "storage/set.h"

#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/allocator.h"
#include "base/random.h"
#include "storage/key_hash.h"
#include <gtest/gtest.h>

namespace larder {
namespace {

using Encoding = Set::Encoding;
using Names = std::set<std::string>;

std::string Name(int i) { return "member:" + std::to_string(i); }

Names MembersOf(const Set& set) {
  Names names;
  set.ForEach([&](const SetMember& member) {
    EXPECT_TRUE(names.insert(member.Text()).second) << member.Text();
    return true;
  });
  EXPECT_EQ(names.size(), set.size());
  return names;
}

class SetTest : public testing::Test {
 protected:
  SetTest() { SetHashSeedForTests(5); }
  ~SetTest() override { Destroy(set_.object()); }

  bool Add(std::string_view member) { return set_.Add(member, limits_); }
  // One set of each encoding, of 60 members that are integers in their text.
  void FillAs(Encoding encoding, int members = 60) {
    limits_.set_max_intset_entries = encoding == Encoding::kIntset ? 100'000 : 0;
    limits_.set_max_listpack_entries = encoding == Encoding::kListpack ? 100'000 : 0;
    for (int i = 0; i < members; ++i) ASSERT_TRUE(Add(std::to_string(i * 1000)));
    ASSERT_EQ(set_.encoding(), encoding);
  }
  void Reset() {
    Destroy(set_.object());
    set_ = Set::Create();
  }

  EncodingLimits limits_;
  Set set_ = Set::Create();
  Random random_{17};
};

constexpr Encoding kEncodings[] = {Encoding::kIntset, Encoding::kListpack, Encoding::kTable};

TEST_F(SetTest, IntegersMakeAnIntset) {
  for (int i = 0; i < 512; ++i) EXPECT_TRUE(Add(std::to_string(i)));
  EXPECT_FALSE(Add("0"));
  EXPECT_EQ(set_.encoding(), Encoding::kIntset);
  EXPECT_EQ(EncodingName(set_.object()), "intset");
  EXPECT_TRUE(Add("512"));
  EXPECT_EQ(set_.encoding(), Encoding::kTable);
  EXPECT_EQ(EncodingName(set_.object()), "hashtable");
  EXPECT_EQ(set_.size(), 513u);
  EXPECT_TRUE(set_.Contains("0"));
  EXPECT_TRUE(set_.Contains("512"));
}

TEST_F(SetTest, OnlyTheCanonicalTextOfAnIntegerIsOne) {
  Add("1");
  EXPECT_FALSE(set_.Contains("01"));
  EXPECT_FALSE(set_.Remove("+1"));
  EXPECT_TRUE(Add("01"));
  EXPECT_EQ(set_.encoding(), Encoding::kListpack);
  EXPECT_EQ(MembersOf(set_), (Names{"1", "01"}));
}

TEST_F(SetTest, ATextMakesAnIntsetAListpackWhichRedisCallsAHashtable) {
  Add("1");
  Add("-9223372036854775808");
  Add("a");
  EXPECT_EQ(set_.encoding(), Encoding::kListpack);
  EXPECT_EQ(EncodingName(set_.object()), "hashtable");
  EXPECT_EQ(MembersOf(set_), (Names{"1", "-9223372036854775808", "a"}));
}

TEST_F(SetTest, AListpackIsLeftAtItsLimits) {
  for (int i = 0; i < 128; ++i) Add(Name(i));
  EXPECT_EQ(set_.encoding(), Encoding::kListpack);
  EXPECT_FALSE(Add(Name(7)));
  EXPECT_EQ(set_.encoding(), Encoding::kListpack);
  Add(Name(128));
  EXPECT_EQ(set_.encoding(), Encoding::kTable);
  EXPECT_EQ(set_.size(), 129u);

  Reset();
  Add(std::string(64, 'x'));
  EXPECT_EQ(set_.encoding(), Encoding::kListpack);
  Add(std::string(65, 'x'));
  EXPECT_EQ(set_.encoding(), Encoding::kTable);
  EXPECT_EQ(set_.size(), 2u);
}

TEST_F(SetTest, AnIntsetTooLargeForAListpackBecomesATable) {
  for (int i = 0; i < 128; ++i) Add(std::to_string(i));
  Add("a");
  EXPECT_EQ(set_.encoding(), Encoding::kTable);
  EXPECT_EQ(set_.size(), 129u);
}

TEST_F(SetTest, ItsIntegersMayBeTooLongForAListpack) {
  limits_.set_max_listpack_value = 5;
  Add("1");
  Add("-12345");
  Add("a");
  EXPECT_EQ(set_.encoding(), Encoding::kTable);
}

TEST_F(SetTest, LimitsOfZeroLeaveTablesOnly) {
  limits_.set_max_intset_entries = 0;
  limits_.set_max_listpack_entries = 0;
  Add("1");
  EXPECT_EQ(set_.encoding(), Encoding::kTable);
  EXPECT_TRUE(set_.Contains("1"));
}

TEST_F(SetTest, AdoptsWhatFitsAndConvertsWhatDoesNot) {
  Intset integers = Intset::Create();
  for (int i = 0; i < 4; ++i) integers.Add(i);
  const Names names{"0", "1", "2", "3"};
  Listpack list = Listpack::Create();
  for (const char* text : {"a", "bb", "ccc"}) list.Append(text);

  for (const size_t most : {3u, 4u}) {
    limits_.set_max_intset_entries = most;
    Set adopted = Set::Adopt(Intset::CopyOf(integers.bytes()), limits_);
    EXPECT_EQ(adopted.encoding(), most == 4 ? Encoding::kIntset : Encoding::kTable);
    EXPECT_EQ(MembersOf(adopted), names);
    Destroy(adopted.object());

    limits_.set_max_listpack_value = most - 1;
    adopted = Set::Adopt(Listpack::CopyOf(list.bytes()), limits_);
    EXPECT_EQ(adopted.encoding(), most == 4 ? Encoding::kListpack : Encoding::kTable);
    EXPECT_EQ(MembersOf(adopted), (Names{"a", "bb", "ccc"}));
    Destroy(adopted.object());
  }
  integers.Free();
  list.Free();
}

TEST_F(SetTest, AScanSeesEveryMember) {
  for (const Encoding encoding : kEncodings) {
    Reset();
    FillAs(encoding);
    Names seen;
    uint64_t cursor = 0;
    int steps = 0;
    do {
      ++steps;
      cursor = set_.Scan(cursor, [&](const SetMember& member) { seen.insert(member.Text()); });
    } while (cursor != 0);
    EXPECT_EQ(seen, MembersOf(set_));
    if (encoding == Encoding::kTable) {
      EXPECT_GT(steps, 1);
    } else {
      EXPECT_EQ(steps, 1);
    }
  }
}

TEST_F(SetTest, ACloneIsEqualAndApart) {
  for (const Encoding encoding : kEncodings) {
    Reset();
    FillAs(encoding);
    Set clone(Clone(set_.object()));
    EXPECT_EQ(clone.encoding(), encoding);
    EXPECT_EQ(MembersOf(clone), MembersOf(set_));
    EXPECT_EQ(AllocatedBytes(clone.object()), AllocatedBytes(set_.object()));
    EXPECT_TRUE(clone.Remove("0"));
    EXPECT_TRUE(set_.Contains("0"));
    Destroy(clone.object());
  }
}

TEST_F(SetTest, StopsWhenTheVisitorSaysSo) {
  for (const Encoding encoding : kEncodings) {
    Reset();
    FillAs(encoding);
    int visits = 0;
    set_.ForEach([&](const SetMember&) { return ++visits < 7; });
    EXPECT_EQ(visits, 7);
  }
}

// ---- Randomness

// How far the counts are from equal, in standard deviations of the chi-square distribution.
double Unfairness(const std::map<std::string, int>& histogram, size_t cells) {
  double draws = 0;
  for (const auto& [name, count] : histogram) draws += count;
  const double expected = draws / static_cast<double>(cells);
  double sum = static_cast<double>(cells - histogram.size()) * expected;
  for (const auto& [name, count] : histogram) {
    sum += (count - expected) * (count - expected) / expected;
  }
  const double freedom = static_cast<double>(cells - 1);
  return (sum - freedom) / std::sqrt(2 * freedom);
}

TEST_F(SetTest, RandomMembersAreFair) {
  for (const Encoding encoding : kEncodings) {
    Reset();
    FillAs(encoding);
    std::map<std::string, int> histogram;
    for (int i = 0; i < 30'000; ++i) ++histogram[set_.RandomMember(random_).Text()];
    EXPECT_LT(Unfairness(histogram, 60), 5) << static_cast<int>(encoding);
  }
}

TEST_F(SetTest, SeveralRandomMembersAreDifferentAndFair) {
  for (const Encoding encoding : kEncodings) {
    Reset();
    FillAs(encoding);
    for (const size_t count : {0u, 1u, 5u, 19u, 20u, 40u, 59u, 60u}) {
      std::map<std::string, int> histogram;
      for (int round = 0; round < 3000; ++round) {
        Names names;
        set_.RandomMembers(count, random_, [&](const SetMember& member) {
          EXPECT_TRUE(names.insert(member.Text()).second);
          ++histogram[member.Text()];
        });
        ASSERT_EQ(names.size(), count);
      }
      if (count != 0) {
        EXPECT_LT(Unfairness(histogram, 60), 5) << count;
      }
    }
  }
}

TEST_F(SetTest, PopsEachMemberOnce) {
  for (const Encoding encoding : kEncodings) {
    Reset();
    FillAs(encoding);
    Names left = MembersOf(set_);
    while (!set_.empty()) {
      set_.Pop(random_, [&](const SetMember& member) { EXPECT_EQ(left.erase(member.Text()), 1u); });
      ASSERT_EQ(MembersOf(set_), left);
    }
  }
}

TEST_F(SetTest, PopsSeveralDifferentMembersFairly) {
  for (const Encoding encoding : kEncodings) {
    for (const size_t count : {1u, 10u, 45u, 55u}) {
      std::map<std::string, int> histogram;
      for (int round = 0; round < 1000; ++round) {
        Reset();
        FillAs(encoding);
        Names left = MembersOf(set_);
        size_t popped = 0;
        set_.PopSeveral(count, random_, limits_, [&](const SetMember& member) {
          ++popped;
          ++histogram[member.Text()];
          EXPECT_EQ(left.erase(member.Text()), 1u);
        });
        ASSERT_EQ(popped, count);
        ASSERT_EQ(MembersOf(set_), left);
      }
      EXPECT_LT(Unfairness(histogram, 60), 5) << count;
    }
  }
}

TEST_F(SetTest, WhatALargePopLeavesStartsAsAnIntsetAgain) {
  for (int i = 0; i < 1000; ++i) Add(std::to_string(i));
  ASSERT_EQ(set_.encoding(), Encoding::kTable);
  set_.PopSeveral(800, random_, limits_, [](const SetMember&) {});
  EXPECT_EQ(set_.encoding(), Encoding::kTable);
  set_.PopSeveral(190, random_, limits_, [](const SetMember&) {});
  EXPECT_EQ(set_.encoding(), Encoding::kIntset);
  EXPECT_EQ(set_.size(), 10u);
}

// ---- Memory

TEST_F(SetTest, CountsTheBytesThatItOccupies) {
  if (AllocatorName() == "libc") GTEST_SKIP() << "rounds otherwise";
  for (const Encoding encoding : {Encoding::kIntset, Encoding::kListpack}) {
    Reset();
    FillAs(encoding, 300);
    EXPECT_EQ(AllocatedBytes(set_.object()), UsableSize(set_.object().data));
  }
  Reset();
  FillAs(Encoding::kTable, 5000);
  set_.table().table().CheckInvariants();  // Members and buckets.
  EXPECT_EQ(AllocatedBytes(set_.object()), UsableSize(set_.object().data) + set_.table().bytes());
}

TEST_F(SetTest, FreeingALargeSetIsAKnownEffort) {
  EXPECT_EQ(FreeEffort(set_.object()), 1u);
  for (int i = 0; i < 5000; ++i) Add(Name(i));
  EXPECT_GE(FreeEffort(set_.object()), 5000u);
}

// ---- Everything at once

TEST_F(SetTest, LongRandomEditsLeaveWhatTheyShould) {
  for (int round = 0; round < 6; ++round) {
    Reset();
    Names model;
    const bool integers = round % 2 == 0;
    limits_.set_max_intset_entries = round < 2 ? 20 : 512;
    limits_.set_max_listpack_entries = round < 4 ? 20 : 128;
    const uint64_t range = round < 2 ? 60 : 1000;
    for (int step = 0; step < 10'000; ++step) {
      const auto number = static_cast<int>(random_.Uniform(range));
      // Texts come late and seldom among the integers.
      const bool as_text = !integers || (step > 5000 && number % 100 == 0);
      const std::string name = as_text ? Name(number) : std::to_string(number - 30);
      ASSERT_EQ(set_.Contains(name), model.contains(name));
      if (random_.Uniform(step / 2000 % 2 == 0 ? 4 : 2) != 0) {
        ASSERT_EQ(Add(name), model.insert(name).second);
      } else {
        ASSERT_EQ(set_.Remove(name), model.erase(name) == 1);
      }
      ASSERT_EQ(set_.size(), model.size());
      if (step % 1000 == 0) {
        ASSERT_EQ(MembersOf(set_), model);
      }
    }
    EXPECT_EQ(MembersOf(set_), model);
  }
}

}  // namespace
}  // namespace larder
