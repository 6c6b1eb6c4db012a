// Which events took longer than latency-monitor-threshold, and when: LATENCY HISTORY, LATEST, GRAPH
// and DOCTOR.
//
// Concurrency: guarded by its own mutex, a leaf. Nobody calls Record for what was fast enough, so
// that monitoring costs nothing until it has something to say.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/text.h"

namespace larder {

// The names of events are those of Redis; what Larder does not do (fork, AOF) never happens yet.
namespace latency_event {
inline constexpr std::string_view kCommand = "command";
inline constexpr std::string_view kFastCommand = "fast-command";  // Of O(1) or O(log N).
inline constexpr std::string_view kExpireCycle = "expire-cycle";
inline constexpr std::string_view kEvictionCycle = "eviction-cycle";
inline constexpr std::string_view kEvictionDelete = "eviction-del";
}  // namespace latency_event

struct LatencySample {
  int64_t unix_seconds = 0;
  int64_t milliseconds = 0;
};

struct LatencyEvent {
  std::string name;
  int64_t worst_milliseconds = 0;      // Of all time, samples that are forgotten included.
  std::vector<LatencySample> samples;  // The oldest first; never empty.
};

class LatencyMonitor {
 public:
  // How many samples of an event are kept. Two in one second are one, the longer.
  static constexpr size_t kHistory = 160;

  void Record(std::string_view event, int64_t unix_seconds, int64_t milliseconds);

  std::optional<LatencyEvent> Find(std::string_view event) const;
  std::vector<LatencyEvent> All() const;  // By name.

  // How many of these were there to be forgotten; no names mean all events.
  size_t Reset(std::span<const std::string_view> events);

 private:
  struct Series {
    std::array<LatencySample, kHistory> samples{};
    size_t next = 0;  // The oldest once all are used.
    size_t used = 0;
    int64_t worst_milliseconds = 0;
  };
  static LatencyEvent Read(const std::string& name, const Series& series);

  mutable Mutex mu_;
  TextMap<Series> events_ ABSL_GUARDED_BY(mu_);
};

}  // namespace larder
