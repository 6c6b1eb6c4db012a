// How fast a count grows, averaged over the last samples: INFO's instantaneous_* figures.
//
// Concurrency: guarded by its own mutex, a leaf.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"
#include "base/mutex.h"

namespace larder {

class RateSampler {
 public:
  // Sixteen samples, which at ten a second is what Redis averages over, too.
  static constexpr size_t kSamples = 16;

  // `total` as it stands at `now`; to be called a few times a second.
  void Sample(int64_t total, MonoTime now) {
    MutexLock lock(mu_);
    const std::chrono::duration<double> elapsed = now - sampled_at_;
    if (has_sample_ && elapsed.count() <= 0) return;
    if (has_sample_) {
      // A total that went down was reset.
      const int64_t growth = total >= total_ ? total - total_ : 0;
      rates_[next_] = static_cast<double>(growth) / elapsed.count();
      next_ = (next_ + 1) % kSamples;
    }
    total_ = total;
    sampled_at_ = now;
    has_sample_ = true;
  }

  double per_second() const {
    MutexLock lock(mu_);
    double sum = 0;
    for (const double rate : rates_) sum += rate;
    return sum / kSamples;
  }

 private:
  mutable Mutex mu_;
  std::array<double, kSamples> rates_ ABSL_GUARDED_BY(mu_) = {};
  size_t next_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t total_ ABSL_GUARDED_BY(mu_) = 0;
  MonoTime sampled_at_ ABSL_GUARDED_BY(mu_);
  bool has_sample_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace larder
