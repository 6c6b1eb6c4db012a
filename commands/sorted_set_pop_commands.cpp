// Taking the members with the least or the greatest scores out of sorted sets, and waiting for
// them.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "base/text.h"
#include "commands/argument_parsers.h"
#include "commands/command_context.h"
#include "commands/edit.h"
#include "commands/families.h"
#include "commands/sorted_set_arguments.h"
#include "protocol/error_text.h"
#include "storage/sorted_set.h"

namespace larder {
namespace {

enum class End : uint8_t { kMin, kMax };

// Takes out up to `count` members from one end; `reply` is given the number, then each.
template <typename Reply>
void Pop(CommandContext& ctx, size_t key, Entry* entry, End end, uint64_t count, Reply reply) {
  Edit<SortedSet> set(ctx, key, entry);
  const size_t size = set->size();
  const auto popped = static_cast<size_t>(std::min<uint64_t>(count, size));
  const bool least = end == End::kMin;
  const RankRange range = least ? RankRange{0, popped} : RankRange{size - popped, size};
  reply.Header(popped);
  set->ForEach(range, least ? RankOrder::kAscending : RankOrder::kDescending, reply);
  set->EraseRange(range);
  set.Done(kNotifySortedSet, least ? "zpopmin" : "zpopmax", static_cast<int64_t>(popped));
}

// Member and score in an array of their own each, in either protocol.
class PairsReply {
 public:
  explicit PairsReply(ReplyWriter& reply) : reply_(reply) {}
  void Header(size_t members) { reply_.Array(members); }
  void operator()(std::string_view member, double score) const {
    reply_.Array(2);
    reply_.Bulk(member);
    reply_.Double(score);
  }

 private:
  ReplyWriter& reply_;
};

// One member and its score, behind `before` other elements of the same array.
class FlatReply {
 public:
  explicit FlatReply(ReplyWriter& reply) : reply_(reply) {}
  void Header(size_t members) { reply_.Array(members * 2); }
  void operator()(std::string_view member, double score) const {
    reply_.Bulk(member);
    reply_.Double(score);
  }

 private:
  ReplyWriter& reply_;
};

// The key's name, too.
class NamedReply {
 public:
  NamedReply(ReplyWriter& reply, std::string_view key) : reply_(reply), key_(key) {}
  void Header(size_t) {
    reply_.Array(3);
    reply_.Bulk(key_);
  }
  void operator()(std::string_view member, double score) const {
    reply_.Bulk(member);
    reply_.Double(score);
  }

 private:
  ReplyWriter& reply_;
  const std::string_view key_;
};

// ---- ZPOPMIN, ZPOPMAX.

void PopFrom(CommandContext& ctx, End end) {
  if (ctx.argc() > 3) return ctx.reply().Error(error_text::kSyntax);
  int64_t count = 1;
  if (ctx.argc() == 3) {
    if (!ParseInteger(ctx, 2, count, error_text::kMustBePositive)) return;
    if (count < 0) return ctx.reply().Error(error_text::kMustBePositive);
  }
  const auto found = FindForWrite<SortedSet>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found || count == 0) return ctx.reply().Array(0);
  if (ctx.argc() == 3) {
    return Pop(ctx, 0, found.entry, end, static_cast<uint64_t>(count),
               MemberReply(ctx.reply(), /*with_scores=*/true));
  }
  Pop(ctx, 0, found.entry, end, 1, FlatReply(ctx.reply()));
}

void ZPopMin(CommandContext& ctx) { PopFrom(ctx, End::kMin); }
void ZPopMax(CommandContext& ctx) { PopFrom(ctx, End::kMax); }

// ---- Several keys.

void BlockOnAllKeys(CommandContext& ctx, std::chrono::milliseconds timeout) {
  absl::InlinedVector<size_t, 8> keys(ctx.key_count());
  for (size_t key = 0; key < keys.size(); ++key) keys[key] = key;
  ctx.BlockOnKeys({.deadline = DeadlineAfter(timeout),
                   .on_timeout = [](ReplyWriter& reply) { reply.NullArray(); }},
                  {keys.data(), keys.size()});
}

// The first of the keys that holds a sorted set. `failed` if the answer has been given already.
struct Candidate {
  Entry* entry = nullptr;
  size_t key = 0;
  bool failed = false;
};

Candidate FindFirst(CommandContext& ctx) {
  for (size_t key = 0; key < ctx.key_count(); ++key) {
    const auto found = FindForWrite<SortedSet>(ctx, key);
    if (found) return {found.entry, key};
    if (!found.wrong_type || ctx.retrying()) continue;
    ctx.reply().Error(error_text::kWrongType);
    return {.failed = true};
  }
  return {};
}

// BZPOPMIN key [key ...] timeout
void PopOrWait(CommandContext& ctx, End end) {
  std::chrono::milliseconds timeout{};
  if (!ParseBlockingTimeout(ctx, ctx.argc() - 1, TimeUnit::kSeconds, timeout)) return;
  const Candidate candidate = FindFirst(ctx);
  if (candidate.failed) return;
  if (candidate.entry != nullptr) {
    const size_t key = candidate.key;
    return Pop(ctx, key, candidate.entry, end, 1, NamedReply(ctx.reply(), ctx.key(key).text));
  }
  if (ctx.in_transaction()) return ctx.reply().NullArray();
  BlockOnAllKeys(ctx, timeout);
}

void BZPopMin(CommandContext& ctx) { PopOrWait(ctx, End::kMin); }
void BZPopMax(CommandContext& ctx) { PopOrWait(ctx, End::kMax); }

// numkeys key [key ...] MIN|MAX [COUNT count], of which numkeys stands at `index`.
struct MPopArguments {
  End end = End::kMin;
  int64_t count = 1;
};

bool ParsePositive(CommandContext& ctx, size_t arg, int64_t& value, std::string_view error) {
  if (!ParseInteger(ctx, arg, value, error)) return false;
  if (value > 0) return true;
  ctx.reply().Error(error);
  return false;
}

bool FailSyntax(CommandContext& ctx) {
  ctx.reply().Error(error_text::kSyntax);
  return false;
}

bool ParseMPop(CommandContext& ctx, size_t index, MPopArguments& arguments) {
  int64_t keys = 0;
  if (!ParsePositive(ctx, index, keys, error_text::kNumKeysNotPositive)) return false;
  if (static_cast<uint64_t>(keys) >= ctx.argc() - index - 1) return FailSyntax(ctx);
  size_t arg = index + 1 + static_cast<size_t>(keys);
  if (EqualsIgnoreCase(ctx.arg(arg), "MIN")) {
    arguments.end = End::kMin;
  } else if (EqualsIgnoreCase(ctx.arg(arg), "MAX")) {
    arguments.end = End::kMax;
  } else {
    return FailSyntax(ctx);
  }
  bool has_count = false;
  for (++arg; arg < ctx.argc(); arg += 2) {
    if (has_count || arg + 1 == ctx.argc() || !EqualsIgnoreCase(ctx.arg(arg), "COUNT")) {
      return FailSyntax(ctx);
    }
    if (!ParsePositive(ctx, arg + 1, arguments.count, error_text::kCountNotPositive)) return false;
    has_count = true;
  }
  return true;
}

// True if there was an answer.
bool PopFromFirst(CommandContext& ctx, const MPopArguments& arguments) {
  const Candidate candidate = FindFirst(ctx);
  if (candidate.failed) return true;
  if (candidate.entry == nullptr) return false;
  ctx.reply().Array(2);
  ctx.reply().Bulk(ctx.key(candidate.key).text);
  Pop(ctx, candidate.key, candidate.entry, arguments.end, static_cast<uint64_t>(arguments.count),
      PairsReply(ctx.reply()));
  return true;
}

void ZMPop(CommandContext& ctx) {
  MPopArguments arguments;
  if (!ParseMPop(ctx, 1, arguments)) return;
  if (!PopFromFirst(ctx, arguments)) ctx.reply().NullArray();
}

void BZMPop(CommandContext& ctx) {
  MPopArguments arguments;
  if (!ParseMPop(ctx, 2, arguments)) return;
  std::chrono::milliseconds timeout{};
  if (!ParseBlockingTimeout(ctx, 1, TimeUnit::kSeconds, timeout)) return;
  if (PopFromFirst(ctx, arguments)) return;
  if (ctx.in_transaction()) return ctx.reply().NullArray();
  BlockOnAllKeys(ctx, timeout);
}

constexpr uint32_t kRwAccessDelete = kKeyRw | kKeyAccess | kKeyDelete;
constexpr CommandExtras kBlockingExtras = {
    .history = "6.0.0: `timeout` is interpreted as a double instead of an integer."};

// clang-format off
constexpr CommandSpec kCommands[] = {
    {"bzmpop", -5, kWrite | kBlocking, CountedKeysAt(2, kRwAccessDelete), kAclSortedSet, &BZMPop,
     "7.0.0",
     "O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of elements in "
     "the sorted set, and M being the number of elements popped.",
     "Takes members off one end of the first sorted set that has any, or waits for one.",
     "timeout numkeys key [key ...] MIN|MAX [COUNT count]"},
    {"bzpopmax", -3, kWrite | kNoScript | kBlocking | kFast, Keys(1, -2, 1, kRwAccessDelete),
     kAclSortedSet, &BZPopMax, "5.0.0",
     "O(log(N)) with N being the number of elements in the sorted set.",
     "Takes the member with the greatest score off the first sorted set that has one, or waits.",
     "key [key ...] timeout", kBlockingExtras},
    {"bzpopmin", -3, kWrite | kNoScript | kBlocking | kFast, Keys(1, -2, 1, kRwAccessDelete),
     kAclSortedSet, &BZPopMin, "5.0.0",
     "O(log(N)) with N being the number of elements in the sorted set.",
     "Takes the member with the least score off the first sorted set that has one, or waits.",
     "key [key ...] timeout", kBlockingExtras},
    {"zmpop", -4, kWrite, CountedKeysAt(1, kRwAccessDelete), kAclSortedSet, &ZMPop, "7.0.0",
     "O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of elements in "
     "the sorted set, and M being the number of elements popped.",
     "Takes members off one end of the first sorted set that has any.",
     "numkeys key [key ...] MIN|MAX [COUNT count]"},
    {"zpopmax", -2, kWrite | kFast, Keys(1, 1, 1, kRwAccessDelete), kAclSortedSet, &ZPopMax,
     "5.0.0",
     "O(log(N)*M) with N being the number of elements in the sorted set, and M being the number of "
     "elements popped.",
     "Takes the members with the greatest scores off a sorted set.", "key [count]"},
    {"zpopmin", -2, kWrite | kFast, Keys(1, 1, 1, kRwAccessDelete), kAclSortedSet, &ZPopMin,
     "5.0.0",
     "O(log(N)*M) with N being the number of elements in the sorted set, and M being the number of "
     "elements popped.",
     "Takes the members with the least scores off a sorted set.", "key [count]"},
};
// clang-format on
static_assert(IsWellFormed(kCommands));

}  // namespace

const CommandFamily kSortedSetPopFamily = {"sorted-set", kCommands};

}  // namespace larder
