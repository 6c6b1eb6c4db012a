// Sorted sets member by member: adding, removing, scores and ranks, counting, random members.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/container/inlined_vector.h"
#include "base/numbers.h"
#include "base/text.h"
#include "commands/argument_parsers.h"
#include "commands/command_context.h"
#include "commands/edit.h"
#include "commands/families.h"
#include "commands/scan_reply.h"
#include "commands/sorted_set_arguments.h"
#include "protocol/error_text.h"
#include "storage/sorted_pairs.h"
#include "storage/sorted_set.h"

namespace larder {
namespace {

// ---- Adding.

struct AddOptions {
  AddRules rules;
  bool count_changed = false;  // CH
  size_t first_pair = 2;       // The argument behind the options.
};

bool TakeAddOption(std::string_view word, AddOptions& options) {
  if (EqualsIgnoreCase(word, "NX")) {
    options.rules.only_new = true;
  } else if (EqualsIgnoreCase(word, "XX")) {
    options.rules.only_present = true;
  } else if (EqualsIgnoreCase(word, "CH")) {
    options.count_changed = true;
  } else if (EqualsIgnoreCase(word, "INCR")) {
    options.rules.increment = true;
  } else if (EqualsIgnoreCase(word, "GT")) {
    options.rules.only_greater = true;
  } else if (EqualsIgnoreCase(word, "LT")) {
    options.rules.only_less = true;
  } else {
    return false;
  }
  return true;
}

// Null if the options and the number of arguments make sense together.
const std::string_view* ErrorIn(const AddOptions& options, size_t pair_args) {
  const AddRules& rules = options.rules;
  if (pair_args == 0 || pair_args % 2 != 0) return &error_text::kSyntax;
  if (rules.only_new && rules.only_present) return &error_text::kAddXxWithNx;
  if (rules.only_greater + rules.only_less + rules.only_new > 1) {
    return &error_text::kAddGtWithLtOrNx;
  }
  if (rules.increment && pair_args > 2) return &error_text::kIncrementOfSeveral;
  return nullptr;
}

void ReplyToIncrement(CommandContext& ctx, const AddResult& result) {
  switch (result.outcome) {
    case AddOutcome::kNotANumber:
      return ctx.reply().Error(error_text::kScoreNotANumber);
    case AddOutcome::kRefused:
      return ctx.reply().Null();
    default:
      return ctx.reply().Double(result.score);
  }
}

void Add(CommandContext& ctx, const AddOptions& options) {
  const size_t pair_args = ctx.argc() - options.first_pair;
  if (const std::string_view* error = ErrorIn(options, pair_args)) return ctx.reply().Error(*error);
  absl::InlinedVector<double, 16> scores(pair_args / 2);
  for (size_t i = 0; i < scores.size(); ++i) {
    if (!ParseScore(ctx, options.first_pair + 2 * i, scores[i])) return;
  }
  const auto found = FindForWrite<SortedSet>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found && options.rules.only_present) {
    return options.rules.increment ? ctx.reply().Null() : ctx.reply().Integer(0);
  }

  Edit<SortedSet> set(ctx, 0, found.entry);
  int64_t added = 0;
  int64_t rescored = 0;
  AddResult result{AddOutcome::kRefused};
  for (size_t i = 0; i < scores.size(); ++i) {
    result = set->Add(ctx.arg(options.first_pair + 2 * i + 1), scores[i], options.rules,
                      ctx.settings().encoding);
    added += result.outcome == AddOutcome::kAdded;
    rescored += result.outcome == AddOutcome::kRescored;
  }
  if (added + rescored > 0) {
    set.Done(kNotifySortedSet, options.rules.increment ? "zincr" : "zadd", added + rescored);
  }
  if (options.rules.increment) return ReplyToIncrement(ctx, result);
  ctx.reply().Integer(options.count_changed ? added + rescored : added);
}

void ParseAndAdd(CommandContext& ctx, AddOptions options) {
  while (options.first_pair < ctx.argc() && TakeAddOption(ctx.arg(options.first_pair), options)) {
    ++options.first_pair;
  }
  Add(ctx, options);
}

void ZAdd(CommandContext& ctx) { ParseAndAdd(ctx, {}); }

// To Redis it is a ZADD too: an increment that reads like one of its options is a syntax error.
void ZIncrBy(CommandContext& ctx) { ParseAndAdd(ctx, {.rules = {.increment = true}}); }

// ---- Removing.

void ZRem(CommandContext& ctx) {
  const auto found = FindForWrite<SortedSet>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found) return ctx.reply().Integer(0);
  Edit<SortedSet> set(ctx, 0, found.entry);
  int64_t removed = 0;
  for (size_t i = 2; i < ctx.argc() && !set->empty(); ++i) removed += set->Erase(ctx.arg(i));
  if (removed > 0) set.Done(kNotifySortedSet, "zrem", removed);
  ctx.reply().Integer(removed);
}

// ---- Looking up.

void ZCard(CommandContext& ctx) {
  const auto found = FindForRead<SortedSet>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  ctx.reply().Integer(found ? static_cast<int64_t>(found.value().size()) : 0);
}

void ReplyWithScore(CommandContext& ctx, std::optional<double> score) {
  score ? ctx.reply().Double(*score) : ctx.reply().Null();
}

void ZScore(CommandContext& ctx) {
  const auto found = FindForRead<SortedSet>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found) return ctx.reply().Null();
  ReplyWithScore(ctx, found.value().Score(ctx.arg(2)));
}

void ZMScore(CommandContext& ctx) {
  const auto found = FindForRead<SortedSet>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  ctx.reply().Array(ctx.argc() - 2);
  for (size_t i = 2; i < ctx.argc(); ++i) {
    found ? ReplyWithScore(ctx, found.value().Score(ctx.arg(i))) : ctx.reply().Null();
  }
}

void ReplyWithRank(CommandContext& ctx, RankOrder order) {
  // The option came with Redis 7.2. Whatever else stands there is one argument too many, as ever.
  const bool with_score = ctx.argc() == 4 && EqualsIgnoreCase(ctx.arg(3), "WITHSCORE");
  if (ctx.argc() > 3 && !with_score) {
    return ctx.reply().Error(error_text::WrongArity(ctx.command().full_name()));
  }
  const auto found = FindForRead<SortedSet>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  std::optional<RankedScore> ranked;
  if (found) ranked = found.value().Rank(ctx.arg(2));
  if (!ranked) return with_score ? ctx.reply().NullArray() : ctx.reply().Null();
  size_t rank = ranked->rank;
  if (order == RankOrder::kDescending) rank = found.value().size() - 1 - rank;
  if (with_score) ctx.reply().Array(2);
  ctx.reply().Integer(static_cast<int64_t>(rank));
  if (with_score) ctx.reply().Double(ranked->score);
}

void ZRank(CommandContext& ctx) { ReplyWithRank(ctx, RankOrder::kAscending); }
void ZRevRank(CommandContext& ctx) { ReplyWithRank(ctx, RankOrder::kDescending); }

// ---- Counting.

void ZCount(CommandContext& ctx) {
  ScoreRange range;
  if (!ParseScoreRange(ctx, 2, 3, range)) return;
  const auto found = FindForRead<SortedSet>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  ctx.reply().Integer(found ? static_cast<int64_t>(found.value().InScores(range).size()) : 0);
}

void ZLexCount(CommandContext& ctx) {
  LexRange range;
  if (!ParseLexRange(ctx, 2, 3, range)) return;
  const auto found = FindForRead<SortedSet>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found) return ctx.reply().Integer(0);
  const RankRange ranks = found.value().InMembers(range, RankOrder::kAscending);
  ctx.reply().Integer(static_cast<int64_t>(ranks.size()));
}

// ---- Random members.

void ReplyWithRepeatedMembers(CommandContext& ctx, const SortedSet& set, uint64_t count,
                              bool with_scores) {
  // Nobody has more sent to them for a purpose; it would fill all memory.
  constexpr uint64_t kMost = uint64_t{1} << 27;
  if (count > kMost) return ctx.reply().Error(error_text::kValueOutOfRange);
  MemberReply reply(ctx.reply(), with_scores);
  reply.Header(count);
  while (count-- > 0) set.VisitRandom(ctx.random(), reply);
}

// `count` different members, fewer than there are: by Floyd's way of choosing so many of n numbers
// ("Programming pearls: a sample of brilliance", Communications of the ACM 30, 1987).
void ReplyWithChosenMembers(CommandContext& ctx, const SortedSet& set, size_t count,
                            MemberReply& reply) {
  absl::flat_hash_set<size_t> chosen;
  chosen.reserve(count);
  for (size_t last = set.size() - count; last < set.size(); ++last) {
    size_t rank = ctx.random().Uniform(last + 1);
    if (!chosen.insert(rank).second) chosen.insert(rank = last);
    set.ForEach({rank, rank + 1}, RankOrder::kAscending, reply);
  }
}

void ReplyWithDifferentMembers(CommandContext& ctx, const SortedSet& set, uint64_t count,
                               bool with_scores) {
  MemberReply reply(ctx.reply(), with_scores);
  const size_t size = set.size();
  reply.Header(std::min<uint64_t>(count, size));
  if (count >= size) return set.ForEach(reply);
  ReplyWithChosenMembers(ctx, set, count, reply);
}

void ZRandMemberCount(CommandContext& ctx) {
  int64_t count = 0;
  if (!ParseInteger(ctx, 2, count)) return;
  if (count == INT64_MIN) return ctx.reply().Error(error_text::kNotASymmetricInt64);
  const bool with_scores = ctx.argc() == 4 && EqualsIgnoreCase(ctx.arg(3), "WITHSCORES");
  if (ctx.argc() > 4 || (ctx.argc() == 4 && !with_scores)) {
    return ctx.reply().Error(error_text::kSyntax);
  }
  if (with_scores && (count < -INT64_MAX / 2 || count > INT64_MAX / 2)) {
    return ctx.reply().Error(error_text::kValueOutOfRange);
  }
  const auto found = FindForRead<SortedSet>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found || count == 0) return ctx.reply().Array(0);
  if (count < 0) {
    return ReplyWithRepeatedMembers(ctx, found.value(), static_cast<uint64_t>(-count), with_scores);
  }
  ReplyWithDifferentMembers(ctx, found.value(), static_cast<uint64_t>(count), with_scores);
}

void ZRandMember(CommandContext& ctx) {
  if (ctx.argc() > 2) return ZRandMemberCount(ctx);
  const auto found = FindForRead<SortedSet>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found) return ctx.reply().Null();
  found.value().VisitRandom(ctx.random(),
                            [&](std::string_view member, double) { ctx.reply().Bulk(member); });
}

// ---- Scanning.

void ZScan(CommandContext& ctx) {
  uint64_t cursor = 0;
  if (!ParseScanCursor(ctx, 2, cursor)) return;
  const auto found = FindForRead<SortedSet>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found) return ReplyEmptyScan(ctx);
  ScanOptions options;
  if (!ParseScanOptions(ctx, 3, kScanPlain, options)) return;
  const SortedSet set = found.value();
  ScanReply scan(ctx.reply(), options);
  scan.Run(cursor, [&](uint64_t place) {
    return set.Scan(place, [&](std::string_view member, double score) {
      if (!scan.Wants(member)) return;
      scan.Bulk(member);
      char text[kMaxDoubleText];
      if (set.is_compact()) {
        // As it is held there: of large integers this has all digits.
        scan.Bulk(ScoreText(score).value().View(text));
      } else {
        scan.Bulk({text, FormatDouble(score, text)});
      }
    });
  });
}

constexpr uint32_t kRwUpdate = kKeyRw | kKeyUpdate;
constexpr uint32_t kRwAccessUpdate = kKeyRw | kKeyAccess | kKeyUpdate;
constexpr uint32_t kRwDelete = kKeyRw | kKeyDelete;

constexpr CommandExtras kZAddExtras = {.history =
                                           "2.4.0: Accepts multiple elements.\n"
                                           "3.0.2: Added the `XX`, `NX`, `CH` and `INCR` options.\n"
                                           "6.2.0: Added the `GT` and `LT` options."};
constexpr CommandExtras kZRemExtras = {.history = "2.4.0: Accepts multiple elements."};
constexpr CommandExtras kRankExtras = {.history =
                                           "7.2.0: Added the optional `WITHSCORE` argument."};
constexpr CommandExtras kNondeterministic = {.tips = "nondeterministic_output"};

// clang-format off
constexpr CommandSpec kCommands[] = {
    {"zadd", -4, kWrite | kDenyOom | kFast, Keys(1, 1, 1, kRwUpdate), kAclSortedSet, &ZAdd, "1.2.0",
     "O(log(N)) for each item added, where N is the number of elements in the sorted set.",
     "Adds members to a sorted set, or gives them another score.",
     "key [NX|XX] [GT|LT] [CH] [INCR] score member [score member ...]", kZAddExtras},
    {"zcard", 2, kReadOnly | kFast, Keys(1, 1, 1, kKeyRo), kAclSortedSet, &ZCard, "1.2.0", "O(1)",
     "Returns how many members a sorted set has.", "key"},
    {"zcount", 4, kReadOnly | kFast, Keys(1, 1, 1), kAclSortedSet, &ZCount, "2.0.0",
     "O(log(N)) with N being the number of elements in the sorted set.",
     "Returns how many members have a score within the given bounds.", "key min max"},
    {"zincrby", 4, kWrite | kDenyOom | kFast, Keys(1, 1, 1, kRwAccessUpdate), kAclSortedSet,
     &ZIncrBy, "1.2.0", "O(log(N)) where N is the number of elements in the sorted set.",
     "Adds to the score of a member.", "key increment member"},
    {"zlexcount", 4, kReadOnly | kFast, Keys(1, 1, 1), kAclSortedSet, &ZLexCount, "2.8.9",
     "O(log(N)) with N being the number of elements in the sorted set.",
     "Returns how many members of equal score are within the given bounds.", "key min max"},
    {"zmscore", -3, kReadOnly | kFast, Keys(1, 1, 1), kAclSortedSet, &ZMScore, "6.2.0",
     "O(N) where N is the number of members being requested.",
     "Returns the scores of several members.", "key member [member ...]"},
    {"zrandmember", -2, kReadOnly, Keys(1, 1, 1), kAclSortedSet, &ZRandMember, "6.2.0",
     "O(N) where N is the number of elements returned",
     "Returns random members of a sorted set.", "key [count [WITHSCORES]]", kNondeterministic},
    {"zrank", -3, kReadOnly | kFast, Keys(1, 1, 1), kAclSortedSet, &ZRank, "2.0.0", "O(log(N))",
     "Returns how many members come before a member.", "key member [WITHSCORE]", kRankExtras},
    {"zrem", -3, kWrite | kFast, Keys(1, 1, 1, kRwDelete), kAclSortedSet, &ZRem, "1.2.0",
     "O(M*log(N)) with N being the number of elements in the sorted set and M the number of "
     "elements to be removed.",
     "Removes members from a sorted set.", "key member [member ...]", kZRemExtras},
    {"zrevrank", -3, kReadOnly | kFast, Keys(1, 1, 1), kAclSortedSet, &ZRevRank, "2.0.0",
     "O(log(N))", "Returns how many members come behind a member.", "key member [WITHSCORE]",
     kRankExtras},
    {"zscan", -3, kReadOnly, Keys(1, 1, 1), kAclSortedSet, &ZScan, "2.8.0",
     "O(1) for every call. O(N) for a complete iteration, where N is the number of elements in the "
     "sorted set.",
     "Goes through the members of a sorted set in several calls.",
     "key cursor [MATCH pattern] [COUNT count]", kNondeterministic},
    {"zscore", 3, kReadOnly | kFast, Keys(1, 1, 1), kAclSortedSet, &ZScore, "1.2.0", "O(1)",
     "Returns the score of a member.", "key member"},
};
// clang-format on
static_assert(IsWellFormed(kCommands));

}  // namespace

const CommandFamily kSortedSetFamily = {"sorted-set", kCommands};

}  // namespace larder
