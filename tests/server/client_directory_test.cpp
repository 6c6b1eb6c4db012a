#include "server/client_directory.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/fake_client_host.h"

namespace larder {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

class ClientRegistryTest : public testing::Test {
 protected:
  ClientRegistryTest() {
    clients_.RegisterHost(0, hosts_[0]);
    clients_.RegisterHost(1, hosts_[1]);
  }

  FakeClientHost hosts_[2];
  ClientRegistry clients_;
};

TEST_F(ClientRegistryTest, ListsClientsByAscendingId) {
  FakeClient first(clients_, 1);
  FakeClient second(clients_, 0);
  std::vector<uint64_t> ids;
  for (const auto& record : clients_.All()) ids.push_back(record->id);
  EXPECT_THAT(ids, ElementsAre(first.id(), second.id()));
  EXPECT_EQ(clients_.size(), 2u);
  EXPECT_EQ(clients_.Find(second.id()), second.client.record);
}

TEST_F(ClientRegistryTest, ForgetsWhoLeaves) {
  uint64_t id;
  {
    FakeClient client(clients_, 0);
    id = client.id();
  }
  EXPECT_EQ(clients_.Find(id), nullptr);
  EXPECT_EQ(clients_.size(), 0u);
  EXPECT_NE(FakeClient(clients_, 0).id(), id);  // No id is given twice.
}

TEST_F(ClientRegistryTest, OnlyTheFirstKillCounts) {
  FakeClient client(clients_, 1);
  EXPECT_TRUE(clients_.Kill(client.client.record));
  EXPECT_FALSE(clients_.Kill(client.client.record));
  EXPECT_THAT(hosts_[1].TakeKilled(), ElementsAre(client.id()));
  EXPECT_THAT(hosts_[0].TakeKilled(), IsEmpty());
  EXPECT_EQ(clients_.Find(client.id()), nullptr);  // Gone for everybody, before it is closed.
}

TEST_F(ClientRegistryTest, UnblocksABlockedClientOnce) {
  FakeClient client(clients_, 0);
  EXPECT_FALSE(clients_.Unblock(client.id(), UnblockReason::kError));
  client.client.record->flags = kClientBlocked | kClientNoEvict;
  EXPECT_TRUE(clients_.Unblock(client.id(), UnblockReason::kError));
  EXPECT_FALSE(clients_.Unblock(client.id(), UnblockReason::kTimeout));
  EXPECT_EQ(client.client.record->flags, kClientNoEvict);
  EXPECT_THAT(hosts_[0].TakeUnblocked(), ElementsAre(Pair(client.id(), UnblockReason::kError)));
}

TEST_F(ClientRegistryTest, DeliversThroughTheOwningThread) {
  FakeClient client(clients_, 1);
  clients_.Deliver(*client.client.record, BlobRef::CopyOf("two"), {});
  EXPECT_THAT(hosts_[1].TakeDeliveries(),
              ElementsAre(FakeClientHost::Delivery{client.id(), "two", ""}));
}

TEST_F(ClientRegistryTest, APauseEndsAtItsTime) {
  const MonoTime now = MonoNow();
  EXPECT_FALSE(clients_.MayBePaused());
  clients_.Pause(now + hours(1), PauseMode::kWrite);
  EXPECT_TRUE(clients_.MayBePaused());
  EXPECT_TRUE(clients_.Paused(now));
  EXPECT_EQ(clients_.pause_mode(), PauseMode::kWrite);
  EXPECT_FALSE(clients_.Paused(now + hours(1)));
}

TEST_F(ClientRegistryTest, ASecondPauseNeverEasesTheFirst) {
  const MonoTime now = MonoNow();
  clients_.Pause(now + hours(1), PauseMode::kAll);
  clients_.Pause(now + seconds(1), PauseMode::kWrite);
  EXPECT_EQ(clients_.paused_until(), now + hours(1));
  EXPECT_EQ(clients_.pause_mode(), PauseMode::kAll);
  clients_.Pause(now + hours(2), PauseMode::kWrite);
  EXPECT_EQ(clients_.paused_until(), now + hours(2));
}

TEST_F(ClientRegistryTest, APauseThatIsOverDoesNotCount) {
  const MonoTime now = MonoNow();
  clients_.Pause(now - seconds(1), PauseMode::kAll);
  clients_.Pause(now + hours(1), PauseMode::kWrite);
  EXPECT_EQ(clients_.pause_mode(), PauseMode::kWrite);
}

TEST_F(ClientRegistryTest, UnpauseWakesEveryThread) {
  clients_.Pause(MonoNow() + hours(1), PauseMode::kAll);
  clients_.Unpause();
  EXPECT_FALSE(clients_.MayBePaused());
  EXPECT_EQ(hosts_[0].TakeResumed(), 1u);
  EXPECT_EQ(hosts_[1].TakeResumed(), 1u);
}

}  // namespace
}  // namespace larder
