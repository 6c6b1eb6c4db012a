// Streams as such: entries in, entries out.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/numbers.h"
#include "base/text.h"
#include "commands/argument_parsers.h"
#include "commands/command_context.h"
#include "commands/edit.h"
#include "commands/families.h"
#include "commands/message_digest.h"
#include "commands/stream_arguments.h"
#include "storage/stream.h"

namespace larder {
namespace {

constexpr std::string_view kNotAbove =
    "ERR The ID specified in XADD is equal or smaller than the target stream top item";
constexpr std::string_view kZeroId = "ERR The ID specified in XADD must be greater than 0-0";
constexpr std::string_view kExhausted =
    "ERR The stream has exhausted the last possible ID, unable to add more items";
constexpr std::string_view kTooLarge = "ERR Elements are too large to be stored";
constexpr std::string_view kTwoNames = "ERR IDMP/IDMPAUTO specified multiple times";
constexpr std::string_view kNameNeedsNewId =
    "ERR IDMP/IDMPAUTO can be used only with auto-generated IDs";
constexpr std::string_view kEmptyProducer = "ERR IDMP requires a non-empty producer ID";
constexpr std::string_view kEmptyName = "ERR IDMP requires a non-empty idempotent ID";
constexpr std::string_view kEmptyAutoProducer = "ERR IDMPAUTO requires a non-empty producer ID";
constexpr std::string_view kTwoStrategies =
    "ERR syntax error, MAXLEN and MINID options at the same time are not compatible";
constexpr std::string_view kNegativeMaxLen = "ERR The MAXLEN argument must be >= 0.";
constexpr std::string_view kNegativeLimit = "ERR The LIMIT argument must be >= 0.";
constexpr std::string_view kLimitWithoutStrategy =
    "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy";
constexpr std::string_view kLimitWithoutTilde =
    "ERR syntax error, LIMIT cannot be used without the special ~ option";
constexpr std::string_view kNoStrategy =
    "ERR syntax error, XTRIM must be called with a trimming strategy";
constexpr std::string_view kBelowTop =
    "ERR The ID specified in XSETID is smaller than the target stream top item";
constexpr std::string_view kBelowMaxDeleted =
    "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id";
constexpr std::string_view kEntriesAddedNegative = "ERR entries_added must be positive";
constexpr std::string_view kEntriesAddedBelowLength =
    "ERR The entries_added specified in XSETID is smaller than the target stream length";

// ---- MAXLEN and MINID, of XADD and XTRIM.

class TrimOption {
 public:
  // Takes the option that starts at argument `arg`, which is set to its last argument. Without an
  // answer it is none of these; false: it has been refused.
  std::optional<bool> Take(CommandContext& ctx, size_t& arg) {
    if (TakeStreamReferences(ctx, arg, trim_.references)) return true;
    if (arg + 1 >= ctx.argc()) return std::nullopt;
    const std::string_view word = ctx.arg(arg);
    if (EqualsIgnoreCase(word, "MAXLEN")) return TakeStrategy(ctx, arg, StreamTrim::By::kMaxLength);
    if (EqualsIgnoreCase(word, "MINID")) return TakeStrategy(ctx, arg, StreamTrim::By::kMinId);
    if (EqualsIgnoreCase(word, "LIMIT")) return TakeLimit(ctx, arg);
    return std::nullopt;
  }

  // Whether what was given fits together. False after replying with an error.
  bool Finish(CommandContext& ctx, bool optional) {
    if (trim_.by == StreamTrim::By::kNothing) {
      if (optional && !limit_) return true;
      ctx.reply().Error(limit_.value_or(0) != 0 ? kLimitWithoutStrategy
                        : optional              ? kLimitWithoutTilde
                                                : kNoStrategy);
      return false;
    }
    if (!trim_.approximate) {
      if (!limit_) return true;
      ctx.reply().Error(kLimitWithoutTilde);
      return false;
    }
    trim_.max_deletions = static_cast<uint64_t>(limit_.value_or(DefaultLimit(ctx)));
    return true;
  }

  bool given() const { return trim_.by != StreamTrim::By::kNothing; }
  const StreamTrim& trim() const { return trim_; }

 private:
  // By this a client that trims a little at each call never waits for long.
  static int64_t DefaultLimit(const CommandContext& ctx) {
    constexpr int64_t kNodes = 100;
    constexpr int64_t kMost = 1'000'000;
    constexpr int64_t kWithoutNodes = 10'000;
    const int64_t node_entries = ctx.settings().encoding.stream_node_max_entries;
    if (node_entries <= 0) return kWithoutNodes;
    return node_entries > kMost / kNodes ? kMost : kNodes * node_entries;
  }

  bool TakeStrategy(CommandContext& ctx, size_t& arg, StreamTrim::By by) {
    if (given()) {
      ctx.reply().Error(kTwoStrategies);
      return false;
    }
    trim_.by = by;
    ++arg;
    if (arg + 1 < ctx.argc() && (ctx.arg(arg) == "~" || ctx.arg(arg) == "=")) {
      trim_.approximate = ctx.arg(arg) == "~";
      ++arg;
    }
    if (by == StreamTrim::By::kMinId) return ParseStreamId(ctx, arg, trim_.min_id);
    int64_t length = 0;
    if (!ParseNotNegative(ctx, arg, kNegativeMaxLen, length)) return false;
    trim_.max_length = static_cast<uint64_t>(length);
    return true;
  }

  bool TakeLimit(CommandContext& ctx, size_t& arg) {
    int64_t limit = 0;
    if (!ParseNotNegative(ctx, ++arg, kNegativeLimit, limit)) return false;
    limit_ = limit;
    return true;
  }

  static bool ParseNotNegative(CommandContext& ctx, size_t arg, std::string_view error,
                               int64_t& value) {
    if (!ParseInteger(ctx, arg, value)) return false;
    if (value >= 0) return true;
    ctx.reply().Error(error);
    return false;
  }

  StreamTrim trim_;
  std::optional<int64_t> limit_;
};

// ---- IDMP and IDMPAUTO, of XADD

// By which name the producer knows the message, so that it can be sent again without harm.
class NameOption {
 public:
  // As TrimOption::Take.
  std::optional<bool> Take(CommandContext& ctx, size_t& arg) {
    const size_t more = ctx.argc() - arg - 1;
    const bool automatic = more >= 1 && EqualsIgnoreCase(ctx.arg(arg), "IDMPAUTO");
    if (!automatic && (more < 2 || !EqualsIgnoreCase(ctx.arg(arg), "IDMP"))) return std::nullopt;
    if (given()) return Refuse(ctx, kTwoNames);
    producer_ = ctx.arg(++arg);
    if (producer_.empty()) return Refuse(ctx, automatic ? kEmptyAutoProducer : kEmptyProducer);
    automatic_ = automatic;
    if (automatic) return true;
    name_ = ctx.arg(++arg);
    if (name_.empty()) return Refuse(ctx, kEmptyName);
    return true;
  }

  // What IDMPAUTO makes the name of.
  void SetContent(std::span<const std::string_view> fields) {
    if (automatic_) digest_ = DigestOfMessage(fields);
  }

  bool given() const { return !producer_.empty(); }
  std::string_view producer() const { return producer_; }
  std::string_view name() const {
    return automatic_ ? std::string_view(digest_.data(), digest_.size()) : name_;
  }

 private:
  static bool Refuse(CommandContext& ctx, std::string_view error) {
    ctx.reply().Error(error);
    return false;
  }

  std::string_view producer_;
  std::string_view name_;
  bool automatic_ = false;
  MessageDigest digest_{};
};

// ---- XADD

// The ID that a new entry is to get.
struct NewId {
  enum class Kind : uint8_t {
    kNow,   // "*": the time, or what follows the last one.
    kNext,  // "ms-*": the next in this millisecond.
    kGiven,
  };
  Kind kind = Kind::kNow;
  StreamId id;
};

bool ParseNewId(CommandContext& ctx, size_t arg, NewId& id) {
  const std::string_view text = ctx.arg(arg);
  if (text == "*") return true;
  if (text.ends_with("-*")) {
    if (const std::optional<uint64_t> ms = ParseStreamIdPart(text.substr(0, text.size() - 2))) {
      id = {NewId::Kind::kNext, {*ms, 0}};
      return true;
    }
  }
  id.kind = NewId::Kind::kGiven;
  return ParseStreamId(ctx, arg, id.id);
}

// Nothing after replying with an error.
std::optional<StreamId> Resolve(CommandContext& ctx, const NewId& wanted, StreamId last) {
  if (last == StreamId::Max()) {
    ctx.reply().Error(kExhausted);
    return std::nullopt;
  }
  StreamId id = wanted.id;
  if (wanted.kind == NewId::Kind::kNow) {
    const auto now = static_cast<uint64_t>(ctx.now());
    return now > last.ms ? StreamId{now, 0} : last.Next();
  }
  if (wanted.kind == NewId::Kind::kNext && id.ms == last.ms) {
    if (last.seq == StreamId::kMaxPart) {
      ctx.reply().Error(kTooLarge);  // Redis has no better word for it.
      return std::nullopt;
    }
    return last.Next();
  }
  if (id <= last) {
    ctx.reply().Error(kNotAbove);
    return std::nullopt;
  }
  return id;
}

bool IsTooLarge(std::span<const std::string_view> fields) {
  size_t bytes = 0;
  for (const std::string_view part : fields) bytes += part.size();
  return bytes > Listpack::kMaxBytes;
}

struct AddRequest {
  bool no_create = false;
  NameOption name;
  TrimOption trim;
  NewId id;
  std::span<const std::string_view> fields;
};

bool ParseAdd(CommandContext& ctx, AddRequest& request) {
  size_t arg = 2;
  for (; arg < ctx.argc() && ctx.arg(arg) != "*"; ++arg) {
    if (EqualsIgnoreCase(ctx.arg(arg), "NOMKSTREAM")) {
      request.no_create = true;
      continue;
    }
    std::optional<bool> taken = request.name.Take(ctx, arg);
    if (!taken) taken = request.trim.Take(ctx, arg);
    if (!taken) break;
    if (!*taken) return false;
  }
  if (arg < ctx.argc() && !ParseNewId(ctx, arg, request.id)) return false;
  if (request.name.given() && request.id.kind != NewId::Kind::kNow) {
    ctx.reply().Error(kNameNeedsNewId);
    return false;
  }
  if (!request.trim.Finish(ctx, /*optional=*/true)) return false;
  const size_t left = arg + 1 < ctx.argc() ? ctx.argc() - arg - 1 : 0;
  if (left == 0 || left % 2 != 0) {
    ctx.reply().Error(error_text::WrongArity(ctx.command().full_name()));
    return false;
  }
  request.fields = ctx.args().subspan(arg + 1);
  request.name.SetContent(request.fields);
  return true;
}

// Replies with the ID of its entry and returns true if the message has been added before.
bool ReplyToDuplicate(CommandContext& ctx, const NameOption& name,
                      const FoundValue<Stream>& found) {
  if (!name.given() || !found || found.value().idempotence() == nullptr) return false;
  const std::optional<StreamId> id =
      found.value().idempotence()->Find(name.producer(), name.name(), ctx.now());
  if (!id) return false;
  Edit<Stream> stream(ctx, 0, found.entry);
  stream->UsableIdempotence().CountDuplicate();
  stream.Done(/*notify_class=*/0, /*event=*/{});  // As in Redis, a change but no event.
  ReplyStreamId(ctx.reply(), *id);
  return true;
}

void XAdd(CommandContext& ctx) {
  AddRequest request;
  if (!ParseAdd(ctx, request)) return;
  if (request.id.kind == NewId::Kind::kGiven && request.id.id == StreamId()) {
    return ctx.reply().Error(kZeroId);
  }
  const FoundValue<Stream> found = FindForWrite<Stream>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found && request.no_create) return ctx.reply().Null();
  if (ReplyToDuplicate(ctx, request.name, found)) return;
  const StreamId last = found ? found.value().last_id() : StreamId();
  const std::optional<StreamId> id = Resolve(ctx, request.id, last);
  if (!id) return;
  if (IsTooLarge(request.fields)) return ctx.reply().Error(kTooLarge);

  Edit<Stream> stream(ctx, 0, found.entry);
  stream->Append(*id, request.fields, ctx.settings().encoding);
  if (request.name.given()) {
    stream->UsableIdempotence().Record(request.name.producer(), request.name.name(), *id,
                                       ctx.now());
  }
  const bool trimmed = request.trim.given() && stream->Trim(request.trim.trim()) > 0;
  stream.Done(kNotifyStream, "xadd", 1, trimmed ? "xtrim" : "");
  ReplyStreamId(ctx.reply(), *id);
}

// ---- XLEN, XRANGE, XREVRANGE

void XLen(CommandContext& ctx) {
  const FoundValue<Stream> found = FindForRead<Stream>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  ctx.reply().Integer(found ? static_cast<int64_t>(found.value().size()) : 0);
}

void ReplyRange(CommandContext& ctx, size_t start_arg, size_t end_arg, StreamCursor::Order order) {
  StreamId start;
  StreamId end;
  if (!ParseRangeStart(ctx, start_arg, start) || !ParseRangeEnd(ctx, end_arg, end)) return;
  std::optional<int64_t> count;
  for (size_t arg = 4; arg < ctx.argc(); arg += 2) {
    if (!EqualsIgnoreCase(ctx.arg(arg), "COUNT") || arg + 1 == ctx.argc()) {
      return ctx.reply().Error(error_text::kSyntax);
    }
    int64_t number = 0;
    if (!ParseInteger(ctx, arg + 1, number)) return;
    count = std::max(number, int64_t{0});
  }
  const FoundValue<Stream> found = FindForRead<Stream>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found) return ctx.reply().Array(0);
  if (count == 0) return ctx.reply().NullArray();
  StreamCursor cursor(found.value(), start, end, order);
  ReplyEntries(ctx.reply(), cursor, static_cast<uint64_t>(count.value_or(0)));
}

void XRange(CommandContext& ctx) { ReplyRange(ctx, 2, 3, StreamCursor::Order::kForward); }

void XRevRange(CommandContext& ctx) { ReplyRange(ctx, 3, 2, StreamCursor::Order::kBackward); }

// ---- XDEL, XDELEX, XTRIM

bool AreStreamIds(CommandContext& ctx, size_t first, size_t last) {
  StreamId id;
  for (size_t arg = first; arg <= last; ++arg) {
    if (!ParseStreamId(ctx, arg, id)) return false;
  }
  return true;
}

void XDel(CommandContext& ctx) {
  const FoundValue<Stream> found = FindForWrite<Stream>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found) return ctx.reply().Integer(0);
  if (!AreStreamIds(ctx, 2, ctx.argc() - 1)) return;

  Edit<Stream> stream(ctx, 0, found.entry);
  int64_t deleted = 0;
  for (size_t arg = 2; arg < ctx.argc(); ++arg) {
    if (stream->Erase(*ParseStreamId(ctx.arg(arg)))) ++deleted;
  }
  if (deleted > 0) stream.Done(kNotifyStream, "xdel", deleted);
  ctx.reply().Integer(deleted);
}

void XDelEx(CommandContext& ctx) {
  StreamReferences references = StreamReferences::kKeep;
  size_t first = 0;
  size_t last = 0;
  for (size_t arg = 2; arg < ctx.argc(); ++arg) {
    if (TakeStreamReferences(ctx, arg, references)) continue;
    if (first != 0 || !EqualsIgnoreCase(ctx.arg(arg), "IDS")) {
      return ctx.reply().Error(error_text::kSyntax);
    }
    if (!ParseCountedIds(ctx, arg, first, last)) return;
    arg = last;
  }
  if (first == 0) return ctx.reply().Error(error_text::kSyntax);
  const FoundValue<Stream> found = FindForWrite<Stream>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!AreStreamIds(ctx, first, last)) return;
  ctx.reply().Array(last - first + 1);
  if (!found) {
    for (size_t arg = first; arg <= last; ++arg) {
      ctx.reply().Integer(static_cast<int64_t>(StreamDeletion::kNotFound));
    }
    return;
  }
  Edit<Stream> stream(ctx, 0, found.entry);
  int64_t deleted = 0;
  for (size_t arg = first; arg <= last; ++arg) {
    const StreamDeletion outcome = stream->Erase(*ParseStreamId(ctx.arg(arg)), references);
    if (outcome == StreamDeletion::kDeleted) ++deleted;
    ctx.reply().Integer(static_cast<int64_t>(outcome));
  }
  if (deleted > 0) stream.Done(kNotifyStream, "xdel", deleted);
}

void XTrim(CommandContext& ctx) {
  TrimOption trim;
  for (size_t arg = 2; arg < ctx.argc(); ++arg) {
    const std::optional<bool> taken = trim.Take(ctx, arg);
    if (!taken) return ctx.reply().Error(error_text::kSyntax);
    if (!*taken) return;
  }
  if (!trim.Finish(ctx, /*optional=*/false)) return;
  const FoundValue<Stream> found = FindForWrite<Stream>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found) return ctx.reply().Integer(0);

  Edit<Stream> stream(ctx, 0, found.entry);
  const auto removed = static_cast<int64_t>(stream->Trim(trim.trim()));
  if (removed > 0) stream.Done(kNotifyStream, "xtrim", removed);
  ctx.reply().Integer(removed);
}

// ---- XSETID

struct SetIdRequest {
  StreamId id;
  std::optional<int64_t> entries_added;
  StreamId max_deleted_id;  // 0-0: as it was.
};

bool ParseSetId(CommandContext& ctx, SetIdRequest& request) {
  if (!ParseStreamId(ctx, 2, request.id)) return false;
  for (size_t arg = 3; arg < ctx.argc(); arg += 2) {
    const bool is_last = arg + 1 == ctx.argc();
    if (!is_last && EqualsIgnoreCase(ctx.arg(arg), "ENTRIESADDED")) {
      int64_t count = 0;
      if (!ParseInteger(ctx, arg + 1, count)) return false;
      if (count < 0) {
        ctx.reply().Error(kEntriesAddedNegative);
        return false;
      }
      request.entries_added = count;
    } else if (!is_last && EqualsIgnoreCase(ctx.arg(arg), "MAXDELETEDID")) {
      if (!ParseStreamId(ctx, arg + 1, request.max_deleted_id)) return false;
      if (request.id < request.max_deleted_id) {
        ctx.reply().Error(kBelowMaxDeleted);
        return false;
      }
    } else {
      ctx.reply().Error(error_text::kSyntax);
      return false;
    }
  }
  return true;
}

StreamId LastEntryId(const Stream& stream) {
  StreamCursor cursor(stream, StreamId::Min(), StreamId::Max(), StreamCursor::Order::kBackward);
  return cursor.Next() ? cursor.id() : StreamId();
}

void XSetId(CommandContext& ctx) {
  SetIdRequest request;
  if (!ParseSetId(ctx, request)) return;
  const FoundValue<Stream> found = FindForWrite<Stream>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found) return ctx.reply().Error(error_text::kNoSuchKey);
  const Stream stored = found.value();
  if (!stored.empty()) {
    if (request.id < LastEntryId(stored)) return ctx.reply().Error(kBelowTop);
    if (request.entries_added && static_cast<uint64_t>(*request.entries_added) < stored.size()) {
      return ctx.reply().Error(kEntriesAddedBelowLength);
    }
  }
  Edit<Stream> stream(ctx, 0, found.entry);
  stream->set_last_id(request.id);
  if (request.entries_added) {
    stream->set_entries_added(static_cast<uint64_t>(*request.entries_added));
  }
  if (request.max_deleted_id != StreamId()) stream->set_max_deleted_id(request.max_deleted_id);
  stream.DoneUnwatched();
  ctx.Notify(kNotifyStream, "xsetid", 0);
  ctx.reply().Ok();
}

constexpr uint32_t kRwUpdate = kKeyRw | kKeyUpdate;
constexpr uint32_t kRwDelete = kKeyRw | kKeyDelete;

constexpr KeySpecs kAddKey =
    Keys(1, 1, 1, kRwUpdate)
        .WithNotes("UPDATE instead of INSERT because of the optional trimming feature");

constexpr CommandExtras kAddExtras = {
    .tips = "nondeterministic_output",
    .history =
        "6.2.0: Added the `NOMKSTREAM` option, `MINID` trimming strategy and the `LIMIT` "
        "option.\n"
        "7.0.0: Added support for the `<ms>-*` explicit ID form.\n"
        "8.2.0: Added the `KEEPREF`, `DELREF` and `ACKED` options.\n"
        "8.6.0: Added the `IDMP` and `IDMPAUTO` options."};
constexpr CommandExtras kRangeExtras = {.history = "6.2.0: Added exclusive ranges."};
constexpr CommandExtras kSetIdExtras = {
    .history = "7.0.0: Added the `entries_added` and `max_deleted_entry_id` arguments."};
constexpr CommandExtras kTrimExtras = {
    .tips = "nondeterministic_output",
    .history =
        "6.2.0: Added the `MINID` trimming strategy and the `LIMIT` option.\n"
        "8.2.0: Added the `KEEPREF`, `DELREF` and `ACKED` options."};

// clang-format off
constexpr CommandSpec kCommands[] = {
    {"xadd", -5, kWrite | kDenyOom | kFast, kAddKey, kAclStream, &XAdd, "5.0.0",
     "O(1) to add an entry, O(N) to trim, where N is the number of entries that go.",
     "Appends an entry to a stream, which is created if it does not exist.",
     "key [NOMKSTREAM] [KEEPREF|DELREF|ACKED] "
     "[IDMPAUTO producer-id|IDMP producer-id idempotent-id] "
     "[(MAXLEN|MINID) [=|~] threshold [LIMIT count]] (*|id) field value [field value ...]",
     kAddExtras},
    {"xdel", -3, kWrite | kFast, Keys(1, 1, 1, kRwDelete), kAclStream, &XDel, "5.0.0",
     "O(1) for each entry, whatever the size of the stream.",
     "Deletes entries from a stream and returns how many there were.", "key id [id ...]"},
    {"xdelex", -5, kWrite | kFast, Keys(1, 1, 1, kRwDelete), kAclStream, &XDelEx, "8.2.0",
     "O(1) for each entry, whatever the size of the stream.",
     "Deletes entries from a stream as consumer groups allow.",
     "key [KEEPREF|DELREF|ACKED] IDS numids id [id ...]"},
    {"xlen", 2, kReadOnly | kFast, Keys(1, 1, 1, kKeyRo), kAclStream, &XLen, "5.0.0", "O(1)",
     "Returns the number of entries in a stream.", "key"},
    {"xrange", -4, kReadOnly, Keys(1, 1, 1), kAclStream, &XRange, "5.0.0",
     "O(N) where N is the number of entries returned.",
     "Returns the entries of a stream within a range of IDs.", "key start end [COUNT count]",
     kRangeExtras},
    {"xrevrange", -4, kReadOnly, Keys(1, 1, 1), kAclStream, &XRevRange, "5.0.0",
     "O(N) where N is the number of entries returned.",
     "Returns the entries of a stream within a range of IDs, the last one first.",
     "key end start [COUNT count]", kRangeExtras},
    {"xsetid", -3, kWrite | kDenyOom | kFast, Keys(1, 1, 1, kRwUpdate), kAclStream, &XSetId,
     "5.0.0", "O(1)", "Sets the last ID of a stream; for replication.",
     "key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]", kSetIdExtras},
    {"xtrim", -4, kWrite, Keys(1, 1, 1, kRwDelete), kAclStream, &XTrim, "5.0.0",
     "O(N) where N is the number of entries that go; they mostly go by whole nodes.",
     "Removes entries from the beginning of a stream.",
     "key (MAXLEN|MINID) [=|~] threshold [LIMIT count] [KEEPREF|DELREF|ACKED]", kTrimExtras},
};
// clang-format on
static_assert(IsWellFormed(kCommands));

}  // namespace

constinit const CommandFamily kStreamFamily = {"stream", kCommands};

}  // namespace larder
