// Fields of hashes that are numbers: adding to them in place.

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>

#include "base/numbers.h"
#include "commands/argument_parsers.h"
#include "commands/command_context.h"
#include "commands/edit.h"
#include "commands/families.h"
#include "commands/hash_access.h"
#include "protocol/error_text.h"
#include "storage/hash.h"

namespace larder {
namespace {

constexpr std::string_view kValueNotAnInteger = "ERR hash value is not an integer";
constexpr std::string_view kValueNotAFloat = "ERR hash value is not a float";
constexpr std::string_view kNotFinite = "ERR value is NaN or Infinity";

// Sets field argument 2 to `text`, with the expiry that it has.
void SetNumber(CommandContext& ctx, const FoundValue<Hash>& found, std::string_view text,
               std::string_view event) {
  Edit<Hash> hash(ctx, 0, found.entry);
  hash->Set(ctx.arg(2), text, HashWrite(ctx, Hash::kKeepExpiry));
  hash.Done(kNotifyHash, event);
}

// False if the hash has no such field.
bool FindField(CommandContext& ctx, const FoundValue<Hash>& found, HashField& field) {
  return found && found.value().Find(ctx.arg(2), ctx.now(), field);
}

void HIncrBy(CommandContext& ctx) {
  int64_t increment = 0;
  if (!ParseInteger(ctx, 3, increment)) return;
  const FoundValue<Hash> found = FindHashForWrite(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  int64_t number = 0;
  HashField field;
  if (FindField(ctx, found, field)) {
    const std::optional<int64_t> value =
        field.value.is_integer ? field.value.integer : ParseInt64(field.value.text);
    if (!value) return ctx.reply().Error(kValueNotAnInteger);
    number = *value;
  }
  if (__builtin_add_overflow(number, increment, &number)) {
    return ctx.reply().Error(error_text::kOverflow);
  }
  char digits[kMaxIntegerText];
  SetNumber(ctx, found, {digits, FormatInt64(number, digits)}, "hincrby");
  ctx.reply().Integer(number);
}

void HIncrByFloat(CommandContext& ctx) {
  const std::optional<long double> increment = ParseLongDouble(ctx.arg(3));
  if (!increment) return ctx.reply().Error(error_text::kNotAFloat);
  if (!std::isfinite(*increment)) return ctx.reply().Error(kNotFinite);
  const FoundValue<Hash> found = FindHashForWrite(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  long double number = 0;
  HashField field;
  if (FindField(ctx, found, field)) {
    const std::optional<long double> value = field.value.is_integer
                                                 ? static_cast<long double>(field.value.integer)
                                                 : ParseLongDouble(field.value.text);
    if (!value) return ctx.reply().Error(kValueNotAFloat);
    number = *value;
  }
  number += *increment;
  if (!std::isfinite(number)) return ctx.reply().Error(error_text::kIncrementNotFinite);
  const std::string text = FormatLongDouble(number);
  SetNumber(ctx, found, text, "hincrbyfloat");
  ctx.reply().Bulk(text);
}

constexpr uint32_t kCounterFlags = kWrite | kDenyOom | kFast;
constexpr KeySpecs kCounterKey = Keys(1, 1, 1, kKeyRw | kKeyAccess | kKeyUpdate);

// clang-format off
constexpr CommandSpec kCommands[] = {
    {"hincrby", 4, kCounterFlags, kCounterKey, kAclHash, &HIncrBy, "2.0.0", "O(1)",
     "Adds to the integer that a field of a hash holds, which is 0 if there is none.",
     "key field increment:integer"},
    {"hincrbyfloat", 4, kCounterFlags, kCounterKey, kAclHash, &HIncrByFloat, "2.6.0", "O(1)",
     "Adds to the floating-point number that a field of a hash holds, which is 0 if there is none.",
     "key field increment:double"},
};
// clang-format on
static_assert(IsWellFormed(kCommands));

}  // namespace

const CommandFamily kHashCounterFamily = {"hash", kCommands};

}  // namespace larder
