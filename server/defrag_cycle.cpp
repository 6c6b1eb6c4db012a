#include "server/defrag_cycle.h"

#include <algorithm>

#include "base/memory_meter.h"
#include "commands/memory_figures.h"

namespace larder {
namespace {

constexpr auto kBetweenLooks = std::chrono::milliseconds(250);
// After a pass that moved less than one in so many allocations, what is wasted lies elsewhere.
constexpr int64_t kWorthwhilePart = 64;
constexpr auto kAfterIdlePass = std::chrono::seconds(10);
// Under a limit so large a part of it is reason enough, but not less than these bytes, for what
// goes beyond a 25th costs keys (PageBalance::Strain). More than a tenth would break what is
// promised.
constexpr int64_t kReasonPartOfLimit = 32;
constexpr int64_t kReasonOfAnyLimit = int64_t{8} << 20;
constexpr int64_t kUrgentPartOfLimit = 10;

int64_t ReasonBytes(const DefragCycle::Options& options) {
  if (options.maxmemory_bytes == 0) return options.ignored_bytes;
  return std::min(options.ignored_bytes,
                  std::max(kReasonOfAnyLimit, options.maxmemory_bytes / kReasonPartOfLimit));
}

// How far `value` has come from one to the other, in percent.
int64_t Progress(int64_t value, int64_t from, int64_t to) {
  return std::clamp<int64_t>((value - from) * 100 / std::max<int64_t>(1, to - from), 0, 100);
}

}  // namespace

int64_t DefragCycle::CpuPercent(const Options& options, int64_t wasted_bytes, int64_t used_bytes) {
  if (!options.enabled || used_bytes <= 0) return 0;
  const int64_t percent = wasted_bytes * 100 / used_bytes;
  const int64_t limit = options.maxmemory_bytes;
  const int64_t reason_bytes = ReasonBytes(options);
  if (wasted_bytes < reason_bytes) return 0;
  if (limit == 0 && percent < options.threshold_lower) return 0;
  int64_t urgency = Progress(percent, options.threshold_lower, options.threshold_upper);
  if (limit > 0) {
    urgency = std::max(urgency, Progress(wasted_bytes, reason_bytes, limit / kUrgentPartOfLimit));
  }
  const int64_t more = std::max<int64_t>(0, options.most_cpu_percent - options.least_cpu_percent);
  return options.least_cpu_percent + more * urgency / 100;
}

void DefragCycle::Consider(const Options& options, MonoTime now) {
  if (active() && !options.enabled) EndPass(now);
  if (active() || !options.enabled || now < next_look_ || !SlabUsage::available()) return;
  next_look_ = now + kBetweenLooks;
  const int64_t used_bytes = MemoryMeter::ProcessBytes();
  // Slabs can waste no more than this, and it is known without the allocator's locks.
  if (ResidentBytes() - used_bytes < ReasonBytes(options)) return;
  SlabUsage usage;
  cpu_percent_ = CpuPercent(options, usage.wasted_bytes(), used_bytes);
  if (cpu_percent_ == 0) return;
  usage_ = std::move(usage);
  shard_ = first_;
  db_ = 0;
  cursor_ = 0;
  next_slice_ = now;
  moved_before_pass_ = figures_.moved.Get();
  left_before_pass_ = figures_.left.Get();
  figures_.cpu_percent.Set(cpu_percent_);
  figures_.began_ns.Set(now.time_since_epoch().count());
}

std::chrono::nanoseconds DefragCycle::Run() {
  std::chrono::nanoseconds longest_hold{0};
  const MonoTime start = MonoNow();
  MonoTime before = start;
  while (active() && before - start < kSlice) {
    Shard& shard = keyspace_.shard(shard_);
    {
      MutexLock lock(shard.mu());
      Step(shard);
    }
    const MonoTime after = MonoNow();
    longest_hold = std::max<std::chrono::nanoseconds>(longest_hold, after - before);
    before = after;
    if (cursor_ == 0) NextTable();
    if (shard_ >= keyspace_.shard_count()) EndPass(after);
  }
  figures_.busy_ns.Add((before - start).count());
  next_slice_ = before + (before - start) * (100 - cpu_percent_) / cpu_percent_;
  return longest_hold;
}

void DefragCycle::Step(Shard& shard) {
  int64_t moved = 0;
  int64_t left = 0;
  for (int bucket = 0; bucket < kBucketsPerLock; ++bucket) {
    cursor_ = shard.Relocate(db_, cursor_, [&](void* memory, size_t bytes) {
      const bool is_sparse = usage_->IsSparse(memory, bytes);
      ++(is_sparse ? moved : left);
      return is_sparse ? MoveAllocation(memory, bytes) : memory;
    });
    if (cursor_ == 0) break;
  }
  figures_.moved.Add(moved);
  figures_.left.Add(left);
}

void DefragCycle::NextTable() {
  if (++db_ < keyspace_.databases()) return;
  db_ = 0;
  shard_ += stride_;
}

void DefragCycle::EndPass(MonoTime now) {
  usage_.reset();
  figures_.cpu_percent.Set(0);
  figures_.began_ns.Set(0);
  const int64_t moved = figures_.moved.Get() - moved_before_pass_;
  const int64_t left = figures_.left.Get() - left_before_pass_;
  if (moved * kWorthwhilePart < moved + left) next_look_ = now + kAfterIdlePass;
}

}  // namespace larder
