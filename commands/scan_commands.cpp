// Commands that find keys without knowing their names: KEYS, SCAN, RANDOMKEY. Each goes shard by
// shard, locking one at a time.

#include <bit>
#include <optional>
#include <string>
#include <vector>

#include "base/glob.h"
#include "base/numbers.h"
#include "base/text.h"
#include "commands/command_context.h"
#include "commands/families.h"
#include "commands/scan_reply.h"
#include "commands/value_type_name.h"

namespace larder {
namespace {

// A SCAN cursor holds the place inside a shard above the number of the shard, so that 0 is both the
// first place of all and, as Redis has it, the sign of the end.
struct ScanCursor {
  uint32_t shard = 0;
  uint64_t place = 0;

  static ScanCursor From(uint64_t number, uint32_t shards) {
    return {static_cast<uint32_t>(number & (shards - 1)), number >> std::countr_zero(shards)};
  }
  uint64_t Number(uint32_t shards) const {
    return shard == shards ? 0 : place << std::countr_zero(shards) | shard;
  }
};

// One SCAN call: how much it may still do, and what it has found.
class ScanCall {
 public:
  ScanCall(const ScanOptions& options, const ScanCursor& cursor, int db, UnixMillis now)
      : options_(options), cursor_(cursor), db_(db), now_(now), budget_(options.count) {}

  // Goes on in the cursor's shard, which may be the end of it. True while there is work to do and
  // leave to do it. An empty shard costs neither.
  bool Continue(Shard& shard) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mu()) {
    const auto visit = [this](Entry& entry) { Visit(entry); };
    if (shard.size(db_) == 0) cursor_.place = 0;
    while (shard.size(db_) != 0 && budget_.left()) {
      budget_.CountStep();
      cursor_.place = shard.Scan(db_, cursor_.place, visit);
      if (cursor_.place == 0) break;
    }
    if (cursor_.place == 0) ++cursor_.shard;
    return budget_.left();
  }

  const ScanCursor& cursor() const { return cursor_; }
  const std::vector<std::string>& keys() const { return keys_; }

 private:
  void Visit(const Entry& entry) {
    budget_.CountVisit();
    if (entry.ExpiredAt(now_)) return;
    if (!options_.any_type && !EqualsIgnoreCase(ValueTypeName(entry.type()), options_.type)) return;
    if (options_.Wants(entry.key())) keys_.emplace_back(entry.key());
  }

  const ScanOptions& options_;
  ScanCursor cursor_;
  const int db_;
  const UnixMillis now_;
  ScanBudget budget_;
  std::vector<std::string> keys_;
};

void Scan(CommandContext& ctx) {
  uint64_t number = 0;
  ScanOptions options;
  if (!ParseScanCursor(ctx, 1, number) || !ParseScanOptions(ctx, 2, kScanType, options)) return;
  const uint32_t shards = ctx.server().keyspace().shard_count();
  ScanCall call(options, ScanCursor::From(number, shards), ctx.db(), ctx.now());
  bool go_on = true;
  while (go_on && call.cursor().shard < shards) {
    ctx.WithShard(call.cursor().shard, [&](Shard& shard) {
      shard.mu().AssertHeld();
      go_on = call.Continue(shard);
    });
  }

  char digits[kMaxIntegerText];
  ctx.reply().Array(2);
  ctx.reply().Bulk({digits, FormatUint64(call.cursor().Number(shards), digits)});
  ctx.reply().Array(call.keys().size());
  for (const std::string& key : call.keys()) ctx.reply().Bulk(key);
}

// KEYS of a pattern without wildcards is a lookup, in one shard.
void ReplyWithKeyNamed(CommandContext& ctx, std::string_view name) {
  bool found = false;
  ctx.WithKey(name, [&](Shard& shard, const HashedKey& key) {
    shard.mu().AssertHeld();
    found = shard.Find(ctx.db(), key, ctx.now()) != nullptr;
  });
  ctx.reply().Array(found ? 1 : 0);
  if (found) ctx.reply().Bulk(name);
}

void KeysMatching(CommandContext& ctx) {
  const std::string_view pattern = ctx.arg(1);
  if (GlobIsLiteral(pattern)) return ReplyWithKeyNamed(ctx, pattern);
  const bool any_name = pattern == "*";
  const auto reply = ctx.reply().BeginDeferred();
  size_t found = 0;
  const auto visit = [&](Entry& entry) {
    if (entry.ExpiredAt(ctx.now()) || !(any_name || GlobMatch(pattern, entry.key()))) return;
    ctx.reply().Bulk(entry.key());
    ++found;
  };
  ctx.ForEachShard([&](Shard& shard) {
    shard.mu().AssertHeld();
    if (shard.size(ctx.db()) == 0) return true;
    // The whole shard under one lock: a walk that pauses may meet a key twice.
    uint64_t place = 0;
    do {
      place = shard.Scan(ctx.db(), place, visit);
    } while (place != 0);
    return true;
  });
  ctx.reply().EndDeferredArray(reply, found);
}

// The number of a shard, each with the probability of its share of the keys; nothing if there are
// none.
std::optional<uint32_t> RandomShard(CommandContext& ctx) {
  std::vector<uint64_t> keys_up_to;
  keys_up_to.reserve(ctx.server().keyspace().shard_count());
  uint64_t keys = 0;
  ctx.ForEachShard([&](Shard& shard) {
    shard.mu().AssertHeld();
    keys += shard.size(ctx.db());
    keys_up_to.push_back(keys);
    return true;
  });
  if (keys == 0) return std::nullopt;
  const uint64_t chosen = ctx.random().Uniform(keys);
  const auto shard = std::upper_bound(keys_up_to.begin(), keys_up_to.end(), chosen);
  return static_cast<uint32_t>(shard - keys_up_to.begin());
}

// A random live key of the shard. Expired ones that it meets it removes, as every lookup does; it
// gives up after a few.
std::optional<std::string> RandomLiveKey(CommandContext& ctx, Shard& shard) {
  constexpr int kTries = 16;
  shard.mu().AssertHeld();
  for (int i = 0; i < kTries && shard.size(ctx.db()) != 0; ++i) {
    const Entry* entry = shard.RandomEntry(ctx.db(), ctx.random());
    if (entry == nullptr) break;
    std::string key(entry->key());
    if (!entry->ExpiredAt(ctx.now())) return key;
    shard.Find(ctx.db(), HashedKey::Of(key), ctx.now());
  }
  return std::nullopt;
}

// Any live key at all: for a database in which next to everything has expired.
std::optional<std::string> FirstLiveKey(CommandContext& ctx) {
  std::optional<std::string> found;
  const auto visit = [&](Entry& entry) {
    if (!found && !entry.ExpiredAt(ctx.now())) found.emplace(entry.key());
  };
  ctx.ForEachShard([&](Shard& shard) {
    shard.mu().AssertHeld();
    uint64_t place = 0;
    do {
      if (shard.size(ctx.db()) != 0) place = shard.Scan(ctx.db(), place, visit);
    } while (place != 0 && !found);
    return !found;
  });
  return found;
}

void RandomKey(CommandContext& ctx) {
  constexpr int kTries = 32;
  std::optional<std::string> key;
  for (int i = 0; i < kTries && !key; ++i) {
    const std::optional<uint32_t> shard_id = RandomShard(ctx);
    if (!shard_id) return ctx.reply().Null();
    ctx.WithShard(*shard_id, [&](Shard& shard) { key = RandomLiveKey(ctx, shard); });
  }
  if (!key) key = FirstLiveKey(ctx);
  if (!key) return ctx.reply().Null();
  ctx.reply().Bulk(*key);
}

// clang-format off
constexpr CommandSpec kScanCommands[] = {
    // name       arity  flags                      keys     ACL                           handler        since    cost    summary
    {"keys",       2,    kReadOnly | kShardByShard, kNoKeys, kAclKeyspace | kAclDangerous, &KeysMatching, "1.0.0", "O(N) for N keys in the database",
     "Lists all keys that match a pattern.", "pattern", {.tips = "request_policy:all_shards nondeterministic_output_order"}},
    {"randomkey",  1,    kReadOnly | kShardByShard, kNoKeys, kAclKeyspace,                 &RandomKey,    "1.0.0", "O(1)",
     "Names a random key.", "", {.tips = "request_policy:all_shards nondeterministic_output"}},
    {"scan",      -2,    kReadOnly | kShardByShard, kNoKeys, kAclKeyspace,                 &Scan,         "2.8.0", "O(1) a call, O(N) for all calls of an iteration over N keys",
     "Lists the keys piece by piece.", "cursor [MATCH pattern] [COUNT count] [TYPE type]",
     {.tips = "nondeterministic_output request_policy:special", .history = "6.0.0: TYPE"}},
};
// clang-format on
static_assert(IsWellFormed(kScanCommands));

}  // namespace

constinit const CommandFamily kScanFamily = {"generic", kScanCommands};

}  // namespace larder
