// The clients that run MONITOR, and the line that each of them gets for every request.
//
// Concurrency: guarded by its own mutex, after the shards' and before the workers' mailboxes;
// active() is a flag that every request reads.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "commands/client.h"
#include "commands/services.h"

namespace larder {

class MonitorFeed {
 public:
  explicit MonitorFeed(ClientDirectory& clients) : clients_(clients) {}

  bool active() const { return active_.load(std::memory_order_relaxed); }
  void Add(const std::shared_ptr<ClientRecord>& client);
  void Remove(uint64_t client_id);
  void Feed(const Client& sender, std::span<const std::string_view> args);
  size_t size() const;

 private:
  ClientDirectory& clients_;
  mutable Mutex mu_;
  std::vector<std::shared_ptr<ClientRecord>> monitors_ ABSL_GUARDED_BY(mu_);
  // Orders nothing: a request that just misses a new monitor is simply not shown to it.
  std::atomic<bool> active_{false};
};

}  // namespace larder
