// What the stream commands share: IDs in requests, entries in replies.
//
// Concurrency: thread-confined, like the context they get.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/reply_writer.h"
#include "storage/stream.h"
#include "storage/stream_id.h"

namespace larder {

class CommandContext;

inline constexpr std::string_view kInvalidStreamId =
    "ERR Invalid stream ID specified as stream command argument";

// "ms" or "ms-seq", where numbers may be as strtoull takes them.
std::optional<StreamId> ParseStreamId(std::string_view text, uint64_t missing_seq = 0);
// One of the two numbers in an ID.
std::optional<uint64_t> ParseStreamIdPart(std::string_view text);

// Argument `arg` as an ID. False after replying with the error that Redis gives, as all below.
bool ParseStreamId(CommandContext& ctx, size_t arg, StreamId& id);
// The same, where "-" is the smallest and "+" the largest.
bool ParseAnyStreamId(CommandContext& ctx, size_t arg, StreamId& id);
// Where a range begins or ends: "-", "+", an ID, or "(" and an ID that is not to be part of it.
bool ParseRangeStart(CommandContext& ctx, size_t arg, StreamId& id);
bool ParseRangeEnd(CommandContext& ctx, size_t arg, StreamId& id);
// [KEEPREF|DELREF|ACKED]; false if argument `arg` is none of them.
bool TakeStreamReferences(const CommandContext& ctx, size_t arg, StreamReferences& references);
// IDS numids id ...: argument `arg` is the word. `first` and `last` are the arguments of the IDs.
bool ParseCountedIds(CommandContext& ctx, size_t arg, size_t& first, size_t& last);

// "NOGROUP No such key 's' or consumer group 'g'"
std::string NoSuchKeyOrGroup(std::string_view key, std::string_view group);
// "NOGROUP No such consumer group 'g' for key name 's'"
std::string NoSuchGroup(std::string_view key, std::string_view group);
// "ERR unknown subcommand or wrong number of arguments for 'CREATE'. Try XGROUP HELP."
std::string BadSubcommand(CommandContext& ctx, std::string_view container);

void ReplyStreamId(ReplyWriter& reply, StreamId id);
// [id, [field, value, ...]]
void ReplyEntry(ReplyWriter& reply, const StreamCursor& cursor);
// An array of what the cursor has still to come to, at most `count` (0: all); returns how many.
size_t ReplyEntries(ReplyWriter& reply, StreamCursor& cursor, uint64_t count);

}  // namespace larder
