// Strings that are numbers: adding to them in place.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "base/numbers.h"
#include "base/text.h"
#include "commands/argument_parsers.h"
#include "commands/command_context.h"
#include "commands/families.h"
#include "protocol/error_text.h"

namespace larder {
namespace {

constexpr std::string_view kNoEnxAlone = "ERR ENX flag requires an expiration";
constexpr std::string_view kBoundsCrossed = "ERR LBOUND can't be greater than UBOUND";
constexpr std::string_view kInfiniteIncrement = "ERR BYFLOAT increment cannot be Infinity";
constexpr std::string_view kInfiniteValue = "ERR value cannot be Infinity";
constexpr std::string_view kAppliedOverflow = "ERR applied increment would overflow";

// The two kinds of number that a string can be, as far as counting treats them differently.
template <typename Number>
struct NumberTraits;

template <>
struct NumberTraits<int64_t> {
  static constexpr std::string_view kError = error_text::kNotAnInteger;
  static constexpr std::string_view kErrorTail = " is not an integer or out of range";
  static constexpr std::string_view kEvent = "incrby";
  static constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  static constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

  static std::optional<int64_t> Parse(std::string_view text) { return ParseInt64(text); }
  static std::optional<int64_t> Parse(const StringValue& value) {
    return value.is_integer() ? value.integer() : ParseInt64(value.view());
  }
};

template <>
struct NumberTraits<long double> {
  static constexpr std::string_view kError = error_text::kNotAFloat;
  static constexpr std::string_view kErrorTail = " is not a valid float";
  static constexpr std::string_view kEvent = "incrbyfloat";
  static constexpr long double kLeast = std::numeric_limits<long double>::lowest();
  static constexpr long double kMost = std::numeric_limits<long double>::max();

  static std::optional<long double> Parse(std::string_view text) { return ParseLongDouble(text); }
  static std::optional<long double> Parse(const StringValue& value) { return Parse(value.view()); }
};

// What the key counts so far.
template <typename Number>
struct CounterValue {
  Entry* entry = nullptr;
  Number value = 0;
  UnixMillis expiry = kNoExpiry;
};

// A missing key counts as 0. False after replying with an error.
template <typename Number>
bool ReadCounter(CommandContext& ctx, CounterValue<Number>& counter) {
  counter.entry = ctx.FindForWrite(0);
  if (counter.entry == nullptr) return true;
  if (counter.entry->type() != ValueType::kString) {
    ctx.reply().Error(error_text::kWrongType);
    return false;
  }
  StringValue text;
  counter.entry->ReadString(text);
  const std::optional<Number> value = NumberTraits<Number>::Parse(text);
  if (!value) {
    ctx.reply().Error(NumberTraits<Number>::kError);
    return false;
  }
  counter.value = *value;
  counter.expiry = counter.entry->expiry();
  return true;
}

void Store(CommandContext& ctx, int64_t value, UnixMillis expiry) {
  ctx.SetInteger(0, value, expiry);
}

void Store(CommandContext& ctx, long double value, UnixMillis expiry) {
  ctx.SetString(0, FormatLongDouble(value), expiry);
}

// ---- INCR and its kin.

void AddInteger(CommandContext& ctx, int64_t increment) {
  CounterValue<int64_t> counter;
  if (!ReadCounter(ctx, counter)) return;
  int64_t sum;
  if (__builtin_add_overflow(counter.value, increment, &sum)) {
    return ctx.reply().Error(error_text::kOverflow);
  }
  ctx.SetInteger(0, sum, counter.expiry);
  ctx.Notify(kNotifyString, "incrby", 0);
  ctx.reply().Integer(sum);
}

void Incr(CommandContext& ctx) { AddInteger(ctx, 1); }
void Decr(CommandContext& ctx) { AddInteger(ctx, -1); }

void IncrBy(CommandContext& ctx) {
  int64_t increment = 0;
  if (ParseInteger(ctx, 2, increment)) AddInteger(ctx, increment);
}

void DecrBy(CommandContext& ctx) {
  int64_t decrement = 0;
  if (!ParseInteger(ctx, 2, decrement)) return;
  if (decrement == std::numeric_limits<int64_t>::min()) {
    return ctx.reply().Error(error_text::kDecrementOverflow);
  }
  AddInteger(ctx, -decrement);
}

void IncrByFloat(CommandContext& ctx) {
  CounterValue<long double> counter;
  if (!ReadCounter(ctx, counter)) return;  // Redis, too, looks at the value first.
  const std::optional<long double> increment = ParseLongDouble(ctx.arg(2));
  if (!increment) return ctx.reply().Error(error_text::kNotAFloat);
  const long double sum = counter.value + *increment;
  if (!std::isfinite(sum)) return ctx.reply().Error(error_text::kIncrementNotFinite);
  const std::string text = FormatLongDouble(sum);
  ctx.SetText(0, text, counter.expiry);  // A whole number, too, as Redis does.
  ctx.Notify(kNotifyString, "incrbyfloat", 0);
  ctx.reply().Bulk(text);
}

// ---- INCREX: a counter with bounds and a time to live in one step, such as a rate limiter needs.

struct IncrExOptions {
  // Arguments that hold numbers; 0: not given.
  size_t by_integer = 0;
  size_t by_float = 0;
  size_t lower_bound = 0;
  size_t upper_bound = 0;
  bool saturate = false;
  bool only_if_no_expiry = false;  // ENX
  ExpiryOption expiry{ExpiryOption::kPersist};
};

// An option with a value, given once.
bool TakeValue(const CommandContext& ctx, size_t& index, size_t& value_arg) {
  if (value_arg != 0 || index + 1 == ctx.argc()) return false;
  value_arg = ++index;
  return true;
}

bool TakeFlag(bool& flag) { return !std::exchange(flag, true); }

bool TakeIncrExOption(const CommandContext& ctx, size_t& index, IncrExOptions& options) {
  const std::string_view word = ctx.arg(index);
  if (EqualsIgnoreCase(word, "BYINT")) {
    return options.by_float == 0 && TakeValue(ctx, index, options.by_integer);
  }
  if (EqualsIgnoreCase(word, "BYFLOAT")) {
    return options.by_integer == 0 && TakeValue(ctx, index, options.by_float);
  }
  if (EqualsIgnoreCase(word, "LBOUND")) return TakeValue(ctx, index, options.lower_bound);
  if (EqualsIgnoreCase(word, "UBOUND")) return TakeValue(ctx, index, options.upper_bound);
  if (EqualsIgnoreCase(word, "SATURATE")) return TakeFlag(options.saturate);
  if (EqualsIgnoreCase(word, "ENX")) return TakeFlag(options.only_if_no_expiry);
  return !options.expiry.given() && options.expiry.Take(ctx, index);
}

bool ParseIncrExOptions(CommandContext& ctx, IncrExOptions& options) {
  for (size_t i = 2; i < ctx.argc(); ++i) {
    if (!TakeIncrExOption(ctx, i, options)) {
      ctx.reply().Error(error_text::kSyntax);
      return false;
    }
  }
  if (!options.only_if_no_expiry || options.expiry.has_time()) return true;
  ctx.reply().Error(options.expiry.persists() ? error_text::kSyntax : kNoEnxAlone);
  return false;
}

// Argument `arg`, or what `value` holds already if the option was not given.
template <typename Number>
bool ParseNumber(CommandContext& ctx, size_t arg, std::string_view name, Number& value) {
  if (arg == 0) return true;
  const std::optional<Number> parsed = NumberTraits<Number>::Parse(ctx.arg(arg));
  if (!parsed) {
    ctx.reply().Error(
        AsStd(absl::StrCat("ERR ", AsAbsl(name), AsAbsl(NumberTraits<Number>::kErrorTail))));
    return false;
  }
  value = *parsed;
  return true;
}

template <typename Number>
struct Increment {
  Number by = 1;
  Number least = NumberTraits<Number>::kLeast;
  Number most = NumberTraits<Number>::kMost;
  bool saturate = false;
};

bool IsFinite(int64_t) { return true; }
bool IsFinite(long double value) { return std::isfinite(value); }

template <typename Number>
bool ParseIncrement(CommandContext& ctx, const IncrExOptions& options, size_t by_arg,
                    Increment<Number>& increment) {
  if (!ParseNumber(ctx, by_arg, "Increment", increment.by) ||
      !ParseNumber(ctx, options.lower_bound, "LBOUND", increment.least) ||
      !ParseNumber(ctx, options.upper_bound, "UBOUND", increment.most)) {
    return false;
  }
  increment.saturate = options.saturate;
  if (!IsFinite(increment.by)) {
    ctx.reply().Error(kInfiniteIncrement);
    return false;
  }
  if (increment.least > increment.most) {
    ctx.reply().Error(kBoundsCrossed);
    return false;
  }
  // An infinite bound bounds nothing, and must not become the value.
  increment.least = std::max(increment.least, NumberTraits<Number>::kLeast);
  increment.most = std::min(increment.most, NumberTraits<Number>::kMost);
  return true;
}

// Where a sum lies that may not fit its type: -1 below what does, 1 above it, 0 in `sum`.
int Add(int64_t a, int64_t b, int64_t& sum) {
  if (!__builtin_add_overflow(a, b, &sum)) return 0;
  return b < 0 ? -1 : 1;
}

int Add(long double a, long double b, long double& sum) {
  sum = a + b;
  if (!std::isinf(sum)) return 0;
  return sum < 0 ? -1 : 1;
}

// False if the difference does not fit.
bool Subtract(int64_t a, int64_t b, int64_t& difference) {
  return !__builtin_sub_overflow(a, b, &difference);
}

bool Subtract(long double a, long double b, long double& difference) {
  difference = a - b;
  return std::isfinite(difference);
}

// The new value: nothing if it is out of bounds and may not be saturated.
template <typename Number>
std::optional<Number> Apply(const Increment<Number>& increment, Number value) {
  Number sum = 0;
  const int side = Add(value, increment.by, sum);
  const bool below = side < 0 || (side == 0 && sum < increment.least);
  const bool above = side > 0 || (side == 0 && sum > increment.most);
  if (!below && !above) return sum;
  if (!increment.saturate) return std::nullopt;
  return below ? increment.least : increment.most;
}

void ReplyWithNumber(CommandContext& ctx, int64_t number) { ctx.reply().Integer(number); }

void ReplyWithNumber(CommandContext& ctx, long double number) {
  const std::string text = FormatLongDouble(number);
  if (!ctx.reply().resp3()) return ctx.reply().Bulk(text);
  ctx.reply().Raw(",");  // With more digits than a double has.
  ctx.reply().Raw(text);
  ctx.reply().Raw("\r\n");
}

template <typename Number>
void ReplyWithChange(CommandContext& ctx, Number value, Number applied) {
  ctx.reply().Array(2);
  ReplyWithNumber(ctx, value);
  ReplyWithNumber(ctx, applied);
}

// Stores the sum and does with the expiry what the options say.
template <typename Number>
void StoreCounter(CommandContext& ctx, const IncrExOptions& options,
                  const CounterValue<Number>& counter, Number sum, UnixMillis expiry) {
  const bool had_expiry = counter.expiry != kNoExpiry;
  const bool sets_expiry = options.expiry.has_time() && !(options.only_if_no_expiry && had_expiry);
  if (sets_expiry && expiry <= ctx.now()) {
    const bool lazily = ctx.settings().lazyfree_lazy_expire;
    if (ctx.Erase(0, lazily ? Shard::Reclaim::kBackground : Shard::Reclaim::kNow)) {
      ctx.Notify(kNotifyGeneric, "del", 0);
    }
    return;
  }
  const bool persists = options.expiry.persists() && had_expiry;
  Store(ctx, sum, sets_expiry ? expiry : persists ? kNoExpiry : counter.expiry);
  ctx.Notify(kNotifyString, NumberTraits<Number>::kEvent, 0);
  if (sets_expiry) ctx.Notify(kNotifyGeneric, "expire", 0);
  if (persists) ctx.Notify(kNotifyGeneric, "persist", 0);
}

template <typename Number>
void IncrExBy(CommandContext& ctx, const IncrExOptions& options, size_t by_arg) {
  Increment<Number> increment;
  if (!ParseIncrement(ctx, options, by_arg, increment)) return;
  UnixMillis expiry = kNoExpiry;
  if (!options.expiry.Resolve(ctx, expiry)) return;
  CounterValue<Number> counter;
  if (!ReadCounter(ctx, counter)) return;
  if (!IsFinite(counter.value)) return ctx.reply().Error(kInfiniteValue);

  const std::optional<Number> sum = Apply(increment, counter.value);
  if (!sum) return ReplyWithChange(ctx, counter.value, Number{0});
  Number applied = 0;
  if (!Subtract(*sum, counter.value, applied)) return ctx.reply().Error(kAppliedOverflow);
  StoreCounter(ctx, options, counter, *sum, expiry);
  ReplyWithChange(ctx, *sum, applied);
}

void IncrEx(CommandContext& ctx) {
  IncrExOptions options;
  if (!ParseIncrExOptions(ctx, options)) return;
  if (options.by_float != 0) {
    IncrExBy<long double>(ctx, options, options.by_float);
  } else {
    IncrExBy<int64_t>(ctx, options, options.by_integer);
  }
}

constexpr KeySpecs kCounterKey = Keys(1, 1, 1, kKeyRw | kKeyAccess | kKeyUpdate);
constexpr uint32_t kCounterFlags = kWrite | kDenyOom | kFast;

// clang-format off
constexpr CommandSpec kCommands[] = {
    {"decr", 2, kCounterFlags, kCounterKey, kAclString, &Decr, "1.0.0", "O(1)",
     "Subtracts one from the integer that a key holds, which is 0 if there is none.", "key"},
    {"decrby", 3, kCounterFlags, kCounterKey, kAclString, &DecrBy, "1.0.0", "O(1)",
     "Subtracts from the integer that a key holds, which is 0 if there is none.", "key decrement"},
    {"incr", 2, kCounterFlags, kCounterKey, kAclString, &Incr, "1.0.0", "O(1)",
     "Adds one to the integer that a key holds, which is 0 if there is none.", "key"},
    {"incrby", 3, kCounterFlags, kCounterKey, kAclString, &IncrBy, "1.0.0", "O(1)",
     "Adds to the integer that a key holds, which is 0 if there is none.", "key increment"},
    {"incrbyfloat", 3, kCounterFlags, kCounterKey, kAclString, &IncrByFloat, "2.6.0", "O(1)",
     "Adds to the floating-point number that a key holds, which is 0 if there is none.",
     "key increment:double"},
    {"increx", -2, kCounterFlags, kCounterKey, kAclString, &IncrEx, "8.8.0", "O(1)",
     "Adds to the number that a key holds, within bounds, and sets its time to live.",
     "key [BYFLOAT increment:double|BYINT increment:integer] [LBOUND lowerbound] [UBOUND upperbound]"
     " [SATURATE] [EX seconds|PX milliseconds|EXAT unix-time-seconds|PXAT unix-time-milliseconds|"
     "PERSIST] [ENX]"},
};
// clang-format on
static_assert(IsWellFormed(kCommands));

}  // namespace

const CommandFamily kStringCounterFamily = {"string", kCommands};

}  // namespace larder
