// The latest commands that took longer than slowlog-log-slower-than.
//
// Concurrency: guarded by its own mutex, a leaf. Nobody calls Record for a command that was fast
// enough, so that the log costs nothing until it is needed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"

namespace larder {

class SlowLog {
 public:
  // More arguments, and longer ones, are cut and the cut is told: "... (2 more arguments)".
  static constexpr size_t kMostArguments = 32;
  static constexpr size_t kMostArgumentBytes = 128;

  struct Entry {
    int64_t id = 0;
    int64_t unix_seconds = 0;  // When it was logged.
    int64_t microseconds = 0;
    std::vector<std::string> args;
    std::string client_address;
    std::string client_name;
  };

  struct Occurrence {
    std::span<const std::string_view> args;
    int64_t unix_seconds = 0;
    int64_t microseconds = 0;
    std::string_view client_address;
    std::string_view client_name;
  };
  // Keeps at most `max_entries` (slowlog-max-len), the newest ones.
  void Record(const Occurrence& occurrence, int64_t max_entries);

  // Up to `count` entries, the newest first.
  std::vector<Entry> Latest(size_t count) const;
  size_t size() const;
  // Ids go on from where they were.
  void Reset();
  // For a slowlog-max-len that became smaller.
  void Trim(int64_t max_entries);

 private:
  void TrimLocked(int64_t max_entries) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  mutable Mutex mu_;
  std::deque<Entry> entries_ ABSL_GUARDED_BY(mu_);  // The newest in front.
  int64_t next_id_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace larder
