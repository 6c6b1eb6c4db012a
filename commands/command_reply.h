// How a command looks in the replies of COMMAND INFO and COMMAND DOCS.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "commands/command_table.h"
#include "protocol/reply_writer.h"

namespace larder {

// The ten elements of COMMAND INFO, subcommands nested.
void WriteCommandInfo(ReplyWriter& reply, const Command& command);

// The map of COMMAND DOCS.
void WriteCommandDocs(ReplyWriter& reply, const Command& command);

// A set of KeyFlags by Redis's names.
void WriteKeyFlags(ReplyWriter& reply, uint32_t flags);

// "connection", in any case and without '@'.
std::optional<AclCategory> AclCategoryNamed(std::string_view name);

// First key, last (negative: from the end) and step as COMMAND INFO tells them; zeros if the
// command has no keys that they could describe.
struct KeyRange {
  int first = 0;
  int last = 0;
  int step = 0;
};
KeyRange KeyRangeOf(const CommandSpec& spec);

}  // namespace larder
