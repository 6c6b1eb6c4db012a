// BITFIELD: integers of any width up to 64 bits, anywhere in a string.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "base/numbers.h"
#include "base/text.h"
#include "commands/argument_parsers.h"
#include "commands/bit_operations.h"
#include "commands/command_context.h"
#include "commands/families.h"
#include "protocol/error_text.h"

namespace larder {
namespace {

enum class Overflow : uint8_t { kWrap, kSaturate, kFail };
enum class Action : uint8_t { kGet, kSet, kIncrement };

struct FieldType {
  unsigned bits = 0;
  bool is_signed = false;
};

struct Operation {
  Action action;
  Overflow overflow;
  FieldType type;
  uint64_t offset;
  int64_t operand;  // What to set or add.
};

using Operations = absl::InlinedVector<Operation, 8>;

// ---- Parsing

// "i16", "u8". As in Redis the text ends at its first zero byte.
std::optional<FieldType> ParseFieldType(std::string_view text) {
  text = text.substr(0, text.find('\0'));
  if (text.empty() || (text[0] != 'i' && text[0] != 'u')) return std::nullopt;
  const bool is_signed = text[0] == 'i';
  const std::optional<int64_t> bits = ParseInt64(text.substr(1));
  // Replies have no unsigned integers of 64 bits.
  if (!bits || *bits < 1 || *bits > (is_signed ? 64 : 63)) return std::nullopt;
  return FieldType{.bits = static_cast<unsigned>(*bits), .is_signed = is_signed};
}

// A bit's position, or "#n" for that of the n-th field of this width.
std::optional<uint64_t> ParseFieldOffset(const CommandContext& ctx, std::string_view text,
                                         unsigned bits) {
  const bool counts_fields = text.starts_with('#');
  const std::optional<int64_t> parsed = ParseInt64(text.substr(counts_fields ? 1 : 0));
  if (!parsed) return std::nullopt;
  int64_t offset = *parsed;
  if (counts_fields && __builtin_mul_overflow(offset, int64_t{bits}, &offset)) return std::nullopt;
  if (offset < 0 || offset / 8 >= ctx.settings().proto_max_bulk_bytes) return std::nullopt;
  return static_cast<uint64_t>(offset);
}

bool ParseOverflow(CommandContext& ctx, std::string_view word, Overflow& overflow) {
  if (EqualsIgnoreCase(word, "WRAP")) {
    overflow = Overflow::kWrap;
  } else if (EqualsIgnoreCase(word, "SAT")) {
    overflow = Overflow::kSaturate;
  } else if (EqualsIgnoreCase(word, "FAIL")) {
    overflow = Overflow::kFail;
  } else {
    ctx.reply().Error(error_text::kInvalidOverflow);
    return false;
  }
  return true;
}

std::optional<Action> ActionNamed(std::string_view word, size_t arguments_left) {
  if (EqualsIgnoreCase(word, "GET") && arguments_left >= 2) return Action::kGet;
  if (EqualsIgnoreCase(word, "SET") && arguments_left >= 3) return Action::kSet;
  if (EqualsIgnoreCase(word, "INCRBY") && arguments_left >= 3) return Action::kIncrement;
  return std::nullopt;
}

// The operation whose name is argument `index`; moves `index` to its last argument.
bool ParseOperation(CommandContext& ctx, size_t& index, Operation& operation) {
  const std::optional<Action> action = ActionNamed(ctx.arg(index), ctx.argc() - index - 1);
  if (!action) {
    ctx.reply().Error(error_text::kSyntax);
    return false;
  }
  const std::optional<FieldType> type = ParseFieldType(ctx.arg(index + 1));
  if (!type) {
    ctx.reply().Error(error_text::kInvalidBitfieldType);
    return false;
  }
  const std::optional<uint64_t> offset = ParseFieldOffset(ctx, ctx.arg(index + 2), type->bits);
  if (!offset) {
    ctx.reply().Error(error_text::kBitOffset);
    return false;
  }
  operation.action = *action;
  operation.type = *type;
  operation.offset = *offset;
  index += 2;
  return *action == Action::kGet || ParseInteger(ctx, ++index, operation.operand);
}

bool ParseOperations(CommandContext& ctx, Operations& operations) {
  Overflow overflow = Overflow::kWrap;
  for (size_t i = 2; i < ctx.argc(); ++i) {
    if (EqualsIgnoreCase(ctx.arg(i), "OVERFLOW") && i + 1 < ctx.argc()) {
      if (!ParseOverflow(ctx, ctx.arg(++i), overflow)) return false;
      continue;
    }
    Operation operation{.overflow = overflow, .operand = 0};
    if (!ParseOperation(ctx, i, operation)) return false;
    operations.push_back(operation);
  }
  return true;
}

// ---- Numbers of a field's width. They travel as the 64 bits of an int64_t; arithmetic is unsigned
// so that it wraps.

int64_t Extend(uint64_t raw, FieldType type) {
  if (!type.is_signed || type.bits == 64) return static_cast<int64_t>(raw);
  const uint64_t sign = uint64_t{1} << (type.bits - 1);
  return static_cast<int64_t>((raw ^ sign) - sign);
}

enum class Fit : int8_t { kTooSmall, kFits, kTooLarge };

// Whether `value` + `increment` is a number of this type. The increment of SET is 0, and there, as
// Redis computes it, what is far below the least counts as too large: the differences wrap.
Fit FitOfSigned(int64_t value, int64_t increment, unsigned bits) {
  const int64_t max =
      bits == 64 ? std::numeric_limits<int64_t>::max() : (int64_t{1} << (bits - 1)) - 1;
  const int64_t min = -max - 1;
  const auto room_above =
      static_cast<int64_t>(static_cast<uint64_t>(max) - static_cast<uint64_t>(value));
  const auto room_below =
      static_cast<int64_t>(static_cast<uint64_t>(min) - static_cast<uint64_t>(value));
  if (value > max || (bits != 64 && increment > room_above) ||
      (value >= 0 && increment > 0 && increment > room_above)) {
    return Fit::kTooLarge;
  }
  if (value < min || (bits != 64 && increment < room_below) ||
      (value < 0 && increment < 0 && increment < room_below)) {
    return Fit::kTooSmall;
  }
  return Fit::kFits;
}

Fit FitOfUnsigned(uint64_t value, int64_t increment, unsigned bits) {
  const uint64_t max = (uint64_t{1} << bits) - 1;
  if (value > max || (increment > 0 && increment > static_cast<int64_t>(max - value))) {
    return Fit::kTooLarge;
  }
  return increment < 0 && increment < static_cast<int64_t>(0 - value) ? Fit::kTooSmall : Fit::kFits;
}

struct Outcome {
  int64_t value;
  bool refused = false;
};

Outcome Saturated(FieldType type, Fit fit) {
  const bool top = fit == Fit::kTooLarge;
  if (!type.is_signed) {
    return {.value = top ? static_cast<int64_t>((uint64_t{1} << type.bits) - 1) : 0};
  }
  const int64_t max = static_cast<int64_t>((uint64_t{1} << (type.bits - 1)) - 1);
  return {.value = top ? max : -max - 1};
}

// What the field holds after `value` + `increment`.
Outcome Add(FieldType type, Overflow overflow, int64_t value, int64_t increment) {
  const Fit fit = type.is_signed
                      ? FitOfSigned(value, increment, type.bits)
                      : FitOfUnsigned(static_cast<uint64_t>(value), increment, type.bits);
  const uint64_t sum = static_cast<uint64_t>(value) + static_cast<uint64_t>(increment);
  if (fit == Fit::kFits) return {.value = static_cast<int64_t>(sum)};
  switch (overflow) {
    case Overflow::kWrap:
      break;
    case Overflow::kSaturate:
      return Saturated(type, fit);
    case Overflow::kFail:
      return {.value = 0, .refused = true};
  }
  const uint64_t mask = type.bits == 64 ? ~uint64_t{0} : (uint64_t{1} << type.bits) - 1;
  return {.value = Extend(sum & mask, type)};
}

// ---- Running

void ReplyGet(CommandContext& ctx, std::string_view bytes, const Operation& operation) {
  const uint64_t raw = ReadBits(bytes, operation.offset, operation.type.bits);
  ctx.reply().Integer(Extend(raw, operation.type));
}

// The string while it is written. It is left alone until something changes in it.
class WrittenString {
 public:
  WrittenString(CommandContext& ctx, Entry* entry, size_t needed) : ctx_(ctx), entry_(entry) {
    const size_t size = entry != nullptr ? entry->StringSize() : 0;
    grown_ = needed > size;
    if (grown_) {
      OpenForWriting(needed);
    } else {
      ctx.MakeRaw(0, entry_);
      entry_->ReadString(value_);
    }
  }

  std::string_view view() const {
    return open_ ? std::string_view(bytes_.data(), bytes_.size()) : value_.view();
  }
  std::span<char> bytes() {
    if (!open_) OpenForWriting(value_.size());
    return bytes_;
  }
  bool grown() const { return grown_; }

  // Tells everybody, if there were changes.
  void Finish(int64_t changes) {
    if (open_) ctx_.MarkDirty(changes - 1);  // Opening it has counted one.
    if (changes > 0) ctx_.Notify(kNotifyString, "setbit", 0);
  }

 private:
  void OpenForWriting(size_t size) {
    bytes_ = ctx_.EditString(0, entry_, size);
    open_ = true;
  }

  CommandContext& ctx_;
  Entry* entry_;
  StringValue value_;
  std::span<char> bytes_;
  bool open_ = false;
  bool grown_ = false;
};

// SET or INCRBY. True if it counts as a change.
bool Write(CommandContext& ctx, WrittenString& string, const Operation& operation) {
  const FieldType type = operation.type;
  const int64_t old_value = Extend(ReadBits(string.view(), operation.offset, type.bits), type);
  const bool increments = operation.action == Action::kIncrement;
  const Outcome outcome = increments ? Add(type, operation.overflow, old_value, operation.operand)
                                     : Add(type, operation.overflow, operation.operand, 0);
  if (outcome.refused) {
    ctx.reply().Null();
    return false;
  }
  ctx.reply().Integer(increments ? outcome.value : old_value);
  if (outcome.value == old_value) return string.grown();
  WriteBits(string.bytes(), operation.offset, type.bits, static_cast<uint64_t>(outcome.value));
  return true;
}

void ReadOnly(CommandContext& ctx, const Operations& operations) {
  StringValue value;
  if (ctx.FindString(0, value) == Found::kWrongType) {
    return ctx.reply().Error(error_text::kWrongType);
  }
  ctx.reply().Array(operations.size());
  for (const Operation& operation : operations) ReplyGet(ctx, value.view(), operation);
}

// How long the string must be for all that is to be written.
size_t BytesNeeded(const Operations& operations) {
  uint64_t last_bit = 0;
  for (const Operation& operation : operations) {
    if (operation.action == Action::kGet) continue;
    last_bit = std::max(last_bit, operation.offset + operation.type.bits - 1);
  }
  return static_cast<size_t>(last_bit / 8) + 1;
}

bool OnlyReads(const Operations& operations) {
  return std::all_of(operations.begin(), operations.end(),
                     [](const Operation& operation) { return operation.action == Action::kGet; });
}

void BitField(CommandContext& ctx) {
  Operations operations;
  if (!ParseOperations(ctx, operations)) return;
  if (OnlyReads(operations)) return ReadOnly(ctx, operations);
  Entry* const entry = ctx.FindForWrite(0);
  if (entry != nullptr && entry->type() != ValueType::kString) {
    return ctx.reply().Error(error_text::kWrongType);
  }
  WrittenString string(ctx, entry, BytesNeeded(operations));
  int64_t changes = 0;
  ctx.reply().Array(operations.size());
  for (const Operation& operation : operations) {
    if (operation.action == Action::kGet) {
      ReplyGet(ctx, string.view(), operation);
    } else if (Write(ctx, string, operation)) {
      ++changes;
    }
  }
  string.Finish(changes);
}

void BitFieldReadOnly(CommandContext& ctx) {
  Operations operations;
  if (!ParseOperations(ctx, operations)) return;
  if (!OnlyReads(operations)) return ctx.reply().Error(error_text::kBitfieldReadOnly);
  ReadOnly(ctx, operations);
}

// Reading alone changes nothing. What makes no sense may change anything.
uint32_t KeyFlagsIn(std::span<const std::string_view> args) {
  size_t i = 2;
  for (;;) {
    if (i + 2 < args.size() && EqualsIgnoreCase(args[i], "get")) {
      i += 3;
    } else if (i + 1 < args.size() && EqualsIgnoreCase(args[i], "overflow")) {
      i += 2;
    } else {
      break;
    }
  }
  return i == args.size() ? kKeyRo | kKeyAccess : kKeyRw | kKeyAccess | kKeyUpdate;
}

constexpr KeySpecs kChangedOrRead =
    Keys(1, 1, 1, kKeyRw | kKeyAccess | kKeyUpdate | kKeyVariableFlags)
        .WithNotes("This command allows both access and modification of the key")
        .WithFlagsIn(&KeyFlagsIn);

// clang-format off
constexpr CommandSpec kBitfieldCommands[] = {
    {"bitfield", -2, kWrite | kDenyOom, kChangedOrRead, kAclBitmap, &BitField, "3.2.0",
     "O(1) for each operation.",
     "Reads, sets and increments integers of any width inside a string.",
     "key [GET encoding offset:integer|[OVERFLOW WRAP|SAT|FAIL] "
     "(SET encoding offset:integer value:integer|INCRBY encoding offset:integer increment:integer)] ..."},
    {"bitfield_ro", -2, kReadOnly | kFast, Keys(1, 1, 1), kAclBitmap, &BitFieldReadOnly, "6.0.0",
     "O(1) for each operation.", "Reads integers of any width inside a string.",
     "key [GET encoding offset:integer] ..."},
};
// clang-format on
static_assert(IsWellFormed(kBitfieldCommands));

}  // namespace

constinit const CommandFamily kBitfieldFamily = {"bitmap", kBitfieldCommands};

}  // namespace larder
