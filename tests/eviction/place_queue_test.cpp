#include "eviction/place_queue.h"

#include <set>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace larder {
namespace {

std::vector<KeyId> Drain(PlaceQueue& queue) {
  std::vector<KeyId> ids;
  while (!queue.empty()) {
    ids.push_back(queue.Front());
    queue.PopFront();
  }
  return ids;
}

bool IsEven(KeyId id) { return id % 2 == 0; }

TEST(PlaceQueueTest, FirstInFirstOut) {
  PlaceQueue queue;
  for (KeyId id : {3u, 1u, 2u}) queue.Push(id);
  EXPECT_THAT(Drain(queue), testing::ElementsAre(3u, 1u, 2u));
}

TEST(PlaceQueueTest, ASweepDropsWhatIsNotKeptAndKeepsTheOrder) {
  PlaceQueue queue;
  for (KeyId id = 0; id < 10; ++id) queue.Push(id);
  EXPECT_FALSE(queue.Sweep(9, IsEven));
  EXPECT_TRUE(queue.Sweep(9, IsEven));
  EXPECT_EQ(queue.places(), 5u);
  EXPECT_THAT(Drain(queue), testing::ElementsAre(0u, 2u, 4u, 6u, 8u));
}

TEST(PlaceQueueTest, TheMarkTurnsWhenASweepEnds) {
  PlaceQueue queue;
  for (KeyId id = 0; id < 4; ++id) queue.Push(id);
  const bool mark = queue.sweep_mark();
  queue.Sweep(2, IsEven);
  EXPECT_EQ(queue.sweep_mark(), mark);
  queue.Sweep(2, IsEven);
  EXPECT_NE(queue.sweep_mark(), mark);
}

// Pops and pushes may come at any moment of a sweep, also when it has dropped all that it saw.
TEST(PlaceQueueTest, PopsAndPushesGoOnDuringASweep) {
  for (size_t swept = 0; swept <= 8; ++swept) {
    for (size_t popped = 0; popped <= 3; ++popped) {
      PlaceQueue queue;
      for (KeyId id = 1; id <= 8; ++id) queue.Push(id);
      queue.Sweep(swept, IsEven);
      std::vector<KeyId> popped_ids;
      for (size_t i = 0; i < popped; ++i) {
        popped_ids.push_back(queue.Front());
        queue.PopFront();
      }
      queue.Push(10);
      while (!queue.Sweep(1, IsEven)) {
      }
      std::vector<KeyId> ids = popped_ids;
      for (KeyId id : Drain(queue)) ids.push_back(id);
      std::vector<KeyId> expected;
      for (KeyId id = 1; id <= 8; ++id) {
        const bool was_popped = std::set<KeyId>(popped_ids.begin(), popped_ids.end()).contains(id);
        if (IsEven(id) || was_popped) expected.push_back(id);
      }
      expected.push_back(10);
      EXPECT_EQ(ids, expected) << swept << " swept, " << popped << " popped";
    }
  }
}

}  // namespace
}  // namespace larder
