// CACHE.GET, CACHE.SET, CACHE.RELEASE, CACHE.INVALIDATE, CACHE.INFO: one caller loads, everyone
// else is served. docs/stampede.md has the grammar and the guarantees.

#include <algorithm>
#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/numbers.h"
#include "base/text.h"
#include "commands/argument_parsers.h"
#include "commands/command_context.h"
#include "commands/families.h"
#include "commands/stampede_access.h"
#include "commands/string_reply.h"
#include "eviction/stampede_figures.h"
#include "eviction/stampede_rule.h"
#include "storage/tags.h"

namespace larder {
namespace {

using State = StampedeAnswer::State;
using std::chrono::milliseconds;

constexpr milliseconds kLongestLease = std::chrono::hours(1);
constexpr milliseconds kLongestWait = std::chrono::hours(1);
constexpr milliseconds kLongestLife = std::chrono::hours(24 * 365 * 100);
constexpr double kHighestBeta = 10;
constexpr double kHighestJitter = 50;

constexpr int64_t kNoDeadline = -1;
constexpr int64_t kNoValue = -2;

// ---- Options: a word, and what follows it. Each returns false, and has replied, if it is wrong.

// The names of options that have been given, for each is taken once.
class Options {
 public:
  Options(CommandContext& ctx, size_t first) : ctx_(ctx), next_(first) {}

  // Whether there is another one; it is then word().
  bool Next() {
    if (next_ >= ctx_.argc()) return false;
    word_ = ctx_.arg(next_++);
    return true;
  }
  bool Is(std::string_view name) const { return EqualsIgnoreCase(word_, name); }

  // The option's own argument.
  bool Text(std::optional<std::string_view>& text) {
    if (text || next_ >= ctx_.argc()) return Fail(error_text::kSyntax);
    text = ctx_.arg(next_++);
    return true;
  }
  bool Time(std::optional<milliseconds>& time, milliseconds least, milliseconds most) {
    if (time || next_ >= ctx_.argc()) return Fail(error_text::kSyntax);
    const std::optional<int64_t> count = ParseInt64(ctx_.arg(next_++));
    if (!count) return Fail(error_text::kNotAnInteger);
    if (*count < least.count() || *count > most.count()) return FailRange();
    time = milliseconds(*count);
    return true;
  }
  bool Number(std::optional<double>& number, double most) {
    if (number || next_ >= ctx_.argc()) return Fail(error_text::kSyntax);
    const std::optional<double> value = ParseDouble(ctx_.arg(next_++));
    if (!value) return Fail(error_text::kNotAFloat);
    if (!(*value >= 0 && *value <= most)) return FailRange();
    number = *value;
    return true;
  }
  bool Flag(bool& flag) {
    if (flag) return Fail(error_text::kSyntax);
    flag = true;
    return true;
  }
  // The one option that may be repeated.
  bool Tag(std::vector<std::string_view>& tags) {
    if (next_ >= ctx_.argc()) return Fail(error_text::kSyntax);
    const std::string_view tag = ctx_.arg(next_++);
    if (std::find(tags.begin(), tags.end(), tag) != tags.end()) return true;
    if (tags.size() == TagTable::kMostTags) return Fail("ERR a value has at most 16 tags");
    tags.push_back(tag);
    return true;
  }
  bool Fail(std::string_view error) {
    ctx_.reply().Error(error);
    return false;
  }

 private:
  bool FailRange() {
    std::string name(word_);
    std::transform(name.begin(), name.end(), name.begin(), AsciiLower);
    std::string error = "ERR ";
    error.append(name).append(" is out of range");
    return Fail(error);
  }

  CommandContext& ctx_;
  size_t next_;
  std::string_view word_;
};

// ---- Replies.

int64_t MillisecondsLeft(UnixMillis until, UnixMillis now) { return until - now; }

int64_t TtlOf(const Entry& entry, UnixMillis now) {
  return entry.has_expiry() ? MillisecondsLeft(entry.expiry(), now) : kNoDeadline;
}

// Negative once it is stale. Nothing if it never will be.
std::optional<int64_t> FreshFor(const Entry& entry, UnixMillis now) {
  if (entry.has_freshness()) {
    const UnixMillis fresh_until = entry.freshness().fresh_until;
    if (fresh_until == Freshness::kAlways) return std::nullopt;
    return MillisecondsLeft(fresh_until, now);
  }
  if (entry.has_expiry()) return MillisecondsLeft(entry.expiry(), now);
  return std::nullopt;
}

bool IsStale(const Entry& entry, UnixMillis now) {
  return entry.has_freshness() && entry.freshness().StaleAt(now);
}

std::string_view NameOf(State state) {
  switch (state) {
    case State::kFresh:
      return "fresh";
    case State::kRefresh:
      return "refresh";
    case State::kStale:
      return "stale";
    case State::kLoad:
      return "load";
    default:
      return "none";
  }
}

void ReplyField(ReplyWriter& reply, std::string_view name, int64_t value) {
  reply.Bulk(name);
  reply.Integer(value);
}

// `entry` may be null.
void ReplyDeadlines(ReplyWriter& reply, const Entry* entry, UnixMillis now) {
  ReplyField(reply, "ttl", entry == nullptr ? kNoValue : TtlOf(*entry, now));
  const std::optional<int64_t> fresh_for = entry == nullptr ? std::nullopt : FreshFor(*entry, now);
  reply.Bulk("fresh");
  fresh_for ? reply.Integer(*fresh_for) : reply.Null();
}

void ReplyNone(ReplyWriter& reply, milliseconds retry) {
  reply.Map(6);
  reply.Bulk("state");
  reply.Bulk(NameOf(State::kNone));
  reply.Bulk("value");
  reply.Null();
  reply.Bulk("token");
  reply.Null();
  ReplyDeadlines(reply, nullptr, 0);
  ReplyField(reply, "retry", retry.count());
}

void ReplyToken(CommandContext& ctx, const StampedeAnswer& answer) {
  if (answer.lease != nullptr) {
    ctx.reply().Bulk(LeaseToken(ctx.server().incarnation(), answer.lease->number));
  } else if (answer.state == State::kLoad) {
    ctx.reply().Bulk("");  // Too many leases: the caller loads unprotected.
  } else {
    ctx.reply().Null();
  }
}

void ReplyAnswer(CommandContext& ctx, const StampedeAnswer& answer) {
  if (answer.state == State::kNone) return ReplyNone(ctx.reply(), answer.retry);
  ReplyWriter& reply = ctx.reply();
  reply.Map(6);
  reply.Bulk("state");
  reply.Bulk(NameOf(answer.state));
  reply.Bulk("value");
  if (answer.entry != nullptr) {
    StringValue value;
    answer.entry->ReadString(value);
    ReplyWithString(ctx, value);
  } else {
    reply.Null();
  }
  reply.Bulk("token");
  ReplyToken(ctx, answer);
  ReplyDeadlines(reply, answer.entry, ctx.now());
  ReplyField(reply, "retry", 0);
}

// ---- CACHE.GET

bool ParseDemand(CommandContext& ctx, StampedeDemand& demand) {
  std::optional<milliseconds> lease;
  std::optional<milliseconds> wait;
  std::optional<double> beta;
  bool keep = false;
  Options options(ctx, 2);
  while (options.Next()) {
    const bool taken = options.Is("LEASE")  ? options.Time(lease, milliseconds(1), kLongestLease)
                       : options.Is("WAIT") ? options.Time(wait, milliseconds(0), kLongestWait)
                       : options.Is("BETA") ? options.Number(beta, kHighestBeta)
                       : options.Is("MAXSTALE")
                           ? options.Time(demand.most_stale, milliseconds(0), kLongestLife)
                       : options.Is("KEEP") ? options.Flag(keep)
                                            : options.Fail(error_text::kSyntax);
    if (!taken) return false;
  }
  demand.lease = lease.value_or(milliseconds(0));
  demand.wait = wait.value_or(milliseconds(0));
  demand.beta = beta.value_or(1.0);
  demand.follows_connection = !keep;
  return true;
}

void CacheGet(CommandContext& ctx) {
  StampedeDemand demand;
  if (!ParseDemand(ctx, demand)) return;
  const StampedeRule* const rule = ctx.RuleFor(0);
  demand.figures = rule == nullptr ? &ctx.server().stampede_figures() : &rule->figures;
  if (rule != nullptr) demand.cap = rule->cap;
  demand.on_timeout = [](ReplyWriter& reply) { ReplyNone(reply, milliseconds(0)); };
  const StampedeAnswer answer = AskForValue(ctx, 0, FindOnce(ctx, 0), demand);
  if (answer.state == State::kWaiting) return;
  if (answer.state == State::kWrongType) return ctx.reply().Error(error_text::kWrongType);
  ReplyAnswer(ctx, answer);
}

// ---- CACHE.SET

struct FillOptions {
  std::optional<std::string_view> token;
  std::optional<milliseconds> soft;
  std::optional<milliseconds> hard;
  std::optional<milliseconds> grace;
  std::optional<double> jitter;
  bool negative = false;
  std::vector<std::string_view> tags;
};

bool ParseFill(CommandContext& ctx, FillOptions& fill) {
  Options options(ctx, 3);
  while (options.Next()) {
    const bool taken = options.Is("TOKEN")  ? options.Text(fill.token)
                       : options.Is("SOFT") ? options.Time(fill.soft, milliseconds(1), kLongestLife)
                       : options.Is("HARD") ? options.Time(fill.hard, milliseconds(1), kLongestLife)
                       : options.Is("GRACE")
                           ? options.Time(fill.grace, milliseconds(0), kLongestLife)
                       : options.Is("JITTER")   ? options.Number(fill.jitter, kHighestJitter)
                       : options.Is("NEGATIVE") ? options.Flag(fill.negative)
                       : options.Is("TAG")      ? options.Tag(fill.tags)
                                                : options.Fail(error_text::kSyntax);
    if (!taken) return false;
  }
  if (fill.grace && (fill.hard || !fill.soft)) return options.Fail(error_text::kSyntax);
  if (fill.hard && fill.soft && *fill.hard < *fill.soft) {
    return options.Fail("ERR the hard deadline is before the soft one");
  }
  if (fill.negative && (!ctx.arg(2).empty() || (!fill.soft && !fill.hard))) {
    return options.Fail("ERR a negative result has no value, and a time for which it holds");
  }
  return true;
}

struct Deadlines {
  UnixMillis soft = kNoExpiry;
  UnixMillis hard = kNoExpiry;
};

// When a value that is stored now is stale, and when it is gone.
Deadlines DeadlinesOf(CommandContext& ctx, const FillOptions& fill) {
  if (!fill.soft && !fill.hard) return {};
  const milliseconds soft = fill.soft ? *fill.soft : *fill.hard;
  const milliseconds hard = fill.hard.value_or(soft + fill.grace.value_or(milliseconds(0)));
  const double earlier_part = fill.jitter.value_or(0) / 100 * ctx.random().UniformDouble();
  const auto earlier = static_cast<int64_t>(static_cast<double>(soft.count()) * earlier_part);
  return {.soft = ctx.now() + soft.count() - earlier, .hard = ctx.now() + hard.count() - earlier};
}

void StoreNegative(CommandContext& ctx, const Deadlines& deadlines, TagStampPtr tags) {
  if (ctx.Erase(0, Shard::Reclaim::kNow)) ctx.Notify(kNotifyGeneric, "del", 0);
  LeaseTable& leases = ctx.leases(0);
  const std::string_view key = ctx.key(0).text;
  leases.Void(ctx.db(), key);
  leases.HoldNegative(ctx.db(), key, MonoNow() + milliseconds(deadlines.hard - ctx.now()),
                      std::move(tags));
  ctx.LeasesChanged(0);
}

void StoreValue(CommandContext& ctx, const Deadlines& deadlines, milliseconds load_time,
                TagStampPtr tags) {
  const bool stays = deadlines.soft == kNoExpiry;
  const Freshness freshness{.fresh_until = stays ? Freshness::kAlways : deadlines.soft,
                            .load_time = load_time};
  const bool has_freshness = !stays || tags != nullptr;
  Entry* const entry =
      ctx.SetStringFromArg(0, 2, deadlines.hard, has_freshness ? &freshness : nullptr);
  if (tags != nullptr) ctx.SetTags(0, entry, std::move(tags));
  ctx.Notify(kNotifyString, "set", 0);
  if (deadlines.hard != kNoExpiry) ctx.Notify(kNotifyGeneric, "expire", 0);
}

// How long the value took to load that is there now.
milliseconds KnownLoadTime(CommandContext& ctx) {
  const Entry* const entry = ctx.Peek(0);
  return entry != nullptr && entry->has_freshness() ? entry->freshness().load_time
                                                    : milliseconds(0);
}

void CacheSet(CommandContext& ctx) {
  FillOptions fill;
  if (!ParseFill(ctx, fill)) return;
  milliseconds load_time = KnownLoadTime(ctx);
  // Made once: what is compared with the lease is what the value carries, so that an invalidation
  // that comes in between makes it stale.
  TagStampPtr tags = fill.tags.empty() ? nullptr : ctx.server().tags().Stamp(fill.tags);
  // Without a token, or with the empty one of a server that has too many leases, it is a write like
  // any other.
  if (fill.token && !fill.token->empty()) {
    const std::optional<milliseconds> measured = FillWithToken(ctx, 0, *fill.token, tags.get());
    if (!measured) return ctx.reply().Null();
    load_time = *measured;
  }
  const Deadlines deadlines = DeadlinesOf(ctx, fill);
  if (fill.negative) {
    StoreNegative(ctx, deadlines, std::move(tags));
  } else {
    StoreValue(ctx, deadlines, load_time, std::move(tags));
  }
  ctx.reply().Ok();
}

// ---- CACHE.RELEASE

void CacheRelease(CommandContext& ctx) {
  std::optional<std::string_view> token;
  std::optional<milliseconds> retry;
  Options options(ctx, 2);
  while (options.Next()) {
    const bool taken = options.Is("TOKEN")   ? options.Text(token)
                       : options.Is("RETRY") ? options.Time(retry, milliseconds(0), kLongestLease)
                                             : options.Fail(error_text::kSyntax);
    if (!taken) return;
  }
  if (!token) return ctx.reply().Error(error_text::kSyntax);
  const uint64_t number = ParseLeaseToken(ctx.server().incarnation(), *token);
  const MonoTime now = MonoNow();
  LeaseTable& leases = ctx.leases(0);
  const std::string_view key = ctx.key(0).text;
  if (number == 0 || !leases.Release(ctx.db(), key, number, now)) return ctx.reply().Integer(0);
  ctx.FiguresFor(0)->Count(StampedeFigures::kLeasesReleased);
  if (retry && retry->count() > 0) leases.Hold(ctx.db(), key, now + *retry);
  ctx.LeasesChanged(0);
  ctx.reply().Integer(1);
}

// ---- CACHE.INVALIDATE

// Whether there was anything to do.
bool Invalidate(CommandContext& ctx, size_t key) {
  Entry* const entry = ctx.Peek(key);
  const bool was_fresh = entry != nullptr && !IsStale(*entry, ctx.now());
  const bool had_lease = ctx.leases(key).Void(ctx.db(), ctx.key(key).text);
  if (was_fresh) {
    const milliseconds load_time =
        entry->has_freshness() ? entry->freshness().load_time : milliseconds(0);
    ctx.SetFreshness(
        key, entry,
        {.fresh_until = ctx.now() - Freshness::kStaleForAll.count(), .load_time = load_time});
  }
  if (had_lease) ctx.LeasesChanged(key);
  return was_fresh || had_lease;
}

// Whether the request names tags and no keys. A key of that name stands alone or behind others.
bool NamesTags(std::span<const std::string_view> args) {
  return args.size() > 2 && EqualsIgnoreCase(args[1], "TAG");
}

uint32_t InvalidatedKeyFlags(std::span<const std::string_view> args) {
  return NamesTags(args) ? kKeyNotKey : kKeyRw | kKeyUpdate;
}

void InvalidateTags(CommandContext& ctx) {
  if (ctx.argc() % 2 == 0) return ctx.reply().Error(error_text::kSyntax);
  for (size_t i = 1; i < ctx.argc(); i += 2) {
    if (!EqualsIgnoreCase(ctx.arg(i), "TAG")) return ctx.reply().Error(error_text::kSyntax);
  }
  int64_t invalidated = 0;
  for (size_t i = 2; i < ctx.argc(); i += 2) {
    invalidated += ctx.server().tags().Invalidate(ctx.arg(i), ctx.now());
  }
  ctx.reply().Integer(invalidated);
}

void CacheInvalidate(CommandContext& ctx) {
  if (NamesTags(ctx.args())) return InvalidateTags(ctx);
  for (size_t key = 0; key < ctx.key_count(); ++key) {
    const Entry* const entry = ctx.Peek(key);
    if (entry != nullptr && entry->type() != ValueType::kString) {
      return ctx.reply().Error(error_text::kWrongType);
    }
  }
  int64_t invalidated = 0;
  for (size_t key = 0; key < ctx.key_count(); ++key) invalidated += Invalidate(ctx, key);
  ctx.reply().Integer(invalidated);
}

// ---- CACHE.INFO

std::string_view StateName(const Entry* entry, const LeaseTable::Record* record, UnixMillis now) {
  const bool loads = record != nullptr && record->lease != nullptr;
  if (entry == nullptr) {
    if (loads) return "filling";
    return record != nullptr && record->is_negative ? "negative" : "absent";
  }
  if (!IsStale(*entry, now)) return "fresh";
  return loads ? "stale-filling" : "stale";
}

void ReplyTags(ReplyWriter& reply, const TagStamp* tags) {
  const size_t count = tags == nullptr ? 0 : tags->size();
  reply.Array(count);
  for (size_t i = 0; i < count; ++i) reply.Bulk(tags->name(i));
}

void CacheInfo(CommandContext& ctx) {
  const Entry* const entry = ctx.Peek(0);
  if (entry != nullptr && entry->type() != ValueType::kString) {
    return ctx.reply().Error(error_text::kWrongType);
  }
  const MonoTime now = MonoNow();
  const LeaseTable::Record* const record = FindRecord(ctx, 0, entry, now);
  const Lease* const lease = record == nullptr ? nullptr : record->lease.get();
  const int64_t record_left =
      record == nullptr ? 0 : std::chrono::ceil<milliseconds>(record->until - now).count();
  const bool has_load_time =
      entry != nullptr && entry->has_freshness() && entry->freshness().load_time.count() > 0;
  const bool is_held = record != nullptr && lease == nullptr && !record->ticket;
  const StampedeRule* const rule = ctx.RuleFor(0);
  const TagStamp* const tags = entry != nullptr    ? entry->tags()
                               : record != nullptr ? record->tags.get()
                                                   : nullptr;
  ReplyWriter& reply = ctx.reply();
  reply.Map(10);
  reply.Bulk("state");
  reply.Bulk(StateName(entry, record, ctx.now()));
  ReplyDeadlines(reply, entry, ctx.now());
  ReplyField(reply, "load-time", has_load_time ? entry->freshness().load_time.count() : -1);
  ReplyField(reply, "lease", lease == nullptr ? -1 : record_left);
  ReplyField(reply, "holder", lease == nullptr ? 0 : static_cast<int64_t>(lease->holder));
  ReplyField(reply, "retry", is_held ? record_left : 0);
  ReplyField(reply, "waiters", static_cast<int64_t>(ctx.WaiterCount(0)));
  reply.Bulk("rule");
  rule == nullptr ? reply.Null() : reply.Bulk(rule->glob);
  reply.Bulk("tags");
  ReplyTags(reply, tags);
}

constexpr KeySpecs kRead = Keys(1, 1, 1, kKeyRo | kKeyAccess);
constexpr KeySpecs kWritten = Keys(1, 1, 1, kKeyOw | kKeyUpdate);
constexpr KeySpecs kChanged = Keys(1, 1, 1, kKeyRw | kKeyUpdate);
constexpr KeySpecs kAllChanged =
    Keys(1, -1, 1, kKeyRw | kKeyUpdate | kKeyVariableFlags).WithFlagsIn(&InvalidatedKeyFlags);

// clang-format off
constexpr CommandSpec kStampedeCommands[] = {
    // name               arity  flags                      keys         ACL        handler           since    cost    summary
    {"cache.get",        -2,     kReadOnly | kBlocking,     kRead,       kAclCache, &CacheGet,        "0.1.0", "O(1)",
     "Returns a value, or elects the caller to load it, or waits for whoever has been elected.",
     "key [LEASE milliseconds] [WAIT milliseconds] [BETA factor] [MAXSTALE milliseconds] [KEEP]"},
    {"cache.info",        2,     kReadOnly | kFast,         kRead,       kAclCache, &CacheInfo,       "0.1.0", "O(1)",
     "Tells the state of a key: deadlines, lease, waiters, rule.", "key"},
    {"cache.invalidate", -2,     kWrite | kFast,            kAllChanged, kAclCache, &CacheInvalidate, "0.1.0", "O(N) for N keys or tags",
     "Makes values stale, and leases void: of keys, or all under a tag.", "key ...|TAG tag [TAG tag ...]"},
    {"cache.release",    -4,     kWrite | kFast,            kChanged,    kAclCache, &CacheRelease,    "0.1.0", "O(1)",
     "Gives a lease back without a value.", "key TOKEN token [RETRY milliseconds]"},
    {"cache.set",        -3,     kWrite | kDenyOom,         kWritten,    kAclCache, &CacheSet,        "0.1.0", "O(1)",
     "Stores what has been loaded, if the lease is still good.",
     "key value [TOKEN token] [SOFT milliseconds] [HARD milliseconds|GRACE milliseconds] [JITTER percent] [NEGATIVE] [TAG tag [TAG tag ...]]"},
};
// clang-format on
static_assert(IsWellFormed(kStampedeCommands));

}  // namespace

constinit const CommandFamily kStampedeFamily = {"cache", kStampedeCommands};

}  // namespace larder
