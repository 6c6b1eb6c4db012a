#include "server/client_budget.h"

#include "gtest/gtest.h"

namespace larder {
namespace {

using Kind = ClientBudget::Decision::Kind;

constexpr auto kAllowed = ClientMemory::Eviction::kAllowed;

ClientBudget::Limit LimitFor(int64_t max_memory_bytes, MemoryOrPercent clients) {
  Config config;
  config.max_memory_bytes = max_memory_bytes;
  config.max_memory_clients = clients;
  return ClientBudget::LimitOf(config);
}

TEST(ClientBudgetTest, AnAmountIsALimitWhateverMaxmemoryIs) {
  EXPECT_EQ(LimitFor(0, {.bytes = kGiB}).bytes, kGiB);
  EXPECT_EQ(LimitFor(kMiB, {.bytes = kGiB}).bytes, kGiB);
  EXPECT_TRUE(LimitFor(kMiB, {.bytes = kGiB}).beside_data);
  EXPECT_EQ(LimitFor(0, {.bytes = 1}).bytes, 128 * kKiB);  // As Redis: it must be usable.
}

TEST(ClientBudgetTest, AShareOfNoLimitIsNoLimit) {
  EXPECT_EQ(LimitFor(0, {.percent = 5}).bytes, 0);
  EXPECT_EQ(LimitFor(0, {.is_auto = true}).bytes, 0);
  EXPECT_EQ(LimitFor(100 * kMiB, {.percent = 5}).bytes, 5 * kMiB);
}

TEST(ClientBudgetTest, ZeroIsNoLimitAndNoBudgetOfItsOwnAsInRedis) {
  EXPECT_EQ(LimitFor(kGiB, {.bytes = 0}).bytes, 0);
  EXPECT_FALSE(LimitFor(kGiB, {.bytes = 0}).beside_data);
}

TEST(ClientBudgetTest, AutoIsASixteenthButLeavesSmallCachesRoomForLargeValues) {
  EXPECT_EQ(LimitFor(16 * kGiB, {.is_auto = true}).bytes, kGiB);
  EXPECT_EQ(LimitFor(kGiB, {.is_auto = true}).bytes, 64 * kMiB);
  EXPECT_EQ(LimitFor(100 * kMiB, {.is_auto = true}).bytes, 32 * kMiB);
  EXPECT_EQ(LimitFor(16 * kMiB, {.is_auto = true}).bytes, 16 * kMiB);
  EXPECT_TRUE(LimitFor(kGiB, {.is_auto = true}).beside_data);
}

class ClientBudgetDecisionTest : public testing::Test {
 protected:
  ClientBudgetDecisionTest() {
    budget_.Register(first_);
    budget_.Register(second_);
    first_.Update(small_, 40'000, kAllowed);
    second_.Update(large_, 400'000, kAllowed);
  }

  ClientBudget budget_;
  ClientMemory first_;
  ClientMemory second_;
  ClientShare small_{.client_id = 1};
  ClientShare large_{.client_id = 2};
};

TEST_F(ClientBudgetDecisionTest, WithinTheLimitNobodyGoes) {
  EXPECT_EQ(budget_.TotalBytes(), 440'000);
  EXPECT_EQ(budget_.Decide(0, 440'001).kind, Kind::kNobody);
  EXPECT_NE(budget_.Decide(0, 440'000).kind, Kind::kNobody);  // Redis evicts at the limit itself.
}

TEST_F(ClientBudgetDecisionTest, TheLargestGoesFirstOnWhicheverThreadItIs) {
  const ClientBudget::Decision from_first = budget_.Decide(0, 100'000);
  EXPECT_EQ(from_first.kind, Kind::kOther);
  EXPECT_EQ(from_first.thread, 1u);
  EXPECT_EQ(budget_.TotalBytes(), 440'000);  // Nothing has happened yet.

  const ClientBudget::Decision from_second = budget_.Decide(1, 100'000);
  EXPECT_EQ(from_second.kind, Kind::kOwnClient);
  EXPECT_EQ(from_second.client_id, 2u);
  EXPECT_EQ(budget_.TotalBytes(), 40'000);  // It counts no more, before its socket is closed.
  EXPECT_EQ(budget_.Decide(1, 100'000).kind, Kind::kNobody);
}

TEST_F(ClientBudgetDecisionTest, WithNobodyLeftToGoTheLimitIsExceeded) {
  first_.Update(small_, 40'000, ClientMemory::Eviction::kForbidden);
  second_.Update(large_, 400'000, ClientMemory::Eviction::kForbidden);
  EXPECT_EQ(budget_.Decide(0, 1).kind, Kind::kNobody);
}

}  // namespace
}  // namespace larder
