// How much the keyspace holds, counted shard by shard.
#pragma once

#include <cstdint>
#include <vector>

#include "storage/type_usage.h"

namespace larder {

class CommandContext;

struct DatabaseFigures {
  int db = 0;
  int64_t keys = 0;
  int64_t volatile_keys = 0;  // With a TTL.
  int64_t average_ttl_ms = 0;

  int64_t table_bytes() const { return keys * kTableBytesPerKey; }

  // A key's share of a bucket of 64 bytes, at the average fill.
  static constexpr int64_t kTableBytesPerKey = 12;
};

struct KeyspaceFigures {
  std::vector<DatabaseFigures> databases;  // Those that are not empty.
  int64_t keys = 0;
  int64_t shard_bytes = 0;   // Entries, values and tables.
  int64_t table_bytes = 0;   // Of these, the tables' own.
  int64_t watched_keys = 0;  // Of WATCH.
  UsageByType by_type = {};
  int64_t blessed_keys = 0;  // Never evicted.
  int64_t blessed_bytes = 0;
};

// REQUIRES: the command's row is flagged kShardByShard (or kAllShards).
KeyspaceFigures CollectKeyspace(CommandContext& ctx);

}  // namespace larder
