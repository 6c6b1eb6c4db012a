// When keys end: setting, removing and asking for their expiry.

#include <limits>
#include <optional>

#include "base/numbers.h"
#include "base/text.h"
#include "commands/command_context.h"
#include "commands/families.h"

namespace larder {
namespace {

enum class TimeUnit : uint8_t { kSeconds, kMilliseconds };
enum class TimeBase : uint8_t { kNow, kEpoch };

struct ExpireConditions {
  bool only_without_expiry = false;  // NX
  bool only_with_expiry = false;     // XX
  bool only_later = false;           // GT
  bool only_sooner = false;          // LT

  // A key without expiry ends never, which is later than everything.
  bool Allow(UnixMillis current, UnixMillis wanted) const {
    const bool has_expiry = current != kNoExpiry;
    if (only_without_expiry && has_expiry) return false;
    if (only_with_expiry && !has_expiry) return false;
    if (only_later && (!has_expiry || wanted <= current)) return false;
    if (only_sooner && has_expiry && wanted >= current) return false;
    return true;
  }
};

std::optional<ExpireConditions> ParseConditions(CommandContext& ctx) {
  ExpireConditions conditions;
  for (size_t i = 3; i < ctx.argc(); ++i) {
    const std::string_view option = ctx.arg(i);
    if (EqualsIgnoreCase(option, "nx")) {
      conditions.only_without_expiry = true;
    } else if (EqualsIgnoreCase(option, "xx")) {
      conditions.only_with_expiry = true;
    } else if (EqualsIgnoreCase(option, "gt")) {
      conditions.only_later = true;
    } else if (EqualsIgnoreCase(option, "lt")) {
      conditions.only_sooner = true;
    } else {
      ctx.reply().Error(error_text::UnsupportedOption(option));
      return std::nullopt;
    }
  }
  if (conditions.only_without_expiry &&
      (conditions.only_with_expiry || conditions.only_later || conditions.only_sooner)) {
    ctx.reply().Error(error_text::kExpireNxWithOthers);
    return std::nullopt;
  }
  if (conditions.only_later && conditions.only_sooner) {
    ctx.reply().Error(error_text::kExpireGtWithLt);
    return std::nullopt;
  }
  return conditions;
}

// The instant that argument 2 means. Negative times are fine, for they are merely long past; only
// what an int64_t of milliseconds cannot hold is refused.
std::optional<UnixMillis> ParseExpiry(CommandContext& ctx, TimeUnit unit, TimeBase base) {
  const std::optional<int64_t> number = ParseInt64(ctx.arg(2));
  if (!number) {
    ctx.reply().Error(error_text::kNotAnInteger);
    return std::nullopt;
  }
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  const int64_t factor = unit == TimeUnit::kSeconds ? 1000 : 1;
  const int64_t offset = base == TimeBase::kNow ? ctx.now() : 0;
  if (*number > kMax / factor || *number < kMin / factor || *number * factor > kMax - offset) {
    ctx.reply().Error(error_text::InvalidExpire(ctx.command().full_name()));
    return std::nullopt;
  }
  return *number * factor + offset;
}

void SetKeyExpiry(CommandContext& ctx, TimeUnit unit, TimeBase base) {
  const std::optional<ExpireConditions> conditions = ParseConditions(ctx);
  if (!conditions) return;
  const std::optional<UnixMillis> expiry = ParseExpiry(ctx, unit, base);
  if (!expiry) return;

  Entry* entry = ctx.FindForWrite(0);
  if (entry == nullptr || !conditions->Allow(entry->expiry(), *expiry)) {
    return ctx.reply().Integer(0);
  }
  if (*expiry <= ctx.now()) {
    ctx.Erase(0, ctx.settings().lazyfree_lazy_expire ? Shard::Reclaim::kBackground
                                                     : Shard::Reclaim::kNow);
    ctx.Notify(kNotifyGeneric, "del", 0);
  } else {
    ctx.SetExpiry(0, entry, *expiry);
    ctx.Notify(kNotifyGeneric, "expire", 0);
  }
  ctx.reply().Integer(1);
}

void Expire(CommandContext& ctx) { SetKeyExpiry(ctx, TimeUnit::kSeconds, TimeBase::kNow); }
void ExpireAt(CommandContext& ctx) { SetKeyExpiry(ctx, TimeUnit::kSeconds, TimeBase::kEpoch); }
void PExpire(CommandContext& ctx) { SetKeyExpiry(ctx, TimeUnit::kMilliseconds, TimeBase::kNow); }
void PExpireAt(CommandContext& ctx) {
  SetKeyExpiry(ctx, TimeUnit::kMilliseconds, TimeBase::kEpoch);
}

void ReplyExpiry(CommandContext& ctx, TimeUnit unit, TimeBase base) {
  const Entry* entry = ctx.Inspect(0);
  if (entry == nullptr) return ctx.reply().Integer(-2);
  if (!entry->has_expiry()) return ctx.reply().Integer(-1);
  int64_t milliseconds = entry->expiry();
  if (base == TimeBase::kNow) milliseconds = std::max<int64_t>(milliseconds - ctx.now(), 0);
  // Rounded to the nearest second, without the sum that would overflow at the end of time.
  const int64_t seconds = milliseconds / 1000 + (milliseconds % 1000 >= 500 ? 1 : 0);
  ctx.reply().Integer(unit == TimeUnit::kSeconds ? seconds : milliseconds);
}

void Ttl(CommandContext& ctx) { ReplyExpiry(ctx, TimeUnit::kSeconds, TimeBase::kNow); }
void PTtl(CommandContext& ctx) { ReplyExpiry(ctx, TimeUnit::kMilliseconds, TimeBase::kNow); }
void ExpireTime(CommandContext& ctx) { ReplyExpiry(ctx, TimeUnit::kSeconds, TimeBase::kEpoch); }
void PExpireTime(CommandContext& ctx) {
  ReplyExpiry(ctx, TimeUnit::kMilliseconds, TimeBase::kEpoch);
}

void Persist(CommandContext& ctx) {
  Entry* entry = ctx.FindForWrite(0);
  if (entry == nullptr || !entry->has_expiry()) return ctx.reply().Integer(0);
  ctx.SetExpiry(0, entry, kNoExpiry);
  ctx.Notify(kNotifyGeneric, "persist", 0);
  ctx.reply().Integer(1);
}

constexpr uint32_t kSets = kWrite | kFast;
constexpr uint32_t kAsks = kReadOnly | kFast;
constexpr KeySpecs kChanged = Keys(1, 1, 1, kKeyRw | kKeyUpdate);
constexpr KeySpecs kAsked = Keys(1, 1, 1, kKeyRo | kKeyAccess);
constexpr CommandExtras kNewConditions = {.history = "7.0.0: NX, XX, GT and LT"};
constexpr CommandExtras kPassing = {.tips = "nondeterministic_output",
                                    .history = "2.8.0: -2 for a key that is not there"};

// clang-format off
constexpr CommandSpec kExpireCommands[] = {
    // name          arity  flags  keys      ACL           handler       since    cost    summary
    {"expire",       -3,    kSets, kChanged, kAclKeyspace, &Expire,      "1.0.0", "O(1)", "Lets a key end in so many seconds.",
     "key seconds [NX|XX|GT|LT]", kNewConditions},
    {"expireat",     -3,    kSets, kChanged, kAclKeyspace, &ExpireAt,    "1.2.0", "O(1)", "Lets a key end at a Unix time in seconds.",
     "key unix-time-seconds [NX|XX|GT|LT]", kNewConditions},
    {"expiretime",    2,    kAsks, kAsked,   kAclKeyspace, &ExpireTime,  "7.0.0", "O(1)", "Tells the Unix time in seconds at which a key ends.", "key"},
    {"persist",       2,    kSets, kChanged, kAclKeyspace, &Persist,     "2.2.0", "O(1)", "Takes a key's expiry away.", "key"},
    {"pexpire",      -3,    kSets, kChanged, kAclKeyspace, &PExpire,     "2.6.0", "O(1)", "Lets a key end in so many milliseconds.",
     "key milliseconds [NX|XX|GT|LT]", kNewConditions},
    {"pexpireat",    -3,    kSets, kChanged, kAclKeyspace, &PExpireAt,   "2.6.0", "O(1)", "Lets a key end at a Unix time in milliseconds.",
     "key unix-time-milliseconds [NX|XX|GT|LT]", kNewConditions},
    {"pexpiretime",   2,    kAsks, kAsked,   kAclKeyspace, &PExpireTime, "7.0.0", "O(1)", "Tells the Unix time in milliseconds at which a key ends.", "key"},
    {"pttl",          2,    kAsks, kAsked,   kAclKeyspace, &PTtl,        "2.6.0", "O(1)", "Tells how many milliseconds a key has left.", "key", kPassing},
    {"ttl",           2,    kAsks, kAsked,   kAclKeyspace, &Ttl,         "1.0.0", "O(1)", "Tells how many seconds a key has left.", "key", kPassing},
};
// clang-format on
static_assert(IsWellFormed(kExpireCommands));

}  // namespace

constinit const CommandFamily kExpireFamily = {"generic", kExpireCommands};

}  // namespace larder
