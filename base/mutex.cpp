#include "base/mutex.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace larder {
namespace {

// About a microsecond: longer than any single-key command holds a shard, shorter than a sleep.
constexpr int kSpins = 60;

void Pause() {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

}  // namespace

void Mutex::LockSlow() {
  for (int i = 0; i < kSpins; ++i) {
    if (state_.load(std::memory_order_relaxed) == kFree && TryLock()) return;
    Pause();
  }
  while (state_.exchange(kHeldAndWanted, std::memory_order_acquire) != kFree) {
    state_.wait(kHeldAndWanted, std::memory_order_relaxed);
  }
}

void Mutex::WakeOne() { state_.notify_one(); }

}  // namespace larder
