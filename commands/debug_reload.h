// DEBUG RELOAD and LOADAOF: everything that is stored, written in its serialized form and read
// again, so that tests see what a restart would leave of it.
//
// Concurrency: as command handlers; shards are locked one after the other.
#pragma once

namespace larder {

class CommandContext;

void DebugReload(CommandContext& ctx);
void DebugLoadAof(CommandContext& ctx);

}  // namespace larder
