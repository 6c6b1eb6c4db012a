#include "eviction/place_queue.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <vector>

#include "base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace larder {
namespace {

std::vector<KeyId> Drain(PlaceQueue& queue) {
  std::vector<KeyId> ids;
  while (const std::optional<KeyId> id = queue.Front()) {
    ids.push_back(*id);
    queue.PopFront();
  }
  return ids;
}

TEST(PlaceQueueTest, FirstInFirstOut) {
  PlaceQueue queue;
  for (KeyId id : {3u, 1u, 2u}) queue.Push(id);
  EXPECT_THAT(Drain(queue), testing::ElementsAre(3u, 1u, 2u));
}

TEST(PlaceQueueTest, WhoIsErasedIsPassedOver) {
  PlaceQueue queue;
  for (KeyId id = 0; id < 6; ++id) queue.Push(id);
  for (KeyId id : {0u, 3u, 5u}) queue.Erase(id);
  EXPECT_EQ(queue.size(), 3u);
  EXPECT_THAT(Drain(queue), testing::ElementsAre(1u, 2u, 4u));
}

TEST(PlaceQueueTest, WhoComesBackQueuesAtTheEnd) {
  PlaceQueue queue;
  for (KeyId id : {1u, 2u}) queue.Push(id);
  queue.Erase(1);
  queue.Push(1);
  EXPECT_THAT(Drain(queue), testing::ElementsAre(2u, 1u));
}

TEST(PlaceQueueTest, TwoKeysOfOneIdHaveAPlaceEach) {
  PlaceQueue queue;
  for (KeyId id : {1u, 2u, 1u}) queue.Push(id);
  queue.Erase(1);
  EXPECT_THAT(Drain(queue), testing::ElementsAre(2u, 1u));
}

TEST(PlaceQueueTest, ErasingWhoIsNotThereLeavesNobodyBehind) {
  PlaceQueue queue;
  queue.Erase(1);
  EXPECT_TRUE(queue.empty());
  queue.Push(1);
  EXPECT_THAT(Drain(queue), testing::ElementsAre(1u));
}

TEST(PlaceQueueTest, DeadPlacesDoNotAddUp) {
  PlaceQueue queue;
  for (KeyId id = 0; id < 10'000; ++id) queue.Push(id);
  const size_t bytes = queue.memory_bytes();
  for (KeyId id = 0; id < 1'000'000; ++id) {
    queue.Erase(id);
    queue.Push(id + 10'000);
  }
  EXPECT_EQ(queue.size(), 10'000u);
  EXPECT_LT(queue.memory_bytes(), 4 * bytes);
}

// A sweep may be under way at any moment, so that the least likely orders come up by themselves.
TEST(PlaceQueueTest, KeepsTheOrderWhateverIsErasedAndComesBack) {
  constexpr KeyId kIds = 1000;
  Random random(1);
  PlaceQueue queue;
  std::deque<KeyId> expected;
  for (int i = 0; i < 300'000; ++i) {
    const auto id = static_cast<KeyId>(random.Uniform(kIds));
    const auto place = std::find(expected.begin(), expected.end(), id);
    if (place == expected.end()) {
      queue.Push(id);
      expected.push_back(id);
    } else if (random.Uniform(8) != 0) {
      queue.Erase(id);
      expected.erase(place);
    } else {
      ASSERT_EQ(queue.Front(), expected.front());
      queue.PopFront();
      expected.pop_front();
    }
    ASSERT_EQ(queue.size(), expected.size());
  }
  EXPECT_THAT(Drain(queue), testing::ElementsAreArray(expected));
}

}  // namespace
}  // namespace larder
