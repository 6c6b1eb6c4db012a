// XINFO: what is known of a stream, its groups and their consumers.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/text.h"
#include "commands/argument_parsers.h"
#include "commands/command_context.h"
#include "commands/edit.h"
#include "commands/families.h"
#include "commands/help_reply.h"
#include "commands/stream_arguments.h"
#include "storage/stream.h"

namespace larder {
namespace {

// Nothing after replying with an error.
std::optional<Stream> FindStream(CommandContext& ctx) {
  const FoundValue<Stream> found = FindForRead<Stream>(ctx, 0);
  if (found.wrong_type) {
    ctx.reply().Error(error_text::kWrongType);
    return std::nullopt;
  }
  if (!found) {
    ctx.reply().Error(error_text::kNoSuchKey);
    return std::nullopt;
  }
  return found.value();
}

void ReplyNumber(ReplyWriter& reply, std::string_view name, uint64_t value) {
  reply.Bulk(name);
  reply.Integer(static_cast<int64_t>(value));
}

void ReplyId(ReplyWriter& reply, std::string_view name, StreamId id) {
  reply.Bulk(name);
  ReplyStreamId(reply, id);
}

void ReplyProgress(ReplyWriter& reply, const Stream& stream, const StreamGroup& group) {
  reply.Bulk("entries-read");
  if (group.entries_read != StreamGroup::kUnknownRead) {
    reply.Integer(group.entries_read);
  } else {
    reply.Null();
  }
  reply.Bulk("lag");
  if (const std::optional<int64_t> lag = stream.Lag(group)) {
    reply.Integer(*lag);
  } else {
    reply.Null();
  }
}

template <typename Map>
size_t AtMost(const Map& map, uint64_t count) {
  return count == 0 ? map.size() : std::min<size_t>(map.size(), count);
}

// ---- XINFO STREAM

// What a stream says of itself in any case, in fields of a map.
constexpr size_t kFigures = 7;

void ReplyStreamFigures(ReplyWriter& reply, const Stream& stream) {
  ReplyNumber(reply, "length", stream.size());
  ReplyNumber(reply, "radix-tree-keys", stream.nodes().size());
  ReplyNumber(reply, "radix-tree-nodes", stream.radix_nodes());
  ReplyId(reply, "last-generated-id", stream.last_id());
  ReplyId(reply, "max-deleted-entry-id", stream.max_deleted_id());
  ReplyNumber(reply, "entries-added", stream.entries_added());
  ReplyId(reply, "recorded-first-entry-id", stream.first_id());
}

// A stream whose producers name no messages has none of these, as before there were any.
size_t IdempotenceFigures(const Stream& stream) { return stream.idempotence() == nullptr ? 0 : 6; }

void ReplyIdempotenceFigures(ReplyWriter& reply, const Stream& stream, UnixMillis now) {
  const StreamIdempotence* const idempotence = stream.idempotence();
  if (idempotence == nullptr) return;
  const StreamIdempotence::Tracked tracked = idempotence->CountTracked(now);
  const auto duration = static_cast<uint64_t>(idempotence->limits().duration.count());
  ReplyNumber(reply, "idmp-duration", duration);
  ReplyNumber(reply, "idmp-maxsize", idempotence->limits().max_size);
  ReplyNumber(reply, "pids-tracked", tracked.producers);
  ReplyNumber(reply, "iids-tracked", tracked.messages);
  ReplyNumber(reply, "iids-added", idempotence->added());
  ReplyNumber(reply, "iids-duplicates", idempotence->duplicates());
}

void ReplyEdge(ReplyWriter& reply, std::string_view name, const Stream& stream,
               StreamCursor::Order order) {
  reply.Bulk(name);
  StreamCursor cursor(stream, StreamId::Min(), StreamId::Max(), order);
  if (cursor.Next()) {
    ReplyEntry(reply, cursor);
  } else {
    reply.Null();
  }
}

void ReplySummary(ReplyWriter& reply, const Stream& stream, UnixMillis now) {
  reply.Map(kFigures + IdempotenceFigures(stream) + 3);
  ReplyStreamFigures(reply, stream);
  ReplyIdempotenceFigures(reply, stream, now);
  ReplyNumber(reply, "groups", stream.group_count());
  ReplyEdge(reply, "first-entry", stream, StreamCursor::Order::kForward);
  ReplyEdge(reply, "last-entry", stream, StreamCursor::Order::kBackward);
}

void ReplyGroupPending(ReplyWriter& reply, const StreamGroup& group, uint64_t count) {
  ReplyNumber(reply, "pel-count", group.pending().size());
  reply.Bulk("pending");
  size_t left = AtMost(group.pending(), count);
  reply.Array(left);
  for (auto at = group.pending().begin(); left > 0; ++at, --left) {
    const PendingEntry& delivery = at->second;
    reply.Array(4);
    ReplyStreamId(reply, at->first);
    reply.Bulk(delivery.consumer == nullptr ? "" : delivery.consumer->name());
    reply.Integer(delivery.delivered_at);
    reply.Integer(static_cast<int64_t>(delivery.deliveries));
  }
}

void ReplyFullConsumer(ReplyWriter& reply, const StreamGroup& group, const StreamConsumer& consumer,
                       uint64_t count) {
  reply.Map(4);
  reply.Bulk("name");
  reply.Bulk(consumer.name());
  reply.Bulk("seen-time");
  reply.Integer(consumer.seen_time);
  ReplyNumber(reply, "pel-count", consumer.pending().size());
  reply.Bulk("pending");
  size_t left = AtMost(consumer.pending(), count);
  reply.Array(left);
  for (auto at = consumer.pending().begin(); left > 0; ++at, --left) {
    const PendingEntry& delivery = *group.FindPending(*at);
    reply.Array(3);
    ReplyStreamId(reply, *at);
    reply.Integer(delivery.delivered_at);
    reply.Integer(static_cast<int64_t>(delivery.deliveries));
  }
}

void ReplyFullGroup(ReplyWriter& reply, const Stream& stream, const StreamGroup& group,
                    uint64_t count) {
  // As the stream's own figures: what nobody uses is not there.
  const size_t ownerless = group.CountOwnerless();
  reply.Map(ownerless == 0 ? 7 : 8);
  reply.Bulk("name");
  reply.Bulk(group.name());
  ReplyId(reply, "last-delivered-id", group.last_id);
  ReplyProgress(reply, stream, group);
  ReplyGroupPending(reply, group, count);
  reply.Bulk("consumers");
  reply.Array(group.consumers().size());
  for (const auto& [name, consumer] : group.consumers()) {
    ReplyFullConsumer(reply, group, *consumer, count);
  }
  if (ownerless > 0) ReplyNumber(reply, "nacked-count", ownerless);
}

void ReplyFull(ReplyWriter& reply, const Stream& stream, uint64_t count, UnixMillis now) {
  reply.Map(kFigures + IdempotenceFigures(stream) + 2);
  ReplyStreamFigures(reply, stream);
  ReplyIdempotenceFigures(reply, stream, now);
  reply.Bulk("entries");
  StreamCursor cursor(stream, StreamId::Min(), StreamId::Max());
  ReplyEntries(reply, cursor, count);
  reply.Bulk("groups");
  reply.Array(stream.group_count());
  if (stream.groups() == nullptr) return;
  for (const auto& [name, group] : *stream.groups()) ReplyFullGroup(reply, stream, *group, count);
}

void InfoStream(CommandContext& ctx) {
  constexpr int64_t kDefaultCount = 10;
  const std::optional<Stream> stream = FindStream(ctx);
  if (!stream) return;
  if (ctx.argc() == 3) return ReplySummary(ctx.reply(), *stream, ctx.now());

  const bool has_count = ctx.argc() == 6 && EqualsIgnoreCase(ctx.arg(4), "COUNT");
  if (!EqualsIgnoreCase(ctx.arg(3), "FULL") || (ctx.argc() != 4 && !has_count)) {
    return ctx.reply().Error(BadSubcommand(ctx, "XINFO"));
  }
  int64_t count = kDefaultCount;
  if (has_count && !ParseInteger(ctx, 5, count)) return;
  if (count < 0) count = kDefaultCount;
  ReplyFull(ctx.reply(), *stream, static_cast<uint64_t>(count), ctx.now());
}

// ---- XINFO GROUPS, CONSUMERS

void InfoGroups(CommandContext& ctx) {
  const std::optional<Stream> stream = FindStream(ctx);
  if (!stream) return;
  ReplyWriter& reply = ctx.reply();
  reply.Array(stream->group_count());
  if (stream->groups() == nullptr) return;
  for (const auto& [name, group] : *stream->groups()) {
    reply.Map(6);
    reply.Bulk("name");
    reply.Bulk(name);
    ReplyNumber(reply, "consumers", group->consumers().size());
    ReplyNumber(reply, "pending", group->pending().size());
    ReplyId(reply, "last-delivered-id", group->last_id);
    ReplyProgress(reply, *stream, *group);
  }
}

void InfoConsumers(CommandContext& ctx) {
  const std::optional<Stream> stream = FindStream(ctx);
  if (!stream) return;
  const StreamGroup* const group = stream->FindGroup(ctx.arg(3));
  if (group == nullptr) return ctx.reply().Error(NoSuchGroup(ctx.key(0).text, ctx.arg(3)));
  ReplyWriter& reply = ctx.reply();
  reply.Array(group->consumers().size());
  for (const auto& [name, consumer] : group->consumers()) {
    reply.Map(3);
    reply.Bulk("name");
    reply.Bulk(name);
    ReplyNumber(reply, "pending", consumer->pending().size());
    reply.Bulk("idle");
    reply.Integer(std::max(ctx.now() - consumer->seen_time, int64_t{0}));
  }
}

void InfoHelp(CommandContext& ctx) {
  static constexpr std::string_view kLines[] = {
      "CONSUMERS <key> <groupname>",
      "    Show consumers of <groupname>.",
      "GROUPS <key>",
      "    Show the stream consumer groups.",
      "STREAM <key> [FULL [COUNT <count>]",
      "    Show information about the stream.",
  };
  ReplyHelp(ctx, kLines);
}

constexpr CommandExtras kConsumersExtras = {.tips = "nondeterministic_output"};
constexpr CommandExtras kGroupsExtras = {.history =
                                             "7.0.0: Added the `entries-read` and `lag` fields"};
constexpr CommandExtras kStreamExtras = {
    .history =
        "6.0.0: Added the `FULL` modifier.\n"
        "7.0.0: Added the `max-deleted-entry-id`, `entries-added`, "
        "`recorded-first-entry-id`, `entries-read` and `lag` fields\n"
        "8.6.0: Added the `idmp-duration`, `idmp-maxsize`, `pids-tracked`, `iids-tracked`, "
        "`iids-added` and `iids-duplicates` fields\n"
        "8.8.0: Added the `nacked-count` field"};

// clang-format off
constexpr CommandSpec kInfoSubcommands[] = {
    {"consumers", 4, kReadOnly, Keys(2, 2, 1), kAclStream, &InfoConsumers, "5.0.0", "O(1)",
     "Lists the consumers of a group.", "key group", kConsumersExtras},
    {"groups", 3, kReadOnly, Keys(2, 2, 1), kAclStream, &InfoGroups, "5.0.0", "O(1)",
     "Lists the consumer groups of a stream.", "key", kGroupsExtras},
    {"help", 2, kLoading | kStale, kNoKeys, kAclStream, &InfoHelp, "5.0.0", "O(1)",
     "Lists the subcommands."},
    {"stream", -3, kReadOnly, Keys(2, 2, 1), kAclStream, &InfoStream, "5.0.0", "O(1)",
     "Tells about a stream.", "key [FULL [COUNT count]]", kStreamExtras},
};

constexpr CommandSpec kCommands[] = {
    {"xinfo", -2, 0, kNoKeys, kAclNone, nullptr, "5.0.0", "Depends on the subcommand.",
     "Tells about a stream, its groups and their consumers.", "",
     {.subcommands = kInfoSubcommands}},
};
// clang-format on
static_assert(IsWellFormed(kCommands));

}  // namespace

constinit const CommandFamily kStreamInfoFamily = {"stream", kCommands};

}  // namespace larder
