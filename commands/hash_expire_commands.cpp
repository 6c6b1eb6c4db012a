// When fields of hashes go: setting, removing and asking for their expiry.

#include <array>
#include <cstdint>
#include <string_view>

#include "base/text.h"
#include "commands/argument_parsers.h"
#include "commands/command_context.h"
#include "commands/edit.h"
#include "commands/families.h"
#include "commands/hash_access.h"
#include "commands/hash_field_args.h"
#include "protocol/error_text.h"
#include "storage/hash.h"

namespace larder {
namespace {

constexpr std::string_view kBadFieldCount = "ERR Parameter `numFields` should be greater than 0";
constexpr std::string_view kSeveralConditions = "ERR Multiple condition flags specified";

// What becomes of a field, as these commands reply it.
constexpr int64_t kNoSuchField = -2;
constexpr int64_t kNeverExpires = -1;
constexpr int64_t kConditionNotMet = 0;
constexpr int64_t kDone = 1;
constexpr int64_t kDeletedAtOnce = 2;

void ReplyNoFields(CommandContext& ctx, size_t count) {
  ctx.reply().Array(count);
  for (size_t i = 0; i < count; ++i) ctx.reply().Integer(kNoSuchField);
}

// ---- Setting.

enum class Condition : uint8_t { kNone, kNx, kXx, kGt, kLt };

Condition ConditionNamed(std::string_view word) {
  constexpr std::array<std::pair<std::string_view, Condition>, 4> kNames = {
      {{"NX", Condition::kNx},
       {"XX", Condition::kXx},
       {"GT", Condition::kGt},
       {"LT", Condition::kLt}}};
  for (const auto& [name, condition] : kNames) {
    if (EqualsIgnoreCase(word, name)) return condition;
  }
  return Condition::kNone;
}

// A field without expiry goes never, which is later than everything.
bool Allows(Condition condition, UnixMillis current, UnixMillis wanted) {
  const bool expires = current != kNoExpiry;
  switch (condition) {
    case Condition::kNone:
      return true;
    case Condition::kNx:
      return !expires;
    case Condition::kXx:
      return expires;
    case Condition::kGt:
      return expires && wanted > current;
    case Condition::kLt:
      return !expires || wanted < current;
  }
  return false;
}

struct ExpireArgs {
  UnixMillis expiry = kNoExpiry;
  Condition condition = Condition::kNone;
  FieldArgs fields;
};

bool ParseExpireArgs(CommandContext& ctx, TimeUnit unit, TimeOrigin origin, ExpireArgs& args) {
  if (!ParseFieldExpiry(ctx, 2, unit, origin, args.expiry)) return false;
  bool several_conditions = false;
  for (size_t i = 3; i < ctx.argc(); ++i) {
    if (const Condition condition = ConditionNamed(ctx.arg(i)); condition != Condition::kNone) {
      several_conditions |= args.condition != Condition::kNone;
      args.condition = condition;
    } else if (!EqualsIgnoreCase(ctx.arg(i), "FIELDS")) {
      return RefuseUnknownArgument(ctx, i);
    } else if (!TakeFields(ctx, i, /*arguments_each=*/1, kBadFieldCount, args.fields)) {
      return false;
    }
  }
  if (!RequireFields(ctx, args.fields)) return false;
  if (several_conditions) ctx.reply().Error(kSeveralConditions);
  return !several_conditions;
}

int64_t ExpireField(CommandContext& ctx, Hash& hash, std::string_view name,
                    const ExpireArgs& args) {
  HashField field;
  if (!hash.Find(name, ctx.now(), field)) return kNoSuchField;
  if (!Allows(args.condition, field.expiry, args.expiry)) return kConditionNotMet;
  if (args.expiry <= ctx.now()) {
    hash.Erase(name, ctx.now());
    return kDeletedAtOnce;
  }
  hash.SetExpiry(name, args.expiry);
  return kDone;
}

void SetExpiry(CommandContext& ctx, TimeUnit unit, TimeOrigin origin) {
  ExpireArgs args;
  if (!ParseExpireArgs(ctx, unit, origin, args)) return;
  const FoundValue<Hash> found = FindHashForWrite(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found) return ReplyNoFields(ctx, args.fields.count);
  Edit<Hash> hash(ctx, 0, found.entry);
  int64_t changed = 0;
  bool deleted = false;
  ctx.reply().Array(args.fields.count);
  for (size_t i = 0; i < args.fields.count; ++i) {
    const int64_t result = ExpireField(ctx, *hash, ctx.arg(args.fields.first + i), args);
    changed += result > 0;
    deleted |= result == kDeletedAtOnce;
    ctx.reply().Integer(result);
  }
  if (changed > 0) hash.Done(kNotifyHash, deleted ? "hdel" : "hexpire", changed);
}

void HExpire(CommandContext& ctx) { SetExpiry(ctx, TimeUnit::kSeconds, TimeOrigin::kNow); }
void HExpireAt(CommandContext& ctx) { SetExpiry(ctx, TimeUnit::kSeconds, TimeOrigin::kEpoch); }
void HPExpire(CommandContext& ctx) { SetExpiry(ctx, TimeUnit::kMilliseconds, TimeOrigin::kNow); }
void HPExpireAt(CommandContext& ctx) {
  SetExpiry(ctx, TimeUnit::kMilliseconds, TimeOrigin::kEpoch);
}

// ---- Removing.

int64_t PersistField(CommandContext& ctx, Hash& hash, std::string_view name) {
  HashField field;
  if (!hash.Find(name, ctx.now(), field)) return kNoSuchField;
  if (field.expiry == kNoExpiry) return kNeverExpires;
  hash.SetExpiry(name, kNoExpiry);
  return kDone;
}

void HPersist(CommandContext& ctx) {
  FieldArgs fields;
  if (!ParseOnlyFields(ctx, fields)) return;
  const FoundValue<Hash> found = FindHashForWrite(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found) return ReplyNoFields(ctx, fields.count);
  Edit<Hash> hash(ctx, 0, found.entry);
  int64_t changed = 0;
  ctx.reply().Array(fields.count);
  for (size_t i = 0; i < fields.count; ++i) {
    const int64_t result = PersistField(ctx, *hash, ctx.arg(fields.first + i));
    changed += result == kDone;
    ctx.reply().Integer(result);
  }
  if (changed > 0) hash.Done(kNotifyHash, "hpersist", changed);
}

// ---- Asking.

void ReplyExpiry(CommandContext& ctx, TimeUnit unit, TimeOrigin origin) {
  FieldArgs fields;
  if (!ParseOnlyFields(ctx, fields)) return;
  const FoundValue<Hash> found = FindHashForRead(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found) return ReplyNoFields(ctx, fields.count);
  ctx.reply().Array(fields.count);
  for (size_t i = 0; i < fields.count; ++i) {
    HashField field;
    if (!found.value().Find(ctx.arg(fields.first + i), ctx.now(), field)) {
      ctx.reply().Integer(kNoSuchField);
    } else if (field.expiry == kNoExpiry) {
      ctx.reply().Integer(kNeverExpires);
    } else {
      const int64_t milliseconds = field.expiry - (origin == TimeOrigin::kNow ? ctx.now() : 0);
      const bool in_seconds = unit == TimeUnit::kSeconds;
      ctx.reply().Integer(in_seconds ? (milliseconds + 999) / 1000 : milliseconds);
    }
  }
}

void HTtl(CommandContext& ctx) { ReplyExpiry(ctx, TimeUnit::kSeconds, TimeOrigin::kNow); }
void HPTtl(CommandContext& ctx) { ReplyExpiry(ctx, TimeUnit::kMilliseconds, TimeOrigin::kNow); }
void HExpireTime(CommandContext& ctx) { ReplyExpiry(ctx, TimeUnit::kSeconds, TimeOrigin::kEpoch); }
void HPExpireTime(CommandContext& ctx) {
  ReplyExpiry(ctx, TimeUnit::kMilliseconds, TimeOrigin::kEpoch);
}

constexpr uint32_t kSets = kWrite | kDenyOom | kFast;
constexpr uint32_t kAsks = kReadOnly | kFast;
constexpr KeySpecs kChanged = Keys(1, 1, 1, kKeyRw | kKeyUpdate);
constexpr KeySpecs kAsked = Keys(1, 1, 1, kKeyRo | kKeyAccess);
constexpr CommandExtras kPassing = {.tips = "nondeterministic_output"};
constexpr std::string_view kCost = "O(N) for N fields";

// clang-format off
constexpr CommandSpec kCommands[] = {
    {"hexpire", -6, kSets, kChanged, kAclHash, &HExpire, "7.4.0", kCost,
     "Lets fields of a hash go in so many seconds.",
     "key seconds [NX|XX|GT|LT] FIELDS numfields field [field ...]"},
    {"hexpireat", -6, kSets, kChanged, kAclHash, &HExpireAt, "7.4.0", kCost,
     "Lets fields of a hash go at a Unix time in seconds.",
     "key unix-time-seconds [NX|XX|GT|LT] FIELDS numfields field [field ...]"},
    {"hexpiretime", -5, kAsks, kAsked, kAclHash, &HExpireTime, "7.4.0", kCost,
     "Tells the Unix times in seconds at which fields of a hash go.",
     "key FIELDS numfields field [field ...]"},
    {"hpersist", -5, kWrite | kFast, kChanged, kAclHash, &HPersist, "7.4.0", kCost,
     "Takes the expiry of fields of a hash away.", "key FIELDS numfields field [field ...]"},
    {"hpexpire", -6, kSets, kChanged, kAclHash, &HPExpire, "7.4.0", kCost,
     "Lets fields of a hash go in so many milliseconds.",
     "key milliseconds [NX|XX|GT|LT] FIELDS numfields field [field ...]"},
    {"hpexpireat", -6, kSets, kChanged, kAclHash, &HPExpireAt, "7.4.0", kCost,
     "Lets fields of a hash go at a Unix time in milliseconds.",
     "key unix-time-milliseconds [NX|XX|GT|LT] FIELDS numfields field [field ...]"},
    {"hpexpiretime", -5, kAsks, kAsked, kAclHash, &HPExpireTime, "7.4.0", kCost,
     "Tells the Unix times in milliseconds at which fields of a hash go.",
     "key FIELDS numfields field [field ...]"},
    {"hpttl", -5, kAsks, kAsked, kAclHash, &HPTtl, "7.4.0", kCost,
     "Tells how many milliseconds fields of a hash have left.",
     "key FIELDS numfields field [field ...]", kPassing},
    {"httl", -5, kAsks, kAsked, kAclHash, &HTtl, "7.4.0", kCost,
     "Tells how many seconds fields of a hash have left.",
     "key FIELDS numfields field [field ...]", kPassing},
};
// clang-format on
static_assert(IsWellFormed(kCommands));

}  // namespace

const CommandFamily kHashExpireFamily = {"hash", kCommands};

}  // namespace larder
