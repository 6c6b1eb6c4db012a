// Commands on keys of any type: removing, renaming, copying, moving, and waiting for replicas.

#include <chrono>
#include <limits>
#include <optional>
#include <utility>

#include "base/numbers.h"
#include "base/text.h"
#include "commands/argument_parsers.h"
#include "commands/command_context.h"
#include "commands/families.h"
#include "commands/stampede_access.h"
#include "commands/value_type_name.h"

namespace larder {
namespace {

// A database number as COPY and MOVE take it, or nothing and an error replied.
std::optional<int> ParseDatabase(CommandContext& ctx, std::string_view text) {
  const std::optional<int64_t> number = ParseInt64(text);
  if (!number) {
    ctx.reply().Error(error_text::kNotAnInteger);
    return std::nullopt;
  }
  if (*number < std::numeric_limits<int32_t>::min() ||
      *number > std::numeric_limits<int32_t>::max()) {
    ctx.reply().Error(error_text::kNotAnInt32);
    return std::nullopt;
  }
  if (*number < 0 || *number >= ctx.settings().databases) {
    ctx.reply().Error(error_text::kDbOutOfRange);
    return std::nullopt;
  }
  return static_cast<int>(*number);
}

// How a value goes that a command replaces or that is in the way.
Shard::Reclaim ReclaimOfReplaced(const CommandContext& ctx) {
  return ctx.settings().lazyfree_lazy_server_del ? Shard::Reclaim::kBackground
                                                 : Shard::Reclaim::kNow;
}

// Puts `value` under key number `key` of database `db`, in place of what may be there.
void Place(CommandContext& ctx, int db, size_t key, std::unique_ptr<Shard::Detached> value) {
  Shard& shard = ctx.shard(key);
  shard.mu().AssertHeld();
  shard.Erase(db, ctx.key(key), ReclaimOfReplaced(ctx));
  ctx.NotePlaced(key, *shard.Attach(db, ctx.key(key), std::move(value)));
  ctx.NotifyIn(db, kNotifyNew, "new", ctx.key(key).text);
}

// As the key of which it is a copy, if bless-max-keys leaves room for another.
void Bless(CommandContext& ctx, int db, size_t key) {
  Shard& shard = ctx.shard(key);
  shard.mu().AssertHeld();
  shard.Pin(db, ctx.key(key), ctx.settings().bless_max_keys);
}

std::unique_ptr<Shard::Detached> Take(CommandContext& ctx, size_t key, Entry* entry) {
  Shard& shard = ctx.shard(key);
  shard.mu().AssertHeld();
  return shard.Extract(ctx.db(), ctx.key(key), entry);
}

struct CopyOptions {
  int db = 0;
  bool replace = false;
};

std::optional<CopyOptions> ParseCopyOptions(CommandContext& ctx) {
  CopyOptions options{.db = ctx.db()};
  for (size_t i = 3; i < ctx.argc(); ++i) {
    if (EqualsIgnoreCase(ctx.arg(i), "replace")) {
      options.replace = true;
    } else if (EqualsIgnoreCase(ctx.arg(i), "db") && i + 1 < ctx.argc()) {
      const std::optional<int> db = ParseDatabase(ctx, ctx.arg(++i));
      if (!db) return std::nullopt;
      options.db = *db;
    } else {
      ctx.reply().Error(error_text::kSyntax);
      return std::nullopt;
    }
  }
  return options;
}

void Copy(CommandContext& ctx) {
  const std::optional<CopyOptions> options = ParseCopyOptions(ctx);
  if (!options) return;
  if (options->db == ctx.db() && ctx.key(0).text == ctx.key(1).text) {
    return ctx.reply().Error(error_text::kSameObject);
  }
  // The destination first: looking for it may remove it and thereby move the source.
  const bool taken = ctx.PeekIn(options->db, 1) != nullptr;
  const Entry* source = ctx.Find(0);
  if (source == nullptr || (taken && !options->replace)) return ctx.reply().Integer(0);

  Shard& shard = ctx.shard(0);
  shard.mu().AssertHeld();
  const bool blessed = shard.IsPinned(ctx.db(), ctx.key(0).text);
  Place(ctx, options->db, 1, shard.Clone(*source));
  if (blessed) Bless(ctx, options->db, 1);
  ctx.MarkDirty();
  ctx.NotifyIn(options->db, kNotifyGeneric, "copy_to", ctx.key(1).text);
  ctx.reply().Integer(1);
}

void DeleteKeys(CommandContext& ctx, Shard::Reclaim reclaim) {
  int64_t deleted = 0;
  for (size_t i = 0; i < ctx.key_count(); ++i) {
    // What is past its time is gone already and must not be counted.
    if (ctx.Peek(i) == nullptr) {
      VoidLease(ctx, i);
      continue;
    }
    ctx.Erase(i, reclaim);
    ctx.Notify(kNotifyGeneric, "del", i);
    ++deleted;
  }
  ctx.reply().Integer(deleted);
}

void Del(CommandContext& ctx) {
  DeleteKeys(ctx, ctx.settings().lazyfree_lazy_user_del ? Shard::Reclaim::kBackground
                                                        : Shard::Reclaim::kNow);
}

void Unlink(CommandContext& ctx) { DeleteKeys(ctx, Shard::Reclaim::kBackground); }

void Exists(CommandContext& ctx) {
  int64_t found = 0;
  for (size_t i = 0; i < ctx.key_count(); ++i) found += ctx.Inspect(i) != nullptr ? 1 : 0;
  ctx.reply().Integer(found);
}

void Touch(CommandContext& ctx) {
  int64_t found = 0;
  for (size_t i = 0; i < ctx.key_count(); ++i) found += ctx.Find(i) != nullptr ? 1 : 0;
  ctx.reply().Integer(found);
}

void Move(CommandContext& ctx) {
  const std::optional<int> db = ParseDatabase(ctx, ctx.arg(2));
  if (!db) return;
  if (*db == ctx.db()) return ctx.reply().Error(error_text::kSameObject);
  const bool taken = ctx.PeekIn(*db, 0) != nullptr;
  Entry* source = ctx.FindForWrite(0);
  if (source == nullptr || taken) return ctx.reply().Integer(0);

  Place(ctx, *db, 0, Take(ctx, 0, source));
  ctx.MarkDirty();
  ctx.Notify(kNotifyGeneric, "move_from", 0);
  ctx.NotifyIn(*db, kNotifyGeneric, "move_to", ctx.key(0).text);
  ctx.reply().Integer(1);
}

enum class RenameOver : uint8_t { kAnything, kNothing };

void RenameKey(CommandContext& ctx, RenameOver over) {
  const bool taken = ctx.Peek(1) != nullptr;
  Entry* source = ctx.FindForWrite(0);
  if (source == nullptr) return ctx.reply().Error(error_text::kNoSuchKey);
  if (over == RenameOver::kNothing && taken) return ctx.reply().Integer(0);
  if (ctx.key(0).text != ctx.key(1).text) {
    Place(ctx, ctx.db(), 1, Take(ctx, 0, source));
    ctx.MarkDirty();
    ctx.Notify(kNotifyGeneric, "rename_from", 0);
    ctx.Notify(kNotifyGeneric, "rename_to", 1);
  }
  if (over == RenameOver::kNothing) return ctx.reply().Integer(1);
  ctx.reply().Ok();
}

void Rename(CommandContext& ctx) { RenameKey(ctx, RenameOver::kAnything); }
void RenameNx(CommandContext& ctx) { RenameKey(ctx, RenameOver::kNothing); }

void Type(CommandContext& ctx) {
  const Entry* entry = ctx.Inspect(0);
  ctx.reply().Simple(entry == nullptr ? "none" : ValueTypeName(entry->type()));
}

// There are no replicas yet whose acknowledgement could be counted.
void Wait(CommandContext& ctx) {
  const std::optional<int64_t> replicas = ParseInt64(ctx.arg(1));
  if (!replicas) return ctx.reply().Error(error_text::kNotAnInteger);
  std::chrono::milliseconds timeout{};
  if (!ParseBlockingTimeout(ctx, 2, TimeUnit::kMilliseconds, timeout)) return;
  if (*replicas <= 0 || ctx.in_transaction()) return ctx.reply().Integer(0);
  ctx.BlockClient({.deadline = DeadlineAfter(timeout),
                   .on_timeout = [](ReplyWriter& reply) { reply.Integer(0); }});
}

void ReplyNobodyHasSynced(ReplyWriter& reply) {
  reply.Array(2);
  reply.Integer(0);
  reply.Integer(0);
}

void WaitAof(CommandContext& ctx) {
  const std::optional<int64_t> local = ParseInt64(ctx.arg(1));
  if (!local) return ctx.reply().Error(error_text::kNotAnInteger);
  if (*local < 0 || *local > 1) {
    return ctx.reply().Error("ERR value is out of range, value must between 0 and 1");
  }
  const std::optional<int64_t> replicas = ParseInt64(ctx.arg(2));
  if (!replicas) return ctx.reply().Error(error_text::kNotAnInteger);
  if (*replicas < 0) return ctx.reply().Error("ERR value is out of range, must be positive");
  std::chrono::milliseconds timeout{};
  if (!ParseBlockingTimeout(ctx, 3, TimeUnit::kMilliseconds, timeout)) return;
  if (*local > 0) {
    return ctx.reply().Error(
        "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.");
  }
  if (*replicas == 0 || ctx.in_transaction()) return ReplyNobodyHasSynced(ctx.reply());
  ctx.BlockClient({.deadline = DeadlineAfter(timeout), .on_timeout = &ReplyNobodyHasSynced});
}

constexpr uint32_t kRemoves = kKeyRm | kKeyDelete;
constexpr uint32_t kMovesAway = kKeyRw | kKeyAccess | kKeyDelete;
constexpr CommandExtras kSumOverShards = {.tips =
                                              "request_policy:multi_shard response_policy:agg_sum"};
constexpr CommandExtras kMinOverShards = {.tips =
                                              "request_policy:all_shards response_policy:agg_min"};

// clang-format off
constexpr CommandSpec kGenericCommands[] = {
    // name      arity  flags                  keys  ACL  handler  since  cost  summary  syntax  extras
    {"copy",     -3,    kWrite | kDenyOom,     Keys(1, 1, 1, kKeyRo | kKeyAccess) + Keys(2, 2, 1, kKeyOw | kKeyUpdate),
     kAclKeyspace, &Copy, "6.2.0", "O(1) for strings, O(N) for the N elements of a collection",
     "Copies a key's value to another key.", "source destination [DB destination-db] [REPLACE]"},
    {"del",      -2,    kWrite,                Keys(1, -1, 1, kRemoves),
     kAclKeyspace, &Del, "1.0.0", "O(N) for N keys, and O(M) for each collection of M elements",
     "Removes keys.", "key ...", kSumOverShards},
    {"exists",   -2,    kReadOnly | kFast,     Keys(1, -1, 1, kKeyRo),
     kAclKeyspace, &Exists, "1.0.0", "O(N) for N keys", "Counts how many of the keys exist.", "key ...",
     {.tips = kSumOverShards.tips, .history = "3.0.3: takes several keys"}},
    {"move",      3,    kWrite | kFast,        Keys(1, 1, 1, kKeyRw | kKeyAccess | kKeyUpdate),
     kAclKeyspace, &Move, "1.0.0", "O(1)", "Moves a key to another database.", "key db"},
    {"rename",    3,    kWrite,                Keys(1, 1, 1, kMovesAway) + Keys(2, 2, 1, kKeyOw | kKeyUpdate),
     kAclKeyspace, &Rename, "1.0.0", "O(1)", "Renames a key, replacing one that has the new name.", "key newkey"},
    {"renamenx",  3,    kWrite | kFast,        Keys(1, 1, 1, kMovesAway) + Keys(2, 2, 1, kKeyOw | kKeyInsert),
     kAclKeyspace, &RenameNx, "1.0.0", "O(1)", "Renames a key unless the new name is taken.", "key newkey",
     {.history = "3.2.0: the same name twice is no error any more"}},
    {"touch",    -2,    kReadOnly | kFast,     Keys(1, -1, 1, kKeyRo),
     kAclKeyspace, &Touch, "3.2.1", "O(N) for N keys", "Counts the keys that exist, as an access to each.", "key ...",
     kSumOverShards},
    {"type",      2,    kReadOnly | kFast,     Keys(1, 1, 1, kKeyRo),
     kAclKeyspace, &Type, "1.0.0", "O(1)", "Tells the type of a key's value.", "key"},
    {"unlink",   -2,    kWrite | kFast,        Keys(1, -1, 1, kRemoves),
     kAclKeyspace, &Unlink, "4.0.0", "O(1) a key; large values are freed in the background",
     "Removes keys without waiting until their memory is free.", "key ...", kSumOverShards},
    {"wait",      3,    kNoScript,             kNoKeys,
     kAclConnection, &Wait, "3.0.0", "O(1)", "Waits until so many replicas have this connection's writes.",
     "numreplicas timeout", kMinOverShards},
    {"waitaof",   4,    kNoScript,             kNoKeys,
     kAclConnection, &WaitAof, "7.2.0", "O(1)", "Waits until this connection's writes are on disk, here and at replicas.",
     "numlocal numreplicas timeout", kMinOverShards},
};
// clang-format on
static_assert(IsWellFormed(kGenericCommands));

}  // namespace

constinit const CommandFamily kGenericFamily = {"generic", kGenericCommands};

}  // namespace larder
