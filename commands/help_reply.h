// What every container command answers to HELP.
#pragma once

#include <span>
#include <string_view>

#include "commands/command_context.h"

namespace larder {

// The usual first line, `lines` (subcommands with their description below them, indented by four
// blanks), and HELP itself.
void ReplyHelp(CommandContext& ctx, std::span<const std::string_view> lines);

}  // namespace larder
