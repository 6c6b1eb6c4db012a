// What one thread counts while it serves clients. Each thread has its own, and whoever wants a
// total adds them up, so that nothing shared is written on the path of a request.
//
// Concurrency: written by the owning thread, read by all (base/counter.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/counter.h"
#include "commands/eviction_counters.h"
#include "commands/latency_histogram.h"
#include "commands/prefix_lookups.h"

namespace larder {

struct CommandCounters {
  Counter calls;
  Counter nanoseconds;
  Counter rejected_calls;
  Counter failed_calls;
  LatencyHistogram latency;
};

struct ThreadCounters {
  explicit ThreadCounters(size_t commands) : by_command(commands) {}

  // A command has looked for a key's value.
  void CountHit(std::string_view key) {
    keyspace_hits.Increment();
    if (by_prefix.enabled()) [[unlikely]]
      by_prefix.Count(key, Lookup::kHit);
  }
  void CountMiss(std::string_view key) {
    keyspace_misses.Increment();
    if (by_prefix.enabled()) [[unlikely]]
      by_prefix.Count(key, Lookup::kMiss);
  }

  Counter connections_received;
  Counter connections_rejected;
  Counter commands_processed;
  Counter net_input_bytes;
  Counter net_output_bytes;
  Counter reads_processed;
  Counter writes_processed;
  Counter keyspace_hits;
  Counter keyspace_misses;
  Counter expired_keys;
  Counter expired_fields;  // Of hashes.
  Counter evicted_keys;
  Counter dirty;  // Changes of keys, for rdb_changes_since_last_save.
  Counter error_replies;
  Counter query_buffer_limit_disconnections;
  Counter output_buffer_limit_disconnections;
  // The longest time that this thread held a shard's lock: in processor time, and by the clock.
  Counter longest_shard_hold_ns;
  Counter longest_shard_hold_wall_ns;
  PrefixLookups by_prefix{/*seed=*/reinterpret_cast<uintptr_t>(this)};
  EvictionCounters evictions;
  std::vector<CommandCounters> by_command;  // By Command::id().

  // Any thread: from now on the figures count as zero, although their owner is yet to reset them.
  void RequestReset() { pending_resets.fetch_add(1, std::memory_order_relaxed); }
  bool reset_pending() const { return pending_resets.load(std::memory_order_relaxed) > 0; }
  // Back to nothing, but for `dirty`, which only a save takes back. By the owning thread alone.
  void Reset();

  // Written by those who request and, downwards, by the owner; orders nothing.
  std::atomic<int> pending_resets{0};
};

}  // namespace larder
