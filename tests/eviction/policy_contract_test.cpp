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
  EXPECT_EQ(domain_.queues().Candidate(), std::nullopt);
}

TEST_P(PolicyContractTest, CountsExactlyWhoIsThereWhateverGoesAndComesBack) {
  for (int i = 0; i < 200'000; ++i) {
    domain_.Access(SkewedKey());
    if (i % 3 == 0) domain_.Erase(SkewedKey());
    if (i % 50'000 == 49'999) {
      domain_.Vanish();
      domain_.queues().Clear();
    }
    ASSERT_LE(domain_.size(), kCapacity);
    ASSERT_EQ(domain_.queues().residents(), domain_.size());
  }
}

TEST_P(PolicyContractTest, MassErasureLeavesTheRestToBeEvicted) {
  for (KeyId id = 0; id < kCapacity; ++id) domain_.Access(id);
  for (KeyId id = 0; id < kCapacity; ++id) {
    if (id % 100 != 7) domain_.Erase(id);
  }
  while (domain_.EvictOne()) {
  }
  EXPECT_EQ(domain_.victims().size(), kCapacity / 100);
  EXPECT_EQ(domain_.queues().residents(), 0u);
}

TEST_P(PolicyContractTest, DropsThePlacesOfEntriesThatVanished) {
  for (KeyId id = 0; id < kCapacity; ++id) domain_.Access(id);
  domain_.Vanish();
  EXPECT_EQ(domain_.queues().Judge(*domain_.queues().Candidate(), nullptr, {}), Verdict::kGone);
  EXPECT_EQ(domain_.queues().residents(), kCapacity - 1);
  EXPECT_FALSE(domain_.EvictOne());
  EXPECT_EQ(domain_.queues().residents(), 0u);
}

TEST_P(PolicyContractTest, JudgesNobodyButTheCandidate) {
  for (KeyId id = 0; id < kCapacity; ++id) domain_.Access(id);
  const KeyId stale = *domain_.queues().Candidate();
  uint8_t* state = domain_.Find(stale);
  ASSERT_EQ(domain_.queues().Judge(stale, state, {}), Verdict::kEvict);
  EXPECT_EQ(domain_.queues().Judge(stale, state, {}), Verdict::kStale);
  EXPECT_EQ(domain_.queues().residents(), kCapacity - 1);
}

TEST_P(PolicyContractTest, ACandidateThatIsErasedMeanwhileIsStale) {
  for (KeyId id = 0; id < kCapacity; ++id) domain_.Access(id);
  const KeyId stale = *domain_.queues().Candidate();
  domain_.Erase(stale);
  domain_.Access(stale);
  EXPECT_EQ(domain_.queues().Judge(stale, domain_.Find(stale), {}), Verdict::kStale);
  EXPECT_EQ(domain_.queues().residents(), kCapacity);
}

// As one whose id another shares, and which is not the policy's to evict.
TEST_P(PolicyContractTest, AnEntryThatNoQueueKnowsIsNotEvicted) {
  domain_.Access(5);
  uint8_t state = 0;
  EXPECT_EQ(domain_.queues().Judge(5, &state, {}), Verdict::kGone);
}

TEST_P(PolicyContractTest, KeepsTheOwnersBits) {
  constexpr uint8_t kOwners = 0b1010'0000;
  uint8_t state = kOwners;
  domain_.queues().OnInsert(5, state, 100);
  EXPECT_EQ(state & 0xf0, kOwners);
  for (int i = 0; i < 5; ++i) QueueState(state).AddHit();
  EXPECT_EQ(state & 0xf0, kOwners);
  domain_.queues().OnErase(5, state);
  EXPECT_EQ(state, kOwners);
  domain_.queues().OnInsert(5, state, 100);
  while (domain_.queues().Judge(5, &state, {}) != Verdict::kEvict) {
  }
  EXPECT_EQ(state, kOwners);
}

TEST_P(PolicyContractTest, KnowsAgainWhoIsInsertedAnew) {
  for (KeyId id = 0; id < kCapacity; ++id) domain_.Access(id);
  domain_.queues().Clear();
  EXPECT_EQ(domain_.queues().Candidate(), std::nullopt);
  for (KeyId id = 0; id < kCapacity; ++id) domain_.queues().OnInsert(id, *domain_.Find(id), 100);
  EXPECT_EQ(domain_.queues().residents(), kCapacity);
  while (domain_.EvictOne()) {
  }
  EXPECT_EQ(domain_.size(), 0u);
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

TEST_P(PolicyContractTest, ACacheThatIsEmptiedGivesItsMemoryBack) {
  constexpr KeyId kMany = 100'000;
  TestDomain large(GetParam(), kMany);
  const size_t bytes = large.queues().memory_bytes();
  for (KeyId id = 0; id < kMany; ++id) large.Access(id);
  for (KeyId id = 0; id < kMany; ++id) large.Erase(id);
  EXPECT_LT(large.queues().memory_bytes(), bytes + kMany);
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
  QueueState(state).AddHit();
  domain_.queues().Observe(5, 100);
  domain_.queues().OnErase(5, state);
  EXPECT_EQ(domain_.queues().residents(), 0u);
}

}  // namespace
}  // namespace larder
