// The handlers of CLIENT's subcommands that have a file of their own; client_commands.cpp has the
// table.
#pragma once

namespace larder {

class CommandContext;

// client_caching_commands.cpp: client-side caching.
void ClientCaching(CommandContext& ctx);
void ClientGetRedir(CommandContext& ctx);
void ClientTrackingOnOff(CommandContext& ctx);
void ClientTrackingInfo(CommandContext& ctx);

// client_admin_commands.cpp: what concerns other clients.
void ClientInfo(CommandContext& ctx);
void ClientKill(CommandContext& ctx);
void ClientList(CommandContext& ctx);
void ClientPause(CommandContext& ctx);
void ClientUnblock(CommandContext& ctx);
void ClientUnpause(CommandContext& ctx);

}  // namespace larder
