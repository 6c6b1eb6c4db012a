#include "commands/stream_arguments.h"

#include <cerrno>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "base/numbers.h"
#include "base/printed_text.h"
#include "base/text.h"
#include "commands/command_context.h"

namespace larder {
namespace {

// Longer texts are no IDs, whatever they say.
constexpr size_t kMaxIdText = 127;

constexpr std::string_view kInvalidStart = "ERR invalid start ID for the interval";
constexpr std::string_view kInvalidEnd = "ERR invalid end ID for the interval";
constexpr std::string_view kNumIdsNotPositive = "ERR Number of IDs must be a positive integer";
constexpr std::string_view kNumIdsMismatch =
    "ERR The `numids` parameter must match the number of arguments";

// What may stand at the ends of a range beside an ID.
std::optional<StreamId> ParseRangeId(std::string_view text, uint64_t missing_seq) {
  if (text == "-") return StreamId::Min();
  if (text == "+") return StreamId::Max();
  return ParseStreamId(text, missing_seq);
}

bool IsExclusive(std::string_view text) { return text.size() > 1 && text[0] == '('; }

// An ID behind "(".
bool ParseExclusive(CommandContext& ctx, size_t arg, uint64_t missing_seq, StreamId& id) {
  const std::optional<StreamId> parsed = ParseStreamId(ctx.arg(arg).substr(1), missing_seq);
  if (!parsed) {
    ctx.reply().Error(kInvalidStreamId);
    return false;
  }
  id = *parsed;
  return true;
}

bool ParseInclusive(CommandContext& ctx, size_t arg, uint64_t missing_seq, StreamId& id) {
  const std::optional<StreamId> parsed = ParseRangeId(ctx.arg(arg), missing_seq);
  if (!parsed) {
    ctx.reply().Error(kInvalidStreamId);
    return false;
  }
  id = *parsed;
  return true;
}

void ReplyValue(ReplyWriter& reply, const ListpackValue& value) {
  if (value.is_integer) return reply.BulkInteger(value.integer);
  reply.Bulk(value.text);
}

}  // namespace

std::optional<uint64_t> ParseStreamIdPart(std::string_view text) {
  if (const std::optional<uint64_t> number = ParseUint64(text)) return number;
  // Other spellings are rare. Redis takes those that strtoull takes, but no canonical negative.
  if (text.empty() || text.size() > kMaxIdText || ParseInt64(text)) return std::nullopt;
  const std::string terminated(text);
  char* end = nullptr;
  errno = 0;
  const uint64_t number = std::strtoull(terminated.c_str(), &end, 10);
  if (errno != 0 || end == terminated.c_str() || *end != '\0') return std::nullopt;
  return number;
}

std::optional<StreamId> ParseStreamId(std::string_view text, uint64_t missing_seq) {
  if (text.size() > kMaxIdText) return std::nullopt;
  text = text.substr(0, text.find('\0'));  // To Redis it ends there.
  const size_t dash = text.find('-');
  const std::optional<uint64_t> ms = ParseStreamIdPart(text.substr(0, dash));
  if (!ms) return std::nullopt;
  if (dash == std::string_view::npos) return StreamId{*ms, missing_seq};
  const std::optional<uint64_t> seq = ParseStreamIdPart(text.substr(dash + 1));
  if (!seq) return std::nullopt;
  return StreamId{*ms, *seq};
}

bool ParseStreamId(CommandContext& ctx, size_t arg, StreamId& id) {
  const std::optional<StreamId> parsed = ParseStreamId(ctx.arg(arg));
  if (!parsed) {
    ctx.reply().Error(kInvalidStreamId);
    return false;
  }
  id = *parsed;
  return true;
}

bool ParseAnyStreamId(CommandContext& ctx, size_t arg, StreamId& id) {
  return ParseInclusive(ctx, arg, 0, id);
}

bool ParseRangeStart(CommandContext& ctx, size_t arg, StreamId& id) {
  if (!IsExclusive(ctx.arg(arg))) return ParseInclusive(ctx, arg, 0, id);
  if (!ParseExclusive(ctx, arg, 0, id)) return false;
  if (id == StreamId::Max()) {
    ctx.reply().Error(kInvalidStart);
    return false;
  }
  id = id.Next();
  return true;
}

bool ParseRangeEnd(CommandContext& ctx, size_t arg, StreamId& id) {
  if (!IsExclusive(ctx.arg(arg))) return ParseInclusive(ctx, arg, StreamId::kMaxPart, id);
  if (!ParseExclusive(ctx, arg, StreamId::kMaxPart, id)) return false;
  if (id == StreamId::Min()) {
    ctx.reply().Error(kInvalidEnd);
    return false;
  }
  id = id.Previous();
  return true;
}

bool TakeStreamReferences(const CommandContext& ctx, size_t arg, StreamReferences& references) {
  const std::string_view word = ctx.arg(arg);
  if (EqualsIgnoreCase(word, "KEEPREF")) {
    references = StreamReferences::kKeep;
  } else if (EqualsIgnoreCase(word, "DELREF")) {
    references = StreamReferences::kDelete;
  } else if (EqualsIgnoreCase(word, "ACKED")) {
    references = StreamReferences::kAcknowledged;
  } else {
    return false;
  }
  return true;
}

bool ParseCountedIds(CommandContext& ctx, size_t arg, size_t& first, size_t& last) {
  if (arg + 1 == ctx.argc()) {
    ctx.reply().Error(error_text::kSyntax);
    return false;
  }
  const std::optional<int64_t> count = ParseInt64(ctx.arg(arg + 1));
  if (!count || *count <= 0) {
    ctx.reply().Error(kNumIdsNotPositive);
    return false;
  }
  if (static_cast<uint64_t>(*count) > ctx.argc() - arg - 2) {
    ctx.reply().Error(kNumIdsMismatch);
    return false;
  }
  first = arg + 2;
  last = arg + 1 + static_cast<size_t>(*count);
  return true;
}

std::string NoSuchKeyOrGroup(std::string_view key, std::string_view group) {
  return absl::StrCat("NOGROUP No such key '", AsPrinted(key), "' or consumer group '",
                      AsPrinted(group), "'");
}

std::string NoSuchGroup(std::string_view key, std::string_view group) {
  return absl::StrCat("NOGROUP No such consumer group '", AsPrinted(group), "' for key name '",
                      AsPrinted(key), "'");
}

std::string BadSubcommand(CommandContext& ctx, std::string_view container) {
  return absl::StrCat("ERR unknown subcommand or wrong number of arguments for '",
                      AsPrinted(ctx.arg(1)), "'. Try ", AsAbsl(container), " HELP.");
}

void ReplyStreamId(ReplyWriter& reply, StreamId id) {
  char text[StreamId::kMaxText];
  reply.Bulk({text, id.Format(text)});
}

void ReplyEntry(ReplyWriter& reply, const StreamCursor& cursor) {
  reply.Array(2);
  ReplyStreamId(reply, cursor.id());
  reply.Array(2 * cursor.field_count());
  cursor.ForEachField([&reply](const ListpackValue& field, const ListpackValue& value) {
    ReplyValue(reply, field);
    ReplyValue(reply, value);
  });
}

size_t ReplyEntries(ReplyWriter& reply, StreamCursor& cursor, uint64_t count) {
  const auto mark = reply.BeginDeferred();
  size_t replied = 0;
  while ((count == 0 || replied < count) && cursor.Next()) {
    ReplyEntry(reply, cursor);
    ++replied;
  }
  reply.EndDeferredArray(mark, replied);
  return replied;
}

}  // namespace larder
