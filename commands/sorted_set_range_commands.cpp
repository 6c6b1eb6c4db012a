// Ranges of sorted sets, by rank, by score or by member: reading, storing and removing them.
#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "commands/argument_parsers.h"
#include "commands/command_context.h"
#include "commands/edit.h"
#include "commands/families.h"
#include "commands/sorted_set_arguments.h"
#include "commands/sorted_set_store.h"
#include "protocol/error_text.h"
#include "storage/sorted_set.h"

namespace larder {
namespace {

enum class RangeBy : uint8_t { kRank, kScore, kMember };

// What a command leaves to its options; the rest is in its name.
struct RangeSyntax {
  bool takes_by = false;
  bool takes_rev = false;
  bool takes_scores = true;  // WITHSCORES
};

struct RangeArguments {
  RangeBy by = RangeBy::kRank;
  RankOrder order = RankOrder::kAscending;
  bool with_scores = false;
  int64_t offset = 0;
  int64_t count = -1;  // Negative: all.

  // By what `by` says.
  int64_t start = 0;
  int64_t stop = 0;  // Inclusive.
  ScoreRange scores;
  LexRange members;
};

// Takes the option that starts at argument `index`, which moves to its last argument.
bool TakeRangeOption(CommandContext& ctx, size_t& index, const RangeSyntax& syntax,
                     RangeArguments& range) {
  const std::string_view word = ctx.arg(index);
  if (syntax.takes_scores && EqualsIgnoreCase(word, "WITHSCORES")) {
    range.with_scores = true;
  } else if (EqualsIgnoreCase(word, "LIMIT") && index + 2 < ctx.argc()) {
    if (!ParseInteger(ctx, index + 1, range.offset)) return false;
    if (!ParseInteger(ctx, index + 2, range.count)) return false;
    index += 2;
  } else if (syntax.takes_rev && EqualsIgnoreCase(word, "REV")) {
    range.order = RankOrder::kDescending;
  } else if (syntax.takes_by && EqualsIgnoreCase(word, "BYLEX")) {
    if (range.by == RangeBy::kScore) return ctx.reply().Error(error_text::kSyntax), false;
    range.by = RangeBy::kMember;
  } else if (syntax.takes_by && EqualsIgnoreCase(word, "BYSCORE")) {
    if (range.by == RangeBy::kMember) return ctx.reply().Error(error_text::kSyntax), false;
    range.by = RangeBy::kScore;
  } else {
    return ctx.reply().Error(error_text::kSyntax), false;
  }
  return true;
}

bool ParseBounds(CommandContext& ctx, size_t first_bound, RangeArguments& range) {
  size_t min = first_bound;
  size_t max = first_bound + 1;
  // What is read from the greatest on is asked for from the greatest on; ranks are not.
  if (range.order == RankOrder::kDescending) std::swap(min, max);
  switch (range.by) {
    case RangeBy::kRank:
      return ParseInteger(ctx, first_bound, range.start) &&
             ParseInteger(ctx, first_bound + 1, range.stop);
    case RangeBy::kScore:
      return ParseScoreRange(ctx, min, max, range.scores);
    case RangeBy::kMember:
      return ParseLexRange(ctx, min, max, range.members);
  }
  return false;
}

// The bounds stand at `first_bound`, the options behind them.
bool ParseRange(CommandContext& ctx, size_t first_bound, const RangeSyntax& syntax,
                RangeArguments& range) {
  for (size_t i = first_bound + 2; i < ctx.argc(); ++i) {
    if (!TakeRangeOption(ctx, i, syntax, range)) return false;
  }
  if (range.count != -1 && range.by == RangeBy::kRank) {
    ctx.reply().Error(error_text::kLimitWithRanks);
    return false;
  }
  if (range.with_scores && range.by == RangeBy::kMember) {
    ctx.reply().Error(error_text::kScoresOfLexRange);
    return false;
  }
  return ParseBounds(ctx, first_bound, range);
}

// ---- Finding.

// Negative positions count from the end.
RankRange RanksBetween(int64_t start, int64_t stop, size_t size, RankOrder order) {
  const auto end = static_cast<int64_t>(size);
  if (start < 0) start = std::max<int64_t>(start + end, 0);
  if (stop < 0) stop += end;
  stop = std::min(stop, end - 1);
  if (start > stop) return {};
  const RankRange range = {static_cast<size_t>(start), static_cast<size_t>(stop) + 1};
  if (order == RankOrder::kAscending) return range;
  return {size - range.end, size - range.begin};
}

// The part of a range that LIMIT asks for, counted from the end at which reading begins.
RankRange Limited(RankRange ranks, const RangeArguments& range) {
  if (range.offset < 0 || static_cast<uint64_t>(range.offset) >= ranks.size()) return {};
  size_t left = ranks.size() - static_cast<size_t>(range.offset);
  if (range.count >= 0) left = static_cast<size_t>(std::min<uint64_t>(range.count, left));
  if (range.order == RankOrder::kAscending) {
    ranks.begin += static_cast<size_t>(range.offset);
    return {ranks.begin, ranks.begin + left};
  }
  ranks.end -= static_cast<size_t>(range.offset);
  return {ranks.end - left, ranks.end};
}

RankRange FindRange(const SortedSet& set, const RangeArguments& range) {
  switch (range.by) {
    case RangeBy::kRank:
      return RanksBetween(range.start, range.stop, set.size(), range.order);
    case RangeBy::kScore:
      return Limited(set.InScores(range.scores), range);
    case RangeBy::kMember:
      return Limited(set.InMembers(range.members, range.order), range);
  }
  return {};
}

// ---- Reading.

void ReplyWithRange(CommandContext& ctx, const RangeSyntax& syntax, RangeArguments range) {
  if (!ParseRange(ctx, 2, syntax, range)) return;
  const auto found = FindForRead<SortedSet>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found) return ctx.reply().Array(0);
  const SortedSet set = found.value();
  const RankRange ranks = FindRange(set, range);
  MemberReply reply(ctx.reply(), range.with_scores);
  reply.Header(ranks.size());
  set.ForEach(ranks, range.order, reply);
}

void ZRange(CommandContext& ctx) { ReplyWithRange(ctx, {.takes_by = true, .takes_rev = true}, {}); }
void ZRevRange(CommandContext& ctx) { ReplyWithRange(ctx, {}, {.order = RankOrder::kDescending}); }
void ZRangeByScore(CommandContext& ctx) { ReplyWithRange(ctx, {}, {.by = RangeBy::kScore}); }
void ZRevRangeByScore(CommandContext& ctx) {
  ReplyWithRange(ctx, {}, {.by = RangeBy::kScore, .order = RankOrder::kDescending});
}
void ZRangeByLex(CommandContext& ctx) { ReplyWithRange(ctx, {}, {.by = RangeBy::kMember}); }
void ZRevRangeByLex(CommandContext& ctx) {
  ReplyWithRange(ctx, {}, {.by = RangeBy::kMember, .order = RankOrder::kDescending});
}

// ---- Storing.

void ZRangeStore(CommandContext& ctx) {
  constexpr size_t kDestination = 0;
  constexpr size_t kSource = 1;
  RangeArguments range;
  if (!ParseRange(ctx, 3, {.takes_by = true, .takes_rev = true, .takes_scores = false}, range)) {
    return;
  }
  const auto found = FindForRead<SortedSet>(ctx, kSource);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  SortedSet stored = SortedSet::Create();
  if (found) {
    const SortedSet set = found.value();
    set.ForEach(FindRange(set, range), range.order, [&](std::string_view member, double score) {
      stored.Add(member, score, {}, ctx.settings().encoding);
    });
  }
  StoreSortedSet(ctx, kDestination, stored, "zrangestore");
}

// ---- Removing.

void RemoveRange(CommandContext& ctx, RangeBy by, std::string_view event) {
  RangeArguments range = {.by = by};
  if (!ParseBounds(ctx, 2, range)) return;
  const auto found = FindForWrite<SortedSet>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found) return ctx.reply().Integer(0);
  const RankRange ranks = FindRange(found.value(), range);
  const auto removed = static_cast<int64_t>(ranks.size());
  ctx.reply().Integer(removed);
  if (removed == 0) return;
  Edit<SortedSet> set(ctx, 0, found.entry);
  set->EraseRange(ranks);
  set.Done(kNotifySortedSet, event, removed);
}

void ZRemRangeByRank(CommandContext& ctx) { RemoveRange(ctx, RangeBy::kRank, "zremrangebyrank"); }
void ZRemRangeByScore(CommandContext& ctx) {
  RemoveRange(ctx, RangeBy::kScore, "zremrangebyscore");
}
void ZRemRangeByLex(CommandContext& ctx) { RemoveRange(ctx, RangeBy::kMember, "zremrangebylex"); }

constexpr uint32_t kRwDelete = kKeyRw | kKeyDelete;
constexpr KeySpecs kStoreKeys =
    Keys(1, 1, 1, kKeyOw | kKeyUpdate) + Keys(2, 2, 1, kKeyRo | kKeyAccess);

constexpr std::string_view kReadCost =
    "O(log(N)+M) with N being the number of elements in the sorted set and M the number of "
    "elements returned.";
constexpr std::string_view kRemoveCost =
    "O(log(N)+M) with N being the number of elements in the sorted set and M the number of "
    "elements removed by the operation.";

constexpr CommandExtras kZRangeExtras = {
    .history = "6.2.0: Added the `REV`, `BYSCORE`, `BYLEX` and `LIMIT` options."};
constexpr CommandExtras kByScoreExtras = {.history = "2.0.0: Added the `WITHSCORES` modifier.",
                                          .deprecated_since = "6.2.0",
                                          .replaced_by = "`ZRANGE` with the `BYSCORE` argument"};
constexpr CommandExtras kByLexExtras = {.deprecated_since = "6.2.0",
                                        .replaced_by = "`ZRANGE` with the `BYLEX` argument"};
constexpr CommandExtras kReverseExtras = {.deprecated_since = "6.2.0",
                                          .replaced_by = "`ZRANGE` with the `REV` argument"};
constexpr CommandExtras kReverseByScoreExtras = {
    .history = "2.1.6: `min` and `max` can be exclusive.",
    .deprecated_since = "6.2.0",
    .replaced_by = "`ZRANGE` with the `REV` and `BYSCORE` arguments"};
constexpr CommandExtras kReverseByLexExtras = {
    .deprecated_since = "6.2.0", .replaced_by = "`ZRANGE` with the `REV` and `BYLEX` arguments"};

// clang-format off
constexpr CommandSpec kCommands[] = {
    {"zrange", -4, kReadOnly, Keys(1, 1, 1), kAclSortedSet, &ZRange, "1.2.0", kReadCost,
     "Returns the members within a range.",
     "key start stop [BYSCORE|BYLEX] [REV] [LIMIT offset count] [WITHSCORES]", kZRangeExtras},
    {"zrangebylex", -4, kReadOnly, Keys(1, 1, 1), kAclSortedSet, &ZRangeByLex, "2.8.9", kReadCost,
     "Returns the members within a range of members.", "key min max [LIMIT offset count]",
     kByLexExtras},
    {"zrangebyscore", -4, kReadOnly, Keys(1, 1, 1), kAclSortedSet, &ZRangeByScore, "1.0.5",
     kReadCost, "Returns the members within a range of scores.",
     "key min max [WITHSCORES] [LIMIT offset count]", kByScoreExtras},
    {"zrangestore", -5, kWrite | kDenyOom, kStoreKeys, kAclSortedSet, &ZRangeStore, "6.2.0",
     "O(log(N)+M) with N being the number of elements in the sorted set and M the number of "
     "elements stored into the destination key.",
     "Stores the members within a range in another key.",
     "dst src min max [BYSCORE|BYLEX] [REV] [LIMIT offset count]"},
    {"zremrangebylex", 4, kWrite, Keys(1, 1, 1, kRwDelete), kAclSortedSet, &ZRemRangeByLex, "2.8.9",
     kRemoveCost, "Removes the members within a range of members.", "key min max"},
    {"zremrangebyrank", 4, kWrite, Keys(1, 1, 1, kRwDelete), kAclSortedSet, &ZRemRangeByRank,
     "2.0.0", kRemoveCost, "Removes the members within a range of ranks.", "key start stop"},
    {"zremrangebyscore", 4, kWrite, Keys(1, 1, 1, kRwDelete), kAclSortedSet, &ZRemRangeByScore,
     "1.2.0", kRemoveCost, "Removes the members within a range of scores.", "key min max"},
    {"zrevrange", -4, kReadOnly, Keys(1, 1, 1), kAclSortedSet, &ZRevRange, "1.2.0", kReadCost,
     "Returns the members within a range of ranks, the greatest score first.",
     "key start stop [WITHSCORES]", kReverseExtras},
    {"zrevrangebylex", -4, kReadOnly, Keys(1, 1, 1), kAclSortedSet, &ZRevRangeByLex, "2.8.9",
     kReadCost, "Returns the members within a range of members, the greatest first.",
     "key max min [LIMIT offset count]", kReverseByLexExtras},
    {"zrevrangebyscore", -4, kReadOnly, Keys(1, 1, 1), kAclSortedSet, &ZRevRangeByScore, "2.2.0",
     kReadCost, "Returns the members within a range of scores, the greatest score first.",
     "key max min [WITHSCORES] [LIMIT offset count]", kReverseByScoreExtras},
};
// clang-format on
static_assert(IsWellFormed(kCommands));

}  // namespace

const CommandFamily kSortedSetRangeFamily = {"sorted-set", kCommands};

}  // namespace larder
