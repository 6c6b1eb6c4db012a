// How the elements of a list are packed into nodes, by the directives list-max-listpack-size and
// list-compress-depth: as Redis does it, so that a list has the same nodes when it is serialized.
//
// Concurrency: plain data, but for the size of large elements, which is one for the process and
// safe to set and read from any thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "storage/encoding_limits.h"

namespace larder {

enum class ListEnd : uint8_t { kHead, kTail };
enum class ListSide : uint8_t { kBefore, kAfter };

// From this size on an element gets a node of its own that is no listpack. Only tests ever set it
// (DEBUG QUICKLIST-PACKED-THRESHOLD); at most kMaxLargeElementBytes, where a listpack ends.
inline constexpr size_t kMaxLargeElementBytes = size_t{1} << 30;
size_t LargeElementBytes();
void SetLargeElementBytes(size_t bytes);

struct ListPacking {
  size_t max_node_bytes = 0;
  size_t max_node_elements = 0;
  size_t compress_depth = 0;  // Nodes at either end that are never compressed; 0: none ever is.

  static ListPacking Of(const EncodingLimits& limits) {
    // A limit by number is one by size too, so that a node stays small enough to be moved about.
    constexpr int64_t kMaxElements = (1 << 15) - 1;
    constexpr int64_t kMaxDepth = (1 << 16) - 1;
    const int64_t fill = std::clamp<int64_t>(limits.list_max_listpack_size, -5, kMaxElements);
    ListPacking packing;
    packing.max_node_bytes = fill < 0 ? size_t{2048} << -fill : 8192;
    packing.max_node_elements =
        fill < 0 ? std::numeric_limits<size_t>::max() : static_cast<size_t>(fill);
    packing.compress_depth =
        static_cast<size_t>(std::clamp<int64_t>(limits.list_compress_depth, 0, kMaxDepth));
    return packing;
  }

  // Whether a listpack of `bytes` with `elements` takes one more, of `value_bytes`.
  bool Accepts(size_t bytes, size_t elements, size_t value_bytes) const {
    constexpr size_t kElementOverhead = 8;  // An estimate; Redis's.
    return value_bytes < LargeElementBytes() &&
           bytes + value_bytes + kElementOverhead <= max_node_bytes && elements < max_node_elements;
  }
  // Whether two listpacks that stand side by side may become one.
  bool AllowsMerge(size_t bytes, size_t elements) const {
    constexpr size_t kSavedBytes = 11;
    return bytes - kSavedBytes <= max_node_bytes && elements <= max_node_elements;
  }
};

}  // namespace larder
