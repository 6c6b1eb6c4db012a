// Commands on whole databases: emptying, exchanging and counting.

#include <limits>
#include <optional>

#include "base/numbers.h"
#include "base/text.h"
#include "commands/command_context.h"
#include "commands/families.h"
#include "eviction/miss_ratio_curve.h"

namespace larder {
namespace {

std::optional<Shard::Reclaim> ParseReclaim(CommandContext& ctx) {
  if (ctx.argc() == 1) {
    return ctx.settings().lazyfree_lazy_user_flush ? Shard::Reclaim::kBackground
                                                   : Shard::Reclaim::kNow;
  }
  if (ctx.argc() == 2 && EqualsIgnoreCase(ctx.arg(1), "sync")) return Shard::Reclaim::kNow;
  if (ctx.argc() == 2 && EqualsIgnoreCase(ctx.arg(1), "async")) return Shard::Reclaim::kBackground;
  ctx.reply().Error(error_text::kSyntax);
  return std::nullopt;
}

// Empties database `db` of one shard and returns how many keys it had.
int64_t FlushOne(CommandContext& ctx, Shard& shard, int db, Shard::Reclaim reclaim) {
  shard.mu().AssertHeld();
  // Also of an empty one: somebody may be loading what is not there yet.
  ctx.NotifyDatabaseChanging(shard, db);
  const auto keys = static_cast<int64_t>(shard.size(db));
  if (keys == 0) return 0;
  shard.Flush(db, reclaim);
  return keys;
}

void Flush(CommandContext& ctx, int first_db, int last_db) {
  const std::optional<Shard::Reclaim> reclaim = ParseReclaim(ctx);
  if (!reclaim) return;
  int64_t removed = 0;
  ctx.ForEachShard([&](Shard& shard) {
    for (int db = first_db; db <= last_db; ++db) removed += FlushOne(ctx, shard, db, *reclaim);
    return true;
  });
  ctx.server().tracking().OnFlushed();
  ctx.server().miss_ratio_curve().OnFlush();
  ctx.MarkDirty(removed);
  ctx.reply().Ok();
}

void FlushDb(CommandContext& ctx) { Flush(ctx, ctx.db(), ctx.db()); }
void FlushAll(CommandContext& ctx) { Flush(ctx, 0, ctx.settings().databases - 1); }

void DbSize(CommandContext& ctx) {
  int64_t keys = 0;
  ctx.ForEachShard([&](Shard& shard) {
    shard.mu().AssertHeld();
    keys += static_cast<int64_t>(shard.size(ctx.db()));
    return true;
  });
  ctx.reply().Integer(keys);
}

std::optional<int64_t> ParseSwapIndex(std::string_view text) {
  const std::optional<int64_t> index = ParseInt64(text);
  if (!index || *index < std::numeric_limits<int32_t>::min() ||
      *index > std::numeric_limits<int32_t>::max()) {
    return std::nullopt;
  }
  return index;
}

void SwapDb(CommandContext& ctx) {
  const std::optional<int64_t> first = ParseSwapIndex(ctx.arg(1));
  if (!first) return ctx.reply().Error(error_text::kInvalidFirstDb);
  const std::optional<int64_t> second = ParseSwapIndex(ctx.arg(2));
  if (!second) return ctx.reply().Error(error_text::kInvalidSecondDb);
  const int64_t databases = ctx.settings().databases;
  if (*first < 0 || *first >= databases || *second < 0 || *second >= databases) {
    return ctx.reply().Error(error_text::kDbOutOfRange);
  }
  const int a = static_cast<int>(*first);
  const int b = static_cast<int>(*second);
  if (a != b) {
    ctx.ForEachShard([&](Shard& shard) {
      shard.mu().AssertHeld();
      ctx.NotifyDatabasesSwapping(shard, a, b);
      shard.SwapDatabases(a, b);
      return true;
    });
    ctx.server().miss_ratio_curve().OnFlush();  // It knows keys by the numbers of before.
  }
  ctx.MarkDirty();
  ctx.reply().Ok();
}

constexpr uint32_t kAclWhole = kAclKeyspace | kAclDangerous;
constexpr CommandExtras kFlushExtras = {
    .tips = "request_policy:all_shards response_policy:all_succeeded",
    .history = "4.0.0: ASYNC\n6.2.0: SYNC"};

// clang-format off
constexpr CommandSpec kDatabaseCommands[] = {
    // name      arity  flags                            keys     ACL           handler    since    cost    summary
    {"dbsize",    1,    kReadOnly | kFast | kShardByShard, kNoKeys, kAclKeyspace, &DbSize,   "1.0.0", "O(1)", "Counts the keys of the database.", "",
     {.tips = "request_policy:all_shards response_policy:agg_sum"}},
    {"flushall", -1,    kWrite | kAllShards,             kNoKeys, kAclWhole,    &FlushAll, "1.0.0", "O(N) for N keys in all databases; O(1) with ASYNC",
     "Empties all databases.", "[ASYNC|SYNC]", kFlushExtras},
    {"flushdb",  -1,    kWrite | kAllShards,             kNoKeys, kAclWhole,    &FlushDb,  "1.0.0", "O(N) for N keys in the database; O(1) with ASYNC",
     "Empties the database.", "[ASYNC|SYNC]", kFlushExtras},
    {"swapdb",    3,    kWrite | kFast | kAllShards,     kNoKeys, kAclWhole,    &SwapDb,   "4.0.0", "O(N) for N clients that watch keys of either",
     "Exchanges two databases.", "index1 index2"},
};
// clang-format on
static_assert(IsWellFormed(kDatabaseCommands));

}  // namespace

constinit const CommandFamily kDatabaseFamily = {"server", kDatabaseCommands};

}  // namespace larder
