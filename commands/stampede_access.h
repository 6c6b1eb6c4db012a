// What a caller gets of a key that may be loaded by one caller only: the one place that decides,
// for CACHE.GET and for what rules make of plain reads. docs/stampede.md says it for users.
//
// Concurrency: thread-confined, like the context. The key's shard is locked.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "eviction/lease_table.h"
#include "storage/entry.h"

namespace larder {

class CommandContext;
class ReplyWriter;

struct StampedeDemand {
  std::chrono::milliseconds lease{0};  // For how long the caller would load; 0: it would not.
  std::chrono::milliseconds wait{0};   // How long it waits for somebody else who does.
  double beta = 1.0;                   // Of XFetch; 0: never early.
  std::optional<std::chrono::milliseconds> most_stale;  // Nothing: any stale value will do.
  bool follows_connection = true;
  const std::shared_ptr<StampedeFigures>* figures = nullptr;  // Where it counts; never null.
  std::shared_ptr<LeaseCap> cap;  // Of the key's rule; null without one.
  // Writes the reply for one who has waited in vain.
  std::function<void(ReplyWriter&)> on_timeout;
};

struct StampedeAnswer {
  enum class State : uint8_t {
    kFresh,      // The value; none if the origin is known to have no such thing.
    kRefresh,    // The value, and the caller loads.
    kStale,      // An old value.
    kLoad,       // Nothing: the caller loads.
    kNone,       // Nothing, not in time.
    kWaiting,    // The client has been blocked; there is no reply yet.
    kWrongType,  // The key holds no string.
  };
  State state = State::kNone;
  Entry* entry = nullptr;
  // Of kRefresh and kLoad; null with kLoad if there are as many leases as there may be.
  std::shared_ptr<Lease> lease;
  std::chrono::milliseconds retry{0};  // Of kNone: when it is worth asking again.
};

// Asks for key number `key` of the request, whose live entry is `entry` (null: none). May block the
// client: then the handler must not reply.
StampedeAnswer AskForValue(CommandContext& ctx, size_t key, Entry* entry,
                           const StampedeDemand& demand);

// The live entry or null, for a handler that may be called again for a client that waits: only the
// first time counts as a lookup.
Entry* FindOnce(CommandContext& ctx, size_t key);

// What the lease table knows of key number `key`, whose live entry is `entry` (null: none). A lease
// of a time before the value's tags were invalidated is void, and ends when somebody looks.
LeaseTable::Record* FindRecord(CommandContext& ctx, size_t key, const Entry* entry, MonoTime now);

// Ends the lease that `token` names, for key number `key`: its holder's value may be stored, with
// these tags (null: none), and took so long to load. Nothing if it is not the current one, or a tag
// of this value or of the one before has been invalidated since.
std::optional<std::chrono::milliseconds> FillWithToken(CommandContext& ctx, size_t key,
                                                       std::string_view token,
                                                       const TagStamp* tags);

// Ends whatever lease there is of key number `key`, which a command was to remove and did not find:
// whoever loads it may have read from the origin what made the caller remove it.
void VoidLease(CommandContext& ctx, size_t key);

// How a lease is named to its holder, in a process that began with `incarnation`, and back: 0 if it
// is no token of this process.
std::string LeaseToken(uint64_t incarnation, uint64_t number);
uint64_t ParseLeaseToken(uint64_t incarnation, std::string_view token);

}  // namespace larder
