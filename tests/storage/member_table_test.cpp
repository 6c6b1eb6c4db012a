#include "storage/member_table.h"

#include <cmath>
#include <map>
#include <set>
#include <string>

#include "base/random.h"
#include "storage/key_hash.h"
#include <gtest/gtest.h>

namespace larder {
namespace {

std::string Name(int i) { return "member:" + std::to_string(i); }

std::string TextOf(const Entry& entry) {
  StringValue value;
  entry.ReadString(value);
  return std::string(value.view());
}

class MemberTableTest : public testing::Test {
 protected:
  MemberTableTest() { SetHashSeedForTests(11); }

  void Fill(int members) {
    for (int i = 0; i < members; ++i) table_.Insert(Name(i), Entry::Value::Text("v"));
  }
  std::set<std::string> Members() const {
    std::set<std::string> members;
    table_.ForEach([&](Entry& entry) { return members.emplace(entry.key()).second; });
    return members;
  }

  MemberTable table_;
  Random random_{1};
};

TEST_F(MemberTableTest, AnEmptyTableHasNothingAndCostsNothing) {
  EXPECT_EQ(table_.size(), 0u);
  EXPECT_EQ(table_.bytes(), 0u);
  EXPECT_EQ(table_.Find("a"), nullptr);
  EXPECT_EQ(table_.Find(HashedMember("a")), nullptr);
  EXPECT_FALSE(table_.Erase("a"));
  EXPECT_FALSE(table_.Erase(HashedMember("a")));
  EXPECT_EQ(table_.Extract("a"), nullptr);
  table_.PrefetchBucket(1);
  table_.PrefetchEntry(1);
  EXPECT_EQ(table_.Scan(0, [](Entry&) { FAIL(); }), 0u);
  EXPECT_TRUE(Members().empty());
}

TEST_F(MemberTableTest, FindsWhatWasInsertedAndNothingElse) {
  Fill(1000);
  EXPECT_EQ(table_.size(), 1000u);
  for (int i = 0; i < 1000; ++i) ASSERT_NE(table_.Find(Name(i)), nullptr) << i;
  for (int i = 1000; i < 2000; ++i) ASSERT_EQ(table_.Find(Name(i)), nullptr) << i;
}

TEST_F(MemberTableTest, AnExtractedMemberIsTheCallers) {
  Fill(10);
  Entry* entry = table_.Extract(Name(3));
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(entry->key(), Name(3));
  EXPECT_EQ(table_.size(), 9u);
  EXPECT_EQ(table_.Find(Name(3)), nullptr);
  Entry::Destroy(entry);
}

TEST_F(MemberTableTest, AssigningInPlaceKeepsTheAddress) {
  Entry* entry = table_.Insert("a", Entry::Value::Text("123"));
  EXPECT_EQ(table_.Assign(entry, Entry::Value::Text("456")), entry);
  EXPECT_EQ(TextOf(*table_.Find("a")), "456");
  table_.table().CheckInvariants();
}

TEST_F(MemberTableTest, AssigningALongerValueMovesTheMember) {
  Fill(100);
  const std::string value(500, 'x');
  Entry* entry = table_.Assign(table_.Find(Name(42)), Entry::Value::Text(value));
  EXPECT_EQ(table_.Find(Name(42)), entry);
  EXPECT_EQ(TextOf(*entry), value);
  table_.table().CheckInvariants();
}

TEST_F(MemberTableTest, AValueMayBeAssignedFromItself) {
  const std::string text = "0123456789abcdef0123456789abcdef0123456789abcdef";
  Entry* entry = table_.Insert("a", Entry::Value::Text(text));
  StringValue value;
  entry->ReadString(value);
  entry = table_.Assign(entry, Entry::Value::Text(value.view().substr(10, 20)));
  EXPECT_EQ(TextOf(*entry), text.substr(10, 20));
  table_.table().CheckInvariants();
}

TEST_F(MemberTableTest, BlobsAreCountedAndFreed) {
  Blob* blob = BlobRef::CopyOf(std::string(10'000, 'x')).Detach();
  Entry* entry = table_.Insert("a", Entry::Value::OfBlob(blob));
  EXPECT_GT(table_.bytes(), 10'000u);
  table_.table().CheckInvariants();
  Blob* longer = BlobRef::CopyOf(std::string(50'000, 'y')).Detach();
  entry = table_.Assign(entry, Entry::Value::OfBlob(longer));
  EXPECT_GT(table_.bytes(), 50'000u);
  table_.table().CheckInvariants();
  table_.Assign(entry, Entry::Value::Text("short"));
  EXPECT_LT(table_.bytes(), 1000u);
  table_.table().CheckInvariants();
}

TEST_F(MemberTableTest, ExpiriesComeAndGo) {
  Fill(100);
  Entry* entry = table_.Assign(table_.Find(Name(7)), Entry::Value::Text("v"), 1000);
  EXPECT_EQ(entry->expiry(), 1000);
  EXPECT_EQ(table_.table().volatile_size(), 1u);
  EXPECT_TRUE(table_.table().HasDue(TickOf(1000)));
  table_.table().CheckInvariants();
  table_.Assign(entry, Entry::Value::Text("v"));
  EXPECT_EQ(table_.table().volatile_size(), 0u);
  table_.table().CheckInvariants();
}

TEST_F(MemberTableTest, ReservedRoomTakesMembersWithoutGrowing) {
  table_.Reserve(10'000);
  const uint32_t buckets = table_.table().bucket_count();
  Fill(10'000);
  EXPECT_EQ(table_.table().bucket_count(), buckets);
  EXPECT_EQ(table_.size(), 10'000u);
  table_.table().CheckInvariants();
}

TEST_F(MemberTableTest, ACloneIsEqualAndApart) {
  for (const int members : {0, 1, 9, 1000, 20'000}) {
    MemberTable original;
    for (int i = 0; i < members; ++i) {
      original.Insert(Name(i), Entry::Value::Integer(i), i % 3 == 0 ? 1000 + i : kNoExpiry);
    }
    MemberTable clone = original.Clone(&MemberTable::CopyOfEntry);
    clone.table().CheckInvariants();
    ASSERT_EQ(clone.size(), original.size());
    EXPECT_EQ(clone.bytes(), original.bytes());
    for (int i = 0; i < members; ++i) {
      const Entry* copy = clone.Find(Name(i));
      ASSERT_NE(copy, nullptr);
      EXPECT_NE(copy, original.Find(Name(i)));
      EXPECT_EQ(TextOf(*copy), std::to_string(i));
      EXPECT_EQ(copy->expiry(), original.Find(Name(i))->expiry());
    }
    if (members != 0) {
      clone.Erase(Name(0));
      EXPECT_NE(original.Find(Name(0)), nullptr);
    }
  }
}

TEST_F(MemberTableTest, ForEachVisitsEachMemberOnceAndStopsWhenTold) {
  Fill(5000);
  int visits = 0;
  std::set<std::string> seen;
  table_.ForEach([&](Entry& entry) {
    ++visits;
    seen.emplace(entry.key());
    return true;
  });
  EXPECT_EQ(visits, 5000);
  EXPECT_EQ(seen.size(), 5000u);
  visits = 0;
  table_.ForEach([&](Entry&) { return ++visits < 10; });
  EXPECT_EQ(visits, 10);
}

// The sum of squared deviations over the expected count: for k cells about k, with a deviation of
// sqrt(2k).
double ChiSquare(const std::map<std::string, int>& histogram, size_t cells, int draws) {
  const double expected = static_cast<double>(draws) / static_cast<double>(cells);
  double sum = static_cast<double>(cells - histogram.size()) * expected;
  for (const auto& [name, count] : histogram) {
    sum += (count - expected) * (count - expected) / expected;
  }
  return sum;
}

TEST_F(MemberTableTest, RandomMembersAreFairWhereverTheTableIsInItsGrowth) {
  for (const int members : {1, 2, 7, 60, 100, 150, 208}) {
    MemberTable table;
    for (int i = 0; i < members; ++i) table.Insert(Name(i), Entry::Value::Text(""));
    std::map<std::string, int> histogram;
    const int draws = members * 500;
    for (int i = 0; i < draws; ++i) ++histogram[std::string(table.RandomMember(random_)->key())];
    const double k = members;
    EXPECT_LT(ChiSquare(histogram, histogram.size(), draws), k + 5 * std::sqrt(2 * k)) << members;
    EXPECT_EQ(histogram.size(), static_cast<size_t>(members));
  }
}

TEST_F(MemberTableTest, RandomMembersAreFairAfterTheTableHasShrunk) {
  Fill(5000);
  for (int i = 100; i < 5000; ++i) table_.Erase(Name(i));
  std::map<std::string, int> histogram;
  for (int i = 0; i < 50'000; ++i) ++histogram[std::string(table_.RandomMember(random_)->key())];
  EXPECT_LT(ChiSquare(histogram, 100, 50'000), 100 + 5 * std::sqrt(200));
}

TEST_F(MemberTableTest, TheFirstOfAllExtractedIsFairToo) {
  std::map<std::string, int> histogram;
  for (int round = 0; round < 5000; ++round) {
    MemberTable table;
    for (int i = 0; i < 20; ++i) table.Insert(Name(i), Entry::Value::Text(""));
    Entry* entry = table.ExtractRandom(random_);
    ++histogram[std::string(entry->key())];
    EXPECT_EQ(table.Find(entry->key()), nullptr);
    Entry::Destroy(entry);
  }
  EXPECT_LT(ChiSquare(histogram, 20, 5000), 20 + 5 * std::sqrt(40));
}

TEST_F(MemberTableTest, ExtractingAtRandomEmptiesTheTable) {
  Fill(3000);
  std::set<std::string> seen;
  while (table_.size() != 0) {
    Entry* entry = table_.ExtractRandom(random_);
    EXPECT_TRUE(seen.emplace(entry->key()).second);
    Entry::Destroy(entry);
    if (table_.size() % 500 == 0) table_.table().CheckInvariants();
  }
  EXPECT_EQ(seen.size(), 3000u);
}

TEST_F(MemberTableTest, AScanSeesWhatIsThereFromItsStartToItsEnd) {
  constexpr int kStay = 2000;
  Fill(kStay);
  std::set<std::string> seen;
  uint64_t cursor = 0;
  int others = kStay;
  int steps = 0;
  do {
    cursor = table_.Scan(cursor, [&](Entry& entry) { seen.emplace(entry.key()); });
    // It doubles in the first half of the scan, and halves again in the second.
    if (++steps % 300 < 150) {
      for (int i = 0; i < 20; ++i) table_.Insert(Name(others++), Entry::Value::Text(""));
    } else {
      for (int i = 0; i < 20 && others > kStay; ++i) table_.Erase(Name(--others));
    }
  } while (cursor != 0);
  for (int i = 0; i < kStay; ++i) EXPECT_TRUE(seen.contains(Name(i))) << i;
}

TEST_F(MemberTableTest, LongRandomEditsLeaveWhatTheyShould) {
  struct Expected {
    std::string value;
    UnixMillis expiry;
  };
  std::map<std::string, Expected> model;
  const auto random_value = [&] { return std::string(random_.Uniform(300), 'v'); };
  const auto random_expiry = [&] {
    return random_.Uniform(3) == 0 ? static_cast<UnixMillis>(random_.Uniform(100'000)) : kNoExpiry;
  };
  for (int step = 0; step < 60'000; ++step) {
    // Alternately growing and shrinking.
    const bool growing = step / 10'000 % 2 == 0;
    const std::string name = Name(static_cast<int>(random_.Uniform(3000)));
    const auto found = model.find(name);
    const uint64_t action = random_.Uniform(10);
    if (found == model.end()) {
      ASSERT_EQ(table_.Find(name), nullptr);
      if (action >= (growing ? 2u : 8u)) {
        const Expected expected{random_value(), random_expiry()};
        table_.Insert(name, Entry::Value::Text(expected.value), expected.expiry);
        model.emplace(name, expected);
      }
    } else if (action < (growing ? 2u : 7u)) {
      ASSERT_TRUE(table_.Erase(name));
      model.erase(found);
    } else {
      Entry* entry = table_.Find(name);
      ASSERT_NE(entry, nullptr);
      ASSERT_EQ(TextOf(*entry), found->second.value);
      ASSERT_EQ(entry->expiry(), found->second.expiry);
      found->second = {random_value(), random_expiry()};
      entry = table_.Assign(entry, Entry::Value::Text(found->second.value), found->second.expiry);
      ASSERT_EQ(table_.Find(name), entry);
    }
    if (step % 2000 == 0) table_.table().CheckInvariants();
  }
  ASSERT_EQ(table_.size(), model.size());
  std::set<std::string> names;
  for (const auto& [name, expected] : model) names.insert(name);
  EXPECT_EQ(Members(), names);
}

}  // namespace
}  // namespace larder
