// What the commands on lists share: naming an end, replying with elements, popping.
//
// Concurrency: as CommandContext.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "commands/command_context.h"
#include "storage/list.h"

namespace larder {

// Argument `arg`, LEFT or RIGHT. False after replying that it is neither.
bool ParseListEnd(CommandContext& ctx, size_t arg, ListEnd& end);
// Argument `arg` as a number above zero. False after replying `error`.
bool ParseCount(CommandContext& ctx, size_t arg, size_t& count, std::string_view error);

inline ListPacking PackingOf(const CommandContext& ctx) {
  return ListPacking::Of(ctx.settings().encoding);
}

inline std::string_view PushEvent(ListEnd end) { return end == ListEnd::kHead ? "lpush" : "rpush"; }
inline std::string_view PopEvent(ListEnd end) { return end == ListEnd::kHead ? "lpop" : "rpop"; }

inline void ReplyElement(ReplyWriter& reply, const ListpackValue& value) {
  value.is_integer ? reply.BulkInteger(value.integer) : reply.Bulk(value.text);
}
// `count` elements, counted from `end` on after passing over `skip`, as an array.
// REQUIRES: there are as many.
void ReplyElements(ReplyWriter& reply, const List& list, ListEnd end, size_t skip, size_t count);

// Pop from the list of `entry`, which key number `key` holds: one element, replied as a string, or
// up to `count` of them, as an array.
void PopOne(CommandContext& ctx, size_t key, Entry* entry, ListEnd end);
void PopSome(CommandContext& ctx, size_t key, Entry* entry, ListEnd end, size_t count);

}  // namespace larder
