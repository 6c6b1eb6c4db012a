#include "server/lookup_history.h"

#include <algorithm>

#include "base/check.h"

namespace larder {

void LookupHistory::Sample(const LookupCounts& total, MonoTime now) {
  MutexLock lock(mu_);
  if (size_ > 0 && now - Latest(0).at < kEvery) return;
  ring_[next_] = {.at = now, .total = total};
  next_ = (next_ + 1) % kSamples;
  size_ = std::min(size_ + 1, kSamples);
}

void LookupHistory::Clear() {
  MutexLock lock(mu_);
  size_ = 0;
}

LookupCounts LookupHistory::Within(std::chrono::seconds window, const LookupCounts& total,
                                   MonoTime now) const {
  LARDER_DCHECK(window <= kLongestWindow);
  MutexLock lock(mu_);
  for (size_t back = 0; back < size_; ++back) {
    const Sampled& sampled = Latest(back);
    if (now - sampled.at < window) continue;
    const LookupCounts within = total - sampled.total;
    // A sample that was being taken while the totals were reset.
    if (within.hits < 0 || within.misses < 0) break;
    return within;
  }
  return total;
}

}  // namespace larder
