#include "server/pubsub_hub.h"

#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/fake_client_host.h"

namespace larder {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using Delivery = FakeClientHost::Delivery;

constexpr ChannelKind kChannel = ChannelKind::kChannel;
constexpr ChannelKind kPattern = ChannelKind::kPattern;
constexpr ChannelKind kShardChannel = ChannelKind::kShardChannel;

class PubSubHubTest : public testing::Test {
 protected:
  PubSubHubTest() : hub_(clients_) {
    clients_.RegisterHost(0, hosts_[0]);
    clients_.RegisterHost(1, hosts_[1]);
  }

  FakeClientHost hosts_[2];
  ClientRegistry clients_;
  PubSubHub hub_;
};

TEST_F(PubSubHubTest, DeliversInBothProtocols) {
  FakeClient client(clients_, 0);
  EXPECT_TRUE(hub_.Subscribe(client.client, kChannel, "c"));
  EXPECT_EQ(hub_.Publish(kChannel, "c", "hi", nullptr), 1);
  const std::string body = "3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n";
  EXPECT_THAT(hosts_[0].TakeDeliveries(),
              ElementsAre(Delivery{client.id(), "*" + body, ">" + body}));
}

TEST_F(PubSubHubTest, SubscribingTwiceIsOnce) {
  FakeClient client(clients_, 0);
  EXPECT_TRUE(hub_.Subscribe(client.client, kChannel, "c"));
  EXPECT_FALSE(hub_.Subscribe(client.client, kChannel, "c"));
  EXPECT_EQ(hub_.Publish(kChannel, "c", "hi", nullptr), 1);
  EXPECT_EQ(hub_.Subscribers(kChannel, "c"), 1);
}

TEST_F(PubSubHubTest, KeepsTheKindsApart) {
  FakeClient client(clients_, 0);
  hub_.Subscribe(client.client, kShardChannel, "c");
  EXPECT_EQ(hub_.Publish(kChannel, "c", "hi", nullptr), 0);
  EXPECT_EQ(hub_.Subscribers(kChannel, "c"), 0);
  EXPECT_EQ(hub_.Publish(kShardChannel, "c", "hi", nullptr), 1);
  EXPECT_THAT(hosts_[0].TakeDeliveries()[0].resp2, testing::HasSubstr("smessage"));
  // Patterns are for plain channels alone.
  hub_.Subscribe(client.client, kPattern, "*");
  EXPECT_EQ(hub_.Publish(kShardChannel, "c", "hi", nullptr), 1);
}

TEST_F(PubSubHubTest, ChannelAndPatternEachCount) {
  FakeClient client(clients_, 0);
  FakeClient other(clients_, 1);
  hub_.Subscribe(client.client, kChannel, "news");
  hub_.Subscribe(client.client, kPattern, "n*");
  hub_.Subscribe(other.client, kPattern, "n*");
  hub_.Subscribe(other.client, kPattern, "x*");
  EXPECT_EQ(hub_.Publish(kChannel, "news", "hi", nullptr), 3);
  EXPECT_EQ(hub_.PatternCount(), 2);
  EXPECT_EQ(hosts_[0].TakeDeliveries().size(), 2u);
  EXPECT_THAT(
      hosts_[1].TakeDeliveries(),
      ElementsAre(testing::Field(
          &Delivery::resp3, ">4\r\n$8\r\npmessage\r\n$2\r\nn*\r\n$4\r\nnews\r\n$2\r\nhi\r\n")));
}

TEST_F(PubSubHubTest, CountsAndFlagFollowTheSubscriptions) {
  FakeClient client(clients_, 0);
  const ClientRecord& record = *client.client.record;
  hub_.Subscribe(client.client, kChannel, "a");
  hub_.Subscribe(client.client, kPattern, "p");
  hub_.Subscribe(client.client, kShardChannel, "s");
  EXPECT_TRUE(client.client.Is(kClientPubSub));
  EXPECT_EQ(record.channels, 1);
  EXPECT_EQ(record.patterns, 1);
  EXPECT_EQ(record.shard_channels, 1);
  EXPECT_TRUE(hub_.Unsubscribe(client.client, kChannel, "a"));
  EXPECT_FALSE(hub_.Unsubscribe(client.client, kChannel, "a"));
  EXPECT_TRUE(client.client.Is(kClientPubSub));
  hub_.UnsubscribeAll(client.client);
  EXPECT_FALSE(client.client.Is(kClientPubSub));
  EXPECT_EQ(client.client.subscriptions, nullptr);
  EXPECT_EQ(record.patterns + record.shard_channels, 0);
  EXPECT_EQ(hub_.PatternCount(), 0);
  EXPECT_THAT(hub_.Channels(kShardChannel, "*"), IsEmpty());
}

TEST_F(PubSubHubTest, DrainsWhatIsOnItsWayBeforeAnUnsubscribeReturns) {
  FakeClient client(clients_, 0);
  hub_.Subscribe(client.client, kChannel, "c");
  hub_.Publish(kChannel, "c", "late", nullptr);
  hub_.Unsubscribe(client.client, kChannel, "c");
  EXPECT_THAT(hosts_[0].TakeDrains(), ElementsAre(1u));  // After the one delivery.
}

TEST_F(PubSubHubTest, WhoIsBeingKilledDoesNotCount) {
  FakeClient client(clients_, 0);
  hub_.Subscribe(client.client, kChannel, "c");
  clients_.Kill(client.client.record);
  EXPECT_EQ(hub_.Publish(kChannel, "c", "hi", nullptr), 0);
  EXPECT_THAT(hosts_[0].TakeDeliveries(), IsEmpty());
}

TEST_F(PubSubHubTest, ListsChannelsThatMatch) {
  FakeClient client(clients_, 0);
  for (const char* name : {"a1", "a2", "b1"}) hub_.Subscribe(client.client, kChannel, name);
  EXPECT_THAT(hub_.Channels(kChannel, "a*"), UnorderedElementsAre("a1", "a2"));
  EXPECT_THAT(hub_.Channels(kChannel, "*"), UnorderedElementsAre("a1", "a2", "b1"));
  EXPECT_EQ(hub_.ChannelCount(kChannel), 3);
  EXPECT_EQ(hub_.ChannelCount(kShardChannel), 0);
}

// Every subscriber of a channel sees its messages in the same order, whoever publishes.
TEST_F(PubSubHubTest, OneOrderForAllSubscribers) {
  FakeClient first(clients_, 0);
  FakeClient second(clients_, 1);
  hub_.Subscribe(first.client, kChannel, "c");
  hub_.Subscribe(second.client, kPattern, "c");
  std::vector<std::thread> publishers;
  for (int p = 0; p < 4; ++p) {
    publishers.emplace_back([this, p] {
      for (int i = 0; i < 200; ++i) {
        hub_.Publish(kChannel, "c", std::to_string(p * 1000 + i), nullptr);
      }
    });
  }
  for (std::thread& publisher : publishers) publisher.join();
  const auto last_part = [](const std::vector<Delivery>& deliveries) {
    std::vector<std::string> parts;
    for (const Delivery& delivery : deliveries) {
      parts.push_back(delivery.resp2.substr(delivery.resp2.rfind('\n', delivery.resp2.size() - 2)));
    }
    return parts;
  };
  const auto seen = last_part(hosts_[0].TakeDeliveries());
  EXPECT_EQ(seen.size(), 800u);
  EXPECT_EQ(seen, last_part(hosts_[1].TakeDeliveries()));
}

}  // namespace
}  // namespace larder
