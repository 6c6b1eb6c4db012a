#include "base/memory_meter.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <thread>
#include <vector>

#include "base/allocator.h"
#include "base/mutex.h"

#if LARDER_JEMALLOC
#include <jemalloc/jemalloc.h>
#endif

namespace larder {

#if LARDER_JEMALLOC

namespace {

class ThreadWords;

struct Registry {
  Mutex mu;  // A leaf lock.
  std::vector<const ThreadWords*> threads ABSL_GUARDED_BY(mu);
  // What threads that have ended left behind, and what threads that never came here hold.
  int64_t others_bytes ABSL_GUARDED_BY(mu) = 0;
  bool calibrated ABSL_GUARDED_BY(mu) = false;
};

Registry& TheRegistry() {
  static Registry* const registry = new Registry;  // Outlives every thread.
  return *registry;
}

uint64_t* WordNamed(const char* name) {
  uint64_t* word = nullptr;
  size_t length = sizeof(word);
  mallctl(name, &word, &length, nullptr, 0);
  return word;
}

// jemalloc's two words of one thread, in the registry for as long as the thread lives. Thread-local
// objects go before the allocator's own thread state does, so the addresses stay good until then.
class ThreadWords {
 public:
  ThreadWords()
      : allocated_(WordNamed("thread.allocatedp")), deallocated_(WordNamed("thread.deallocatedp")) {
    MutexLock lock(TheRegistry().mu);
    TheRegistry().threads.push_back(this);
  }
  ~ThreadWords() {
    MutexLock lock(TheRegistry().mu);
    std::erase(TheRegistry().threads, this);
    TheRegistry().others_bytes += bytes();
  }

  // The owner writes plain 64-bit words; on every processor that Larder runs on, a load sees the
  // old value or the new one.
  int64_t bytes() const { return static_cast<int64_t>(Load(allocated_) - Load(deallocated_)); }

 private:
  static uint64_t Load(uint64_t* word) {
    return std::atomic_ref<uint64_t>(*word).load(std::memory_order_relaxed);
  }

  uint64_t* const allocated_;
  uint64_t* const deallocated_;
};

const ThreadWords& OwnWords() {
  thread_local const ThreadWords words;
  return words;
}

int64_t SumOfThreads(const Registry& registry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(registry.mu) {
  int64_t bytes = 0;
  for (const ThreadWords* thread : registry.threads) bytes += thread->bytes();
  return bytes;
}

}  // namespace

bool MemoryMeter::available() { return true; }

int64_t MemoryMeter::ThreadBytes() { return OwnWords().bytes(); }

int64_t MemoryMeter::ProcessBytes() {
  OwnWords();
  Registry& registry = TheRegistry();
  {
    MutexLock lock(registry.mu);
    if (registry.calibrated) return registry.others_bytes + SumOfThreads(registry);
  }
  Calibrate();
  MutexLock lock(registry.mu);
  return registry.others_bytes + SumOfThreads(registry);
}

// A large allocation is in the allocator's figure a moment before it is in its thread's word. What
// is much more than before is only believed if it is still there when other threads had their turn.
void MemoryMeter::Calibrate() {
  constexpr int kLooks = 4;
  constexpr int64_t kMuchBytes = int64_t{128} << 10;
  Registry& registry = TheRegistry();
  int64_t lowest = std::numeric_limits<int64_t>::max();
  for (int look = 1; look <= kLooks; ++look) {
    const auto total = static_cast<int64_t>(AllocatedBytes());
    {
      MutexLock lock(registry.mu);
      lowest = std::min(lowest, total - SumOfThreads(registry));
      const bool is_usual = lowest <= registry.others_bytes + kMuchBytes;
      if (is_usual || !registry.calibrated || look == kLooks) {
        registry.others_bytes = lowest;
        registry.calibrated = true;
        return;
      }
    }
    std::this_thread::yield();
  }
}

int MemoryMeter::threads() {
  Registry& registry = TheRegistry();
  MutexLock lock(registry.mu);
  return static_cast<int>(registry.threads.size());
}

#else

bool MemoryMeter::available() { return false; }
int64_t MemoryMeter::ThreadBytes() { return 0; }
int64_t MemoryMeter::ProcessBytes() { return 0; }
void MemoryMeter::Calibrate() {}
int MemoryMeter::threads() { return 1; }

#endif

}  // namespace larder
