#include "eviction/lease_table.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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
    return table_
        .Grant(0, key, {.holder = kHolder, .duration = duration, .figures = figures_}, now_)
        .lease;
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
  table_.Hold(0, "failed", now_ + milliseconds(50));
  table_.HoldNegative(0, "nothing", now_ + milliseconds(50), nullptr);
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

TEST_F(LeaseTableTest, ANegativeResultEndsWithAnInvalidationOfItsTags) {
  TagTable tags;
  const std::string_view name = "tag";
  table_.HoldNegative(0, "nothing", now_ + milliseconds(50), tags.Stamp({&name, 1}));
  EXPECT_TRUE(Known("nothing"));
  tags.Invalidate("tag", /*now=*/1);
  EXPECT_FALSE(Known("nothing"));
  EXPECT_EQ(table_.size(), 0u);
}

TEST_F(LeaseTableTest, TheBudgetIsOfAllShards) {
  LeaseTable other(6, budget_);
  ASSERT_NE(Grant("a"), nullptr);
  ASSERT_NE(Grant("b"), nullptr);
  ASSERT_NE(other.Grant(0, "c", {.duration = milliseconds(100)}, now_).lease, nullptr);
  EXPECT_EQ(Grant("d"), nullptr);
  table_.HoldNegative(0, "e", now_ + milliseconds(50), nullptr);
  EXPECT_FALSE(Known("e"));
  EXPECT_TRUE(other.Void(0, "c"));
  EXPECT_NE(Grant("d"), nullptr);
  EXPECT_EQ(budget_.used, 3);
}

// ---- Under a cap

class CappedLeaseTableTest : public LeaseTableTest, public TurnListener {
 protected:
  CappedLeaseTableTest() {
    budget_.most = 100;
    EXPECT_TRUE(cap_->SetMost(1).empty());
  }
  void OnTurn(const LeaseCap::WaitingKey& key) override { turns_.push_back(key.key); }

  LeaseTable::Election Ask(LeaseTable& table, const std::string& key, bool gets_in_line = true) {
    return table.Grant(
        0, key, {.duration = milliseconds(100), .cap = cap_, .gets_in_line = gets_in_line}, now_);
  }

  std::shared_ptr<LeaseCap> cap_ = std::make_shared<LeaseCap>();
  std::vector<std::string> turns_;
  LeaseTable one_{1, budget_, this};
  LeaseTable two_{2, budget_, this};
};

TEST_F(CappedLeaseTableTest, HoweverALeaseEndsTheNextKeyHasItsTurn) {
  using End = std::function<void(const Lease&)>;
  const End ends[] = {
      [&](const Lease& lease) { EXPECT_TRUE(one_.Fill(0, "a", lease.number, now_)); },
      [&](const Lease& lease) { EXPECT_TRUE(one_.Release(0, "a", lease.number, now_)); },
      [&](const Lease& lease) { EXPECT_TRUE(one_.Lose(lease, now_)); },
      [&](const Lease&) { EXPECT_TRUE(one_.Void(0, "a")); },
      [&](const Lease&) { one_.VoidDatabase(0); },
      [&](const Lease& lease) { EXPECT_EQ(one_.Find(0, "a", lease.deadline), nullptr); },
      [&](const Lease& lease) { one_.Sweep(lease.deadline); }};
  for (const End& end : ends) {
    const auto first = Ask(one_, "a");
    ASSERT_NE(first.lease, nullptr);
    EXPECT_TRUE(Ask(two_, "b").held_back);
    EXPECT_TRUE(Ask(two_, "b").held_back);  // It is not its turn.
    turns_.clear();
    end(*first.lease);
    EXPECT_EQ(turns_, std::vector<std::string>{"b"});
    EXPECT_TRUE(Ask(one_, "a", /*gets_in_line=*/false).held_back);  // The place is kept.
    const auto second = Ask(two_, "b");
    ASSERT_NE(second.lease, nullptr);
    EXPECT_TRUE(two_.Release(0, "b", second.lease->number, now_));
    EXPECT_EQ(budget_.used, 0);
  }
}

TEST_F(CappedLeaseTableTest, ATurnThatNobodyTakesPassesOn) {
  const auto first = Ask(one_, "a");
  EXPECT_TRUE(Ask(two_, "b").held_back);
  EXPECT_TRUE(Ask(one_, "c").held_back);
  EXPECT_FALSE(two_.PassTurn(0, "b"));  // It has none.
  EXPECT_TRUE(one_.Release(0, "a", first.lease->number, now_));
  EXPECT_TRUE(two_.PassTurn(0, "b"));
  EXPECT_EQ(turns_, (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(two_.Find(0, "b", now_), nullptr);
  one_.LeaveLine(0, "c");
  EXPECT_FALSE(cap_->IsFull());
  EXPECT_NE(Ask(two_, "d").lease, nullptr);
}

TEST_F(CappedLeaseTableTest, WhatIsWrittenLeavesTheLine) {
  const auto first = Ask(one_, "a");
  EXPECT_TRUE(Ask(two_, "b").held_back);
  EXPECT_TRUE(Ask(two_, "c").held_back);
  EXPECT_TRUE(two_.Void(0, "b"));
  EXPECT_TRUE(one_.Release(0, "a", first.lease->number, now_));
  EXPECT_EQ(turns_, std::vector<std::string>{"c"});
}

TEST_F(CappedLeaseTableTest, AnotherNumberCallsAsManyAsItAllows) {
  const auto first = Ask(one_, "a");
  for (const std::string key : {"b", "c", "d", "e"}) EXPECT_TRUE(Ask(two_, key).held_back);
  EXPECT_EQ(cap_->SetMost(3), (LeaseCap::Turns{{2, 0, "b"}, {2, 0, "c"}}));
  EXPECT_TRUE(cap_->SetMost(2).empty());
  EXPECT_TRUE(one_.Release(0, "a", first.lease->number, now_));
  EXPECT_TRUE(turns_.empty());
  EXPECT_EQ(cap_->SetMost(0), (LeaseCap::Turns{{2, 0, "d"}, {2, 0, "e"}}));
  EXPECT_FALSE(cap_->IsFull());
}

TEST_F(CappedLeaseTableTest, SomebodyLooksForTheEarliestDeadlineWhileSomebodyWaits) {
  EXPECT_TRUE(cap_->SetMost(2).empty());
  const auto first = Ask(one_, "a");
  now_ += milliseconds(10);
  const auto second = Ask(two_, "b");
  EXPECT_EQ(cap_->NextLook(), std::nullopt);
  EXPECT_TRUE(Ask(two_, "c").held_back);
  EXPECT_EQ(cap_->NextLook(), first.lease->deadline);
  EXPECT_EQ(cap_->NextLook(), std::nullopt);  // Once.
  EXPECT_TRUE(cap_->Overdue(first.lease->deadline - milliseconds(1)).empty());
  const auto overdue = cap_->Overdue(first.lease->deadline);
  ASSERT_EQ(overdue.size(), 1u);
  EXPECT_EQ(overdue[0]->key, "a");
  EXPECT_EQ(one_.Find(0, "a", first.lease->deadline), nullptr);
  EXPECT_EQ(turns_, std::vector<std::string>{"c"});
  EXPECT_EQ(cap_->NextLook(), std::nullopt);
  EXPECT_TRUE(Ask(two_, "d").held_back);
  EXPECT_EQ(cap_->NextLook(), second.lease->deadline);
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
