// How often clients store what they have missed: a few misses at a time are watched until a store
// comes for them, or none has for a while. Misses of one key that come together, because many
// clients want it, are one.
//
// Concurrency: as its owner's.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "base/clock.h"
#include "eviction/eviction_queues.h"

namespace larder {

class FillWatch {
 public:
  void OnMiss(KeyId id, UnixMillis now) {
    std::optional<Miss>& watched = PlaceOf(id);
    if (watched && now - watched->at < kPatienceMs) return;
    if (watched) Count(0);
    watched = Miss{.id = id, .at = now};
  }

  void OnStore(KeyId id) {
    std::optional<Miss>& watched = PlaceOf(id);
    if (!watched || watched->id != id) return;
    Count(1);
    watched.reset();
  }

  // Of misses, of late; 1 before anything has been seen.
  double filled_share() const { return filled_share_; }

 private:
  static constexpr size_t kPlaces = 64;
  static constexpr UnixMillis kPatienceMs = 2000;  // Who loads a value takes that long at most.

  struct Miss {
    KeyId id = 0;
    UnixMillis at = 0;
  };

  std::optional<Miss>& PlaceOf(KeyId id) { return watched_[id % kPlaces]; }
  void Count(double filled) {
    constexpr double kWeight = 1.0 / 32;
    filled_share_ += kWeight * (filled - filled_share_);
  }

  std::array<std::optional<Miss>, kPlaces> watched_{};
  double filled_share_ = 1;
};

}  // namespace larder
