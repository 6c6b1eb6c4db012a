// The part of the configuration that commands read. The server makes one from its configuration
// whenever that changes and hands it to every context.
//
// Concurrency: immutable once shared.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "eviction/eviction_policy.h"
#include "eviction/stampede_rule.h"
#include "storage/encoding_limits.h"

namespace larder {

// notify-keyspace-events, by Redis's letters.
enum NotifyClass : uint32_t {
  kNotifyKeyspace = 1u << 0,   // K
  kNotifyKeyevent = 1u << 1,   // E
  kNotifyGeneric = 1u << 2,    // g
  kNotifyString = 1u << 3,     // $
  kNotifyList = 1u << 4,       // l
  kNotifySet = 1u << 5,        // s
  kNotifyHash = 1u << 6,       // h
  kNotifySortedSet = 1u << 7,  // z
  kNotifyExpired = 1u << 8,    // x
  kNotifyEvicted = 1u << 9,    // e
  kNotifyStream = 1u << 10,    // t
  kNotifyKeyMiss = 1u << 11,   // m
  kNotifyModule = 1u << 12,    // d
  kNotifyNew = 1u << 13,       // n
};

struct Settings {
  int databases = 16;
  int64_t proto_max_bulk_bytes = 512LL * 1024 * 1024;
  uint32_t notify_events = 0;  // NotifyClasses.
  EvictionPolicy eviction_policy = EvictionPolicy::kNoEviction;
  int64_t maxmemory_bytes = 0;  // 0: no limit.
  int maxmemory_samples = 5;
  int64_t bless_max_keys = 10000;
  int64_t stampede_max_waiters = 100000;         // Clients that wait for what others load, in all
  int64_t stampede_max_waiters_per_key = 10000;  // and for one key.
  // Never null.
  std::shared_ptr<const StampedeRules> stampede_rules = std::make_shared<StampedeRules>();
  int64_t hit_ratio_max_prefixes = 0;  // 0: lookups are not counted by prefix.
  char hit_ratio_delimiter = ':';      // With which a prefix ends.
  int lfu_log_factor = 10;
  int lfu_decay_minutes = 1;
  bool miss_ratio_curve = false;  // Whether reads are noted for it.
  bool lazyfree_lazy_user_del = false;
  bool lazyfree_lazy_user_flush = false;
  bool lazyfree_lazy_server_del = false;
  bool lazyfree_lazy_expire = false;
  int64_t slowlog_log_slower_than_us = 10000;
  int64_t slowlog_max_len = 128;
  int64_t latency_monitor_threshold_ms = 0;
  bool latency_tracking = true;
  std::vector<double> latency_tracking_percentiles = {50, 99, 99.9};
  int64_t tracking_table_max_keys = 1000000;
  std::string requirepass;  // Empty: no password.
  EncodingLimits encoding;
  bool rdb_compression = true;  // Of long texts in serialized values.

  AccessOptions access_options() const {
    return {eviction_policy, lfu_log_factor, lfu_decay_minutes};
  }
};

}  // namespace larder
