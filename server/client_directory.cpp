#include "server/client_directory.h"

#include <algorithm>
#include <sys/socket.h>
#include <utility>

#include "base/check.h"

namespace larder {

void ClientRegistry::RegisterHost(uint32_t worker, ClientHost& host) {
  if (hosts_.size() <= worker) hosts_.resize(worker + 1, nullptr);
  hosts_[worker] = &host;
}

void ClientRegistry::Add(std::shared_ptr<ClientRecord> record) {
  LARDER_DCHECK(record->worker < hosts_.size());
  MutexLock lock(mu_);
  const uint64_t id = record->id;
  // Connections arrive almost in the order of their ids.
  clients_.emplace_hint(clients_.end(), id, std::move(record));
  size_.store(clients_.size(), std::memory_order_relaxed);
}

void ClientRegistry::Remove(uint64_t id) {
  MutexLock lock(mu_);
  clients_.erase(id);
  size_.store(clients_.size(), std::memory_order_relaxed);
}

std::vector<std::shared_ptr<ClientRecord>> ClientRegistry::All() const {
  std::vector<std::shared_ptr<ClientRecord>> all;
  MutexLock lock(mu_);
  all.reserve(clients_.size());
  for (const auto& [id, record] : clients_) all.push_back(record);
  return all;
}

std::shared_ptr<ClientRecord> ClientRegistry::Find(uint64_t id) const {
  MutexLock lock(mu_);
  const auto it = clients_.find(id);
  return it == clients_.end() ? nullptr : it->second;
}

bool ClientRegistry::Kill(const std::shared_ptr<ClientRecord>& client) {
  if (client->killed.exchange(true, std::memory_order_relaxed)) return false;
  {
    MutexLock lock(mu_);
    // Nobody finds it any more, and its peer sees the end before the killer has a reply, as with
    // Redis; only the descriptor is left for its thread to close. Until the owner has removed the
    // client from here, the descriptor is the client's.
    if (clients_.erase(client->id) > 0) shutdown(client->fd, SHUT_RDWR);
    size_.store(clients_.size(), std::memory_order_relaxed);
  }
  hosts_[client->worker]->KillClient(client->id);
  return true;
}

bool ClientRegistry::Unblock(uint64_t id, UnblockReason reason) {
  const std::shared_ptr<ClientRecord> client = Find(id);
  if (client == nullptr) return false;
  // Whoever takes the flag away has unblocked the client; the owner sets it anew for each wait.
  const uint32_t before = client->flags.fetch_and(~kClientBlocked, std::memory_order_relaxed);
  if ((before & kClientBlocked) == 0) return false;
  hosts_[client->worker]->UnblockClient(id, reason);
  return true;
}

void ClientRegistry::Pause(MonoTime until, PauseMode mode) {
  MutexLock lock(mu_);
  MonoTime end = until;
  if (Paused(MonoNow())) {
    // As in Redis, a second pause may lengthen the first or make it stricter, never ease it.
    end = std::max(until, paused_until());
    if (pause_mode() == PauseMode::kAll) mode = PauseMode::kAll;
  }
  pause_mode_.store(mode, std::memory_order_relaxed);
  paused_until_ns_.store(end.time_since_epoch().count(), std::memory_order_release);
}

void ClientRegistry::Unpause() {
  {
    MutexLock lock(mu_);
    paused_until_ns_.store(0, std::memory_order_release);
  }
  for (ClientHost* host : hosts_) host->ResumePaused();
}

void ClientRegistry::Deliver(const ClientRecord& client, BlobRef resp2, BlobRef resp3) {
  hosts_[client.worker]->DeliverToClient(client.id, std::move(resp2), std::move(resp3));
}

void ClientRegistry::EndWait(const ClientRecord& client, WaitResult result) {
  hosts_[client.worker]->EndWait(client.id, std::move(result));
}

}  // namespace larder
