#include "server/worker.h"

#include <algorithm>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "commands/watch.h"
#include "server/logging.h"
#include "server/server.h"
#include "server/shard_hooks.h"
#include "server/thread_tracking.h"

namespace larder {
namespace {

// The worker whose thread this is; null on threads that are no worker's.
thread_local Worker* current_worker = nullptr;

// Often enough that what expires is gone well within a second, also where hz is set to 1.
constexpr int64_t kLeastExpirePassesPerSecond = 10;

void SendAndClose(const AcceptedSocket& socket, std::string_view error) {
  // Small enough for the socket's buffer; whoever was refused may have gone already.
  const std::string line = absl::StrCat("-", AsAbsl(error), "\r\n");
  send(socket.fd, line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  close(socket.fd);
}

}  // namespace

Worker::Worker(Server& server, uint32_t index)
    : server_(server),
      index_(index),
      counters_(server.command_table().all().size()),
      expire_cycle_(server.keyspace(), index, server.worker_count()) {
  dispatcher_ = std::make_unique<Dispatcher>(Dispatcher::Options{
      .services = server,
      .keyspace = server.keyspace(),
      .eviction_domains = server.eviction_domains(),
      .commands = server.command_table(),
      .environment = server,
      .hooks = server.hooks(),
      .counters = counters_,
      .errors = errors_,
      .refresh_settings =
          [this] {
            if (server_.config_version() != config_version_) RefreshConfig();
          },
      .seed = static_cast<uint64_t>(UnixMicrosNow()) * (index + 1),
  });
  RefreshConfig();
}

Worker::~Worker() = default;

void Worker::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Worker::Stop() {
  loop_.Post([this] {
    std::vector<uint64_t> ids;
    for (auto& [id, connection] : connections_) ids.push_back(id);
    for (const uint64_t id : ids) {
      // What clients were promised is written if their sockets take it.
      if (Connection* connection = Find(id)) connection->Flush();
      if (Connection* connection = Find(id)) connection->Close();
    }
    loop_.Stop();
  });
}

void Worker::Join() {
  if (thread_.joinable()) thread_.join();
}

void Worker::Run() {
  current_worker = this;
  dispatcher_->BindThread();
  loop_.set_after_events([this] { RunRound(); });
  loop_.set_before_wait([this](MonoTime now) { return BeforeWait(now); });
  Cron();
  loop_.Run();
  dispatcher_->UnbindThread();
  closed_.clear();
  current_worker = nullptr;
}

std::chrono::nanoseconds Worker::BeforeWait(MonoTime /*now*/) {
  std::vector<uint64_t> ids;
  ids.swap(to_read_);
  for (const uint64_t id : ids) {
    if (Connection* connection = Find(id)) connection->ReadAgain();
  }
  RunRound();
  while (!to_flush_.empty()) {
    ids.clear();
    ids.swap(to_flush_);
    for (const uint64_t id : ids) {
      if (Connection* connection = Find(id)) connection->Flush();
    }
  }
  closed_.clear();
  if (!to_free_.empty()) FreePiece();
  FollowConfig();
  if (expire_cycle_.active()) ExpireSlice();
  if (may_be_over_limit_) {
    server_.TrimTracking(settings_->tracking_table_max_keys);
    // While clients are paused the data stands still. Cron looks again afterwards.
    may_be_over_limit_ = !server_.paused() && dispatcher_->EvictSlice(UnixMillisNow());
    dispatcher_->ServeWaiters(UnixMillisNow());
  }
  EvictionDomains& domains = server_.eviction_domains();
  const bool policy_changes = domains.changing() && domains.Advance(UnixMillisNow());
  const bool upkeep = expire_cycle_.active() || may_be_over_limit_ || policy_changes;
  // Clients come in between, but there is no reason to sleep while there is work. What has just
  // expired may have been news to subscribers.
  const bool busy = upkeep || !to_read_.empty() || !to_flush_.empty() || !to_free_.empty();
  dispatcher_->hold_watch().BeforeWait(CycleCount());
  return busy ? std::chrono::nanoseconds(0) : std::chrono::seconds(1);
}

void Worker::RunRound() {
  if (round_.empty()) return;
  if (round_.AllPrepared().size() > 1) dispatcher_->Warm(round_.AllPrepared());
  for (const Round::Item& item : round_.items()) item.connection->RunCollected(item);
  for (const Round::Item& item : round_.items()) item.connection->FinishRound();
  round_.Clear();
}

void Worker::FreePiece() {
  constexpr size_t kPieceBytes = 512 * 1024;
  OutputBuffer& output = to_free_.back();
  output.Consume(std::min(output.size(), kPieceBytes));
  if (output.empty()) to_free_.pop_back();
}

void Worker::ExpireSlice() {
  dispatcher_->hold_watch().Begin(CycleCount());
  const ExpireCycle::Slice slice = expire_cycle_.Run(UnixMillisNow());
  dispatcher_->hold_watch().Note(slice.longest_hold.count());
  dispatcher_->ServeWaiters(UnixMillisNow());
  dispatcher_->PublishEvents();
  if (thread_tracking.has_broadcasts) server_.SendBroadcasts();
}

void Worker::FollowConfig() {
  if (server_.config_version() != config_version_) [[unlikely]]
    RefreshConfig();
}

void Worker::RefreshConfig() {
  config_version_ = server_.config_version();
  config_ = server_.config_snapshot();
  settings_ = server_.settings_snapshot();
  dispatcher_->set_settings(settings_.get());
  loop_.set_gather_time(std::chrono::microseconds(config_->request_gather_us));
  may_be_over_limit_ = true;  // CONFIG SET may have lowered one.
}

void Worker::Cron() {
  const int64_t hz = std::max<int64_t>(config_->hz, kLeastExpirePassesPerSecond);
  loop_.RunAt(loop_.now() + std::chrono::nanoseconds(1'000'000'000 / hz), [this] { Cron(); });
  unix_offset_us_ = UnixMicrosNow() - MicrosOf(MonoNow());
  if (server_.cron_paused()) return;
  if (index_ == 0) server_.info().Sample(loop_.now());
  if (server_.active_expiry()) expire_cycle_.StartPass();
  may_be_over_limit_ = true;  // Memory also grows without a command that asks for room.
  if (loop_.now() >= next_look_at_clients_) {
    next_look_at_clients_ = loop_.now() + std::chrono::seconds(1);
    CloseOverdue();
  }
}

void Worker::CloseOverdue() {
  const MonoTime now = loop_.now();
  std::vector<Connection*> overdue;
  for (auto& [id, connection] : connections_) {
    if (connection->IsOverdue(now)) overdue.push_back(connection.get());
  }
  for (Connection* connection : overdue) connection->Close();
}

void Worker::Adopt(AcceptedSocket socket, Admission admission) {
  if (admission == Admission::kRefuse) {
    loop_.Post([this, socket = std::move(socket)] {
      counters_.connections_received.Increment();
      Refuse(socket, error_text::kMaxClients);
    });
    return;
  }
  connection_count_.fetch_add(1, std::memory_order_relaxed);
  loop_.Post([this, socket = std::move(socket)]() mutable { Open(std::move(socket)); });
}

void Worker::Open(AcceptedSocket socket) {
  FollowConfig();  // The client may come because of what has just been set.
  counters_.connections_received.Increment();
  if (config_->protected_mode && config_->require_pass.empty() && !socket.is_loopback) {
    connection_count_.fetch_sub(1, std::memory_order_relaxed);
    Refuse(socket, error_text::kProtectedMode);
    return;
  }
  if (!socket.is_unix) {
    SetTcpOptions(socket.fd, static_cast<int>(config_->tcp_keepalive_seconds));
  }
  std::shared_ptr<ClientRecord> record = server_.RegisterClient(socket, index_);
  auto connection = std::make_unique<Connection>(*this, socket.fd, record);
  connection->client().Set(kClientAuthenticated, config_->require_pass.empty());
  connection->client().Set(kClientUnixSocket, socket.is_unix);
  Connection& opened = *connection;
  connections_.emplace(record->id, std::move(connection));
  if (!opened.Start()) opened.Close();
}

void Worker::Refuse(const AcceptedSocket& socket, std::string_view error) {
  counters_.connections_rejected.Increment();
  SendAndClose(socket, error);
}

void Worker::Forget(Connection& connection) {
  Client& client = connection.client();
  DiscardTransaction(client, server_.keyspace(), server_);
  server_.ForgetClient(client);
  connection_count_.fetch_sub(1, std::memory_order_relaxed);
  const auto it = connections_.find(connection.id());
  closed_.push_back(std::move(it->second));
  connections_.erase(it);
}

Connection* Worker::Find(uint64_t id) {
  const auto it = connections_.find(id);
  return it == connections_.end() ? nullptr : it->second.get();
}

void Worker::KillClient(uint64_t id) {
  // A client that kills itself gets its reply first.
  if (current_worker == this) {
    if (Connection* connection = Find(id)) connection->client().Set(kClientCloseAfterReply);
    loop_.Post([this, id] {
      if (Connection* connection = Find(id)) connection->Close();
    });
    return;
  }
  loop_.Post([this, id] {
    if (Connection* connection = Find(id)) connection->Close();
  });
}

void Worker::UnblockClient(uint64_t id, UnblockReason reason) {
  loop_.Post([this, id, reason] {
    if (Connection* connection = Find(id)) connection->Unblock(reason);
  });
}

void Worker::EndWait(uint64_t id, BlobRef reply) {
  loop_.Post([this, id, reply = std::move(reply)] {
    if (Connection* connection = Find(id)) connection->EndWaitWith(reply);
  });
}

void Worker::ResumePaused() {
  loop_.Post([this] {
    std::vector<uint64_t> ids;
    ids.swap(paused_);
    for (const uint64_t id : ids) {
      if (Connection* connection = Find(id)) connection->Resume();
    }
  });
}

void Worker::AddPaused(uint64_t client_id) {
  if (paused_.empty()) {
    loop_.RunAt(server_.paused_until(), [this] { ResumePaused(); });
  }
  paused_.push_back(client_id);
}

void Worker::DeliverToClient(uint64_t id, BlobRef resp2, BlobRef resp3) {
  Delivery delivery{id, std::move(resp2), std::move(resp3)};
  if (current_worker == this) {
    DrainDeliveries();
    Deliver(delivery);
    return;
  }
  bool first;
  {
    MutexLock lock(deliveries_mu_);
    first = deliveries_.empty();
    deliveries_.push_back(std::move(delivery));
    deliveries_waiting_.store(true, std::memory_order_release);
  }
  if (first) loop_.Post([this] { DrainDeliveries(); });
}

void Worker::DrainDeliveries() {
  std::vector<Delivery> deliveries;
  {
    MutexLock lock(deliveries_mu_);
    deliveries.swap(deliveries_);
    deliveries_waiting_.store(false, std::memory_order_relaxed);
  }
  for (const Delivery& delivery : deliveries) Deliver(delivery);
}

void Worker::Deliver(const Delivery& delivery) {
  if (Connection* connection = Find(delivery.client_id)) {
    connection->Push(delivery.resp2, delivery.resp3);
  }
}

void Worker::ResetStatistics() {
  // The counters belong to this thread. Whoever resets them runs on a worker: its own are reset at
  // once, those of the others as soon as they get to it.
  if (current_worker != this) {
    loop_.Post([this] { ResetStatistics(); });
    return;
  }
  counters_.Reset();
  errors_.Reset();
}

void Worker::log_protocol_error(const Client& client, std::string_view error) {
  if (!LogEnabled(LogLevel::kVerbose)) return;
  Log(LogLevel::kVerbose, absl::StrCat("Protocol error from client id=", client.id(),
                                       " addr=", client.record->address, ": ", AsAbsl(error)));
}

void Worker::log_closing(const Client& client, std::string_view why) {
  Log(LogLevel::kNotice, absl::StrCat("Closing client id=", client.id(),
                                      " addr=", client.record->address, ": ", AsAbsl(why)));
}

}  // namespace larder
