// CACHE.PREFIXES: how many lookups hit and missed, by the prefixes of keys.

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/numbers.h"
#include "base/text.h"
#include "commands/command_context.h"
#include "commands/families.h"
#include "commands/prefix_lookups.h"

namespace larder {
namespace {

constexpr std::string_view kOff =
    "ERR lookups are not counted by prefix, see 'hit-ratio-max-prefixes'";

using Line = std::pair<std::string, PrefixFigures>;

// The prefixes looked up most, and what is left; a prefix ends with its delimiter, so that no name
// of theirs is "other" or "none".
std::vector<Line> LinesOf(const PrefixTotals& totals, size_t most) {
  std::vector<Line> lines(totals.by_prefix.begin(), totals.by_prefix.end());
  std::sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) {
    if (a.second.lookups() != b.second.lookups()) return a.second.lookups() > b.second.lookups();
    return a.first < b.first;
  });
  PrefixFigures other = totals.other;
  for (size_t i = most; i < lines.size(); ++i) other.Add(lines[i].second);
  if (lines.size() > most) lines.resize(most);
  if (other.lookups() > 0) lines.emplace_back("other", other);
  if (totals.none.lookups() > 0) lines.emplace_back("none", totals.none);
  return lines;
}

// Nothing, and an error replied, if the arguments make no sense.
std::optional<size_t> ParseCount(CommandContext& ctx) {
  constexpr size_t kDefault = 100;
  if (ctx.argc() == 1) return kDefault;
  if (ctx.argc() != 3 || !EqualsIgnoreCase(ctx.arg(1), "COUNT")) {
    ctx.reply().Error(error_text::kSyntax);
    return std::nullopt;
  }
  const std::optional<int64_t> count = ParseInt64(ctx.arg(2));
  if (!count || *count < 1) {
    ctx.reply().Error(count ? error_text::kSyntax : error_text::kNotAnInteger);
    return std::nullopt;
  }
  return static_cast<size_t>(*count);
}

void Prefixes(CommandContext& ctx) {
  const std::optional<size_t> count = ParseCount(ctx);
  if (!count) return;
  const auto max_prefixes = static_cast<size_t>(ctx.settings().hit_ratio_max_prefixes);
  if (max_prefixes == 0) return ctx.reply().Error(kOff);
  PrefixTotals totals;
  ctx.server().AddPrefixLookups(totals);
  const std::vector<Line> lines = LinesOf(totals, std::min(*count, max_prefixes));
  ctx.reply().Array(lines.size());
  for (const auto& [prefix, figures] : lines) {
    ctx.reply().Array(4);
    ctx.reply().Bulk(prefix);
    ctx.reply().Integer(figures.hits);
    ctx.reply().Integer(figures.misses);
    ctx.reply().Double(static_cast<double>(figures.hits) / static_cast<double>(figures.lookups()));
  }
}

// clang-format off
constexpr CommandSpec kCachePrefixCommands[] = {
    // name             arity  flags              keys     ACL        handler    since    cost    summary
    {"cache.prefixes", -1,     kLoading | kStale, kNoKeys, kAclCache, &Prefixes, "0.1.0", "O(N*log(N)) for N prefixes",
     "Tells how many lookups hit and missed, by the prefix of the key.", "[COUNT count]",
     {.tips = "nondeterministic_output"}},
};
// clang-format on
static_assert(IsWellFormed(kCachePrefixCommands));

}  // namespace

constinit const CommandFamily kCachePrefixFamily = {"cache", kCachePrefixCommands};

}  // namespace larder
