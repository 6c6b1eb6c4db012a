#include "eviction/window_and_main.h"

#include <cstdint>

#include "gtest/gtest.h"

namespace larder {
namespace {

constexpr double kMeanBytes = 100;

// One entry, and what becomes of it.
class WindowAndMainTest : public testing::Test {
 protected:
  WindowAndMainTest() { queues_.set_mean_bytes(kMeanBytes); }

  void Insert(size_t bytes) {
    queues_.OnInsert(kId, state_, bytes);
    worth_.bytes = bytes;
  }
  // Into main, with no hits left.
  void InsertIntoMain(size_t bytes) {
    Insert(bytes);
    Hit(2);
    ASSERT_EQ(Judge(), Verdict::kStays);
  }
  void Hit(int times) {
    for (; times > 0; --times) QueueState(state_).AddHit();
  }
  Verdict Judge() { return queues_.Judge(kId, &state_, worth_); }

  static constexpr KeyId kId = 7;
  WindowAndMain queues_{{.window_percent = 10, .ghost_percent = 0}, 0};
  uint8_t state_ = 0;
  EntryWorth worth_;
};

TEST_F(WindowAndMainTest, OneHitIsTooLittleToPass) {
  Insert(100);
  Hit(1);
  EXPECT_EQ(Judge(), Verdict::kEvict);
}

TEST_F(WindowAndMainTest, OneHitIsEnoughForTwoThirdsOfTheMeanSize) {
  Insert(66);
  Hit(1);
  EXPECT_EQ(Judge(), Verdict::kStays);
}

TEST_F(WindowAndMainTest, AThirdOfTheMeanSizePassesWithoutAny) {
  Insert(33);
  EXPECT_EQ(Judge(), Verdict::kStays);
}

TEST_F(WindowAndMainTest, SizesDoNotCountAsLongAsTheMeanIsNotKnown) {
  queues_.set_mean_bytes(0);
  Insert(1);
  EXPECT_EQ(Judge(), Verdict::kEvict);
}

TEST_F(WindowAndMainTest, ATurnOfMainCostsAHitForEachMeanSize) {
  InsertIntoMain(100);
  Hit(1);
  EXPECT_EQ(Judge(), Verdict::kStays);
  EXPECT_EQ(Judge(), Verdict::kEvict);
  InsertIntoMain(200);
  Hit(1);
  EXPECT_EQ(Judge(), Verdict::kEvict);
}

TEST_F(WindowAndMainTest, HalfTheMeanSizeLosesAHitEveryOtherTurn) {
  int turns = 0;
  for (int i = 0; i < 1000; ++i) {
    InsertIntoMain(50);
    Hit(3);
    while (Judge() == Verdict::kStays) ++turns;
  }
  EXPECT_NEAR(turns, 6000, 200);
}

TEST_F(WindowAndMainTest, WhatExpiresLongBeforeItsTurnGoesThoughItWasHit) {
  InsertIntoMain(100);
  for (worth_.now_ms = 1000; worth_.now_ms <= 4000; worth_.now_ms += 1000) {
    Hit(1);
    ASSERT_EQ(Judge(), Verdict::kStays);  // A turn of a single entry: one or two judgements.
  }
  Hit(1);
  worth_.ttl_ms = 5000;
  EXPECT_EQ(Judge(), Verdict::kStays);
  Hit(1);
  worth_.ttl_ms = 50;
  EXPECT_EQ(Judge(), Verdict::kEvict);
}

TEST_F(WindowAndMainTest, ATimeToLiveIsNoMatterAsLongAsNoTurnWasMeasured) {
  InsertIntoMain(100);
  Hit(1);
  worth_.ttl_ms = 1;
  EXPECT_EQ(Judge(), Verdict::kStays);
}

}  // namespace
}  // namespace larder
