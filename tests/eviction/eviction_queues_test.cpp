// What each policy is for: the loads on which it must do better than a plain order.
#include "eviction/eviction_queues.h"

#include <vector>

#include "base/random.h"
#include "eviction/adaptive_queues.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/eviction/policy_contract.h"

namespace larder {
namespace {

constexpr size_t kCapacity = 1000;

double Hits(TestDomain& domain, const std::vector<KeyId>& requests) {
  int hits = 0;
  for (KeyId id : requests) hits += domain.Access(id) ? 1 : 0;
  return static_cast<double>(hits) / static_cast<double>(requests.size());
}

std::vector<KeyId> Loop(KeyId first, KeyId keys, int rounds) {
  std::vector<KeyId> requests;
  for (int round = 0; round < rounds; ++round) {
    for (KeyId id = 0; id < keys; ++id) requests.push_back(first + id);
  }
  return requests;
}

// Each key is asked for a few times, soon after one another, and then no more.
std::vector<KeyId> Drift(KeyId first, int count) {
  Random random(3);
  std::vector<KeyId> requests;
  for (int i = 0; i < count; ++i) {
    const auto newest = static_cast<KeyId>(i) / 4;
    requests.push_back(first + newest + static_cast<KeyId>(random.Uniform(kCapacity * 9 / 10)));
  }
  return requests;
}

TEST(FifoTest, EvictsInTheOrderOfArrivalWhateverIsHit) {
  TestDomain domain(QueuePolicy::kFifo, 3);
  for (KeyId id : {1u, 2u, 3u, 1u, 1u, 1u, 4u, 5u}) domain.Access(id);
  EXPECT_THAT(domain.victims(), testing::ElementsAre(1u, 2u));
}

TEST(S3FifoTest, AScanLeavesWhatIsInUse) {
  TestDomain domain(QueuePolicy::kS3Fifo, kCapacity);
  const std::vector<KeyId> in_use = Loop(0, kCapacity / 2, 1);
  for (int round = 0; round < 5; ++round) Hits(domain, in_use);
  Hits(domain, Loop(100'000, kCapacity / 4, 1));
  for (KeyId scanned = 0; scanned < 5 * kCapacity; ++scanned) {
    domain.Access(200'000 + scanned);
    domain.Access(scanned % (kCapacity / 2));
  }
  EXPECT_GE(Hits(domain, in_use), 0.95);
}

TEST(S3FifoTest, WhoComesBackSoonStays) {
  TestDomain domain(QueuePolicy::kS3Fifo, kCapacity);
  Hits(domain, Loop(0, 3 * kCapacity, 1));
  const KeyId returned = domain.victims().back();
  domain.Access(returned);
  Hits(domain, Loop(10'000, kCapacity / 2, 1));
  EXPECT_TRUE(domain.Has(returned));
}

TEST(AdaptiveTest, KeepsAPartOfALoopThatIsLargerThanTheCache) {
  TestDomain domain(QueuePolicy::kAdaptive, kCapacity);
  const std::vector<KeyId> loop = Loop(0, kCapacity * 3 / 2, 40);
  Hits(domain, loop);
  EXPECT_GE(Hits(domain, loop), 0.33);  // Two thirds is the best there is; LRU hits nothing.
}

TEST(AdaptiveTest, FollowsDrift) {
  TestDomain domain(QueuePolicy::kAdaptive, kCapacity);
  TestDomain s3_fifo(QueuePolicy::kS3Fifo, kCapacity);
  const std::vector<KeyId> drift = Drift(0, 100'000);
  EXPECT_GE(Hits(domain, drift), Hits(s3_fifo, drift));
}

TEST(AdaptiveTest, WidensItsWindowForDrift) {
  TestDomain domain(QueuePolicy::kAdaptive, kCapacity);
  const auto& adaptive = static_cast<const AdaptiveQueues&>(domain.queues());
  Hits(domain, Drift(0, 100'000));
  EXPECT_GE(adaptive.rule().window_percent, 40);
}

TEST(AdaptiveTest, EachPhaseOfAChangingLoadDoesAsWellAsAlone) {
  TestDomain domain(QueuePolicy::kAdaptive, kCapacity);
  const double drift_alone = Hits(domain, Drift(0, 100'000));
  const std::vector<KeyId> loop = Loop(1'000'000, kCapacity * 3 / 2, 40);
  Hits(domain, loop);
  EXPECT_GE(Hits(domain, loop), 0.4);
  EXPECT_GE(Hits(domain, Drift(2'000'000, 100'000)), drift_alone * 0.97);
}

// A small key is asked for as often as a large one.
double HitsOfMixedSizes(QueuePolicy policy) {
  TestDomain domain(policy, kCapacity);
  Random random(5);
  int hits = 0;
  constexpr int kRequests = 100'000;
  for (int i = 0; i < kRequests; ++i) {
    const double uniform = random.UniformDouble();
    const auto id = static_cast<KeyId>(3 * kCapacity * uniform * uniform);
    const size_t bytes = TestDomain::kBytes * (id % 2 == 0 ? 1 : 19) / 10;
    hits += domain.Access(id, bytes) ? 1 : 0;
  }
  return static_cast<double>(hits) / kRequests;
}

TEST(AdaptiveTest, WeighsHitsAgainstSizes) {
  EXPECT_GE(HitsOfMixedSizes(QueuePolicy::kAdaptive),
            HitsOfMixedSizes(QueuePolicy::kS3Fifo) + 0.04);
}

}  // namespace
}  // namespace larder
