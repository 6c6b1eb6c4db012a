#include "commands/stampede_access.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "commands/command_context.h"
#include "commands/held_leases.h"
#include "eviction/early_refresh.h"
#include "eviction/stampede_figures.h"
#include "storage/tags.h"

namespace larder {
namespace {

using State = StampedeAnswer::State;
using std::chrono::milliseconds;

// When to ask again while somebody loads, for those who do not wait.
constexpr milliseconds kPollHint{50};

class Inquiry {
 public:
  Inquiry(CommandContext& ctx, size_t key, const StampedeDemand& demand)
      : ctx_(ctx), key_(key), demand_(demand), leases_(ctx.leases(key)) {}

  StampedeAnswer Answer(Entry* entry) {
    if (entry == nullptr) return WithoutValue();
    if (entry->type() != ValueType::kString) return {.state = State::kWrongType};
    if (!entry->has_freshness()) return {.state = State::kFresh, .entry = entry};
    const Freshness freshness = entry->freshness();
    const milliseconds fresh_for(freshness.fresh_until - ctx_.now());
    if (fresh_for.count() >= 0) return WithFresh(entry, fresh_for, freshness.load_time);
    stale_ = entry;
    if (demand_.most_stale && -fresh_for > *demand_.most_stale) return WithoutValue();
    return WithStale(entry);
  }

 private:
  StampedeAnswer WithFresh(Entry* entry, milliseconds fresh_for, milliseconds load_time) {
    const StampedeAnswer fresh{.state = State::kFresh, .entry = entry};
    if (demand_.lease.count() == 0 || !MayRefreshEarly(fresh_for, load_time, demand_.beta))
        [[likely]] {
      return fresh;
    }
    const double unit = 1 - ctx_.random().UniformDouble();
    if (!RefreshesEarly(fresh_for, load_time, demand_.beta, unit) || Record() != nullptr) {
      return fresh;
    }
    std::shared_ptr<Lease> lease = Elect(/*gets_in_line=*/false).lease;
    if (lease == nullptr) return fresh;
    figures().Count(StampedeFigures::kEarlyRefreshes);
    return {.state = State::kRefresh, .entry = entry, .lease = std::move(lease)};
  }

  StampedeAnswer WithStale(Entry* entry) {
    if (Record() == nullptr && demand_.lease.count() > 0) {
      if (std::shared_ptr<Lease> lease = Elect(/*gets_in_line=*/false).lease) {
        return {.state = State::kRefresh, .entry = entry, .lease = std::move(lease)};
      }
    }
    figures().Count(StampedeFigures::kStaleServed);
    return {.state = State::kStale, .entry = entry};
  }

  StampedeAnswer WithoutValue() {
    const LeaseTable::Record* const record = Record();
    if (record == nullptr) {
      return demand_.lease.count() == 0 ? StampedeAnswer{.state = State::kNone} : Load();
    }
    if (record->is_negative) {
      figures().Count(StampedeFigures::kNegativeServed);
      return {.state = State::kFresh};
    }
    if (record->ticket && ctx_.retrying() && demand_.lease.count() > 0) return Load();
    if (record->lease == nullptr && !record->ticket) return None(*record);
    return MayWait() ? Wait() : NotNow();
  }

  // Nobody loads, and this caller would: if it is the key's turn, or no rule says when that is.
  StampedeAnswer Load() {
    const bool may_wait = MayWait();
    LeaseTable::Election election = Elect(/*gets_in_line=*/may_wait);
    if (!election.held_back) return {.state = State::kLoad, .lease = std::move(election.lease)};
    return may_wait ? Wait() : NotNow();
  }

  LeaseTable::Record* Record() { return FindRecord(ctx_, key_, stale_, Now()); }

  // `gets_in_line`: the caller waits if its rule has as many leases out as it may.
  LeaseTable::Election Elect(bool gets_in_line) {
    LeaseTable::Election election =
        leases_.Grant(ctx_.db(), ctx_.key(key_).text,
                      {.holder = ctx_.client().id(),
                       .duration = demand_.lease,
                       .follows_connection = demand_.follows_connection,
                       .after_invalidation = ctx_.server().tags().sequence(),
                       .figures = *demand_.figures,
                       .cap = demand_.cap,
                       .gets_in_line = gets_in_line},
                      Now());
    if (election.held_back && !ctx_.retrying()) figures().Count(StampedeFigures::kHeldBack);
    if (demand_.cap != nullptr) ctx_.server().WatchLeases(demand_.cap);
    if (election.lease == nullptr) return election;
    figures().Count(StampedeFigures::kLeases);
    ctx_.server().UpdateObserved(election.lease->shard);
    std::unique_ptr<HeldLeases>& held = ctx_.client().leases;
    if (held == nullptr) held = std::make_unique<HeldLeases>();
    held->Add(election.lease, Now());
    return election;
  }

  // A connection that holds a lease is never parked: with several callers on it, it might wait for
  // what only it will send.
  bool MayWait() {
    if (demand_.wait.count() == 0 || ctx_.in_transaction()) return false;
    if (ctx_.retrying()) return true;  // It has its place in the line.
    if (ctx_.server().WaitersInAll() >= ctx_.settings().stampede_max_waiters) return false;
    if (ctx_.WaiterCount(key_) >=
        static_cast<size_t>(ctx_.settings().stampede_max_waiters_per_key)) {
      return false;
    }
    HeldLeases* const held = ctx_.client().leases.get();
    return held == nullptr || !held->AnyLeft(Now());
  }

  StampedeAnswer Wait() {
    const MonoTime began = Now();
    ctx_.WakeAtEndOfLease(key_);
    if (!ctx_.retrying()) figures().Count(StampedeFigures::kWaits);
    const std::vector<size_t> keys = {key_};
    ctx_.BlockOnKeys(
        {.deadline = began + demand_.wait,
         .on_timeout =
             [figures = *demand_.figures, reply = demand_.on_timeout](ReplyWriter& writer) {
               figures->Count(StampedeFigures::kWaitTimeouts);
               reply(writer);
             },
         .when_deleted = true},
        keys);
    return {.state = State::kWaiting};
  }

  // Nobody is elected for a while.
  StampedeAnswer None(const LeaseTable::Record& record) {
    return {.state = State::kNone, .retry = std::chrono::ceil<milliseconds>(record.until - Now())};
  }
  // Somebody loads, or the key has to wait for its turn.
  StampedeAnswer NotNow() {
    const LeaseTable::Record* const record = Record();
    const MonoTime until = record == nullptr ? MonoTime::max() : record->until;
    const auto left = std::chrono::ceil<milliseconds>(until - Now());
    return {.state = State::kNone, .retry = std::min(left, kPollHint)};
  }

  MonoTime Now() {
    if (now_ == MonoTime()) now_ = MonoNow();
    return now_;
  }

  StampedeFigures& figures() { return **demand_.figures; }

  CommandContext& ctx_;
  const size_t key_;
  const StampedeDemand& demand_;
  LeaseTable& leases_;
  const Entry* stale_ = nullptr;  // The value, if it is stale.
  MonoTime now_{};                // Read when it is first needed: a fresh value does without.
};

constexpr size_t kIncarnationDigits = 16;

}  // namespace

LeaseTable::Record* FindRecord(CommandContext& ctx, size_t key, const Entry* entry, MonoTime now) {
  LeaseTable::Record* const record = ctx.leases(key).Find(ctx.db(), ctx.key(key).text, now);
  const TagStamp* const tags = entry == nullptr ? nullptr : entry->tags();
  if (record == nullptr || record->lease == nullptr || tags == nullptr) return record;
  if (record->lease->after_invalidation >= tags->InvalidatedAt()) return record;
  VoidLease(ctx, key);
  return nullptr;
}

std::optional<milliseconds> FillWithToken(CommandContext& ctx, size_t key, std::string_view token,
                                          const TagStamp* tags) {
  const uint64_t number = ParseLeaseToken(ctx.server().incarnation(), token);
  StampedeFigures& figures = *ctx.FiguresFor(key);
  const MonoTime now = MonoNow();
  const LeaseTable::Record* const record = FindRecord(ctx, key, ctx.Peek(key), now);
  const Lease* const lease = record == nullptr ? nullptr : record->lease.get();
  const bool is_current = lease != nullptr && lease->number == number;
  if (!is_current || (tags != nullptr && tags->InvalidatedBefore() > lease->after_invalidation)) {
    if (is_current) VoidLease(ctx, key);
    figures.Count(StampedeFigures::kLateFills);
    return std::nullopt;
  }
  const auto load_time = ctx.leases(key).Fill(ctx.db(), ctx.key(key).text, number, now);
  figures.CountFill(*load_time);
  return std::chrono::round<milliseconds>(*load_time);
}

StampedeAnswer AskForValue(CommandContext& ctx, size_t key, Entry* entry,
                           const StampedeDemand& demand) {
  const StampedeAnswer answer = Inquiry(ctx, key, demand).Answer(entry);
  if (ctx.retrying() && answer.state != State::kWaiting) {
    (*demand.figures)->CountWaitServed(MonoNow() - ctx.waiting_since());
  }
  return answer;
}

void VoidLease(CommandContext& ctx, size_t key) {
  if (ctx.leases(key).Void(ctx.db(), ctx.key(key).text)) ctx.LeasesChanged(key);
}

Entry* FindOnce(CommandContext& ctx, size_t key) {
  return ctx.retrying() ? ctx.Peek(key) : ctx.Find(key);
}

std::string LeaseToken(uint64_t incarnation, uint64_t number) {
  char digits[kIncarnationDigits];
  char* const end = std::to_chars(digits, digits + sizeof(digits), incarnation, 16).ptr;
  std::string token(kIncarnationDigits - static_cast<size_t>(end - digits), '0');
  token.append(digits, end);
  token.push_back('-');
  char* const number_end = std::to_chars(digits, digits + sizeof(digits), number, 16).ptr;
  token.append(digits, number_end);
  return token;
}

uint64_t ParseLeaseToken(uint64_t incarnation, std::string_view token) {
  if (token.size() <= kIncarnationDigits + 1) return 0;
  const std::string_view digits = token.substr(kIncarnationDigits + 1);
  uint64_t number = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
  if (parsed.ec != std::errc()) return 0;
  // Spelt otherwise it is none, whatever its number.
  return LeaseToken(incarnation, number) == token ? number : 0;
}

}  // namespace larder
