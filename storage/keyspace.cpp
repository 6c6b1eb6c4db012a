#include "storage/keyspace.h"

#include <algorithm>
#include <bit>
#include <new>

#include "base/allocator.h"
#include "base/check.h"

namespace larder {

Keyspace::Keyspace(const Options& options)
    : shard_mask_(options.shards - 1),
      databases_(options.shard.databases),
      shards_(
          static_cast<Shard*>(AllocateAligned(options.shards * sizeof(Shard), alignof(Shard)))) {
  LARDER_CHECK(std::has_single_bit(options.shards) && options.shards <= kSlotCount);
  ShardOptions shard_options = options.shard;
  if (shard_options.lazy_free == nullptr) shard_options.lazy_free = &lazy_free_;
  if (shard_options.pinned_keys == nullptr) shard_options.pinned_keys = &pinned_keys_;
  for (uint32_t id = 0; id < options.shards; ++id) new (&shards_[id]) Shard(id, shard_options);
}

Keyspace::~Keyspace() {
  LARDER_CHECK(!snapshot_active_.load());
  for (uint32_t id = 0; id < shard_count(); ++id) shards_[id].~Shard();
  Deallocate(shards_, shard_count() * sizeof(Shard));
}

uint32_t Keyspace::DefaultShards(unsigned threads) {
  // With s shards and t busy threads a lock is found taken with a probability below t / s, and then
  // only for a fraction of a microsecond. Each time that another thread had a shard last, its
  // lock's cache line has to come over, which a prefetch hides as long as nobody takes it away
  // again before it is used: with 1024 shards two threads cost 1 to 5 % more a request than one,
  // with 256 it was 12 to 15 % (benchmarks/server/dispatch_bench.cpp).
  return std::clamp(std::bit_ceil(threads * 32), 1024u, kSlotCount / 4);
}

}  // namespace larder
