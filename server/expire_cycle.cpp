#include "server/expire_cycle.h"

#include <algorithm>

namespace larder {

ExpireCycle::Slice ExpireCycle::Run(UnixMillis now) {
  Slice slice;
  const MonoTime end = MonoNow() + kSlice;
  MonoTime before = MonoNow();
  while (active_ && before < end) {
    Shard& shard = keyspace_.shard(next_shard_);
    Shard::ExpireResult result;
    {
      MutexLock lock(shard.mu());
      result = shard.ExpireSome(now, kBucketsPerLock);
    }
    const MonoTime after = MonoNow();
    slice.longest_hold = std::max<std::chrono::nanoseconds>(slice.longest_hold, after - before);
    before = after;
    slice.expired += result.expired;
    if (result.more) continue;
    next_shard_ += stride_;
    if (next_shard_ >= keyspace_.shard_count()) active_ = false;
  }
  return slice;
}

}  // namespace larder
