#include "eviction/overhead_meter.h"

#include <algorithm>
#include <atomic>
#include <utility>
#include <vector>

#include "base/counter.h"
#include "base/mutex.h"

namespace larder {
namespace {

class ThreadOverhead;

struct Registry {
  Mutex mu;  // A leaf lock.
  std::vector<const ThreadOverhead*> threads ABSL_GUARDED_BY(mu);
  std::atomic<int64_t> budget_bytes{0};  // Orders nothing.
};

Registry& TheRegistry() {
  static Registry* const registry = new Registry;  // Outlives every thread.
  return *registry;
}

// In the registry for as long as its thread lives.
class ThreadOverhead {
 public:
  ThreadOverhead() {
    MutexLock lock(TheRegistry().mu);
    TheRegistry().threads.push_back(this);
  }
  ~ThreadOverhead() {
    MutexLock lock(TheRegistry().mu);
    std::erase(TheRegistry().threads, this);
  }
  ThreadOverhead(const ThreadOverhead&) = delete;
  ThreadOverhead& operator=(const ThreadOverhead&) = delete;

  Counter bytes;
  std::function<void()> refresher;  // The thread's own.
};

ThreadOverhead& Own() {
  thread_local ThreadOverhead own;
  return own;
}

}  // namespace

void OverheadMeter::SetThreadBytes(int64_t bytes) { Own().bytes.Set(bytes); }

int64_t OverheadMeter::ThreadBytes() { return Own().bytes.Get(); }

void OverheadMeter::SetRefresher(std::function<void()> refresher) {
  Own().refresher = std::move(refresher);
}

void OverheadMeter::SetBudget(int64_t bytes) {
  TheRegistry().budget_bytes.store(bytes, std::memory_order_relaxed);
}

int64_t OverheadMeter::ExemptBytes() {
  if (Own().refresher) Own().refresher();
  Registry& registry = TheRegistry();
  int64_t bytes = 0;
  {
    MutexLock lock(registry.mu);
    for (const ThreadOverhead* thread : registry.threads) bytes += thread->bytes.Get();
  }
  return std::clamp<int64_t>(bytes, 0, registry.budget_bytes.load(std::memory_order_relaxed));
}

}  // namespace larder
