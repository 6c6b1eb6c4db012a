// BLESS: keys that are never evicted, as Redis 8.12 has them. A blessing belongs to a key that
// exists: SET and RESTORE over it leave it, RENAME and MOVE take it along, COPY gives it to the
// copy too, and it ends with the key, be it removed, expired or flushed.
//
// Two things differ. There is a bound, bless-max-keys, for what may not go is memory that the rest
// cannot have. And where only blessed keys are left, a write is refused at maxmemory and not
// at 1.25 times that.

#include <optional>
#include <string>
#include <vector>

#include "base/numbers.h"
#include "base/text.h"
#include "commands/command_context.h"
#include "commands/families.h"
#include "commands/help_reply.h"
#include "commands/scan_reply.h"

namespace larder {
namespace {

constexpr std::string_view kTooMany = "ERR too many blessed keys, see 'bless-max-keys'";

bool ParseFlag(CommandContext& ctx, size_t arg) {
  if (EqualsIgnoreCase(ctx.arg(arg), "NO-EVICT")) return true;
  ctx.reply().Error(error_text::kSyntax);
  return false;
}

void NoteChange(CommandContext& ctx, std::string_view event) {
  ctx.MarkDirty();
  ctx.Notify(kNotifyGeneric, event, 0);
  ctx.reply().Integer(1);
}

void Set(CommandContext& ctx) {
  if (!ParseFlag(ctx, 3)) return;
  if (ctx.FindForWrite(0) == nullptr) return ctx.reply().Error(error_text::kNoSuchKey);
  Shard& shard = ctx.shard(0);
  shard.mu().AssertHeld();
  if (shard.IsPinned(ctx.db(), ctx.key(0).text)) return ctx.reply().Integer(0);
  if (!shard.Pin(ctx.db(), ctx.key(0), ctx.settings().bless_max_keys)) {
    return ctx.reply().Error(kTooMany);
  }
  NoteChange(ctx, "bless");
}

void Clear(CommandContext& ctx) {
  if (!ParseFlag(ctx, 3)) return;
  if (ctx.FindForWrite(0) == nullptr) return ctx.reply().Error(error_text::kNoSuchKey);
  Shard& shard = ctx.shard(0);
  shard.mu().AssertHeld();
  if (!shard.Unpin(ctx.db(), ctx.key(0))) return ctx.reply().Integer(0);
  NoteChange(ctx, "unbless");
}

void Get(CommandContext& ctx) {
  if (ctx.Peek(0) == nullptr) return ctx.reply().Error(error_text::kNoSuchKey);
  Shard& shard = ctx.shard(0);
  shard.mu().AssertHeld();
  const bool blessed = shard.IsPinned(ctx.db(), ctx.key(0).text);
  ctx.reply().Array(blessed ? 1 : 0);
  if (blessed) ctx.reply().Bulk("NO-EVICT");
}

std::optional<int64_t> ParseCount(CommandContext& ctx) {
  constexpr int64_t kDefault = 1024;
  if (ctx.argc() == 4) return kDefault;
  if (ctx.argc() != 6 || !EqualsIgnoreCase(ctx.arg(4), "COUNT")) {
    ctx.reply().Error(error_text::kSyntax);
    return std::nullopt;
  }
  const std::optional<int64_t> count = ParseInt64(ctx.arg(5));
  if (!count || *count < 1) {
    ctx.reply().Error(count ? error_text::kSyntax : error_text::kNotAnInteger);
    return std::nullopt;
  }
  return count;
}

// The cursor is the number of the next shard: each is listed whole, under its lock.
void Scan(CommandContext& ctx) {
  uint64_t next = 0;
  if (!ParseScanCursor(ctx, 2, next) || !ParseFlag(ctx, 3)) return;
  const std::optional<int64_t> count = ParseCount(ctx);
  if (!count) return;
  const uint64_t shards = ctx.server().keyspace().shard_count();
  std::vector<std::string> keys;
  for (; next < shards && static_cast<int64_t>(keys.size()) < *count; ++next) {
    ctx.WithShard(static_cast<uint32_t>(next), [&](Shard& shard) {
      shard.mu().AssertHeld();
      shard.ForEachPinned(ctx.db(), [&](const Entry& entry) {
        if (!entry.ExpiredAt(ctx.now())) keys.emplace_back(entry.key());
      });
    });
  }
  char digits[kMaxIntegerText];
  ctx.reply().Array(2);
  ctx.reply().Bulk({digits, FormatUint64(next < shards ? next : 0, digits)});
  ctx.reply().Array(keys.size());
  for (const std::string& key : keys) ctx.reply().Bulk(key);
}

void Help(CommandContext& ctx) {
  static constexpr std::string_view kLines[] = {
      "CLEAR <key> NO-EVICT",
      "    Let the <key> be evicted again.",
      "GET <key>",
      "    Return the protections of the <key>.",
      "SCAN <cursor> NO-EVICT [COUNT <count>]",
      "    Iterate over the keys of the database that are protected.",
      "SET <key> NO-EVICT",
      "    Protect the <key> from eviction.",
  };
  ReplyHelp(ctx, kLines);
}

constexpr KeySpecs kChanged = Keys(2, 2, 1, kKeyRw);
constexpr CommandExtras kScanExtras = {
    .tips = "nondeterministic_output request_policy:special response_policy:special"};

// clang-format off
constexpr CommandSpec kBlessSubcommands[] = {
    // name    arity  flags                      keys                   ACL           handler  since     cost    summary
    {"clear",  4,     kWrite | kFast,            kChanged,              kAclKeyspace, &Clear,  "8.12.0", "O(1)", "Lets a key be evicted again.", "key NO-EVICT"},
    {"get",    3,     kFast,                     Keys(2, 2, 1, kKeyRo), kAclKeyspace, &Get,    "8.12.0", "O(1)", "Tells a key's protections.", "key"},
    {"help",   2,     kLoading | kStale,         kNoKeys,               kAclKeyspace, &Help,   "8.12.0", "O(1)", "Lists the subcommands."},
    {"scan",  -4,     kShardByShard,             kNoKeys,               kAclKeyspace, &Scan,   "8.12.0", "O(1) a call, O(N) for all calls of an iteration over N blessed keys",
     "Lists the blessed keys of the database piece by piece.", "cursor NO-EVICT [COUNT count]", kScanExtras},
    {"set",    4,     kWrite | kDenyOom | kFast, kChanged,              kAclKeyspace, &Set,    "8.12.0", "O(1)", "Protects a key from eviction.", "key NO-EVICT"},
};

constexpr CommandSpec kBlessCommands[] = {
    {"bless", -2,     0,                         kNoKeys,               kAclNone,     nullptr, "8.12.0", "Depends on the subcommand.", "Protects keys from eviction.", "",
     {.subcommands = kBlessSubcommands}},
};
// clang-format on
static_assert(IsWellFormed(kBlessCommands));

}  // namespace

constinit const CommandFamily kBlessFamily = {"generic", kBlessCommands};

}  // namespace larder
