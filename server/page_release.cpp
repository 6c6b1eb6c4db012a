#include "server/page_release.h"

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "base/allocator.h"
#include "base/memory_meter.h"
#include "base/scheduling.h"
#include "commands/memory_figures.h"

namespace larder {
namespace {

constexpr auto kBetweenLooks = std::chrono::seconds(1);
// How much may stay free: this, and as large a part of what is in use.
constexpr int64_t kKeptBytes = int64_t{64} << 20;
constexpr int64_t kKeptPart = 16;
// While keys are being deleted in numbers more pages become free all the time, and whoever frees
// them would wait for the allocator's locks: the release comes when that is over, or after so many
// looks.
constexpr int64_t kFallingPart = 64;
constexpr int kMostLooksPutOff = 30;

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
  GiveWayToOthers();
  // Resident but not allocated after the last release: code, stacks, fragments of pages. Nothing
  // can be released of that.
  int64_t fixed_bytes = 0;
  bool was_too_much = false;
  int64_t last_used_bytes = 0;
  int put_off = 0;
  MemoryMeter::ThreadBytes();
  mu_.Lock();
  while (!stopping_) {
    changed_.WaitFor(mu_, kBetweenLooks);
    if (stopping_) break;
    mu_.Unlock();
    // What is free for a moment only, FLUSHALL before the next load say, is not worth the faults.
    const int64_t used_bytes = MemoryMeter::ProcessBytes();
    const int64_t spare_bytes = ResidentBytes() - used_bytes;
    fixed_bytes = std::min(fixed_bytes, spare_bytes);
    const bool is_too_much = spare_bytes - fixed_bytes > kKeptBytes + used_bytes / kKeptPart;
    const bool is_falling = used_bytes < last_used_bytes - last_used_bytes / kFallingPart;
    last_used_bytes = used_bytes;
    put_off = is_too_much && is_falling ? put_off + 1 : 0;
    const bool may_release = put_off == 0 || put_off > kMostLooksPutOff;
    if (is_too_much && was_too_much && may_release) {
      ReleaseFreeMemory();
      put_off = 0;
      fixed_bytes = ResidentBytes() - MemoryMeter::ProcessBytes();
    }
    was_too_much = is_too_much;
    mu_.Lock();
  }
  mu_.Unlock();
}

}  // namespace larder
