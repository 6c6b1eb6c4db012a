// Gathers what INFO shows from the parts of the server, and watches the figures that only show over
// time: rates and the peak of memory.
//
// Concurrency: safe from any thread, but Sample, which one thread calls. No lock is held while a
// part of the server is asked.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "commands/memory_figures.h"
#include "server/info.h"
#include "server/lookup_history.h"
#include "server/rate_sampler.h"

namespace larder {

class Server;
class StampedeRules;
struct ThreadCounters;

class ServerInfo {
 public:
  // `server` need not be complete yet; it outlives this.
  explicit ServerInfo(Server& server);

  // The server is about to accept clients: what is allocated now is overhead.
  void NoteStartup();
  // To be called a few times a second.
  void Sample(MonoTime now);
  // All counters begin again at zero.
  void ForgetSamples() { lookups_.Clear(); }

  UnixMillis started_at() const { return started_at_; }
  ProcessMemory memory() const;
  // Allocated when the server began to accept clients; 0 before.
  int64_t startup_bytes() const { return startup_bytes_; }
  std::string Render(std::span<const std::string_view> sections,
                     const KeyspaceFigures& keyspace) const;

 private:
  static constexpr std::chrono::milliseconds kSampleEvery{100};

  struct ClientTotals;
  ClientTotals TotalClients() const;
  InfoFigures Gather(int64_t used_bytes) const;
  void GatherStats(InfoFigures& figures) const;
  LookupCounts TotalLookups() const;
  CacheFigures GatherCache() const;
  StampedeSummary GatherStampede(const StampedeRules& rules) const;
  void NotePeak(int64_t bytes) const;

  Server& server_;
  const std::string run_id_;
  const std::string replication_id_;
  const UnixMillis started_at_ = UnixMillisNow();
  int64_t startup_bytes_ = 0;
  // Only ever raised; orders nothing.
  mutable std::atomic<int64_t> peak_bytes_{0};
  MonoTime next_sample_{};
  RateSampler commands_;
  RateSampler input_bytes_;
  RateSampler output_bytes_;
  LookupHistory lookups_;
};

}  // namespace larder
