// A size in bytes in eleven bits, to within one per cent: six of the leading bits, and how many
// follow them.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace larder {

class CoarseSize {
 public:
  static constexpr int kBits = 11;

  CoarseSize() = default;
  explicit CoarseSize(uint64_t bytes) {
    bytes = std::min(bytes, kLargest);
    if (bytes < kLeading) {
      code_ = static_cast<uint16_t>(bytes);
      return;
    }
    auto shift = static_cast<uint64_t>(std::bit_width(bytes) - std::bit_width(kLeading));
    uint64_t leading = (bytes + (uint64_t{1} << shift) / 2) >> shift;
    if (leading == 2 * kLeading) {  // Rounded up to the next power of two.
      leading = kLeading;
      ++shift;
    }
    code_ = static_cast<uint16_t>((shift + 1) * kLeading + (leading - kLeading));
  }

  static CoarseSize FromCode(uint32_t code) {
    CoarseSize size;
    size.code_ = static_cast<uint16_t>(code);
    return size;
  }
  uint32_t code() const { return code_; }

  uint64_t bytes() const {
    if (code_ < kLeading) return code_;
    return (kLeading + code_ % kLeading) << (code_ / kLeading - 1);
  }

 private:
  static constexpr uint64_t kLeading = 64;
  static constexpr uint64_t kLargest = (2 * kLeading - 1) << 30;  // The code takes all its bits.

  uint16_t code_ = 0;
};

}  // namespace larder
