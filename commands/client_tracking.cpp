#include "commands/client_tracking.h"

#include "commands/command_table.h"
#include "commands/services.h"

namespace larder {

bool RemembersReads(const TrackingState& state) {
  if (state.broadcast) return false;
  switch (state.mode) {
    case TrackingState::Mode::kOptIn:
      return state.caching_given && state.caching_yes;
    case TrackingState::Mode::kOptOut:
      return !state.caching_given || state.caching_yes;
    case TrackingState::Mode::kDefault:
      break;
  }
  return true;
}

void StopTracking(Client& client, ClientTracking& tracking) {
  if (client.tracking == nullptr) return;
  tracking.Disable(client);
  client.tracking.reset();
  client.Set(kClientTracking | kClientTrackingBroadcast, false);
  client.record->redirect_client.store(-1, std::memory_order_relaxed);
}

void ExpireCaching(Client& client, const Command* command) {
  if (client.tracking == nullptr || !client.tracking->caching_given) return;
  if (client.Is(kClientMulti)) return;
  // As in Redis, other CLIENT commands may stand between CLIENT CACHING and what it is about.
  if (command != nullptr && command->container() != nullptr &&
      command->container() == client.tracking->caching_family) {
    return;
  }
  client.tracking->caching_given = false;
}

}  // namespace larder
