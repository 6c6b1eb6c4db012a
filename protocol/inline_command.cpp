#include "protocol/inline_command.h"

#include <cstddef>
#include <optional>

#include "base/blob.h"
#include "protocol/request_parser.h"

namespace larder {
namespace {

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Redis skips vertical tabs and form feeds before an argument, but does not end one at them.
bool EndsBareWord(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::optional<unsigned> HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

char UnescapedLetter(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'b':
      return '\b';
    case 'a':
      return '\a';
    default:
      return c;
  }
}

// Takes the arguments off a line one by one, writing their bytes to `out`, which never gets longer
// than the line.
class QuotedLine {
 public:
  QuotedLine(std::string_view line, char* out) : line_(line), out_(out) {}

  bool SkipSpaces() {
    while (!line_.empty() && IsSpace(line_[0])) line_.remove_prefix(1);
    return !line_.empty();
  }

  // The next argument; nothing if its quotes do not balance.
  std::optional<std::string_view> Take() {
    char* const start = out_;
    while (!line_.empty() && !EndsBareWord(line_[0])) {
      const char c = TakeByte();
      if (c != '"' && c != '\'') {
        *out_++ = c;
        continue;
      }
      if (!TakeQuoted(c) || (!line_.empty() && !IsSpace(line_[0]))) return std::nullopt;
      break;
    }
    return std::string_view(start, static_cast<size_t>(out_ - start));
  }

 private:
  char TakeByte() {
    const char c = line_[0];
    line_.remove_prefix(1);
    return c;
  }

  // Up to and with the closing quote.
  bool TakeQuoted(char quote) {
    while (!line_.empty()) {
      char c = TakeByte();
      if (c == quote) return true;
      if (c == '\\' && !line_.empty()) c = quote == '"' ? TakeEscape() : TakeSingleQuotedEscape();
      *out_++ = c;
    }
    return false;
  }

  // Behind a backslash in double quotes.
  char TakeEscape() {
    if (line_[0] == 'x' && line_.size() >= 3) {
      const auto high = HexValue(line_[1]);
      const auto low = HexValue(line_[2]);
      if (high && low) {
        line_.remove_prefix(3);
        return static_cast<char>(*high * 16 + *low);
      }
    }
    return UnescapedLetter(TakeByte());
  }

  char TakeSingleQuotedEscape() { return line_[0] == '\'' ? TakeByte() : '\\'; }

  std::string_view line_;
  char* out_;
};

void SplitBareWords(std::string_view line, Request& request) {
  size_t at = 0;
  while (true) {
    while (at < line.size() && IsSpace(line[at])) ++at;
    if (at == line.size()) return;
    const size_t start = at;
    while (at < line.size() && !EndsBareWord(line[at])) ++at;
    request.args.push_back(line.substr(start, at - start));
  }
}

}  // namespace

bool SplitInlineCommand(std::string_view line, Request& request) {
  request.Clear();
  if (line.find('"') == std::string_view::npos && line.find('\'') == std::string_view::npos) {
    SplitBareWords(line, request);
    return true;
  }
  request.kept = BlobRef::Create(line.size());
  QuotedLine rest(line, request.kept->data());
  while (rest.SkipSpaces()) {
    const auto argument = rest.Take();
    if (!argument) return false;
    request.args.push_back(*argument);
  }
  return true;
}

}  // namespace larder
