// CLIENT's subcommands that look at other clients or act on them.

#include <limits>
#include <string>

#include "base/text.h"
#include "commands/argument_parsers.h"
#include "commands/client_filter.h"
#include "commands/client_handlers.h"
#include "commands/client_info.h"
#include "commands/command_context.h"

namespace larder {
namespace {

void ReplyBadSubcommand(CommandContext& ctx) {
  ctx.reply().Error(
      error_text::UnknownSubcommandOrArity(ctx.arg(1), ctx.command().container()->full_name()));
}

// How many clients the filter meant and this call ended. The asking one is told first and closes
// behind its reply.
int64_t KillMatching(CommandContext& ctx, const ClientFilter& filter) {
  const MonoTime now = MonoNow();
  int64_t killed = 0;
  for (const auto& record : ctx.server().clients().All()) {
    if (!filter.Matches(*record, ctx.client().id(), now)) continue;
    if (record->id == ctx.client().id()) {
      ctx.client().Set(kClientCloseAfterReply);
      ++killed;
    } else if (ctx.server().clients().Kill(record)) {
      ++killed;
    }
  }
  return killed;
}

MonoTime PauseEnd(int64_t milliseconds) {
  const MonoTime now = MonoNow();
  constexpr auto kMost = std::numeric_limits<int64_t>::max();
  const int64_t left_ms = (kMost - now.time_since_epoch().count()) / 1'000'000;
  return now + std::chrono::milliseconds(std::min(milliseconds, left_ms));
}

}  // namespace

void ClientInfo(CommandContext& ctx) {
  RefreshRecord(ctx);
  std::string line;
  AppendClientLine(line, *ctx.client().record, MonoNow());
  ctx.reply().Verbatim(line);
}

void ClientList(CommandContext& ctx) {
  RefreshRecord(ctx);
  ClientFilter filter;
  if (!ParseClientFilter(ctx, 2, ClientFilterUse::kList, filter)) return;
  const MonoTime now = MonoNow();
  std::string lines;
  for (const auto& record : ctx.server().clients().All()) {
    if (filter.Matches(*record, ctx.client().id(), now)) AppendClientLine(lines, *record, now);
  }
  ctx.reply().Verbatim(lines);
}

void ClientKill(CommandContext& ctx) {
  RefreshRecord(ctx);
  ClientFilter filter;
  if (ctx.argc() == 3) {  // The old form: an address, and its own answer.
    filter.wanted.address = ctx.arg(2);
    if (KillMatching(ctx, filter) == 0) return ctx.reply().Error(error_text::kNoSuchClient);
    return ctx.reply().Ok();
  }
  filter.skip_asking = true;
  if (!ParseClientFilter(ctx, 2, ClientFilterUse::kKill, filter)) return;
  ctx.reply().Integer(KillMatching(ctx, filter));
}

void ClientPause(CommandContext& ctx) {
  if (ctx.argc() > 4) return ReplyBadSubcommand(ctx);
  PauseMode mode = PauseMode::kAll;
  if (ctx.argc() == 4) {
    if (EqualsIgnoreCase(ctx.arg(3), "write")) {
      mode = PauseMode::kWrite;
    } else if (!EqualsIgnoreCase(ctx.arg(3), "all")) {
      return ctx.reply().Error(error_text::kPauseMode);
    }
  }
  int64_t milliseconds = 0;
  if (!ParseInteger(ctx, 2, milliseconds, error_text::kTimeoutNotAnInteger)) return;
  if (milliseconds < 0) return ctx.reply().Error(error_text::kNegativeTimeout);
  ctx.server().clients().Pause(PauseEnd(milliseconds), mode);
  ctx.reply().Ok();
}

void ClientUnpause(CommandContext& ctx) {
  ctx.server().clients().Unpause();
  ctx.reply().Ok();
}

void ClientUnblock(CommandContext& ctx) {
  if (ctx.argc() > 4) return ReplyBadSubcommand(ctx);
  UnblockReason reason = UnblockReason::kTimeout;
  if (ctx.argc() == 4) {
    if (EqualsIgnoreCase(ctx.arg(3), "error")) {
      reason = UnblockReason::kError;
    } else if (!EqualsIgnoreCase(ctx.arg(3), "timeout")) {
      return ctx.reply().Error(error_text::kUnblockReason);
    }
  }
  int64_t id = 0;
  if (!ParseInteger(ctx, 2, id)) return;
  const bool unblocked =
      id > 0 && ctx.server().clients().Unblock(static_cast<uint64_t>(id), reason);
  ctx.reply().Integer(unblocked ? 1 : 0);
}

}  // namespace larder
