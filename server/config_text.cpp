#include "server/config_text.h"

#include <array>
#include <limits>

#include "base/text.h"
#include "protocol/inline_command.h"
#include "protocol/request_parser.h"
#include "server/config.h"

namespace larder {
namespace {

struct MemoryUnit {
  std::string_view suffix;
  int64_t bytes;
};

constexpr std::array<MemoryUnit, 8> kMemoryUnits = {{
    {"", 1},
    {"b", 1},
    {"k", 1000},
    {"kb", kKiB},
    {"m", 1000 * 1000},
    {"mb", kMiB},
    {"g", 1000 * 1000 * 1000},
    {"gb", kGiB},
}};

bool IsPrintable(char c) { return c >= ' ' && c <= '~'; }

void AppendEscaped(std::string& out, char c) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  static constexpr std::string_view kEscaped = "\\\"\n\r\t\a\b";
  static constexpr std::string_view kLetters = "\\\"nrtab";
  if (const size_t at = kEscaped.find(c); at != std::string_view::npos) {
    out.push_back('\\');
    out.push_back(kLetters[at]);
  } else if (IsPrintable(c)) {
    out.push_back(c);
  } else {
    const auto byte = static_cast<uint8_t>(c);
    out.append("\\x");
    out.push_back(kHex[byte >> 4]);
    out.push_back(kHex[byte & 15]);
  }
}

}  // namespace

std::string_view TrimConfigLine(std::string_view line) {
  static constexpr std::string_view kBlanks = " \t\r\n";
  const size_t first = line.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(kBlanks) - first + 1);
}

bool IsCommentOrBlank(std::string_view trimmed_line) {
  return trimmed_line.empty() || trimmed_line.front() == '#';
}

std::optional<std::vector<std::string>> SplitConfigLine(std::string_view line) {
  Request request;
  if (!SplitInlineCommand(line, request)) return std::nullopt;
  return std::vector<std::string>(request.args.begin(), request.args.end());
}

std::vector<std::string> SplitConfigWords(std::string_view value) {
  std::vector<std::string> words;
  while (!value.empty()) {
    const size_t end = value.find(' ');
    words.emplace_back(value.substr(0, end));
    if (end == std::string_view::npos) break;
    value.remove_prefix(end + 1);
    if (value.empty()) words.emplace_back();
  }
  return words;
}

std::string QuoteConfigValue(std::string_view value) {
  std::string quoted = "\"";
  for (const char c : value) AppendEscaped(quoted, c);
  quoted.push_back('"');
  return quoted;
}

std::optional<int64_t> ParseMemory(std::string_view text) {
  int64_t count = 0;
  size_t digits = 0;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
    if (__builtin_mul_overflow(count, 10, &count)) return std::nullopt;
    if (__builtin_add_overflow(count, text[digits] - '0', &count)) return std::nullopt;
  }
  if (digits == 0 && !text.empty()) return std::nullopt;
  for (const MemoryUnit& unit : kMemoryUnits) {
    if (!EqualsIgnoreCase(text.substr(digits), unit.suffix)) continue;
    if (__builtin_mul_overflow(count, unit.bytes, &count)) return std::nullopt;
    return count;
  }
  return std::nullopt;
}

std::string FormatMemory(int64_t bytes) {
  if (bytes != 0 && bytes % kGiB == 0) return std::to_string(bytes / kGiB) + "gb";
  if (bytes != 0 && bytes % kMiB == 0) return std::to_string(bytes / kMiB) + "mb";
  if (bytes != 0 && bytes % kKiB == 0) return std::to_string(bytes / kKiB) + "kb";
  return std::to_string(bytes);
}

}  // namespace larder
