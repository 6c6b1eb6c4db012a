// Turns what happened to keys into the messages that notify-keyspace-events asks for.
//
// Concurrency: stateless; publishing locks the pub/sub hub's mutexes, so hold no shard.
#pragma once

#include "commands/command_context.h"
#include "commands/services.h"
#include "commands/settings.h"

namespace larder {

// Publishes "__keyspace@<db>__:<key>" and "__keyevent@<db>__:<event>", as the settings have it.
void PublishKeyspaceEvent(Services& services, const Settings& settings, const KeyspaceEvent& event);

}  // namespace larder
