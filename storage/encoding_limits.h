// Up to where a collection is held in its compact encoding, by the directives of these names.
//
// Concurrency: plain data.
#pragma once

#include <cstddef>
#include <cstdint>

namespace larder {

struct EncodingLimits {
  size_t hash_max_listpack_entries = 512;
  size_t hash_max_listpack_value = 64;
  int64_t list_max_listpack_size = -2;  // Elements, or when negative 4 KiB << (-size - 1).
  int64_t list_compress_depth = 0;
  size_t set_max_intset_entries = 512;
  size_t set_max_listpack_entries = 128;
  size_t set_max_listpack_value = 64;
  size_t zset_max_listpack_entries = 128;
  size_t zset_max_listpack_value = 64;
  size_t hll_sparse_max_bytes = 3000;
  size_t stream_node_max_bytes = 4096;
  int64_t stream_node_max_entries = 100;
};

}  // namespace larder
