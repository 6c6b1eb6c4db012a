// Whole strings: reading and setting them, with conditions and times to live.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include "commands/argument_parsers.h"
#include "commands/command_context.h"
#include "commands/families.h"
#include "commands/stampede_by_rule.h"
#include "commands/string_condition.h"
#include "commands/string_reply.h"
#include "protocol/error_text.h"

namespace larder {
namespace {

Shard::Reclaim ReclaimFor(bool lazily) {
  return lazily ? Shard::Reclaim::kBackground : Shard::Reclaim::kNow;
}

// ---- Reading.

void GetByRule(CommandContext& ctx) {
  Entry* entry = nullptr;
  const std::optional<Found> found = FindStringByRule(ctx, 0, entry);
  if (!found) return;  // The client waits.
  if (*found == Found::kWrongType) return ctx.reply().Error(error_text::kWrongType);
  if (*found == Found::kNothing) return ctx.reply().Null();
  StringValue value;
  entry->ReadString(value);
  ReplyWithString(ctx, value);
}

void Get(CommandContext& ctx) {
  if (AnyStampedeRule(ctx)) [[unlikely]]
    return GetByRule(ctx);
  StringValue value;
  if (FindStringOrReply(ctx, 0, value)) ReplyWithString(ctx, value);
}

void MGet(CommandContext& ctx) {
  const size_t keys = ctx.key_count();
  ctx.reply().Array(keys);
  for (size_t key = 0; key < keys; ++key) {
    StringValue value;
    if (ctx.FindString(key, value) == Found::kValue) {
      ReplyWithString(ctx, value);
    } else {
      ctx.reply().Null();  // Also for a wrong type: MGET never fails.
    }
  }
}

void Digest(CommandContext& ctx) {
  StringValue value;
  if (!FindStringOrReply(ctx, 0, value)) return;
  const auto digest = DigestOf(value.view());
  ctx.reply().Bulk({digest.data(), digest.size()});
}

// ---- Reading and removing.

void EraseAndNotify(CommandContext& ctx, bool lazily) {
  if (ctx.Erase(0, ReclaimFor(lazily))) ctx.Notify(kNotifyGeneric, "del", 0);
}

void GetDel(CommandContext& ctx) {
  StringValue value;
  if (!FindStringOrReply(ctx, 0, value)) return VoidLease(ctx, 0);
  ReplyWithString(ctx, value);
  EraseAndNotify(ctx, ctx.settings().lazyfree_lazy_user_del);
}

void GetEx(CommandContext& ctx) {
  ExpiryOption option(ExpiryOption::kPersist);
  for (size_t i = 2; i < ctx.argc(); ++i) {
    if (!option.Take(ctx, i)) return ctx.reply().Error(error_text::kSyntax);
  }
  Entry* entry = nullptr;
  const std::optional<Found> found = FindStringByRule(ctx, 0, entry);
  // Redis looks at the time only once it knows that there is a string.
  if (!found) return;  // The client waits.
  if (*found == Found::kNothing) return ctx.reply().Null();
  if (*found == Found::kWrongType) return ctx.reply().Error(error_text::kWrongType);
  UnixMillis expiry = kNoExpiry;
  if (!option.Resolve(ctx, expiry)) return;

  StringValue value;
  entry->ReadString(value);
  ReplyWithString(ctx, value);
  if (option.has_time() && expiry <= ctx.now()) {
    EraseAndNotify(ctx, ctx.settings().lazyfree_lazy_expire);
  } else if (option.has_time()) {
    ctx.SetExpiry(0, entry, expiry);
    ctx.Notify(kNotifyGeneric, "expire", 0);
  } else if (option.persists() && entry->has_expiry()) {
    ctx.SetExpiry(0, entry, kNoExpiry);
    ctx.Notify(kNotifyGeneric, "persist", 0);
  }
}

bool EraseIf(CommandContext& ctx, const StringComparison& comparison, const Entry& entry) {
  StringValue value;
  entry.ReadString(value);
  switch (comparison.Apply(value.view())) {
    case StringComparison::Result::kMalformed:
      ctx.reply().Error(error_text::kInvalidDigest);
      return false;
    case StringComparison::Result::kNotMet:
      ctx.reply().Integer(0);
      return false;
    case StringComparison::Result::kMet:
      break;
  }
  EraseAndNotify(ctx, ctx.settings().lazyfree_lazy_user_del);
  ctx.reply().Integer(1);
  return true;
}

void DelEx(CommandContext& ctx) {
  if (ctx.argc() != 2 && ctx.argc() != 4) {
    return ctx.reply().Error(error_text::WrongArity(ctx.command().full_name()));
  }
  std::optional<StringComparison::Kind> kind;
  if (ctx.argc() == 4) {
    kind = StringComparison::KindNamed(ctx.arg(2));
    if (!kind) return ctx.reply().Error(error_text::kInvalidCondition);
  }
  const Entry* const entry = ctx.FindForWrite(0);
  if (entry == nullptr) return ctx.reply().Integer(0);
  if (!kind) {
    EraseAndNotify(ctx, ctx.settings().lazyfree_lazy_user_del);
    return ctx.reply().Integer(1);
  }
  if (entry->type() != ValueType::kString) {
    return ctx.reply().Error(error_text::kConditionNeedsString);
  }
  EraseIf(ctx, {*kind, ctx.arg(3)}, *entry);
}

// Valkey's name for DELEX key IFEQ value.
void DelIfEq(CommandContext& ctx) {
  const Entry* const entry = ctx.FindForWrite(0);
  if (entry == nullptr) return ctx.reply().Integer(0);
  if (entry->type() != ValueType::kString) return ctx.reply().Error(error_text::kWrongType);
  EraseIf(ctx, {StringComparison::Kind::kEqual, ctx.arg(2)}, *entry);
}

// ---- Setting.

void Store(CommandContext& ctx, size_t key, size_t value_arg, UnixMillis expiry) {
  if (AnyStampedeRule(ctx)) [[unlikely]] {
    StoreByRule(ctx, key, value_arg, expiry);
  } else {
    ctx.SetStringFromArg(key, value_arg, expiry);
  }
  ctx.Notify(kNotifyString, "set", key);
}

// SET key value KEEPTTL over `old`.
void StoreKeepingDeadlines(CommandContext& ctx, const Entry& old) {
  std::optional<Freshness> freshness;
  if (old.has_freshness()) freshness = old.freshness();
  ctx.SetStringFromArg(0, 2, old.expiry(), freshness ? &*freshness : nullptr);
  ctx.Notify(kNotifyString, "set", 0);
}

struct SetOptions {
  enum class Existence : uint8_t { kAny, kMissing, kPresent };

  Existence existence = Existence::kAny;  // NX, XX
  std::optional<StringComparison> comparison;
  bool get = false;
  ExpiryOption expiry{ExpiryOption::kKeepTtl};

  bool reads_value() const { return get || comparison.has_value(); }
  bool needs_entry() const {
    return reads_value() || existence != Existence::kAny || expiry.keeps();
  }
};

// Takes the option that starts at argument `index`, which moves to its last argument.
bool TakeSetOption(const CommandContext& ctx, size_t& index, SetOptions& options) {
  using Existence = SetOptions::Existence;
  const std::string_view word = ctx.arg(index);
  if (options.expiry.Take(ctx, index)) return true;
  if (EqualsIgnoreCase(word, "GET")) {
    options.get = true;
    return true;
  }
  const bool missing = EqualsIgnoreCase(word, "NX");
  if (missing || EqualsIgnoreCase(word, "XX")) {
    const Existence wanted = missing ? Existence::kMissing : Existence::kPresent;
    if (options.existence != Existence::kAny && options.existence != wanted) return false;
    if (options.comparison) return false;
    options.existence = wanted;
    return true;
  }
  const auto kind = StringComparison::KindNamed(word);
  if (!kind || options.comparison || options.existence != Existence::kAny) return false;
  if (index + 1 == ctx.argc()) return false;
  options.comparison = {*kind, ctx.arg(++index)};
  return true;
}

// Whether the conditions hold; an operand that makes no sense is kMalformed. `value` is null if
// there is no such key or nobody asked for the value.
StringComparison::Result CheckConditions(const SetOptions& options, const Entry* entry,
                                         const StringValue& value) {
  using Result = StringComparison::Result;
  if (options.comparison) {
    return entry != nullptr ? options.comparison->Apply(value.view())
                            : options.comparison->ApplyToMissing();
  }
  if (options.existence == SetOptions::Existence::kAny) return Result::kMet;
  const bool wants_entry = options.existence == SetOptions::Existence::kPresent;
  return (entry != nullptr) == wants_entry ? Result::kMet : Result::kNotMet;
}

void SetWithOptions(CommandContext& ctx) {
  SetOptions options;
  for (size_t i = 3; i < ctx.argc(); ++i) {
    if (!TakeSetOption(ctx, i, options)) return ctx.reply().Error(error_text::kSyntax);
  }
  UnixMillis expiry = kNoExpiry;
  if (!options.expiry.Resolve(ctx, expiry)) return;

  // With GET this is a read, which counts as a hit or miss.
  const Entry* entry = nullptr;
  if (options.needs_entry()) entry = options.get ? ctx.Find(0) : ctx.FindForWrite(0);
  StringValue old_value;
  if (entry != nullptr && options.reads_value()) {
    if (entry->type() != ValueType::kString) return ctx.reply().Error(error_text::kWrongType);
    entry->ReadString(old_value);
  }
  const StringComparison::Result result = CheckConditions(options, entry, old_value);
  if (result == StringComparison::Result::kMalformed) {
    return ctx.reply().Error(error_text::kInvalidDigest);
  }
  // The old value is answered before it is gone.
  if (options.get && entry != nullptr) {
    ReplyWithString(ctx, old_value);
  } else if (options.get || result == StringComparison::Result::kNotMet) {
    ctx.reply().Null();
  }
  if (result == StringComparison::Result::kNotMet) return;
  if (options.expiry.keeps() && entry != nullptr) {
    StoreKeepingDeadlines(ctx, *entry);
  } else {
    Store(ctx, 0, 2, expiry);
  }
  if (options.expiry.has_time()) ctx.Notify(kNotifyGeneric, "expire", 0);
  if (!options.get) ctx.reply().Ok();
}

void Set(CommandContext& ctx) {
  if (ctx.argc() > 3) return SetWithOptions(ctx);
  Store(ctx, 0, 2, kNoExpiry);
  ctx.reply().Ok();
}

void SetNx(CommandContext& ctx) {
  if (ctx.FindForWrite(0) != nullptr) return ctx.reply().Integer(0);
  Store(ctx, 0, 2, kNoExpiry);
  ctx.reply().Integer(1);
}

void SetWithTimeToLive(CommandContext& ctx, TimeUnit unit) {
  UnixMillis expiry = kNoExpiry;
  if (!ParseExpiry(ctx, 2, unit, TimeOrigin::kNow, expiry)) return;
  Store(ctx, 0, 3, expiry);
  ctx.Notify(kNotifyGeneric, "expire", 0);
  ctx.reply().Ok();
}

void SetEx(CommandContext& ctx) { SetWithTimeToLive(ctx, TimeUnit::kSeconds); }
void PSetEx(CommandContext& ctx) { SetWithTimeToLive(ctx, TimeUnit::kMilliseconds); }

void GetSet(CommandContext& ctx) {
  StringValue value;
  switch (ctx.FindString(0, value)) {
    case Found::kWrongType:
      return ctx.reply().Error(error_text::kWrongType);
    case Found::kNothing:
      ctx.reply().Null();
      break;
    case Found::kValue:
      ReplyWithString(ctx, value);
      break;
  }
  Store(ctx, 0, 2, kNoExpiry);
}

// ---- Setting several.

// Each value stands behind its key.
void StoreAll(CommandContext& ctx, UnixMillis expiry) {
  for (size_t key = 0; key < ctx.key_count(); ++key) {
    Store(ctx, key, ctx.key_arg(key) + 1, expiry);
  }
}

bool AnyExists(CommandContext& ctx) {
  for (size_t key = 0; key < ctx.key_count(); ++key) {
    if (ctx.FindForWrite(key) != nullptr) return true;
  }
  return false;
}

bool AllExist(CommandContext& ctx) {
  for (size_t key = 0; key < ctx.key_count(); ++key) {
    if (ctx.FindForWrite(key) == nullptr) return false;
  }
  return true;
}

bool HasWholePairs(CommandContext& ctx) {
  if (ctx.argc() % 2 == 1) return true;
  ctx.reply().Error(error_text::WrongArity(ctx.command().full_name()));
  return false;
}

void MSet(CommandContext& ctx) {
  if (!HasWholePairs(ctx)) return;
  StoreAll(ctx, kNoExpiry);
  ctx.reply().Ok();
}

void MSetNx(CommandContext& ctx) {
  if (!HasWholePairs(ctx)) return;
  if (AnyExists(ctx)) return ctx.reply().Integer(0);
  StoreAll(ctx, kNoExpiry);
  ctx.reply().Integer(1);
}

// MSETEX numkeys key value ...: the argument behind the pairs, or 0 after replying with an error.
size_t EndOfPairs(CommandContext& ctx) {
  constexpr size_t kFirstKey = 2;
  int64_t pairs = 0;
  if (!ParseInteger(ctx, 1, pairs, error_text::kInvalidNumKeys)) return 0;
  if (pairs <= 0 || pairs > INT32_MAX) {
    ctx.reply().Error(error_text::kInvalidNumKeys);
    return 0;
  }
  const size_t end = kFirstKey + 2 * static_cast<size_t>(pairs);
  if (end > ctx.argc()) {
    ctx.reply().Error(error_text::kWrongKeyValuePairs);
    return 0;
  }
  return end;
}

void MSetEx(CommandContext& ctx) {
  const size_t end = EndOfPairs(ctx);
  if (end == 0) return;
  bool if_none = false;
  bool if_all = false;
  ExpiryOption option(ExpiryOption::kKeepTtl);
  for (size_t i = end; i < ctx.argc(); ++i) {
    if (EqualsIgnoreCase(ctx.arg(i), "NX")) {
      if_none = true;
    } else if (EqualsIgnoreCase(ctx.arg(i), "XX")) {
      if_all = true;
    } else if (!option.Take(ctx, i)) {
      return ctx.reply().Error(error_text::kSyntax);
    }
  }
  if (if_none && if_all) return ctx.reply().Error(error_text::kSyntax);
  UnixMillis expiry = kNoExpiry;
  if (!option.Resolve(ctx, expiry)) return;
  if ((if_none && AnyExists(ctx)) || (if_all && !AllExist(ctx))) return ctx.reply().Integer(0);

  for (size_t key = 0; key < ctx.key_count(); ++key) {
    if (option.keeps()) {
      const Entry* const entry = ctx.Peek(key);
      expiry = entry != nullptr ? entry->expiry() : kNoExpiry;
    }
    Store(ctx, key, ctx.key_arg(key) + 1, expiry);
    if (option.has_time()) ctx.Notify(kNotifyGeneric, "expire", key);
  }
  ctx.reply().Integer(1);
}

constexpr uint32_t kRwAccessUpdate = kKeyRw | kKeyAccess | kKeyUpdate;
constexpr uint32_t kOwUpdate = kKeyOw | kKeyUpdate;
constexpr uint32_t kOwInsert = kKeyOw | kKeyInsert;
constexpr uint32_t kConditionalDelete = kKeyRw | kKeyDelete | kKeyVariableFlags;

constexpr KeySpecs kSetKey = Keys(1, 1, 1, kRwAccessUpdate | kKeyVariableFlags)
                                 .WithNotes("RW and ACCESS due to the optional `GET` argument")
                                 .Without("GET", kOwUpdate);
constexpr KeySpecs kGetExKey =
    Keys(1, 1, 1, kRwAccessUpdate).WithNotes("RW and UPDATE because it changes the TTL");
constexpr KeySpecs kCountedPairs = [] {
  KeySpecs keys = CountedKeysAt(1, kOwUpdate);
  keys.specs[0].step = 2;
  return keys;
}();

constexpr std::string_view kSetHistory =
    "2.6.12: Added the `EX`, `PX`, `NX` and `XX` options.\n"
    "6.0.0: Added the `KEEPTTL` option.\n"
    "6.2.0: Added the `GET`, `EXAT` and `PXAT` option.\n"
    "7.0.0: Allowed the `NX` and `GET` options to be used together.\n"
    "8.4.0: Added the `IFEQ`, `IFNE`, `IFDEQ` and `IFDNE` options.";
constexpr CommandExtras kMGetExtras = {.tips = "request_policy:multi_shard"};
constexpr CommandExtras kMSetExtras = {
    .tips = "request_policy:multi_shard response_policy:all_succeeded"};
constexpr CommandExtras kMSetNxExtras = {.tips =
                                             "request_policy:multi_shard response_policy:agg_min"};
constexpr CommandExtras kGetSetExtras = {.deprecated_since = "6.2.0",
                                         .replaced_by = "`SET` with the `!GET` argument"};

// clang-format off
constexpr CommandSpec kCommands[] = {
    {"delex", -2, kWrite | kFast, Keys(1, 1, 1, kConditionalDelete), kAclString, &DelEx, "8.4.0",
     "O(1) for IFEQ and IFNE, O(N) for IFDEQ and IFDNE, where N is the length of the value.",
     "Deletes a key if its string value or the digest of it compares as asked.",
     "key [IFEQ ifeq-value|IFNE ifne-value|IFDEQ ifdeq-digest|IFDNE ifdne-digest]"},
    {"delifeq", 3, kWrite | kFast, Keys(1, 1, 1, kKeyRw | kKeyDelete), kAclString, &DelIfEq,
     "9.0.0", "O(1)", "Deletes a key if its string value equals the given one.", "key value"},
    {"digest", 2, kReadOnly | kFast, Keys(1, 1, 1), kAclString, &Digest, "8.4.0",
     "O(N) where N is the length of the value.",
     "Returns the XXH3 hash of a string value in hexadecimal.", "key"},
    {"get", 2, kReadOnly | kFast, Keys(1, 1, 1), kAclString, &Get, "1.0.0", "O(1)",
     "Returns the string value of a key.", "key"},
    {"getdel", 2, kWrite | kFast, Keys(1, 1, 1, kKeyRw | kKeyAccess | kKeyDelete), kAclString,
     &GetDel, "6.2.0", "O(1)", "Returns the string value of a key and deletes the key.", "key"},
    {"getex", -2, kWrite | kFast, kGetExKey, kAclString, &GetEx, "6.2.0", "O(1)",
     "Returns the string value of a key and sets or removes its time to live.",
     "key [EX seconds|PX milliseconds|EXAT unix-time-seconds|PXAT unix-time-milliseconds|PERSIST]"},
    {"getset", 3, kWrite | kDenyOom | kFast, Keys(1, 1, 1, kRwAccessUpdate), kAclString, &GetSet,
     "1.0.0", "O(1)", "Sets the string value of a key and returns the one before.", "key value",
     kGetSetExtras},
    {"mget", -2, kReadOnly | kFast, Keys(1, -1, 1), kAclString, &MGet, "1.0.0",
     "O(N) where N is the number of keys.", "Returns the string values of several keys.",
     "key [key ...]", kMGetExtras},
    {"mset", -3, kWrite | kDenyOom, Keys(1, -1, 2, kOwUpdate), kAclString, &MSet, "1.0.1",
     "O(N) where N is the number of keys.", "Sets the string values of several keys.",
     "key value [key value ...]", kMSetExtras},
    {"msetex", -4, kWrite | kDenyOom, kCountedPairs, kAclString, &MSetEx, "8.4.0",
     "O(N) where N is the number of keys.",
     "Sets the string values of several keys with one time to live, if all or none of them exist.",
     "numkeys key value [key value ...] [NX|XX] [EX seconds|PX milliseconds|"
     "EXAT unix-time-seconds|PXAT unix-time-milliseconds|KEEPTTL]"},
    {"msetnx", -3, kWrite | kDenyOom, Keys(1, -1, 2, kOwInsert), kAclString, &MSetNx, "1.0.1",
     "O(N) where N is the number of keys.",
     "Sets the string values of several keys if none of them exists.",
     "key value [key value ...]", kMSetNxExtras},
    {"psetex", 4, kWrite | kDenyOom, Keys(1, 1, 1, kOwUpdate), kAclString, &PSetEx, "2.6.0",
     "O(1)", "Sets the string value of a key and its time to live in milliseconds.",
     "key milliseconds value"},
    {"set", -3, kWrite | kDenyOom, kSetKey, kAclString, &Set, "1.0.0", "O(1)",
     "Sets the string value of a key, whatever it held before.",
     "key value [NX|XX|IFEQ ifeq-value|IFNE ifne-value|IFDEQ ifdeq-digest|IFDNE ifdne-digest] [GET]"
     " [EX seconds|PX milliseconds|EXAT unix-time-seconds|PXAT unix-time-milliseconds|KEEPTTL]",
     {.history = kSetHistory}},
    {"setex", 4, kWrite | kDenyOom, Keys(1, 1, 1, kOwUpdate), kAclString, &SetEx, "2.0.0", "O(1)",
     "Sets the string value of a key and its time to live in seconds.", "key seconds value"},
    {"setnx", 3, kWrite | kDenyOom | kFast, Keys(1, 1, 1, kOwInsert), kAclString, &SetNx, "1.0.0",
     "O(1)", "Sets the string value of a key if it does not exist.", "key value"},
};
// clang-format on
static_assert(IsWellFormed(kCommands));

}  // namespace

const CommandFamily kStringFamily = {"string", kCommands};

}  // namespace larder
