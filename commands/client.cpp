#include "commands/client.h"

#include "commands/client_tracking.h"
#include "commands/hash_fieldsets.h"
#include "commands/transaction.h"

namespace larder {

Client::Client(std::shared_ptr<ClientRecord> client_record) : record(std::move(client_record)) {}

Client::~Client() = default;

}  // namespace larder
