#include "commands/client_filter.h"

#include "gtest/gtest.h"

namespace larder {
namespace {

using std::chrono::seconds;

constexpr uint64_t kAsking = 1;

class ClientFilterTest : public testing::Test {
 protected:
  ClientFilterTest() {
    record_.id = 7;
    record_.address = "[::1]:4711";
    record_.local_address = "127.0.0.1:6379";
    record_.connected_at = MonoTime{seconds(100)};
    record_.last_interaction_ns = std::chrono::nanoseconds(seconds(150)).count();
    record_.db = 3;
    record_.flags = kClientPubSub | kClientNoEvict;
    MutexLock lock(record_.text_mu);
    record_.name = "worker";
    record_.library_name = "lib";
    record_.library_version = "1.2";
  }

  bool Matches(const ClientFilter& filter) const {
    return filter.Matches(record_, kAsking, MonoTime{seconds(200)});
  }

  ClientRecord record_;
};

TEST_F(ClientFilterTest, WithoutTraitsEverybodyIsMeant) { EXPECT_TRUE(Matches({})); }

TEST_F(ClientFilterTest, EachTraitIncludesOrExcludes) {
  using Traits = ClientFilter::Traits;
  const Traits has[] = {
      {.ids = {5, 7}},
      {.type = ClientType::kPubSub},
      {.user = "default"},
      {.address = "[::1]:4711"},
      {.local_address = "127.0.0.1:6379"},
      {.ip = "[::1]"},
      {.name = "worker"},
      {.library_name = "lib"},
      {.library_version = "1.2"},
      {.flags = "eP"},
      {.db = 3},
  };
  const Traits lacks[] = {
      {.ids = {5}},
      {.type = ClientType::kNormal},
      {.user = "other"},
      {.address = "[::1]:1"},
      {.local_address = "127.0.0.1:1"},
      {.ip = "::1"},
      {.name = ""},
      {.library_name = "li"},
      {.library_version = "1"},
      {.flags = "Px"},
      {.capabilities = "r"},
      {.db = 0},
  };
  for (const Traits& traits : has) {
    EXPECT_TRUE(Matches({.wanted = traits})) << &traits - has;
    EXPECT_FALSE(Matches({.unwanted = traits})) << &traits - has;
  }
  for (const Traits& traits : lacks) {
    EXPECT_FALSE(Matches({.wanted = traits})) << &traits - lacks;
    EXPECT_TRUE(Matches({.unwanted = traits})) << &traits - lacks;
  }
}

TEST_F(ClientFilterTest, AllWantedTraitsMustBeThereAndNoUnwantedOne) {
  EXPECT_FALSE(Matches({.wanted = {.name = "worker", .db = 0}}));
  EXPECT_FALSE(Matches({.unwanted = {.name = "worker", .db = 0}}));
  EXPECT_TRUE(Matches({.wanted = {.db = 3}, .unwanted = {.name = "other"}}));
}

TEST_F(ClientFilterTest, AgeAndIdleTimeAreAtLeast) {
  EXPECT_TRUE(Matches({.least_age_seconds = 100}));
  EXPECT_FALSE(Matches({.least_age_seconds = 101}));
  EXPECT_TRUE(Matches({.least_idle_seconds = 50}));
  EXPECT_FALSE(Matches({.least_idle_seconds = 51}));
  EXPECT_FALSE(Matches({.least_idle_seconds = std::numeric_limits<int64_t>::max()}));
}

TEST_F(ClientFilterTest, TheAskingClientCanBeSkipped) {
  EXPECT_TRUE(Matches({.skip_asking = true}));
  record_.id = kAsking;
  EXPECT_FALSE(Matches({.skip_asking = true}));
  EXPECT_TRUE(Matches({}));
}

TEST_F(ClientFilterTest, FlagLettersAreRedis) {
  EXPECT_EQ(FlagLetters(record_), "Pe");
  record_.flags = 0;
  EXPECT_EQ(FlagLetters(record_), "N");
  record_.flags = kClientTracking | kClientTrackingBroadcast | kClientMulti | kClientBlocked;
  record_.redirect_broken = true;
  EXPECT_EQ(FlagLetters(record_), "xbtRB");
}

}  // namespace
}  // namespace larder
