#include "eviction/lease_cap.h"

#include <iterator>
#include <tuple>
#include <utility>

#include "base/check.h"
#include "eviction/lease_table.h"

namespace larder {

bool LeaseCap::ByDeadline::operator()(const std::shared_ptr<const Lease>& a,
                                      const std::shared_ptr<const Lease>& b) const {
  return std::tuple(a->deadline, a.get()) < std::tuple(b->deadline, b.get());
}

LeaseCap::Turns LeaseCap::SetMost(int64_t most) {
  MutexLock lock(mu_);
  most_ = most;
  return Advance();
}

bool LeaseCap::Take(std::shared_ptr<const Lease> lease) {
  MutexLock lock(mu_);
  if (!HasPlace()) return false;
  leases_.insert(std::move(lease));
  return true;
}

std::optional<LeaseCap::Ticket> LeaseCap::TakeOrWait(std::shared_ptr<const Lease> lease) {
  MutexLock lock(mu_);
  if (!HasPlace()) {
    line_.push_back({.key = {.shard = lease->shard, .db = lease->db, .key = lease->key}});
    return std::prev(line_.end());
  }
  leases_.insert(std::move(lease));
  return std::nullopt;
}

bool LeaseCap::TakeTurn(Ticket ticket, std::shared_ptr<const Lease> lease) {
  MutexLock lock(mu_);
  if (!ticket->has_turn) return false;
  turns_.erase(ticket);
  leases_.insert(std::move(lease));
  return true;
}

bool LeaseCap::HasTurn(Ticket ticket) const {
  MutexLock lock(mu_);
  return ticket->has_turn;
}

LeaseCap::Turns LeaseCap::Leave(Ticket ticket) {
  MutexLock lock(mu_);
  (ticket->has_turn ? turns_ : line_).erase(ticket);
  return Advance();
}

LeaseCap::Turns LeaseCap::GiveBack(const std::shared_ptr<const Lease>& lease) {
  MutexLock lock(mu_);
  const size_t erased = leases_.erase(lease);
  LARDER_DCHECK(erased == 1);
  return Advance();
}

LeaseCap::Turns LeaseCap::Advance() {
  Turns turns;
  while (!line_.empty() && HasPlace()) {
    line_.front().has_turn = true;
    turns.push_back(line_.front().key);
    turns_.splice(turns_.end(), line_, line_.begin());
  }
  return turns;
}

bool LeaseCap::IsFull() const {
  MutexLock lock(mu_);
  return !HasPlace();
}

std::optional<MonoTime> LeaseCap::NextLook() {
  MutexLock lock(mu_);
  if (line_.empty() || leases_.empty()) return std::nullopt;
  const MonoTime earliest = (*leases_.begin())->deadline;
  if (earliest >= next_look_) return std::nullopt;
  next_look_ = earliest;
  return earliest;
}

std::vector<std::shared_ptr<const Lease>> LeaseCap::Overdue(MonoTime now) {
  MutexLock lock(mu_);
  if (next_look_ <= now) next_look_ = MonoTime::max();
  std::vector<std::shared_ptr<const Lease>> overdue;
  for (const std::shared_ptr<const Lease>& lease : leases_) {
    if (lease->deadline > now) break;
    overdue.push_back(lease);
  }
  return overdue;
}

}  // namespace larder
