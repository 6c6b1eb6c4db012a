#include "server/settings_from_config.h"

namespace larder {
namespace {

static_assert(keyspace_event::kExpired == kNotifyExpired &&
                  keyspace_event::kModule == kNotifyModule &&
                  keyspace_event::kNewKey == kNotifyNew &&
                  keyspace_event::kKeyMiss == kNotifyKeyMiss,
              "both sides use the bits that Redis uses");

}  // namespace

Settings SettingsFromConfig(const Config& config) {
  Settings settings;
  settings.databases = static_cast<int>(config.databases);
  settings.proto_max_bulk_bytes = config.proto_max_bulk_bytes;
  settings.notify_events = config.notify_keyspace_events;
  settings.eviction_policy = config.max_memory_policy;
  settings.maxmemory_bytes = config.max_memory_bytes;
  settings.maxmemory_samples = static_cast<int>(config.max_memory_samples);
  settings.bless_max_keys = config.bless_max_keys;
  settings.stampede_rules = std::make_shared<StampedeRules>(config.stampede_rules);
  settings.stampede_max_waiters = config.stampede_max_waiters;
  settings.stampede_max_waiters_per_key = config.stampede_max_waiters_per_key;
  settings.lfu_log_factor = static_cast<int>(config.lfu_log_factor);
  settings.lfu_decay_minutes = static_cast<int>(config.lfu_decay_minutes);
  settings.miss_ratio_curve = config.miss_ratio_curve;
  settings.lazyfree_lazy_user_del = config.lazyfree_lazy_user_del;
  settings.lazyfree_lazy_user_flush = config.lazyfree_lazy_user_flush;
  settings.lazyfree_lazy_server_del = config.lazyfree_lazy_server_del;
  settings.lazyfree_lazy_expire = config.lazyfree_lazy_expire;
  settings.slowlog_log_slower_than_us = config.slowlog_log_slower_than_us;
  settings.hit_ratio_max_prefixes = config.hit_ratio_max_prefixes;
  settings.hit_ratio_delimiter = config.hit_ratio_delimiter[0];
  settings.slowlog_max_len = config.slowlog_max_entries;
  settings.latency_monitor_threshold_ms = config.latency_monitor_threshold_ms;
  settings.latency_tracking = config.latency_tracking;
  settings.latency_tracking_percentiles = config.latency_tracking_percentiles;
  settings.tracking_table_max_keys = config.tracking_table_max_keys;
  settings.requirepass = config.require_pass;
  settings.rdb_compression = config.rdb_compression;
  settings.encoding = {
      .hash_max_listpack_entries = static_cast<size_t>(config.hash_max_listpack_entries),
      .hash_max_listpack_value = static_cast<size_t>(config.hash_max_listpack_value_bytes),
      .list_max_listpack_size = config.list_max_listpack_size,
      .list_compress_depth = config.list_compress_depth,
      .set_max_intset_entries = static_cast<size_t>(config.set_max_intset_entries),
      .set_max_listpack_entries = static_cast<size_t>(config.set_max_listpack_entries),
      .set_max_listpack_value = static_cast<size_t>(config.set_max_listpack_value_bytes),
      .zset_max_listpack_entries = static_cast<size_t>(config.zset_max_listpack_entries),
      .zset_max_listpack_value = static_cast<size_t>(config.zset_max_listpack_value_bytes),
      .hll_sparse_max_bytes = static_cast<size_t>(config.hll_sparse_max_bytes),
      .stream_node_max_bytes = static_cast<size_t>(config.stream_node_max_bytes),
      .stream_node_max_entries = config.stream_node_max_entries,
  };
  return settings;
}

}  // namespace larder
