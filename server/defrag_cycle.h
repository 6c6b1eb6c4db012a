// Active defragmentation: while much of the allocator's slabs is empty, every worker moves entries
// of its share of the shards from sparse slabs to fuller ones, in slices so short that no client
// feels them. server/page_release.h then gives back the pages.
//
// Only the table knows where an entry lies, and only the entry where its blob does, so moving one
// is one pointer, under the shard's lock. A blob that a reply shares stays where it is, and so do
// collections.
//
// Concurrency: thread-confined to its worker's thread, except figures().
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "base/counter.h"
#include "base/slab_usage.h"
#include "storage/keyspace.h"

namespace larder {

class DefragCycle {
 public:
  struct Options {
    bool enabled = false;
    int64_t maxmemory_bytes = 0;    // 0: no limit.
    int64_t ignored_bytes = 0;      // Waste below this is no reason.
    int64_t threshold_lower = 0;    // Percent of waste over what is in use: from here on
    int64_t threshold_upper = 0;    // the cycle takes its least, from here its most.
    int64_t least_cpu_percent = 0;  // Of the worker's time.
    int64_t most_cpu_percent = 0;
  };
  struct Figures {
    Counter moved;  // Allocations.
    Counter left;   // Looked at, and not moved.
    Counter busy_ns;
    Counter cpu_percent;  // Of the pass under way, and when that began, as MonoTime counts;
    Counter began_ns;     // 0 if there is none.
  };

  // Works on shards `first`, first + stride, first + 2 * stride, ...
  DefragCycle(Keyspace& keyspace, uint32_t first, uint32_t stride)
      : keyspace_(keyspace), first_(first), stride_(stride) {}

  // How much of its time a worker is to spend, in percent, with so much waste in the slabs beside
  // what is in use; 0: none. Under a limit a small part of that is reason enough, too.
  static int64_t CpuPercent(const Options& options, int64_t wasted_bytes, int64_t used_bytes);

  // Looks whether there is reason for a pass, four times a second at most. Call ten times a second.
  void Consider(const Options& options, MonoTime now);
  bool active() const { return usage_.has_value(); }
  // REQUIRES: active(). How long until the next slice is due.
  std::chrono::nanoseconds UntilSlice(MonoTime now) const {
    return std::max<std::chrono::nanoseconds>(next_slice_ - now, std::chrono::nanoseconds(0));
  }
  // Works for about kSlice, or until the pass ends. Returns the longest hold of a shard's lock.
  // REQUIRES: active().
  std::chrono::nanoseconds Run();

  const Figures& figures() const { return figures_; }

 private:
  static constexpr std::chrono::microseconds kSlice{100};
  // Keeps the lock for some ten microseconds.
  static constexpr int kBucketsPerLock = 8;

  void Step(Shard& shard) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mu());
  void NextTable();
  void EndPass(MonoTime now);

  Keyspace& keyspace_;
  const uint32_t first_;
  const uint32_t stride_;
  std::optional<SlabUsage> usage_;  // Set during a pass.
  uint32_t shard_ = 0;
  int db_ = 0;
  uint64_t cursor_ = 0;
  int64_t cpu_percent_ = 0;
  int64_t moved_before_pass_ = 0;
  int64_t left_before_pass_ = 0;
  MonoTime next_look_{};
  MonoTime next_slice_{};
  Figures figures_;
};

}  // namespace larder
