// INFO's text: Redis's sections, field names and order, then a section of Larder's own.
//
// Rendering knows no threads: the server gathers its figures first (summing what each thread has
// counted), then hands them over.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "commands/eviction_counters.h"
#include "commands/keyspace_figures.h"
#include "commands/memory_figures.h"
#include "commands/services.h"
#include "eviction/eviction_domains.h"
#include "eviction/stampede_figures.h"
#include "server/lookup_history.h"
#include "server/machine_memory.h"

namespace larder {

class CommandTable;

// How well the cache does its work.
struct CacheFigures {
  LookupCounts lookups_1m;
  LookupCounts lookups_10m;
  LookupCounts lookups_total;

  struct Evictions {
    int64_t keys = 0;
    int64_t bytes = 0;
  };
  std::array<Evictions, EvictionCounters::kPolicies> evictions_by_policy = {};
  // As EvictionCounters counts.
  std::array<int64_t, EvictionCounters::kAges> evicted_by_age = {};
  int64_t evicted_idle_seconds = 0;
  EvictionDomains::Figures queues;
};

// What stampede protection does, over all rules and what no rule applies to.
struct StampedeSummary {
  StampedeFigures::Totals totals;
  int64_t rules = 0;
  int64_t records = 0;  // As LeaseBudget counts.
  int64_t waiting_clients = 0;
};

struct InfoFigures {
  struct Server {
    std::string config_file;  // Absolute; empty if there is none.
    std::string run_id;       // 40 hexadecimal digits, new at each start.
    int tcp_port = 0;
    int64_t uptime_seconds = 0;
    int64_t hz = 10;
    int64_t configured_hz = 10;
    int64_t threads = 1;
    int64_t shards = 1;
  } server;

  struct Clients {
    int64_t connected = 0;
    int64_t max_clients = 0;
    int64_t largest_input_bytes = 0;
    int64_t largest_output_bytes = 0;
    int64_t blocked = 0;
    int64_t blocked_with_timeout = 0;
    int64_t tracking = 0;
    int64_t subscribed = 0;
    int64_t watching = 0;
    int64_t monitors = 0;
    std::vector<int64_t> by_thread;
  } clients;

  struct Memory {
    ProcessMemory process;
    int64_t maxmemory_bytes = 0;
    MemorySource maxmemory_source = MemorySource::kUnknown;
    int64_t exempt_bytes = 0;  // Of clients' buffers: not counted against maxmemory.
    std::string maxmemory_policy = "noeviction";
    int64_t lazyfree_pending = 0;
    int64_t lazyfreed = 0;
  } memory;

  struct Persistence {
    int64_t changes_since_save = 0;
    int64_t last_save_unix_seconds = 0;
  } persistence;

  struct Stats {
    int64_t connections_received = 0;
    int64_t connections_rejected = 0;
    int64_t commands_processed = 0;
    int64_t net_input_bytes = 0;
    int64_t net_output_bytes = 0;
    double ops_per_second = 0;
    double input_kib_per_second = 0;
    double output_kib_per_second = 0;
    int64_t reads_processed = 0;
    int64_t writes_processed = 0;
    int64_t keyspace_hits = 0;
    int64_t keyspace_misses = 0;
    int64_t expired_keys = 0;
    int64_t expired_fields = 0;
    int64_t evicted_keys = 0;
    int64_t evicted_clients = 0;
    int64_t expire_cycle_ms = 0;
    int64_t defrag_moved = 0;
    int64_t defrag_left = 0;
    int64_t defrag_ms = 0;
    int64_t defrag_running_ms = 0;   // For how long the longest pass under way has been.
    int64_t defrag_cpu_percent = 0;  // Of the busiest thread; 0: none is at it.
    int64_t channels = 0;
    int64_t patterns = 0;
    int64_t shard_channels = 0;
    int64_t tracked_keys = 0;
    int64_t tracked_items = 0;
    int64_t tracked_prefixes = 0;
    int64_t error_replies = 0;
    int64_t query_buffer_limit_disconnections = 0;
    int64_t output_buffer_limit_disconnections = 0;
    int64_t longest_shard_hold_ns = 0;
    int64_t longest_shard_hold_wall_ns = 0;
  } stats;

  CacheFigures cache;
  StampedeSummary stampede;

  std::string replication_id;  // 40 hexadecimal digits.
  // By code word; any order.
  std::vector<std::pair<std::string, int64_t>> errors;

  // For commandstats and latencystats; asked only if these sections are wanted.
  const CommandTable* commands = nullptr;
  std::function<CommandStatistics(uint32_t command_id)> statistics;
  std::function<std::vector<int64_t>(uint32_t command_id)> histogram;
  bool latency_tracking = true;
  std::vector<double> latency_percentiles = {50, 99, 99.9};
};

// `sections` as INFO got them, in any case; none means "default". Names that are none are ignored.
std::string RenderInfo(std::span<const std::string_view> sections, const InfoFigures& figures,
                       const KeyspaceFigures& keyspace);

}  // namespace larder
