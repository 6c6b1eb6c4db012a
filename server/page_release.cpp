#include "server/page_release.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

#include "base/allocator.h"
#include "base/memory_meter.h"
#include "base/scheduling.h"
#include "commands/memory_figures.h"
#include "eviction/memory_gauge.h"

namespace larder {
namespace {

constexpr auto kBetweenLooks = std::chrono::milliseconds(100);
// How much may stay free: this, and as large a part of what is in use.
constexpr int64_t kKeptBytes = int64_t{64} << 20;
constexpr int64_t kKeptPart = 16;
// Where there is a limit: so large a part of it, but not less than these bytes, for a small cache
// has room for them anyway.
constexpr int64_t kKeptPartOfLimit = 32;
constexpr int64_t kKeptOfAnyLimit = int64_t{8} << 20;
// And so large a part may be lost to fragmentation before eviction makes up for it. With what is
// kept and what comes in between two looks that is a tenth.
constexpr int64_t kLostPartOfLimit = 25;
constexpr int64_t kLostOfAnyLimit = int64_t{32} << 20;
// What is free for a moment only, FLUSHALL before the next load say, is not worth the faults.
constexpr int kLooksBeforeRelease = 10;
// While fragmentation costs keys, what moving entries together has emptied is wanted sooner.
constexpr int kLooksUnderStrain = 2;
// While keys are being deleted in numbers more pages become free all the time, and whoever frees
// them would wait for the allocator's locks: the release comes when that is over, or after so many
// looks.
constexpr int64_t kFallingPart = 640;
constexpr int kMostLooksPutOff = 300;

}  // namespace

bool PageBalance::WantsRelease(const Look& look) {
  const int64_t kept_bytes = kKeptBytes + look.used_bytes / kKeptPart;
  const int64_t limit_kept_bytes = std::max(kKeptOfAnyLimit, look.limit.bytes / kKeptPartOfLimit);
  unreleasable_bytes_ = std::min(unreleasable_bytes_, SpareOf(look));
  const int64_t free_bytes = SpareOf(look) - unreleasable_bytes_;
  const bool is_falling = look.used_bytes < last_used_bytes_ - last_used_bytes_ / kFallingPart;
  last_used_bytes_ = look.used_bytes;
  // Near the limit there is no time to wait.
  if (look.limit.bytes > 0 && look.resident_bytes > look.limit.bytes &&
      free_bytes > limit_kept_bytes) {
    return true;
  }
  // What moving entries together has emptied looks no different from what is lost: releasing tells.
  looks_strained_ = Strain(look) > 0 ? looks_strained_ + 1 : 0;
  if (looks_strained_ > kLooksUnderStrain) {
    looks_strained_ = 0;
    return true;
  }
  const bool are_too_many = free_bytes > kept_bytes;
  looks_too_many_ = are_too_many ? looks_too_many_ + 1 : 0;
  looks_put_off_ = are_too_many && is_falling ? looks_put_off_ + 1 : 0;
  const bool may_release = looks_put_off_ == 0 || looks_put_off_ > kMostLooksPutOff;
  if (looks_too_many_ <= kLooksBeforeRelease || !may_release) return false;
  looks_put_off_ = 0;
  return true;
}

int64_t PageBalance::Strain(const Look& look) const {
  if (look.limit.bytes == 0 || !look.limit.evicts) return 0;
  const int64_t lost_bytes = unreleasable_bytes_ - process_bytes_;
  const int64_t allowed_bytes = std::max(kLostOfAnyLimit, look.limit.bytes / kLostPartOfLimit);
  return std::max<int64_t>(0, lost_bytes - allowed_bytes);
}

PageRelease::PageRelease(std::function<PageBalance::Limit()> limit) : limit_(std::move(limit)) {
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

PageBalance::Look PageRelease::Look() const {
  return {.resident_bytes = ResidentBytes(),
          .used_bytes = MemoryMeter::ProcessBytes(),
          .limit = limit_()};
}

void PageRelease::Run() {
  GiveWayToOthers();
  MemoryMeter::ThreadBytes();
  PageBalance balance(Look());
  mu_.Lock();
  while (!stopping_) {
    changed_.WaitFor(mu_, kBetweenLooks);
    if (stopping_) break;
    mu_.Unlock();
    const PageBalance::Look look = Look();
    if (balance.WantsRelease(look)) {
      ReleaseFreeMemory();
      balance.AfterRelease(Look());
    }
    AllocatorGauge::SetStrain(balance.Strain(look));
    mu_.Lock();
  }
  mu_.Unlock();
}

}  // namespace larder
