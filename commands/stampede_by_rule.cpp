#include "commands/stampede_by_rule.h"

#include <chrono>
#include <optional>

#include "eviction/early_refresh.h"
#include "eviction/lease_table.h"
#include "eviction/stampede_figures.h"
#include "eviction/stampede_rule.h"

namespace larder {
namespace {

using State = StampedeAnswer::State;
using std::chrono::milliseconds;

// What most reads stop at: a value that no rule would have anybody refresh.
bool IsSurelyFresh(const CommandContext& ctx, const Entry& entry) {
  if (!entry.has_freshness()) return true;
  const Freshness freshness = entry.freshness();
  const milliseconds fresh_for(freshness.fresh_until - ctx.now());
  return fresh_for.count() >= 0 && !MayRefreshEarly(fresh_for, freshness.load_time,
                                                    ctx.settings().stampede_rules->highest_beta());
}

StampedeDemand DemandOf(const StampedeRule& rule) {
  return {.lease = rule.lease,
          .wait = rule.wait,
          .beta = rule.beta,
          .most_stale = std::nullopt,
          .follows_connection = rule.follows_connection,
          .figures = &rule.figures,
          .cap = rule.cap,
          .on_timeout = [](ReplyWriter& reply) { reply.Null(); }};
}

// How long the value took that is now stored: since the lease, or, if nobody had one, as long as
// the value before it.
milliseconds EndLease(CommandContext& ctx, size_t key, StampedeFigures& figures) {
  const MonoTime now = MonoNow();
  LeaseTable& leases = ctx.leases(key);
  const std::string_view text = ctx.key(key).text;
  const LeaseTable::Record* const record = leases.Find(ctx.db(), text, now);
  if (record != nullptr && record->lease != nullptr) {
    const auto load_time = leases.Fill(ctx.db(), text, record->lease->number, now);
    figures.CountFill(*load_time);
    return std::chrono::round<milliseconds>(*load_time);
  }
  const Entry* const entry = ctx.Peek(key);
  return entry != nullptr && entry->has_freshness() ? entry->freshness().load_time
                                                    : milliseconds(0);
}

}  // namespace

std::optional<Found> FindStringByRule(CommandContext& ctx, size_t key, Entry*& entry) {
  entry = FindOnce(ctx, key);
  if (entry != nullptr) {
    if (entry->type() != ValueType::kString) return Found::kWrongType;
    // One who has waited is to be counted.
    if (!ctx.retrying() && IsSurelyFresh(ctx, *entry)) [[likely]]
      return Found::kValue;
  }
  const StampedeRule* const rule = ctx.settings().stampede_rules->Match(ctx.key(key).text);
  if (rule == nullptr) return entry == nullptr ? Found::kNothing : Found::kValue;
  switch (AskForValue(ctx, key, entry, DemandOf(*rule)).state) {
    case State::kWaiting:
      return std::nullopt;
    case State::kFresh:
    case State::kStale:
      return entry == nullptr ? Found::kNothing : Found::kValue;
    default:
      return Found::kNothing;
  }
}

void StoreByRule(CommandContext& ctx, size_t key, size_t value_arg, UnixMillis expiry) {
  const StampedeRule* const rule = ctx.settings().stampede_rules->Match(ctx.key(key).text);
  if (rule == nullptr) {
    ctx.SetStringFromArg(key, value_arg, expiry);
    return;
  }
  const milliseconds load_time = EndLease(ctx, key, *rule->figures);
  const int64_t life_ms = expiry - ctx.now();
  if (expiry == kNoExpiry || life_ms <= 0) {
    ctx.SetStringFromArg(key, value_arg, expiry);
    return;
  }
  const double earlier_part = rule->jitter_percent / 100 * ctx.random().UniformDouble();
  const UnixMillis soft =
      expiry - static_cast<int64_t>(static_cast<double>(life_ms) * earlier_part);
  const Freshness freshness{.fresh_until = soft, .load_time = load_time};
  ctx.SetStringFromArg(key, value_arg, soft + rule->grace.count(), &freshness);
}

}  // namespace larder
