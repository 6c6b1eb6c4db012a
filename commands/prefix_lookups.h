// How many of one thread's lookups hit and missed, by the prefix of the key up to a delimiter
// ("user:" of "user:17:name"), for the prefixes that are asked for most.
//
// Bounded: at most so many prefixes are held, and no flood of ones that never come back drives out
// those that do. When all places are taken, a prefix without one takes the place of the least used
// with the probability 1 / (its lookups + 1), else it counts as "other": the randomized admission
// policy of Ben Basat, Einziger, Friedman, Luo and Waisbard (INFOCOM 2017). What gives up its place
// counts as "other" too, so that all figures together are all lookups.
//
// Concurrency: Configure, enabled, Count and Reset by the owning thread, AddTo by all. Guarded by
// its own mutex, a leaf, which nobody else wants but while figures are read.
//
//   if (lookups.enabled()) [[unlikely]] lookups.Count(key, Lookup::kHit);
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/random.h"
#include "base/text.h"

namespace larder {

enum class Lookup : uint8_t { kHit, kMiss };

struct PrefixFigures {
  int64_t hits = 0;
  int64_t misses = 0;

  int64_t lookups() const { return hits + misses; }
  void Count(Lookup lookup) { ++(lookup == Lookup::kHit ? hits : misses); }
  void Add(const PrefixFigures& more) {
    hits += more.hits;
    misses += more.misses;
  }
};

// Of all threads together.
struct PrefixTotals {
  TextMap<PrefixFigures> by_prefix;
  PrefixFigures other;  // Of prefixes that have no place.
  PrefixFigures none;   // Of keys without a delimiter where a prefix could end.
};

class PrefixLookups {
 public:
  struct Options {
    size_t max_prefixes = 0;  // 0: off.
    char delimiter = ':';
    bool operator==(const Options&) const = default;
  };
  // Longer prefixes are none.
  static constexpr size_t kLongestPrefix = 64;

  explicit PrefixLookups(uint64_t seed) : random_(seed) {}

  // Other options than before begin with no figures.
  void Configure(const Options& options);
  bool enabled() const { return enabled_; }
  // REQUIRES: enabled().
  void Count(std::string_view key, Lookup lookup);
  void Reset();

  void AddTo(PrefixTotals& totals) const;

 private:
  struct Place {
    std::string prefix;
    uint64_t weight = 0;  // Its lookups, and those of all who had the place before.
    PrefixFigures figures;
  };

  void Clear() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  PrefixFigures& FiguresOf(std::string_view prefix) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  uint32_t LightestPlace() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  bool enabled_ = false;  // The owning thread's alone.
  mutable Mutex mu_;
  Options options_ ABSL_GUARDED_BY(mu_);
  Random random_ ABSL_GUARDED_BY(mu_);
  std::vector<Place> places_ ABSL_GUARDED_BY(mu_);
  TextMap<uint32_t> place_of_ ABSL_GUARDED_BY(mu_);
  uint64_t least_ ABSL_GUARDED_BY(mu_) = 1;  // No place weighs less.
  uint32_t hand_ ABSL_GUARDED_BY(mu_) = 0;   // Where the search for the lightest place goes on.
  PrefixFigures other_ ABSL_GUARDED_BY(mu_);
  PrefixFigures none_ ABSL_GUARDED_BY(mu_);
};

}  // namespace larder
