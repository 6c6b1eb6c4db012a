// What every policy of eviction_queues.h must do, whichever keys it likes best.
#include "tests/eviction/policy_contract.h"

#include <optional>
#include <string>

#include "base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace larder {
namespace {

constexpr size_t kCapacity = 1000;

class PolicyContractTest : public testing::TestWithParam<QueuePolicy> {
 protected:
  TestDomain domain_{GetParam(), kCapacity};
  Random random_{7};

  // A few keys are asked for often, most of them hardly ever.
  KeyId SkewedKey() {
    const double uniform = random_.UniformDouble();
    return static_cast<KeyId>(20'000 * uniform * uniform * uniform);
  }
};

INSTANTIATE_TEST_SUITE_P(All, PolicyContractTest,
                         testing::Values(QueuePolicy::kFifo, QueuePolicy::kS3Fifo,
                                         QueuePolicy::kAdaptive),
                         [](const auto& tested) {
                           std::string name(NameOf(tested.param));
                           std::erase(name, '-');
                           return name;
                         });

TEST_P(PolicyContractTest, HonoursTheCapacityWithVictimsThatAreThere) {
  for (int i = 0; i < 100'000; ++i) {
    domain_.Access(SkewedKey());
    ASSERT_LE(domain_.size(), kCapacity);  // EvictOne() gives up on a victim that is not there.
  }
  EXPECT_EQ(domain_.queues().residents(), domain_.size());
}

TEST_P(PolicyContractTest, EvictsEverythingIfItMust) {
  for (KeyId id = 0; id < kCapacity; ++id) domain_.Access(id);
  while (domain_.EvictOne()) {
  }
  EXPECT_EQ(domain_.size(), 0u);
  EXPECT_EQ(domain_.queues().residents(), 0u);
}

TEST_P(PolicyContractTest, NamesNobodyWhenNobodyIsThere) {
  EXPECT_EQ(domain_.queues().PickVictim(domain_), std::nullopt);
}

TEST_P(PolicyContractTest, KnowsNoKeyThatWasErased) {
  for (int i = 0; i < 100'000; ++i) {
    domain_.Access(SkewedKey());
    if (i % 3 == 0) domain_.Erase(SkewedKey());
    ASSERT_LE(domain_.size(), kCapacity);
    ASSERT_EQ(domain_.queues().residents(), domain_.size());
  }
}

TEST_P(PolicyContractTest, ErasedKeysLeaveNothingThatAddsUp) {
  for (KeyId id = 0; id < kCapacity; ++id) domain_.Access(id);
  const size_t bytes = domain_.queues().memory_bytes();
  for (KeyId id = 0; id < 200'000; ++id) {
    domain_.Erase(id % 10);
    domain_.Access(id % 10);
  }
  EXPECT_TRUE(domain_.victims().empty());
  EXPECT_LT(domain_.queues().memory_bytes(), bytes + kCapacity * 16);  // 200 were erased for each.
}

TEST_P(PolicyContractTest, TakesAtMost16BytesAKey) {
  constexpr size_t kMany = 100'000;
  TestDomain large(GetParam(), kMany);
  for (KeyId id = 0; id < 3 * kMany; ++id) {
    large.Access(id);
    if (id % 2 == 0) large.Access(id / 2);
  }
  EXPECT_LE(large.queues().memory_bytes(), 16 * kMany);
}

TEST_P(PolicyContractTest, EveryKeyGoesOnceNobodyAsksForIt) {
  for (int round = 0; round < 5; ++round) {
    for (KeyId id = 0; id < kCapacity / 2; ++id) domain_.Access(id);
  }
  for (KeyId id = 0; id < 100 * kCapacity; ++id) domain_.Access(1'000'000 + id / 3);
  for (KeyId id = 0; id < kCapacity / 2; ++id) EXPECT_FALSE(domain_.Has(id)) << id;
}

TEST_P(PolicyContractTest, ACacheFullOfHitsGivesSomebodyUp) {
  for (int round = 0; round < 5; ++round) {
    for (KeyId id = 0; id < kCapacity; ++id) domain_.Access(id);
  }
  EXPECT_TRUE(domain_.EvictOne());
}

TEST_P(PolicyContractTest, TheSameEventsGiveTheSameVictims) {
  TestDomain twin(GetParam(), kCapacity);
  for (int i = 0; i < 50'000; ++i) {
    const KeyId id = SkewedKey();
    domain_.Access(id);
    twin.Access(id);
  }
  EXPECT_EQ(domain_.victims(), twin.victims());
}

TEST_P(PolicyContractTest, FollowsACacheThatShrinks) {
  for (int i = 0; i < 20'000; ++i) domain_.Access(SkewedKey());
  while (domain_.size() > 10) ASSERT_TRUE(domain_.EvictOne());
  for (int i = 0; i < 1000; ++i) {
    domain_.Access(SkewedKey());
    while (domain_.size() > 10) ASSERT_TRUE(domain_.EvictOne());
  }
}

TEST_P(PolicyContractTest, AKeyThatNoQueueKnowsMayBeHitAndErased) {
  uint8_t state = 0;
  domain_.queues().OnHit(5, state);
  domain_.queues().OnErase(5, state);
  EXPECT_EQ(domain_.queues().residents(), 0u);
}

}  // namespace
}  // namespace larder
