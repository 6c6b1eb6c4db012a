#include "commands/command_docs.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"

namespace larder {
namespace {

using Type = DocArgument::Type;

constexpr std::array<std::string_view, 8> kKeyNames = {
    "key", "key1", "key2", "newkey", "source", "destination", "numkey", "storekey"};
constexpr std::array<std::string_view, 8> kDoubleNames = {
    "score", "longitude", "latitude", "radius", "width", "height", "weight", "beta"};
constexpr std::array<std::string_view, 32> kIntegerNames = {
    "client-id", "destination-db",

    "count",     "cursor",         "db",          "decrement",    "end",
    "increment", "index",          "index1",      "index2",       "len",
    "limit",     "maxage",         "maxlen",      "milliseconds", "min-match-len",
    "numkeys",   "numlocal",       "numreplicas", "offset",       "port",
    "protover",  "rank",           "replicas",    "samples",      "seconds",
    "size",      "start",          "stop",        "timeout",      "version"};

template <size_t kSize>
bool Contains(const std::array<std::string_view, kSize>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool IsLiteral(std::string_view word) {
  bool has_capital = false;
  for (char c : word) {
    if (c >= 'a' && c <= 'z') return false;
    has_capital |= c >= 'A' && c <= 'Z';
  }
  return has_capital;
}

Type TypeNamed(std::string_view name) {
  if (name == "double") return Type::kDouble;
  if (name == "integer") return Type::kInteger;
  if (name == "key") return Type::kKey;
  if (name == "pattern") return Type::kPattern;
  if (name == "unix-time") return Type::kUnixTime;
  return Type::kString;
}

class SyntaxParser {
 public:
  explicit SyntaxParser(const CommandSpec& spec) : rest_(spec.syntax), spec_(spec) {}

  std::vector<DocArgument> Parse() {
    std::vector<DocArgument> arguments;
    bool is_alternative = false;
    while (!AtEnd()) {
      for (DocArgument& argument : Sequence()) {
        // "ON|OFF rest": outside of brackets, only the items beside the bar are alternatives.
        if (std::exchange(is_alternative, false) && !arguments.empty()) {
          AddAlternative(arguments.back(), std::move(argument));
        } else {
          arguments.push_back(std::move(argument));
        }
      }
      is_alternative = Take() == "|";  // Else a bracket too many.
    }
    return arguments;
  }

 private:
  // The next of: [ ] ( ) | ... or a word; empty at the end.
  std::string_view Peek() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(' '), rest_.size()));
    if (rest_.empty()) return rest_;
    if (rest_.starts_with("...")) return rest_.substr(0, 3);
    if (IsPunctuation(rest_[0])) return rest_.substr(0, 1);
    size_t size = 0;
    while (size < rest_.size() && rest_[size] != ' ' && !IsPunctuation(rest_[size]) &&
           !rest_.substr(size).starts_with("...")) {
      ++size;
    }
    return rest_.substr(0, size);
  }
  std::string_view Take() {
    const std::string_view lexeme = Peek();
    rest_.remove_prefix(lexeme.size());
    return lexeme;
  }
  bool AtEnd() { return Peek().empty(); }
  static bool IsPunctuation(char c) {
    return c == '[' || c == ']' || c == '(' || c == ')' || c == '|';
  }

  // Items up to a closing bracket, an alternative or the end.
  std::vector<DocArgument> Sequence() {
    std::vector<DocArgument> items;
    bool last_was_group = false;
    for (std::string_view next = Peek(); !next.empty() && next != "]" && next != ")" && next != "|";
         next = Peek()) {
      Take();
      if (next == "...") {
        if (!items.empty()) Repeat(items.back(), last_was_group);
      } else if (next == "[") {
        Append(items, Group(/*closing=*/"]"));
      } else if (next == "(") {
        Append(items, Group(/*closing=*/")"));
      } else {
        AppendWord(items, next);
      }
      last_was_group = next == "[" || next == "(";
    }
    return items;
  }

  static void Repeat(DocArgument& item, bool with_token) {
    item.multiple = true;
    item.multiple_token = with_token && !item.token.empty() && item.type != Type::kPureToken;
  }

  static void AddAlternative(DocArgument& first, DocArgument other) {
    if (first.type != Type::kOneOf || first.optional) {
      DocArgument choice{.type = Type::kOneOf};
      choice.arguments.push_back(std::move(first));
      first = std::move(choice);
    }
    first.arguments.push_back(std::move(other));
    first.name = NameOfChoice(first.arguments);
  }

  // A literal word with nothing behind it yet takes the value that follows.
  static bool WaitsForValue(const std::vector<DocArgument>& items) {
    return !items.empty() && items.back().type == Type::kPureToken && !items.back().optional &&
           !items.back().multiple;
  }

  void AppendWord(std::vector<DocArgument>& items, std::string_view word) {
    if (IsLiteral(word)) {
      items.push_back(
          {.name = ToLower(word), .type = Type::kPureToken, .token = std::string(word)});
      return;
    }
    DocArgument value = Value(word);
    if (WaitsForValue(items)) {
      value.token = std::move(items.back().token);
      items.back() = std::move(value);
    } else {
      items.push_back(std::move(value));
    }
  }

  DocArgument Value(std::string_view word) {
    DocArgument value;
    const size_t colon = word.find(':');
    value.name = word.substr(0, colon);
    value.type = colon == word.npos ? TypeOf(value.name) : TypeNamed(word.substr(colon + 1));
    if (value.type == Type::kKey) {
      value.key_spec_index = std::min(next_key_spec_, static_cast<int>(spec_.keys.count) - 1);
    }
    // "key [key ...]": the second one is the first again.
    if (value.type == Type::kKey && value.name != last_key_name_) {
      last_key_name_ = value.name;
      ++next_key_spec_;
    }
    return value;
  }

  Type TypeOf(std::string_view name) const {
    if (spec_.keys.count > 0 && Contains(kKeyNames, name)) return Type::kKey;
    if (name == "pattern") return Type::kPattern;
    if (name.find("unix-time") != name.npos) return Type::kUnixTime;
    if (Contains(kDoubleNames, name)) return Type::kDouble;
    return Contains(kIntegerNames, name) ? Type::kInteger : Type::kString;
  }

  void Append(std::vector<DocArgument>& items, DocArgument group) {
    if (!group.optional && WaitsForValue(items)) {
      group.token = std::move(items.back().token);
      items.back() = std::move(group);
      return;
    }
    if (group.optional && group.multiple && Repeats(items, group)) return;
    items.push_back(std::move(group));
  }

  static bool SameWord(const DocArgument& a, const DocArgument& b) {
    return a.name == b.name && a.type == b.type && a.token == b.token;
  }

  // "key value [key value ...]": what is in brackets only says that the items before repeat.
  static bool Repeats(std::vector<DocArgument>& items, const DocArgument& group) {
    if (group.type != Type::kBlock) {
      // "ID id [id ...]": the word stands only before the first.
      if (items.empty() || items.back().name != group.name || items.back().type != group.type) {
        return false;
      }
      items.back().multiple = true;
      items.back().multiple_token = !group.token.empty() && group.type != Type::kPureToken;
      return true;
    }
    const size_t count = group.arguments.size();
    if (items.size() < count) return false;
    const auto from = items.end() - static_cast<std::ptrdiff_t>(count);
    if (!std::equal(from, items.end(), group.arguments.begin(), SameWord)) return false;
    DocArgument block = group;
    block.optional = false;
    block.arguments.assign(from, items.end());
    items.erase(from, items.end());
    items.push_back(std::move(block));
    return true;
  }

  DocArgument Group(std::string_view closing) {
    std::vector<DocArgument> alternatives;
    std::string token;
    do {
      std::vector<DocArgument> items = Sequence();
      // "TYPE NORMAL|PUBSUB": the first word is the whole choice's.
      if (alternatives.empty() && Peek() == "|" && IsTwoWords(items)) {
        token = std::move(items[0].token);
        items.erase(items.begin());
      }
      alternatives.push_back(AsOne(std::move(items)));
    } while (Take() == "|");
    const bool optional = closing == "]";
    DocArgument group;
    if (alternatives.size() == 1) {
      group = std::move(alternatives[0]);
    } else {
      group.type = Type::kOneOf;
      group.name = token.empty() ? NameOfChoice(alternatives) : ToLower(token);
      group.token = std::move(token);
      group.arguments = std::move(alternatives);
    }
    group.optional |= optional;
    return group;
  }

  static bool IsTwoWords(const std::vector<DocArgument>& items) {
    return items.size() == 2 && items[0].type == Type::kPureToken &&
           items[1].type == Type::kPureToken;
  }

  // A sequence as one argument: itself, or a block.
  static DocArgument AsOne(std::vector<DocArgument> items) {
    if (items.size() == 1) return std::move(items[0]);
    DocArgument block;
    block.type = Type::kBlock;
    if (items.empty()) return block;
    // "key value ..." in brackets repeats both.
    if (items.back().multiple && !items[0].multiple) {
      items.back().multiple = false;
      block.multiple = true;
    }
    // "LIMIT offset count": the word stands before the whole.
    const bool all_plain = std::all_of(items.begin(), items.end(), [&](const DocArgument& item) {
      return &item == &items[0] ? !item.token.empty() : item.token.empty() && !item.optional;
    });
    if (all_plain && items[0].type != Type::kPureToken) {
      block.token = std::exchange(items[0].token, {});
      block.name = ToLower(block.token);
    } else {
      for (const DocArgument& item : items) {
        if (!block.name.empty()) block.name += '_';
        block.name += item.name;
      }
    }
    block.arguments = std::move(items);
    return block;
  }

  static std::string NameOfChoice(const std::vector<DocArgument>& alternatives) {
    const std::string& first = alternatives[0].token;
    if (first == "NX" || first == "XX") return "condition";
    if (first == "EX" || first == "PX") return "expiration";
    std::string name;
    for (const DocArgument& alternative : alternatives) {
      if (!name.empty()) name += "-or-";
      name += alternative.name;
    }
    return name;
  }

  std::string_view rest_;
  const CommandSpec& spec_;
  int next_key_spec_ = 0;
  std::string last_key_name_;
};

}  // namespace

std::string_view DocTypeName(Type type) {
  switch (type) {
    case Type::kString:
      return "string";
    case Type::kInteger:
      return "integer";
    case Type::kDouble:
      return "double";
    case Type::kKey:
      return "key";
    case Type::kPattern:
      return "pattern";
    case Type::kUnixTime:
      return "unix-time";
    case Type::kPureToken:
      return "pure-token";
    case Type::kOneOf:
      return "oneof";
    case Type::kBlock:
      return "block";
  }
  return "string";
}

std::vector<DocArgument> ParseSyntax(const CommandSpec& spec) { return SyntaxParser(spec).Parse(); }

}  // namespace larder
