#include "eviction/fill_watch.h"

#include "gtest/gtest.h"

namespace larder {
namespace {

TEST(FillWatchTest, TakesClientsForFillersAtFirst) { EXPECT_EQ(FillWatch().filled_share(), 1); }

TEST(FillWatchTest, SeesThatMissesAreFilled) {
  FillWatch watch;
  for (KeyId id = 0; id < 1000; ++id) {
    watch.OnMiss(id, id * 100);
    watch.OnStore(id);
  }
  EXPECT_EQ(watch.filled_share(), 1);
}

TEST(FillWatchTest, SeesThatNoneIs) {
  FillWatch watch;
  for (KeyId id = 0; id < 20'000; ++id) watch.OnMiss(id, id * 100);
  EXPECT_LT(watch.filled_share(), 0.01);
}

TEST(FillWatchTest, SeesThatSomeAre) {
  FillWatch watch;
  for (KeyId id = 0; id < 50'000; ++id) {
    watch.OnMiss(id, id * 100);
    if (id % 4 == 0) watch.OnStore(id);
  }
  EXPECT_GT(watch.filled_share(), 0.1);
  EXPECT_LT(watch.filled_share(), 0.5);
}

// A thousand clients ask for a key before the first of them has loaded it.
TEST(FillWatchTest, MissesThatComeTogetherAreOne) {
  FillWatch watch;
  for (UnixMillis now = 0; now < 1000; ++now) watch.OnMiss(1, now);
  watch.OnStore(1);
  EXPECT_EQ(watch.filled_share(), 1);
}

TEST(FillWatchTest, StoresOfOthersAreNoFills) {
  FillWatch watch;
  watch.OnMiss(1, 0);
  watch.OnStore(1 + 64);
  watch.OnMiss(1, 10'000);
  EXPECT_LT(watch.filled_share(), 1);
}

}  // namespace
}  // namespace larder
