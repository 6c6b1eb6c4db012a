#include "server/config_registry.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/check.h"
#include "base/numbers.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "fmt/format.h"
#include "server/config_text.h"

namespace larder {
namespace {

constexpr std::string_view kWrongNumberOfArguments = "wrong number of arguments";

absl::Status Refuse(std::string_view reason) { return absl::InvalidArgumentError(AsAbsl(reason)); }

std::optional<int64_t> ParseOctal(std::string_view text) {
  const bool negative = !text.empty() && text[0] == '-';
  if (negative) text.remove_prefix(1);
  if (text.empty() || text.size() > 20) return std::nullopt;
  int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '7') return std::nullopt;
    value = value * 8 + (c - '0');
  }
  return negative ? -value : value;
}

std::string PrintNumber(NumberFormat format, int64_t value) {
  return format == NumberFormat::kOctal ? fmt::format("{:o}", value) : std::to_string(value);
}

// Parses a number in its row's format into `value`.
absl::Status ParseNumber(const NumberValue& row, std::string_view text, int64_t& value) {
  std::optional<int64_t> parsed;
  switch (row.format) {
    case NumberFormat::kDecimal:
      parsed = ParseInt64(text);
      if (!parsed) return Refuse("argument couldn't be parsed into an integer");
      break;
    case NumberFormat::kMemory:
      parsed = ParseMemory(text);
      if (!parsed) return Refuse("argument must be a memory value");
      break;
    case NumberFormat::kOctal:
      parsed = ParseOctal(text);
      if (!parsed) return Refuse("argument couldn't be parsed as an octal number");
      break;
  }
  if (*parsed < row.low || *parsed > row.high) {
    return Refuse(fmt::format("argument must be between {} and {} inclusive",
                              PrintNumber(row.format, row.low), PrintNumber(row.format, row.high)));
  }
  value = *parsed;
  return absl::OkStatus();
}

std::string_view NameOfChoice(std::span<const ChoiceName> names, int value) {
  for (const ChoiceName& choice : names) {
    if (choice.value == value) return choice.name;
  }
  return "unknown";
}

std::string_view YesOrNo(bool value) { return value ? "yes" : "no"; }

// Sets one directive to words that have been divided and counted.
class Setter {
 public:
  Setter(const Directive& directive, ConfigWords words, ConfigSource source, Config& config)
      : directive_(directive), words_(words), source_(source), config_(config) {}

  absl::Status operator()(const BoolValue& row) {
    const bool yes = EqualsIgnoreCase(word(), "yes");
    if (!yes && !EqualsIgnoreCase(word(), "no")) return Refuse("argument must be 'yes' or 'no'");
    if (row.member == nullptr) return Keep(YesOrNo(yes));
    config_.*row.member = yes;
    return absl::OkStatus();
  }

  absl::Status operator()(const NumberValue& row) {
    int64_t value = 0;
    LARDER_RETURN_IF_ERROR(ParseNumber(row, word(), value));
    if (row.member == nullptr) return Keep(PrintNumber(row.format, value));
    config_.*row.member = value;
    return absl::OkStatus();
  }

  absl::Status operator()(const TextValue& row) {
    if (row.check != nullptr) LARDER_RETURN_IF_ERROR(row.check(word()));
    if (row.member == nullptr) return Keep(word());
    config_.*row.member = word();
    return absl::OkStatus();
  }

  absl::Status operator()(const ChoiceValue& row) {
    for (const ChoiceName& choice : row.names) {
      if (!EqualsIgnoreCase(word(), choice.name)) continue;
      if (row.set == nullptr) return Keep(choice.name);
      row.set(config_, choice.value);
      return absl::OkStatus();
    }
    return Refuse(
        absl::StrCat("argument(s) must be one of the following: ",
                     absl::StrJoin(row.names, ", ", [](std::string* out, const ChoiceName& choice) {
                       out->append(choice.name);
                     })));
  }

  absl::Status operator()(const MemoryOrPercentValue& row) {
    const std::string_view text = word();
    if (EqualsIgnoreCase(text, "auto")) {
      config_.*row.member = {.is_auto = true};
      return absl::OkStatus();
    }
    const bool is_percent = text.size() > 1 && text.back() == '%';
    const auto amount =
        is_percent ? ParseInt64(text.substr(0, text.size() - 1)) : ParseMemory(text);
    if (!amount || *amount < 0) return Refuse("argument must be a memory or percent value");
    if (is_percent && *amount > 100) {
      return Refuse("percentage argument must be less or equal to 100");
    }
    config_.*row.member =
        is_percent ? MemoryOrPercent{.percent = *amount} : MemoryOrPercent{.bytes = *amount};
    return absl::OkStatus();
  }

  absl::Status operator()(const SpecialValue& row) { return row.parse(config_, words_, source_); }
  absl::Status operator()(const IncludeValue&) { return absl::OkStatus(); }
  absl::Status operator()(const DeprecatedValue&) { return absl::OkStatus(); }

 private:
  std::string_view word() const { return words_[0]; }

  absl::Status Keep(std::string_view value) {
    config_.inert.insert_or_assign(std::string(directive_.name), std::string(value));
    return absl::OkStatus();
  }

  const Directive& directive_;
  ConfigWords words_;
  ConfigSource source_;
  Config& config_;
};

class Printer {
 public:
  Printer(const Directive& directive, const Config& config)
      : directive_(directive), config_(config) {}

  std::string operator()(const BoolValue& row) const {
    if (row.member == nullptr) return KeptOr(YesOrNo(row.inert_default));
    return std::string(YesOrNo(config_.*row.member));
  }

  std::string operator()(const NumberValue& row) const {
    if (row.member == nullptr) return KeptOr(PrintNumber(row.format, row.inert_default));
    return PrintNumber(row.format, config_.*row.member);
  }

  std::string operator()(const TextValue& row) const {
    return row.member == nullptr ? KeptOr(row.inert_default) : config_.*row.member;
  }

  std::string operator()(const ChoiceValue& row) const {
    if (row.get == nullptr) return KeptOr(NameOfChoice(row.names, row.inert_default));
    return std::string(NameOfChoice(row.names, row.get(config_)));
  }

  std::string operator()(const MemoryOrPercentValue& row) const {
    const MemoryOrPercent& amount = config_.*row.member;
    if (amount.is_auto) return "auto";
    return amount.percent == 0 ? std::to_string(amount.bytes)
                               : std::to_string(amount.percent) + "%";
  }

  std::string operator()(const SpecialValue& row) const { return row.print(config_); }
  std::string operator()(const IncludeValue&) const { return ""; }
  std::string operator()(const DeprecatedValue&) const { return ""; }

 private:
  std::string KeptOr(std::string_view inert_default) const {
    const auto kept = config_.inert.find(directive_.name);
    return kept == config_.inert.end() ? std::string(inert_default) : kept->second;
  }

  const Directive& directive_;
  const Config& config_;
};

// A list may come as one word, as CONFIG SET and quotes give it. Once printed, it is one anyway.
std::vector<std::string> DivideWords(ConfigWords words) {
  std::vector<std::string> divided;
  for (const std::string& word : words) {
    std::vector<std::string> parts = SplitConfigWords(word);
    if (parts.empty()) parts.emplace_back();
    divided.insert(divided.end(), parts.begin(), parts.end());
  }
  return divided;
}

// Whether a word means itself in a file without quotes.
bool IsPlainWord(std::string_view word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return c > ' ' && c <= '~' && c != '"' && c != '\'' && c != '\\' && c != '#';
  });
}

std::string PlainOrQuoted(const std::string& word) {
  return IsPlainWord(word) ? word : QuoteConfigValue(word);
}

// How a printed value is written in a file: amounts of memory with their unit, text in quotes.
std::string FileForm(const Directive& directive, const std::string& printed) {
  if (std::holds_alternative<TextValue>(directive.value)) return QuoteConfigValue(printed);
  if (const auto* number = std::get_if<NumberValue>(&directive.value)) {
    if (number->format != NumberFormat::kMemory) return printed;
    return FormatMemory(ParseMemory(printed).value_or(0));
  }
  if (!std::holds_alternative<SpecialValue>(directive.value)) return printed;
  if (printed.empty() || !directive.Is(kWords)) return PlainOrQuoted(printed);
  return absl::StrJoin(
      SplitConfigWords(printed), " ",
      [](std::string* out, const std::string& word) { out->append(PlainOrQuoted(word)); });
}

TextMap<const Directive*> BuildIndex() {
  TextMap<const Directive*> index;
  for (const Directive& directive : AllDirectives()) {
    index.emplace(directive.name, &directive);
    if (!directive.alias.empty()) index.emplace(directive.alias, &directive);
  }
  return index;
}

}  // namespace

const Directive* FindDirective(std::string_view name) {
  static const TextMap<const Directive*> index = BuildIndex();
  const auto found = index.find(ToLower(name));
  return found == index.end() ? nullptr : found->second;
}

const Config& DefaultConfig() {
  static const Config config = [] {
    Config defaults;
    defaults.threads = AvailableCores();
    return defaults;
  }();
  return config;
}

absl::Status SetDirective(const Directive& directive, ConfigWords words, ConfigSource source,
                          Config& config) {
  std::vector<std::string> divided;
  if (directive.Is(kWords) && !directive.Is(kFileOnly)) {
    divided = DivideWords(words);
    words = divided;
  }
  const bool counts_itself = std::holds_alternative<SpecialValue>(directive.value) ||
                             std::holds_alternative<DeprecatedValue>(directive.value);
  if (!counts_itself && words.size() != 1) return Refuse(kWrongNumberOfArguments);
  Config updated = config;
  LARDER_RETURN_IF_ERROR(std::visit(Setter(directive, words, source, updated), directive.value));
  if (directive.Is(kDefaultOnly) &&
      PrintDirective(directive, updated) != PrintDirective(directive, DefaultConfig())) {
    return Refuse(directive.note);
  }
  config = std::move(updated);
  return absl::OkStatus();
}

std::string PrintDirective(const Directive& directive, const Config& config) {
  LARDER_DCHECK(!directive.Is(kFileOnly));
  return std::visit(Printer(directive, config), directive.value);
}

std::vector<std::string> DirectiveLines(const Directive& directive, const Config& config) {
  const auto* special = std::get_if<SpecialValue>(&directive.value);
  if (special != nullptr && special->lines != nullptr) return special->lines(config);
  return {absl::StrCat(AsAbsl(directive.name), " ",
                       FileForm(directive, PrintDirective(directive, config)))};
}

}  // namespace larder
