// How often stack distances of which length were seen. A bucket is a thirty-second of a power of
// two wide, and a length within one is taken to be as frequent as any other of it.
//
// Concurrency: as its owner's.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

namespace larder {

class DistanceHistogram {
 public:
  void Add(uint64_t bytes, double weight) {
    const size_t bucket = BucketOf(bytes);
    if (bucket >= weights_.size()) weights_.resize(bucket + 1);
    weights_[bucket] += weight;
  }

  // Longer than anything that is asked for: that of a key which was not there before.
  void AddInfinite(double weight) { infinite_ += weight; }

  // The weight of all that is longer than `bytes`.
  double Beyond(uint64_t bytes) const {
    const size_t bucket = BucketOf(bytes);
    if (bucket >= weights_.size()) return infinite_;
    const auto above = weights_.begin() + static_cast<std::ptrdiff_t>(bucket) + 1;
    const uint64_t end = BeginOf(bucket + 1);
    const double part =
        static_cast<double>(end - 1 - bytes) / static_cast<double>(end - BeginOf(bucket));
    return std::accumulate(above, weights_.end(), infinite_) + weights_[bucket] * part;
  }

  void Clear() {
    weights_.clear();
    infinite_ = 0;
  }
  size_t memory_bytes() const { return weights_.capacity() * sizeof(double); }

 private:
  static constexpr int kBits = 5;
  static constexpr uint64_t kPerPower = uint64_t{1} << kBits;

  // Lengths below kPerPower have a bucket each.
  static size_t BucketOf(uint64_t bytes) {
    const int shift = std::max(0, static_cast<int>(std::bit_width(bytes)) - kBits - 1);
    return static_cast<size_t>(shift) * kPerPower + (bytes >> shift);
  }
  static uint64_t BeginOf(size_t bucket) {
    const size_t shift = bucket < 2 * kPerPower ? 0 : bucket / kPerPower - 1;
    return (bucket - shift * kPerPower) << shift;
  }

  std::vector<double> weights_;
  double infinite_ = 0;
};

}  // namespace larder
