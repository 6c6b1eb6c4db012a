// Keys in the order of their last use, each with its bytes, and how many bytes have been used since
// a key was: its stack distance (Mattson, Gecsei, Slutz and Traiger, "Evaluation techniques for
// storage hierarchies", IBM Systems Journal 1970). A cache that evicts what was used longest ago
// still has a key if, and only if, it has room for the key and for all that was used since.
//
// Every use takes the next place in a row; a Fenwick tree adds up the bytes of places (Bennett and
// Kruskal, "LRU stack processing", IBM Journal of Research and Development 1975). When the row is
// full it is packed, so a use takes O(log keys) on average, and a key about 50 bytes.
//
// Concurrency: as its owner's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "base/clock.h"
#include "eviction/eviction_queues.h"

namespace larder {

class RecencyStack {
 public:
  struct Key {
    KeyId id = 0;
    uint64_t bytes = 0;       // Below kGone.
    UnixMillis expiry = 0;    // Kept for the owner,
    bool was_filled = false;  // and so is this.
  };

  // Null if it is not there. Valid until the next change.
  const Key* Find(KeyId id) const;
  // The bytes of all keys that were used after it. REQUIRES: it is there.
  uint64_t BytesSince(KeyId id) const;
  uint64_t bytes() const { return bytes_; }  // Of all keys.
  size_t size() const { return places_.size(); }
  bool empty() const { return places_.empty(); }

  // The key becomes the last one used, and has these bytes from now on.
  void Use(const Key& key);
  // Nothing happens if it is not there.
  void Erase(KeyId id);
  // REQUIRES: !empty().
  void EraseOldest();
  void EraseIf(absl::FunctionRef<bool(const Key&)> is_unwanted);

  size_t memory_bytes() const;

 private:
  static constexpr uint64_t kGone = ~uint64_t{0};

  static bool IsGone(const Key& key) { return key.bytes == kGone; }
  void EraseAt(size_t place);
  // Drops the places of keys that have gone, and makes room for more.
  void Pack();
  void RebuildSums();
  // Adds to the sum of a place; what is taken off is added as its complement.
  void AddAt(size_t place, uint64_t bytes);
  uint64_t BytesUpTo(size_t place) const;

  absl::flat_hash_map<KeyId, uint32_t> places_;
  std::vector<Key> row_;        // By last use, with those that have gone.
  std::vector<uint64_t> sums_;  // The tree: as many as places, and one.
  uint64_t bytes_ = 0;
  size_t oldest_ = 0;  // No place before it has a key.
};

}  // namespace larder
