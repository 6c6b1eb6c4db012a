// CONFIG: the configuration of the running server.

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "commands/command_context.h"
#include "commands/families.h"
#include "commands/help_reply.h"

namespace larder {
namespace {

void ReplyStatus(CommandContext& ctx, const absl::Status& status) {
  if (status.ok()) return ctx.reply().Ok();
  ctx.reply().Error(absl::StrCat("ERR ", status.message()));
}

void ConfigGet(CommandContext& ctx) {
  const auto settings = ctx.server().config().Get(ctx.args().subspan(2));
  ctx.reply().Map(settings.size());
  for (const auto& [name, value] : settings) {
    ctx.reply().Bulk(name);
    ctx.reply().Bulk(value);
  }
}

void ConfigSet(CommandContext& ctx) {
  if (ctx.argc() % 2 != 0) return ctx.reply().Error(error_text::kSyntax);
  std::vector<std::pair<std::string_view, std::string_view>> pairs;
  for (size_t i = 2; i < ctx.argc(); i += 2) {
    pairs.emplace_back(ctx.arg(i), ctx.arg(i + 1));
    if (ctx.server().config().IsSecret(ctx.arg(i))) ctx.RedactArg(i + 1);
  }
  const ConfigCaller caller =
      ctx.client().record->is_loopback ? ConfigCaller::kLocal : ConfigCaller::kRemote;
  ReplyStatus(ctx, ctx.server().config().Set(pairs, caller));
}

void ConfigResetStat(CommandContext& ctx) {
  ctx.server().ResetStatistics();
  ctx.reply().Ok();
}

void ConfigRewrite(CommandContext& ctx) {
  ReplyStatus(ctx, ctx.server().config().Rewrite(RewriteScope::kChanged));
}

void ConfigHelp(CommandContext& ctx) {
  static constexpr std::array<std::string_view, 8> kLines = {
      "GET <pattern>",
      "    Return parameters matching the glob-like <pattern> and their values.",
      "SET <directive> <value>",
      "    Set the configuration <directive> to <value>.",
      "RESETSTAT",
      "    Reset statistics reported by the INFO command.",
      "REWRITE",
      "    Rewrite the configuration file.",
  };
  ReplyHelp(ctx, kLines);
}

constexpr uint32_t kFlags = kAdmin | kNoScript | kLoading | kStale;

// clang-format off
constexpr CommandSpec kConfigSubcommands[] = {
    {"get", -3, kFlags, kNoKeys, kAclNone, &ConfigGet, "2.0.0",
     "O(N) when N is the number of configuration parameters provided",
     "Reads the settings whose names match.", "parameter...",
     {.history = "7.0.0: Added the ability to pass multiple pattern parameters in one call"}},
    {"help", 2, kLoading | kStale, kNoKeys, kAclNone, &ConfigHelp, "5.0.0", "O(1)",
     "Lists the subcommands.", ""},
    {"resetstat", 2, kFlags, kNoKeys, kAclNone, &ConfigResetStat, "2.0.0", "O(1)",
     "Sets the statistics of INFO back to zero.", ""},
    {"rewrite", 2, kFlags, kNoKeys, kAclNone, &ConfigRewrite, "2.8.0", "O(1)",
     "Writes the settings in force to the configuration file.", ""},
    {"set", -4, kFlags, kNoKeys, kAclNone, &ConfigSet, "2.0.0",
     "O(N) when N is the number of configuration parameters provided",
     "Changes settings, all or none.", "(parameter value)...",
     {.tips = "request_policy:all_nodes response_policy:all_succeeded",
      .history = "7.0.0: Added the ability to set multiple parameters in one call."}},
};

constexpr CommandSpec kConfigCommands[] = {
    {"config", -2, 0, kNoKeys, kAclNone, nullptr, "2.0.0", "Depends on subcommand.",
     "Container of the configuration commands.", "", {.subcommands = kConfigSubcommands}},
};
// clang-format on
static_assert(IsWellFormed(kConfigCommands));

}  // namespace

const CommandFamily kConfigFamily = {"server", kConfigCommands};

}  // namespace larder
