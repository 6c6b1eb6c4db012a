// What client tracking has to know of the thread it runs on. The dispatcher says whose batch is
// running and looks at two flags; all else is in TrackingTable.
//
// Concurrency: one a thread.
#pragma once

namespace larder {

struct Client;

struct ThreadTracking {
  Client* client = nullptr;        // Whose requests are running; null for upkeep.
  bool has_invalidations = false;  // For that client, due behind the reply of its command.
  bool has_broadcasts = false;     // Due at the end of the batch.
};

inline constinit thread_local ThreadTracking thread_tracking;

}  // namespace larder
