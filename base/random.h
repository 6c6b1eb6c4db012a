// A small fast generator of random numbers: xoshiro256** by Blackman and Vigna ("Scrambled linear
// pseudorandom number generators", 2018). For sampling and jitter, never for secrets: who sees a
// few outputs knows the rest.
//
// Concurrency: thread-confined; every owner has its own. The same seed gives the same numbers.
//
//   Random random(seed);
//   size_t bucket = random.Uniform(bucket_count);
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "base/check.h"

namespace larder {

class Random {
 public:
  using result_type = uint64_t;  // Satisfies UniformRandomBitGenerator, for std::shuffle.

  explicit Random(uint64_t seed) {
    // splitmix64, as its authors advise: seeds that differ in one bit must not give alike states,
    // and no seed may give the all-zero state, from which the generator never leaves.
    for (uint64_t& word : state_) {
      seed += 0x9e3779b97f4a7c15;
      uint64_t mixed = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9;
      mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
      word = mixed ^ (mixed >> 31);
    }
  }

  uint64_t Next() {
    const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  // Each of 0 .. bound-1 with the same probability. REQUIRES: bound > 0.
  uint64_t Uniform(uint64_t bound) {
    LARDER_DCHECK(bound > 0);
    // Lemire, "Fast random integer generation in an interval" (2019): the high word of a product;
    // the few low words that would favour some results are drawn again.
    auto product = static_cast<Uint128>(Next()) * bound;
    if (static_cast<uint64_t>(product) < bound) [[unlikely]] {
      const uint64_t threshold = (0 - bound) % bound;
      while (static_cast<uint64_t>(product) < threshold) {
        product = static_cast<Uint128>(Next()) * bound;
      }
    }
    return static_cast<uint64_t>(product >> 64);
  }

  // Uniform in [0, 1), 53 bits of it random.
  double UniformDouble() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

  static constexpr uint64_t min() { return 0; }
  static constexpr uint64_t max() { return ~uint64_t{0}; }
  uint64_t operator()() { return Next(); }

 private:
  __extension__ using Uint128 = unsigned __int128;

  std::array<uint64_t, 4> state_;
};

}  // namespace larder
