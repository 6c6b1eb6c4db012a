// What a rule of stampede protection (eviction/stampede_rule.h) makes of plain commands: reads
// elect one caller who loads, who sees a miss, and let the others wait or take an old value; writes
// fill.
//
// Concurrency: thread-confined, like the context. The key's shard is locked.
#pragma once

#include <cstddef>
#include <optional>

#include "commands/command_context.h"
#include "commands/stampede_access.h"

namespace larder {

// Whether any rule is there: nothing below need be called otherwise.
inline bool AnyStampedeRule(const CommandContext& ctx) {
  return !ctx.settings().stampede_rules->empty();
}

// The string that the client gets for key number `key`; kNothing if it is to see a miss, and
// nothing at all if it waits: then the handler must not reply.
std::optional<Found> FindStringByRule(CommandContext& ctx, size_t key, Entry*& entry);

// Stores argument `value_arg` under key number `key`, which expires at `expiry`.
void StoreByRule(CommandContext& ctx, size_t key, size_t value_arg, UnixMillis expiry);

}  // namespace larder
