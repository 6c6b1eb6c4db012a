#include "server/page_release.h"

#include "gtest/gtest.h"

namespace larder {
namespace {

constexpr int64_t kMiB = int64_t{1} << 20;
constexpr int64_t kGiB = 1024 * kMiB;

PageBalance::Look Look(int64_t used_mib, int64_t spare_mib, int64_t limit = 0) {
  const int64_t used = used_mib * kMiB;
  return {.resident_bytes = used + spare_mib * kMiB,
          .used_bytes = used,
          .limit = {.bytes = limit, .evicts = true}};
}

PageBalance Started() { return PageBalance(Look(0, 20)); }

// How many looks in succession it takes until pages are released; -1 if a hundred do not.
int LooksUntilRelease(PageBalance& balance, const PageBalance::Look& look) {
  for (int i = 1; i <= 100; ++i) {
    if (balance.WantsRelease(look)) return i;
  }
  return -1;
}

TEST(PageBalanceTest, KeepsPagesThatMayBeWantedAgain) {
  PageBalance balance = Started();
  EXPECT_EQ(LooksUntilRelease(balance, Look(1000, 20 + 100)), -1);
}

TEST(PageBalanceTest, ReleasesWhatHasBeenTooMuchForASecond) {
  PageBalance balance = Started();
  EXPECT_EQ(LooksUntilRelease(balance, Look(1000, 20 + 200)), 11);
}

TEST(PageBalanceTest, WaitsWhileKeysAreBeingDeleted) {
  PageBalance balance = Started();
  int looks = 0;
  for (int64_t used = 1000; used > 900; used -= 4) {
    if (balance.WantsRelease(Look(used, 20 + 1000 - used + 200))) break;
    ++looks;
  }
  EXPECT_EQ(looks, 25);
}

TEST(PageBalanceTest, DoesNotWaitNearALimit) {
  PageBalance balance = Started();
  EXPECT_EQ(LooksUntilRelease(balance, Look(1000, 60, kGiB)), 1);
}

TEST(PageBalanceTest, WhatCannotBeReleasedIsNotAskedForAgain) {
  PageBalance balance = Started();
  const PageBalance::Look look = Look(1000, 60, kGiB);
  ASSERT_TRUE(balance.WantsRelease(look));
  balance.AfterRelease(look);
  EXPECT_EQ(LooksUntilRelease(balance, look), -1);
}

TEST(PageBalanceTest, FragmentationStrainsALimitThatDoesNotAllowForIt) {
  PageBalance balance = Started();
  const PageBalance::Look look = Look(1000, 20 + 141, 1000 * kMiB);
  balance.AfterRelease(look);
  EXPECT_EQ(balance.Strain(look), 101 * kMiB);  // A 25th is allowed for.
  EXPECT_EQ(balance.Strain(Look(1000, 20 + 141)), 0);
  PageBalance::Look refusing = look;
  refusing.limit.evicts = false;
  EXPECT_EQ(balance.Strain(refusing), 0);
}

// Moving entries together empties pages, but neither figure moves before they are released.
TEST(PageBalanceTest, UnderStrainItSoonTriesAgain) {
  PageBalance balance = Started();
  const PageBalance::Look look = Look(800, 20 + 141, 1000 * kMiB);
  balance.AfterRelease(look);
  EXPECT_EQ(LooksUntilRelease(balance, look), 3);
  EXPECT_EQ(LooksUntilRelease(balance, look), 3);
}

TEST(PageBalanceTest, NothingIsLostBeforeMuchWas) {
  PageBalance balance = Started();
  EXPECT_EQ(balance.Strain(Look(1000, 20 + 141, 1000 * kMiB)), 0);
  balance.AfterRelease(Look(16, 20 + 30, 16 * kMiB));
  EXPECT_EQ(balance.Strain(Look(16, 20 + 30, 16 * kMiB)), 0);
}

}  // namespace
}  // namespace larder
