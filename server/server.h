// The process: configuration, keyspace, threads, listeners, and everything that commands may ask of
// them.
//
// Concurrency: built and ended on the main thread, which also runs the listeners and the signals.
// What commands call (Services) and what dispatchers call (Environment) is safe from any thread;
// the members behind it are immutable after Start or guarded by mutexes of their own.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "commands/command_table.h"
#include "commands/latency_monitor.h"
#include "commands/services.h"
#include "commands/settings.h"
#include "commands/slow_log.h"
#include "eviction/miss_ratio_curve.h"
#include "net/listener.h"
#include "server/client_budget.h"
#include "server/client_directory.h"
#include "server/config_store.h"
#include "server/dispatcher.h"
#include "server/monitor_feed.h"
#include "server/pubsub_hub.h"
#include "server/server_info.h"
#include "server/shard_hooks.h"
#include "server/tracking_table.h"
#include "server/worker.h"
#include "storage/keyspace.h"

namespace larder {

class Server : public Services, public Dispatcher::Environment {
 public:
  // `config` is loaded already and outlives the server.
  explicit Server(ConfigStore& config);
  ~Server() override;

  // Opens the listeners and starts the threads.
  absl::Status Start();
  // Accepts connections until a signal or SHUTDOWN, then ends everything in order.
  void Run();
  // Makes Run return; any thread, also before Run.
  void Stop();

  // ---- Services.
  Keyspace& keyspace() override { return keyspace_; }
  const CommandTable& command_table() const override { return commands_; }
  ClientDirectory& clients() override { return directory_; }
  PubSub& pubsub() override { return pubsub_; }
  ClientTracking& tracking() override { return tracking_; }
  void TrimTracking(int64_t max_keys) { tracking_.Trim(keyspace_, max_keys); }
  ConfigAccess& config() override { return *config_access_; }
  SlowLog& slow_log() override { return slow_log_; }
  LatencyMonitor& latency_monitor() override { return latency_monitor_; }
  MissRatioCurve& miss_ratio_curve() override { return miss_ratio_curve_; }
  WatchTable& watches(uint32_t shard_id) override { return hooks_.watches(shard_id); }
  void WakeWaiters(uint32_t shard_id, int db) override { hooks_.WakeWaiters(shard_id, db); }
  void WakeWaitersOf(uint32_t shard_id, int db, std::string_view key) override {
    hooks_.WakeWaitersOf(shard_id, db, key);
  }
  void WakeWaitersAt(MonoTime when, uint32_t shard_id, int db, std::string_view key) override;
  void WatchLeases(const std::shared_ptr<LeaseCap>& cap) override;
  size_t WaitersOf(uint32_t shard_id, int db, std::string_view key) override;
  int64_t WaitersInAll() const override { return hooks_.waiting().load(std::memory_order_relaxed); }
  LeaseTable& leases(uint32_t shard_id) override { return hooks_.leases(shard_id); }
  TagTable& tags() override { return hooks_.tags(); }
  uint64_t incarnation() const override { return incarnation_; }
  const std::shared_ptr<StampedeFigures>& stampede_figures() const override {
    return stampede_figures_;
  }
  void UpdateObserved(uint32_t shard_id) override;
  std::vector<int64_t> HistogramOf(uint32_t command_id) const override;
  void ResetHistogram(uint32_t command_id) override;
  std::string Info(std::span<const std::string_view> sections,
                   const KeyspaceFigures& keyspace) override {
    return info_.Render(sections, keyspace);
  }
  ProcessMemory process_memory() const override { return info_.memory(); }
  CommandStatistics StatisticsOf(uint32_t command_id) const override;
  void ResetStatistics() override;
  void SetMonitor(Client& client, bool on) override;
  bool RequestShutdown(const ShutdownOptions& options) override;
  bool AbortShutdown() override;
  void SetActiveExpiry(bool enabled) override;
  void PauseCron(bool paused) override;
  void LogWarning(std::string_view line) override;
  int tcp_port() const override { return tcp_port_.load(std::memory_order_relaxed); }
  MonoTime started_at() const override { return started_at_; }
  void AddPrefixLookups(PrefixTotals& totals) const override;
  UnixMillis last_save() const override { return info_.started_at(); }

  // ---- Dispatcher::Environment.
  bool monitored() const override { return monitors_.active(); }
  void FeedMonitors(const Client& client, const Command& command,
                    std::span<const std::string_view> args) override;
  bool Paused(const Client& client, const Command& command) const override;
  std::string_view RefusedByProtection(const Client& client, const Command& command) override;
  void RememberReads(Client& client, CommandContext& context) override {
    tracking_.RememberReads(client, context);
  }
  void TellOfEvicted(Client& client) override { tracking_.TellOfHeld(client); }
  bool HoldsData() const override { return paused(); }
  void AfterTrackedCommand(Client& client, const Command* command) override {
    tracking_.AfterCommand(client, command);
  }
  void SendBroadcasts() override { tracking_.SendBroadcasts(); }
  void EndWait(const ClientRecord& client, WaitResult result) override {
    directory_.EndWait(client, std::move(result));
  }
  void NoteDuration(const Client& client, const Command& command,
                    std::span<const std::string_view> args, int64_t nanoseconds) override;

  // ---- For INFO.
  std::span<const std::unique_ptr<Worker>> workers() const { return workers_; }
  PubSubHub& pubsub_hub() { return pubsub_; }
  std::string config_file() const { return config_store_.config_file(); }

  // ---- For workers.
  ServerInfo& info() { return info_; }
  // Tells the miss-ratio curve, if it is on, what of the memory no key gets. Looks at every shard.
  void NoteOverhead();
  ClientBudget& client_budget() { return client_budget_; }
  uint32_t worker_count() const { return worker_count_; }
  ShardHooks& hooks() { return hooks_; }
  EvictionDomains& eviction_domains() { return eviction_domains_; }
  // Takes over what the configuration says now.
  void RefreshSettings();
  // To be called once in a while: a container may have been given another limit.
  void FollowMachineMemory();
  // Grows when the snapshots below have changed.
  uint64_t config_version() const { return settings_version_.load(std::memory_order_acquire); }
  std::shared_ptr<const Config> config_snapshot() const;
  std::shared_ptr<const Settings> settings_snapshot() const;
  int64_t clients_connected() const { return static_cast<int64_t>(directory_.size()); }
  std::shared_ptr<ClientRecord> RegisterClient(const AcceptedSocket& socket, uint32_t worker);
  // The connection is gone: nothing of its client stays behind.
  void ForgetClient(Client& client);
  MonoTime paused_until() const { return directory_.paused_until(); }
  bool paused() const { return directory_.MayBePaused() && directory_.Paused(MonoNow()); }
  bool active_expiry() const { return active_expiry_.load(std::memory_order_relaxed); }
  bool cron_paused() const { return cron_paused_.load(std::memory_order_relaxed); }

 private:
  struct Network;  // Listeners and signals on the main thread's io_context.

  absl::Status FitMaxClients();
  absl::Status Listen(const Config& config);
  absl::Status Relisten(const Config& old, const Config& updated);
  void RegisterAppliers();
  void ConfigureMissRatioCurve();
  void FollowLeaseCaps(const std::vector<StampedeRule>& old,
                       const std::vector<StampedeRule>& updated);
  void Accept(AcceptedSocket socket);

  ConfigStore& config_store_;
  const MonoTime started_at_;
  const uint32_t worker_count_;
  CommandTable commands_;
  ShardHooks hooks_;
  const uint64_t incarnation_;
  const std::shared_ptr<StampedeFigures> stampede_figures_;
  Keyspace keyspace_;
  EvictionDomains eviction_domains_;
  ClientRegistry directory_;
  ClientBudget client_budget_;
  PubSubHub pubsub_;
  TrackingTable tracking_;
  MonitorFeed monitors_;
  SlowLog slow_log_;
  LatencyMonitor latency_monitor_;
  MissRatioCurve miss_ratio_curve_;
  std::unique_ptr<ConfigAccess> config_access_;
  ServerInfo info_{*this};
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<Network> network_;
  std::atomic<int> tcp_port_{0};
  // For the main thread, which must not wait for the mutexes of the configuration: whoever changes
  // it may hold them while it waits for the main thread to change the listeners.
  std::atomic<int64_t> max_clients_{0};

  mutable Mutex settings_mu_;  // A leaf lock.
  std::shared_ptr<const Config> config_ ABSL_GUARDED_BY(settings_mu_);
  std::shared_ptr<const Settings> settings_ ABSL_GUARDED_BY(settings_mu_);
  std::atomic<uint64_t> settings_version_{0};  // Written after the snapshots.
  std::atomic<bool> active_expiry_{true};
  std::atomic<bool> cron_paused_{false};
};

}  // namespace larder
