#include "server/server.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <future>
#include <limits>
#include <random>
#include <sys/resource.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "base/allocator.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "commands/watch.h"
#include "eviction/memory_gauge.h"
#include "eviction/overhead_meter.h"
#include "eviction/stampede_figures.h"
#include "server/logging.h"
#include "server/settings_from_config.h"
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>

namespace larder {
namespace {

// Descriptors that the process needs besides those of its clients: for itself, and for each thread.
constexpr int64_t kReservedDescriptors = 32;
constexpr int64_t kDescriptorsPerThread = 2;

class StoreConfigAccess : public ConfigAccess {
 public:
  StoreConfigAccess(ConfigStore& store, Server& server) : store_(store), server_(server) {}

  std::vector<std::pair<std::string, std::string>> Get(
      std::span<const std::string_view> globs) const override {
    return store_.Get(globs);
  }
  absl::Status Set(std::span<const std::pair<std::string_view, std::string_view>> pairs,
                   ConfigCaller caller) override {
    LARDER_RETURN_IF_ERROR(store_.Set(pairs, caller));
    server_.RefreshSettings();
    return absl::OkStatus();
  }
  absl::Status Rewrite(RewriteScope scope) override { return store_.Rewrite(scope); }
  bool IsSecret(std::string_view name) const override { return ConfigStore::IsSecret(name); }

 private:
  ConfigStore& store_;
  Server& server_;
};

std::vector<std::pair<std::string, std::string>> RenamesOf(const Config& config) {
  std::vector<std::pair<std::string, std::string>> renames;
  for (const CommandRename& rename : config.renamed_commands) {
    renames.emplace_back(rename.from, rename.to);
  }
  return renames;
}

uint64_t RandomNumber() {
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

// How many clients the limit on open files allows, after it was raised as far as it goes.
int64_t RaiseFileLimit(int64_t clients, int64_t threads) {
  const int64_t reserved = kReservedDescriptors + kDescriptorsPerThread * threads;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return clients;
  const auto wanted = static_cast<rlim_t>(clients + reserved);
  if (limit.rlim_cur >= wanted) return clients;
  rlimit raised = limit;
  raised.rlim_cur = wanted;
  raised.rlim_max = std::max(limit.rlim_max, wanted);
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) return clients;
  raised.rlim_cur = raised.rlim_max = limit.rlim_max;
  const rlim_t reached = setrlimit(RLIMIT_NOFILE, &raised) == 0 ? limit.rlim_max : limit.rlim_cur;
  return std::min<int64_t>(clients, static_cast<int64_t>(reached) - reserved);
}

}  // namespace

struct Server::Network {
  boost::asio::io_context context{1};
  boost::asio::signal_set signals{context, SIGTERM, SIGINT};
  std::vector<std::unique_ptr<Listener>> listeners;
  Mutex mu;  // A leaf lock.
  // Nobody runs what is posted to the context from here on.
  bool ended ABSL_GUARDED_BY(mu) = false;
};

Server::Server(ConfigStore& config)
    : config_store_(config),
      started_at_(MonoNow()),
      worker_count_(static_cast<uint32_t>(config.Snapshot()->threads)),
      commands_(AllCommandFamilies(), RenamesOf(*config.Snapshot())),
      hooks_(Keyspace::DefaultShards(worker_count_)),
      incarnation_(RandomNumber()),
      stampede_figures_(std::make_shared<StampedeFigures>()),
      keyspace_({.shards = Keyspace::DefaultShards(worker_count_),
                 .shard = {.databases = static_cast<int>(config.Snapshot()->databases),
                           .observer = &hooks_}}),
      eviction_domains_(keyspace_, worker_count_, static_cast<uint64_t>(UnixMicrosNow())),
      pubsub_(directory_),
      tracking_(keyspace_.shard_count(), directory_),
      monitors_(directory_),
      config_access_(std::make_unique<StoreConfigAccess>(config, *this)),
      network_(std::make_unique<Network>()) {
  hooks_.set_tracking(&tracking_);
  hooks_.set_clients(&directory_);
  RefreshSettings();
  while (eviction_domains_.Advance(UnixMillisNow())) {
  }
  RegisterAppliers();
  FollowLeaseCaps({}, config_->stampede_rules);
  for (uint32_t i = 0; i < worker_count_; ++i) {
    workers_.push_back(std::make_unique<Worker>(*this, i));
    directory_.RegisterHost(i, *workers_.back());
    client_budget_.Register(workers_.back()->client_memory());
  }
}

Server::~Server() = default;

absl::Status Server::Start() {
  LARDER_RETURN_IF_ERROR(FitMaxClients());
  LARDER_RETURN_IF_ERROR(Listen(*config_snapshot()));
  info_.NoteStartup();
  ConfigureMissRatioCurve();  // Now that it is known what the server takes.
  for (const auto& worker : workers_) worker->Start();
  return absl::OkStatus();
}

// Lowers maxclients to what the limit on open files allows: a client too many is to be told so, and
// not to wait for a descriptor.
absl::Status Server::FitMaxClients() {
  const int64_t wanted = config_snapshot()->max_clients;
  const int64_t allowed = RaiseFileLimit(wanted, worker_count_);
  if (allowed >= wanted) return absl::OkStatus();
  if (allowed <= 0) {
    return absl::ResourceExhaustedError("The limit on open files is too low for the server");
  }
  Log(LogLevel::kWarning,
      absl::StrCat("The limit on open files allows only ", allowed, " of the ", wanted,
                   " clients that maxclients asks for, which is lowered to that"));
  const std::string text = absl::StrCat(allowed);
  const std::pair<std::string_view, std::string_view> pairs[] = {{"maxclients", text}};
  return config_access_->Set(pairs, ConfigCaller::kLocal);
}

absl::Status Server::Listen(const Config& config) {
  auto& context = network_->context;
  const int backlog = static_cast<int>(config.tcp_backlog);
  const auto on_accept = [this](AcceptedSocket socket) { Accept(std::move(socket)); };
  std::vector<std::unique_ptr<Listener>> listeners;
  int port = static_cast<int>(config.port);
  if (config.port != 0) {
    for (const std::string& bind : config.bind_addresses) {
      const bool optional = bind.starts_with('-');
      auto listener = Listener::ListenTcp(context, optional ? bind.substr(1) : bind,
                                          static_cast<uint16_t>(config.port), backlog, on_accept);
      if (listener.ok()) {
        listeners.push_back(*std::move(listener));
      } else if (!optional || !absl::IsNotFound(listener.status())) {
        return listener.status();
      } else {
        Log(LogLevel::kVerbose, AsStd(listener.status().message()));
      }
    }
  }
  if (!config.unix_socket.empty()) {
    auto listener =
        Listener::ListenUnix(context, config.unix_socket,
                             static_cast<unsigned>(config.unix_socket_mode), backlog, on_accept);
    if (!listener.ok()) return listener.status();
    listeners.push_back(*std::move(listener));
  }
  if (listeners.empty()) {
    return absl::InvalidArgumentError("Configured to not listen anywhere, exiting.");
  }
  network_->listeners = std::move(listeners);
  tcp_port_ = port;
  return absl::OkStatus();
}

void Server::Run() {
  network_->signals.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    Log(LogLevel::kWarning, absl::StrCat("Received ", signal == SIGINT ? "SIGINT" : "SIGTERM",
                                         ", scheduling shutdown..."));
    Stop();
  });
  network_->context.run();
  Log(LogLevel::kWarning, "User requested shutdown...");
  {
    MutexLock lock(network_->mu);
    network_->ended = true;
  }
  // A worker may still wait for what it posted, and would never see that it is to end.
  network_->context.restart();
  network_->context.poll();
  for (auto& listener : network_->listeners) listener->Close();
  for (const auto& worker : workers_) worker->Stop();
  for (const auto& worker : workers_) worker->Join();
  Log(LogLevel::kWarning, "Larder is now ready to exit, bye bye...");
}

void Server::Stop() {
  MutexLock lock(network_->mu);
  if (!network_->ended) network_->context.stop();
}

void Server::Accept(AcceptedSocket socket) {
  // Only this thread adds to the counts, so no two connections take the last place together.
  int64_t connections = 0;
  for (const auto& worker : workers_) connections += worker->connection_count();
  const bool has_room = connections < max_clients_.load(std::memory_order_relaxed);
  const auto least = std::min_element(
      workers_.begin(), workers_.end(),
      [](const auto& a, const auto& b) { return a->connection_count() < b->connection_count(); });
  (*least)->Adopt(std::move(socket), has_room ? Admission::kOpen : Admission::kRefuse);
}

void Server::RegisterAppliers() {
  config_store_.RegisterApplier(ConfigHook::kLogging, [](const Config&, const Config& updated) {
    SetLogLevel(updated.log_level);
    return absl::OkStatus();
  });
  config_store_.RegisterApplier(ConfigHook::kDirectory, [](const Config&, const Config& updated) {
    if (chdir(updated.dir.c_str()) == 0) return absl::OkStatus();
    return absl::InvalidArgumentError("Changing directory: " + std::string(strerror(errno)));
  });
  config_store_.RegisterApplier(ConfigHook::kMaxClients, [](const Config&, const Config& updated) {
    const int64_t wanted = updated.max_clients;
    if (RaiseFileLimit(wanted, updated.threads) >= wanted) return absl::OkStatus();
    return absl::InvalidArgumentError(
        "The operating system is not able to handle the specified number of clients");
  });
  config_store_.RegisterApplier(ConfigHook::kStampede,
                                [this](const Config& old, const Config& updated) {
                                  FollowLeaseCaps(old.stampede_rules, updated.stampede_rules);
                                  return absl::OkStatus();
                                });
  config_store_.RegisterApplier(ConfigHook::kSlowLog, [this](const Config&, const Config& updated) {
    slow_log_.Trim(updated.slowlog_max_entries);
    return absl::OkStatus();
  });
  config_store_.RegisterApplier(
      ConfigHook::kListen,
      [this](const Config& old, const Config& updated) { return Relisten(old, updated); });
  config_store_.RegisterApplier(ConfigHook::kLatency, [this](const Config&, const Config& updated) {
    if (!updated.latency_tracking) {
      for (const Command* command : commands_.all()) ResetHistogram(command->id());
    }
    return absl::OkStatus();
  });
}

// Closes the old addresses first, for the new ones may overlap with them; should a new one fail,
// the old ones are opened again.
absl::Status Server::Relisten(const Config& old, const Config& updated) {
  std::promise<absl::Status> done;
  {
    MutexLock lock(network_->mu);
    if (network_->ended) return absl::UnavailableError("The server is shutting down");
    boost::asio::post(network_->context, [&] {
      network_->listeners.clear();
      done.set_value(Listen(updated));
    });
  }
  absl::Status status = done.get_future().get();
  // The store calls once more with the old configuration if this fails, which opens those again.
  if (status.ok()) return status;
  return absl::UnavailableError(old.bind_addresses != updated.bind_addresses
                                    ? "Failed to bind to specified addresses."
                                    : "Unable to listen on this port. Check server logs.");
}

void Server::FollowLeaseCaps(const std::vector<StampedeRule>& old,
                             const std::vector<StampedeRule>& updated) {
  const auto set_most = [this](const StampedeRule& rule, int64_t most) {
    for (const LeaseCap::WaitingKey& key : rule.cap->SetMost(most)) hooks_.OnTurn(key);
  };
  for (const StampedeRule& rule : old) {
    const bool stays = std::any_of(updated.begin(), updated.end(), [&](const StampedeRule& other) {
      return other.cap == rule.cap;
    });
    if (!stays) set_most(rule, 0);
  }
  for (const StampedeRule& rule : updated) set_most(rule, rule.leases);
}

void Server::RefreshSettings() {
  {
    MutexLock lock(settings_mu_);
    config_ = config_store_.Snapshot();
    settings_ = std::make_shared<const Settings>(SettingsFromConfig(*config_));
    max_clients_.store(config_->max_clients, std::memory_order_relaxed);
    eviction_domains_.set_policy(settings_->eviction_policy);
    const ClientBudget::Limit clients = ClientBudget::LimitOf(*config_);
    // Twice the limit: a buffer that grows up to it is there twice while it moves.
    OverheadMeter::SetBudget(clients.beside_data ? 2 * clients.bytes : 0);
    hooks_.lease_budget().most.store(config_->stampede_max_leases, std::memory_order_relaxed);
    settings_version_.fetch_add(1, std::memory_order_release);
  }
  ConfigureMissRatioCurve();
}

void Server::NoteOverhead() {
  if (!settings_snapshot()->miss_ratio_curve) return;
  // What has a budget beside the data takes nothing of maxmemory.
  const int64_t beside_bytes = ShardGauge(keyspace_).UsedBytes() + OverheadMeter::ExemptBytes();
  miss_ratio_curve_.NoteOverhead(static_cast<int64_t>(AllocatedBytes()) - beside_bytes,
                                 static_cast<int64_t>(eviction_domains_.figures().memory_bytes));
}

void Server::ConfigureMissRatioCurve() {
  const std::shared_ptr<const Settings> current = settings_snapshot();
  const Settings& settings = *current;
  miss_ratio_curve_.Configure({.enabled = settings.miss_ratio_curve,
                               .maxmemory_bytes = settings.maxmemory_bytes,
                               .overhead_bytes = info_.startup_bytes(),
                               .policy = ModelPolicyOf(settings.eviction_policy),
                               .model = {.samples = settings.maxmemory_samples,
                                         .lfu_log_factor = settings.lfu_log_factor,
                                         .lfu_decay_minutes = settings.lfu_decay_minutes}},
                              MonoNow());
}

void Server::FollowMachineMemory() {
  if (!config_store_.FollowMachineMemory()) return;
  RefreshSettings();
  Log(LogLevel::kNotice, absl::StrCat("maxmemory follows what there is to use: ",
                                      config_snapshot()->max_memory_bytes, " bytes from now on"));
}

std::shared_ptr<const Config> Server::config_snapshot() const {
  MutexLock lock(settings_mu_);
  return config_;
}

std::shared_ptr<const Settings> Server::settings_snapshot() const {
  MutexLock lock(settings_mu_);
  return settings_;
}

std::shared_ptr<ClientRecord> Server::RegisterClient(const AcceptedSocket& socket,
                                                     uint32_t worker) {
  auto record = std::make_shared<ClientRecord>();
  record->id = directory_.NextId();
  record->worker = worker;
  record->fd = socket.fd;
  record->address = socket.peer_address;
  record->local_address = socket.local_address;
  record->connected_at = MonoNow();
  record->is_loopback = socket.is_loopback;
  directory_.Add(record);
  return record;
}

void Server::ForgetClient(Client& client) {
  pubsub_.UnsubscribeAll(client);
  if (client.tracking != nullptr) tracking_.Disable(client);
  if (client.Is(kClientMonitor)) monitors_.Remove(client.id());
  directory_.Remove(client.id());
}

void Server::WakeWaitersAt(MonoTime when, uint32_t shard_id, int db, std::string_view key) {
  Worker::WakeWaitersAt(when, shard_id, db, key);
}

void Server::WatchLeases(const std::shared_ptr<LeaseCap>& cap) { Worker::WatchLeases(cap); }

size_t Server::WaitersOf(uint32_t shard_id, int db, std::string_view key) {
  const WaitTable::Line* const line = hooks_.waits(shard_id).Find(db, key);
  return line == nullptr ? 0 : line->waiters.size();
}

void Server::UpdateObserved(uint32_t shard_id) {
  Shard& shard = keyspace_.shard(shard_id);
  shard.mu().AssertHeld();
  shard.set_observed(hooks_.WantsChanges(shard_id));
}

CommandStatistics Server::StatisticsOf(uint32_t command_id) const {
  CommandStatistics sum;
  int64_t nanoseconds = 0;
  for (const auto& worker : workers_) {
    if (worker->counters().reset_pending()) continue;
    const CommandCounters& counters = worker->counters().by_command[command_id];
    sum.calls += counters.calls.Get();
    nanoseconds += counters.nanoseconds.Get();
    sum.rejected_calls += counters.rejected_calls.Get();
    sum.failed_calls += counters.failed_calls.Get();
  }
  sum.microseconds = nanoseconds / 1000;
  return sum;
}

std::vector<int64_t> Server::HistogramOf(uint32_t command_id) const {
  std::vector<int64_t> sums;
  for (const auto& worker : workers_) {
    if (worker->counters().reset_pending()) continue;
    worker->counters().by_command[command_id].latency.AddTo(sums);
  }
  return sums;
}

void Server::ResetHistogram(uint32_t command_id) {
  for (const auto& worker : workers_) worker->counters().by_command[command_id].latency.Clear();
}

void Server::AddPrefixLookups(PrefixTotals& totals) const {
  for (const auto& worker : workers_) {
    const ThreadCounters& counters = worker->counters();
    if (!counters.reset_pending()) counters.by_prefix.AddTo(totals);
  }
}

void Server::ResetStatistics() {
  for (const auto& worker : workers_) {
    worker->counters().RequestReset();
    worker->errors().Reset();
    worker->ResetStatistics();
  }
  keyspace_.lazy_free().ResetFreed();
  info_.ForgetSamples();
  stampede_figures_->Reset();
  for (const StampedeRule& rule : settings_snapshot()->stampede_rules->all()) rule.figures->Reset();
}

void Server::SetMonitor(Client& client, bool on) {
  client.Set(kClientMonitor, on);
  if (on) {
    monitors_.Add(client.record);
  } else {
    monitors_.Remove(client.id());
  }
}

bool Server::RequestShutdown(const ShutdownOptions& options) {
  // NOW would not wait for replicas and FORCE not mind that saving fails; there is neither.
  if (options.save) {
    Log(LogLevel::kWarning, options.force ? "Nothing can be saved to disk. Exit anyway."
                                          : "Nothing can be saved to disk, can't exit.");
    if (!options.force) return false;
  }
  Stop();
  return true;
}

bool Server::AbortShutdown() { return false; }

void Server::SetActiveExpiry(bool enabled) {
  active_expiry_.store(enabled, std::memory_order_relaxed);
}

void Server::PauseCron(bool paused) { cron_paused_.store(paused, std::memory_order_relaxed); }

void Server::LogWarning(std::string_view line) { Log(LogLevel::kWarning, line); }

void Server::FeedMonitors(const Client& client, const Command& command,
                          std::span<const std::string_view> args) {
  if (!command.Has(kSkipMonitor | kAdmin)) monitors_.Feed(client, args);
}

bool Server::Paused(const Client& client, const Command& command) const {
  if (!directory_.MayBePaused()) [[likely]]
    return false;
  if (!directory_.Paused(MonoNow())) return false;
  if (directory_.pause_mode() == PauseMode::kAll) return true;
  constexpr uint32_t kMayWrite = kWrite | kMayReplicate;
  if (command.Has(kMayWrite)) return true;
  if (!command.Has(kRunsQueue) || client.transaction == nullptr) return false;
  return std::any_of(client.transaction->queue.begin(), client.transaction->queue.end(),
                     [](const OwnedRequest& queued) { return queued.command().Has(kMayWrite); });
}

std::string_view Server::RefusedByProtection(const Client& client, const Command& command) {
  // Two settings guard the protected commands: modules have their own.
  const bool is_module = command.container() != nullptr;
  const std::shared_ptr<const Config> config = config_snapshot();
  switch (is_module ? config->enable_module_command : config->enable_debug_command) {
    case ProtectedAction::kYes:
      return {};
    case ProtectedAction::kLocal:
      if (client.record->is_loopback) return {};
      break;
    case ProtectedAction::kNo:
      break;
  }
  return is_module ? error_text::kModuleNotAllowed : error_text::kDebugNotAllowed;
}

void Server::NoteDuration(const Client& client, const Command& command,
                          std::span<const std::string_view> args, int64_t nanoseconds) {
  const std::shared_ptr<const Settings> settings = settings_snapshot();
  const int64_t unix_seconds = UnixMicrosNow() / 1'000'000;
  const int64_t microseconds = nanoseconds / 1000;
  const int64_t slower_than = settings->slowlog_log_slower_than_us;
  if (slower_than >= 0 && microseconds >= slower_than && !command.Has(kSkipSlowlog)) {
    MutexLock lock(client.record->text_mu);
    slow_log_.Record({.args = args,
                      .unix_seconds = unix_seconds,
                      .microseconds = microseconds,
                      .client_address = client.record->address,
                      .client_name = client.record->name},
                     settings->slowlog_max_len);
  }
  const int64_t threshold_ms = settings->latency_monitor_threshold_ms;
  if (threshold_ms > 0 && microseconds >= threshold_ms * 1000) {
    latency_monitor_.Record(
        command.Has(kFast) ? latency_event::kFastCommand : latency_event::kCommand, unix_seconds,
        microseconds / 1000);
  }
}

}  // namespace larder
