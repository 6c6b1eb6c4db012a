#include "storage/table.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/allocator.h"
#include "base/random.h"
#include "storage/hash.h"
#include "storage/key_hash.h"
#include <gtest/gtest.h>

namespace larder {
namespace {

constexpr UnixMillis kNow = 1'700'000'000'000;

class TableTest : public testing::Test {
 protected:
  TableTest() { SetHashSeedForTests(7); }

  void Add(const std::string& name, UnixMillis expiry = kNoExpiry) {
    table_.Prepare(0);
    const HashedKey key = HashedKey::Of(name);
    table_.Insert(key.hash, Entry::Create(name, Entry::Value::Text("v"), expiry, 0));
    if (table_.WantsToGrow()) table_.Grow();
  }
  void Remove(const std::string& name) {
    const HashedKey key = HashedKey::Of(name);
    const Table::Place place = table_.Find(key);
    ASSERT_TRUE(place);
    Entry::Destroy(table_.Remove(table_.BucketIndex(key.hash), place));
    if (table_.WantsToShrink()) table_.Shrink();
  }
  static std::string Name(int i) { return "key:" + std::to_string(i); }

  Table table_;
};

TEST_F(TableTest, GrowsAndShrinksThroughEverySizeUpToSeveralPages) {
  // 512 segments of 64 buckets of 6.5 keys make a page.
  constexpr int kKeys = 500'000;
  for (int i = 0; i < kKeys; ++i) Add(Name(i));
  table_.CheckInvariants();
  EXPECT_GT(table_.bucket_count(), 2u * 512 * 64);
  for (int i = 0; i < kKeys; ++i) ASSERT_TRUE(table_.Find(HashedKey::Of(Name(i)))) << i;
  for (int i = 0; i < kKeys; ++i) {
    Remove(Name(i));
    if (i % 50'000 == 0) table_.CheckInvariants();
  }
  EXPECT_EQ(table_.size(), 0u);
  EXPECT_EQ(table_.bucket_count(), 1u);
  table_.Clear();
  EXPECT_EQ(table_.bytes(), 0u);
}

TEST_F(TableTest, TellsKeysAndBytesByType) {
  Add("string");
  table_.Prepare(0);
  Hash hash = Hash::Create();
  const HashedKey key = HashedKey::Of("hash");
  Entry* entry = Entry::Create("hash", Entry::Value::OfObject(hash.object()), kNoExpiry, 0);
  const size_t hash_bytes = entry->allocated_bytes();
  table_.Insert(key.hash, entry);

  UsageByType usage;
  table_.AddUsageTo(usage);
  EXPECT_EQ(UsageOf(usage, ValueType::kString).keys, 1u);
  EXPECT_EQ(UsageOf(usage, ValueType::kString).bytes,
            table_.Find(HashedKey::Of("string")).entry()->allocated_bytes());
  EXPECT_EQ(UsageOf(usage, ValueType::kHash).keys, 1u);
  EXPECT_EQ(UsageOf(usage, ValueType::kHash).bytes, hash_bytes);
  table_.CheckInvariants();

  Remove("hash");
  Remove("string");
  usage = {};
  table_.AddUsageTo(usage);
  EXPECT_EQ(UsageOf(usage, ValueType::kString).bytes, 0u);
  EXPECT_EQ(UsageOf(usage, ValueType::kHash).keys, 0u);
  table_.Clear();
  EXPECT_EQ(table_.bytes(), 0u);
}

TEST_F(TableTest, SmallSizesAreAsSoundAsLargeOnes) {
  for (int size = 1; size < 1200; size += size < 100 ? 1 : 97) {
    for (int i = 0; i < size; ++i) {
      Add(Name(i));
      table_.CheckInvariants();
    }
    ASSERT_EQ(table_.size(), static_cast<size_t>(size));
    for (int i = size; i-- > 0;) {
      Remove(Name(i));
      table_.CheckInvariants();
    }
    ASSERT_EQ(table_.size(), 0u);
  }
}

TEST_F(TableTest, TheTableCostsLessThanFourteenBytesAKey) {
  // Over a whole doubling, since linear hashing's cost depends on where in its round it is.
  for (int i = 0; i < 8000; ++i) {
    Add(Name(i));
    if (i < 3000) continue;
    const double cost = static_cast<double>(table_.bytes()) / static_cast<double>(table_.size());
    ASSERT_LT(cost - 16, 13.5) << i;  // "key:1234" and "v" are 15 bytes.
  }
}

TEST_F(TableTest, OneKeyTakesOneBucketAndOnePlaceForItsSegment) {
  Add("key");
  const size_t entry_bytes = table_.Find(HashedKey::Of("key")).entry()->allocated_bytes();
  EXPECT_EQ(table_.bytes(), entry_bytes + 64 + 16);  // A cache has as many such tables as shards.
}

TEST_F(TableTest, ClearsInSteps) {
  for (int i = 0; i < 10'000; ++i) Add(Name(i));
  int steps = 1;
  while (!table_.ClearSome(100)) ++steps;
  EXPECT_GT(steps, 10);
  EXPECT_EQ(table_.bytes(), 0u);
}

// ---- SCAN

TEST_F(TableTest, ScanVisitsEveryKeyExactlyOnceWhileNothingChanges) {
  for (int i = 0; i < 5000; ++i) Add(Name(i));
  std::map<std::string, int> visits;
  uint64_t cursor = 0;
  do {
    cursor = table_.Scan(cursor, [&](Entry& entry) { ++visits[std::string(entry.key())]; });
    EXPECT_LT(cursor, uint64_t{1} << 48);
  } while (cursor != 0);
  EXPECT_EQ(visits.size(), 5000u);
  for (const auto& [key, count] : visits) EXPECT_EQ(count, 1) << key;
}

// Gives it another address.
void* MovedOf(void* memory, size_t bytes) {
  void* moved = Allocate(bytes);
  std::memcpy(moved, memory, bytes);
  Deallocate(memory, bytes);
  return moved;
}

TEST_F(TableTest, RelocatingOffersEveryEntryOnceAndKeepsWhereItIsNow) {
  constexpr int kKeys = 3000;
  for (int i = 0; i < kKeys; ++i) Add(Name(i));
  int offered = 0;
  uint64_t cursor = 0;
  do {
    cursor = table_.Relocate(cursor, [&](void* memory, size_t bytes) {
      return ++offered % 2 == 0 ? memory : MovedOf(memory, bytes);
    });
  } while (cursor != 0);
  EXPECT_EQ(offered, kKeys);
  table_.CheckInvariants();
  for (int i = 0; i < kKeys; ++i) ASSERT_TRUE(table_.Find(HashedKey::Of(Name(i)))) << i;
}

TEST_F(TableTest, ScanOfForeignCursorsEnds) {
  for (int i = 0; i < 100; ++i) Add(Name(i));
  Random random(1);
  for (int i = 0; i < 1000; ++i) {
    uint64_t cursor = random.Next();
    int steps = 0;
    do {
      cursor = table_.Scan(cursor, [](Entry&) {});
      ASSERT_LT(++steps, 100);
    } while (cursor != 0);
  }
}

class TableScanTest : public TableTest, public testing::WithParamInterface<uint64_t> {};

TEST_P(TableScanTest, VisitsWhateverIsThereThroughoutWhileOthersComeAndGo) {
  Random random(GetParam());
  for (int round = 0; round < 20; ++round) {
    const int stable = static_cast<int>(random.Uniform(500));
    for (int i = 0; i < stable; ++i) Add("stable:" + std::to_string(i));
    std::vector<std::string> others;
    int made = 0;
    std::set<std::string> seen;
    uint64_t cursor = 0;
    // The table grows and shrinks between the calls by up to some hundred keys at once.
    do {
      cursor = table_.Scan(cursor, [&](Entry& entry) { seen.insert(std::string(entry.key())); });
      const bool growing = random.Uniform(2) == 0;
      const uint64_t changes = random.Uniform(random.Uniform(4) == 0 ? 1000 : 10);
      for (uint64_t i = 0; i < changes; ++i) {
        if (growing) {
          others.push_back("other:" + std::to_string(made++));
          Add(others.back());
        } else if (!others.empty()) {
          std::swap(others[random.Uniform(others.size())], others.back());
          Remove(others.back());
          others.pop_back();
        }
      }
    } while (cursor != 0);
    for (int i = 0; i < stable; ++i) {
      ASSERT_EQ(seen.count("stable:" + std::to_string(i)), 1u) << i;
    }
    table_.Clear();
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, TableScanTest, testing::Range<uint64_t>(1, 9));

// ---- RANDOMKEY

TEST_F(TableTest, EveryEntryIsEquallyLikelyToBeDrawn) {
  Random random(42);
  for (const int size : {1, 2, 7, 8, 9, 30, 400, 777}) {
    for (int i = 0; i < size; ++i) Add(Name(i));
    constexpr int kDrawsEach = 200;
    std::map<const Entry*, int> draws;
    for (int i = 0; i < size * kDrawsEach; ++i) ++draws[table_.RandomEntry(random)];
    double chi_square = 0;
    for (const auto& [entry, count] : draws) chi_square += std::pow(count - kDrawsEach, 2);
    chi_square += std::pow(kDrawsEach, 2) * (size - static_cast<double>(draws.size()));
    chi_square /= kDrawsEach;
    // Mean size - 1, variance 2 (size - 1); the seed is fixed, five deviations are far enough.
    EXPECT_LT(std::fabs(chi_square - (size - 1)), 5 * std::sqrt(2.0 * (size - 1)) + 1e-9) << size;
    table_.Clear();
  }
}

// ---- Expiry

class TableExpiryTest : public TableTest {
 protected:
  // Takes out what has expired, as a shard would.
  int Expire(UnixMillis now, size_t budget) {
    int removed = 0;
    uint32_t index;
    while ((index = table_.NextDue(TickOf(now - 1), budget)) != Table::kNone) {
      ++visited_;
      for (unsigned position = 0; const Table::Place place = table_.PlaceAt(index, position);) {
        if (place.entry()->ExpiredAt(now)) {
          Entry::Destroy(table_.Remove(index, place));
          ++removed;
        } else {
          ++position;
        }
      }
      table_.RefreshTick(index);
    }
    budget_left_ = budget;
    return removed;
  }
  int visited_ = 0;
  size_t budget_left_ = 0;
};

TEST_F(TableExpiryTest, LooksAtNothingBeforeItsTime) {
  for (int i = 0; i < 10'000; ++i) Add(Name(i), kNow + i);
  EXPECT_FALSE(table_.HasDue(TickOf(kNow - 100)));
  EXPECT_TRUE(table_.HasDue(TickOf(kNow)));
  EXPECT_EQ(Expire(kNow, 1000), 0);
  EXPECT_LE(visited_, 64);  // Those with a key due within the same 64 milliseconds.
}

TEST_F(TableExpiryTest, VisitsABucketOncePerKeyThatIsDue) {
  for (int i = 0; i < 10'000; ++i) Add(Name(i), kNow + 1000 * i);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(Expire(kNow + 1000 * i + 500, 1000), 1);
  EXPECT_LE(visited_, 1000);
}

TEST_F(TableExpiryTest, GoesOnWhereItsBudgetRanOut) {
  for (int i = 0; i < 10'000; ++i) Add(Name(i), kNow);
  int removed = 0;
  int calls = 0;
  do {
    removed += Expire(kNow + 1, 10);
    ++calls;
    table_.CheckInvariants();
  } while (budget_left_ == 0);
  EXPECT_EQ(removed, 10'000);
  EXPECT_GE(calls, 1500 / 10);
  EXPECT_FALSE(table_.HasDue(TickOf(kNow + 1)));
}

TEST_F(TableExpiryTest, MissesNothingThatIsAddedBehindIt) {
  Random random(3);
  int added = 0;
  int removed = 0;
  for (int i = 0; i < 3000; ++i) Add(Name(added++), kNow + static_cast<int>(random.Uniform(1000)));
  for (int now = 0; now < 1000; ++now) {
    removed += Expire(kNow + now, random.Uniform(5));
    Add(Name(added++), kNow + now + static_cast<int>(random.Uniform(50)));
    table_.CheckInvariants();
  }
  for (int i = 0; i < 3; ++i) removed += Expire(kNow + 2000, 100'000);
  EXPECT_EQ(removed, added);
  EXPECT_EQ(table_.size(), 0u);
}

}  // namespace
}  // namespace larder
