#include "eviction/memory_gauge.h"

#include <algorithm>
#include <atomic>
#include <limits>

#include "base/memory_meter.h"
#include "eviction/overhead_meter.h"

namespace larder {
namespace {

std::atomic<int64_t> strain_bytes{0};  // Relaxed: a figure that stands alone.

}  // namespace

void AllocatorGauge::SetStrain(int64_t bytes) {
  strain_bytes.store(bytes, std::memory_order_relaxed);
}

bool AllocatorGauge::Within(int64_t limit_bytes) {
  const int64_t own_bytes = MemoryMeter::ThreadBytes() - OverheadMeter::ThreadBytes();
  // A thread that frees much stays below what it was permitted for long; strain must not wait.
  const int64_t strain = StrainBytes();
  if (limit_bytes == limit_bytes_ && strain <= permitted_strain_ && own_bytes <= permitted_bytes_)
      [[likely]] {
    return true;
  }
  const int64_t used_bytes = UsedBytes();
  limit_bytes_ = limit_bytes;
  permitted_strain_ = strain;
  if (used_bytes > limit_bytes) {
    permitted_bytes_ = std::numeric_limits<int64_t>::min();
    return false;
  }
  permitted_bytes_ = own_bytes + (limit_bytes - used_bytes) / (2 * MemoryMeter::threads());
  return true;
}

int64_t AllocatorGauge::UsedBytes() {
  const MonoTime now = MonoNow();
  if (now - calibrated_at_ >= kCalibrationInterval) {
    calibrated_at_ = now;
    MemoryMeter::Calibrate();
  }
  // Who holds overhead says so before it is allocated, and that it is gone once it has been freed.
  // Asked on both sides, neither can make it look like data.
  const int64_t exempt_before = OverheadMeter::ExemptBytes();
  const int64_t used_bytes = MemoryMeter::ProcessBytes() + StrainBytes();
  return used_bytes - std::max(exempt_before, OverheadMeter::ExemptBytes());
}

int64_t AllocatorGauge::StrainBytes() const { return strain_bytes.load(std::memory_order_relaxed); }

int64_t ShardGauge::UsedBytes() {
  int64_t bytes = 0;
  for (uint32_t id = 0; id < keyspace_.shard_count(); ++id) {
    Shard& shard = keyspace_.shard(id);
    MutexLock lock(shard.mu());
    bytes += static_cast<int64_t>(shard.memory_bytes());
  }
  return bytes;
}

std::unique_ptr<MemoryGauge> MakeMemoryGauge(Keyspace& keyspace) {
  if (MemoryMeter::available()) return std::make_unique<AllocatorGauge>();
  return std::make_unique<ShardGauge>(keyspace);
}

}  // namespace larder
