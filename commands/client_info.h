// A client as CLIENT LIST and CLIENT INFO show it.
//
// Concurrency: safe from any thread, but RefreshRecord.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "commands/client.h"

namespace larder {

class CommandContext;

// As CLIENT LIST TYPE and the output buffer limits divide clients.
enum class ClientType : uint8_t { kNormal, kMaster, kReplica, kPubSub };

// "normal", "master", "primary", "replica", "slave" or "pubsub", in any case.
std::optional<ClientType> ParseClientType(std::string_view name);
ClientType TypeOf(const ClientRecord& record);

// The letters of the field `flags`: "N" for a client with nothing special about it.
std::string FlagLetters(const ClientRecord& record);
// Every letter that FlagLetters may give.
std::string_view AllFlagLetters();

// What the client holds of memory as a whole: buffers, arguments, transaction, subscriptions and
// the connection itself. What `tot-mem` shows and maxmemory-clients limits.
int64_t MemoryOf(const ClientRecord& record);

// One line with its '\n': Redis 7.0's fields in its order, later ones behind them.
void AppendClientLine(std::string& out, const ClientRecord& record, MonoTime now);

// Writes into the record of the client that is asking what the request itself has changed; the
// record is otherwise brought up to date after a batch. On the client's own thread.
void RefreshRecord(CommandContext& ctx);

}  // namespace larder
