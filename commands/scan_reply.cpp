#include "commands/scan_reply.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "base/numbers.h"
#include "base/text.h"
#include "commands/command_context.h"

namespace larder {
namespace {

// Clients may send whatever strtoul reads: a sign, leading zeros, even nothing at all; and what is
// behind a zero byte it does not see.
std::optional<uint64_t> CursorFrom(std::string_view text) {
  text = text.substr(0, text.find('\0'));
  if (text.empty()) return 0;
  const bool negative = text.front() == '-';
  if (negative || text.front() == '+') text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  uint64_t number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<uint64_t>(c - '0');
    if (number > (std::numeric_limits<uint64_t>::max() - digit) / 10) return std::nullopt;
    number = number * 10 + digit;
  }
  return negative ? 0 - number : number;
}

// The number after COUNT; replies with an error if it is not one.
bool ParseCount(CommandContext& ctx, std::string_view text, int64_t& count) {
  const std::optional<int64_t> number = ParseInt64(text);
  if (number && *number >= 1) {
    count = *number;
    return true;
  }
  ctx.reply().Error(number ? error_text::kSyntax : error_text::kNotAnInteger);
  return false;
}

}  // namespace

bool ParseScanCursor(CommandContext& ctx, size_t arg, uint64_t& cursor) {
  const std::optional<uint64_t> number = CursorFrom(ctx.arg(arg));
  if (number) {
    cursor = *number;
    return true;
  }
  ctx.reply().Error(error_text::kInvalidCursor);
  return false;
}

bool ParseScanOptions(CommandContext& ctx, size_t first_arg, uint32_t takes, ScanOptions& options) {
  for (size_t i = first_arg; i < ctx.argc(); ++i) {
    const std::string_view word = ctx.arg(i);
    const bool has_value = i + 1 < ctx.argc();
    if (has_value && EqualsIgnoreCase(word, "COUNT")) {
      if (!ParseCount(ctx, ctx.arg(++i), options.count)) return false;
    } else if (has_value && EqualsIgnoreCase(word, "MATCH")) {
      options.pattern = ctx.arg(++i);
      options.any_name = options.pattern == "*";
    } else if (has_value && (takes & kScanType) != 0 && EqualsIgnoreCase(word, "TYPE")) {
      options.type = ctx.arg(++i);
      options.any_type = false;
    } else if ((takes & kScanNoValues) != 0 && EqualsIgnoreCase(word, "NOVALUES")) {
      options.no_values = true;
    } else {
      ctx.reply().Error(error_text::kSyntax);
      return false;
    }
  }
  return true;
}

void ReplyEmptyScan(CommandContext& ctx) {
  ctx.reply().Array(2);
  ctx.reply().Bulk("0");
  ctx.reply().Array(0);
}

void ScanReply::Finish(uint64_t cursor) {
  reply_.EndDeferredArray(start_, elements_);
  const std::string number = absl::StrCat(cursor);
  reply_.out().Insert(start_, absl::StrCat("*2\r\n$", number.size(), "\r\n", number, "\r\n"));
}

}  // namespace larder
