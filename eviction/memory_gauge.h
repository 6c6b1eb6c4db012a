// Whether memory is within its limit, asked before every command that may add data.
//
// Concurrency: thread-confined; every thread has its own.
#pragma once

#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "storage/keyspace.h"

namespace larder {

class MemoryGauge {
 public:
  virtual ~MemoryGauge() = default;

  // Whether at most `limit_bytes` are in use.
  virtual bool Within(int64_t limit_bytes) = 0;
  // What is in use now, without the overhead that has a budget of its own (overhead_meter.h).
  // REQUIRES: the caller holds no shard's lock.
  virtual int64_t UsedBytes() = 0;
  // How much of that nobody holds: it is lost to fragmentation, and evicting can win it back, but
  // refusing a write cannot.
  virtual int64_t StrainBytes() const { return 0; }
};

// By what the allocator holds, for the whole process, and what fragmentation costs beyond what a
// limit allows for. While there is room, a thread that has asked once may allocate its share of
// half of it before it looks at other threads again: that is one comparison with a counter of its
// own.
class AllocatorGauge : public MemoryGauge {
 public:
  // What data has to make up for, in every gauge of the process, because pages are lost to
  // fragmentation. Whoever watches the pages says so; any thread.
  static void SetStrain(int64_t bytes);

  bool Within(int64_t limit_bytes) override;
  int64_t UsedBytes() override;
  int64_t StrainBytes() const override;

 private:
  // The allocator's own figure costs more than a thousand comparisons; the sum of the threads'
  // counters strays from it only by what unknown threads do.
  static constexpr std::chrono::milliseconds kCalibrationInterval{10};

  int64_t limit_bytes_ = -1;  // That `permitted_bytes_` was computed for.
  int64_t permitted_strain_ = 0;
  int64_t permitted_bytes_ = 0;  // Of this thread: below it no total is needed.
  MonoTime calibrated_at_{};
};

// By what the shards hold, where the allocator does not count for threads (sanitizers), and where
// tests want figures that depend on nothing else. Locks every shard in turn.
class ShardGauge : public MemoryGauge {
 public:
  explicit ShardGauge(Keyspace& keyspace) : keyspace_(keyspace) {}
  bool Within(int64_t limit_bytes) override { return UsedBytes() <= limit_bytes; }
  int64_t UsedBytes() override;

 private:
  Keyspace& keyspace_;
};

// The best that this build has.
std::unique_ptr<MemoryGauge> MakeMemoryGauge(Keyspace& keyspace);

}  // namespace larder
