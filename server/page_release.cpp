#include "server/page_release.h"

#include <chrono>
#include <cstddef>

#include "base/allocator.h"

namespace larder {
namespace {

constexpr auto kBetweenLooks = std::chrono::seconds(1);
// How much may stay free: this, and as large a part of what is in use.
constexpr size_t kKeptBytes = size_t{64} << 20;
constexpr size_t kKeptPart = 16;

bool TooMuchIsFree() {
  const AllocatorStats stats = GetAllocatorStats();
  return stats.dirty > kKeptBytes + stats.active / kKeptPart;
}

}  // namespace

PageRelease::PageRelease() {
  KeepFreePages();
  thread_ = std::thread([this] { Run(); });
}

PageRelease::~PageRelease() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  thread_.join();
}

void PageRelease::Run() {
  bool was_too_much = false;
  mu_.Lock();
  while (!stopping_) {
    changed_.WaitFor(mu_, kBetweenLooks);
    if (stopping_) break;
    mu_.Unlock();
    // What is free for a moment only, FLUSHALL before the next load say, is not worth the faults.
    const bool is_too_much = TooMuchIsFree();
    if (is_too_much && was_too_much) ReleaseFreeMemory();
    was_too_much = is_too_much;
    mu_.Lock();
  }
  mu_.Unlock();
}

}  // namespace larder
