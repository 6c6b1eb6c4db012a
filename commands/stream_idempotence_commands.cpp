// How long a stream remembers the messages that its producers named (XADD IDMP), and telling it of
// one.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/text.h"
#include "commands/argument_parsers.h"
#include "commands/command_context.h"
#include "commands/edit.h"
#include "commands/families.h"
#include "commands/stream_arguments.h"
#include "storage/stream.h"

namespace larder {
namespace {

constexpr std::string_view kNoParameter = "ERR At least one parameter must be specified";
constexpr std::string_view kBadDuration = "ERR IDMP-DURATION must be between 1 and 86400 seconds";
constexpr std::string_view kBadMaxSize = "ERR IDMP-MAXSIZE must be between 1 and 10000 entries";
constexpr std::string_view kEmptyProducer = "ERR XIDMPRECORD requires a non-empty producer ID";
constexpr std::string_view kEmptyName = "ERR XIDMPRECORD requires a non-empty idempotent ID";
constexpr std::string_view kNoEntry = "ERR The specified stream ID was deleted or doesn't exist";
constexpr std::string_view kOtherEntry =
    "ERR The specified IDMP producer-id/idempotent-id pair maps to a different stream ID";

// The stream to change. Null after replying with an error.
FoundValue<Stream> FindStream(CommandContext& ctx) {
  const FoundValue<Stream> found = FindForWrite<Stream>(ctx, 0);
  if (found.wrong_type) {
    ctx.reply().Error(error_text::kWrongType);
  } else if (!found) {
    ctx.reply().Error(error_text::kNoSuchKey);
  }
  return found;
}

// The key has changed, which concerns those who watch it; but it is no event.
void DoneWithoutEvent(Edit<Stream>& stream) { stream.Done(/*notify_class=*/0, /*event=*/{}); }

// ---- XCFGSET

struct LimitsRequest {
  std::optional<int64_t> duration_seconds;
  std::optional<int64_t> max_size;
};

bool ParseBetween(CommandContext& ctx, size_t arg, int64_t most, std::string_view error,
                  std::optional<int64_t>& value) {
  if (arg == ctx.argc()) {
    ctx.reply().Error(error_text::kSyntax);
    return false;
  }
  int64_t number = 0;
  if (!ParseInteger(ctx, arg, number)) return false;
  if (number < 1 || number > most) {
    ctx.reply().Error(error);
    return false;
  }
  value = number;
  return true;
}

bool ParseLimits(CommandContext& ctx, LimitsRequest& request) {
  constexpr int64_t kLongestDuration = 86'400;
  constexpr int64_t kLargestSize = 10'000;
  for (size_t arg = 2; arg < ctx.argc(); arg += 2) {
    if (EqualsIgnoreCase(ctx.arg(arg), "IDMP-DURATION")) {
      if (!ParseBetween(ctx, arg + 1, kLongestDuration, kBadDuration, request.duration_seconds)) {
        return false;
      }
    } else if (EqualsIgnoreCase(ctx.arg(arg), "IDMP-MAXSIZE")) {
      if (!ParseBetween(ctx, arg + 1, kLargestSize, kBadMaxSize, request.max_size)) return false;
    } else {
      ctx.reply().Error(error_text::kSyntax);
      return false;
    }
  }
  if (ctx.argc() == 2) ctx.reply().Error(kNoParameter);
  return ctx.argc() > 2;
}

void XCfgSet(CommandContext& ctx) {
  LimitsRequest request;
  if (!ParseLimits(ctx, request)) return;
  const FoundValue<Stream> found = FindStream(ctx);
  if (!found) return;
  Edit<Stream> stream(ctx, 0, found.entry);
  StreamIdempotence& idempotence = stream->UsableIdempotence();
  StreamIdempotence::Limits limits = idempotence.limits();
  if (request.duration_seconds) limits.duration = std::chrono::seconds(*request.duration_seconds);
  if (request.max_size) limits.max_size = static_cast<size_t>(*request.max_size);
  idempotence.SetLimits(limits);
  DoneWithoutEvent(stream);
  ctx.reply().Ok();
}

// ---- XIDMPRECORD

void XIdmpRecord(CommandContext& ctx) {
  const std::string_view producer = ctx.arg(2);
  const std::string_view name = ctx.arg(3);
  StreamId id;
  if (producer.empty()) return ctx.reply().Error(kEmptyProducer);
  if (name.empty()) return ctx.reply().Error(kEmptyName);
  if (!ParseStreamId(ctx, 4, id)) return;
  const FoundValue<Stream> found = FindStream(ctx);
  if (!found) return;
  if (!found.value().Contains(id)) return ctx.reply().Error(kNoEntry);
  if (const StreamIdempotence* const known = found.value().idempotence()) {
    if (const std::optional<StreamId> before = known->Find(producer, name, ctx.now())) {
      if (*before != id) return ctx.reply().Error(kOtherEntry);
      return ctx.reply().Ok();
    }
  }
  Edit<Stream> stream(ctx, 0, found.entry);
  stream->UsableIdempotence().Record(producer, name, id, ctx.now());
  DoneWithoutEvent(stream);
  ctx.reply().Ok();
}

constexpr KeySpecs kUpdatedKey = Keys(1, 1, 1, kKeyRw | kKeyUpdate);

// clang-format off
constexpr CommandSpec kCommands[] = {
    {"xcfgset", -2, kWrite | kFast, kUpdatedKey, kAclStream, &XCfgSet, "8.6.0",
     "O(N) where N is the number of messages that are forgotten because a limit has changed.",
     "Sets for how long, and how many of them, a stream remembers the messages that its producers "
     "named.",
     "key [IDMP-DURATION duration:integer] [IDMP-MAXSIZE maxsize:integer]"},
    {"xidmprecord", 5, kWrite | kDenyOom | kFast, kUpdatedKey, kAclStream, &XIdmpRecord, "8.6.2",
     "O(1)",
     "Tells a stream which of its entries a producer's message has become; for what replays "
     "commands.",
     "key producer-id idempotent-id stream-id"},
};
// clang-format on
static_assert(IsWellFormed(kCommands));

}  // namespace

constinit const CommandFamily kStreamIdempotenceFamily = {"stream", kCommands};

}  // namespace larder
