// COMMAND: what the server knows about its own commands.

#include <array>
#include <optional>
#include <vector>

#include "base/glob.h"
#include "commands/command_context.h"
#include "commands/command_reply.h"
#include "commands/families.h"
#include "commands/help_reply.h"

namespace larder {
namespace {

constexpr uint32_t kAlways = kLoading | kStale;

// "get", or "config|get" for a subcommand.
const Command* FindByFullName(const CommandTable& table, std::string_view name) {
  const size_t bar = name.find('|');
  const Command* command = table.Find(name.substr(0, bar));
  if (command == nullptr || bar == name.npos) return command;
  return command->FindSubcommand(name.substr(bar + 1));
}

void WriteAllInfo(CommandContext& ctx) {
  const auto commands = ctx.server().command_table().commands();
  ctx.reply().Array(commands.size());
  for (const Command* command : commands) WriteCommandInfo(ctx.reply(), *command);
}

void CommandAlone(CommandContext& ctx) {
  if (ctx.argc() == 1) return WriteAllInfo(ctx);
  ctx.reply().Error(error_text::UnknownSubcommand(ctx.arg(1), ctx.command().full_name()));
}

void CommandCount(CommandContext& ctx) {
  ctx.reply().Integer(static_cast<int64_t>(ctx.server().command_table().commands().size()));
}

void CommandInfo(CommandContext& ctx) {
  if (ctx.argc() == 2) return WriteAllInfo(ctx);
  ctx.reply().Array(ctx.argc() - 2);
  for (size_t i = 2; i < ctx.argc(); ++i) {
    const Command* command = FindByFullName(ctx.server().command_table(), ctx.arg(i));
    if (command == nullptr) {
      ctx.reply().Null();
    } else {
      WriteCommandInfo(ctx.reply(), *command);
    }
  }
}

void CommandDocs(CommandContext& ctx) {
  const CommandTable& table = ctx.server().command_table();
  std::vector<const Command*> wanted;
  if (ctx.argc() == 2) {
    wanted.assign(table.commands().begin(), table.commands().end());
  } else {
    for (size_t i = 2; i < ctx.argc(); ++i) {
      const Command* command = FindByFullName(table, ctx.arg(i));
      if (command != nullptr) wanted.push_back(command);
    }
  }
  ctx.reply().Map(wanted.size());
  for (const Command* command : wanted) {
    ctx.reply().Bulk(command->full_name());
    WriteCommandDocs(ctx.reply(), *command);
  }
}

void ReplyNames(CommandContext& ctx, const std::vector<const Command*>& commands) {
  ctx.reply().Array(commands.size());
  for (const Command* command : commands) ctx.reply().Bulk(command->full_name());
}

void CommandList(CommandContext& ctx) {
  const CommandTable& table = ctx.server().command_table();
  if (ctx.argc() == 2) {
    return ReplyNames(ctx, {table.all().begin(), table.all().end()});
  }
  if (ctx.argc() != 5 || !EqualsIgnoreCase(ctx.arg(2), "FILTERBY")) {
    return ctx.reply().Error(error_text::kSyntax);
  }
  std::vector<const Command*> matching;
  const auto keep_if = [&](auto matches) {
    for (const Command* command : table.all()) {
      if (matches(*command)) matching.push_back(command);
    }
  };
  const std::string_view filter = ctx.arg(3);
  const std::string_view wanted = ctx.arg(4);
  if (EqualsIgnoreCase(filter, "MODULE")) {
    // There are no modules, so that no command comes from one.
  } else if (EqualsIgnoreCase(filter, "ACLCAT")) {
    const std::optional<AclCategory> category = AclCategoryNamed(wanted);
    keep_if([&](const Command& command) {
      return category && (command.acl_categories() & *category) != 0;
    });
  } else if (EqualsIgnoreCase(filter, "PATTERN")) {
    keep_if([&](const Command& command) {
      return GlobMatch(wanted, command.full_name(), GlobCase::kIgnore);
    });
  } else {
    return ctx.reply().Error(error_text::kSyntax);
  }
  ReplyNames(ctx, matching);
}

bool HasKeys(const Command& command) {
  for (const KeySpec& spec : command.spec().keys.view()) {
    if ((KeyFlagsOf(command, spec) & kKeyNotKey) == 0) return true;
  }
  return false;
}

// The keys of the request that stands behind GETKEYS; nothing if an error has been replied.
std::optional<std::vector<KeyPosition>> KeysOfQuotedRequest(CommandContext& ctx) {
  const auto request = ctx.args().subspan(2);
  const Command* command = ctx.server().command_table().Resolve(request);
  if (command == nullptr || (command->spec().handler == nullptr && request.size() > 1)) {
    ctx.reply().Error("ERR Invalid command specified");
    return std::nullopt;
  }
  if (!HasKeys(*command)) {
    ctx.reply().Error("ERR The command has no key arguments");
    return std::nullopt;
  }
  if (!command->ArityFits(request.size())) {
    ctx.reply().Error("ERR Invalid number of arguments specified for command");
    return std::nullopt;
  }
  std::vector<KeyPosition> keys;
  if (!FindKeys(*command, request, keys) || keys.empty()) {
    keys.clear();
    if (!command->Has(kNoMandatoryKeys)) {
      ctx.reply().Error("ERR Invalid arguments specified for command");
      return std::nullopt;
    }
  }
  return keys;
}

void CommandGetKeys(CommandContext& ctx) {
  const auto keys = KeysOfQuotedRequest(ctx);
  if (!keys) return;
  ctx.reply().Array(keys->size());
  for (const KeyPosition& key : *keys) ctx.reply().Bulk(ctx.arg(2 + key.arg));
}

void CommandGetKeysAndFlags(CommandContext& ctx) {
  const auto keys = KeysOfQuotedRequest(ctx);
  if (!keys) return;
  ctx.reply().Array(keys->size());
  for (const KeyPosition& key : *keys) {
    ctx.reply().Array(2);
    ctx.reply().Bulk(ctx.arg(2 + key.arg));
    WriteKeyFlags(ctx.reply(), key.flags);
  }
}

void CommandHelp(CommandContext& ctx) {
  static constexpr std::array<std::string_view, 18> kLines = {
      "(no subcommand)",
      "    Return details about all Redis commands.",
      "COUNT",
      "    Return the total number of commands in this Redis server.",
      "LIST",
      "    Return a list of all commands in this Redis server.",
      "INFO [<command-name> ...]",
      "    Return details about multiple Redis commands.",
      "    If no command names are given, documentation details for all",
      "    commands are returned.",
      "DOCS [<command-name> ...]",
      "    Return documentation details about multiple Redis commands.",
      "    If no command names are given, documentation details for all",
      "    commands are returned.",
      "GETKEYS <full-command>",
      "    Return the keys from a full Redis command.",
      "GETKEYSANDFLAGS <full-command>",
      "    Return the keys and the access flags from a full Redis command.",
  };
  ReplyHelp(ctx, kLines);
}

constexpr std::string_view kAnyOrder = "nondeterministic_output_order";

// clang-format off
constexpr CommandSpec kCommandSubcommands[] = {
    {"count", 2, kAlways, kNoKeys, kAclConnection, &CommandCount, "2.8.13", "O(1)",
     "Counts the commands of the server.", ""},
    {"docs", -2, kAlways, kNoKeys, kAclConnection, &CommandDocs, "7.0.0",
     "O(N) where N is the number of commands to look up",
     "Documents commands for people and tools.", "[command-name...]", {.tips = kAnyOrder}},
    {"getkeys", -4, kAlways, kNoKeys, kAclConnection, &CommandGetKeys, "2.8.13",
     "O(N) where N is the number of arguments to the command",
     "Finds the keys in a complete request.", "command [arg...]"},
    {"getkeysandflags", -4, kAlways, kNoKeys, kAclConnection, &CommandGetKeysAndFlags, "7.0.0",
     "O(N) where N is the number of arguments to the command",
     "Finds the keys in a complete request, and what is done with each.", "command [arg...]"},
    {"help", 2, kAlways, kNoKeys, kAclConnection, &CommandHelp, "5.0.0", "O(1)",
     "Lists the subcommands.", ""},
    {"info", -2, kAlways, kNoKeys, kAclConnection, &CommandInfo, "2.8.13",
     "O(N) where N is the number of commands to look up",
     "Describes commands: arity, flags, keys, categories.", "[command-name...]",
     {.tips = kAnyOrder, .history = "7.0.0: Allowed to be called with no argument to get info on all commands."}},
    {"list", -2, kAlways, kNoKeys, kAclConnection, &CommandList, "7.0.0",
     "O(N) where N is the number of commands of the server",
     "Lists the names of commands.",
     "[FILTERBY (MODULE module-name|ACLCAT category|PATTERN pattern)]", {.tips = kAnyOrder}},
};

constexpr CommandSpec kCommandCommands[] = {
    {"command", -1, kAlways, kNoKeys, kAclConnection, &CommandAlone, "2.8.13",
     "O(N) where N is the number of commands of the server",
     "Describes all commands; container of its subcommands.", "",
     {.subcommands = kCommandSubcommands, .tips = kAnyOrder}},
};
// clang-format on
static_assert(IsWellFormed(kCommandCommands));

}  // namespace

const CommandFamily kCommandFamily = {"server", kCommandCommands};

}  // namespace larder
