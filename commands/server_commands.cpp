// INFO, TIME, SHUTDOWN and the like: the server as a whole.

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/numbers.h"
#include "commands/command_context.h"
#include "commands/families.h"
#include "commands/help_reply.h"
#include "commands/keyspace_figures.h"
#include "commands/lolwut.h"
#include "commands/redis_version.h"

namespace larder {
namespace {

constexpr uint32_t kAlways = kLoading | kStale;

void Info(CommandContext& ctx) {
  ctx.reply().Verbatim(ctx.server().Info(ctx.args().subspan(1), CollectKeyspace(ctx)));
}

void Time(CommandContext& ctx) {
  const int64_t now_us = UnixMicrosNow();
  ctx.reply().Array(2);
  ctx.reply().BulkInteger(now_us / 1000000);
  ctx.reply().BulkInteger(now_us % 1000000);
}

void LastSave(CommandContext& ctx) { ctx.reply().Integer(ctx.server().last_save() / 1000); }

void Role(CommandContext& ctx) {
  ctx.reply().Array(3);
  ctx.reply().Bulk("master");
  ctx.reply().Integer(0);  // Replication offset.
  ctx.reply().Array(0);    // Replicas.
}

void Monitor(CommandContext& ctx) {
  if (ctx.in_transaction()) {
    return ctx.reply().Error("ERR MONITOR isn't allowed for DENY BLOCKING client");
  }
  if (ctx.client().Is(kClientMonitor)) return;  // Redis does not answer a second time.
  ctx.server().SetMonitor(ctx.client(), true);
  ctx.reply().Ok();
}

void Shutdown(CommandContext& ctx) {
  ShutdownOptions options;
  bool abort = false;
  for (size_t i = 1; i < ctx.argc(); ++i) {
    const std::string_view arg = ctx.arg(i);
    if (EqualsIgnoreCase(arg, "SAVE")) {
      options.save = true;
    } else if (EqualsIgnoreCase(arg, "NOSAVE")) {
      options.no_save = true;
    } else if (EqualsIgnoreCase(arg, "NOW")) {
      options.now = true;
    } else if (EqualsIgnoreCase(arg, "FORCE")) {
      options.force = true;
    } else if (EqualsIgnoreCase(arg, "ABORT")) {
      abort = true;
    } else {
      return ctx.reply().Error(error_text::kSyntax);
    }
  }
  if ((abort && ctx.argc() > 2) || (options.save && options.no_save)) {
    return ctx.reply().Error(error_text::kSyntax);
  }
  if (abort) {
    if (ctx.server().AbortShutdown()) return ctx.reply().Ok();
    return ctx.reply().Error("ERR No shutdown in progress.");
  }
  if (!ctx.server().RequestShutdown(options)) {
    return ctx.reply().Error("ERR Errors trying to SHUTDOWN. Check logs.");
  }
  // Waits for the end like everybody else, and what follows in the pipeline is void. Who asked sees
  // its connection end when nobody can connect to this process any more.
  ctx.BlockClient({.deadline = MonoTime::max(), .on_timeout = [](ReplyWriter&) {}});
}

// LOLWUT [VERSION version] [columns [rows [jars]]]
void Lolwut(CommandContext& ctx) {
  std::span<const std::string_view> numbers = ctx.args().subspan(1);
  const bool has_version = numbers.size() >= 2 && EqualsIgnoreCase(numbers[0], "VERSION");
  if (has_version) {
    if (!ParseInt64(numbers[1])) return ctx.reply().Error(error_text::kNotAnInteger);
    numbers = numbers.subspan(2);
  }
  LolwutOptions options;
  const std::array<int*, 3> targets = {&options.columns, &options.rows, &options.jars};
  for (size_t i = 0; i < std::min(numbers.size(), targets.size()); ++i) {
    const std::optional<int64_t> number = ParseInt64(numbers[i]);
    // Without VERSION, Redis ignores what it does not understand.
    if (!number && has_version) return ctx.reply().Error(error_text::kNotAnInteger);
    if (number) *targets[i] = static_cast<int>(std::clamp<int64_t>(*number, 0, 1000));
  }
  ctx.reply().Verbatim(absl::StrCat(DrawLarder(options, ctx.random()), "\nLarder, well stocked. ",
                                    "Redis ver. ", AsAbsl(kRedisVersion), "\n"));
}

void ModuleList(CommandContext& ctx) { ctx.reply().Array(0); }

// Past the gate of enable-module-command: what Redis answers to a file that it cannot load.
void ModuleLoad(CommandContext& ctx) {
  ctx.reply().Error("ERR Error loading the extension. Please check the server logs.");
}

void ModuleUnload(CommandContext& ctx) {
  ctx.reply().Error("ERR Error unloading module: no such module with that name");
}

void ModuleHelp(CommandContext& ctx) {
  static constexpr std::array<std::string_view, 8> kLines = {
      "LIST",
      "    Return a list of loaded modules.",
      "LOAD <path> [<arg> ...]",
      "    Load a module library from <path>, passing to it any optional arguments.",
      "LOADEX <path> [[CONFIG NAME VALUE] [CONFIG NAME VALUE]] [ARGS ...]",
      "    Load a module library from <path>, while passing it module configurations and optional "
      "arguments.",
      "UNLOAD <name>",
      "    Unload a module.",
  };
  ReplyHelp(ctx, kLines);
}

constexpr uint32_t kModuleChange = kAdmin | kNoScript | kNoAsyncLoading | kProtected;

// clang-format off
constexpr CommandSpec kModuleSubcommands[] = {
    {"help", 2, kAlways, kNoKeys, kAclNone, &ModuleHelp, "5.0.0", "O(1)",
     "Lists the subcommands.", ""},
    {"list", 2, kAdmin | kNoScript, kNoKeys, kAclNone, &ModuleList, "4.0.0",
     "O(N) where N is the number of loaded modules.",
     "Lists the loaded modules, of which Larder has none.", "",
     {.tips = "nondeterministic_output_order"}},
    {"load", -3, kModuleChange, kNoKeys, kAclNone, &ModuleLoad, "4.0.0", "O(1)",
     "Loads a module; Larder cannot.", "path [arg...]"},
    {"loadex", -3, kModuleChange, kNoKeys, kAclNone, &ModuleLoad, "7.0.0", "O(1)",
     "Loads a module with its configuration; Larder cannot.",
     "path [CONFIG name value]... [ARGS arg...]"},
    {"unload", 3, kModuleChange, kNoKeys, kAclNone, &ModuleUnload, "4.0.0", "O(1)",
     "Unloads a module.", "name"},
};

constexpr CommandSpec kServerCommands[] = {
    {"info", -1, kAlways | kShardByShard, kNoKeys, kAclDangerous, &Info, "1.0.0", "O(1)",
     "Tells in figures how the server is doing.", "[section...]",
     {.tips = "nondeterministic_output request_policy:all_shards response_policy:special",
      .history = "7.0.0: Added support for taking multiple section arguments."}},
    {"lastsave", 1, kAlways | kFast, kNoKeys, kAclAdmin | kAclDangerous, &LastSave, "1.0.0", "O(1)",
     "Tells when the data was last saved.", "", {.tips = "nondeterministic_output"}},
    {"lolwut", -1, kReadOnly | kFast, kNoKeys, kAclNone, &Lolwut, "5.0.0", "O(1)",
     "Draws a picture and tells the version.",
     "[VERSION version] [columns:integer [rows:integer [jars:integer]]]"},
    {"module", -2, 0, kNoKeys, kAclNone, nullptr, "4.0.0", "Depends on subcommand.",
     "Container of the commands about modules.", "", {.subcommands = kModuleSubcommands}},
    {"monitor", 1, kAdmin | kNoScript | kAlways, kNoKeys, kAclNone, &Monitor, "1.0.0", "",
     "Streams every request that the server runs.", ""},
    {"role", 1, kNoScript | kAlways | kFast, kNoKeys, kAclAdmin | kAclDangerous, &Role, "2.8.12",
     "O(1)", "Tells the server's part in replication.", ""},
    {"shutdown", -1, kAdmin | kNoScript | kAlways | kNoMulti | kAllowBusy, kNoKeys, kAclNone,
     &Shutdown, "1.0.0", "O(N) when saving, where N is the total number of keys in all databases when saving data, otherwise O(1)",
     "Stops the server.", "[NOSAVE|SAVE] [NOW] [FORCE] [ABORT]",
     {.history = "7.0.0: Added the `NOW`, `FORCE` and `ABORT` modifiers."}},
    {"time", 1, kAlways | kFast, kNoKeys, kAclNone, &Time, "2.6.0", "O(1)",
     "Tells the server's time.", "", {.tips = "nondeterministic_output"}},
};
// clang-format on
static_assert(IsWellFormed(kServerCommands));

}  // namespace

const CommandFamily kServerFamily = {"server", kServerCommands};

}  // namespace larder
