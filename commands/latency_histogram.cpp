#include "commands/latency_histogram.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace larder {

uint64_t LatencyHistogram::EndOf(size_t bucket) {
  if (bucket < kSubBuckets) return bucket + 1;
  const size_t shift = (bucket >> kSubBucketBits) - 1;
  return (kSubBuckets + (bucket & (kSubBuckets - 1)) + 1) << shift;
}

LatencyHistogram::Buckets* LatencyHistogram::Allocate() {
  auto* buckets = new Buckets();
  buckets_.store(buckets, std::memory_order_release);
  return buckets;
}

void LatencyHistogram::Clear() {
  Buckets* buckets = buckets_.load(std::memory_order_acquire);
  if (buckets == nullptr) return;
  for (Counter& bucket : *buckets) bucket.Set(0);
}

void LatencyHistogram::AddTo(std::vector<int64_t>& sums) const {
  const Buckets* buckets = buckets_.load(std::memory_order_acquire);
  if (buckets == nullptr) return;
  sums.resize(kBuckets);
  for (size_t i = 0; i < kBuckets; ++i) sums[i] += (*buckets)[i].Get();
}

int64_t LatencyPercentile(std::span<const int64_t> buckets, double percent) {
  const int64_t total = std::accumulate(buckets.begin(), buckets.end(), int64_t{0});
  if (total == 0) return 0;
  const double wanted =
      std::ceil(std::clamp(percent, 0.0, 100.0) / 100 * static_cast<double>(total));
  const int64_t rank = std::max<int64_t>(1, static_cast<int64_t>(wanted));
  int64_t seen = 0;
  for (size_t i = 0; i < buckets.size(); ++i) {
    seen += buckets[i];
    if (seen >= rank) return static_cast<int64_t>(LatencyHistogram::EndOf(i) - 1);
  }
  return 0;
}

std::vector<LatencyStep> LatencySteps(std::span<const int64_t> buckets) {
  const int64_t total = std::accumulate(buckets.begin(), buckets.end(), int64_t{0});
  std::vector<LatencyStep> steps;
  int64_t calls = 0;
  size_t bucket = 0;
  for (int bits = 10; calls < total; ++bits) {
    const uint64_t boundary = uint64_t{1} << bits;
    const int64_t before = calls;
    while (bucket < buckets.size() && LatencyHistogram::EndOf(bucket) <= boundary) {
      calls += buckets[bucket++];
    }
    if (calls == before) continue;
    // Redis names a step by the largest duration that its histogram of two significant digits does
    // not tell from the boundary, in whole microseconds: 1, 2, 4, 8, 16, 33, 66, 132, ...
    const uint64_t name = (boundary + (boundary >> 7) - 1) / 1000;
    steps.push_back({static_cast<int64_t>(name), calls});
  }
  return steps;
}

}  // namespace larder
