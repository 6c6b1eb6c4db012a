// How many keys of one rule of stampede protection may be loaded at a time, whichever shards they
// are in, and in which order the others get their turn: so that what was lost together is not asked
// of the origin together.
//
// A key that may not be loaded yet gets in line. When a place becomes free, it is kept for the key
// that has waited longest, whose turn it then is: the first of its readers takes it, or, if none
// wants it any more, the key leaves the line and the turn passes on. Whoever gives a place back is
// told whose turn it is, and wakes them.
//
// Invariant: while a key is in line, no place is free.
//
// Concurrency: every function is safe from any thread. The mutex is a leaf of the lock order and is
// taken below a shard's.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"

namespace larder {

struct Lease;  // eviction/lease_table.h

class LeaseCap {
 public:
  struct WaitingKey {
    uint32_t shard = 0;
    int db = 0;
    std::string key{};

    friend bool operator==(const WaitingKey&, const WaitingKey&) = default;
  };
  // Whose turn it is now.
  using Turns = std::vector<WaitingKey>;

 private:
  struct Place {
    WaitingKey key;
    bool has_turn = false;
  };

 public:
  // A key's place in line. Good until it takes its turn or leaves.
  using Ticket = std::list<Place>::iterator;

  LeaseCap() = default;
  LeaseCap(const LeaseCap&) = delete;
  LeaseCap& operator=(const LeaseCap&) = delete;

  // 0: as many as want to. Leases that are out already stay.
  [[nodiscard]] Turns SetMost(int64_t most);

  // The lease takes a place. False if none is free.
  bool Take(std::shared_ptr<const Lease> lease);
  // The same; if none is free, its key gets in line.
  std::optional<Ticket> TakeOrWait(std::shared_ptr<const Lease> lease);
  // The lease takes the place that is kept for its key. False if it is not the key's turn.
  bool TakeTurn(Ticket ticket, std::shared_ptr<const Lease> lease);
  bool HasTurn(Ticket ticket) const;
  // The key is no longer in line; its turn, if it had one, passes on.
  [[nodiscard]] Turns Leave(Ticket ticket);
  // The lease has ended.
  [[nodiscard]] Turns GiveBack(const std::shared_ptr<const Lease>& lease);

  // Whether a key that wants to be loaded would get in line.
  bool IsFull() const;

  // A lease may end unseen, by its deadline, and somebody is in line: when whoever calls this has
  // to see to it. Nothing if nobody waits, or somebody sees to it no later already.
  std::optional<MonoTime> NextLook();
  // Those that had a deadline up to `now`.
  std::vector<std::shared_ptr<const Lease>> Overdue(MonoTime now);

 private:
  struct ByDeadline {
    bool operator()(const std::shared_ptr<const Lease>& a,
                    const std::shared_ptr<const Lease>& b) const;
  };

  bool HasPlace() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return most_ == 0 || static_cast<int64_t>(leases_.size() + turns_.size()) < most_;
  }
  // Gives free places to those in line.
  Turns Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  mutable Mutex mu_;
  int64_t most_ ABSL_GUARDED_BY(mu_) = 0;
  std::set<std::shared_ptr<const Lease>, ByDeadline> leases_ ABSL_GUARDED_BY(mu_);
  std::list<Place> line_ ABSL_GUARDED_BY(mu_);   // Who has waited longest first.
  std::list<Place> turns_ ABSL_GUARDED_BY(mu_);  // Called, and not come yet.
  MonoTime next_look_ ABSL_GUARDED_BY(mu_) = MonoTime::max();
};

}  // namespace larder
