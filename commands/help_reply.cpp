#include "commands/help_reply.h"

#include <string>

#include "base/text.h"

namespace larder {

void ReplyHelp(CommandContext& ctx, std::span<const std::string_view> lines) {
  const Command& command = ctx.command();
  const Command* container = command.container() != nullptr ? command.container() : &command;
  ctx.reply().Array(lines.size() + 3);
  ctx.reply().Simple(ToUpper(container->full_name()) +
                     " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
  for (const std::string_view line : lines) ctx.reply().Simple(line);
  ctx.reply().Simple("HELP");
  ctx.reply().Simple("    Prints this help.");
}

}  // namespace larder
