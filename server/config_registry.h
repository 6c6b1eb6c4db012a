// The table of directives: one row each, from which reading files and arguments, CONFIG GET, SET
// and REWRITE all come. No other file lists directive names.
//
// Concurrency: the table is constant; every function is safe from any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "server/config.h"
#include "server/config_hook.h"
#include "server/config_values.h"

namespace larder {

enum DirectiveFlag : uint32_t {
  kModifiable = 0,
  kImmutable = 1u << 0,    // Set at start only.
  kProtected = 1u << 1,    // CONFIG SET needs enable-protected-configs.
  kSensitive = 1u << 2,    // Its value is not for logs.
  kHidden = 1u << 3,       // CONFIG GET shows it when asked by its full name, not for a glob.
  kWords = 1u << 4,        // Takes several words.
  kFileOnly = 1u << 5,     // A statement, not a setting: unknown to CONFIG.
  kNoEffect = 1u << 6,     // Checked and kept, but changes nothing; said in a warning.
  kIntoOthers = 1u << 8,   // A statement whose effect other directives show; a rewrite drops it.
  kDefaultOnly = 1u << 7,  // Any value but the default is refused: to ignore it would be dangerous.
  // Immutable, but may be set to what it is. Redis refuses that for what is immutable there; what
  // it does not know must not spoil setting everything that CONFIG GET has given.
  kOursToKeep = 1u << 9,
};

// How a value is checked, kept and printed. Where `member` is null, Config::inert keeps the value.
struct BoolValue {
  bool Config::* member = nullptr;
  bool inert_default = false;
};

enum class NumberFormat : uint8_t { kDecimal, kMemory, kOctal };

struct NumberValue {
  int64_t Config::* member = nullptr;
  int64_t low = 0;
  int64_t high = 0;
  NumberFormat format = NumberFormat::kDecimal;
  int64_t inert_default = 0;
};

struct TextValue {
  std::string Config::* member = nullptr;
  absl::Status (*check)(std::string_view text) = nullptr;
  std::string_view inert_default = {};
};

struct ChoiceName {
  std::string_view name;
  int value;
};

struct ChoiceValue {
  std::span<const ChoiceName> names;  // Of two with one value, the first is printed.
  int (*get)(const Config& config) = nullptr;
  void (*set)(Config& config, int value) = nullptr;
  int inert_default = 0;
};

struct MemoryOrPercentValue {
  MemoryOrPercent Config::* member = nullptr;
};

struct SpecialValue {
  absl::Status (*parse)(Config& config, ConfigWords words, ConfigSource source) = nullptr;
  std::string (*print)(const Config& config) = nullptr;  // Null if kFileOnly.
  // The lines of a file, where they are not the name and the printed value.
  std::vector<std::string> (*lines)(const Config& config) = nullptr;
};

struct IncludeValue {};     // The loader reads another file.
struct DeprecatedValue {};  // Redis accepts the line, whatever it says, and forgets it.

struct Directive {
  std::string_view name;
  std::string_view alias;  // Empty: none.
  uint32_t flags = kModifiable;
  ConfigHook hook = ConfigHook::kNone;
  std::variant<BoolValue, NumberValue, TextValue, ChoiceValue, MemoryOrPercentValue, SpecialValue,
               IncludeValue, DeprecatedValue>
      value;
  std::string_view note;  // With kNoEffect or kDefaultOnly: why, and what to use instead.

  bool Is(DirectiveFlag flag) const { return (flags & flag) != 0; }
};

std::span<const Directive> AllDirectives();

// By name or alias, in any case; null if there is none.
const Directive* FindDirective(std::string_view name);

// What the server runs with when nobody says anything, on this machine.
const Config& DefaultConfig();

// Makes `words` the value of `directive`. On failure `config` is as before and the message is
// Redis's.
absl::Status SetDirective(const Directive& directive, ConfigWords words, ConfigSource source,
                          Config& config);

// As CONFIG GET shows it. REQUIRES: not kFileOnly.
std::string PrintDirective(const Directive& directive, const Config& config);

// The lines that give it this value in a file. REQUIRES: not kFileOnly.
std::vector<std::string> DirectiveLines(const Directive& directive, const Config& config);

}  // namespace larder
