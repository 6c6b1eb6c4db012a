#include "eviction/miniatures.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace larder {
namespace {

constexpr size_t kCapacity = 100;
constexpr AdmissionRule kRules[] = {{.window_percent = 100, .ghost_percent = 0},
                                    {.window_percent = 1, .ghost_percent = 100}};

class MiniaturesTest : public testing::Test {
 protected:
  // The rules whose caches had the key, which the real cache has now.
  std::vector<size_t> Access(KeyId id, size_t bytes = 10) {
    std::vector<size_t> hits;
    miniatures_.OnInsert(id);
    miniatures_.Access(id, bytes, kCapacity, [&hits](size_t rule) { hits.push_back(rule); });
    return hits;
  }

  Miniatures miniatures_{kRules};
};

TEST_F(MiniaturesTest, TellsWhichRulesWouldHaveKeptAKey) {
  EXPECT_THAT(Access(1), testing::IsEmpty());
  EXPECT_THAT(Access(1), testing::ElementsAre(0u, 1u));
  Access(1);
  for (KeyId id = 1000; id < 1200; ++id) Access(id);
  EXPECT_THAT(Access(1), testing::ElementsAre(1u));
}

TEST_F(MiniaturesTest, WhatIsErasedIsNowhere) {
  Access(1);
  miniatures_.Erase(1);
  EXPECT_EQ(miniatures_.mean_bytes(), 0);
  EXPECT_THAT(Access(1), testing::IsEmpty());
}

TEST_F(MiniaturesTest, WhatTheRealCacheEvictedMayStillBeInTheOthers) {
  Access(1);
  miniatures_.OnEvict(1);
  EXPECT_EQ(miniatures_.mean_bytes(), 0);
  EXPECT_THAT(Access(1), testing::ElementsAre(0u, 1u));
}

TEST_F(MiniaturesTest, RoomIsCountedInBytes) {
  for (KeyId id = 0; id < 50; ++id) Access(id, 30);
  for (KeyId id = 100; id < 150; ++id) Access(id, 10);
  // 100 keys of 20 bytes on average, 2000 bytes in all; 100 more small keys drive out 34 large
  // ones.
  for (KeyId id = 200; id < 300; ++id) {
    Access(id, 10);
    miniatures_.OnEvict(id);
  }
  EXPECT_THAT(Access(33, 30), testing::Not(testing::Contains(0u)));
  EXPECT_THAT(Access(49, 30), testing::Contains(0u));
}

TEST_F(MiniaturesTest, FollowsAKeyThatChangesItsSize) {
  Access(1, 10);
  Access(1, 60);
  EXPECT_EQ(miniatures_.mean_bytes(), 60);
}

TEST_F(MiniaturesTest, OneGiantDoesNotFillACache) {
  for (KeyId id = 0; id < 50; ++id) Access(id);
  Access(1000, 1'000'000);
  EXPECT_THAT(Access(0), testing::ElementsAre(0u, 1u));
  EXPECT_LE(miniatures_.mean_bytes(), 20);
}

TEST_F(MiniaturesTest, ThinningDropsWhatIsNotKept) {
  for (KeyId id = 0; id < 10; ++id) Access(id);
  miniatures_.Thin([](KeyId id) { return id % 2 == 0; });
  EXPECT_THAT(Access(4), testing::ElementsAre(0u, 1u));
  EXPECT_THAT(Access(5), testing::IsEmpty());
}

}  // namespace
}  // namespace larder
