#include "commands/keyspace_figures.h"

#include "commands/command_context.h"
#include "commands/watch_table.h"

namespace larder {
namespace {

// The average TTL is an estimate; so many shards, at 16 keys each, are sample enough.
constexpr int64_t kSampledShards = 16;

struct Ttl {
  int64_t weighted_sum = 0;
  int64_t keys = 0;
  int64_t shards = 0;
};

void AddDatabase(CommandContext& ctx, Shard& shard, DatabaseFigures& figures, Ttl& ttl) {
  shard.mu().AssertHeld();
  const auto volatile_keys = static_cast<int64_t>(shard.volatile_size(figures.db));
  figures.keys += static_cast<int64_t>(shard.size(figures.db));
  figures.volatile_keys += volatile_keys;
  if (volatile_keys == 0 || ttl.shards == kSampledShards) return;
  ttl.weighted_sum += shard.AverageTtl(figures.db, ctx.now(), ctx.random()) * volatile_keys;
  ttl.keys += volatile_keys;
  ++ttl.shards;
}

void AddBlessed(Shard& shard, int db, KeyspaceFigures& all) {
  shard.mu().AssertHeld();
  shard.ForEachPinned(db, [&](const Entry& entry) {
    ++all.blessed_keys;
    all.blessed_bytes += static_cast<int64_t>(entry.allocated_bytes());
  });
}

}  // namespace

KeyspaceFigures CollectKeyspace(CommandContext& ctx) {
  KeyspaceFigures all;
  std::vector<DatabaseFigures> databases(static_cast<size_t>(ctx.settings().databases));
  std::vector<Ttl> ttls(databases.size());
  ctx.ForEachShard([&](Shard& shard) {
    shard.mu().AssertHeld();
    for (size_t i = 0; i < databases.size(); ++i) {
      databases[i].db = static_cast<int>(i);
      if (shard.size(databases[i].db) == 0) continue;
      AddDatabase(ctx, shard, databases[i], ttls[i]);
      AddBlessed(shard, databases[i].db, all);
    }
    shard.AddUsageTo(all.by_type);
    all.shard_bytes += static_cast<int64_t>(shard.memory_bytes());
    all.watched_keys += static_cast<int64_t>(ctx.server().watches(shard.id()).size());
    return true;
  });
  for (size_t i = 0; i < databases.size(); ++i) {
    if (databases[i].keys == 0) continue;
    if (ttls[i].keys > 0) databases[i].average_ttl_ms = ttls[i].weighted_sum / ttls[i].keys;
    all.keys += databases[i].keys;
    all.table_bytes += databases[i].table_bytes();
    all.databases.push_back(databases[i]);
  }
  return all;
}

}  // namespace larder
