#include "server/shard_locks.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"

namespace larder {

void ShardLocks::AddAll() {
  ids_.resize(keyspace_.shard_count());
  std::iota(ids_.begin(), ids_.end(), 0u);
}

void ShardLocks::Lock() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  LARDER_DCHECK(!locked_);
  std::sort(ids_.begin(), ids_.end());
  ids_.erase(std::unique(ids_.begin(), ids_.end()), ids_.end());
  for (const uint32_t id : ids_) keyspace_.shard(id).mu().Lock();
  locked_ = true;
}

void ShardLocks::Unlock() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (locked_) {
    for (const uint32_t id : ids_) keyspace_.shard(id).mu().Unlock();
  }
  locked_ = false;
  ids_.clear();
}

}  // namespace larder
