#include "server/monitor_feed.h"

#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/fake_client_host.h"

namespace larder {
namespace {

using testing::MatchesRegex;

class MonitorFeedTest : public testing::Test {
 protected:
  MonitorFeedTest() : feed_(clients_) {
    clients_.RegisterHost(0, host_);
    sender_.emplace(clients_, 0);
    monitor_.emplace(clients_, 0);
    sender_->client.record->address = "127.0.0.1:5000";
  }

  // The line that the monitors get for it.
  std::string LineFor(const std::vector<std::string_view>& args) {
    feed_.Feed(sender_->client, args);
    const auto deliveries = host_.TakeDeliveries();
    if (deliveries.size() != 1) return "deliveries: " + std::to_string(deliveries.size());
    EXPECT_EQ(deliveries[0].resp2, deliveries[0].resp3);
    return deliveries[0].resp2;
  }
  static std::string Arguments(const std::string& line) { return line.substr(line.find("] ") + 2); }

  FakeClientHost host_;
  ClientRegistry clients_;
  std::optional<FakeClient> sender_;
  std::optional<FakeClient> monitor_;
  MonitorFeed feed_;
};

TEST_F(MonitorFeedTest, LineHasTimeDatabaseAndAddress) {
  feed_.Add(monitor_->client.record);
  sender_->client.db = 3;
  EXPECT_THAT(
      LineFor({"GET", "k"}),
      MatchesRegex("\\+[0-9]+\\.[0-9][0-9][0-9][0-9][0-9][0-9] \\[3 127\\.0\\.0\\.1:5000\\] "
                   "\"GET\" \"k\"\r\n"));
}

TEST_F(MonitorFeedTest, UnixSocketIsMarked) {
  feed_.Add(monitor_->client.record);
  sender_->client.Set(kClientUnixSocket);
  sender_->client.record->address = "/tmp/socket:0";
  EXPECT_THAT(LineFor({"PING"}), testing::HasSubstr("[0 unix:/tmp/socket:0] \"PING\"\r\n"));
}

TEST_F(MonitorFeedTest, BytesAreQuotedAsRedisDoes) {
  feed_.Add(monitor_->client.record);
  EXPECT_EQ(Arguments(LineFor({"a\"b\\c", "\r\n\t\a\b", std::string_view("\0\x7f\xff", 3), ""})),
            "\"a\\\"b\\\\c\" \"\\r\\n\\t\\a\\b\" \"\\x00\\x7f\\xff\" \"\"\r\n");
}

TEST_F(MonitorFeedTest, IsActiveWhileSomebodyListens) {
  EXPECT_FALSE(feed_.active());
  feed_.Add(monitor_->client.record);
  feed_.Add(monitor_->client.record);  // MONITOR twice is once.
  EXPECT_TRUE(feed_.active());
  EXPECT_EQ(feed_.size(), 1u);
  feed_.Remove(sender_->id());  // Not a monitor.
  EXPECT_EQ(feed_.size(), 1u);
  feed_.Remove(monitor_->id());
  EXPECT_FALSE(feed_.active());
  EXPECT_EQ(LineFor({"PING"}), "deliveries: 0");
}

}  // namespace
}  // namespace larder
