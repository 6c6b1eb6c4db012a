// CACHE.RULES, CACHE.STATS, CACHE.EXPLAIN: what rules there are, what they did, and what they do to
// a key. docs/stampede.md has the grammar.

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/text.h"
#include "commands/command_context.h"
#include "commands/families.h"
#include "commands/help_reply.h"
#include "commands/stampede_access.h"
#include "eviction/lease_table.h"
#include "eviction/stampede_figures.h"
#include "eviction/stampede_rule.h"

namespace larder {
namespace {

using std::chrono::milliseconds;

void ReplyField(ReplyWriter& reply, std::string_view name, int64_t value) {
  reply.Bulk(name);
  reply.Integer(value);
}

// ---- CACHE.RULES

void RulesList(CommandContext& ctx) {
  const std::vector<StampedeRule>& rules = ctx.settings().stampede_rules->all();
  ReplyWriter& reply = ctx.reply();
  reply.Array(rules.size());
  for (const StampedeRule& rule : rules) {
    reply.Map(8);
    reply.Bulk("pattern");
    reply.Bulk(rule.glob);
    ReplyField(reply, "lease", rule.lease.count());
    ReplyField(reply, "wait", rule.wait.count());
    ReplyField(reply, "grace", rule.grace.count());
    reply.Bulk("beta");
    reply.Double(rule.beta);
    reply.Bulk("jitter");
    reply.Double(rule.jitter_percent);
    reply.Bulk("disconnect");
    reply.Bulk(rule.follows_connection ? "release" : "keep");
    ReplyField(reply, "leases", rule.leases);
  }
}

// By the way of CONFIG SET, so that CONFIG GET and REWRITE know of it.
absl::Status Configure(CommandContext& ctx, const std::vector<StampedeRule>& rules) {
  const std::string text = absl::StrJoin(
      rules, "; ",
      [](std::string* out, const StampedeRule& rule) { out->append(PrintStampedeRule(rule)); });
  const std::pair<std::string_view, std::string_view> pairs[] = {{"stampede-rule", text}};
  return ctx.server().config().Set(
      pairs, ctx.client().record->is_loopback ? ConfigCaller::kLocal : ConfigCaller::kRemote);
}

void ReplyError(CommandContext& ctx, const absl::Status& status) {
  std::string error = "ERR ";
  error.append(AsStd(status.message()));
  ctx.reply().Error(error);
}

void RulesSet(CommandContext& ctx) {
  std::vector<std::string> words;
  for (size_t i = 2; i < ctx.argc(); ++i) words.emplace_back(ctx.arg(i));
  absl::StatusOr<StampedeRule> rule = ParseStampedeRule(words);
  if (!rule.ok()) return ReplyError(ctx, rule.status());
  std::vector<StampedeRule> rules = ctx.settings().stampede_rules->all();
  const auto old = std::find_if(rules.begin(), rules.end(), [&](const StampedeRule& other) {
    return other.glob == rule->glob;
  });
  if (old == rules.end()) {
    rules.push_back(*std::move(rule));
  } else {
    *old = *std::move(rule);
  }
  const absl::Status status = Configure(ctx, rules);
  status.ok() ? ctx.reply().Ok() : ReplyError(ctx, status);
}

void RulesDel(CommandContext& ctx) {
  std::vector<StampedeRule> rules = ctx.settings().stampede_rules->all();
  const size_t removed =
      std::erase_if(rules, [&](const StampedeRule& rule) { return rule.glob == ctx.arg(2); });
  if (removed == 0) return ctx.reply().Integer(0);
  const absl::Status status = Configure(ctx, rules);
  status.ok() ? ctx.reply().Integer(1) : ReplyError(ctx, status);
}

void RulesHelp(CommandContext& ctx) {
  static constexpr std::string_view kLines[] = {
      "DEL <pattern>",
      "    Remove the rule of this <pattern>.",
      "LIST",
      "    Return all rules in the order in which they apply, times in milliseconds.",
      "SET <pattern> [<option> <value> ...]",
      "    Replace the rule of this <pattern>, or add one behind the others.",
  };
  ReplyHelp(ctx, kLines);
}

// ---- CACHE.STATS

// Upper bounds in milliseconds and counts; what is empty is left out.
void ReplyHistogram(ReplyWriter& reply, const StampedeFigures::Histogram& histogram) {
  const auto mark = reply.BeginDeferred();
  size_t buckets = 0;
  for (size_t i = 0; i < histogram.size(); ++i) {
    if (histogram[i] == 0) continue;
    ++buckets;
    reply.Integer(int64_t{1} << i);
    reply.Integer(histogram[i]);
  }
  reply.EndDeferredMap(mark, buckets);
}

void ReplyTotals(ReplyWriter& reply, const StampedeFigures::Totals& totals) {
  reply.Map(StampedeFigures::kFigureCount + 5);
  for (size_t i = 0; i < StampedeFigures::kFigureCount; ++i) {
    const auto figure = static_cast<StampedeFigures::Figure>(i);
    ReplyField(reply, StampedeFigures::NameOf(figure), totals[figure]);
  }
  ReplyField(reply, "origin-loads-saved", totals.loads_saved());
  ReplyField(reply, "load-milliseconds", totals.load_ms);
  ReplyField(reply, "wait-milliseconds", totals.wait_ms);
  reply.Bulk("load-times");
  ReplyHistogram(reply, totals.load_times);
  reply.Bulk("wait-times");
  ReplyHistogram(reply, totals.wait_times);
}

void CacheStats(CommandContext& ctx) {
  const bool reset = ctx.argc() == 2 && EqualsIgnoreCase(ctx.arg(1), "RESET");
  if (ctx.argc() > 1 && !reset) return ctx.reply().Error(error_text::kSyntax);
  // The rules as they were when the command came, and what commands did without one.
  std::vector<std::pair<std::string_view, StampedeFigures*>> lines;
  for (const StampedeRule& rule : ctx.settings().stampede_rules->all()) {
    lines.emplace_back(rule.glob, rule.figures.get());
  }
  lines.emplace_back("", ctx.server().stampede_figures().get());
  if (reset) {
    for (const auto& [glob, figures] : lines) figures->Reset();
    return ctx.reply().Ok();
  }
  ctx.reply().Map(lines.size());
  for (const auto& [glob, figures] : lines) {
    ctx.reply().Bulk(glob);
    ReplyTotals(ctx.reply(), figures->Total());
  }
}

// ---- CACHE.EXPLAIN

// What GET would do that comes over a connection without a lease.
std::string ExplainGet(CommandContext& ctx, const StampedeRule* rule) {
  const Entry* const entry = ctx.Peek(0);
  if (entry != nullptr && entry->type() != ValueType::kString) return "is an error: no string";
  const bool is_stale =
      entry != nullptr && entry->has_freshness() && entry->freshness().StaleAt(ctx.now());
  if (rule == nullptr) return entry == nullptr ? "misses" : "returns the value";
  const LeaseTable::Record* const record = FindRecord(ctx, 0, entry, MonoNow());
  if (entry != nullptr && !is_stale) {
    const bool ages =
        entry->has_freshness() && entry->freshness().fresh_until != Freshness::kAlways;
    return rule->beta > 0 && ages ? "returns the value, or misses to have it loaded early"
                                  : "returns the value";
  }
  const bool has_to_wait = record == nullptr ? rule->cap->IsFull() : record->ticket.has_value();
  if (record == nullptr && !has_to_wait) return "misses: the caller is to load";
  const std::string who = has_to_wait ? "the rule has all its leases out"
                          : record->lease == nullptr
                              ? "nobody loads for a while"
                              : absl::StrCat("client ", record->lease->holder, " loads");
  if (is_stale) return absl::StrCat("returns the old value: ", who);
  if (!has_to_wait && record->lease == nullptr) return absl::StrCat("misses: ", who);
  return absl::StrCat("waits up to ", rule->wait.count(), "ms: ", who);
}

std::string ExplainSet(const StampedeRule* rule) {
  if (rule == nullptr) return "stores the value as ever";
  std::string text = "stores the value, ends a lease and wakes those who wait";
  if (rule->jitter_percent > 0) {
    absl::StrAppend(&text, "; shortens the time to live by up to ", rule->jitter_percent, "%");
  }
  if (rule->grace.count() > 0) {
    absl::StrAppend(&text, "; keeps it ", rule->grace.count(), "ms longer as an old value");
  }
  return text;
}

void CacheExplain(CommandContext& ctx) {
  const StampedeRule* const rule = ctx.settings().stampede_rules->Match(ctx.key(0).text);
  ReplyWriter& reply = ctx.reply();
  reply.Map(3);
  reply.Bulk("rule");
  rule == nullptr ? reply.Null() : reply.Bulk(PrintStampedeRule(*rule));
  reply.Bulk("get");
  reply.Bulk(ExplainGet(ctx, rule));
  reply.Bulk("set");
  reply.Bulk(ExplainSet(rule));
}

constexpr uint32_t kShown = kLoading | kStale;
constexpr uint32_t kChanging = kAdmin | kNoScript | kLoading | kStale;

// clang-format off
constexpr CommandSpec kRulesSubcommands[] = {
    // name  arity  flags      keys     ACL        handler     since    cost    summary
    {"del",  3,     kChanging, kNoKeys, kAclCache, &RulesDel,  "0.1.0", "O(N) for N rules", "Removes a rule of stampede protection.", "pattern"},
    {"help", 2,     kShown,    kNoKeys, kAclCache, &RulesHelp, "0.1.0", "O(1)",             "Lists the subcommands."},
    {"list", 2,     kShown,    kNoKeys, kAclCache, &RulesList, "0.1.0", "O(N) for N rules", "Lists the rules of stampede protection."},
    {"set", -3,     kChanging, kNoKeys, kAclCache, &RulesSet,  "0.1.0", "O(N) for N rules", "Adds or replaces a rule of stampede protection.",
     "pattern [LEASE lease] [WAIT wait] [GRACE grace] [BETA beta] [JITTER jitter] [DISCONNECT disconnect] [LEASES leases]"},
};

constexpr CommandSpec kStampedeRuleCommands[] = {
    {"cache.explain", 2, kReadOnly | kFast, Keys(1, 1, 1, kKeyRo | kKeyAccess), kAclCache, &CacheExplain, "0.1.0", "O(N) for N rules",
     "Tells what GET and SET do to a key under the rule that applies to it.", "key"},
    {"cache.rules",  -2, 0,                 kNoKeys, kAclNone,  nullptr,     "0.1.0", "Depends on the subcommand.",
     "Rules of stampede protection.", "", {.subcommands = kRulesSubcommands}},
    {"cache.stats",  -1, kShown,            kNoKeys, kAclCache, &CacheStats, "0.1.0", "O(N) for N rules",
     "Tells what stampede protection did, by rule.", "[RESET]", {.tips = "nondeterministic_output"}},
};
// clang-format on
static_assert(IsWellFormed(kStampedeRuleCommands));

}  // namespace

constinit const CommandFamily kStampedeRuleFamily = {"cache", kStampedeRuleCommands};

}  // namespace larder
