// What every modelled policy owes; that it chooses as the server does, the tests of the policies
// themselves tell.
#include "eviction/cache_model.h"

#include <cstdint>
#include <memory>
#include <string>

#include "base/random.h"
#include "gtest/gtest.h"

namespace larder {
namespace {

class CacheModelTest : public testing::TestWithParam<ModelPolicy> {
 protected:
  const std::unique_ptr<CacheModel> cache_ = MakeCacheModel(GetParam(), {}, 1);
};

TEST_P(CacheModelTest, HoldsWhatFits) {
  for (KeyId id = 1; id <= 10; ++id) cache_->Fill(id, 10, 100, 0);
  EXPECT_EQ(cache_->keys(), 10u);
  for (KeyId id = 1; id <= 10; ++id) EXPECT_TRUE(cache_->Read(id, 0)) << id;
  EXPECT_FALSE(cache_->Read(11, 0));
}

TEST_P(CacheModelTest, EvictsWhatDoesNot) {
  for (KeyId id = 1; id <= 1000; ++id) cache_->Fill(id, 10, 100, 0);
  EXPECT_EQ(cache_->keys(), 10u);
}

TEST_P(CacheModelTest, FollowsTheSizeOfAKeyAndTheCapacity) {
  struct Step {
    KeyId id;
    uint64_t bytes;
    uint64_t capacity_bytes;
    size_t keys;  // That are held then.
  };
  const Step steps[] = {
      {.id = 1, .bytes = 10, .capacity_bytes = 100, .keys = 1},
      {.id = 2, .bytes = 10, .capacity_bytes = 100, .keys = 2},
      {.id = 3, .bytes = 10, .capacity_bytes = 100, .keys = 3},
      {.id = 4, .bytes = 10, .capacity_bytes = 20, .keys = 2},
      {.id = 5, .bytes = 10, .capacity_bytes = 0, .keys = 0},
      {.id = 6, .bytes = 10, .capacity_bytes = 100, .keys = 1},
      {.id = 7, .bytes = 50, .capacity_bytes = 100, .keys = 2},
      {.id = 6, .bytes = 50, .capacity_bytes = 100, .keys = 2},  // Grown, and both just fit.
      {.id = 6, .bytes = 60, .capacity_bytes = 100, .keys = 1},
  };
  for (const Step& step : steps) {
    SCOPED_TRACE("key " + std::to_string(step.id) + ", " + std::to_string(step.bytes) +
                 " bytes of " + std::to_string(step.capacity_bytes));
    cache_->Fill(step.id, step.bytes, step.capacity_bytes, 0);
    EXPECT_EQ(cache_->keys(), step.keys);
  }
}

TEST_P(CacheModelTest, ErasedKeysLeaveRoom) {
  for (KeyId id = 1; id <= 10; ++id) cache_->Fill(id, 10, 100, 0);
  cache_->Erase(3);
  cache_->Erase(33);
  cache_->EraseIf([](KeyId id) { return id > 8; });
  EXPECT_EQ(cache_->keys(), 7u);
  EXPECT_FALSE(cache_->Read(3, 0));
  for (KeyId id = 11; id <= 13; ++id) cache_->Fill(id, 10, 100, 0);
  EXPECT_EQ(cache_->keys(), 10u);
}

// Of a loop, and of keys with favourites among them.
TEST_P(CacheModelTest, AmongHalfTheKeysWithHalfTheRoomAsManyHit) {
  constexpr KeyId kLoop = 3000;
  Random random(1);
  const auto hit_ratio = [&](KeyId step, uint64_t capacity) {
    constexpr int kRounds = 20;
    int hits = 0;
    for (KeyId i = 0; i < kRounds * kLoop; i += step) {
      const KeyId in_turn = i % kLoop;
      const auto favourite = static_cast<KeyId>(kLoop + random.Uniform(100) / step * step);
      for (const KeyId id : {in_turn, favourite}) {
        hits += cache_->Read(id, 0);
        cache_->Fill(id, 10, capacity, 0);
      }
    }
    return hits * static_cast<double>(step) / (2.0 * kRounds * kLoop);
  };
  hit_ratio(1, 10'000);
  const double of_all = hit_ratio(1, 10'000);
  cache_->EraseIf([](KeyId id) { return id % 2 != 0; });
  EXPECT_NEAR(hit_ratio(2, 5'000), of_all, 0.02);
  cache_->EraseIf([](KeyId id) { return id % 4 != 0; });
  EXPECT_NEAR(hit_ratio(4, 2'500), of_all, 0.02);
}

TEST_P(CacheModelTest, SurvivesAnythingWithinItsCapacity) {
  Random random(1);
  uint64_t now = 1'000'000'000;
  for (int step = 0; step < 20'000; ++step) {
    now += random.Uniform(1000);
    const auto id = static_cast<KeyId>(random.Uniform(200));
    if (random.Uniform(10) == 0) {
      cache_->Erase(id);
    } else if (!cache_->Read(id, static_cast<UnixMillis>(now))) {
      cache_->Fill(id, 1 + random.Uniform(20), 500, static_cast<UnixMillis>(now));
    }
    ASSERT_LE(cache_->keys(), 500u);
  }
  EXPECT_GT(cache_->keys(), 25u);
}

INSTANTIATE_TEST_SUITE_P(Policies, CacheModelTest, testing::ValuesIn(kModelPolicies),
                         [](const auto& policy) { return std::string(NameOf(policy.param)); });

}  // namespace
}  // namespace larder
