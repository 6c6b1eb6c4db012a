// What each of a few rules would have kept: the rules over small caches of keys without values,
// which see a sample of the keys and have room for the same share of what the real cache holds.
// Their hits foretell those of a real cache under each rule (Waldspurger, Saemundsson, Ahmad and
// Park, "Cache Modeling and Optimization using Miniature Simulations", USENIX ATC 2017).
//
// The caches share one table, so that a request takes one lookup, whatever the number of rules.
//
// Concurrency: as its owner's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "eviction/window_and_main.h"

namespace larder {

class Miniatures {
 public:
  static constexpr size_t kMaxRules = 4;

  // REQUIRES: rules.size() <= kMaxRules.
  explicit Miniatures(std::span<const AdmissionRule> rules);

  // The key is asked for, and comes in where it is missing; there others go until `capacity` are
  // left. Calls hit(i) for each rule i whose cache had it.
  void Access(KeyId id, size_t capacity, absl::FunctionRef<void(size_t)> hit);
  void Erase(KeyId id);
  // Drops every key for which keep(id) is false.
  void Thin(absl::FunctionRef<bool(KeyId)> keep);
  void Clear();

  size_t memory_bytes() const;

 private:
  // The key's state in each cache. It is in the table as long as one of them has it.
  using States = std::array<uint8_t, kMaxRules>;

  static bool IsNowhere(const States& states) { return states == States{}; }
  void Insert(size_t cache, KeyId id, uint8_t& state, size_t capacity);
  void Forget(KeyId id, States& states);

  absl::flat_hash_map<KeyId, States> states_;
  std::vector<WindowAndMain> caches_;
};

}  // namespace larder
