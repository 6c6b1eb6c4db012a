// How long one command took, as counts by duration: eight buckets to each doubling, so that a
// percentile read back is at most 12.5 % above the true one, and recording is a few instructions.
//
// Concurrency: one thread records, any thread reads (base/counter.h).
//
// The buckets (2 KB) are allocated at the first call of the command: most threads never run most
// commands.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/counter.h"

namespace larder {

class LatencyHistogram {
 public:
  // Up to 8 ns a bucket a nanosecond; from there on eight a doubling; the last takes what is longer
  // than 2^34 ns (17 s).
  static constexpr int kSubBucketBits = 3;
  static constexpr size_t kSubBuckets = size_t{1} << kSubBucketBits;
  static constexpr int kLongestBits = 34;
  static constexpr size_t kBuckets = (kLongestBits - kSubBucketBits + 1) * kSubBuckets;

  LatencyHistogram() = default;
  ~LatencyHistogram() { delete buckets_.load(std::memory_order_relaxed); }
  LatencyHistogram(const LatencyHistogram&) = delete;
  LatencyHistogram& operator=(const LatencyHistogram&) = delete;

  static size_t BucketOf(uint64_t nanoseconds) {
    if (nanoseconds < kSubBuckets) return nanoseconds;
    const auto shift = static_cast<size_t>(std::bit_width(nanoseconds)) - (kSubBucketBits + 1);
    const size_t bucket = (shift << kSubBucketBits) + (nanoseconds >> shift);
    return bucket < kBuckets ? bucket : kBuckets - 1;
  }
  // The first duration that is too long for the bucket.
  static uint64_t EndOf(size_t bucket);

  // By the owning thread alone.
  void Record(int64_t nanoseconds) {
    Buckets* buckets = buckets_.load(std::memory_order_relaxed);
    if (buckets == nullptr) [[unlikely]]
      buckets = Allocate();
    (*buckets)[BucketOf(nanoseconds > 0 ? static_cast<uint64_t>(nanoseconds) : 0)].Increment();
  }
  // Back to nothing. A call that is recorded meanwhile may survive or be lost.
  void Clear();
  // Adds the counts to `sums`, which becomes kBuckets long; leaves it alone if nothing was
  // recorded.
  void AddTo(std::vector<int64_t>& sums) const;

 private:
  using Buckets = std::array<Counter, kBuckets>;
  Buckets* Allocate();

  // Written once, by the owner; release, so that a reader finds the zeros.
  std::atomic<Buckets*> buckets_{nullptr};
};

// The duration in nanoseconds that `percent` of the calls counted in `buckets` do not exceed, as
// the end of its bucket; 0 if there are none.
int64_t LatencyPercentile(std::span<const int64_t> buckets, double percent);

// One step of LATENCY HISTOGRAM: `calls` took at most `microseconds`.
struct LatencyStep {
  int64_t microseconds;
  int64_t calls;
};
// The steps at which the count grows, at the doublings of 1,024 ns that Redis reports.
std::vector<LatencyStep> LatencySteps(std::span<const int64_t> buckets);

}  // namespace larder
