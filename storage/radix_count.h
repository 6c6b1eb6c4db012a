// How many nodes a path-compressed radix tree over 16-byte keys has. Redis holds the nodes of a
// stream in such a tree and XINFO STREAM shows their number; Larder holds them otherwise and only
// keeps count.
//
// In such a tree every key ends in a leaf; every prefix behind which keys differ is a node; and so
// is every run of bytes between two of those, if it is not empty. The edge out of a prefix takes
// one byte, which belongs to the node of the prefix.
//
// Concurrency: plain functions.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "storage/stream_id.h"

namespace larder {

// How many bytes two IDs have in common from the front, as big-endian keys.
inline int CommonPrefix(StreamId a, StreamId b) {
  if (a.ms != b.ms) return std::countl_zero(a.ms ^ b.ms) / 8;
  return a.seq == b.seq ? 16 : 8 + std::countl_zero(a.seq ^ b.seq) / 8;
}

// By how many nodes a tree over the keys of the ordered map `keys` grows when `key`, which is not
// among them, is added. O(log n).
template <typename Map>
size_t RadixNodesFor(const Map& keys, StreamId key) {
  constexpr int kKeyBytes = 16;
  if (keys.empty()) return 1;  // A run and a leaf, but the empty tree has a node too.

  const auto at = keys.lower_bound(key);
  const int before = at == keys.begin() ? -1 : CommonPrefix(std::prev(at)->first, key);
  const int behind = at == keys.end() ? -1 : CommonPrefix(at->first, key);
  // Here the key's path leaves those of the others.
  const int depth = before > behind ? before : behind;
  const size_t leaf_and_run = depth < kKeyBytes - 1 ? 2 : 1;

  // The keys that share the path up to here.
  const auto bits_from = [](uint64_t part, int from) {
    return from >= 8 ? part : part & ~(StreamId::kMaxPart >> (8 * from));
  };
  const auto bits_up = [](uint64_t part, int from) {
    return from >= 8 ? part : part | (StreamId::kMaxPart >> (8 * from));
  };
  const int in_seq = depth < 8 ? 0 : depth - 8;
  const auto first =
      keys.lower_bound(StreamId{bits_from(key.ms, depth), bits_from(key.seq, in_seq)});
  const auto end = keys.upper_bound(StreamId{bits_up(key.ms, depth), bits_up(key.seq, in_seq)});
  const auto last = std::prev(end);
  const int below = CommonPrefix(first->first, last->first);
  if (below == depth) return leaf_and_run;  // They part here already.

  // They go on in one run, from behind the last parting above to the next below; it is cut in two
  // and gets a node between.
  int above = -1;
  if (first != keys.begin()) above = CommonPrefix(std::prev(first)->first, key);
  if (end != keys.end()) {
    const int other = CommonPrefix(end->first, key);
    if (other > above) above = other;
  }
  const size_t upper_run = depth - above - 1 > 0 ? 1 : 0;
  const size_t lower_run = below - depth - 1 > 0 ? 1 : 0;
  return leaf_and_run + 1 + upper_run + lower_run - 1;
}

}  // namespace larder
