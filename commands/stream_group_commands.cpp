// Consumer groups: making and removing them, and acknowledging what their consumers were given.
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

constexpr std::string_view kNoStream =
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use "
    "the MKSTREAM option to create an empty stream automatically.";
constexpr std::string_view kGroupExists = "BUSYGROUP Consumer Group name already exists";
constexpr std::string_view kEntriesReadNegative =
    "ERR value for ENTRIESREAD must be positive or -1";

// ---- XGROUP CREATE and SETID

struct GroupOptions {
  bool make_stream = false;
  int64_t entries_read = StreamGroup::kUnknownRead;
};

bool ParseGroupOptions(CommandContext& ctx, bool may_make, GroupOptions& options) {
  bool good = true;
  for (size_t arg = 5; good && arg < ctx.argc(); ++arg) {
    if (may_make && EqualsIgnoreCase(ctx.arg(arg), "MKSTREAM")) {
      options.make_stream = true;
    } else if (arg + 1 < ctx.argc() && EqualsIgnoreCase(ctx.arg(arg), "ENTRIESREAD")) {
      if (!ParseInteger(ctx, ++arg, options.entries_read)) return false;
      if (options.entries_read < StreamGroup::kUnknownRead) {
        ctx.reply().Error(kEntriesReadNegative);
        return false;
      }
    } else {
      good = false;
    }
  }
  if (!good) ctx.reply().Error(BadSubcommand(ctx, "XGROUP"));
  return good;
}

// Options given twice are one by one no error; that there are too many is seen after the key.
bool HasAtMost(CommandContext& ctx, size_t most_arguments) {
  if (ctx.argc() <= most_arguments) return true;
  ctx.reply().Error(BadSubcommand(ctx, "XGROUP"));
  return false;
}

void GroupCreate(CommandContext& ctx) {
  GroupOptions options;
  if (!ParseGroupOptions(ctx, /*may_make=*/true, options)) return;
  const FoundValue<Stream> found = FindForWrite<Stream>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found && !options.make_stream) return ctx.reply().Error(kNoStream);
  if (!HasAtMost(ctx, 8)) return;
  StreamId id = found ? found.value().last_id() : StreamId();
  if (ctx.arg(4) != "$" && !ParseStreamId(ctx, 4, id)) return;
  const std::string_view name = ctx.arg(3);
  if (found && found.value().FindGroup(name) != nullptr) return ctx.reply().Error(kGroupExists);

  Edit<Stream> stream(ctx, 0, found.entry);
  stream->AddGroup(name, id, options.entries_read);
  if (found) {
    stream.DoneUnwatched();
    ctx.Notify(kNotifyStream, "xgroup-create", 0);
  } else {
    stream.Done(kNotifyStream, "xgroup-create");
  }
  ctx.reply().Ok();
}

// The stream of a subcommand that wants one and, in argument 3, the name of a group of it. Nothing
// after replying with an error.
std::optional<FoundValue<Stream>> FindGroup(CommandContext& ctx) {
  const FoundValue<Stream> found = FindForWrite<Stream>(ctx, 0);
  if (found.wrong_type) {
    ctx.reply().Error(error_text::kWrongType);
  } else if (!found) {
    ctx.reply().Error(kNoStream);
  } else if (found.value().FindGroup(ctx.arg(3)) == nullptr) {
    ctx.reply().Error(NoSuchGroup(ctx.key(0).text, ctx.arg(3)));
  } else {
    return found;
  }
  return std::nullopt;
}

void GroupSetId(CommandContext& ctx) {
  GroupOptions options;
  if (!ParseGroupOptions(ctx, /*may_make=*/false, options)) return;
  const std::optional<FoundValue<Stream>> found = FindGroup(ctx);
  if (!found || !HasAtMost(ctx, 7)) return;
  // Here, other than in CREATE, "-" and "+" are IDs as well.
  StreamId id = found->value().last_id();
  if (ctx.arg(4) != "$" && !ParseAnyStreamId(ctx, 4, id)) return;

  Edit<Stream> stream(ctx, 0, found->entry);
  StreamGroup& group = *stream->FindGroup(ctx.arg(3));
  group.last_id = id;
  group.entries_read = options.entries_read;
  stream.DoneUnwatched();
  ctx.Notify(kNotifyStream, "xgroup-setid", 0);
  ctx.reply().Ok();
}

void GroupDestroy(CommandContext& ctx) {
  const FoundValue<Stream> found = FindForWrite<Stream>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found) return ctx.reply().Error(kNoStream);
  if (found.value().FindGroup(ctx.arg(3)) == nullptr) return ctx.reply().Integer(0);

  Edit<Stream> stream(ctx, 0, found.entry);
  stream->RemoveGroup(ctx.arg(3));
  stream.DoneUnwatched();
  ctx.Notify(kNotifyStream, "xgroup-destroy", 0);
  // Who waits for the group waits in vain. To those who watch the key it has not changed.
  ctx.server().WakeWaiters(ctx.shard(0).id(), ctx.db());
  ctx.reply().Integer(1);
}

void GroupCreateConsumer(CommandContext& ctx) {
  const std::optional<FoundValue<Stream>> found = FindGroup(ctx);
  if (!found) return;
  Edit<Stream> stream(ctx, 0, found->entry);
  StreamGroup& group = *stream->FindGroup(ctx.arg(3));
  if (group.FindConsumer(ctx.arg(4)) != nullptr) return ctx.reply().Integer(0);
  group.AddConsumer(ctx.arg(4), ctx.now());
  stream.DoneUnwatched();
  ctx.Notify(kNotifyStream, "xgroup-createconsumer", 0);
  ctx.reply().Integer(1);
}

void GroupDeleteConsumer(CommandContext& ctx) {
  const std::optional<FoundValue<Stream>> found = FindGroup(ctx);
  if (!found) return;
  Edit<Stream> stream(ctx, 0, found->entry);
  StreamGroup& group = *stream->FindGroup(ctx.arg(3));
  StreamConsumer* const consumer = group.FindConsumer(ctx.arg(4));
  if (consumer == nullptr) return ctx.reply().Integer(0);
  const auto pending = static_cast<int64_t>(consumer->pending().size());
  group.RemoveConsumer(consumer);
  stream.DoneUnwatched();
  ctx.Notify(kNotifyStream, "xgroup-delconsumer", 0);
  ctx.reply().Integer(pending);
}

void GroupHelp(CommandContext& ctx) {
  static constexpr std::string_view kLines[] = {
      "CREATE <key> <groupname> <id|$> [option]",
      "    Create a new consumer group. Options are:",
      "    * MKSTREAM",
      "      Create the empty stream if it does not exist.",
      "    * ENTRIESREAD entries_read",
      "      Set the group's entries_read counter (internal use).",
      "CREATECONSUMER <key> <groupname> <consumer>",
      "    Create a new consumer in the specified group.",
      "DELCONSUMER <key> <groupname> <consumer>",
      "    Remove the specified consumer.",
      "DESTROY <key> <groupname>",
      "    Remove the specified group.",
      "SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]",
      "    Set the current group ID and entries_read counter.",
  };
  ReplyHelp(ctx, kLines);
}

// ---- XACK, XACKDEL

void XAck(CommandContext& ctx) {
  const FoundValue<Stream> found = FindForRead<Stream>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found || found.value().FindGroup(ctx.arg(2)) == nullptr) return ctx.reply().Integer(0);
  StreamId id;
  for (size_t arg = 3; arg < ctx.argc(); ++arg) {
    if (!ParseStreamId(ctx, arg, id)) return;
  }
  Edit<Stream> stream(ctx, 0, found.entry);
  StreamGroup& group = *stream->FindGroup(ctx.arg(2));
  int64_t acknowledged = 0;
  for (size_t arg = 3; arg < ctx.argc(); ++arg) {
    if (group.Acknowledge(*ParseStreamId(ctx.arg(arg)))) ++acknowledged;
  }
  stream.DoneUnwatched(acknowledged);
  ctx.reply().Integer(acknowledged);
}

struct AckDelRequest {
  StreamReferences references = StreamReferences::kKeep;
  size_t first = 0;  // Arguments of the IDs.
  size_t last = 0;
};

bool ParseAckDel(CommandContext& ctx, AckDelRequest& request) {
  for (size_t arg = 3; arg < ctx.argc(); ++arg) {
    if (TakeStreamReferences(ctx, arg, request.references)) continue;
    if (request.first != 0 || !EqualsIgnoreCase(ctx.arg(arg), "IDS")) {
      ctx.reply().Error(error_text::kSyntax);
      return false;
    }
    if (!ParseCountedIds(ctx, arg, request.first, request.last)) return false;
    arg = request.last;
  }
  if (request.first == 0) ctx.reply().Error(error_text::kSyntax);
  return request.first != 0;
}

void XAckDel(CommandContext& ctx) {
  AckDelRequest request;
  if (!ParseAckDel(ctx, request)) return;
  const FoundValue<Stream> found = FindForWrite<Stream>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  StreamId id;
  for (size_t arg = request.first; arg <= request.last; ++arg) {
    if (!ParseStreamId(ctx, arg, id)) return;
  }
  ReplyWriter& reply = ctx.reply();
  reply.Array(request.last - request.first + 1);
  if (!found || found.value().FindGroup(ctx.arg(2)) == nullptr) {
    for (size_t arg = request.first; arg <= request.last; ++arg) {
      reply.Integer(static_cast<int64_t>(StreamDeletion::kNotFound));
    }
    return;
  }
  Edit<Stream> stream(ctx, 0, found.entry);
  StreamGroup& group = *stream->FindGroup(ctx.arg(2));
  int64_t acknowledged = 0;
  int64_t deleted = 0;
  for (size_t arg = request.first; arg <= request.last; ++arg) {
    id = *ParseStreamId(ctx.arg(arg));
    StreamDeletion outcome = StreamDeletion::kNotFound;
    if (group.Acknowledge(id)) {
      ++acknowledged;
      outcome = stream->Erase(id, request.references);
      if (outcome == StreamDeletion::kDeleted) ++deleted;
      // It was pending, so what was asked for has happened, though the entry had gone before.
      if (outcome == StreamDeletion::kNotFound) outcome = StreamDeletion::kDeleted;
    }
    reply.Integer(static_cast<int64_t>(outcome));
  }
  if (deleted > 0) {
    stream.Done(kNotifyStream, "xdel", acknowledged + deleted);
  } else {
    stream.DoneUnwatched(acknowledged);
  }
}

constexpr KeySpecs kInserted = Keys(2, 2, 1, kKeyRw | kKeyInsert);
constexpr KeySpecs kUpdated = Keys(2, 2, 1, kKeyRw | kKeyUpdate);
constexpr KeySpecs kDeleted = Keys(2, 2, 1, kKeyRw | kKeyDelete);

constexpr CommandExtras kCreateExtras = {.history =
                                             "7.0.0: Added the `entries_read` named argument."};
constexpr CommandExtras kGroupSetIdExtras = {
    .history = "7.0.0: Added the optional `entries_read` argument."};

// clang-format off
constexpr CommandSpec kGroupSubcommands[] = {
    {"create", -5, kWrite | kDenyOom, kInserted, kAclStream, &GroupCreate, "5.0.0", "O(1)",
     "Creates a consumer group.", "key group (id|$) [MKSTREAM] [ENTRIESREAD entries-read]",
     kCreateExtras},
    {"createconsumer", 5, kWrite | kDenyOom, kInserted, kAclStream, &GroupCreateConsumer, "6.2.0",
     "O(1)", "Creates a consumer in a group.", "key group consumer"},
    {"delconsumer", 5, kWrite, kDeleted, kAclStream, &GroupDeleteConsumer, "5.0.0", "O(1)",
     "Removes a consumer from a group, with what is pending for it.", "key group consumer"},
    {"destroy", 4, kWrite, kDeleted, kAclStream, &GroupDestroy, "5.0.0",
     "O(N) where N is the number of entries pending in the group.", "Removes a consumer group.",
     "key group"},
    {"help", 2, kLoading | kStale, kNoKeys, kAclStream, &GroupHelp, "5.0.0", "O(1)",
     "Lists the subcommands."},
    {"setid", -5, kWrite, kUpdated, kAclStream, &GroupSetId, "5.0.0", "O(1)",
     "Sets the last ID that a consumer group has read.",
     "key group (id|$) [ENTRIESREAD entries-read]", kGroupSetIdExtras},
};

constexpr CommandSpec kCommands[] = {
    {"xack", -4, kWrite | kFast, Keys(1, 1, 1, kKeyRw | kKeyUpdate), kAclStream, &XAck, "5.0.0",
     "O(1) for each entry.", "Acknowledges entries that were given to a consumer of a group.",
     "key group id [id ...]"},
    {"xackdel", -6, kWrite | kFast, Keys(1, 1, 1, kKeyRw | kKeyDelete), kAclStream, &XAckDel,
     "8.2.0", "O(1) for each entry.",
     "Acknowledges entries in a consumer group and deletes them from the stream as all groups "
     "allow.",
     "key group [KEEPREF|DELREF|ACKED] IDS numids id [id ...]"},
    {"xgroup", -2, 0, kNoKeys, kAclNone, nullptr, "5.0.0", "Depends on the subcommand.",
     "Manages the consumer groups of a stream.", "", {.subcommands = kGroupSubcommands}},
};
// clang-format on
static_assert(IsWellFormed(kCommands));

}  // namespace

constinit const CommandFamily kStreamGroupFamily = {"stream", kCommands};

}  // namespace larder
