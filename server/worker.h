// One thread of the server: its loop, the connections that live on it, and its part of the upkeep.
//
// Concurrency: everything is thread-confined to the worker's thread but for the calls marked "any
// thread", and the counters, which every thread may read.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/counter.h"
#include "base/mutex.h"
#include "commands/thread_counters.h"
#include "net/event_loop.h"
#include "net/listener.h"
#include "server/client_budget.h"
#include "server/client_directory.h"
#include "server/client_memory.h"
#include "server/config.h"
#include "server/connection.h"
#include "server/defrag_cycle.h"
#include "server/dispatcher.h"
#include "server/error_counters.h"
#include "server/expire_cycle.h"
#include "server/round.h"

namespace larder {

class Server;

// Whether there is room for one more connection.
enum class Admission : uint8_t { kOpen, kRefuse };

class Worker : public ClientHost {
 public:
  Worker(Server& server, uint32_t index);
  ~Worker() override;

  // Starts the thread.
  void Start();
  // Asks the thread to end its connections and itself; any thread. Join waits for it.
  void Stop();
  void Join();

  // Takes over an accepted socket; any thread. The connection counts from now on, unless it is to
  // be refused: then it is only told why.
  void Adopt(AcceptedSocket socket, Admission admission);
  int64_t connection_count() const { return connection_count_.load(std::memory_order_relaxed); }

  // ---- ClientHost; any thread.
  void KillClient(uint64_t id) override;
  void UnblockClient(uint64_t id, UnblockReason reason) override;
  void EndWait(uint64_t id, WaitResult result) override;
  // In order of the calls for one client. On the worker's own thread the bytes are in the client's
  // output when the call returns, behind everything that other threads delivered before.
  void DeliverToClient(uint64_t id, BlobRef resp2, BlobRef resp3) override;
  void DrainDeliveries() override;
  // CLIENT PAUSE has ended: those held back go on.
  void ResumePaused() override;

  // ---- On the calling thread, which runs a worker.
  // Those who wait for the key then ask again.
  static void WakeWaitersAt(MonoTime when, uint32_t shard_id, int db, std::string_view key);
  // Ends leases at their deadline for as long as somebody is in line for them.
  static void WatchLeases(const std::shared_ptr<LeaseCap>& cap);

  ClientMemory& client_memory() { return client_memory_; }
  // Clients hold too much, and this worker has the largest of them; any thread.
  void AskToEvictClients();

  // CONFIG RESETSTAT; any thread.
  void ResetStatistics();

  // ---- For the connections of this worker.
  EventLoop& loop() { return loop_; }
  Dispatcher& dispatcher() { return *dispatcher_; }
  ThreadCounters& counters() { return counters_; }
  const ThreadCounters& counters() const { return counters_; }
  const ErrorCounters& errors() const { return errors_; }
  ErrorCounters& errors() { return errors_; }
  Counter& blocked_clients() { return blocked_clients_; }
  const DefragCycle::Figures& defrag_figures() const { return defrag_cycle_.figures(); }
  const Config& config() const { return *config_; }
  // Takes over a configuration that has changed.
  void FollowConfig();
  // Hands connections the messages that other threads have sent them. Before requests are run: who
  // asks after something was answered elsewhere has the messages that came of it first.
  void TakeDeliveries() {
    if (deliveries_waiting_.load(std::memory_order_acquire)) [[unlikely]]
      DrainDeliveries();
  }
  // Calendar time of this round of the loop, read off its steady clock.
  UnixMillis unix_now() const { return (unix_offset_us_ + MicrosOf(loop_.now())) / 1000; }
  Round& round() { return round_; }
  // Runs what the connections have put into the round.
  void RunRound();
  // For requests that are run outside of the round.
  std::span<Request> requests() { return requests_; }
  // Whose requests run at the moment; null for nobody's.
  void set_running(Connection* connection) { running_ = connection; }
  void QueueFlush(uint64_t client_id) { to_flush_.push_back(client_id); }
  // The connection has more to read than one turn takes.
  void QueueRead(uint64_t client_id) { to_read_.push_back(client_id); }
  // Frees output that nobody will read, a piece a round: hundreds of megabytes at once would hold
  // up everybody else.
  void FreeSlowly(OutputBuffer output);
  void AddPaused(uint64_t client_id);
  // What a client of this worker holds from now on.
  void NoteClientMemory(ClientShare& share, int64_t bytes, ClientMemory::Eviction eviction);
  // The client is about to hold `more_bytes` than it said last, and `passing_bytes` besides until
  // its next NoteClientMemory: other threads are not to take that for data once it is allocated. If
  // it is too much, clients go before, this one perhaps.
  void AnnounceClientMemory(ClientShare& share, int64_t more_bytes, int64_t passing_bytes);
  // The client has closed. What it holds goes with its connection.
  void ForgetClientMemory(ClientShare& share);
  void LogEviction(std::string_view client_line);
  // From here on, output holds its client back while clients are near their budget.
  size_t held_back_output_bytes() const { return held_back_output_bytes_; }
  bool ClientsNearBudget() const;
  // The connection has closed: forgets everything the process knew of its client.
  void Forget(Connection& connection);
  void log_protocol_error(const Client& client, std::string_view error);
  void log_closing(const Client& client, std::string_view why);

 private:
  struct Delivery {
    uint64_t client_id;
    BlobRef resp2;
    BlobRef resp3;
  };

  void Run();
  std::chrono::nanoseconds BeforeWait(MonoTime now);
  void FreePiece();
  void ExpireSlice();
  void DefragSlice(MonoTime now);
  void RefreshConfig();
  void Open(AcceptedSocket socket);
  void Refuse(const AcceptedSocket& socket, std::string_view error);
  void Deliver(const Delivery& delivery);
  void Cron();
  void CloseOverdue();
  // Closes the largest clients, one after the other, until all of them are within their budget.
  void EvictClients();
  // Tells what this thread holds for clients, and is not to cost data.
  void ShareOverhead();
  void FreeClosed();
  Connection* Find(uint64_t id);

  static int64_t MicrosOf(MonoTime time) {
    return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
  }

  Server& server_;
  const uint32_t index_;
  EventLoop loop_;
  ThreadCounters counters_;
  ErrorCounters errors_;
  Counter blocked_clients_;
  std::unique_ptr<Dispatcher> dispatcher_;
  ExpireCycle expire_cycle_;
  DefragCycle defrag_cycle_;
  bool may_be_over_limit_ = false;  // Of memory or tracked keys: to be looked at before waiting.
  std::thread thread_;

  std::shared_ptr<const Config> config_;
  std::shared_ptr<const Settings> settings_;
  uint64_t config_version_ = 0;
  int64_t unix_offset_us_ = 0;  // From steady to calendar time; Cron follows changes of the latter.
  MonoTime next_look_at_clients_{};
  MonoTime next_look_at_machine_{};  // By the first worker, for all.

  ClientMemory client_memory_;
  ClientBudget::Limit client_limit_;
  size_t held_back_output_bytes_ = std::numeric_limits<size_t>::max();
  bool clients_have_grown_ = false;  // Since the last look at their budget.
  // Another worker waits for this one to evict. Written by any thread; orders nothing, for whoever
  // evicts decides anew.
  std::atomic<bool> eviction_asked_{false};

  Connection* running_ = nullptr;

  Round round_;
  std::array<Request, Dispatcher::kBatch> requests_;
  absl::flat_hash_map<uint64_t, std::unique_ptr<Connection>> connections_;
  std::vector<std::unique_ptr<Connection>> closed_;  // Freed when the round's events are done.
  std::vector<uint64_t> to_flush_;
  std::vector<uint64_t> to_read_;
  std::vector<OutputBuffer> to_free_;
  size_t to_free_bytes_ = 0;
  int64_t closed_bytes_ = 0;  // What the connections in closed_ held.
  std::vector<uint64_t> paused_;
  // Written by the thread that adopts and the worker itself; read to choose the least loaded.
  std::atomic<int64_t> connection_count_{0};

  Mutex deliveries_mu_;  // A leaf lock.
  std::vector<Delivery> deliveries_ ABSL_GUARDED_BY(deliveries_mu_);
  std::atomic<bool> deliveries_waiting_{false};  // Written under the mutex.
};

}  // namespace larder
