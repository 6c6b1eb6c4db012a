// XREAD and XREADGROUP: what has come to one or more streams, now or as soon as something comes.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "base/text.h"
#include "commands/argument_parsers.h"
#include "commands/command_context.h"
#include "commands/edit.h"
#include "commands/families.h"
#include "commands/stream_arguments.h"
#include "storage/stream.h"

namespace larder {
namespace {

constexpr std::string_view kUnbalanced =
    "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.";
constexpr std::string_view kGroupInXRead =
    "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.";
constexpr std::string_view kNoAckInXRead =
    "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.";
constexpr std::string_view kNewInXRead =
    "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> "
    "option.";
constexpr std::string_view kMissingGroup = "ERR Missing GROUP option for XREADGROUP";
constexpr std::string_view kDollarInXReadGroup =
    "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of "
    "this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would "
    "just return an empty result set.";
constexpr std::string_view kKeyGone = "UNBLOCKED the stream key no longer exists";
constexpr std::string_view kGroupGone =
    "NOGROUP the consumer group this client was blocked on no longer exists";

// One of the streams that are read.
struct Source {
  bool only_new = false;  // ">": what the group has given to nobody yet.
  StreamId after;         // Otherwise what is larger than this.
};

struct ReadRequest {
  uint64_t count = 0;  // Of entries from each stream; 0: all.
  std::optional<std::chrono::milliseconds> block;
  bool in_group = false;
  std::string_view group;
  std::string_view consumer;
  bool no_ack = false;
  size_t streams_arg = 0;  // The first key's.
  size_t stream_count = 0;
  absl::InlinedVector<Source, 4> sources;  // By number of the key.

  size_t id_arg(size_t key) const { return streams_arg + stream_count + key; }
};

bool TakeStreams(CommandContext& ctx, size_t arg, bool groups, ReadRequest& request) {
  const size_t left = ctx.argc() - arg - 1;
  if (left % 2 != 0) {
    ctx.reply().Error(kUnbalanced);
    return false;
  }
  request.streams_arg = arg + 1;
  request.stream_count = left / 2;
  if (groups && !request.in_group) {
    ctx.reply().Error(kMissingGroup);
    return false;
  }
  // A word STREAMS further in front, as the group's name, leads the declaration of keys astray.
  if (ctx.key_count() != request.stream_count || ctx.key_arg(0) != request.streams_arg) {
    ctx.reply().Error(error_text::kSyntax);
    return false;
  }
  return true;
}

// The options up to STREAMS. `groups`: it is XREADGROUP.
bool ParseOptions(CommandContext& ctx, bool groups, ReadRequest& request) {
  for (size_t arg = 1; arg < ctx.argc(); ++arg) {
    const size_t more = ctx.argc() - arg - 1;
    const std::string_view word = ctx.arg(arg);
    if (more >= 1 && EqualsIgnoreCase(word, "BLOCK")) {
      std::chrono::milliseconds timeout{};
      if (!ParseBlockingTimeout(ctx, ++arg, TimeUnit::kMilliseconds, timeout)) return false;
      request.block = timeout;
    } else if (more >= 1 && EqualsIgnoreCase(word, "COUNT")) {
      int64_t count = 0;
      if (!ParseInteger(ctx, ++arg, count)) return false;
      request.count = count < 0 ? 0 : static_cast<uint64_t>(count);
    } else if (more >= 1 && EqualsIgnoreCase(word, "STREAMS")) {
      return TakeStreams(ctx, arg, groups, request);
    } else if (more >= 2 && EqualsIgnoreCase(word, "GROUP")) {
      if (!groups) return ctx.reply().Error(kGroupInXRead), false;
      request.in_group = true;
      request.group = ctx.arg(arg + 1);
      request.consumer = ctx.arg(arg + 2);
      arg += 2;
    } else if (EqualsIgnoreCase(word, "NOACK")) {
      if (!groups) return ctx.reply().Error(kNoAckInXRead), false;
      request.no_ack = true;
    } else {
      break;
    }
  }
  ctx.reply().Error(error_text::kSyntax);
  return false;
}

// ---- Replying.

// The reply's outer shape: a map from keys to entries, in RESP2 an array of pairs.
class StreamsReply {
 public:
  explicit StreamsReply(ReplyWriter& reply) : reply_(reply), mark_(reply.BeginDeferred()) {}

  void BeginStream(std::string_view key) {
    ++streams_;
    if (!reply_.resp3()) reply_.Array(2);
    reply_.Bulk(key);
  }
  // False if there was no stream; then nothing has been written.
  bool End() {
    if (streams_ == 0) return false;
    if (reply_.resp3()) {
      reply_.EndDeferredMap(mark_, streams_);
    } else {
      reply_.EndDeferredArray(mark_, streams_);
    }
    return true;
  }

 private:
  ReplyWriter& reply_;
  const ReplyWriter::DeferredMark mark_;
  size_t streams_ = 0;
};

// Whether there is an entry behind `after`. The last one tells, and is found at once.
bool HasEntryAfter(const Stream& stream, StreamId after) {
  if (stream.last_id() <= after) return false;
  StreamCursor cursor(stream, StreamId::Min(), StreamId::Max(), StreamCursor::Order::kBackward);
  return cursor.Next() && cursor.id() > after;
}

// Nothing has come for anybody yet. False: nobody waits for it.
bool MayWait(CommandContext& ctx, const ReadRequest& request) {
  if (request.block && !ctx.in_transaction()) return true;
  ctx.reply().NullArray();
  return false;
}

using ReplacedArgs = std::vector<std::pair<size_t, std::string>>;

void WaitForStreams(CommandContext& ctx, const ReadRequest& request, ReplacedArgs replaced = {}) {
  std::vector<size_t> keys(request.stream_count);
  for (size_t key = 0; key < keys.size(); ++key) keys[key] = key;
  ctx.BlockOnKeys({.deadline = DeadlineAfter(*request.block),
                   .on_timeout = [](ReplyWriter& reply) { reply.NullArray(); },
                   .when_deleted = request.in_group,
                   .replaced_args = std::move(replaced)},
                  keys);
}

// ---- XREAD

bool ParseAfter(CommandContext& ctx, const ReadRequest& request, size_t key,
                const FoundValue<Stream>& found, StreamId& after) {
  const std::string_view text = ctx.arg(request.id_arg(key));
  if (text == "$") {
    if (found) after = found.value().last_id();
    return true;
  }
  if (text == "+") {  // The last entry.
    if (!found) return true;
    StreamCursor cursor(found.value(), StreamId::Min(), StreamId::Max(),
                        StreamCursor::Order::kBackward);
    if (cursor.Next()) after = cursor.id().Previous();
    return true;
  }
  if (text == ">") {
    ctx.reply().Error(kNewInXRead);
    return false;
  }
  return ParseStreamId(ctx, request.id_arg(key), after);
}

// What "$" and "+" stand for is decided when the request comes, not when it is served.
ReplacedArgs ResolveNow(CommandContext& ctx, const ReadRequest& request) {
  ReplacedArgs replaced;
  for (size_t key = 0; key < request.stream_count; ++key) {
    const std::string_view text = ctx.arg(request.id_arg(key));
    if (text != "$" && text != "+") continue;
    char id[StreamId::kMaxText];
    const size_t size = request.sources[key].after.Format(id);
    replaced.emplace_back(request.id_arg(key), std::string(id, size));
  }
  return replaced;
}

bool ParseSources(CommandContext& ctx, ReadRequest& request) {
  for (size_t key = 0; key < request.stream_count; ++key) {
    const FoundValue<Stream> found = FindForRead<Stream>(ctx, key);
    if (found.wrong_type) {
      ctx.reply().Error(error_text::kWrongType);
      return false;
    }
    Source source;
    if (!ParseAfter(ctx, request, key, found, source.after)) return false;
    request.sources.push_back(source);
  }
  return true;
}

// A client that waits is served from the one stream that has changed, and even if what came has
// gone again at once.
void RetryXRead(CommandContext& ctx, const ReadRequest& request) {
  for (size_t key = 0; key < request.stream_count; ++key) {
    if (!ctx.WokenBy(key)) continue;
    const FoundValue<Stream> found = AsValue<Stream>(ctx.Peek(key));
    StreamId after;
    if (!found || !ParseAfter(ctx, request, key, found, after)) break;
    if (found.value().last_id() <= after) break;
    StreamsReply reply(ctx.reply());
    reply.BeginStream(ctx.key(key).text);
    StreamCursor cursor(found.value(), after.Next(), StreamId::Max());
    ReplyEntries(ctx.reply(), cursor, request.count);
    reply.End();
    return;
  }
  WaitForStreams(ctx, request);
}

void XRead(CommandContext& ctx) {
  ReadRequest request;
  if (!ParseOptions(ctx, /*groups=*/false, request)) return;
  if (ctx.retrying()) return RetryXRead(ctx, request);
  if (!ParseSources(ctx, request)) return;

  StreamsReply reply(ctx.reply());
  for (size_t key = 0; key < request.stream_count; ++key) {
    // Redis looks twice, too, and counts both.
    const FoundValue<Stream> found = FindForRead<Stream>(ctx, key);
    const StreamId after = request.sources[key].after;
    if (!found || !HasEntryAfter(found.value(), after)) continue;
    reply.BeginStream(ctx.key(key).text);
    StreamCursor cursor(found.value(), after.Next(), StreamId::Max());
    ReplyEntries(ctx.reply(), cursor, request.count);
  }
  if (reply.End() || !MayWait(ctx, request)) return;
  WaitForStreams(ctx, request, ResolveNow(ctx, request));
}

// ---- XREADGROUP

StreamConsumer& UsableConsumer(CommandContext& ctx, size_t key, StreamGroup& group,
                               std::string_view name) {
  if (StreamConsumer* const consumer = group.FindConsumer(name)) {
    consumer->seen_time = ctx.now();
    return *consumer;
  }
  StreamConsumer& consumer = group.AddConsumer(name, ctx.now());
  ctx.Notify(kNotifyStream, "xgroup-createconsumer", key);
  ctx.MarkDirty();
  return consumer;
}

// What has been given to nobody yet, and is the consumer's from now on.
void ReplyNew(CommandContext& ctx, const ReadRequest& request, const Stream& stream,
              StreamGroup& group, StreamConsumer& consumer) {
  ReplyWriter& reply = ctx.reply();
  const auto mark = reply.BeginDeferred();
  size_t replied = 0;
  if (group.last_id != StreamId::Max()) {
    StreamCursor cursor(stream, group.last_id.Next(), StreamId::Max());
    while ((request.count == 0 || replied < request.count) && cursor.Next()) {
      stream.AdvanceGroup(group, cursor.id());
      if (!request.no_ack) group.Deliver(cursor.id(), {ctx.now(), 1, &consumer});
      ReplyEntry(reply, cursor);
      ++replied;
    }
  }
  reply.EndDeferredArray(mark, replied);
}

// What the consumer has been given before and has not acknowledged.
void ReplyHistory(CommandContext& ctx, const ReadRequest& request, const Stream& stream,
                  StreamGroup& group, const StreamConsumer& consumer, StreamId after) {
  ReplyWriter& reply = ctx.reply();
  const auto mark = reply.BeginDeferred();
  size_t replied = 0;
  for (auto at = consumer.pending().upper_bound(after); at != consumer.pending().end(); ++at) {
    if (request.count != 0 && replied == request.count) break;
    ++replied;
    StreamCursor cursor(stream, *at, *at);
    if (cursor.Next()) {
      ReplyEntry(reply, cursor);
      PendingEntry& delivery = *group.FindPending(*at);
      delivery.delivered_at = ctx.now();
      delivery.CountDelivery();
    } else {
      reply.Array(2);
      ReplyStreamId(reply, *at);
      reply.NullArray();
    }
  }
  reply.EndDeferredArray(mark, replied);
}

void ReadFromGroup(CommandContext& ctx, const ReadRequest& request, size_t key, Entry* entry,
                   const Source& source) {
  Edit<Stream> stream(ctx, key, entry);
  StreamGroup& group = *stream->FindGroup(request.group);
  StreamConsumer& consumer = UsableConsumer(ctx, key, group, request.consumer);
  if (source.only_new) {
    ReplyNew(ctx, request, *stream, group, consumer);
  } else {
    ReplyHistory(ctx, request, *stream, group, consumer, source.after);
  }
  stream.DoneUnwatched();
}

bool ParseGroupSource(CommandContext& ctx, size_t id_arg, Source& source) {
  const std::string_view text = ctx.arg(id_arg);
  if (text == ">") {
    source.only_new = true;
    return true;
  }
  if (text == "$") {
    ctx.reply().Error(kDollarInXReadGroup);
    return false;
  }
  if (!ParseStreamId(ctx, id_arg, source.after)) return false;
  source.only_new = source.after == StreamId::Max();  // To Redis the same.
  return true;
}

bool ParseGroupSources(CommandContext& ctx, ReadRequest& request) {
  for (size_t key = 0; key < request.stream_count; ++key) {
    const FoundValue<Stream> found = FindForRead<Stream>(ctx, key);
    if (found.wrong_type) {
      ctx.reply().Error(error_text::kWrongType);
      return false;
    }
    if (!found || found.value().FindGroup(request.group) == nullptr) {
      ctx.reply().Error(absl::StrCat(AsAbsl(NoSuchKeyOrGroup(ctx.key(key).text, request.group)),
                                     " in XREADGROUP with GROUP option"));
      return false;
    }
    Source source;
    if (!ParseGroupSource(ctx, request.id_arg(key), source)) {
      return false;
    }
    request.sources.push_back(source);
  }
  return true;
}

// A client that waits is served from the one stream that has changed; and it is told if that has
// gone, or its group.
void RetryXReadGroup(CommandContext& ctx, const ReadRequest& request) {
  for (size_t key = 0; key < request.stream_count; ++key) {
    if (!ctx.WokenBy(key)) continue;
    const FoundValue<Stream> found = AsValue<Stream>(ctx.Peek(key));
    if (!found) return ctx.reply().Error(kKeyGone);
    const StreamGroup* const group = found.value().FindGroup(request.group);
    if (group == nullptr) return ctx.reply().Error(kGroupGone);
    if (found.value().last_id() <= group->last_id) break;
    StreamsReply reply(ctx.reply());
    reply.BeginStream(ctx.key(key).text);
    ReadFromGroup(ctx, request, key, found.entry, {.only_new = true, .after = {}});
    reply.End();
    return;
  }
  WaitForStreams(ctx, request);
}

void XReadGroup(CommandContext& ctx) {
  ReadRequest request;
  if (!ParseOptions(ctx, /*groups=*/true, request)) return;
  if (ctx.retrying()) return RetryXReadGroup(ctx, request);
  if (!ParseGroupSources(ctx, request)) return;

  StreamsReply reply(ctx.reply());
  for (size_t key = 0; key < request.stream_count; ++key) {
    // Redis looks twice, too, and counts both.
    const FoundValue<Stream> found = FindForRead<Stream>(ctx, key);
    const Source& source = request.sources[key];
    if (source.only_new &&
        !HasEntryAfter(found.value(), found.value().FindGroup(request.group)->last_id)) {
      continue;
    }
    reply.BeginStream(ctx.key(key).text);
    ReadFromGroup(ctx, request, key, found.entry, source);
  }
  if (!reply.End() && MayWait(ctx, request)) WaitForStreams(ctx, request);
}

// clang-format off
constexpr CommandSpec kCommands[] = {
    {"xread", -4, kReadOnly | kBlocking, KeysAfter("STREAMS", 1, -1, 1, 2), kAclStream, &XRead,
     "5.0.0", "O(N) for each stream, where N is the number of entries returned.",
     "Returns the entries of several streams behind given IDs, waiting for them if asked to.",
     "[COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]",
     {.history = "7.4.0: Added the `+` ID."}},
    {"xreadgroup", -7, kWrite | kBlocking, KeysAfter("STREAMS", 4, -1, 1, 2, kKeyRo | kKeyAccess),
     kAclStream, &XReadGroup, "5.0.0",
     "O(N) for each stream, where N is the number of entries returned.",
     "Returns the entries of several streams that a consumer group has given to nobody yet, or "
     "those that one of its consumers has not acknowledged.",
     "GROUP group consumer [COUNT count] [BLOCK milliseconds] [NOACK] STREAMS key [key ...] "
     "id [id ...]"},
};
// clang-format on
static_assert(IsWellFormed(kCommands));

}  // namespace

constinit const CommandFamily kStreamReadFamily = {"stream", kCommands};

}  // namespace larder
