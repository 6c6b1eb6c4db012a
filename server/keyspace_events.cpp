#include "server/keyspace_events.h"

#include "absl/strings/str_cat.h"
#include "base/text.h"

namespace larder {

void PublishKeyspaceEvent(Services& services, const Settings& settings,
                          const KeyspaceEvent& event) {
  if ((settings.notify_events & event.notify_class) == 0) return;
  if ((settings.notify_events & kNotifyKeyspace) != 0) {
    services.pubsub().Publish(ChannelKind::kChannel,
                              absl::StrCat("__keyspace@", event.db, "__:", event.key), event.event,
                              nullptr);
  }
  if ((settings.notify_events & kNotifyKeyevent) != 0) {
    services.pubsub().Publish(ChannelKind::kChannel,
                              absl::StrCat("__keyevent@", event.db, "__:", AsAbsl(event.event)),
                              event.key, nullptr);
  }
}

}  // namespace larder
