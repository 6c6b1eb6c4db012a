#include "commands/argument_parsers.h"

#include <cmath>
#include <limits>
#include <optional>

#include "base/numbers.h"
#include "base/text.h"
#include "commands/command_context.h"

namespace larder {
namespace {

constexpr int64_t kMillisPerSecond = 1000;
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

ExpiryOption::Kind KindNamed(std::string_view word) {
  switch (word.size()) {
    case 2:
      if (EqualsIgnoreCase(word, "EX")) return ExpiryOption::kEx;
      if (EqualsIgnoreCase(word, "PX")) return ExpiryOption::kPx;
      break;
    case 4:
      if (EqualsIgnoreCase(word, "EXAT")) return ExpiryOption::kExAt;
      if (EqualsIgnoreCase(word, "PXAT")) return ExpiryOption::kPxAt;
      break;
    case 7:
      if (EqualsIgnoreCase(word, "KEEPTTL")) return ExpiryOption::kKeepTtl;
      if (EqualsIgnoreCase(word, "PERSIST")) return ExpiryOption::kPersist;
      break;
    default:
      break;
  }
  return ExpiryOption::kNone;
}

// Nothing if `number` is not positive or the result no longer fits.
std::optional<UnixMillis> ToUnixMillis(int64_t number, TimeUnit unit, TimeOrigin origin,
                                       UnixMillis now) {
  if (number <= 0) return std::nullopt;
  if (unit == TimeUnit::kSeconds) {
    if (number > kMax / kMillisPerSecond) return std::nullopt;
    number *= kMillisPerSecond;
  }
  if (origin == TimeOrigin::kEpoch) return number;
  if (number > kMax - now) return std::nullopt;
  return number + now;
}

// False if `text` is no number. What is beyond an int64_t becomes its least value: such a timeout,
// even if it is positive, Redis calls negative.
bool ParseSecondsAsMillis(std::string_view text, int64_t& milliseconds) {
  // Nearly always a small whole number, which needs no strtold.
  const std::optional<int64_t> whole = ParseInt64(text);
  if (whole && *whole >= 0 && *whole < kMax / kMillisPerSecond) {
    milliseconds = *whole * kMillisPerSecond;
    return true;
  }
  const std::optional<long double> seconds = ParseLongDouble(text);
  if (!seconds) return false;
  const long double rounded = std::ceil(*seconds * kMillisPerSecond);
  const bool fits = rounded > -0x1p63L && rounded < 0x1p63L;
  milliseconds = fits ? static_cast<int64_t>(rounded) : std::numeric_limits<int64_t>::min();
  return true;
}

}  // namespace

bool ParseInteger(CommandContext& ctx, size_t arg, int64_t& value, std::string_view error) {
  const std::optional<int64_t> parsed = ParseInt64(ctx.arg(arg));
  if (!parsed) {
    ctx.reply().Error(error);
    return false;
  }
  value = *parsed;
  return true;
}

bool ParseExpiry(CommandContext& ctx, size_t arg, TimeUnit unit, TimeOrigin origin,
                 UnixMillis& expiry) {
  int64_t number = 0;
  if (!ParseInteger(ctx, arg, number)) return false;
  const std::optional<UnixMillis> at = ToUnixMillis(number, unit, origin, ctx.now());
  if (!at) {
    ctx.reply().Error(error_text::InvalidExpire(ctx.command().full_name()));
    return false;
  }
  expiry = *at;
  return true;
}

bool ParseBlockingTimeout(CommandContext& ctx, size_t arg, TimeUnit unit,
                          std::chrono::milliseconds& timeout) {
  const std::string_view text = ctx.arg(arg);
  int64_t milliseconds = 0;
  if (unit == TimeUnit::kMilliseconds) {
    if (!ParseInteger(ctx, arg, milliseconds, error_text::kTimeoutNotAnInteger)) return false;
  } else if (!ParseSecondsAsMillis(text, milliseconds)) {
    ctx.reply().Error(error_text::kTimeoutNotAFloat);
    return false;
  }
  if (milliseconds < 0) {
    ctx.reply().Error(error_text::kNegativeTimeout);
    return false;
  }
  timeout = std::chrono::milliseconds(milliseconds);
  return true;
}

MonoTime DeadlineAfter(std::chrono::milliseconds timeout) {
  const MonoTime now = MonoNow();
  const auto longest = std::chrono::duration_cast<std::chrono::milliseconds>(MonoTime::max() - now);
  if (timeout.count() == 0 || timeout >= longest) return MonoTime::max();
  return now + timeout;
}

bool ExpiryOption::Take(const CommandContext& ctx, size_t& index) {
  const Kind kind = KindNamed(ctx.arg(index));
  if (kind == kNone || (given() && kind != kind_)) return false;
  if (kind >= kEx) {
    if (index + 1 == ctx.argc()) return false;
    time_arg_ = ++index;
  } else if (kind != also_) {
    return false;
  }
  kind_ = kind;
  return true;
}

bool ExpiryOption::Resolve(CommandContext& ctx, UnixMillis& expiry) const {
  if (!has_time()) return true;
  const bool in_seconds = kind_ == kEx || kind_ == kExAt;
  const bool relative = kind_ == kEx || kind_ == kPx;
  return ParseExpiry(ctx, time_arg_, in_seconds ? TimeUnit::kSeconds : TimeUnit::kMilliseconds,
                     relative ? TimeOrigin::kNow : TimeOrigin::kEpoch, expiry);
}

}  // namespace larder
