// How long a cached value counts as fresh, and what it cost to load: what stampede protection keeps
// with a string that somebody filled in. As an entry carries it, a word of 8 bytes:
//
//    1 bit    0; else the rest says where both stand, with the value's tags (storage/tags.h)
//   47 bits   the soft deadline in Unix milliseconds, enough until the year 6429
//   16 bits   the load time in milliseconds: a float of 4 bits of exponent and 12 of mantissa,
//             exact below 8.192 s, within 0.013 % up to its end at 37 hours
//
// Both saturate.
#pragma once

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdint>
#include <limits>

#include "base/clock.h"

namespace larder {

struct Freshness {
  static constexpr UnixMillis kAlways = std::numeric_limits<UnixMillis>::max();
  static constexpr UnixMillis kNever = 0;
  // Threads read the clock once a round, so one may be behind another. What is to be stale for all
  // of them at once has been for so long: longer than a round takes.
  static constexpr std::chrono::milliseconds kStaleForAll{1000};
  // Of a word: it is an address and no freshness.
  static constexpr uint64_t kIsElsewhere = uint64_t{1} << 63;

  // The soft deadline. At that very millisecond the value is still fresh, as with an expiry.
  UnixMillis fresh_until = kAlways;
  std::chrono::milliseconds load_time{0};

  constexpr bool StaleAt(UnixMillis now) const { return now > fresh_until; }

  constexpr uint64_t Pack() const {
    const auto deadline = static_cast<uint64_t>(std::max(fresh_until, kNever));
    return std::min(deadline, kLastDeadline) << kLoadTimeBits | PackLoadTime(load_time.count());
  }
  static constexpr Freshness Unpack(uint64_t word) {
    const uint64_t deadline = word >> kLoadTimeBits;
    return {.fresh_until = deadline == kLastDeadline ? kAlways : static_cast<UnixMillis>(deadline),
            .load_time = std::chrono::milliseconds(UnpackLoadTime(static_cast<uint16_t>(word)))};
  }

  friend bool operator==(const Freshness&, const Freshness&) = default;

 private:
  static constexpr int kLoadTimeBits = 16;
  static constexpr int kMantissaBits = 12;
  static constexpr int64_t kLeadingBit = int64_t{1} << kMantissaBits;
  static constexpr uint64_t kLastDeadline = (uint64_t{1} << (63 - kLoadTimeBits)) - 1;

  // As IEEE 754 has it: exponent 0 is that of the numbers without a leading bit, so that all codes
  // below 2 * kLeadingBit say what they are, and a mantissa that rounds up carries into the
  // exponent.
  static constexpr uint16_t PackLoadTime(int64_t ms) {
    constexpr uint16_t kLargest = UINT16_MAX;
    if (ms < 2 * kLeadingBit) return static_cast<uint16_t>(std::max<int64_t>(ms, 0));
    if (ms >= UnpackLoadTime(kLargest)) return kLargest;
    const int shift =
        static_cast<int>(std::bit_width(static_cast<uint64_t>(ms))) - kMantissaBits - 1;
    const int64_t rounded = (ms + (int64_t{1} << (shift - 1))) >> shift;
    return static_cast<uint16_t>(shift * kLeadingBit + rounded);
  }
  static constexpr int64_t UnpackLoadTime(uint16_t code) {
    if (code < 2 * kLeadingBit) return code;
    return (kLeadingBit | (code & (kLeadingBit - 1))) << ((code >> kMantissaBits) - 1);
  }
};

}  // namespace larder
