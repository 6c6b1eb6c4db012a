#include "commands/hash_field_args.h"

#include <array>
#include <limits>
#include <optional>
#include <string>

#include "base/numbers.h"
#include "base/text.h"
#include "commands/command_context.h"
#include "protocol/error_text.h"

namespace larder {
namespace {

// Redis keeps two of 48 bits for later.
constexpr UnixMillis kMaxFieldExpiry = (UnixMillis{1} << 46) - 1;

constexpr std::string_view kMisplacedFields =
    "ERR Mandatory argument FIELDS is missing or not at the right position";
constexpr std::string_view kCountNotPositive = "ERR Number of fields must be a positive integer";
constexpr std::string_view kCountMismatch =
    "ERR The `numfields` parameter must match the number of arguments";
constexpr std::string_view kRepeatedFields = "ERR FIELDS keyword specified multiple times";
constexpr std::string_view kMissingFields = "ERR missing FIELDS argument";
constexpr std::string_view kMissingTime = "ERR missing expire time";
constexpr std::string_view kNegativeTime = "ERR invalid expire time, must be >= 0";

bool Refuse(CommandContext& ctx, std::string_view error) {
  ctx.reply().Error(error);
  return false;
}

std::optional<size_t> FieldCount(std::string_view text) {
  const std::optional<int64_t> count = ParseInt64(text);
  if (!count || *count < 1 || *count > std::numeric_limits<int32_t>::max()) return std::nullopt;
  return static_cast<size_t>(*count);
}

struct TimeOption {
  std::string_view word;
  TimeUnit unit;
  TimeOrigin origin;
};

constexpr std::array<TimeOption, 4> kTimeOptions = {{
    {"EX", TimeUnit::kSeconds, TimeOrigin::kNow},
    {"PX", TimeUnit::kMilliseconds, TimeOrigin::kNow},
    {"EXAT", TimeUnit::kSeconds, TimeOrigin::kEpoch},
    {"PXAT", TimeUnit::kMilliseconds, TimeOrigin::kEpoch},
}};

}  // namespace

bool ParseOnlyFields(CommandContext& ctx, FieldArgs& fields) {
  if (!EqualsIgnoreCase(ctx.arg(2), "FIELDS")) return Refuse(ctx, kMisplacedFields);
  const std::optional<size_t> count = FieldCount(ctx.arg(3));
  if (!count) return Refuse(ctx, kCountNotPositive);
  if (*count != ctx.argc() - 4) return Refuse(ctx, kCountMismatch);
  fields = {.first = 4, .count = *count};
  return true;
}

bool TakeFields(CommandContext& ctx, size_t& index, size_t arguments_each,
                std::string_view bad_count, FieldArgs& fields) {
  if (fields.given()) return Refuse(ctx, kRepeatedFields);
  const std::string wrong_arity = error_text::WrongArity(ctx.command().full_name());
  if (index + 1 >= ctx.argc()) return Refuse(ctx, wrong_arity);
  const std::optional<size_t> count = FieldCount(ctx.arg(index + 1));
  if (!count) return Refuse(ctx, bad_count);
  fields = {.first = index + 2, .count = *count};
  if (*count * arguments_each > ctx.argc() - fields.first) return Refuse(ctx, wrong_arity);
  index = fields.first + *count * arguments_each - 1;
  return true;
}

bool RefuseUnknownArgument(CommandContext& ctx, size_t index) {
  return Refuse(ctx, "ERR unknown argument: " + std::string(ctx.arg(index)));
}

bool RequireFields(CommandContext& ctx, const FieldArgs& fields) {
  return fields.given() || Refuse(ctx, kMissingFields);
}

bool ParseFieldExpiry(CommandContext& ctx, size_t arg, TimeUnit unit, TimeOrigin origin,
                      UnixMillis& expiry) {
  int64_t time = 0;
  if (!ParseInteger(ctx, arg, time)) return false;
  if (time < 0) return Refuse(ctx, kNegativeTime);
  const int64_t factor = unit == TimeUnit::kSeconds ? 1000 : 1;
  const UnixMillis start = origin == TimeOrigin::kNow ? ctx.now() : 0;
  if (time > kMaxFieldExpiry / factor || time * factor > kMaxFieldExpiry - start) {
    return Refuse(ctx, error_text::InvalidExpire(ctx.command().full_name()));
  }
  expiry = time * factor + start;
  return true;
}

FieldExpiryOption::Taken FieldExpiryOption::Take(CommandContext& ctx, size_t& index) {
  const TimeOption* time = nullptr;
  for (const TimeOption& option : kTimeOptions) {
    if (EqualsIgnoreCase(ctx.arg(index), option.word)) time = &option;
  }
  if (time == nullptr && !EqualsIgnoreCase(ctx.arg(index), keyword_)) return Taken::kNo;
  if (given_) {
    ctx.reply().Error("ERR Only one of EX, PX, EXAT, PXAT or " + std::string(keyword_) +
                      " arguments can be specified");
    return Taken::kRefused;
  }
  given_ = true;
  if (time == nullptr) return Taken::kYes;
  if (index + 1 >= ctx.argc()) {
    ctx.reply().Error(kMissingTime);
    return Taken::kRefused;
  }
  has_time_ = true;
  const bool parsed = ParseFieldExpiry(ctx, ++index, time->unit, time->origin, expiry_);
  return parsed ? Taken::kYes : Taken::kRefused;
}

}  // namespace larder
