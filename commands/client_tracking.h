// Client-side caching (CLIENT TRACKING): what a client asked to be told about.
//
// Concurrency: thread-confined to the connection's thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "commands/client.h"

namespace larder {

class ClientTracking;
class Command;

struct TrackingState {
  enum class Mode : uint8_t { kDefault, kOptIn, kOptOut };
  Mode mode = Mode::kDefault;
  bool broadcast = false;
  bool no_loop = false;
  // What CLIENT CACHING said about the next command (or the next transaction).
  bool caching_given = false;
  bool caching_yes = false;
  const Command* caching_family = nullptr;  // The container of the CLIENT CACHING that said it.
  int64_t redirect_client = 0;              // 0: to the client itself.
  std::vector<std::string> prefixes;        // With broadcast; never empty then, sorted.
  size_t prefix_bytes = 0;                  // Of all prefixes.

  size_t memory_bytes() const {
    return sizeof(*this) + prefixes.capacity() * sizeof(std::string) + prefix_bytes;
  }
};

// Whether what the command at hand reads is to be remembered for the client.
bool RemembersReads(const TrackingState& state);

// What CLIENT TRACKING OFF and RESET do, if the client tracks.
void StopTracking(Client& client, ClientTracking& tracking);

// After each command of a tracking client: CLIENT CACHING was for one command or transaction.
void ExpireCaching(Client& client, const Command* command);

}  // namespace larder
