// About how often keys were asked for of late: a count-min sketch (Cormode and Muthukrishnan, 2005)
// of 4-bit counters that are halved again and again, as in TinyLFU (Einziger, Friedman and Manes,
// "TinyLFU: A Highly Efficient Cache Admission Policy", ACM TOS 2017).
//
// A key's four counters stand in one cache line, so that counting costs one miss at most. Counters
// are halved a word at a time while others are counted, so that nobody waits for a sweep.
//
// Concurrency: as its owner's.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace larder {

class FrequencySketch {
 public:
  static constexpr uint32_t kMaxCount = 15;

  // Makes room to tell so many keys apart, and lets counts age by that number. Keeps what was
  // counted, and never shrinks.
  void Reserve(size_t keys);

  void Add(uint64_t hash);
  uint32_t Estimate(uint64_t hash) const;

  size_t memory_bytes() const { return blocks_.capacity() * sizeof(Block); }

 private:
  static constexpr int kRows = 4;
  static constexpr size_t kWords = 8;
  static constexpr size_t kCountersPerBlock = kWords * 16;
  static constexpr size_t kCountersPerKey = 8;  // At least; up to twice as many after growth.
  // Additions for each key of the room until all counters have been halved.
  static constexpr size_t kSampleFactor = 10;
  struct alignas(64) Block {
    std::array<uint64_t, kWords> words{};
  };

  // Each row has two words of the block, and 32 counters in them.
  struct Place {
    size_t word;
    int shift;
  };
  static Place PlaceOf(uint64_t hash, int row) {
    const auto bits = static_cast<uint32_t>(hash >> (row * 5)) & 31;
    return {static_cast<size_t>(row) * 2 + (bits & 1), static_cast<int>(bits >> 1) * 4};
  }
  // By the upper half, which no row uses. A power of two, so that growth can copy.
  size_t BlockOf(uint64_t hash) const { return (hash >> 32) & (blocks_.size() - 1); }
  void Grow(size_t blocks);
  void AgeOneWord();

  std::vector<Block> blocks_;
  size_t aging_word_ = 0;
  size_t additions_ = 0;  // Since the last word was halved.
  size_t additions_per_word_ = 0;
};

}  // namespace larder
