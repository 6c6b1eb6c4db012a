// Bitmaps: strings seen as bits. Bit 0 is the highest bit of the first byte.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/numbers.h"
#include "base/text.h"
#include "commands/argument_parsers.h"
#include "commands/bit_operations.h"
#include "commands/command_context.h"
#include "commands/families.h"
#include "protocol/error_text.h"

namespace larder {
namespace {

// Argument `arg` as the position of a bit in a string as long as one may be.
bool ParseBitOffset(CommandContext& ctx, size_t arg, uint64_t& offset) {
  int64_t parsed = 0;
  if (!ParseInteger(ctx, arg, parsed, error_text::kBitOffset)) return false;
  if (parsed < 0 || parsed / 8 >= ctx.settings().proto_max_bulk_bytes) {
    ctx.reply().Error(error_text::kBitOffset);
    return false;
  }
  offset = static_cast<uint64_t>(parsed);
  return true;
}

bool BitAt(std::string_view bytes, uint64_t offset) {
  const uint64_t byte = offset / 8;
  if (byte >= bytes.size()) return false;
  return ((static_cast<uint8_t>(bytes[static_cast<size_t>(byte)]) >> (7 - offset % 8)) & 1) != 0;
}

void GetBit(CommandContext& ctx) {
  uint64_t offset = 0;
  if (!ParseBitOffset(ctx, 2, offset)) return;
  StringValue value;
  const Found found = ctx.FindString(0, value);
  if (found == Found::kWrongType) return ctx.reply().Error(error_text::kWrongType);
  ctx.reply().Integer(BitAt(value.view(), offset) ? 1 : 0);
}

void SetBit(CommandContext& ctx) {
  uint64_t offset = 0;
  if (!ParseBitOffset(ctx, 2, offset)) return;
  int64_t wanted = 0;
  if (!ParseInteger(ctx, 3, wanted, error_text::kNotABit)) return;
  if (wanted != 0 && wanted != 1) return ctx.reply().Error(error_text::kNotABit);

  Entry* entry = ctx.FindForWrite(0);
  const auto byte = static_cast<size_t>(offset / 8);
  bool was_set = false;
  bool grows = true;
  if (entry != nullptr) {
    if (entry->type() != ValueType::kString) return ctx.reply().Error(error_text::kWrongType);
    StringValue value;
    entry->ReadString(value);
    grows = byte >= value.size();
    was_set = BitAt(value.view(), offset);
  }
  if (grows || was_set != (wanted == 1)) {
    char& changed = ctx.EditString(0, entry, byte + 1)[byte];
    const auto mask = static_cast<uint8_t>(0x80u >> (offset % 8));
    const auto others = static_cast<uint8_t>(static_cast<uint8_t>(changed) & ~mask);
    changed = static_cast<char>(wanted == 1 ? others | mask : others);
    ctx.Notify(kNotifyString, "setbit", 0);
  } else {
    ctx.MakeRaw(0, entry);
  }
  ctx.reply().Integer(was_set ? 1 : 0);
}

// ---- BITCOUNT and BITPOS: ranges of bytes or bits.

// A range as given, both ends included; negative positions count from the end.
struct BitRange {
  int64_t start = 0;
  int64_t end = -1;
  bool in_bits = false;
};

bool ParseUnit(CommandContext& ctx, size_t arg, BitRange& range) {
  if (EqualsIgnoreCase(ctx.arg(arg), "BIT")) {
    range.in_bits = true;
  } else if (!EqualsIgnoreCase(ctx.arg(arg), "BYTE")) {
    ctx.reply().Error(error_text::kSyntax);
    return false;
  }
  return true;
}

// The bits that a range means of a string of so many bytes; nothing if there are none.
std::optional<std::pair<uint64_t, uint64_t>> BitsOf(const BitRange& range, size_t bytes) {
  const auto units = static_cast<int64_t>(range.in_bits ? bytes * 8 : bytes);
  const auto from_start = [&](int64_t position) {
    return position >= 0 ? position : std::max<int64_t>(position + units, 0);
  };
  const int64_t start = from_start(range.start);
  const int64_t end = std::min(from_start(range.end), units - 1);
  if (start > end) return std::nullopt;
  if (range.in_bits) return std::pair{static_cast<uint64_t>(start), static_cast<uint64_t>(end)};
  return std::pair{static_cast<uint64_t>(start) * 8, static_cast<uint64_t>(end) * 8 + 7};
}

void BitCount(CommandContext& ctx) {
  // Redis looks at the key before it looks at the range.
  StringValue value;
  const Found found = ctx.FindString(0, value);
  if (found == Found::kNothing) return ctx.reply().Integer(0);
  if (found == Found::kWrongType) return ctx.reply().Error(error_text::kWrongType);
  const std::string_view text = value.view();
  if (ctx.argc() == 2) return ctx.reply().Integer(static_cast<int64_t>(CountBits(text)));
  if (ctx.argc() != 4 && ctx.argc() != 5) return ctx.reply().Error(error_text::kSyntax);

  BitRange range;
  if (!ParseInteger(ctx, 2, range.start) || !ParseInteger(ctx, 3, range.end)) return;
  // Empty, whatever the unit that follows may be.
  if (range.start < 0 && range.end < 0 && range.start > range.end) return ctx.reply().Integer(0);
  if (ctx.argc() == 5 && !ParseUnit(ctx, 4, range)) return;
  const auto bits = BitsOf(range, text.size());
  if (!bits) return ctx.reply().Integer(0);
  ctx.reply().Integer(static_cast<int64_t>(CountBits(text, bits->first, bits->second)));
}

bool ParseBitPosRange(CommandContext& ctx, BitRange& range) {
  if (ctx.argc() == 3) return true;
  if (ctx.argc() > 6) {
    ctx.reply().Error(error_text::kSyntax);
    return false;
  }
  if (!ParseInteger(ctx, 3, range.start)) return false;
  if (ctx.argc() == 6 && !ParseUnit(ctx, 5, range)) return false;
  return ctx.argc() < 5 || ParseInteger(ctx, 4, range.end);
}

void BitPos(CommandContext& ctx) {
  int64_t bit = 0;
  if (!ParseInteger(ctx, 2, bit)) return;
  if (bit != 0 && bit != 1) return ctx.reply().Error(error_text::kBitArgument);
  StringValue value;
  const Found found = ctx.FindString(0, value);
  if (found == Found::kNothing) return ctx.reply().Integer(bit == 1 ? -1 : 0);
  if (found == Found::kWrongType) return ctx.reply().Error(error_text::kWrongType);

  BitRange range;
  if (!ParseBitPosRange(ctx, range)) return;
  const std::string_view text = value.view();
  const auto bits = BitsOf(range, text.size());
  if (!bits) return ctx.reply().Integer(-1);
  const auto position = FindBit(text, bit == 1, bits->first, bits->second);
  if (position) return ctx.reply().Integer(static_cast<int64_t>(*position));
  // A string is followed by zeros, unless the range says where it ends.
  const bool finds_padding = bit == 0 && ctx.argc() < 5;
  ctx.reply().Integer(finds_padding ? static_cast<int64_t>(text.size()) * 8 : -1);
}

// ---- BITOP

std::optional<BitOperation> BitOperationNamed(std::string_view name) {
  static constexpr std::pair<std::string_view, BitOperation> kOperations[] = {
      {"and", BitOperation::kAnd},     {"or", BitOperation::kOr},
      {"xor", BitOperation::kXor},     {"not", BitOperation::kNot},
      {"diff", BitOperation::kDiff},   {"diff1", BitOperation::kDiff1},
      {"andor", BitOperation::kAndOr}, {"one", BitOperation::kOne},
  };
  for (const auto& [known, operation] : kOperations) {
    if (EqualsIgnoreCase(name, known)) return operation;
  }
  return std::nullopt;
}

bool ParseBitOperation(CommandContext& ctx, BitOperation& operation) {
  const std::optional<BitOperation> named = BitOperationNamed(ctx.arg(1));
  if (!named) {
    ctx.reply().Error(error_text::kSyntax);
    return false;
  }
  operation = *named;
  const size_t sources = ctx.argc() - 3;
  if (operation == BitOperation::kNot && sources != 1) {
    ctx.reply().Error(error_text::kBitOpNotOneSource);
    return false;
  }
  const bool needs_two = operation == BitOperation::kDiff || operation == BitOperation::kDiff1 ||
                         operation == BitOperation::kAndOr;
  if (needs_two && sources < 2) {
    ctx.reply().Error(error_text::BitOpNeedsTwoSources(ToUpper(ctx.arg(1))));
    return false;
  }
  return true;
}

// Puts the result of `size` bytes under the destination, which may be a source as well.
void StoreCombination(CommandContext& ctx, BitOperation operation,
                      std::span<const std::string_view> sources, size_t size) {
  if (size > Entry::kMaxInlineBytes) {
    BlobRef result = BlobRef::Create(size);
    CombineBits(operation, sources, {result->data(), size});
    result->set_size(size);
    ctx.SetBlob(0, std::move(result), kNoExpiry);
  } else {
    char result[Entry::kMaxInlineBytes];
    CombineBits(operation, sources, {result, size});
    ctx.SetRawString(0, {result, size}, kNoExpiry);
  }
}

void BitOp(CommandContext& ctx) {
  BitOperation operation{};
  if (!ParseBitOperation(ctx, operation)) return;

  std::deque<StringValue> values;  // They do not move.
  std::vector<std::string_view> sources;
  sources.reserve(ctx.key_count() - 1);
  size_t longest = 0;
  for (size_t key = 1; key < ctx.key_count(); ++key) {
    StringValue& value = values.emplace_back();
    if (ctx.FindString(key, value) == Found::kWrongType) {
      return ctx.reply().Error(error_text::kWrongType);
    }
    sources.push_back(value.view());
    longest = std::max(longest, value.size());
  }

  if (longest > 0) {
    StoreCombination(ctx, operation, sources, longest);
    ctx.Notify(kNotifyString, "set", 0);
  } else if (ctx.Peek(0) != nullptr) {
    ctx.Erase(0, Shard::Reclaim::kNow);
    ctx.Notify(kNotifyGeneric, "del", 0);
  }
  ctx.reply().Integer(static_cast<int64_t>(longest));
}

constexpr CommandExtras kUnitSince7 = {.history = "7.0.0: takes BYTE and BIT"};
constexpr CommandExtras kBitOpExtras = {.history = "8.2.0: knows DIFF, DIFF1, ANDOR and ONE"};

// clang-format off
constexpr CommandSpec kBitmapCommands[] = {
    {"bitcount", -2, kReadOnly, Keys(1, 1, 1), kAclBitmap, &BitCount, "2.6.0", "O(N)",
     "Counts the bits that are set in a string or a part of it.",
     "key [start:integer end:integer [BYTE|BIT]]", kUnitSince7},
    {"bitop", -4, kWrite | kDenyOom, Keys(2, 2, 1, kKeyOw | kKeyUpdate) + Keys(3, -1, 1, kKeyRo | kKeyAccess),
     kAclBitmap, &BitOp, "2.6.0", "O(N)",
     "Combines strings bit by bit and stores the result.",
     "AND|OR|XOR|NOT|DIFF|DIFF1|ANDOR|ONE destkey:key key [key ...]", kBitOpExtras},
    {"bitpos", -3, kReadOnly, Keys(1, 1, 1), kAclBitmap, &BitPos, "2.8.7", "O(N)",
     "Finds the first bit that is set or clear in a string or a part of it.",
     "key bit:integer [start:integer [end:integer [BYTE|BIT]]]", kUnitSince7},
    {"getbit", 3, kReadOnly | kFast, Keys(1, 1, 1), kAclBitmap, &GetBit, "2.2.0", "O(1)",
     "Returns one bit of a string.", "key offset:integer"},
    {"setbit", 4, kWrite | kDenyOom, Keys(1, 1, 1, kKeyRw | kKeyAccess | kKeyUpdate), kAclBitmap, &SetBit, "2.2.0", "O(1)",
     "Sets or clears one bit of a string, which grows if need be, and returns what it was.",
     "key offset:integer value:integer"},
};
// clang-format on
static_assert(IsWellFormed(kBitmapCommands));

}  // namespace

constinit const CommandFamily kBitmapFamily = {"bitmap", kBitmapCommands};

}  // namespace larder
