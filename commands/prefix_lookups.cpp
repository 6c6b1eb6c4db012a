#include "commands/prefix_lookups.h"

#include <algorithm>

#include "base/check.h"

namespace larder {

void PrefixLookups::Configure(const Options& options) {
  MutexLock lock(mu_);
  if (options == options_) return;
  options_ = options;
  enabled_ = options.max_prefixes > 0;
  Clear();
}

void PrefixLookups::Reset() {
  MutexLock lock(mu_);
  Clear();
}

void PrefixLookups::Clear() {
  places_.clear();
  places_.shrink_to_fit();
  place_of_ = {};
  least_ = 1;
  hand_ = 0;
  other_ = {};
  none_ = {};
}

void PrefixLookups::Count(std::string_view key, Lookup lookup) {
  LARDER_DCHECK(enabled_);
  MutexLock lock(mu_);
  const size_t end = key.substr(0, kLongestPrefix).find(options_.delimiter);
  PrefixFigures& figures = end == key.npos ? none_ : FiguresOf(key.substr(0, end + 1));
  figures.Count(lookup);
}

PrefixFigures& PrefixLookups::FiguresOf(std::string_view prefix) {
  if (const auto found = place_of_.find(prefix); found != place_of_.end()) {
    Place& place = places_[found->second];
    ++place.weight;
    return place.figures;
  }
  if (places_.size() < options_.max_prefixes) {
    place_of_.emplace(prefix, static_cast<uint32_t>(places_.size()));
    return places_.emplace_back(Place{.prefix = std::string(prefix), .weight = 1, .figures = {}})
        .figures;
  }
  if (random_.Uniform(least_ + 1) != 0) return other_;
  const uint32_t index = LightestPlace();
  Place& place = places_[index];
  other_.Add(place.figures);
  place_of_.erase(place.prefix);
  place_of_.emplace(prefix, index);
  place = {.prefix = std::string(prefix), .weight = place.weight + 1, .figures = {}};
  return place.figures;
}

// Weights only grow, so whoever is as light as the least can be is the lightest; a hand that goes
// round finds them one after the other, and only when there is none left has the least risen.
uint32_t PrefixLookups::LightestPlace() {
  for (;;) {
    for (size_t looked = 0; looked < places_.size(); ++looked) {
      hand_ = (hand_ + 1) % static_cast<uint32_t>(places_.size());
      if (places_[hand_].weight <= least_) return hand_;
    }
    least_ = std::min_element(places_.begin(), places_.end(), [](const Place& a, const Place& b) {
               return a.weight < b.weight;
             })->weight;
  }
}

void PrefixLookups::AddTo(PrefixTotals& totals) const {
  MutexLock lock(mu_);
  for (const Place& place : places_) totals.by_prefix[place.prefix].Add(place.figures);
  totals.other.Add(other_);
  totals.none.Add(none_);
}

}  // namespace larder
