#include "eviction/stampede_rule.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/glob.h"
#include "base/numbers.h"
#include "base/text.h"

namespace larder {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLongestLease = std::chrono::hours(1);
constexpr milliseconds kLongestGrace = std::chrono::hours(24 * 30);
constexpr double kHighestBeta = 10;
constexpr double kHighestJitter = 50;
constexpr int64_t kMostLeases = 1'000'000;

struct TimeUnit {
  std::string_view name;
  milliseconds length;
};
// Longer names first: "ms" does not end in "s" here.
constexpr TimeUnit kTimeUnits[] = {{"ms", milliseconds(1)},
                                   {"s", std::chrono::seconds(1)},
                                   {"m", std::chrono::minutes(1)},
                                   {"h", std::chrono::hours(1)}};

// "250ms", "5s", "2m", "1h", or milliseconds.
std::optional<milliseconds> ParseTime(std::string_view text, milliseconds least,
                                      milliseconds most) {
  milliseconds unit(1);
  for (const TimeUnit& known : kTimeUnits) {
    if (!text.ends_with(known.name)) continue;
    unit = known.length;
    text.remove_suffix(known.name.size());
    break;
  }
  const std::optional<int64_t> count = ParseInt64(text);
  if (!count || *count < 0 || *count > most / unit || unit * *count < least) return std::nullopt;
  return unit * *count;
}

std::optional<double> ParseUpTo(std::string_view text, double most) {
  const std::optional<double> number = ParseDouble(text);
  if (!number || !(*number >= 0 && *number <= most)) return std::nullopt;
  return number;
}

std::optional<int64_t> ParseCount(std::string_view text, int64_t most) {
  const std::optional<int64_t> count = ParseInt64(text);
  if (!count || *count < 0 || *count > most) return std::nullopt;
  return count;
}

// Whether `text` is one, and has been stored.
template <typename T>
bool Store(std::optional<T> parsed, T& value) {
  if (parsed) value = *parsed;
  return parsed.has_value();
}

struct Option {
  std::string_view name;
  std::string_view wanted;
  bool (*parse)(StampedeRule& rule, std::string_view text);
};

constexpr Option kOptions[] = {
    {"lease", "a time from 1ms to 1h",
     [](StampedeRule& rule, std::string_view text) {
       return Store(ParseTime(text, milliseconds(1), kLongestLease), rule.lease);
     }},
    {"wait", "a time up to 1h",
     [](StampedeRule& rule, std::string_view text) {
       return Store(ParseTime(text, milliseconds(0), kLongestLease), rule.wait);
     }},
    {"grace", "a time up to 720h",
     [](StampedeRule& rule, std::string_view text) {
       return Store(ParseTime(text, milliseconds(0), kLongestGrace), rule.grace);
     }},
    {"beta", "a number from 0 to 10",
     [](StampedeRule& rule, std::string_view text) {
       return Store(ParseUpTo(text, kHighestBeta), rule.beta);
     }},
    {"jitter", "0% to 50%",
     [](StampedeRule& rule, std::string_view text) {
       if (text.ends_with('%')) text.remove_suffix(1);
       return Store(ParseUpTo(text, kHighestJitter), rule.jitter_percent);
     }},
    {"disconnect", "keep or release",
     [](StampedeRule& rule, std::string_view text) {
       rule.follows_connection = EqualsIgnoreCase(text, "release");
       return rule.follows_connection || EqualsIgnoreCase(text, "keep");
     }},
    {"leases", "a number up to 1000000",
     [](StampedeRule& rule, std::string_view text) {
       return Store(ParseCount(text, kMostLeases), rule.leases);
     }},
};

std::string PrintTime(milliseconds time) {
  // The longest unit that leaves no rest.
  for (auto unit = std::rbegin(kTimeUnits); unit != std::rend(kTimeUnits); ++unit) {
    if (time.count() != 0 && time % unit->length == milliseconds(0)) {
      return absl::StrCat(time / unit->length, AsAbsl(unit->name));
    }
  }
  return "0ms";
}

// Others would be ambiguous in a line of configuration.
bool IsPlain(char c) {
  return static_cast<unsigned char>(c) > ' ' && c != 0x7f && c != ';' && c != '"' && c != '\'';
}

}  // namespace

absl::StatusOr<StampedeRule> ParseStampedeRule(std::span<const std::string> words) {
  if (words.empty() || words[0].empty()) return absl::InvalidArgumentError("a pattern is missing");
  if (!std::all_of(words[0].begin(), words[0].end(), IsPlain)) {
    return absl::InvalidArgumentError(
        "a pattern has no blanks, quotes, semicolons or control characters");
  }
  StampedeRule rule;
  rule.glob = words[0];
  uint32_t seen = 0;
  for (size_t i = 1; i < words.size(); i += 2) {
    const auto option =
        std::find_if(std::begin(kOptions), std::end(kOptions),
                     [&](const Option& known) { return EqualsIgnoreCase(words[i], known.name); });
    if (option == std::end(kOptions)) {
      return absl::InvalidArgumentError(absl::StrCat("'", words[i], "' is no option of a rule"));
    }
    const uint32_t bit = 1u << (option - std::begin(kOptions));
    if ((seen & bit) != 0) {
      return absl::InvalidArgumentError(absl::StrCat("'", words[i], "' is given twice"));
    }
    seen |= bit;
    if (i + 1 == words.size() || !option->parse(rule, words[i + 1])) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", words[i], "' wants ", AsAbsl(option->wanted)));
    }
  }
  return rule;
}

bool operator==(const StampedeRule& a, const StampedeRule& b) {
  const auto said = [](const StampedeRule& rule) {
    return std::tie(rule.glob, rule.lease, rule.wait, rule.grace, rule.beta, rule.jitter_percent,
                    rule.follows_connection, rule.leases);
  };
  return said(a) == said(b);
}

std::string PrintStampedeRule(const StampedeRule& rule) {
  return absl::StrCat(rule.glob, " lease ", PrintTime(rule.lease), " wait ", PrintTime(rule.wait),
                      " grace ", PrintTime(rule.grace), " beta ", rule.beta, " jitter ",
                      rule.jitter_percent, "% disconnect ",
                      rule.follows_connection ? "release" : "keep", " leases ", rule.leases);
}

StampedeRules::StampedeRules(std::vector<StampedeRule> rules) : rules_(std::move(rules)) {
  for (const StampedeRule& rule : rules_) {
    highest_beta_ = std::max(highest_beta_, rule.beta);
    const std::string_view literal = std::string_view(rule.glob).substr(0, rule.glob.size() - 1);
    const bool is_prefix = rule.glob.ends_with('*') && GlobIsLiteral(literal);
    prefixes_.push_back(is_prefix ? literal.size() : kNoPrefix);
  }
}

const StampedeRule* StampedeRules::Match(std::string_view key) const {
  for (size_t i = 0; i < rules_.size(); ++i) {
    const std::string_view glob = rules_[i].glob;
    const bool matches = prefixes_[i] == kNoPrefix ? GlobMatch(glob, key)
                                                   : key.starts_with(glob.substr(0, prefixes_[i]));
    if (matches) return &rules_[i];
  }
  return nullptr;
}

}  // namespace larder
