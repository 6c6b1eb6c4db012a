// What a rule would have kept: the rule over a small cache of keys without values, which sees a
// sample of the keys and has room for the same share of what the real cache holds. Its hits
// foretell those of a real cache under that rule (Waldspurger, Saemundsson, Ahmad and Park, "Cache
// Modeling and Optimization using Miniature Simulations", USENIX ATC 2017).
//
// Concurrency: as its owner's.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "eviction/window_and_main.h"

namespace larder {

class Miniature final : public Residents {
 public:
  Miniature(AdmissionRule rule, uint8_t ghost_percent) : queues_(rule, ghost_percent) {}

  const AdmissionRule& rule() const { return queues_.rule(); }

  // The key is asked for, and comes in if it is not there; then others go until `capacity` are
  // left. True if it was there.
  bool Access(KeyId id, size_t capacity);
  void Erase(KeyId id);
  // Drops every key for which keep(id) is false.
  void Thin(absl::FunctionRef<bool(KeyId)> keep);

  uint8_t* Find(KeyId id) override;
  size_t memory_bytes() const;

 private:
  absl::flat_hash_map<KeyId, uint8_t> states_;
  WindowAndMain queues_;
};

}  // namespace larder
