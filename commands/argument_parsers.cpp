#include "commands/argument_parsers.h"

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
