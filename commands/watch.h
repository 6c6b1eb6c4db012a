// What WATCH, MULTI and their ends do to a client and to the watch tables of the shards, for the
// commands of those names, for EXEC in the dispatcher, and for a connection that goes away.
//
// Concurrency: called on the client's own thread. What locks shards says so.
#pragma once

#include <string_view>

#include "commands/client.h"
#include "storage/keyspace.h"
#include "storage/shard.h"

namespace larder {

class Services;

// `client` watches `key` of database `db` from here on; twice is no more than once.
// REQUIRES: the shard is the key's, and its lock is held.
void Watch(Client& client, int db, std::string_view key, Shard& shard, Services& services);

// Ends all watches of `client`. Locks the shards of the watched keys one after the other.
// REQUIRES: no shard's lock is held.
void UnwatchAll(Client& client, Keyspace& keyspace, Services& services);

// Drops what MULTI has queued, if anything, and ends all watches: DISCARD, RESET, an EXEC that is
// refused, the end of the connection. REQUIRES: as UnwatchAll.
void DiscardTransaction(Client& client, Keyspace& keyspace, Services& services);

}  // namespace larder
