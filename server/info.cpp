#include "server/info.h"

#include <algorithm>
#include <array>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "base/allocator.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/version.h"
#include "commands/command_table.h"
#include "commands/latency_histogram.h"
#include "commands/redis_version.h"
#include "commands/value_type_name.h"
#include "eviction/policy_name.h"

namespace larder {
namespace {

// 1023B, 1.50K, 3.20G: as Redis shortens sizes.
std::string HumanBytes(int64_t bytes) {
  if (bytes < 1024) return absl::StrCat(bytes, "B");
  constexpr std::string_view kUnits = "KMGTP";
  double amount = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  while (amount >= 1024 && unit + 1 < kUnits.size()) {
    amount /= 1024;
    ++unit;
  }
  return absl::StrFormat("%.2f%c", amount, kUnits[unit]);
}

class InfoWriter {
 public:
  void Section(std::string_view name) {
    if (!text_.empty()) text_ += "\r\n";
    absl::StrAppend(&text_, "# ", AsAbsl(name), "\r\n");
  }
  void Field(std::string_view name, int64_t value) {
    absl::StrAppend(&text_, AsAbsl(name), ":", value, "\r\n");
  }
  void Field(std::string_view name, std::string_view value) {
    absl::StrAppend(&text_, AsAbsl(name), ":", AsAbsl(value), "\r\n");
  }
  // The figure, and the same for people.
  void Bytes(std::string_view name, int64_t bytes) {
    Field(name, bytes);
    absl::StrAppend(&text_, AsAbsl(name), "_human:", HumanBytes(bytes), "\r\n");
  }
  void Fraction(std::string_view name, double value) {
    absl::StrAppend(&text_, AsAbsl(name), absl::StrFormat(":%.2f\r\n", value));
  }
  void Seconds(std::string_view name, const timeval& time) {
    absl::StrAppend(&text_, AsAbsl(name),
                    absl::StrFormat(":%d.%06d\r\n", time.tv_sec, time.tv_usec));
  }
  // The same value under several names.
  void Fields(std::span<const std::string_view> names, int64_t value) {
    for (const std::string_view name : names) Field(name, value);
  }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

struct Source {
  const InfoFigures& figures;
  const KeyspaceFigures& keyspace;
};

std::string OperatingSystem() {
  utsname name{};
  if (uname(&name) != 0) return "unknown";
  return absl::StrCat(name.sysname, " ", name.release, " ", name.machine);
}

std::string Executable() {
  char path[4096];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof(path));
  return size > 0 ? std::string(path, static_cast<size_t>(size)) : std::string();
}

void WriteServer(const Source& source, InfoWriter& out) {
  const InfoFigures::Server& server = source.figures.server;
  const int64_t now_us = UnixMicrosNow();
  out.Section("Server");
  out.Field("redis_version", kRedisVersion);
  out.Field("redis_git_sha1", "00000000");
  out.Field("redis_git_dirty", int64_t{0});
  out.Field("redis_build_id", "0");
  out.Field("redis_mode", "standalone");
  out.Field("os", OperatingSystem());
  out.Field("arch_bits", static_cast<int64_t>(8 * sizeof(void*)));
  out.Field("monotonic_clock", "POSIX clock_gettime");
  out.Field("multiplexing_api", "epoll");
  out.Field("atomicvar_api", "c11-builtin");
#if defined(__GNUC__) && !defined(__clang__)
  out.Field("gcc_version", absl::StrCat(__GNUC__, ".", __GNUC_MINOR__, ".", __GNUC_PATCHLEVEL__));
#else
  out.Field("gcc_version", "0.0.0");
#endif
  out.Field("process_id", static_cast<int64_t>(getpid()));
  out.Field("process_supervised", "no");
  out.Field("run_id", server.run_id);
  out.Field("tcp_port", static_cast<int64_t>(server.tcp_port));
  out.Field("server_time_usec", now_us);
  out.Field("uptime_in_seconds", server.uptime_seconds);
  out.Field("uptime_in_days", server.uptime_seconds / (24 * 3600));
  out.Field("hz", server.hz);
  out.Field("configured_hz", server.configured_hz);
  out.Field("lru_clock", (now_us / 1000000) & 0xffffff);
  out.Field("executable", Executable());
  out.Field("config_file", server.config_file);
  // Threads that read, run and write, all of them: not Redis's helpers of one thread.
  out.Field("io_threads_active", int64_t{server.threads > 1});
}

void WriteClients(const Source& source, InfoWriter& out) {
  const InfoFigures::Clients& clients = source.figures.clients;
  out.Section("Clients");
  out.Field("connected_clients", clients.connected);
  out.Field("cluster_connections", int64_t{0});
  out.Field("maxclients", clients.max_clients);
  out.Field("client_recent_max_input_buffer", clients.largest_input_bytes);
  out.Field("client_recent_max_output_buffer", clients.largest_output_bytes);
  out.Field("blocked_clients", clients.blocked);
  out.Field("tracking_clients", clients.tracking);
  out.Field("clients_in_timeout_table", clients.blocked_with_timeout);
  // From here on, of later versions.
  out.Field("pubsub_clients", clients.subscribed);
  out.Field("watching_clients", clients.watching);
  out.Field("total_watched_keys", source.keyspace.watched_keys);
  out.Field("total_blocking_keys", int64_t{0});
}

// What maxmemory is a share of, if it is one.
std::string_view NameOf(MemorySource source) {
  switch (source) {
    case MemorySource::kMachine:
      return "machine";
    case MemorySource::kControlGroup:
      return "cgroup";
    case MemorySource::kUnknown:
      break;
  }
  return "configured";
}

void WriteMemory(const Source& source, InfoWriter& out) {
  const InfoFigures::Memory& figures = source.figures.memory;
  const MemoryFigures memory =
      CollectMemory(figures.process, source.keyspace.keys, source.keyspace.table_bytes);
  out.Section("Memory");
  out.Bytes("used_memory", memory.used_bytes);
  out.Bytes("used_memory_rss", memory.resident_bytes);
  out.Bytes("used_memory_peak", memory.peak_bytes);
  out.Field("used_memory_peak_perc", absl::StrFormat("%.2f%%", memory.peak_percent()));
  out.Field("used_memory_overhead", memory.overhead_bytes());
  out.Field("used_memory_startup", memory.startup_bytes);
  out.Field("used_memory_dataset", memory.dataset_bytes());
  out.Field("used_memory_dataset_perc", absl::StrFormat("%.2f%%", memory.dataset_percent()));
  out.Field("allocator_allocated", static_cast<int64_t>(memory.allocator.allocated));
  out.Field("allocator_active", static_cast<int64_t>(memory.allocator.active));
  out.Field("allocator_resident", static_cast<int64_t>(memory.allocator.resident));
  out.Bytes("total_system_memory", TotalSystemMemory());
  // Scripts come later; the fields are there because tools ask for them.
  out.Field("used_memory_lua", int64_t{0});
  out.Field("used_memory_vm_eval", int64_t{0});
  out.Field("used_memory_lua_human", HumanBytes(0));
  out.Field("used_memory_scripts_eval", int64_t{0});
  out.Field("number_of_cached_scripts", int64_t{0});
  out.Field("number_of_functions", int64_t{0});
  out.Field("number_of_libraries", int64_t{0});
  out.Field("used_memory_vm_functions", int64_t{0});
  out.Bytes("used_memory_vm_total", 0);
  out.Field("used_memory_functions", int64_t{0});
  out.Bytes("used_memory_scripts", 0);
  out.Bytes("maxmemory", figures.maxmemory_bytes);
  out.Field("maxmemory_policy", figures.maxmemory_policy);
  out.Fraction("allocator_frag_ratio", memory.allocator_fragmentation_ratio());
  out.Field("allocator_frag_bytes", memory.allocator_fragmentation_bytes());
  out.Fraction("allocator_rss_ratio", memory.allocator_resident_ratio());
  out.Field("allocator_rss_bytes", memory.allocator_resident_overhead_bytes());
  out.Fraction("rss_overhead_ratio", memory.resident_overhead_ratio());
  out.Field("rss_overhead_bytes", memory.resident_overhead_bytes());
  out.Fraction("mem_fragmentation_ratio", memory.fragmentation_ratio());
  out.Field("mem_fragmentation_bytes", memory.fragmentation_bytes());
  out.Field("mem_not_counted_for_evict", figures.exempt_bytes);
  out.Field("mem_replication_backlog", int64_t{0});
  out.Field("mem_total_replication_buffers", int64_t{0});
  out.Field("mem_clients_slaves", int64_t{0});
  out.Field("mem_clients_normal", memory.client_bytes);
  out.Field("mem_cluster_links", int64_t{0});
  out.Field("mem_aof_buffer", int64_t{0});
  out.Field("mem_allocator", AllocatorName());
  out.Field("active_defrag_running", source.figures.stats.defrag_cpu_percent);
  out.Field("lazyfree_pending_objects", figures.lazyfree_pending);
  out.Field("lazyfreed_objects", figures.lazyfreed);
  out.Field("maxmemory_source", NameOf(figures.maxmemory_source));
}

void WritePersistence(const Source& source, InfoWriter& out) {
  const InfoFigures::Persistence& persistence = source.figures.persistence;
  out.Section("Persistence");
  out.Field("loading", int64_t{0});
  out.Field("async_loading", int64_t{0});
  out.Field("current_cow_peak", int64_t{0});
  out.Field("current_cow_size", int64_t{0});
  out.Field("current_cow_size_age", int64_t{0});
  out.Fraction("current_fork_perc", 0);
  out.Field("current_save_keys_processed", int64_t{0});
  out.Field("current_save_keys_total", int64_t{0});
  out.Field("rdb_changes_since_last_save", persistence.changes_since_save);
  out.Field("rdb_bgsave_in_progress", int64_t{0});
  out.Field("rdb_last_save_time", persistence.last_save_unix_seconds);
  out.Field("rdb_last_bgsave_status", "ok");
  out.Field("rdb_last_bgsave_time_sec", int64_t{-1});
  out.Field("rdb_current_bgsave_time_sec", int64_t{-1});
  out.Field("rdb_saves", int64_t{0});
  out.Field("rdb_last_cow_size", int64_t{0});
  out.Field("rdb_last_load_keys_expired", int64_t{0});
  out.Field("rdb_last_load_keys_loaded", int64_t{0});
  out.Field("aof_enabled", int64_t{0});
  out.Field("aof_rewrite_in_progress", int64_t{0});
  out.Field("aof_rewrite_scheduled", int64_t{0});
  out.Field("aof_last_rewrite_time_sec", int64_t{-1});
  out.Field("aof_current_rewrite_time_sec", int64_t{-1});
  out.Field("aof_last_bgrewrite_status", "ok");
  out.Field("aof_rewrites", int64_t{0});
  out.Field("aof_rewrites_consecutive_failures", int64_t{0});
  out.Field("aof_last_write_status", "ok");
  out.Field("aof_last_cow_size", int64_t{0});
  out.Field("module_fork_in_progress", int64_t{0});
  out.Field("module_fork_last_cow_size", int64_t{0});
}

void WriteStats(const Source& source, InfoWriter& out) {
  const InfoFigures::Stats& stats = source.figures.stats;
  out.Section("Stats");
  out.Field("total_connections_received", stats.connections_received);
  out.Field("total_commands_processed", stats.commands_processed);
  out.Field("instantaneous_ops_per_sec", static_cast<int64_t>(stats.ops_per_second));
  out.Field("total_net_input_bytes", stats.net_input_bytes);
  out.Field("total_net_output_bytes", stats.net_output_bytes);
  out.Field("total_net_repl_input_bytes", int64_t{0});
  out.Field("total_net_repl_output_bytes", int64_t{0});
  out.Fraction("instantaneous_input_kbps", stats.input_kib_per_second);
  out.Fraction("instantaneous_output_kbps", stats.output_kib_per_second);
  out.Fraction("instantaneous_input_repl_kbps", 0);
  out.Fraction("instantaneous_output_repl_kbps", 0);
  out.Field("rejected_connections", stats.connections_rejected);
  out.Field("sync_full", int64_t{0});
  out.Field("sync_partial_ok", int64_t{0});
  out.Field("sync_partial_err", int64_t{0});
  out.Field("expired_keys", stats.expired_keys);
  out.Fraction("expired_stale_perc", 0);
  out.Field("expired_time_cap_reached_count", int64_t{0});
  out.Field("expire_cycle_cpu_milliseconds", stats.expire_cycle_ms);
  out.Field("evicted_keys", stats.evicted_keys);
  out.Field("evicted_clients", stats.evicted_clients);
  out.Field("total_eviction_exceeded_time", int64_t{0});
  out.Field("current_eviction_exceeded_time", int64_t{0});
  out.Field("keyspace_hits", stats.keyspace_hits);
  out.Field("keyspace_misses", stats.keyspace_misses);
  out.Field("pubsub_channels", stats.channels);
  out.Field("pubsub_patterns", stats.patterns);
  out.Field("pubsubshard_channels", stats.shard_channels);
  out.Field("latest_fork_usec", int64_t{0});
  out.Field("total_forks", int64_t{0});
  out.Field("migrate_cached_sockets", int64_t{0});
  out.Field("slave_expires_tracked_keys", int64_t{0});
  // A key is one allocation here, or two, each looked at for itself: what is said of allocations
  // and of keys is the same.
  out.Field("active_defrag_hits", stats.defrag_moved);
  out.Field("active_defrag_misses", stats.defrag_left);
  out.Field("active_defrag_key_hits", stats.defrag_moved);
  out.Field("active_defrag_key_misses", stats.defrag_left);
  out.Field("total_active_defrag_time", stats.defrag_ms);
  out.Field("current_active_defrag_time", stats.defrag_running_ms);
  out.Field("tracking_total_keys", stats.tracked_keys);
  out.Field("tracking_total_items", stats.tracked_items);
  out.Field("tracking_total_prefixes", stats.tracked_prefixes);
  out.Field("unexpected_error_replies", int64_t{0});
  out.Field("total_error_replies", stats.error_replies);
  out.Field("dump_payload_sanitizations", int64_t{0});
  out.Field("total_reads_processed", stats.reads_processed);
  out.Field("total_writes_processed", stats.writes_processed);
  out.Field("io_threaded_reads_processed", int64_t{0});
  out.Field("io_threaded_writes_processed", int64_t{0});
  out.Field("reply_buffer_shrinks", int64_t{0});
  out.Field("reply_buffer_expands", int64_t{0});
  // From here on, of later versions.
  out.Field("expired_subkeys", stats.expired_fields);
  out.Field("evicted_scripts", int64_t{0});
  out.Field("client_query_buffer_limit_disconnections", stats.query_buffer_limit_disconnections);
  out.Field("client_output_buffer_limit_disconnections", stats.output_buffer_limit_disconnections);
  out.Field("blessed_keys", source.keyspace.blessed_keys);
}

void WriteReplication(const Source& source, InfoWriter& out) {
  out.Section("Replication");
  out.Field("role", "master");
  out.Field("connected_slaves", int64_t{0});
  out.Field("master_failover_state", "no-failover");
  out.Field("master_replid", source.figures.replication_id);
  out.Field("master_replid2", std::string(40, '0'));
  out.Field("master_repl_offset", int64_t{0});
  out.Field("second_repl_offset", int64_t{-1});
  out.Field("repl_backlog_active", int64_t{0});
  out.Field("repl_backlog_size", int64_t{1048576});
  out.Field("repl_backlog_first_byte_offset", int64_t{0});
  out.Field("repl_backlog_histlen", int64_t{0});
}

void WriteCpu(const Source&, InfoWriter& out) {
  rusage self{};
  rusage children{};
  rusage thread{};
  getrusage(RUSAGE_SELF, &self);
  getrusage(RUSAGE_CHILDREN, &children);
  getrusage(RUSAGE_THREAD, &thread);
  out.Section("CPU");
  out.Seconds("used_cpu_sys", self.ru_stime);
  out.Seconds("used_cpu_user", self.ru_utime);
  out.Seconds("used_cpu_sys_children", children.ru_stime);
  out.Seconds("used_cpu_user_children", children.ru_utime);
  // Of the thread that answers: none of Larder's threads is the main one.
  out.Seconds("used_cpu_sys_main_thread", thread.ru_stime);
  out.Seconds("used_cpu_user_main_thread", thread.ru_utime);
}

void WriteModules(const Source&, InfoWriter& out) { out.Section("Modules"); }

void WriteCommandStats(const Source& source, InfoWriter& out) {
  out.Section("Commandstats");
  for (const Command* command : source.figures.commands->all()) {
    const CommandStatistics stats = source.figures.statistics(command->id());
    if (stats.calls == 0 && stats.rejected_calls == 0 && stats.failed_calls == 0) continue;
    const double per_call =
        stats.calls > 0 ? static_cast<double>(stats.microseconds) / static_cast<double>(stats.calls)
                        : 0;
    out.Field(absl::StrCat("cmdstat_", command->full_name()),
              absl::StrFormat("calls=%d,usec=%d,usec_per_call=%.2f,rejected_calls=%d,"
                              "failed_calls=%d",
                              stats.calls, stats.microseconds, per_call, stats.rejected_calls,
                              stats.failed_calls));
  }
}

void WriteErrorStats(const Source& source, InfoWriter& out) {
  out.Section("Errorstats");
  std::vector<std::pair<std::string, int64_t>> errors = source.figures.errors;
  std::sort(errors.begin(), errors.end());
  for (const auto& [word, count] : errors) {
    out.Field(absl::StrCat("errorstat_", word), absl::StrCat("count=", count));
  }
}

void WriteLatencyStats(const Source& source, InfoWriter& out) {
  out.Section("Latencystats");
  if (!source.figures.latency_tracking) return;
  for (const Command* command : source.figures.commands->all()) {
    const std::vector<int64_t> histogram = source.figures.histogram(command->id());
    if (std::all_of(histogram.begin(), histogram.end(), [](int64_t n) { return n == 0; })) continue;
    std::string text;
    for (const double percentile : source.figures.latency_percentiles) {
      absl::StrAppendFormat(&text, "%sp%g=%.3f", text.empty() ? "" : ",", percentile,
                            static_cast<double>(LatencyPercentile(histogram, percentile)) / 1000);
    }
    out.Field(absl::StrCat("latency_percentiles_usec_", command->full_name()), text);
  }
}

void WriteCluster(const Source&, InfoWriter& out) {
  out.Section("Cluster");
  out.Field("cluster_enabled", int64_t{0});
}

void WriteKeyspace(const Source& source, InfoWriter& out) {
  out.Section("Keyspace");
  for (const DatabaseFigures& database : source.keyspace.databases) {
    out.Field(absl::StrCat("db", database.db),
              absl::StrFormat("keys=%d,expires=%d,avg_ttl=%d", database.keys,
                              database.volatile_keys, database.average_ttl_ms));
  }
}

// The share of lookups that hit, or -1, as Redis says "not known", if there was none.
void WriteLookups(std::string_view window, const LookupCounts& lookups, InfoWriter& out) {
  const std::string ratio = lookups.total() == 0
                                ? "-1"
                                : absl::StrFormat("%.4f", static_cast<double>(lookups.hits) /
                                                              static_cast<double>(lookups.total()));
  out.Field(absl::StrCat("hit_ratio_", AsAbsl(window)), ratio);
  out.Field(absl::StrCat("lookups_", AsAbsl(window)), lookups.total());
}

// The buckets in which there is something, each counting those before it too, as LATENCY HISTOGRAM
// does it.
void WriteEvictedAges(const CacheFigures& cache, InfoWriter& out) {
  std::string buckets;
  int64_t keys = 0;
  for (size_t i = 0; i < cache.evicted_by_age.size(); ++i) {
    if (cache.evicted_by_age[i] == 0) continue;
    keys += cache.evicted_by_age[i];
    absl::StrAppend(&buckets, ",le_", int64_t{1} << i, "=", keys);
  }
  if (keys == 0) return;
  out.Field("evicted_age_seconds",
            absl::StrCat("keys=", keys, ",sum=", cache.evicted_idle_seconds, buckets));
}

void WriteCache(const Source& source, InfoWriter& out) {
  const CacheFigures& cache = source.figures.cache;
  out.Section("Cache");
  WriteLookups("1m", cache.lookups_1m, out);
  WriteLookups("10m", cache.lookups_10m, out);
  WriteLookups("total", cache.lookups_total, out);
  if (!cache.queues.rule.empty()) {
    out.Field("eviction_rule", cache.queues.rule);
    out.Field("eviction_queues",
              absl::StrCat("keys=", cache.queues.residents, ",bytes=", cache.queues.memory_bytes));
  }
  out.Field("blessed_keys", source.keyspace.blessed_keys);
  out.Field("blessed_bytes", source.keyspace.blessed_bytes);
  for (size_t type = 0; type < source.keyspace.by_type.size(); ++type) {
    const TypeUsage& usage = source.keyspace.by_type[type];
    out.Field(absl::StrCat("type_", AsAbsl(ValueTypeName(static_cast<ValueType>(type)))),
              absl::StrCat("keys=", usage.keys, ",bytes=", usage.bytes));
  }
  for (size_t policy = 0; policy < cache.evictions_by_policy.size(); ++policy) {
    const CacheFigures::Evictions& evictions = cache.evictions_by_policy[policy];
    if (evictions.keys == 0) continue;
    out.Field(absl::StrCat("evicted_", AsAbsl(PolicyName(static_cast<EvictionPolicy>(policy)))),
              absl::StrCat("keys=", evictions.keys, ",bytes=", evictions.bytes));
  }
  WriteEvictedAges(cache, out);
}

// Left out while there is nothing to tell.
void WriteTimes(std::string_view name, const StampedeFigures::Histogram& times, int64_t sum_ms,
                int64_t count, InfoWriter& out) {
  if (count == 0) return;
  out.Field(name, absl::StrFormat("avg=%.2f,p50=%d,p99=%d",
                                  static_cast<double>(sum_ms) / static_cast<double>(count),
                                  StampedeFigures::QuantileBound(times, 0.5),
                                  StampedeFigures::QuantileBound(times, 0.99)));
}

void WriteStampede(const Source& source, InfoWriter& out) {
  const StampedeSummary& stampede = source.figures.stampede;
  const StampedeFigures::Totals& totals = stampede.totals;
  out.Section("Stampede");
  out.Field("stampede_rules", stampede.rules);
  out.Field("keys_loading_or_held", stampede.records);
  out.Field("waiting_clients", stampede.waiting_clients);
  for (size_t i = 0; i < StampedeFigures::kFigureCount; ++i) {
    const auto figure = static_cast<StampedeFigures::Figure>(i);
    out.Field(absl::StrReplaceAll(AsAbsl(StampedeFigures::NameOf(figure)), {{"-", "_"}}),
              totals[figure]);
  }
  out.Field("origin_loads_saved", totals.loads_saved());
  WriteTimes("load_time_ms", totals.load_times, totals.load_ms, totals[StampedeFigures::kFills],
             out);
  WriteTimes("wait_time_ms", totals.wait_times, totals.wait_ms,
             totals[StampedeFigures::kWaitsServed], out);
}

void WriteLarder(const Source& source, InfoWriter& out) {
  const InfoFigures& figures = source.figures;
  out.Section("Larder");
  out.Field("larder_version", kLarderVersion);
  out.Field("threads", figures.server.threads);
  out.Field("shards", figures.server.shards);
  out.Field("shard_bytes", source.keyspace.shard_bytes);
  out.Field("longest_shard_lock_hold_us", (figures.stats.longest_shard_hold_ns + 999) / 1000);
  out.Field("longest_shard_lock_hold_wall_us",
            (figures.stats.longest_shard_hold_wall_ns + 999) / 1000);
  out.Field("monitors", figures.clients.monitors);
  for (size_t i = 0; i < figures.clients.by_thread.size(); ++i) {
    out.Field(absl::StrCat("thread_", i, "_clients"), figures.clients.by_thread[i]);
  }
}

enum class Shown : uint8_t { kByDefault, kIfAll };

struct SectionRow {
  std::string_view name;
  Shown shown;
  void (*write)(const Source&, InfoWriter&);
};

constexpr std::array kSections = {
    SectionRow{"server", Shown::kByDefault, &WriteServer},
    SectionRow{"clients", Shown::kByDefault, &WriteClients},
    SectionRow{"memory", Shown::kByDefault, &WriteMemory},
    SectionRow{"persistence", Shown::kByDefault, &WritePersistence},
    SectionRow{"stats", Shown::kByDefault, &WriteStats},
    SectionRow{"replication", Shown::kByDefault, &WriteReplication},
    SectionRow{"cpu", Shown::kByDefault, &WriteCpu},
    SectionRow{"modules", Shown::kByDefault, &WriteModules},
    SectionRow{"commandstats", Shown::kIfAll, &WriteCommandStats},
    SectionRow{"errorstats", Shown::kByDefault, &WriteErrorStats},
    SectionRow{"latencystats", Shown::kIfAll, &WriteLatencyStats},
    SectionRow{"cluster", Shown::kByDefault, &WriteCluster},
    SectionRow{"keyspace", Shown::kByDefault, &WriteKeyspace},
    SectionRow{"cache", Shown::kByDefault, &WriteCache},
    SectionRow{"stampede", Shown::kByDefault, &WriteStampede},
    SectionRow{"larder", Shown::kByDefault, &WriteLarder},
};

bool Wanted(const SectionRow& row, std::span<const std::string_view> sections) {
  if (sections.empty()) return row.shown == Shown::kByDefault;
  for (const std::string_view section : sections) {
    if (EqualsIgnoreCase(section, row.name) || EqualsIgnoreCase(section, "all") ||
        EqualsIgnoreCase(section, "everything")) {
      return true;
    }
    if (EqualsIgnoreCase(section, "default") && row.shown == Shown::kByDefault) return true;
  }
  return false;
}

}  // namespace

std::string RenderInfo(std::span<const std::string_view> sections, const InfoFigures& figures,
                       const KeyspaceFigures& keyspace) {
  const Source source{figures, keyspace};
  InfoWriter out;
  for (const SectionRow& row : kSections) {
    if (Wanted(row, sections)) row.write(source, out);
  }
  return out.Take();
}

}  // namespace larder
