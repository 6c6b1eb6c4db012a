// The name of an entry in a stream: a time and a number within that millisecond.
//
// Concurrency: plain data.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "base/numbers.h"

namespace larder {

struct StreamId {
  uint64_t ms = 0;
  uint64_t seq = 0;

  static constexpr uint64_t kMaxPart = std::numeric_limits<uint64_t>::max();
  // "18446744073709551615-18446744073709551615"
  static constexpr size_t kMaxText = 2 * kMaxIntegerText + 1;

  static constexpr StreamId Min() { return {}; }
  static constexpr StreamId Max() { return {kMaxPart, kMaxPart}; }

  // REQUIRES: not Max().
  constexpr StreamId Next() const {
    return seq == kMaxPart ? StreamId{ms + 1, 0} : StreamId{ms, seq + 1};
  }
  // REQUIRES: not Min().
  constexpr StreamId Previous() const {
    return seq == 0 ? StreamId{ms - 1, kMaxPart} : StreamId{ms, seq - 1};
  }

  // Writes "ms-seq" and returns its length. REQUIRES: room for kMaxText.
  size_t Format(char* out) const {
    size_t size = FormatUint64(ms, out);
    out[size++] = '-';
    return size + FormatUint64(seq, out + size);
  }

  friend constexpr auto operator<=>(const StreamId&, const StreamId&) = default;
};

}  // namespace larder
