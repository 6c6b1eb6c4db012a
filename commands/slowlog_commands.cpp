// SLOWLOG: the commands that took too long.

#include <array>
#include <limits>
#include <optional>

#include "base/numbers.h"
#include "commands/command_context.h"
#include "commands/families.h"
#include "commands/help_reply.h"
#include "commands/slow_log.h"

namespace larder {
namespace {

void SlowLogGet(CommandContext& ctx) {
  size_t count = 10;
  if (ctx.argc() > 3) {
    return ctx.reply().Error(
        error_text::UnknownSubcommandOrArity(ctx.arg(1), ctx.command().container()->full_name()));
  }
  if (ctx.argc() == 3) {
    const std::optional<int64_t> wanted = ParseInt64(ctx.arg(2));
    if (!wanted || *wanted < -1) {
      return ctx.reply().Error("ERR count should be greater than or equal to -1");
    }
    count = *wanted == -1 ? std::numeric_limits<size_t>::max() : static_cast<size_t>(*wanted);
  }
  const std::vector<SlowLog::Entry> entries = ctx.server().slow_log().Latest(count);
  ctx.reply().Array(entries.size());
  for (const SlowLog::Entry& entry : entries) {
    ctx.reply().Array(6);
    ctx.reply().Integer(entry.id);
    ctx.reply().Integer(entry.unix_seconds);
    ctx.reply().Integer(entry.microseconds);
    ctx.reply().Array(entry.args.size());
    for (const std::string& arg : entry.args) ctx.reply().Bulk(arg);
    ctx.reply().Bulk(entry.client_address);
    ctx.reply().Bulk(entry.client_name);
  }
}

void SlowLogLen(CommandContext& ctx) {
  ctx.reply().Integer(static_cast<int64_t>(ctx.server().slow_log().size()));
}

void SlowLogReset(CommandContext& ctx) {
  ctx.server().slow_log().Reset();
  ctx.reply().Ok();
}

void SlowLogHelp(CommandContext& ctx) {
  static constexpr std::array<std::string_view, 9> kLines = {
      "GET [<count>]",
      "    Return top <count> entries from the slowlog (default: 10, -1 mean all).",
      "    Entries are made of:",
      "    id, timestamp, time in microseconds, arguments array, client IP and port,",
      "    client name",
      "LEN",
      "    Return the length of the slowlog.",
      "RESET",
      "    Reset the slowlog.",
  };
  ReplyHelp(ctx, kLines);
}

// clang-format off
constexpr CommandSpec kSlowLogSubcommands[] = {
    {"get", -2, kAdmin | kLoading | kStale, kNoKeys, kAclNone, &SlowLogGet, "2.2.12",
     "O(N) where N is the number of entries returned",
     "Reads the latest entries of the slow log.", "[count]",
     {.tips = "request_policy:all_nodes nondeterministic_output",
      .history = "4.0.0: Added client IP address, port and name to the reply."}},
    {"help", 2, kLoading | kStale, kNoKeys, kAclNone, &SlowLogHelp, "6.2.0", "O(1)",
     "Lists the subcommands.", ""},
    {"len", 2, kAdmin | kLoading | kStale, kNoKeys, kAclNone, &SlowLogLen, "2.2.12", "O(1)",
     "Counts the entries of the slow log.", "",
     {.tips = "request_policy:all_nodes response_policy:agg_sum nondeterministic_output"}},
    {"reset", 2, kAdmin | kLoading | kStale, kNoKeys, kAclNone, &SlowLogReset, "2.2.12",
     "O(N) where N is the number of entries in the slow log",
     "Empties the slow log.", "",
     {.tips = "request_policy:all_nodes response_policy:all_succeeded"}},
};

constexpr CommandSpec kSlowLogCommands[] = {
    {"slowlog", -2, 0, kNoKeys, kAclNone, nullptr, "2.2.12", "Depends on subcommand.",
     "Container of the slow log's commands.", "", {.subcommands = kSlowLogSubcommands}},
};
// clang-format on
static_assert(IsWellFormed(kSlowLogCommands));

}  // namespace

const CommandFamily kSlowLogFamily = {"server", kSlowLogCommands};

}  // namespace larder
