#include "server/worker.h"

#include <algorithm>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "commands/held_leases.h"
#include "commands/watch.h"
#include "eviction/overhead_meter.h"
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

constexpr std::chrono::seconds kLookAtMachineEvery{10};

// A client is a reason for trouble from this part of the clients' budget on.
constexpr int64_t kHeldBackOutputPart = 8;

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
  // A batch that writes long replies is not to pay for them with data before it has ended.
  OverheadMeter::SetRefresher([this] {
    if (running_ != nullptr) running_->NoteMemory();
    ShareOverhead();
  });
  loop_.set_after_events([this] { RunRound(); });
  loop_.set_before_wait([this](MonoTime now) { return BeforeWait(now); });
  Cron();
  loop_.Run();
  dispatcher_->UnbindThread();
  closed_.clear();
  OverheadMeter::SetRefresher(nullptr);
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
  FreeClosed();
  if (!to_free_.empty()) FreePiece();
  FollowConfig();
  if (clients_have_grown_) EvictClients();
  FreeClosed();
  if (expire_cycle_.active()) ExpireSlice();
  if (may_be_over_limit_) {
    server_.TrimTracking(settings_->tracking_table_max_keys);
    // While clients are paused the data stands still. Cron looks again afterwards.
    may_be_over_limit_ = !server_.paused() && dispatcher_->EvictSlice(UnixMillisNow());
  }
  if (dispatcher_->has_ready_waiters()) dispatcher_->ServeWaiters(UnixMillisNow());
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
  if (clients_have_grown_) EvictClients();
  if (round_.AllPrepared().size() > 1) dispatcher_->Warm(round_.AllPrepared());
  for (const Round::Item& item : round_.items()) item.connection->RunCollected(item);
  for (const Round::Item& item : round_.items()) item.connection->FinishRound();
  round_.Clear();
}

void Worker::FreeClosed() {
  if (closed_.empty()) return;
  closed_.clear();
  closed_bytes_ = 0;  // Not before they are freed, or other threads would take it for data.
  ShareOverhead();
}

void Worker::FreeSlowly(OutputBuffer output) {
  to_free_bytes_ += output.size();
  to_free_.push_back(std::move(output));
  ShareOverhead();
}

void Worker::FreePiece() {
  constexpr size_t kPieceBytes = 512 * 1024;
  OutputBuffer& output = to_free_.back();
  const size_t piece = std::min(output.size(), kPieceBytes);
  output.Consume(piece);
  to_free_bytes_ -= piece;
  ShareOverhead();
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
  client_limit_ = ClientBudget::LimitOf(*config_);
  held_back_output_bytes_ = client_limit_.holds_back
                                ? static_cast<size_t>(client_limit_.bytes / kHeldBackOutputPart)
                                : std::numeric_limits<size_t>::max();
  clients_have_grown_ = true;
  ShareOverhead();
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
  dispatcher_->SweepLeases(index_, static_cast<uint32_t>(server_.workers().size()));
  may_be_over_limit_ = true;  // Memory also grows without a command that asks for room.
  if (loop_.now() >= next_look_at_clients_) {
    next_look_at_clients_ = loop_.now() + std::chrono::seconds(1);
    CloseOverdue();
    if (index_ == 0) server_.NoteOverhead();
  }
  if (index_ == 0 && loop_.now() >= next_look_at_machine_) {
    next_look_at_machine_ = loop_.now() + kLookAtMachineEvery;
    server_.FollowMachineMemory();
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

void Worker::NoteClientMemory(ClientShare& share, int64_t bytes, ClientMemory::Eviction eviction) {
  if (bytes == share.bytes && (eviction == ClientMemory::Eviction::kForbidden) ==
                                  (share.size_class == ClientShare::kNoClass)) [[likely]] {
    return;
  }
  // A client that may be evicted from now on counts as one that has grown.
  clients_have_grown_ |= bytes > share.bytes || share.size_class == ClientShare::kNoClass;
  client_memory_.Update(share, bytes, eviction);
  ShareOverhead();
}

void Worker::AnnounceClientMemory(ClientShare& share, int64_t more_bytes, int64_t passing_bytes) {
  NoteClientMemory(share, share.bytes + more_bytes,
                   share.size_class == ClientShare::kNoClass ? ClientMemory::Eviction::kForbidden
                                                             : ClientMemory::Eviction::kAllowed);
  EvictClients();
  if (!client_limit_.beside_data) return;
  OverheadMeter::SetThreadBytes(OverheadMeter::ThreadBytes() + passing_bytes);
}

void Worker::ForgetClientMemory(ClientShare& share) {
  closed_bytes_ += share.bytes;
  client_memory_.Remove(share);
  ShareOverhead();
}

// Idle connections, and what a thread needs to reply to one client at a time, are no buffers that
// grow: they count with the data, so that memory in use stays within maxmemory itself.
void Worker::ShareOverhead() {
  constexpr int64_t kIdleBytes = sizeof(Connection) + sizeof(ClientRecord);
  constexpr int64_t kStockBytes = 2 * OutputBuffer::kChunkBytes;
  const auto clients = static_cast<int64_t>(connections_.size());
  const int64_t stock_bytes = static_cast<int64_t>(OutputBuffer::StockBytes()) - kStockBytes;
  const int64_t bytes = std::max<int64_t>(0, client_memory_.bytes() - clients * kIdleBytes) +
                        std::max<int64_t>(0, stock_bytes) + static_cast<int64_t>(to_free_bytes_) +
                        closed_bytes_;
  OverheadMeter::SetThreadBytes(client_limit_.beside_data ? bytes : 0);
}

void Worker::EvictClients() {
  clients_have_grown_ = false;
  ClientBudget& budget = server_.client_budget();
  if (client_limit_.bytes == 0) return;
  while (budget.TotalBytes() >= client_limit_.bytes) {
    const ClientBudget::Decision decision = budget.Decide(index_, client_limit_.bytes);
    switch (decision.kind) {
      case ClientBudget::Decision::Kind::kNobody:
        return;
      case ClientBudget::Decision::Kind::kOther:
        server_.workers()[decision.thread]->AskToEvictClients();
        return;
      case ClientBudget::Decision::Kind::kOwnClient:
        closed_bytes_ += decision.bytes;
        Find(decision.client_id)->Evict();
        break;
    }
  }
}

bool Worker::ClientsNearBudget() const {
  return server_.client_budget().TotalBytes() >= client_limit_.bytes / 2;
}

void Worker::AskToEvictClients() {
  if (eviction_asked_.exchange(true, std::memory_order_relaxed)) return;
  loop_.Post([this] {
    eviction_asked_.store(false, std::memory_order_relaxed);
    EvictClients();
  });
}

void Worker::LogEviction(std::string_view client_line) {
  client_line.remove_suffix(1);  // The end of the line.
  Log(LogLevel::kNotice, absl::StrCat("Evicting client: ", AsAbsl(client_line)));
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
  if (client.leases != nullptr) dispatcher_->EndLeases(client.leases->TakeAll());
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

void Worker::EndWait(uint64_t id, WaitResult result) {
  loop_.Post([this, id, result = std::move(result)] {
    if (Connection* connection = Find(id)) {
      connection->EndWaitWith(result);
    } else {
      dispatcher_->EndLeases(result.leases);
    }
  });
}

void Worker::WakeWaitersAt(MonoTime when, uint32_t shard_id, int db, std::string_view key) {
  LARDER_DCHECK(current_worker != nullptr);
  Worker& self = *current_worker;
  self.loop_.RunAt(when, [&self, shard_id, db, key = std::string(key)] {
    self.dispatcher_->WakeWaitersOf(shard_id, db, key);
  });
}

void Worker::WatchLeases(const std::shared_ptr<LeaseCap>& cap) {
  LARDER_DCHECK(current_worker != nullptr);
  const std::optional<MonoTime> when = cap->NextLook();
  if (!when) return;
  Worker& self = *current_worker;
  self.loop_.RunAt(*when, [&self, cap] {
    self.dispatcher_->EndOverdueLeases(*cap);
    WatchLeases(cap);
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
