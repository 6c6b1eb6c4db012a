#include "server/keyspace_events.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/engine.h"

namespace larder {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Message = PublishedMessages::Message;

class KeyspaceEventsTest : public testing::Test {
 protected:
  std::vector<Message> Publish(uint32_t notify_events, const KeyspaceEvent& event) {
    Settings settings;
    settings.notify_events = notify_events;
    engine_.server().published.messages.clear();
    PublishKeyspaceEvent(engine_.server(), settings, event);
    return engine_.server().published.messages;
  }

  Engine engine_;
  const KeyspaceEvent set_{kNotifyString, "set", 2, "key"};
};

TEST_F(KeyspaceEventsTest, KeyspaceChannelIsNamedForTheKey) {
  EXPECT_THAT(Publish(kNotifyKeyspace | kNotifyString, set_),
              ElementsAre(Message{"__keyspace@2__:key", "set"}));
}

TEST_F(KeyspaceEventsTest, KeyeventChannelIsNamedForTheEvent) {
  EXPECT_THAT(Publish(kNotifyKeyevent | kNotifyString, set_),
              ElementsAre(Message{"__keyevent@2__:set", "key"}));
}

TEST_F(KeyspaceEventsTest, KeyspaceComesBeforeKeyevent) {
  EXPECT_THAT(
      Publish(kNotifyKeyevent | kNotifyKeyspace | kNotifyString, set_),
      ElementsAre(Message{"__keyspace@2__:key", "set"}, Message{"__keyevent@2__:set", "key"}));
}

TEST_F(KeyspaceEventsTest, OtherClassesAreSilent) {
  EXPECT_THAT(Publish(kNotifyKeyspace | kNotifyKeyevent | kNotifyGeneric, set_), IsEmpty());
}

TEST_F(KeyspaceEventsTest, ClassWithoutAChannelIsSilent) {
  EXPECT_THAT(Publish(kNotifyString, set_), IsEmpty());
}

}  // namespace
}  // namespace larder
