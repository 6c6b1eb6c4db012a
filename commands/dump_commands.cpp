// DUMP and RESTORE: a value on its way to another server, in Redis's serialized form.
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "base/numbers.h"
#include "base/text.h"
#include "commands/argument_parsers.h"
#include "commands/command_context.h"
#include "commands/families.h"
#include "protocol/error_text.h"
#include "storage/serialized_value.h"

namespace larder {
namespace {

void Dump(CommandContext& ctx) {
  const Entry* const entry = ctx.Find(0);
  if (entry == nullptr) return ctx.reply().Null();
  const auto compress =
      ctx.settings().rdb_compression ? SerialWriter::Compress::kYes : SerialWriter::Compress::kNo;
  ctx.reply().Bulk(DumpPayload(*entry, compress));
}

struct RestoreOptions {
  bool replace = false;
  bool absolute_ttl = false;
  std::optional<int64_t> idle_seconds;
  std::optional<int64_t> frequency;
};

bool ParseRestoreOptions(CommandContext& ctx, RestoreOptions& options) {
  for (size_t i = 4; i < ctx.argc(); ++i) {
    const std::string_view word = ctx.arg(i);
    const bool has_value = i + 1 < ctx.argc();
    int64_t value = 0;
    if (EqualsIgnoreCase(word, "REPLACE")) {
      options.replace = true;
    } else if (EqualsIgnoreCase(word, "ABSTTL")) {
      options.absolute_ttl = true;
    } else if (EqualsIgnoreCase(word, "IDLETIME") && has_value && !options.frequency) {
      if (!ParseInteger(ctx, ++i, value)) return false;
      if (value < 0) return ctx.reply().Error(error_text::kInvalidIdleTime), false;
      options.idle_seconds = value;
    } else if (EqualsIgnoreCase(word, "FREQ") && has_value && !options.idle_seconds) {
      if (!ParseInteger(ctx, ++i, value)) return false;
      if (value < 0 || value > AccessClock::kMaxFrequency) {
        return ctx.reply().Error(error_text::kInvalidFrequency), false;
      }
      options.frequency = value;
    } else {
      return ctx.reply().Error(error_text::kSyntax), false;
    }
  }
  return true;
}

// When the restored key goes. A sum that does not fit counts as past, as it does in Redis.
UnixMillis ExpiryOf(int64_t ttl, const RestoreOptions& options, UnixMillis now) {
  if (ttl == 0) return kNoExpiry;
  if (options.absolute_ttl) return ttl;
  return ttl > std::numeric_limits<int64_t>::max() - now ? 0 : ttl + now;
}

void SetAccess(CommandContext& ctx, Entry& entry, const RestoreOptions& options) {
  const AccessClock& clock = ctx.access_clock();
  Shard& shard = ctx.shard(0);
  if (!ctx.ClockHolds(shard)) return;
  shard.mu().AssertHeld();
  if (clock.counts() && options.frequency) {
    shard.InheritAccess(entry, clock.OfFrequency(static_cast<uint32_t>(*options.frequency)));
  } else if (!clock.counts() && options.idle_seconds) {
    shard.InheritAccess(entry, clock.OfIdleSeconds(*options.idle_seconds));
  }
}

void Restore(CommandContext& ctx) {
  RestoreOptions options;
  if (!ParseRestoreOptions(ctx, options)) return;
  const bool present = ctx.FindForWrite(0) != nullptr;
  if (present && !options.replace) return ctx.reply().Error(error_text::kBusyKey);
  int64_t ttl = 0;
  if (!ParseInteger(ctx, 2, ttl)) return;
  if (ttl < 0) return ctx.reply().Error(error_text::kInvalidTtl);
  const std::string_view payload = ctx.arg(3);
  if (!IsIntactPayload(payload)) return ctx.reply().Error(error_text::kBadDumpPayload);
  std::optional<LooseValue> value = ReadPayload(payload, ctx.settings().encoding);
  if (!value) return ctx.reply().Error(error_text::kBadDataFormat);

  const UnixMillis expiry = ExpiryOf(ttl, options, ctx.now());
  Shard& shard = ctx.shard(0);
  shard.mu().AssertHeld();
  const bool blessed = shard.IsPinned(ctx.db(), ctx.key(0).text);
  if (present) ctx.Erase(0, Shard::Reclaim::kNow);
  if (expiry != kNoExpiry && expiry <= ctx.now()) {
    if (present) ctx.Notify(kNotifyGeneric, "del", 0);
    return ctx.reply().Ok();
  }
  if (present) ctx.MarkDirty(-1);  // One change in all.
  Entry* entry = nullptr;
  if (value->is_string()) {
    entry = ctx.SetString(0, value->text(), expiry);
  } else {
    entry = ctx.SetObject(0, value->TakeObject(), expiry);
    ctx.MarkDirty();
  }
  SetAccess(ctx, *entry, options);
  // As with SET, what the key holds is replaced and not the key.
  if (blessed) shard.Pin(ctx.db(), ctx.key(0), std::numeric_limits<int64_t>::max());
  ctx.Notify(kNotifyGeneric, "restore", 0);
  ctx.reply().Ok();
}

constexpr KeySpecs kRestored = Keys(1, 1, 1, kKeyOw | kKeyUpdate);
constexpr std::string_view kRestoreCost =
    "O(1) to create the key, O(N*M) for a value of N parts of M bytes, and O(N*M*log(N)) for "
    "sorted sets.";
constexpr std::string_view kRestoreSyntax =
    "key ttl:integer serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds:integer] "
    "[FREQ frequency:integer]";
constexpr std::string_view kRestoreHistory =
    "3.0.0: takes REPLACE\n5.0.0: takes ABSTTL\n5.0.0: takes IDLETIME and FREQ";

// clang-format off
constexpr CommandSpec kDumpCommands[] = {
    {"dump", 2, kReadOnly, Keys(1, 1, 1, kKeyRo | kKeyAccess), kAclKeyspace, &Dump, "2.6.0",
     "O(1) to find the key, O(N*M) for a value of N parts of M bytes.",
     "Returns a value in serialized form.", "key", {.tips = "nondeterministic_output"}},
    {"restore", -4, kWrite | kDenyOom, kRestored, kAclKeyspace | kAclDangerous, &Restore, "2.6.0",
     kRestoreCost, "Creates a key from a serialized value.", kRestoreSyntax, {.history = kRestoreHistory}},
    {"restore-asking", -4, kWrite | kDenyOom | kAsking, kRestored, kAclKeyspace | kAclDangerous, &Restore, "3.0.0",
     kRestoreCost, "The same, into a slot that a cluster is about to move here.", kRestoreSyntax,
     {.history = kRestoreHistory}},
};
// clang-format on
static_assert(IsWellFormed(kDumpCommands));

}  // namespace

constinit const CommandFamily kDumpFamily = {"generic", kDumpCommands};

}  // namespace larder
