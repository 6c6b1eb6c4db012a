#include "server/tracking_table.h"

#include <thread>

#include "commands/client_tracking.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/fake_client_host.h"

namespace larder {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Delivery = FakeClientHost::Delivery;

constexpr int64_t kNoLimit = 1000;
constexpr char kEverything[] = ">2\r\n$10\r\ninvalidate\r\n_\r\n";

std::string Push(const std::vector<std::string>& keys) {
  std::string bytes = ">2\r\n$10\r\ninvalidate\r\n*" + std::to_string(keys.size()) + "\r\n";
  for (const std::string& key : keys) {
    bytes += "$" + std::to_string(key.size()) + "\r\n" + key + "\r\n";
  }
  return bytes;
}

class TrackingTableTest : public testing::Test {
 protected:
  TrackingTableTest() : table_(4, clients_) { clients_.RegisterHost(0, host_); }
  ~TrackingTableTest() override { thread_tracking = {}; }

  void Track(FakeClient& fake, TrackingState state = {}) {
    fake.client.tracking = std::make_unique<TrackingState>(std::move(state));
    fake.client.Set(kClientTracking);
    table_.Enable(fake.client);
  }
  bool Remember(FakeClient& fake, uint32_t shard, std::string_view key) {
    return table_.Remember(fake.client, shard, key, kNoLimit);
  }
  // What the client was sent since the last call, in RESP3.
  std::vector<std::string> Sent(const FakeClient& fake) {
    std::vector<std::string> sent;
    for (const Delivery& delivery : host_.TakeDeliveries()) {
      if (delivery.client == fake.id()) sent.push_back(delivery.resp3);
    }
    return sent;
  }

  FakeClientHost host_;
  ClientRegistry clients_;
  TrackingTable table_;
};

TEST_F(TrackingTableTest, TellsAReaderOnce) {
  FakeClient client(clients_, 0);
  Track(client);
  EXPECT_FALSE(table_.Wants(1));
  EXPECT_TRUE(Remember(client, 1, "k"));
  EXPECT_FALSE(Remember(client, 1, "l"));  // Not the shard's first.
  EXPECT_FALSE(Remember(client, 1, "k"));
  EXPECT_TRUE(table_.Wants(1));
  EXPECT_EQ(table_.TrackedKeys(), 2);
  EXPECT_EQ(table_.TrackedItems(), 2);
  table_.OnKeyChanging(1, "k");
  table_.OnKeyChanging(1, "k");
  EXPECT_THAT(host_.TakeDeliveries(), ElementsAre(Delivery{client.id(), "", Push({"k"})}));
  EXPECT_EQ(table_.TrackedKeys(), 1);
}

TEST_F(TrackingTableTest, TellsAllReadersAndNobodyElse) {
  FakeClient one(clients_, 0);
  FakeClient two(clients_, 0);
  FakeClient three(clients_, 0);
  for (FakeClient* client : {&one, &two, &three}) Track(*client);
  Remember(two, 0, "k");
  Remember(one, 0, "k");
  Remember(three, 0, "other");
  EXPECT_EQ(table_.TrackedItems(), 3);
  table_.OnKeyChanging(0, "k");
  std::vector<uint64_t> told;
  for (const Delivery& delivery : host_.TakeDeliveries()) told.push_back(delivery.client);
  EXPECT_THAT(told, ElementsAre(one.id(), two.id()));
}

TEST_F(TrackingTableTest, WhoStoppedIsNotTold) {
  FakeClient client(clients_, 0);
  Track(client);
  Remember(client, 0, "k");
  table_.Disable(client.client);
  table_.OnKeyChanging(0, "k");
  EXPECT_THAT(host_.TakeDeliveries(), IsEmpty());
  EXPECT_EQ(table_.TrackingClients(), 0);
}

TEST_F(TrackingTableTest, OnesOwnChangeIsHeldBackUntilTheReply) {
  FakeClient client(clients_, 0);
  Track(client);
  Remember(client, 0, "k");
  thread_tracking.client = &client.client;
  table_.OnKeyChanging(0, "k");
  EXPECT_THAT(host_.TakeDeliveries(), IsEmpty());
  EXPECT_TRUE(thread_tracking.has_invalidations);
  table_.AfterCommand(client.client, nullptr);
  EXPECT_THAT(Sent(client), ElementsAre(Push({"k"})));
  EXPECT_FALSE(thread_tracking.has_invalidations);
}

TEST_F(TrackingTableTest, NoLoopForgetsWithoutTelling) {
  FakeClient client(clients_, 0);
  Track(client, {.no_loop = true});
  Remember(client, 0, "k");
  thread_tracking.client = &client.client;
  table_.OnKeyChanging(0, "k");
  table_.AfterCommand(client.client, nullptr);
  thread_tracking.client = nullptr;
  table_.OnKeyChanging(0, "k");
  EXPECT_THAT(host_.TakeDeliveries(), IsEmpty());
}

TEST_F(TrackingTableTest, BeyondTheLimitReadersAreToldToForget) {
  FakeClient client(clients_, 0);
  Track(client);
  for (int i = 0; i < 5; ++i) table_.Remember(client.client, 0, "k" + std::to_string(i), 3);
  EXPECT_EQ(table_.TrackedKeys(), 3);
  EXPECT_THAT(Sent(client), SizeIs(2));
  // In a shard that remembers nothing else it is the new key.
  EXPECT_FALSE(table_.Remember(client.client, 1, "new", 3));
  EXPECT_THAT(Sent(client), ElementsAre(Push({"new"})));
}

TEST_F(TrackingTableTest, AFlushTellsEverybodyToForgetEverything) {
  FakeClient reader(clients_, 0);
  FakeClient broadcast(clients_, 0);
  FakeClient running(clients_, 0);
  Track(reader);
  Track(broadcast, {.broadcast = true, .prefixes = {"x"}});
  Track(running, {.no_loop = true});
  Remember(reader, 0, "k");
  thread_tracking.client = &running.client;
  table_.OnFlushed();
  EXPECT_EQ(table_.TrackedKeys(), 0);
  EXPECT_FALSE(thread_tracking.has_broadcasts);
  const std::vector<Delivery> sent = host_.TakeDeliveries();
  EXPECT_THAT(sent, testing::UnorderedElementsAre(Delivery{reader.id(), "", kEverything},
                                                  Delivery{broadcast.id(), "", kEverything}));
  table_.AfterCommand(running.client, nullptr);
  EXPECT_THAT(Sent(running), ElementsAre(kEverything));
}

TEST_F(TrackingTableTest, BroadcastsGatherUntilTheEndOfTheBatch) {
  FakeClient listener(clients_, 0);
  FakeClient writer(clients_, 0);
  Track(listener, {.broadcast = true, .prefixes = {"a", "b"}});
  EXPECT_TRUE(table_.Wants(3));
  EXPECT_EQ(table_.TrackedPrefixes(), 2);
  thread_tracking.client = &writer.client;
  for (const char* key : {"b1", "a2", "c", "a1", "a2"}) table_.OnKeyChanging(0, key);
  EXPECT_TRUE(thread_tracking.has_broadcasts);
  EXPECT_THAT(host_.TakeDeliveries(), IsEmpty());
  table_.SendBroadcasts();
  EXPECT_THAT(Sent(listener), ElementsAre(Push({"a1", "a2"}), Push({"b1"})));
  table_.Disable(listener.client);
  EXPECT_EQ(table_.TrackedPrefixes(), 0);
  EXPECT_FALSE(table_.Wants(3));
}

TEST_F(TrackingTableTest, BroadcastsOfUpkeepGoAtOnce) {
  FakeClient listener(clients_, 0);
  Track(listener, {.broadcast = true, .prefixes = {""}});
  table_.OnKeyChanging(0, "expired");
  EXPECT_THAT(Sent(listener), ElementsAre(Push({"expired"})));
}

TEST_F(TrackingTableTest, NoLoopBroadcastsLeaveOutOnesOwnKeys) {
  FakeClient listener(clients_, 0);
  FakeClient other(clients_, 0);
  Track(listener, {.broadcast = true, .no_loop = true, .prefixes = {""}});
  Track(other, {.broadcast = true, .prefixes = {""}});
  thread_tracking.client = &listener.client;
  table_.OnKeyChanging(0, "own");
  thread_tracking.client = &other.client;
  table_.OnKeyChanging(0, "foreign");
  table_.SendBroadcasts();
  EXPECT_THAT(host_.TakeDeliveries(),
              testing::UnorderedElementsAre(Delivery{listener.id(), "", Push({"foreign"})},
                                            Delivery{other.id(), "", Push({"foreign", "own"})}));
}

TEST_F(TrackingTableTest, RedirectsToAnotherClientInBothProtocols) {
  FakeClient client(clients_, 0);
  FakeClient target(clients_, 0);
  Track(client, {.redirect_client = static_cast<int64_t>(target.id())});
  Remember(client, 0, "k");
  table_.OnKeyChanging(0, "k");
  EXPECT_THAT(host_.TakeDeliveries(),
              ElementsAre(Delivery{target.id(),
                                   "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*1\r\n$1"
                                   "\r\nk\r\n",
                                   Push({"k"})}));
}

TEST_F(TrackingTableTest, ABrokenRedirectionIsReportedAndRemembered) {
  FakeClient client(clients_, 0);
  uint64_t gone;
  {
    FakeClient target(clients_, 0);
    gone = target.id();
    Track(client, {.redirect_client = static_cast<int64_t>(gone)});
  }
  Remember(client, 0, "k");
  table_.OnKeyChanging(0, "k");
  EXPECT_THAT(
      Sent(client),
      ElementsAre(">2\r\n$21\r\ntracking-redir-broken\r\n:" + std::to_string(gone) + "\r\n"));
  EXPECT_TRUE(client.client.record->redirect_broken);
  table_.Disable(client.client);
  EXPECT_FALSE(client.client.record->redirect_broken);
}

TEST_F(TrackingTableTest, ReadsAreRememberedAsTheModeSays) {
  using Mode = TrackingState::Mode;
  EXPECT_TRUE(RemembersReads({}));
  EXPECT_FALSE(RemembersReads({.broadcast = true}));
  EXPECT_FALSE(RemembersReads({.mode = Mode::kOptIn}));
  EXPECT_TRUE(RemembersReads({.mode = Mode::kOptIn, .caching_given = true, .caching_yes = true}));
  EXPECT_TRUE(RemembersReads({.mode = Mode::kOptOut}));
  EXPECT_FALSE(RemembersReads({.mode = Mode::kOptOut, .caching_given = true}));
}

TEST_F(TrackingTableTest, ThreadsMayReadAndWriteInDifferentShards) {
  FakeClient reader(clients_, 0);
  FakeClient listener(clients_, 0);
  Track(reader);
  Track(listener, {.broadcast = true, .prefixes = {""}});
  std::vector<std::thread> threads;
  for (uint32_t shard = 0; shard < 4; ++shard) {
    threads.emplace_back([&, shard] {
      for (int i = 0; i < 200; ++i) {
        const std::string key = std::to_string(shard) + ":" + std::to_string(i);
        table_.Remember(reader.client, shard, key, kNoLimit);
        table_.OnKeyChanging(shard, key);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(table_.TrackedKeys(), 0);
  EXPECT_EQ(table_.TrackedItems(), 0);
  EXPECT_THAT(host_.TakeDeliveries(), SizeIs(1600));
}

}  // namespace
}  // namespace larder
