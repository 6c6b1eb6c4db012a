// The leases that a client's connection holds (eviction/lease_table.h), among others that have
// ended.
//
// Concurrency: thread-confined to the connection's thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "eviction/lease_table.h"

namespace larder {

class HeldLeases {
 public:
  // Forgets those that have ended by `now` from time to time, so that it costs O(1) on average.
  void Add(std::shared_ptr<Lease> lease, MonoTime now) {
    if (leases_.size() >= forget_at_) {
      std::erase_if(leases_, [&](const auto& held) { return !held->LiveAt(now); });
      forget_at_ = std::max(kForgetAt, 2 * leases_.size());
    }
    leases_.push_back(std::move(lease));
  }
  // Whether one is left at `now`.
  bool AnyLeft(MonoTime now) {
    while (!leases_.empty() && !leases_.back()->LiveAt(now)) leases_.pop_back();
    return !leases_.empty();
  }
  std::vector<std::shared_ptr<Lease>> TakeAll() { return std::exchange(leases_, {}); }

  size_t memory_bytes() const {
    return sizeof(*this) + leases_.capacity() * sizeof(leases_[0]) + leases_.size() * sizeof(Lease);
  }

 private:
  static constexpr size_t kForgetAt = 16;

  std::vector<std::shared_ptr<Lease>> leases_;
  size_t forget_at_ = kForgetAt;
};

}  // namespace larder
