// Hash commands that do two things to fields in one step: read and delete them, read or set them
// and their expiry.

#include <cstdint>
#include <string_view>

#include "base/text.h"
#include "commands/command_context.h"
#include "commands/edit.h"
#include "commands/families.h"
#include "commands/hash_access.h"
#include "commands/hash_field_args.h"
#include "protocol/error_text.h"
#include "storage/hash.h"

namespace larder {
namespace {

constexpr std::string_view kBadFieldCount = "ERR invalid number of fields";
constexpr std::string_view kSeveralConditions =
    "ERR Only one of FXX or FNX arguments can be specified";

void ReplyNulls(CommandContext& ctx, size_t count) {
  ctx.reply().Array(count);
  for (size_t i = 0; i < count; ++i) ctx.reply().Null();
}

// ---- HGETDEL

void HGetDel(CommandContext& ctx) {
  FieldArgs fields;
  if (!ParseOnlyFields(ctx, fields)) return;
  const FoundValue<Hash> found = FindHashForWrite(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found) return ReplyNulls(ctx, fields.count);
  Edit<Hash> hash(ctx, 0, found.entry);
  int64_t deleted = 0;
  ctx.reply().Array(fields.count);
  for (size_t i = 0; i < fields.count; ++i) {
    const std::string_view name = ctx.arg(fields.first + i);
    ReplyValueOf(ctx, *hash, name);
    deleted += hash->Erase(name, ctx.now());
  }
  if (deleted > 0) hash.Done(kNotifyHash, "hdel", deleted);
}

// ---- HGETEX

struct GetExArgs {
  FieldExpiryOption expiry{"PERSIST"};
  FieldArgs fields;
};

bool ParseGetEx(CommandContext& ctx, GetExArgs& args) {
  for (size_t i = 2; i < ctx.argc(); ++i) {
    if (EqualsIgnoreCase(ctx.arg(i), "FIELDS")) {
      if (!TakeFields(ctx, i, /*arguments_each=*/1, kBadFieldCount, args.fields)) return false;
      continue;
    }
    const FieldExpiryOption::Taken taken = args.expiry.Take(ctx, i);
    if (taken == FieldExpiryOption::Taken::kRefused) return false;
    if (taken == FieldExpiryOption::Taken::kNo) return RefuseUnknownArgument(ctx, i);
  }
  return RequireFields(ctx, args.fields);
}

// True if that has changed the field.
bool ChangeExpiry(CommandContext& ctx, Hash& hash, std::string_view name,
                  const FieldExpiryOption& option) {
  HashField field;
  if (!hash.Find(name, ctx.now(), field)) return false;
  if (option.has_time() && option.expiry() <= ctx.now()) return hash.Erase(name, ctx.now());
  const UnixMillis expiry = option.has_time() ? option.expiry() : kNoExpiry;
  if (expiry == field.expiry && !option.has_time()) return false;
  hash.SetExpiry(name, expiry);
  return true;
}

// What a command announces that has set an expiry.
std::string_view ExpiryEvent(const CommandContext& ctx, const FieldExpiryOption& option) {
  if (!option.has_time()) return "hpersist";
  return option.expiry() <= ctx.now() ? "hdel" : "hexpire";
}

void HGetEx(CommandContext& ctx) {
  GetExArgs args;
  if (!ParseGetEx(ctx, args)) return;
  const FieldArgs& fields = args.fields;
  const FoundValue<Hash> found = FindHashForWrite(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found) return ReplyNulls(ctx, fields.count);
  // All are read before any is changed, for one may be named twice.
  ctx.reply().Array(fields.count);
  for (size_t i = 0; i < fields.count; ++i) {
    ReplyValueOf(ctx, found.value(), ctx.arg(fields.first + i));
  }
  if (!args.expiry.has_time() && !args.expiry.has_keyword()) return;
  Edit<Hash> hash(ctx, 0, found.entry);
  int64_t changed = 0;
  for (size_t i = 0; i < fields.count; ++i) {
    changed += ChangeExpiry(ctx, *hash, ctx.arg(fields.first + i), args.expiry);
  }
  if (changed > 0) hash.Done(kNotifyHash, ExpiryEvent(ctx, args.expiry), changed);
}

// ---- HSETEX

enum class Existence : uint8_t { kAny, kAll, kNone };  // Neither, FXX, FNX.

struct SetExArgs {
  Existence existence = Existence::kAny;
  FieldExpiryOption expiry{"KEEPTTL"};
  FieldArgs fields;
};

bool TakeExistence(CommandContext& ctx, Existence wanted, Existence& existence) {
  if (existence != Existence::kAny) {
    ctx.reply().Error(kSeveralConditions);
    return false;
  }
  existence = wanted;
  return true;
}

bool TakeSetExArg(CommandContext& ctx, size_t& i, SetExArgs& args) {
  const std::string_view word = ctx.arg(i);
  if (EqualsIgnoreCase(word, "FIELDS")) {
    return TakeFields(ctx, i, /*arguments_each=*/2, kBadFieldCount, args.fields);
  }
  if (EqualsIgnoreCase(word, "FXX")) return TakeExistence(ctx, Existence::kAll, args.existence);
  if (EqualsIgnoreCase(word, "FNX")) return TakeExistence(ctx, Existence::kNone, args.existence);
  const FieldExpiryOption::Taken taken = args.expiry.Take(ctx, i);
  if (taken == FieldExpiryOption::Taken::kNo) return RefuseUnknownArgument(ctx, i);
  return taken == FieldExpiryOption::Taken::kYes;
}

bool ParseSetEx(CommandContext& ctx, SetExArgs& args) {
  for (size_t i = 2; i < ctx.argc(); ++i) {
    if (!TakeSetExArg(ctx, i, args)) return false;
  }
  return RequireFields(ctx, args.fields);
}

bool Meets(const CommandContext& ctx, const FoundValue<Hash>& found, const SetExArgs& args) {
  if (args.existence == Existence::kAny) return true;
  const bool wanted = args.existence == Existence::kAll;
  for (size_t i = 0; i < args.fields.count; ++i) {
    const std::string_view name = ctx.arg(args.fields.first + 2 * i);
    if ((found && found.value().Contains(name, ctx.now())) != wanted) return false;
  }
  return true;
}

// Set to a time that is past, a field is not there afterwards, whether it was before or not.
void EraseFields(CommandContext& ctx, Hash& hash, const FieldArgs& fields) {
  for (size_t i = 0; i < fields.count; ++i) hash.Erase(ctx.arg(fields.first + 2 * i), ctx.now());
}

void SetFields(CommandContext& ctx, Hash& hash, const FieldArgs& fields, UnixMillis expiry) {
  const Hash::Write write = HashWrite(ctx, expiry);
  for (size_t i = 0; i < fields.count; ++i) {
    const size_t name_arg = fields.first + 2 * i;
    SetFieldFromArg(ctx, hash, name_arg, name_arg + 1, write);
  }
}

void HSetEx(CommandContext& ctx) {
  SetExArgs args;
  if (!ParseSetEx(ctx, args)) return;
  const FoundValue<Hash> found = FindHashForWrite(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!Meets(ctx, found, args)) return ctx.reply().Integer(0);
  Edit<Hash> hash(ctx, 0, found.entry);
  const FieldExpiryOption& option = args.expiry;
  if (option.has_time() && option.expiry() <= ctx.now()) {
    EraseFields(ctx, *hash, args.fields);
  } else {
    const UnixMillis otherwise = option.has_keyword() ? Hash::kKeepExpiry : kNoExpiry;
    SetFields(ctx, *hash, args.fields, option.has_time() ? option.expiry() : otherwise);
  }
  hash.Done(kNotifyHash, "hset", static_cast<int64_t>(args.fields.count),
            option.has_time() ? ExpiryEvent(ctx, option) : std::string_view());
  ctx.reply().Integer(1);
}

constexpr std::string_view kCost = "O(N) for N fields";

// clang-format off
constexpr CommandSpec kCommands[] = {
    {"hgetdel", -5, kWrite | kFast, Keys(1, 1, 1, kKeyRw | kKeyAccess | kKeyDelete), kAclHash,
     &HGetDel, "8.0.0", kCost, "Reads fields of a hash and deletes them.",
     "key FIELDS numfields field [field ...]"},
    {"hgetex", -5, kWrite | kFast, Keys(1, 1, 1, kKeyRw | kKeyAccess | kKeyUpdate), kAclHash,
     &HGetEx, "8.0.0", kCost, "Reads fields of a hash and sets or removes their expiry.",
     "key [EX seconds|PX milliseconds|EXAT unix-time-seconds|PXAT unix-time-milliseconds|PERSIST]"
     " FIELDS numfields field [field ...]"},
    {"hsetex", -6, kWrite | kDenyOom | kFast, Keys(1, 1, 1, kKeyRw | kKeyUpdate), kAclHash, &HSetEx,
     "8.0.0", kCost, "Sets fields of a hash and their expiry.",
     "key [FNX|FXX]"
     " [EX seconds|PX milliseconds|EXAT unix-time-seconds|PXAT unix-time-milliseconds|KEEPTTL]"
     " FIELDS numfields field value [field value ...]"},
};
// clang-format on
static_assert(IsWellFormed(kCommands));

}  // namespace

const CommandFamily kHashTimedFamily = {"hash", kCommands};

}  // namespace larder
