#include "commands/latency_monitor.h"

#include <algorithm>

namespace larder {

void LatencyMonitor::Record(std::string_view event, int64_t unix_seconds, int64_t milliseconds) {
  MutexLock lock(mu_);
  Series& series = events_[event];
  series.worst_milliseconds = std::max(series.worst_milliseconds, milliseconds);
  if (series.used > 0) {
    LatencySample& newest = series.samples[(series.next + kHistory - 1) % kHistory];
    if (newest.unix_seconds == unix_seconds) {
      newest.milliseconds = std::max(newest.milliseconds, milliseconds);
      return;
    }
  }
  series.samples[series.next] = {.unix_seconds = unix_seconds, .milliseconds = milliseconds};
  series.next = (series.next + 1) % kHistory;
  series.used = std::min(series.used + 1, kHistory);
}

LatencyEvent LatencyMonitor::Read(const std::string& name, const Series& series) {
  LatencyEvent event{.name = name, .worst_milliseconds = series.worst_milliseconds};
  event.samples.reserve(series.used);
  const size_t oldest = series.next + kHistory - series.used;
  for (size_t i = 0; i < series.used; ++i) {
    event.samples.push_back(series.samples[(oldest + i) % kHistory]);
  }
  return event;
}

std::optional<LatencyEvent> LatencyMonitor::Find(std::string_view event) const {
  MutexLock lock(mu_);
  const auto found = events_.find(event);
  if (found == events_.end()) return std::nullopt;
  return Read(found->first, found->second);
}

std::vector<LatencyEvent> LatencyMonitor::All() const {
  std::vector<LatencyEvent> events;
  {
    MutexLock lock(mu_);
    for (const auto& [name, series] : events_) events.push_back(Read(name, series));
  }
  std::sort(events.begin(), events.end(),
            [](const LatencyEvent& a, const LatencyEvent& b) { return a.name < b.name; });
  return events;
}

size_t LatencyMonitor::Reset(std::span<const std::string_view> events) {
  MutexLock lock(mu_);
  if (events.empty()) {
    const size_t count = events_.size();
    events_.clear();
    return count;
  }
  size_t count = 0;
  for (const std::string_view event : events) {
    const auto found = events_.find(event);
    if (found == events_.end()) continue;
    events_.erase(found);
    ++count;
  }
  return count;
}

}  // namespace larder
