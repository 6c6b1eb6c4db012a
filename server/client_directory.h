// All connected clients, on whichever thread they live: who there is, and a way to reach each.
//
// The directory knows records, not connections. What concerns a connection is handed to the thread
// that owns it, through the ClientHost that it has registered.
//
// Concurrency: every call is safe from any thread, but RegisterHost, which comes before all others.
// mu_ comes after the shards' locks and is a leaf; no host is called with it held.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "base/blob.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "commands/services.h"
#include "server/wait_result.h"

namespace larder {

// A thread that owns connections. Every call is safe from any thread, with any lock held: it does
// not wait, and calls back neither the directory nor the hub nor the tracking table before it
// returns. A client that is gone by then is passed over.
class ClientHost {
 public:
  virtual ~ClientHost() = default;
  virtual void KillClient(uint64_t id) = 0;
  virtual void UnblockClient(uint64_t id, UnblockReason reason) = 0;
  // A client that waited for keys goes on with this.
  virtual void EndWait(uint64_t id, WaitResult result) = 0;
  // Messages for one client arrive in the order of the calls. RESP2 has no pushes: there a message
  // is dropped unless the client expects some when it arrives (kClientPubSub, kClientMonitor).
  virtual void DeliverToClient(uint64_t id, BlobRef resp2, BlobRef resp3) = 0;
  // On the host's own thread alone: what other threads have delivered so far goes into the output
  // of its clients now.
  virtual void DrainDeliveries() = 0;
  // CLIENT PAUSE has ended: those held back go on.
  virtual void ResumePaused() = 0;
};

class ClientRegistry final : public ClientDirectory {
 public:
  // Worker `worker` runs this host. Before any client connects; the host outlives them all.
  void RegisterHost(uint32_t worker, ClientHost& host);

  // Ids are given out in ascending order from 1 and never again.
  uint64_t NextId() { return next_id_.fetch_add(1, std::memory_order_relaxed); }
  // REQUIRES: record->id is from NextId(), record->worker has a host.
  void Add(std::shared_ptr<ClientRecord> record);
  // Does nothing if the client was removed already, by Kill.
  void Remove(uint64_t id);
  size_t size() const { return size_.load(std::memory_order_relaxed); }

  std::vector<std::shared_ptr<ClientRecord>> All() const override;
  std::shared_ptr<ClientRecord> Find(uint64_t id) const override;
  bool Kill(const std::shared_ptr<ClientRecord>& client) override;
  bool Unblock(uint64_t id, UnblockReason reason) override;
  void Pause(MonoTime until, PauseMode mode) override;
  void Unpause() override;
  void Deliver(const ClientRecord& client, BlobRef resp2, BlobRef resp3) override;
  // What a client waited for has come.
  void EndWait(const ClientRecord& client, WaitResult result);

  // Makes good the order of Deliver for the calling thread, which is worker `worker`'s: afterwards,
  // what others delivered to its clients before stands in their output.
  void DrainDeliveries(uint32_t worker) { hosts_[worker]->DrainDeliveries(); }

  // For every request: whether a pause may be on at all. One relaxed load.
  bool MayBePaused() const { return paused_until_ns_.load(std::memory_order_relaxed) != 0; }
  // Whether commands that write (or all, see the mode) are held back at `now`.
  bool Paused(MonoTime now) const { return now < paused_until(); }
  MonoTime paused_until() const {
    return MonoTime{std::chrono::nanoseconds(paused_until_ns_.load(std::memory_order_acquire))};
  }
  // REQUIRES: Paused.
  PauseMode pause_mode() const { return pause_mode_.load(std::memory_order_relaxed); }

 private:
  std::vector<ClientHost*> hosts_;  // By worker; fixed once clients connect.
  std::atomic<uint64_t> next_id_{1};
  std::atomic<size_t> size_{0};

  mutable Mutex mu_;
  std::map<uint64_t, std::shared_ptr<ClientRecord>> clients_ ABSL_GUARDED_BY(mu_);

  // Written under mu_, read by all. The release of the end orders the mode before it.
  std::atomic<int64_t> paused_until_ns_{0};  // Of MonoTime; 0: no pause since the last Unpause.
  std::atomic<PauseMode> pause_mode_{PauseMode::kWrite};
};

}  // namespace larder
