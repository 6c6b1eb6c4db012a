#include "eviction/ghost_queue.h"

#include "eviction/key_mix.h"
#include "gtest/gtest.h"

namespace larder {
namespace {

constexpr size_t kKeys = 10'000;

// How many of the keys first .. first + count-1 are remembered among the last `keys`.
int Remembered(GhostQueue& ghosts, KeyId first, KeyId count, size_t keys) {
  int remembered = 0;
  for (KeyId id = first; id < first + count; ++id) {
    remembered += ghosts.Take(MixKeyId(id), keys) ? 1 : 0;
  }
  return remembered;
}

GhostQueue Filled(KeyId added) {
  GhostQueue ghosts;
  ghosts.Resize(kKeys);
  for (KeyId id = 0; id < added; ++id) ghosts.Add(MixKeyId(id));
  return ghosts;
}

TEST(GhostQueueTest, RemembersTheLast) {
  GhostQueue ghosts = Filled(50'000);
  EXPECT_GE(Remembered(ghosts, 45'000, 5'000, kKeys), 4'950);
}

TEST(GhostQueueTest, ForgetsWhatIsLongAgo) {
  GhostQueue ghosts = Filled(50'000);
  EXPECT_LE(Remembered(ghosts, 0, 20'000, kKeys), 200);
}

TEST(GhostQueueTest, AShorterMemoryIsAQuestionOfAsking) {
  GhostQueue ghosts = Filled(50'000);
  EXPECT_LE(Remembered(ghosts, 40'000, 4'000, kKeys / 2), 200);
  EXPECT_GE(Remembered(ghosts, 46'000, 4'000, kKeys / 2), 3'950);
}

TEST(GhostQueueTest, WhoIsTakenIsForgotten) {
  GhostQueue ghosts = Filled(1'000);
  EXPECT_GE(Remembered(ghosts, 0, 1'000, kKeys), 990);
  EXPECT_LE(Remembered(ghosts, 0, 1'000, kKeys), 30);
}

TEST(GhostQueueTest, SeldomTakesOneForAnother) {
  GhostQueue ghosts = Filled(50'000);
  EXPECT_LE(Remembered(ghosts, 1'000'000, 10'000, kKeys), 150);
}

TEST(GhostQueueTest, OfNoSizeRemembersNobody) {
  GhostQueue ghosts;
  ghosts.Add(MixKeyId(1));
  EXPECT_FALSE(ghosts.Take(MixKeyId(1), 1));
}

}  // namespace
}  // namespace larder
