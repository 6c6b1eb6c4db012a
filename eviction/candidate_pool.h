// The best candidates for eviction that this and earlier looks at random keys have met, as Redis
// keeps them: a handful of looks a time then choose nearly as well as an order of all keys.
//
// Concurrency: as its owner's.
//
//   pool.Offer(score, [&](const Name& pooled) { return pooled == name; }, [&] { return name; });
//   while (std::optional<Candidate> best = pool.TakeBest()) { ... it may have changed since }
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace larder {

template <typename Name>
class CandidatePool {
 public:
  struct Candidate {
    uint64_t score = 0;  // The higher, the sooner it goes.
    Name name;
  };

  // Takes in what `make_name` makes, unless it is there already, which `is_same` says of a name,
  // or worse than all that are. Names are made only of those that are taken in.
  template <typename IsSame, typename MakeName>
  void Offer(uint64_t score, const IsSame& is_same, const MakeName& make_name) {
    const bool is_full = pool_.size() == kSize;
    if (is_full && score <= pool_.front().score) return;
    if (std::any_of(pool_.begin(), pool_.end(),
                    [&](const Candidate& pooled) { return is_same(pooled.name); })) {
      return;
    }
    if (is_full) pool_.erase(pool_.begin());
    // Before its equals: they have waited here, and are by now better than when they came.
    const auto before = std::lower_bound(
        pool_.begin(), pool_.end(), score,
        [](const Candidate& pooled, uint64_t wanted) { return pooled.score < wanted; });
    pool_.insert(before, {.score = score, .name = make_name()});
  }

  // Nothing if there is none.
  std::optional<Candidate> TakeBest() {
    if (pool_.empty()) return std::nullopt;
    Candidate best = std::move(pool_.back());
    pool_.pop_back();
    return best;
  }

  void Clear() { pool_.clear(); }
  size_t memory_bytes() const { return pool_.capacity() * sizeof(Candidate); }

 private:
  static constexpr size_t kSize = 16;

  std::vector<Candidate> pool_;  // By ascending score.
};

}  // namespace larder
