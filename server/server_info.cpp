#include "server/server_info.h"

#include <algorithm>
#include <array>
#include <sys/random.h>

#include "base/allocator.h"
#include "commands/client_info.h"
#include "commands/thread_counters.h"
#include "eviction/overhead_meter.h"
#include "eviction/stampede_rule.h"
#include "server/server.h"

namespace larder {
namespace {

// Forty hexadecimal digits that no other process has.
std::string RandomId() {
  constexpr char kDigits[] = "0123456789abcdef";
  std::array<uint8_t, 20> bytes{};
  // Never short for so few bytes; should it fail, the id is not unique but still well formed.
  static_cast<void>(getrandom(bytes.data(), bytes.size(), 0));
  std::string id;
  for (const uint8_t byte : bytes) {
    id += kDigits[byte >> 4];
    id += kDigits[byte & 15];
  }
  return id;
}

int64_t Relaxed(const std::atomic<int64_t>& value) { return value.load(std::memory_order_relaxed); }

}  // namespace

// What can only be told by looking at every client.
struct ServerInfo::ClientTotals {
  int64_t memory_bytes = 0;
  int64_t largest_input_bytes = 0;
  int64_t largest_output_bytes = 0;
  int64_t tracking = 0;
  int64_t subscribed = 0;
  int64_t watching = 0;
  int64_t monitors = 0;
};

ServerInfo::ServerInfo(Server& server)
    : server_(server), run_id_(RandomId()), replication_id_(RandomId()) {}

void ServerInfo::NoteStartup() {
  startup_bytes_ = static_cast<int64_t>(AllocatedBytes());
  NotePeak(startup_bytes_);
}

void ServerInfo::NotePeak(int64_t bytes) const {
  int64_t peak = peak_bytes_.load(std::memory_order_relaxed);
  while (bytes > peak &&
         !peak_bytes_.compare_exchange_weak(peak, bytes, std::memory_order_relaxed)) {
  }
}

void ServerInfo::Sample(MonoTime now) {
  if (now < next_sample_) return;
  next_sample_ = now + kSampleEvery;
  int64_t commands = 0;
  int64_t input_bytes = 0;
  int64_t output_bytes = 0;
  for (const auto& worker : server_.workers()) {
    commands += worker->counters().commands_processed.Get();
    input_bytes += worker->counters().net_input_bytes.Get();
    output_bytes += worker->counters().net_output_bytes.Get();
  }
  commands_.Sample(commands, now);
  input_bytes_.Sample(input_bytes, now);
  output_bytes_.Sample(output_bytes, now);
  lookups_.Sample(TotalLookups(), now);
  NotePeak(static_cast<int64_t>(AllocatedBytes()));
}

ServerInfo::ClientTotals ServerInfo::TotalClients() const {
  ClientTotals totals;
  for (const auto& client : server_.clients().All()) {
    const uint32_t flags = client->flags.load(std::memory_order_relaxed);
    totals.memory_bytes += MemoryOf(*client);
    totals.largest_input_bytes =
        std::max(totals.largest_input_bytes,
                 Relaxed(client->query_buffer_bytes) + Relaxed(client->query_buffer_free_bytes));
    totals.largest_output_bytes =
        std::max(totals.largest_output_bytes, Relaxed(client->output_bytes));
    totals.tracking += (flags & kClientTracking) != 0 ? 1 : 0;
    totals.subscribed += (flags & kClientPubSub) != 0 ? 1 : 0;
    totals.watching += client->watched_keys.load(std::memory_order_relaxed) > 0 ? 1 : 0;
    totals.monitors += (flags & kClientMonitor) != 0 ? 1 : 0;
  }
  return totals;
}

ProcessMemory ServerInfo::memory() const {
  const auto used_bytes = static_cast<int64_t>(AllocatedBytes());
  NotePeak(used_bytes);
  return {.startup_bytes = startup_bytes_,
          .peak_bytes = peak_bytes_.load(std::memory_order_relaxed),
          .client_bytes = TotalClients().memory_bytes,
          .used_bytes = used_bytes};
}

void ServerInfo::GatherStats(InfoFigures& figures) const {
  InfoFigures::Stats& stats = figures.stats;
  TextMap<int64_t> errors;
  for (const auto& worker : server_.workers()) {
    const ThreadCounters& counters = worker->counters();
    figures.persistence.changes_since_save += counters.dirty.Get();
    figures.clients.blocked += worker->blocked_clients().Get();
    figures.clients.by_thread.push_back(worker->connection_count());
    const DefragCycle::Figures& defrag = worker->defrag_figures();
    stats.defrag_moved += defrag.moved.Get();
    stats.defrag_left += defrag.left.Get();
    stats.defrag_ms += defrag.busy_ns.Get() / 1'000'000;
    stats.defrag_cpu_percent = std::max(stats.defrag_cpu_percent, defrag.cpu_percent.Get());
    if (const int64_t began_ns = defrag.began_ns.Get(); began_ns != 0) {
      const int64_t running_ns = MonoNow().time_since_epoch().count() - began_ns;
      stats.defrag_running_ms = std::max(stats.defrag_running_ms, running_ns / 1'000'000);
    }
    if (counters.reset_pending()) continue;
    stats.connections_received += counters.connections_received.Get();
    stats.connections_rejected += counters.connections_rejected.Get();
    stats.commands_processed += counters.commands_processed.Get();
    stats.net_input_bytes += counters.net_input_bytes.Get();
    stats.net_output_bytes += counters.net_output_bytes.Get();
    stats.reads_processed += counters.reads_processed.Get();
    stats.writes_processed += counters.writes_processed.Get();
    stats.keyspace_hits += counters.keyspace_hits.Get();
    stats.keyspace_misses += counters.keyspace_misses.Get();
    stats.expired_keys += counters.expired_keys.Get();
    stats.expired_fields += counters.expired_fields.Get();
    stats.evicted_keys += counters.evicted_keys.Get();
    stats.evicted_clients += counters.evicted_clients.Get();
    stats.error_replies += counters.error_replies.Get();
    stats.query_buffer_limit_disconnections += counters.query_buffer_limit_disconnections.Get();
    stats.output_buffer_limit_disconnections += counters.output_buffer_limit_disconnections.Get();
    stats.longest_shard_hold_wall_ns =
        std::max(stats.longest_shard_hold_wall_ns, counters.longest_shard_hold_wall_ns.Get());
    stats.longest_shard_hold_ns =
        std::max(stats.longest_shard_hold_ns, counters.longest_shard_hold_ns.Get());
    worker->errors().ForEach([&](std::string_view word, int64_t count) { errors[word] += count; });
  }
  figures.errors.assign(errors.begin(), errors.end());
  stats.ops_per_second = commands_.per_second();
  stats.input_kib_per_second = input_bytes_.per_second() / 1024;
  stats.output_kib_per_second = output_bytes_.per_second() / 1024;
  stats.channels = server_.pubsub_hub().ChannelCount(ChannelKind::kChannel);
  stats.patterns = server_.pubsub_hub().PatternCount();
  stats.shard_channels = server_.pubsub_hub().ChannelCount(ChannelKind::kShardChannel);
  stats.tracked_keys = server_.tracking().TrackedKeys();
  stats.tracked_items = server_.tracking().TrackedItems();
  stats.tracked_prefixes = server_.tracking().TrackedPrefixes();
}

LookupCounts ServerInfo::TotalLookups() const {
  LookupCounts total;
  for (const auto& worker : server_.workers()) {
    const ThreadCounters& counters = worker->counters();
    if (counters.reset_pending()) continue;
    total.hits += counters.keyspace_hits.Get();
    total.misses += counters.keyspace_misses.Get();
  }
  return total;
}

CacheFigures ServerInfo::GatherCache() const {
  CacheFigures cache;
  cache.queues = server_.eviction_domains().figures();
  const MonoTime now = MonoNow();
  cache.lookups_total = TotalLookups();
  cache.lookups_1m = lookups_.Within(std::chrono::seconds(60), cache.lookups_total, now);
  cache.lookups_10m = lookups_.Within(std::chrono::seconds(600), cache.lookups_total, now);
  for (const auto& worker : server_.workers()) {
    const ThreadCounters& counters = worker->counters();
    if (counters.reset_pending()) continue;
    const EvictionCounters& evictions = counters.evictions;
    for (size_t policy = 0; policy < evictions.by_policy.size(); ++policy) {
      cache.evictions_by_policy[policy].keys += evictions.by_policy[policy].keys.Get();
      cache.evictions_by_policy[policy].bytes += evictions.by_policy[policy].bytes.Get();
    }
    for (size_t age = 0; age < evictions.by_age.size(); ++age) {
      cache.evicted_by_age[age] += evictions.by_age[age].Get();
    }
    cache.evicted_idle_seconds += evictions.idle_seconds.Get();
  }
  return cache;
}

StampedeSummary ServerInfo::GatherStampede(const StampedeRules& rules) const {
  StampedeSummary stampede{
      .totals = server_.stampede_figures()->Total(),
      .rules = static_cast<int64_t>(rules.all().size()),
      .records = server_.hooks().lease_budget().used.load(std::memory_order_relaxed),
      .waiting_clients = server_.WaitersInAll()};
  for (const StampedeRule& rule : rules.all()) stampede.totals += rule.figures->Total();
  return stampede;
}

InfoFigures ServerInfo::Gather(int64_t used_bytes) const {
  const std::shared_ptr<const Config> config = server_.config_snapshot();
  const std::shared_ptr<const Settings> settings = server_.settings_snapshot();
  const ClientTotals clients = TotalClients();
  const int64_t uptime_seconds =
      std::chrono::duration_cast<std::chrono::seconds>(MonoNow() - server_.started_at()).count();

  InfoFigures figures;
  GatherStats(figures);
  figures.cache = GatherCache();
  figures.stampede = GatherStampede(*settings->stampede_rules);
  figures.server = {.config_file = server_.config_file(),
                    .run_id = run_id_,
                    .tcp_port = server_.tcp_port(),
                    .uptime_seconds = uptime_seconds,
                    .hz = config->hz,
                    .configured_hz = config->hz,
                    .threads = static_cast<int64_t>(server_.worker_count()),
                    .shards = static_cast<int64_t>(server_.keyspace().shard_count())};
  figures.clients.connected = server_.clients_connected();
  figures.clients.max_clients = config->max_clients;
  figures.clients.largest_input_bytes = clients.largest_input_bytes;
  figures.clients.largest_output_bytes = clients.largest_output_bytes;
  figures.clients.tracking = clients.tracking;
  figures.clients.subscribed = clients.subscribed;
  figures.clients.watching = clients.watching;
  figures.clients.monitors = clients.monitors;
  const std::array<std::string_view, 1> policy_name = {"maxmemory-policy"};
  const auto policy = server_.config().Get(policy_name);
  figures.memory = {
      .process = {.startup_bytes = startup_bytes_,
                  .peak_bytes = peak_bytes_.load(std::memory_order_relaxed),
                  .client_bytes = clients.memory_bytes,
                  .used_bytes = used_bytes},
      .maxmemory_bytes = settings->maxmemory_bytes,
      .maxmemory_source = config->max_memory_source,
      .exempt_bytes = OverheadMeter::ExemptBytes(),
      .maxmemory_policy = policy.empty() ? std::string() : policy[0].second,
      .lazyfree_pending = static_cast<int64_t>(server_.keyspace().lazy_free().pending()),
      .lazyfreed = static_cast<int64_t>(server_.keyspace().lazy_free().freed())};
  figures.persistence.last_save_unix_seconds = server_.last_save() / 1000;
  figures.replication_id = replication_id_;
  figures.commands = &server_.command_table();
  figures.statistics = [this](uint32_t id) { return server_.StatisticsOf(id); };
  figures.histogram = [this](uint32_t id) { return server_.HistogramOf(id); };
  figures.latency_tracking = settings->latency_tracking;
  figures.latency_percentiles = settings->latency_tracking_percentiles;
  return figures;
}

std::string ServerInfo::Render(std::span<const std::string_view> sections,
                               const KeyspaceFigures& keyspace) const {
  const auto used_bytes = static_cast<int64_t>(AllocatedBytes());
  NotePeak(used_bytes);
  const auto figures = Gather(used_bytes);
  std::string text = RenderInfo(sections, figures, keyspace);
  // What was just reported as used must never exceed the peak that a later INFO reports.
  NotePeak(static_cast<int64_t>(AllocatedBytes()));
  return text;
}

}  // namespace larder
