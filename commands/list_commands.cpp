// Commands on one list: pushing, popping, reading, changing and removing elements.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "base/text.h"
#include "commands/argument_parsers.h"
#include "commands/edit.h"
#include "commands/families.h"
#include "commands/list_elements.h"

namespace larder {
namespace {

enum class PushInto : uint8_t { kAnyList, kExistingList };

void PushAll(CommandContext& ctx, ListEnd end, PushInto into) {
  const FoundValue<List> found = FindForWrite<List>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found && into == PushInto::kExistingList) return ctx.reply().Integer(0);
  const ListPacking packing = PackingOf(ctx);
  Edit<List> list(ctx, 0, found.entry);
  for (size_t i = 2; i < ctx.argc(); ++i) list->Push(end, ctx.arg(i), packing);
  ctx.reply().Integer(static_cast<int64_t>(list->size()));
  list.Done(kNotifyList, PushEvent(end), static_cast<int64_t>(ctx.argc()) - 2);
}

void LPush(CommandContext& ctx) { PushAll(ctx, ListEnd::kHead, PushInto::kAnyList); }
void RPush(CommandContext& ctx) { PushAll(ctx, ListEnd::kTail, PushInto::kAnyList); }
void LPushX(CommandContext& ctx) { PushAll(ctx, ListEnd::kHead, PushInto::kExistingList); }
void RPushX(CommandContext& ctx) { PushAll(ctx, ListEnd::kTail, PushInto::kExistingList); }

void Pop(CommandContext& ctx, ListEnd end) {
  if (ctx.argc() > 3) return ctx.reply().Error(error_text::WrongArity(ctx.command().full_name()));
  const bool counted = ctx.argc() == 3;
  int64_t count = 1;
  if (counted) {
    if (!ParseInteger(ctx, 2, count, error_text::kMustBePositive)) return;
    if (count < 0) return ctx.reply().Error(error_text::kMustBePositive);
  }
  const FoundValue<List> found = FindForWrite<List>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found) return counted ? ctx.reply().NullArray() : ctx.reply().Null();
  if (!counted) return PopOne(ctx, 0, found.entry, end);
  if (count == 0) return ctx.reply().Array(0);
  PopSome(ctx, 0, found.entry, end, static_cast<size_t>(count));
}

void LPop(CommandContext& ctx) { Pop(ctx, ListEnd::kHead); }
void RPop(CommandContext& ctx) { Pop(ctx, ListEnd::kTail); }

void LLen(CommandContext& ctx) {
  const FoundValue<List> found = FindForRead<List>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  ctx.reply().Integer(found ? static_cast<int64_t>(found.value().size()) : 0);
}

// The elements from `start` to `stop`, both counted from the tail if negative, both included.
struct Range {
  size_t first = 0;
  size_t count = 0;

  static Range Of(int64_t start, int64_t stop, size_t size) {
    const auto length = static_cast<int64_t>(size);
    if (start < 0) start = std::max<int64_t>(start + length, 0);
    if (stop < 0) stop += length;
    stop = std::min(stop, length - 1);
    if (start > stop) return {};
    return {static_cast<size_t>(start), static_cast<size_t>(stop - start + 1)};
  }
};

void LRange(CommandContext& ctx) {
  int64_t start = 0;
  int64_t stop = 0;
  if (!ParseInteger(ctx, 2, start) || !ParseInteger(ctx, 3, stop)) return;
  const FoundValue<List> found = FindForRead<List>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found) return ctx.reply().Array(0);
  const List list = found.value();
  const Range range = Range::Of(start, stop, list.size());
  ReplyElements(ctx.reply(), list, ListEnd::kHead, range.first, range.count);
}

// Where to start counting for an index that is negative from the tail.
ListEnd EndOfIndex(int64_t index) { return index < 0 ? ListEnd::kTail : ListEnd::kHead; }
size_t SkipOfIndex(int64_t index) { return static_cast<size_t>(index < 0 ? ~index : index); }

void LIndex(CommandContext& ctx) {
  const FoundValue<List> found = FindForRead<List>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found) return ctx.reply().Null();
  int64_t index = 0;  // As in Redis, looked at only if there is a list.
  if (!ParseInteger(ctx, 2, index)) return;
  const bool beyond =
      found.value().ForEach(EndOfIndex(index), SkipOfIndex(index), [&](const ListpackValue& value) {
        ReplyElement(ctx.reply(), value);
        return false;
      });
  if (beyond) ctx.reply().Null();
}

void LSet(CommandContext& ctx) {
  const FoundValue<List> found = FindForWrite<List>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found) return ctx.reply().Error(error_text::kNoSuchKey);
  int64_t index = 0;
  if (!ParseInteger(ctx, 2, index)) return;
  const size_t size = found.value().size();
  const size_t skip = SkipOfIndex(index);
  if (skip >= size) return ctx.reply().Error(error_text::kOutOfRange);
  Edit<List> list(ctx, 0, found.entry);
  list->Set(index < 0 ? size - 1 - skip : skip, ctx.arg(3), PackingOf(ctx));
  ctx.reply().Ok();
  list.Done(kNotifyList, "lset");
}

void LInsert(CommandContext& ctx) {
  const bool after = EqualsIgnoreCase(ctx.arg(2), "AFTER");
  if (!after && !EqualsIgnoreCase(ctx.arg(2), "BEFORE")) {
    return ctx.reply().Error(error_text::kSyntax);
  }
  const FoundValue<List> found = FindForWrite<List>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found) return ctx.reply().Integer(0);
  Edit<List> list(ctx, 0, found.entry);
  const ListSide side = after ? ListSide::kAfter : ListSide::kBefore;
  if (!list->Insert(side, ctx.arg(3), ctx.arg(4), PackingOf(ctx))) return ctx.reply().Integer(-1);
  ctx.reply().Integer(static_cast<int64_t>(list->size()));
  list.Done(kNotifyList, "linsert");
}

void LRem(CommandContext& ctx) {
  int64_t count = 0;
  if (!ParseInteger(ctx, 2, count)) return;
  const FoundValue<List> found = FindForWrite<List>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found) return ctx.reply().Integer(0);
  const ListEnd end = count < 0 ? ListEnd::kTail : ListEnd::kHead;
  size_t limit = std::numeric_limits<size_t>::max();
  if (count != 0) limit = count < 0 ? 0 - static_cast<size_t>(count) : static_cast<size_t>(count);
  Edit<List> list(ctx, 0, found.entry);
  const auto removed = static_cast<int64_t>(list->Remove(end, ctx.arg(3), limit, PackingOf(ctx)));
  ctx.reply().Integer(removed);
  if (removed > 0) list.Done(kNotifyList, "lrem", removed);
}

void LTrim(CommandContext& ctx) {
  int64_t start = 0;
  int64_t stop = 0;
  if (!ParseInteger(ctx, 2, start) || !ParseInteger(ctx, 3, stop)) return;
  const FoundValue<List> found = FindForWrite<List>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found) return ctx.reply().Ok();
  const ListPacking packing = PackingOf(ctx);
  Edit<List> list(ctx, 0, found.entry);
  const size_t size = list->size();
  const Range kept = Range::Of(start, stop, size);
  const size_t end = kept.first + kept.count;
  list->EraseRange(end, size - end, packing);
  list->EraseRange(0, kept.first, packing);
  ctx.reply().Ok();
  list.Done(kNotifyList, "ltrim", static_cast<int64_t>(size - kept.count));
}

// ---- LPOS.

struct PositionQuery {
  ListEnd end = ListEnd::kHead;
  uint64_t rank = 1;        // The first match that counts, counted from 1.
  bool wants_all = false;   // COUNT was given: an array is the answer.
  uint64_t count = 1;       // How many matches at most; 0: all.
  uint64_t max_length = 0;  // How many elements to look at, 0: all.
};

bool ParseNotNegative(CommandContext& ctx, size_t arg, uint64_t& value, std::string_view error) {
  int64_t number = 0;
  if (!ParseInteger(ctx, arg, number, error)) return false;
  if (number < 0) {
    ctx.reply().Error(error);
    return false;
  }
  value = static_cast<uint64_t>(number);
  return true;
}

bool ParseRank(CommandContext& ctx, size_t arg, PositionQuery& query) {
  int64_t rank = 0;
  if (!ParseInteger(ctx, arg, rank)) return false;
  if (rank == 0) {
    ctx.reply().Error(
        "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or "
        "use negative to start from the end of the list");
    return false;
  }
  query.end = rank < 0 ? ListEnd::kTail : ListEnd::kHead;
  query.rank = rank < 0 ? 0 - static_cast<uint64_t>(rank) : static_cast<uint64_t>(rank);
  return true;
}

bool ParsePositionQuery(CommandContext& ctx, PositionQuery& query) {
  for (size_t i = 3; i < ctx.argc(); i += 2) {
    if (i + 1 == ctx.argc()) {
      ctx.reply().Error(error_text::kSyntax);
      return false;
    }
    if (EqualsIgnoreCase(ctx.arg(i), "RANK")) {
      if (!ParseRank(ctx, i + 1, query)) return false;
    } else if (EqualsIgnoreCase(ctx.arg(i), "COUNT")) {
      query.wants_all = true;
      if (!ParseNotNegative(ctx, i + 1, query.count, "ERR COUNT can't be negative")) return false;
    } else if (EqualsIgnoreCase(ctx.arg(i), "MAXLEN")) {
      if (!ParseNotNegative(ctx, i + 1, query.max_length, "ERR MAXLEN can't be negative")) {
        return false;
      }
    } else {
      ctx.reply().Error(error_text::kSyntax);
      return false;
    }
  }
  if (query.rank > uint64_t{std::numeric_limits<int64_t>::max()}) {
    // The least rank of all has no positive counterpart, which Redis does not notice: it finds
    // every match, whatever COUNT says.
    query.rank = 1;
    if (query.wants_all) query.count = 0;
  }
  return true;
}

// Calls `found` with the index of each match that is asked for.
template <typename Found>
void FindPositions(const List& list, std::string_view text, const PositionQuery& query,
                   const Found& found) {
  const ElementMatcher matches(text);
  const size_t size = list.size();
  uint64_t seen = 0;
  uint64_t rank = 0;
  list.ForEach(query.end, 0, [&](const ListpackValue& value) {
    const size_t index = query.end == ListEnd::kHead ? seen : size - 1 - seen;
    ++seen;
    if (matches(value) && ++rank >= query.rank) {
      found(index);
      if (query.count != 0 && rank - query.rank + 1 >= query.count) return false;
    }
    return query.max_length == 0 || seen < query.max_length;
  });
}

void LPos(CommandContext& ctx) {
  PositionQuery query;
  if (!ParsePositionQuery(ctx, query)) return;
  const FoundValue<List> found = FindForRead<List>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found) return query.wants_all ? ctx.reply().Array(0) : ctx.reply().Null();
  ReplyWriter& reply = ctx.reply();
  size_t replied = 0;
  const ReplyWriter::DeferredMark mark = reply.BeginDeferred();
  FindPositions(found.value(), ctx.arg(2), query, [&](size_t index) {
    reply.Integer(static_cast<int64_t>(index));
    ++replied;
  });
  if (query.wants_all) return reply.EndDeferredArray(mark, replied);
  if (replied == 0) reply.Null();
}

constexpr uint32_t kRwInsert = kKeyRw | kKeyInsert;
constexpr uint32_t kRwDelete = kKeyRw | kKeyDelete;
constexpr uint32_t kRwUpdate = kKeyRw | kKeyUpdate;
constexpr uint32_t kRwAccessDelete = kKeyRw | kKeyAccess | kKeyDelete;

constexpr CommandExtras kPushExtras = {.history = "2.4.0: Accepts multiple `element` arguments."};
constexpr CommandExtras kPushXExtras = {.history = "4.0.0: Accepts multiple `element` arguments."};
constexpr CommandExtras kPopExtras = {.history = "6.2.0: Added the `count` argument."};

// clang-format off
constexpr CommandSpec kCommands[] = {
    {"lindex", 3, kReadOnly, Keys(1, 1, 1), kAclList, &LIndex, "1.0.0",
     "O(N) where N is the number of elements between the nearer end and the one asked for.",
     "Returns an element of a list by its index.", "key index"},
    {"linsert", 5, kWrite | kDenyOom, Keys(1, 1, 1, kRwInsert), kAclList, &LInsert, "2.2.0",
     "O(N) where N is the number of elements up to the pivot.",
     "Inserts an element before or after another one of a list.",
     "key (BEFORE|AFTER) pivot element"},
    {"llen", 2, kReadOnly | kFast, Keys(1, 1, 1, kKeyRo), kAclList, &LLen, "1.0.0", "O(1)",
     "Returns the number of elements of a list.", "key"},
    {"lpop", -2, kWrite | kFast, Keys(1, 1, 1, kRwAccessDelete), kAclList, &LPop, "1.0.0",
     "O(N) where N is the number of elements returned.",
     "Removes the first elements of a list and returns them.", "key [count]", kPopExtras},
    {"lpos", -3, kReadOnly, Keys(1, 1, 1), kAclList, &LPos, "6.0.6",
     "O(N) where N is the number of elements looked at.",
     "Returns the index of matching elements of a list.",
     "key element [RANK rank] [COUNT num-matches] [MAXLEN len]"},
    {"lpush", -3, kWrite | kDenyOom | kFast, Keys(1, 1, 1, kRwInsert), kAclList, &LPush, "1.0.0",
     "O(N) where N is the number of elements added.",
     "Puts elements before the first one of a list.", "key element [element ...]", kPushExtras},
    {"lpushx", -3, kWrite | kDenyOom | kFast, Keys(1, 1, 1, kRwInsert), kAclList, &LPushX, "2.2.0",
     "O(N) where N is the number of elements added.",
     "Puts elements before the first one of a list, if there is such a list.",
     "key element [element ...]", kPushXExtras},
    {"lrange", 4, kReadOnly, Keys(1, 1, 1), kAclList, &LRange, "1.0.0",
     "O(S+N) where S is the distance from the nearer end and N the number of elements returned.",
     "Returns the elements of a list in a range of indexes.", "key start stop"},
    {"lrem", 4, kWrite, Keys(1, 1, 1, kRwDelete), kAclList, &LRem, "1.0.0",
     "O(N+M) where N is the length of the list and M the number of elements removed.",
     "Removes elements that equal a given one from a list.", "key count element"},
    {"lset", 4, kWrite | kDenyOom, Keys(1, 1, 1, kRwUpdate), kAclList, &LSet, "1.0.0",
     "O(N) where N is the number of elements between the nearer end and the one set.",
     "Replaces an element of a list by its index.", "key index element"},
    {"ltrim", 4, kWrite, Keys(1, 1, 1, kRwDelete), kAclList, &LTrim, "1.0.0",
     "O(N) where N is the number of elements removed.",
     "Removes the elements of a list outside a range of indexes.", "key start stop"},
    {"rpop", -2, kWrite | kFast, Keys(1, 1, 1, kRwAccessDelete), kAclList, &RPop, "1.0.0",
     "O(N) where N is the number of elements returned.",
     "Removes the last elements of a list and returns them.", "key [count]", kPopExtras},
    {"rpush", -3, kWrite | kDenyOom | kFast, Keys(1, 1, 1, kRwInsert), kAclList, &RPush, "1.0.0",
     "O(N) where N is the number of elements added.",
     "Puts elements behind the last one of a list.", "key element [element ...]", kPushExtras},
    {"rpushx", -3, kWrite | kDenyOom | kFast, Keys(1, 1, 1, kRwInsert), kAclList, &RPushX, "2.2.0",
     "O(N) where N is the number of elements added.",
     "Puts elements behind the last one of a list, if there is such a list.",
     "key element [element ...]", kPushXExtras},
};
// clang-format on
static_assert(IsWellFormed(kCommands));

}  // namespace

const CommandFamily kListFamily = {"list", kCommands};

}  // namespace larder
