#include "eviction/lease_table.h"

#include <memory>
#include <optional>
#include <string>

#include "eviction/stampede_figures.h"
#include "gtest/gtest.h"

namespace larder {
namespace {

using std::chrono::milliseconds;

constexpr uint64_t kHolder = 7;

class LeaseTableTest : public testing::Test {
 protected:
  LeaseTableTest() { budget_.most = 3; }

  std::shared_ptr<Lease> Grant(const std::string& key, milliseconds duration = milliseconds(100)) {
    return table_.Grant(0, key, {.holder = kHolder, .duration = duration, .figures = figures_},
                        now_);
  }
  bool Known(const std::string& key, int db = 0) { return table_.Find(db, key, now_) != nullptr; }

  LeaseBudget budget_;
  LeaseTable table_{/*shard=*/5, budget_};
  std::shared_ptr<StampedeFigures> figures_ = std::make_shared<StampedeFigures>();
  MonoTime now_{std::chrono::hours(1)};
};

TEST_F(LeaseTableTest, AFillWithTheCurrentLeaseTellsHowLongTheLoadTook) {
  const auto lease = Grant("key");
  ASSERT_NE(lease, nullptr);
  EXPECT_EQ(lease->shard, 5u);
  EXPECT_EQ(lease->holder, kHolder);
  now_ += milliseconds(30);
  EXPECT_TRUE(lease->LiveAt(now_));
  EXPECT_EQ(table_.Fill(0, "key", lease->number, now_), milliseconds(30));
  EXPECT_FALSE(lease->LiveAt(now_));
  EXPECT_FALSE(Known("key"));
  EXPECT_EQ(table_.Fill(0, "key", lease->number, now_), std::nullopt);
}

TEST_F(LeaseTableTest, ALeaseIsOfOneKeyInOneDatabase) {
  const auto lease = Grant("key");
  EXPECT_FALSE(Known("key", 1));
  EXPECT_FALSE(Known("other"));
  EXPECT_EQ(table_.Fill(1, "key", lease->number, now_), std::nullopt);
  EXPECT_EQ(table_.Fill(0, "other", lease->number, now_), std::nullopt);
  EXPECT_TRUE(table_.Fill(0, "key", lease->number, now_).has_value());
}

TEST_F(LeaseTableTest, WhateverEndsALeaseMakesItsNumberVoidForGood) {
  struct Case {
    const char* name;
    void (*end)(LeaseTable&, const Lease&, MonoTime& now);
  };
  const Case cases[] = {
      {"void",
       [](LeaseTable& table, const Lease&, MonoTime&) { EXPECT_TRUE(table.Void(0, "key")); }},
      {"void database", [](LeaseTable& table, const Lease&, MonoTime&) { table.VoidDatabase(0); }},
      {"release", [](LeaseTable& table, const Lease& lease,
                     MonoTime& now) { EXPECT_TRUE(table.Release(0, "key", lease.number, now)); }},
      {"lose", [](LeaseTable& table, const Lease& lease,
                  MonoTime& now) { EXPECT_TRUE(table.Lose(lease, now)); }},
      {"deadline", [](LeaseTable&, const Lease&, MonoTime& now) { now += milliseconds(100); }},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.name);
    const auto lease = Grant("key");
    ASSERT_NE(lease, nullptr);
    test.end(table_, *lease, now_);
    EXPECT_FALSE(lease->LiveAt(now_));
    EXPECT_FALSE(Known("key"));
    const auto next = Grant("key");
    ASSERT_NE(next, nullptr);
    EXPECT_NE(next->number, lease->number);
    EXPECT_EQ(table_.Fill(0, "key", lease->number, now_), std::nullopt);
    EXPECT_FALSE(table_.Release(0, "key", lease->number, now_));
    EXPECT_FALSE(table_.Lose(*lease, now_));
    EXPECT_TRUE(table_.Release(0, "key", next->number, now_));
  }
}

TEST_F(LeaseTableTest, OnlyTheDatabaseThatIsEmptiedLosesItsLeases) {
  Grant("key");
  table_.Grant(1, "key", {.holder = kHolder, .duration = milliseconds(100)}, now_);
  table_.VoidDatabase(1);
  EXPECT_TRUE(Known("key"));
  EXPECT_FALSE(Known("key", 1));
}

TEST_F(LeaseTableTest, AHoldKeepsWhatItIsUntilItsTime) {
  table_.Hold(0, "failed", now_ + milliseconds(50), /*is_negative=*/false);
  table_.Hold(0, "nothing", now_ + milliseconds(50), /*is_negative=*/true);
  now_ += milliseconds(49);
  ASSERT_TRUE(Known("failed"));
  EXPECT_EQ(table_.Find(0, "failed", now_)->lease, nullptr);
  EXPECT_FALSE(table_.Find(0, "failed", now_)->is_negative);
  EXPECT_TRUE(table_.Find(0, "nothing", now_)->is_negative);
  EXPECT_FALSE(table_.Release(0, "failed", 0, now_));  // It is nobody's.
  now_ += milliseconds(1);
  EXPECT_FALSE(Known("failed"));
  EXPECT_FALSE(Known("nothing"));
}

TEST_F(LeaseTableTest, TheBudgetIsOfAllShards) {
  LeaseTable other(6, budget_);
  ASSERT_NE(Grant("a"), nullptr);
  ASSERT_NE(Grant("b"), nullptr);
  ASSERT_NE(other.Grant(0, "c", {.duration = milliseconds(100)}, now_), nullptr);
  EXPECT_EQ(Grant("d"), nullptr);
  table_.Hold(0, "e", now_ + milliseconds(50), /*is_negative=*/true);
  EXPECT_FALSE(Known("e"));
  EXPECT_TRUE(other.Void(0, "c"));
  EXPECT_NE(Grant("d"), nullptr);
  EXPECT_EQ(budget_.used, 3);
}

TEST_F(LeaseTableTest, SweepingForgetsWhatHasEndedByItself) {
  Grant("short", milliseconds(10));
  Grant("long", milliseconds(100));
  now_ += milliseconds(10);
  table_.Sweep(now_);
  EXPECT_EQ(table_.size(), 1u);
  EXPECT_TRUE(Known("long"));
  EXPECT_EQ(budget_.used, 1);
}

TEST_F(LeaseTableTest, ALeaseThatNobodyEndedCountsAsLost) {
  Grant("one", milliseconds(10));
  const auto released = Grant("two", milliseconds(10));
  EXPECT_TRUE(table_.Release(0, "two", released->number, now_));
  now_ += milliseconds(10);
  EXPECT_FALSE(Known("one"));
  EXPECT_EQ(figures_->Total()[StampedeFigures::kLeasesLost], 1);
}

}  // namespace
}  // namespace larder
