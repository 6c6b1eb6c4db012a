#include "commands/client.h"

#include "commands/client_tracking.h"
#include "commands/hash_fieldsets.h"
#include "commands/held_leases.h"
#include "commands/transaction.h"

namespace larder {

Client::Client(std::shared_ptr<ClientRecord> client_record) : record(std::move(client_record)) {}

Client::~Client() = default;

size_t WatchState::memory_bytes() const {
  return sizeof(*this) + sizeof(WatchFlag) + keys.capacity() * sizeof(WatchedKey) + name_bytes;
}

size_t SubscriptionState::memory_bytes() const {
  // A slot of the sets is a name and a byte that tells whether it is taken.
  constexpr size_t kSlotBytes = sizeof(std::string) + 1;
  const size_t slots = channels.capacity() + patterns.capacity() + shard_channels.capacity();
  return sizeof(*this) + slots * kSlotBytes + name_bytes;
}

}  // namespace larder
