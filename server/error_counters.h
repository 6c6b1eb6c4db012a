// How often one thread replied with an error, by code word: INFO errorstats.
//
// Concurrency: counted by the owning thread, read by all. Errors are off the fast path, so a lock
// of its own (a leaf) is cheap enough.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/mutex.h"
#include "base/text.h"

namespace larder {

class ErrorCounters {
 public:
  // `error` as it was sent: its first word counts. Past kMostWords different words, a client that
  // makes them up is counted under one.
  void Count(std::string_view error) {
    std::string_view word = error.substr(0, error.find(' '));
    MutexLock lock(mu_);
    if (counts_.size() >= kMostWords && !counts_.contains(word)) word = "ERRORSTATS_DISABLED";
    ++counts_[word];
  }

  template <typename Visit>
  void ForEach(Visit visit) const {
    MutexLock lock(mu_);
    for (const auto& [word, count] : counts_) visit(std::string_view(word), count);
  }

  void Reset() {
    MutexLock lock(mu_);
    counts_.clear();
  }

 private:
  static constexpr size_t kMostWords = 128;
  mutable Mutex mu_;
  TextMap<int64_t> counts_ ABSL_GUARDED_BY(mu_);
};

}  // namespace larder
