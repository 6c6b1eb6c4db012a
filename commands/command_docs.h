// A row's syntax, taken apart: the argument tree that COMMAND DOCS shows and redis-cli makes its
// hints of.
//
//   "key value [NX|XX] [EX seconds|KEEPTTL]"
//     key        key, of the first key specification
//     value      string
//     condition  optional, one of: token NX, token XX
//     expiration optional, one of: seconds (integer, behind EX), token KEEPTTL
//
// Lower-case words are values to be filled in, capital ones are literal. A capital word belongs to
// the value behind it ("COUNT count"); alone in brackets it belongs to all of them ("[LIMIT offset
// count]"), also to alternatives ("[TYPE NORMAL|PUBSUB]").
//
// [] optional, () grouping, | alternatives, ... repeats the item before, where "key [key ...]" is
// the same as "key...", and "[CONFIG name value]..." repeats the word too.
//
// The type of a value follows from its name, or is said: "by:double".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "commands/command_spec.h"

namespace larder {

struct DocArgument {
  enum class Type : uint8_t {
    kString,
    kInteger,
    kDouble,
    kKey,
    kPattern,
    kUnixTime,
    kPureToken,
    kOneOf,  // `arguments` are the alternatives.
    kBlock,  // `arguments` stand one behind the other.
  };

  std::string name;
  Type type = Type::kString;
  std::string token;        // The literal word before it; the word itself of a pure token.
  int key_spec_index = -1;  // Of a key: which of the command's key specifications finds it.
  bool optional = false;
  bool multiple = false;
  bool multiple_token = false;  // When repeated, with its token.
  std::vector<DocArgument> arguments;

  friend bool operator==(const DocArgument&, const DocArgument&) = default;
};

// As Redis calls it: "pure-token".
std::string_view DocTypeName(DocArgument::Type type);

// The arguments of `spec.syntax`. A bracket that is not closed is closed at the end.
std::vector<DocArgument> ParseSyntax(const CommandSpec& spec);

}  // namespace larder
