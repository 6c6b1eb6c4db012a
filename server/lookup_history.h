// How many lookups hit and missed within the last minutes: the totals of each of the last seconds,
// of which a window takes the difference.
//
// Concurrency: guarded by its own mutex, a leaf.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"
#include "base/mutex.h"

namespace larder {

struct LookupCounts {
  int64_t hits = 0;
  int64_t misses = 0;

  int64_t total() const { return hits + misses; }
  friend LookupCounts operator-(const LookupCounts& a, const LookupCounts& b) {
    return {a.hits - b.hits, a.misses - b.misses};
  }
};

class LookupHistory {
 public:
  static constexpr std::chrono::seconds kLongestWindow{600};

  // `total` as it stands at `now`; to be called a few times a second, of which it keeps one.
  void Sample(const LookupCounts& total, MonoTime now);
  // The totals begin again at zero.
  void Clear();
  // Within the last `window`, or since the totals began if that is less long ago. `total` as it
  // stands at `now`. REQUIRES: window <= kLongestWindow.
  LookupCounts Within(std::chrono::seconds window, const LookupCounts& total, MonoTime now) const;

 private:
  static constexpr std::chrono::seconds kEvery{1};
  // One more than seconds, so that a full ring reaches back far enough.
  static constexpr size_t kSamples = kLongestWindow / kEvery + 1;

  struct Sampled {
    MonoTime at;
    LookupCounts total;
  };
  const Sampled& Latest(size_t back) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return ring_[(next_ + kSamples - 1 - back) % kSamples];
  }

  mutable Mutex mu_;
  std::array<Sampled, kSamples> ring_ ABSL_GUARDED_BY(mu_);
  size_t next_ ABSL_GUARDED_BY(mu_) = 0;
  size_t size_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace larder
