#include "tests/wire/stampede_history.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace larder {
namespace {

constexpr Nanoseconds kNever = RequestSpan::kNever;
using Outcome = KeyHistory::Use::Outcome;

// The greatest of the values that were noted before a given time. Add all, then Sort, then ask.
class GreatestBefore {
 public:
  void Add(Nanoseconds at, int64_t value) { values_.emplace_back(at, value); }
  void Sort() {
    std::sort(values_.begin(), values_.end());
    for (size_t i = 1; i < values_.size(); ++i) {
      values_[i].second = std::max(values_[i].second, values_[i - 1].second);
    }
  }
  int64_t operator()(Nanoseconds time, int64_t otherwise) const {
    const auto next = std::lower_bound(values_.begin(), values_.end(),
                                       std::pair(time, std::numeric_limits<int64_t>::min()));
    return next == values_.begin() ? otherwise : std::prev(next)->second;
  }

 private:
  std::vector<std::pair<Nanoseconds, int64_t>> values_;
};

// The earliest of the times that were noted after a given one.
class EarliestAfter {
 public:
  void Add(Nanoseconds at, Nanoseconds value) { mirrored_.Add(-at, -value); }
  void Sort() { mirrored_.Sort(); }
  Nanoseconds operator()(Nanoseconds time) const { return -mirrored_(-time, -kNever); }

 private:
  GreatestBefore mirrored_;
};

class Checker {
 public:
  Checker(const KeyHistory& history, Nanoseconds slack) : history_(history), slack_(slack) {}

  std::vector<std::string> Run() {
    Prepare();
    CheckUses();
    CheckGrants();
    CheckReads();
    CheckVainWaits();
    return std::move(violations_);
  }

 private:
  struct Lease {
    const KeyHistory::Grant* grant = nullptr;
    std::vector<const KeyHistory::Use*> uses;
    Nanoseconds may_end = 0;   // Not before.
    Nanoseconds must_end = 0;  // By then at the latest, but for uses of its token.
  };

  void Report(std::string what, const RequestSpan& span) {
    what.append(" (sent ").append(std::to_string(span.sent));
    what.append(", received ").append(std::to_string(span.received)).append(")");
    violations_.push_back(std::move(what));
  }

  void Prepare() {
    for (const KeyHistory::Mutation& mutation : history_.mutations) {
      may_void_.Add(mutation.span.received, mutation.span.sent);
      if (mutation.span.received != kNever)
        must_void_.Add(mutation.span.sent, mutation.span.received);
    }
    // Whoever is elected later is so because the lease before has ended.
    for (const KeyHistory::Grant& grant : history_.grants) {
      must_void_.Add(grant.span.sent, grant.span.received);
    }
    may_void_.Sort();
    must_void_.Sort();
    for (const KeyHistory::Grant& grant : history_.grants) {
      Lease& lease = leases_[grant.token];
      if (lease.grant != nullptr) Report("token given out twice: " + grant.token, grant.span);
      lease.grant = &grant;
    }
    for (const KeyHistory::Use& use : history_.uses) leases_[use.token].uses.push_back(&use);
    for (auto& [token, lease] : leases_) {
      if (lease.grant != nullptr) FindEnd(lease);
    }
  }

  void FindEnd(Lease& lease) {
    const KeyHistory::Grant& grant = *lease.grant;
    lease.may_end = std::min({grant.span.sent + grant.lease, grant.closed,
                              std::max(may_void_(grant.span.sent), grant.span.sent)});
    for (const KeyHistory::Use* use : lease.uses) {
      if (use->outcome != Outcome::kRefused)
        lease.may_end = std::min(lease.may_end, use->span.sent);
    }
    lease.must_end = std::min(grant.span.received + grant.lease, must_void_(grant.span.received));
  }

  void CheckUses() {
    for (const auto& [token, lease] : leases_) {
      int accepted = 0;
      for (const KeyHistory::Use* use : lease.uses) {
        if (lease.grant == nullptr) {
          Report("a token was used that nobody was given: " + token, use->span);
        } else if (use->outcome == Outcome::kAccepted) {
          if (++accepted == 2) Report("a token was accepted twice: " + token, use->span);
          if (use->span.sent > lease.must_end) {
            Report("a token was accepted after it was void: " + token, use->span);
          }
        } else if (use->outcome == Outcome::kRefused && use->span.received < lease.may_end) {
          Report("a token was refused for no reason: " + token, use->span);
        }
      }
    }
  }

  void CheckGrants() {
    std::vector<const Lease*> in_order;
    for (const auto& [token, lease] : leases_) {
      if (lease.grant != nullptr) in_order.push_back(&lease);
    }
    const auto known_at = [](const Lease* lease) { return lease->grant->span.received; };
    std::sort(in_order.begin(), in_order.end(), [&](const Lease* left, const Lease* right) {
      return known_at(left) < known_at(right);
    });
    for (size_t i = 0; i < in_order.size(); ++i) {
      const Lease& lease = *in_order[i];
      for (size_t j = i + 1; j < in_order.size() && known_at(in_order[j]) < lease.may_end; ++j) {
        // Whichever of the two came first, it cannot have ended before the other was granted.
        if (in_order[j]->may_end <= known_at(in_order[i])) continue;
        Report("two leases at a time: " + lease.grant->token + " and " + in_order[j]->grant->token,
               in_order[j]->grant->span);
      }
    }
  }

  void CheckReads() {
    GreatestBefore removed;   // No older value at all.
    GreatestBefore outdated;  // No older one that is fresh.
    for (const KeyHistory::Mutation& mutation : history_.mutations) {
      const auto version = static_cast<int64_t>(mutation.version);
      if (version == 0 || mutation.span.received == kNever) continue;
      (mutation.removes ? removed : outdated).Add(mutation.span.received, version);
    }
    // Each value was read from the origin after the one before had been stored.
    GreatestBefore seen;
    for (const KeyHistory::Read& read : history_.reads) {
      seen.Add(read.span.received, static_cast<int64_t>(read.version));
    }
    removed.Sort();
    outdated.Sort();
    seen.Sort();
    std::set<uint64_t> stored;
    for (const KeyHistory::Use& use : history_.uses) {
      if (use.outcome != Outcome::kRefused) stored.insert(use.fill);
    }
    for (const KeyHistory::Read& read : history_.reads) {
      const auto version = static_cast<int64_t>(read.version);
      const Nanoseconds sent = read.span.sent;
      if (version < removed(sent, 0)) Report("a value older than its removal was seen", read.span);
      if (read.fresh && version < outdated(sent, 0)) {
        Report("a value older than its invalidation was seen as fresh", read.span);
      }
      if (version < seen(sent, 0)) Report("a value was seen after a newer one", read.span);
      if (!stored.contains(read.fill)) Report("a value was seen that was refused", read.span);
    }
  }

  void CheckVainWaits() {
    GreatestBefore loading_until;
    for (const auto& [token, lease] : leases_) {
      if (lease.grant == nullptr) continue;
      Nanoseconds end = lease.must_end;
      for (const KeyHistory::Use* use : lease.uses) {
        if (use->outcome == Outcome::kAccepted) end = std::min(end, use->span.received);
      }
      loading_until.Add(lease.grant->span.sent, end);
    }
    loading_until.Sort();
    for (const KeyHistory::VainWait& wait : history_.vain_waits) {
      if (loading_until(wait.span.received, 0) >= wait.span.received - slack_) continue;
      Report("somebody was left waiting while nobody loaded", wait.span);
    }
  }

  const KeyHistory& history_;
  const Nanoseconds slack_;
  EarliestAfter may_void_;   // By when it was received: from when it may have been.
  EarliestAfter must_void_;  // By when it was sent: by when it has been.
  std::map<std::string, Lease> leases_;
  std::vector<std::string> violations_;
};

}  // namespace

std::vector<std::string> Violations(const KeyHistory& history, Nanoseconds slack) {
  return Checker(history, slack).Run();
}

}  // namespace larder
