#include "benchmarks/eviction/frequency_sketch.h"

namespace larder {

void FrequencySketch::Reserve(size_t keys) {
  const size_t wanted = std::bit_ceil(keys * kCountersPerKey / kCountersPerBlock + 1);
  if (wanted > blocks_.size()) Grow(wanted);
  additions_per_word_ = std::max<size_t>(1, kSampleFactor * keys / (blocks_.size() * kWords));
}

void FrequencySketch::Grow(size_t wanted) {
  const size_t old_size = blocks_.size();
  std::vector<Block> grown(wanted);
  // A key's block in the larger table has the same low bits: what was counted is found there.
  for (size_t i = 0; old_size > 0 && i < wanted; ++i) grown[i] = blocks_[i & (old_size - 1)];
  blocks_.swap(grown);
}

void FrequencySketch::Add(uint64_t hash) {
  if (blocks_.empty()) return;
  Block& block = blocks_[BlockOf(hash)];
  const uint32_t count = Estimate(hash);
  if (count < kMaxCount) {
    // Only the smallest counters grow ("conservative update"): the others are too high already.
    for (int row = 0; row < kRows; ++row) {
      const Place place = PlaceOf(hash, row);
      uint64_t& word = block.words[place.word];
      if ((word >> place.shift & kMaxCount) == count) word += uint64_t{1} << place.shift;
    }
  }
  if (++additions_ >= additions_per_word_) AgeOneWord();
}

uint32_t FrequencySketch::Estimate(uint64_t hash) const {
  if (blocks_.empty()) return 0;
  const Block& block = blocks_[BlockOf(hash)];
  uint32_t least = kMaxCount;
  for (int row = 0; row < kRows; ++row) {
    const Place place = PlaceOf(hash, row);
    const auto count = static_cast<uint32_t>(block.words[place.word] >> place.shift) & kMaxCount;
    least = std::min(least, count);
  }
  return least;
}

void FrequencySketch::AgeOneWord() {
  constexpr uint64_t kAllButTopBits = 0x7777777777777777;
  additions_ = 0;
  uint64_t& word = blocks_[aging_word_ / kWords].words[aging_word_ % kWords];
  word = word >> 1 & kAllButTopBits;
  if (++aging_word_ == blocks_.size() * kWords) aging_word_ = 0;
}

}  // namespace larder
