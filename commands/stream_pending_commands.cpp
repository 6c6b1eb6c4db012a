// What was given to consumers of a group and is not acknowledged yet: seeing it, giving it to
// others and giving it back.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/numbers.h"
#include "base/printed_text.h"
#include "base/text.h"
#include "commands/argument_parsers.h"
#include "commands/command_context.h"
#include "commands/edit.h"
#include "commands/families.h"
#include "commands/stream_arguments.h"
#include "storage/stream.h"

namespace larder {
namespace {

constexpr std::string_view kXClaimMinIdle = "ERR Invalid min-idle-time argument for XCLAIM";
constexpr std::string_view kXAutoClaimMinIdle = "ERR Invalid min-idle-time argument for XAUTOCLAIM";
constexpr std::string_view kXClaimIdle = "ERR Invalid IDLE option argument for XCLAIM";
constexpr std::string_view kXClaimTime = "ERR Invalid TIME option argument for XCLAIM";
constexpr std::string_view kXClaimRetryCount = "ERR Invalid RETRYCOUNT option argument for XCLAIM";
constexpr std::string_view kXNackMode = "ERR mode must be SILENT, FAIL, or FATAL";
constexpr std::string_view kXNackNumIds = "ERR numids must be a positive integer";
constexpr std::string_view kXNackTooFewIds = "ERR number of IDs doesn't match numids";
constexpr std::string_view kXNackRetryCount = "ERR Invalid RETRYCOUNT value, must be >= 0";
constexpr std::string_view kCountNotPositive = "ERR COUNT must be > 0";
constexpr std::string_view kCountTooHigh =
    "ERR Insufficient memory, failed allocating transient memory, COUNT too high.";

constexpr std::string_view kConsumerCreated = "xgroup-createconsumer";

// How long ago it was given, as far as clocks can be trusted; -1 if no consumer has it.
int64_t IdleMillis(const PendingEntry& delivery, UnixMillis now) {
  if (delivery.consumer == nullptr) return -1;
  return std::max(now - delivery.delivered_at, int64_t{0});
}

// Whether it may go to another consumer: at once if none has it.
bool IsIdleFor(const PendingEntry& delivery, int64_t min_idle, UnixMillis now) {
  return delivery.consumer == nullptr || min_idle <= 0 || now - delivery.delivered_at >= min_idle;
}

std::string_view OwnerOf(const PendingEntry& delivery) {
  return delivery.consumer == nullptr ? std::string_view() : delivery.consumer->name();
}

// Whether a stream was found and has the group in argument 2. False after replying with an error.
bool HasGroup(CommandContext& ctx, const FoundValue<Stream>& found) {
  if (found.wrong_type) {
    ctx.reply().Error(error_text::kWrongType);
    return false;
  }
  if (!found || found.value().FindGroup(ctx.arg(2)) == nullptr) {
    ctx.reply().Error(NoSuchKeyOrGroup(ctx.key(0).text, ctx.arg(2)));
    return false;
  }
  return true;
}

// ---- XPENDING

void ReplyPendingSummary(CommandContext& ctx, const StreamGroup& group) {
  ReplyWriter& reply = ctx.reply();
  reply.Array(4);
  reply.Integer(static_cast<int64_t>(group.pending().size()));
  if (group.pending().empty()) {
    reply.Null();
    reply.Null();
    reply.NullArray();
    return;
  }
  ReplyStreamId(reply, group.pending().begin()->first);
  ReplyStreamId(reply, group.pending().rbegin()->first);
  const auto mark = reply.BeginDeferred();
  size_t consumers = 0;
  for (const auto& [name, consumer] : group.consumers()) {
    if (consumer->pending().empty()) continue;
    ++consumers;
    reply.Array(2);
    reply.Bulk(name);
    reply.BulkInteger(static_cast<int64_t>(consumer->pending().size()));
  }
  reply.EndDeferredArray(mark, consumers);
}

struct PendingRequest {
  int64_t min_idle = 0;
  StreamId start;
  StreamId end;
  int64_t count = 0;
  std::optional<std::string_view> consumer;
};

// key group [IDLE min-idle-time] start end count [consumer]
bool ParsePending(CommandContext& ctx, PendingRequest& request) {
  constexpr size_t kMostArguments = 9;
  size_t arg = 3;
  const bool has_idle = EqualsIgnoreCase(ctx.arg(arg), "IDLE");
  const auto refuse = [&] {
    ctx.reply().Error(error_text::kSyntax);
    return false;
  };
  if (ctx.argc() < 6 || ctx.argc() > kMostArguments) return refuse();
  if (has_idle) {
    if (!ParseInteger(ctx, arg + 1, request.min_idle)) return false;
    if (ctx.argc() < 8) return refuse();
    arg += 2;
  }
  if (!ParseInteger(ctx, arg + 2, request.count)) return false;
  request.count = std::max(request.count, int64_t{0});
  if (!ParseRangeStart(ctx, arg, request.start)) return false;
  if (!ParseRangeEnd(ctx, arg + 1, request.end)) return false;
  if (arg + 3 < ctx.argc()) request.consumer = ctx.arg(arg + 3);
  return true;
}

// Replies with a pending entry, if it has been idle for long enough.
bool ReplyPending(CommandContext& ctx, const PendingRequest& request, StreamId id,
                  const PendingEntry& delivery) {
  if (!IsIdleFor(delivery, request.min_idle, ctx.now())) return false;
  ctx.reply().Array(4);
  ReplyStreamId(ctx.reply(), id);
  ctx.reply().Bulk(OwnerOf(delivery));
  ctx.reply().Integer(IdleMillis(delivery, ctx.now()));
  ctx.reply().Integer(static_cast<int64_t>(delivery.deliveries));
  return true;
}

void ReplyPendingEntries(CommandContext& ctx, const PendingRequest& request,
                         const StreamGroup& group) {
  const StreamConsumer* consumer = nullptr;
  if (request.consumer) {
    consumer = group.FindConsumer(*request.consumer);
    if (consumer == nullptr) return ctx.reply().Array(0);
  }
  const auto mark = ctx.reply().BeginDeferred();
  int64_t replied = 0;
  if (consumer != nullptr) {
    for (auto at = consumer->pending().lower_bound(request.start);
         replied < request.count && at != consumer->pending().end() && *at <= request.end; ++at) {
      if (ReplyPending(ctx, request, *at, *group.FindPending(*at))) ++replied;
    }
  } else {
    for (auto at = group.pending().lower_bound(request.start);
         replied < request.count && at != group.pending().end() && at->first <= request.end; ++at) {
      if (ReplyPending(ctx, request, at->first, at->second)) ++replied;
    }
  }
  ctx.reply().EndDeferredArray(mark, static_cast<size_t>(replied));
}

void XPending(CommandContext& ctx) {
  const bool summary = ctx.argc() == 3;
  PendingRequest request;
  if (!summary && !ParsePending(ctx, request)) return;
  const FoundValue<Stream> found = FindForRead<Stream>(ctx, 0);
  if (!HasGroup(ctx, found)) return;
  const StreamGroup& group = *found.value().FindGroup(ctx.arg(2));
  if (summary) return ReplyPendingSummary(ctx, group);
  ReplyPendingEntries(ctx, request, group);
}

// ---- What XCLAIM and XAUTOCLAIM share.

// Who claims; made only once there is something to be claimed.
class Claimant {
 public:
  Claimant(CommandContext& ctx, StreamGroup& group) : ctx_(ctx), group_(group) {}

  StreamConsumer& consumer() {
    if (consumer_ != nullptr) return *consumer_;
    consumer_ = group_.FindConsumer(ctx_.arg(3));
    if (consumer_ != nullptr) {
      consumer_->seen_time = ctx_.now();
    } else {
      consumer_ = &group_.AddConsumer(ctx_.arg(3), ctx_.now());
      ctx_.Notify(kNotifyStream, kConsumerCreated, 0);
      ctx_.MarkDirty();
    }
    return *consumer_;
  }

 private:
  CommandContext& ctx_;
  StreamGroup& group_;
  StreamConsumer* consumer_ = nullptr;
};

void ReplyClaimed(CommandContext& ctx, StreamId id, const StreamCursor& entry, bool only_id) {
  if (only_id) return ReplyStreamId(ctx.reply(), id);
  ReplyEntry(ctx.reply(), entry);
}

// Argument 4.
bool ParseMinIdle(CommandContext& ctx, std::string_view error, int64_t& min_idle) {
  if (!ParseInteger(ctx, 4, min_idle, error)) return false;
  min_idle = std::max(min_idle, int64_t{0});
  return true;
}

// ---- XCLAIM

struct ClaimRequest {
  int64_t min_idle = 0;
  size_t end_of_ids = 5;  // The argument behind them.
  UnixMillis delivered_at = 0;
  std::optional<uint64_t> deliveries;
  bool force = false;
  bool only_id = false;
  StreamId last_id;
};

bool ParseClaimOption(CommandContext& ctx, size_t& arg, ClaimRequest& request) {
  const std::string_view word = ctx.arg(arg);
  const bool more = arg + 1 < ctx.argc();
  if (EqualsIgnoreCase(word, "FORCE")) {
    request.force = true;
  } else if (EqualsIgnoreCase(word, "JUSTID")) {
    request.only_id = true;
  } else if (more && EqualsIgnoreCase(word, "IDLE")) {
    int64_t idle = 0;
    if (!ParseInteger(ctx, ++arg, idle, kXClaimIdle)) return false;
    if (__builtin_sub_overflow(ctx.now(), idle, &request.delivered_at)) {
      request.delivered_at = ctx.now();
    }
  } else if (more && EqualsIgnoreCase(word, "TIME")) {
    if (!ParseInteger(ctx, ++arg, request.delivered_at, kXClaimTime)) return false;
  } else if (more && EqualsIgnoreCase(word, "RETRYCOUNT")) {
    int64_t count = 0;
    if (!ParseInteger(ctx, ++arg, count, kXClaimRetryCount)) return false;
    request.deliveries.reset();
    if (count >= 0) request.deliveries = static_cast<uint64_t>(count);
  } else if (more && EqualsIgnoreCase(word, "LASTID")) {
    return ParseStreamId(ctx, ++arg, request.last_id);
  } else {
    ctx.reply().Error(absl::StrCat("ERR Unrecognized XCLAIM option '", AsPrinted(word), "'"));
    return false;
  }
  return true;
}

bool ParseClaim(CommandContext& ctx, ClaimRequest& request) {
  if (!ParseMinIdle(ctx, kXClaimMinIdle, request.min_idle)) return false;
  request.delivered_at = ctx.now();
  size_t& arg = request.end_of_ids;
  while (arg < ctx.argc() && ParseStreamId(ctx.arg(arg))) ++arg;
  for (size_t option = arg; option < ctx.argc(); ++option) {
    if (!ParseClaimOption(ctx, option, request)) return false;
  }
  if (request.delivered_at < 0 || request.delivered_at > ctx.now()) {
    request.delivered_at = ctx.now();
  }
  return true;
}

// Replies with the entry and returns true if it has been claimed.
bool ClaimOne(CommandContext& ctx, const ClaimRequest& request, const Stream& stream,
              StreamGroup& group, Claimant& claimant, StreamId id) {
  StreamCursor entry(stream, id, id);
  if (!entry.Next()) {
    // Nobody can work on what is not there any more.
    if (group.Acknowledge(id)) ctx.MarkDirty();
    return false;
  }
  PendingEntry delivery{.delivered_at = request.delivered_at, .deliveries = 1};
  if (const PendingEntry* const pending = group.FindPending(id)) {
    if (!IsIdleFor(*pending, request.min_idle, ctx.now())) return false;
    delivery.deliveries = pending->deliveries;
  } else if (!request.force) {
    return false;
  }
  delivery.consumer = &claimant.consumer();
  if (request.deliveries) {
    delivery.deliveries = *request.deliveries;
  } else if (!request.only_id) {
    delivery.CountDelivery();
  }
  group.Deliver(id, delivery);
  ReplyClaimed(ctx, id, entry, request.only_id);
  ctx.MarkDirty();
  return true;
}

void XClaim(CommandContext& ctx) {
  const FoundValue<Stream> found = FindForRead<Stream>(ctx, 0);
  if (!HasGroup(ctx, found)) return;
  ClaimRequest request;
  if (!ParseClaim(ctx, request)) return;

  Edit<Stream> stream(ctx, 0, found.entry);
  StreamGroup& group = *stream->FindGroup(ctx.arg(2));
  if (request.last_id > group.last_id) {
    group.last_id = request.last_id;
    ctx.MarkDirty();
  }
  Claimant claimant(ctx, group);
  const auto mark = ctx.reply().BeginDeferred();
  size_t claimed = 0;
  for (size_t arg = 5; arg < request.end_of_ids; ++arg) {
    if (ClaimOne(ctx, request, *stream, group, claimant, *ParseStreamId(ctx.arg(arg)))) ++claimed;
  }
  ctx.reply().EndDeferredArray(mark, claimed);
  stream.DoneUnwatched(0);
}

// ---- XAUTOCLAIM

struct AutoClaimRequest {
  int64_t min_idle = 0;
  StreamId start;
  int64_t count = 100;
  bool only_id = false;
};

bool ParseAutoClaim(CommandContext& ctx, AutoClaimRequest& request) {
  // What Redis could allocate an array of IDs for.
  constexpr int64_t kMostCount =
      std::numeric_limits<int64_t>::max() / static_cast<int64_t>(sizeof(StreamId));
  if (!ParseMinIdle(ctx, kXAutoClaimMinIdle, request.min_idle)) return false;
  if (!ParseRangeStart(ctx, 5, request.start)) return false;
  for (size_t arg = 6; arg < ctx.argc(); ++arg) {
    if (arg + 1 < ctx.argc() && EqualsIgnoreCase(ctx.arg(arg), "COUNT")) {
      if (!ParseInteger(ctx, ++arg, request.count, kCountNotPositive)) return false;
      if (request.count < 1 || request.count > kMostCount) {
        ctx.reply().Error(kCountNotPositive);
        return false;
      }
    } else if (EqualsIgnoreCase(ctx.arg(arg), "JUSTID")) {
      request.only_id = true;
    } else {
      ctx.reply().Error(error_text::kSyntax);
      return false;
    }
  }
  return true;
}

// Walks what is pending and claims what has been for too long; its reply is the array of that.
class AutoClaim {
 public:
  AutoClaim(CommandContext& ctx, const AutoClaimRequest& request, const Stream& stream,
            StreamGroup& group)
      : ctx_(ctx), request_(request), stream_(stream), group_(group), claimant_(ctx, group) {}

  void Run() {
    constexpr int64_t kLooksForEach = 10;  // Entries looked at for each that may be claimed.
    const auto mark = ctx_.reply().BeginDeferred();
    int64_t looks = request_.count * kLooksForEach;
    auto at = group_.pending().lower_bound(request_.start);
    while (at != group_.pending().end() && looks-- > 0 &&
           claimed_ + gone_count() < request_.count) {
      const StreamId id = at->first;
      Look(id);
      at = group_.pending().upper_bound(id);
    }
    if (at != group_.pending().end()) next_ = at->first;
    ctx_.reply().EndDeferredArray(mark, static_cast<size_t>(claimed_));
  }

  StreamId next() const { return next_; }                      // Where to go on; 0-0 at the end.
  const std::vector<StreamId>& gone() const { return gone_; }  // Pending, but not in the stream.

 private:
  int64_t gone_count() const { return static_cast<int64_t>(gone_.size()); }

  void Look(StreamId id) {
    StreamCursor entry(stream_, id, id);
    if (!entry.Next()) {
      group_.Acknowledge(id);
      gone_.push_back(id);
      ctx_.MarkDirty();
      return;
    }
    PendingEntry delivery = *group_.FindPending(id);
    if (!IsIdleFor(delivery, request_.min_idle, ctx_.now())) return;
    delivery.delivered_at = ctx_.now();
    if (!request_.only_id) delivery.CountDelivery();
    delivery.consumer = &claimant_.consumer();
    group_.Deliver(id, delivery);
    ReplyClaimed(ctx_, id, entry, request_.only_id);
    ++claimed_;
    ctx_.MarkDirty();
  }

  CommandContext& ctx_;
  const AutoClaimRequest& request_;
  const Stream& stream_;
  StreamGroup& group_;
  Claimant claimant_;
  int64_t claimed_ = 0;
  std::vector<StreamId> gone_;
  StreamId next_;
};

void XAutoClaim(CommandContext& ctx) {
  // Redis cannot allocate its array for more than fits into an address space.
  constexpr int64_t kTooHigh = int64_t{1} << 43;
  const FoundValue<Stream> found = FindForRead<Stream>(ctx, 0);
  AutoClaimRequest request;
  if (!ParseAutoClaim(ctx, request) || !HasGroup(ctx, found)) return;
  if (request.count >= kTooHigh) return ctx.reply().Error(kCountTooHigh);

  Edit<Stream> stream(ctx, 0, found.entry);
  ReplyWriter& reply = ctx.reply();
  const auto mark = reply.BeginDeferred();
  AutoClaim claim(ctx, request, *stream, *stream->FindGroup(ctx.arg(2)));
  claim.Run();
  reply.Array(claim.gone().size());
  for (const StreamId id : claim.gone()) ReplyStreamId(reply, id);
  // Where to go on is known last but said first.
  OutputBuffer head;
  ReplyWriter head_reply(head, reply.version());
  head_reply.Array(3);
  ReplyStreamId(head_reply, claim.next());
  reply.out().Insert(mark, head.ToString());
  stream.DoneUnwatched(0);
}

// ---- XNACK

struct ReleaseRequest {
  // What the consumer says of the delivery it gives back.
  enum class Mode : uint8_t {
    kSilent,  // It does not count.
    kFail,    // It has failed.
    kFatal,   // Every other would fail as well.
  };

  Mode mode = Mode::kSilent;
  size_t first = 0;  // Arguments of the IDs.
  size_t last = 0;
  std::optional<uint64_t> deliveries;
  bool force = false;  // Also what is not pending.
};

std::optional<ReleaseRequest::Mode> ParseReleaseMode(std::string_view word) {
  if (EqualsIgnoreCase(word, "SILENT")) return ReleaseRequest::Mode::kSilent;
  if (EqualsIgnoreCase(word, "FAIL")) return ReleaseRequest::Mode::kFail;
  if (EqualsIgnoreCase(word, "FATAL")) return ReleaseRequest::Mode::kFatal;
  return std::nullopt;
}

// IDS numids id [id ...], from argument 4 on. Other than XACKDEL's, and so are its errors.
bool ParseReleasedIds(CommandContext& ctx, ReleaseRequest& request) {
  constexpr size_t kFirstId = 6;
  if (!EqualsIgnoreCase(ctx.arg(4), "IDS")) {
    ctx.reply().Error(error_text::kSyntax);
    return false;
  }
  const std::optional<int64_t> count = ParseInt64(ctx.arg(5));
  if (!count || *count < 1 || *count > std::numeric_limits<int32_t>::max()) {
    ctx.reply().Error(kXNackNumIds);
    return false;
  }
  if (static_cast<size_t>(*count) > ctx.argc() - kFirstId) {
    ctx.reply().Error(kXNackTooFewIds);
    return false;
  }
  request.first = kFirstId;
  request.last = kFirstId + static_cast<size_t>(*count) - 1;
  StreamId id;
  for (size_t arg = request.first; arg <= request.last; ++arg) {
    if (!ParseStreamId(ctx, arg, id)) return false;
  }
  return true;
}

bool ParseReleaseOption(CommandContext& ctx, size_t& arg, ReleaseRequest& request) {
  const std::string_view word = ctx.arg(arg);
  if (EqualsIgnoreCase(word, "FORCE")) {
    request.force = true;
    return true;
  }
  if (arg + 1 == ctx.argc() || !EqualsIgnoreCase(word, "RETRYCOUNT")) {
    ctx.reply().Error(absl::StrCat("ERR Unrecognized XNACK option '", AsPrinted(word), "'"));
    return false;
  }
  int64_t count = 0;
  if (!ParseInteger(ctx, ++arg, count)) return false;
  if (count < 0) {
    ctx.reply().Error(kXNackRetryCount);
    return false;
  }
  request.deliveries = static_cast<uint64_t>(count);
  return true;
}

bool ParseRelease(CommandContext& ctx, ReleaseRequest& request) {
  const std::optional<ReleaseRequest::Mode> mode = ParseReleaseMode(ctx.arg(3));
  if (!mode) {
    ctx.reply().Error(kXNackMode);
    return false;
  }
  request.mode = *mode;
  if (!ParseReleasedIds(ctx, request)) return false;
  for (size_t arg = request.last + 1; arg < ctx.argc(); ++arg) {
    if (!ParseReleaseOption(ctx, arg, request)) return false;
  }
  return true;
}

// How often the entry counts as delivered once it has been given back.
uint64_t DeliveriesAfter(const ReleaseRequest& request, uint64_t deliveries) {
  if (request.deliveries) return *request.deliveries;
  switch (request.mode) {
    case ReleaseRequest::Mode::kSilent:
      return deliveries == 0 ? 0 : deliveries - 1;
    case ReleaseRequest::Mode::kFail:
      return deliveries;
    case ReleaseRequest::Mode::kFatal:
      return PendingEntry::kMostDeliveries;
  }
  return deliveries;
}

bool ReleaseOne(const ReleaseRequest& request, const Stream& stream, StreamGroup& group,
                StreamId id) {
  const PendingEntry* const pending = group.FindPending(id);
  if (pending == nullptr && !(request.force && stream.Contains(id))) return false;
  const uint64_t deliveries = pending == nullptr ? 0 : pending->deliveries;
  group.Deliver(
      id,
      {.delivered_at = 0, .deliveries = DeliveriesAfter(request, deliveries), .consumer = nullptr});
  return true;
}

void XNack(CommandContext& ctx) {
  const FoundValue<Stream> found = FindForWrite<Stream>(ctx, 0);
  if (!HasGroup(ctx, found)) return;
  ReleaseRequest request;
  if (!ParseRelease(ctx, request)) return;

  Edit<Stream> stream(ctx, 0, found.entry);
  StreamGroup& group = *stream->FindGroup(ctx.arg(2));
  int64_t released = 0;
  for (size_t arg = request.first; arg <= request.last; ++arg) {
    if (ReleaseOne(request, *stream, group, *ParseStreamId(ctx.arg(arg)))) ++released;
  }
  stream.DoneUnwatched(released);
  ctx.reply().Integer(released);
}

constexpr CommandExtras kVarying = {.tips = "nondeterministic_output"};
constexpr CommandExtras kAutoClaimExtras = {
    .tips = "nondeterministic_output",
    .history =
        "7.0.0: Added an element to the reply array, containing deleted entries the command "
        "cleared from the PEL"};
constexpr CommandExtras kPendingExtras = {
    .tips = "nondeterministic_output",
    .history = "6.2.0: Added the `IDLE` option and exclusive range intervals."};

// clang-format off
constexpr CommandSpec kCommands[] = {
    {"xautoclaim", -6, kWrite | kFast, Keys(1, 1, 1, kKeyRw | kKeyDelete), kAclStream, &XAutoClaim,
     "6.2.0", "O(1) if COUNT is small.",
     "Gives entries that are pending for too long to another consumer, and returns them.",
     "key group consumer min-idle-time start [COUNT count] [JUSTID]", kAutoClaimExtras},
    {"xclaim", -6, kWrite | kFast, Keys(1, 1, 1, kKeyRw | kKeyUpdate), kAclStream, &XClaim,
     "5.0.0", "O(log N) for each entry, where N is the number of entries pending in the group.",
     "Gives pending entries to another consumer, and returns them.",
     "key group consumer min-idle-time id [id ...] [IDLE milliseconds] "
     "[TIME unix-time-milliseconds] [RETRYCOUNT count] [FORCE] [JUSTID] [LASTID last-id]",
     kVarying},
    {"xnack", -7, kWrite | kFast, Keys(1, 1, 1, kKeyRw | kKeyUpdate), kAclStream, &XNack, "8.8.0",
     "O(1) for each entry.",
     "Gives pending entries back to the group, so that any consumer may claim them at once.",
     "key group (SILENT|FAIL|FATAL) IDS numids id [id ...] [RETRYCOUNT count] [FORCE]"},
    {"xpending", -3, kReadOnly, Keys(1, 1, 1), kAclStream, &XPending, "5.0.0",
     "O(N) where N is the number of entries returned, or with IDLE looked at; the summary takes "
     "O(N) where N is the number of consumers.",
     "Tells which entries were given to consumers of a group and are not acknowledged.",
     "key group [[IDLE min-idle-time] start end count [consumer]]", kPendingExtras},
};
// clang-format on
static_assert(IsWellFormed(kCommands));

}  // namespace

constinit const CommandFamily kStreamPendingFamily = {"stream", kCommands};

}  // namespace larder
