// What can be configured, as plain data. ConfigStore (config_store.h) owns the current one and
// hands out immutable snapshots; the table in config_directives.cpp says how each member is called
// in larder.conf, CONFIG SET and on the command line.
//
// Concurrency: a Config that somebody else can see is immutable; a change is a new object.
//
// A member's initialiser is the directive's default. To add a setting: add the member here and its
// row in the table.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "eviction/eviction_policy.h"
#include "eviction/stampede_rule.h"
#include "server/machine_memory.h"

namespace larder {

inline constexpr int64_t kKiB = 1024;
inline constexpr int64_t kMiB = 1024 * kKiB;
inline constexpr int64_t kGiB = 1024 * kMiB;

enum class LogLevel { kDebug, kVerbose, kNotice, kWarning, kNothing };

// Who may use a dangerous command: nobody, everybody, or connections from this machine.
enum class ProtectedAction { kNo, kYes, kLocal };

enum class Supervision { kUpstart, kSystemd, kAuto, kNone };
enum class OomScoreAdjust { kNo, kRelative, kAbsolute };
enum class SanitizeDump { kNo, kYes, kClients };
enum class AppendFsync { kEverySecond, kAlways, kNever };

// One "after `seconds` if at least `changes` keys changed" of the directive `save`.
struct SavePoint {
  int64_t seconds = 0;
  int64_t changes = 0;
  friend bool operator==(const SavePoint&, const SavePoint&) = default;
};

// How much may wait for a client that does not read; zero is no limit.
struct OutputBufferLimit {
  int64_t hard_bytes = 0;
  int64_t soft_bytes = 0;
  int64_t soft_seconds = 0;
  friend bool operator==(const OutputBufferLimit&, const OutputBufferLimit&) = default;
};

// An amount of memory, or a share of maxmemory when `percent` is not zero; `auto` leaves the amount
// to Larder.
struct MemoryOrPercent {
  int64_t bytes = 0;
  int64_t percent = 0;
  bool is_auto = false;

  int64_t BytesOf(int64_t max_memory_bytes) const {
    return percent == 0 ? bytes
                        : static_cast<int64_t>(static_cast<double>(max_memory_bytes) *
                                               static_cast<double>(percent) / 100);
  }
  friend bool operator==(const MemoryOrPercent&, const MemoryOrPercent&) = default;
};

// A line `rename-command old new`; an empty new name takes the command away.
struct CommandRename {
  std::string from;
  std::string to;
  friend bool operator==(const CommandRename&, const CommandRename&) = default;
};

// A line `name word word...` that is kept for the part of the server that understands it.
struct ConfigLine {
  std::vector<std::string> words;
  friend bool operator==(const ConfigLine&, const ConfigLine&) = default;
};

// The classes of notify-keyspace-events, with the bits of NotifyClass in commands/settings.h.
namespace keyspace_event {
inline constexpr uint32_t kKeyspace = 1u << 0;   // K
inline constexpr uint32_t kKeyevent = 1u << 1;   // E
inline constexpr uint32_t kGeneric = 1u << 2;    // g
inline constexpr uint32_t kString = 1u << 3;     // $
inline constexpr uint32_t kList = 1u << 4;       // l
inline constexpr uint32_t kSet = 1u << 5;        // s
inline constexpr uint32_t kHash = 1u << 6;       // h
inline constexpr uint32_t kSortedSet = 1u << 7;  // z
inline constexpr uint32_t kExpired = 1u << 8;    // x
inline constexpr uint32_t kEvicted = 1u << 9;    // e
inline constexpr uint32_t kStream = 1u << 10;    // t
inline constexpr uint32_t kKeyMiss = 1u << 11;   // m, not part of A
inline constexpr uint32_t kModule = 1u << 12;    // d
inline constexpr uint32_t kNewKey = 1u << 13;    // n, not part of A
inline constexpr uint32_t kAll = kGeneric | kString | kList | kSet | kHash | kSortedSet | kExpired |
                                 kEvicted | kStream | kModule;  // A
}  // namespace keyspace_event

// The bits of shutdown-on-sigterm and shutdown-on-sigint; none set is `default`.
namespace shutdown_flag {
inline constexpr uint32_t kSave = 1u << 0;
inline constexpr uint32_t kNoSave = 1u << 1;
inline constexpr uint32_t kNow = 1u << 2;
inline constexpr uint32_t kForce = 1u << 3;
}  // namespace shutdown_flag

struct Config {
  // --- Network ---
  std::vector<std::string> bind_addresses = {"*", "-::*"};  // "-": may be missing on this machine.
  std::string bind_source_address;
  int64_t port = 6379;  // 0: no TCP.
  int64_t tcp_backlog = 511;
  std::string unix_socket;           // Empty: none.
  int64_t unix_socket_mode = 0;      // 0: as the umask has it.
  int64_t idle_timeout_seconds = 0;  // 0: never.
  int64_t tcp_keepalive_seconds = 300;
  int64_t request_gather_us = 40;  // Of many clients at once; 0: none waits for others.
  int64_t socket_mark_id = 0;
  bool protected_mode = true;
  int64_t max_clients = 10000;
  int64_t client_query_buffer_limit_bytes = kGiB;
  int64_t proto_max_bulk_bytes = 512 * kMiB;
  // Redis lets what waits for a normal client grow without bound; Larder is bounded by default.
  OutputBufferLimit normal_output_limit = {
      .hard_bytes = 256 * kMiB, .soft_bytes = 64 * kMiB, .soft_seconds = 60};
  OutputBufferLimit replica_output_limit = {
      .hard_bytes = 256 * kMiB, .soft_bytes = 64 * kMiB, .soft_seconds = 60};
  OutputBufferLimit pubsub_output_limit = {
      .hard_bytes = 32 * kMiB, .soft_bytes = 8 * kMiB, .soft_seconds = 60};
  // Of all clients together. Redis has no such limit by default.
  MemoryOrPercent max_memory_clients = {.is_auto = true};

  // --- Process ---
  int64_t threads = 0;  // 0 until ConfigStore has put the number of cores here.
  bool daemonize = false;
  Supervision supervised = Supervision::kNone;
  std::string pid_file;
  std::string dir;  // Absolute; empty: where the server was started. The server changes to it.
  LogLevel log_level = LogLevel::kNotice;
  std::string log_file;  // Empty: standard output.
  bool syslog_enabled = false;
  std::string syslog_ident = "larder";
  int64_t syslog_facility = 0;  // 0: LOG_LOCAL0 ... 7: LOG_LOCAL7, -1: LOG_USER.
  bool always_show_logo = false;
  bool set_proc_title = true;
  std::string proc_title_template = "{title} {listen-addr} {server-mode}";
  bool crash_log_enabled = true;
  OomScoreAdjust oom_score_adjust = OomScoreAdjust::kNo;
  std::array<int64_t, 3> oom_score_adjust_values = {0, 200, 800};
  int64_t shutdown_timeout_seconds = 10;
  uint32_t shutdown_on_sigterm = 0;
  uint32_t shutdown_on_sigint = 0;

  // --- Security ---
  std::string require_pass;  // Empty: none.
  std::string acl_file;
  bool acl_pubsub_all_channels = false;
  int64_t acl_log_max_entries = 128;
  ProtectedAction enable_protected_configs = ProtectedAction::kNo;
  ProtectedAction enable_debug_command = ProtectedAction::kNo;
  ProtectedAction enable_module_command = ProtectedAction::kNo;
  std::vector<CommandRename> renamed_commands;
  std::vector<ConfigLine> modules;  // Lines `loadmodule path argument...`, without `loadmodule`.

  // --- Keyspace and time ---
  int64_t databases = 16;
  int64_t hz = 10;
  bool dynamic_hz = true;
  int64_t active_expire_effort = 1;
  bool active_rehashing = true;
  bool active_defrag = true;
  int64_t active_defrag_ignore_bytes = int64_t{100} << 20;
  int64_t active_defrag_threshold_lower = 10;
  int64_t active_defrag_threshold_upper = 100;
  int64_t active_defrag_cycle_min = 1;
  int64_t active_defrag_cycle_max = 25;
  bool lazyfree_lazy_eviction = false;
  bool lazyfree_lazy_expire = false;
  bool lazyfree_lazy_server_del = false;
  bool lazyfree_lazy_user_del = false;
  bool lazyfree_lazy_user_flush = false;

  // --- Memory ---
  int64_t max_memory_bytes = 0;  // 0: no limit.
  // `auto` or `75%` where the amount is a share of what this process may use; else empty.
  std::string max_memory_share;
  MemorySource max_memory_source = MemorySource::kUnknown;  // What it is a share of.
  EvictionPolicy max_memory_policy = EvictionPolicy::kNoEviction;
  int64_t max_memory_samples = 5;
  int64_t bless_max_keys = 10000;  // That are never evicted.
  std::vector<StampedeRule> stampede_rules;
  int64_t stampede_max_leases = 100000;
  int64_t stampede_max_waiters = 100000;  // Clients that wait for what others load.
  int64_t stampede_max_waiters_per_key = 10000;
  int64_t max_memory_eviction_tenacity = 10;
  int64_t lfu_log_factor = 10;
  int64_t lfu_decay_minutes = 1;
  bool miss_ratio_curve = false;

  // --- Encodings ---
  int64_t hash_max_listpack_entries = 512;
  int64_t hash_max_listpack_value_bytes = 64;
  int64_t list_max_listpack_size = -2;  // Entries, or when negative 4 KiB << (-size - 1).
  int64_t list_compress_depth = 0;
  int64_t set_max_intset_entries = 512;
  int64_t set_max_listpack_entries = 128;
  int64_t set_max_listpack_value_bytes = 64;
  int64_t zset_max_listpack_entries = 128;
  int64_t zset_max_listpack_value_bytes = 64;
  int64_t hll_sparse_max_bytes = 3000;
  bool rdb_compression = true;
  int64_t stream_node_max_bytes = 4096;
  int64_t stream_node_max_entries = 100;
  SanitizeDump sanitize_dump_payload = SanitizeDump::kNo;

  // --- Observability ---
  int64_t hit_ratio_max_prefixes = 0;  // 0: off.
  std::string hit_ratio_delimiter = ":";
  int64_t slowlog_log_slower_than_us = 10000;  // -1: off.
  int64_t slowlog_max_entries = 128;
  int64_t latency_monitor_threshold_ms = 0;  // 0: off.
  bool latency_tracking = true;
  std::vector<double> latency_tracking_percentiles = {50, 99, 99.9};
  uint32_t notify_keyspace_events = 0;  // keyspace_event bits.
  int64_t tracking_table_max_keys = 1000000;

  // --- Scripting ---
  int64_t busy_reply_threshold_ms = 5000;

  // --- Persistence: kept for the persistence layer. Larder is a cache, so `save` is empty. ---
  std::vector<SavePoint> save_points;
  bool append_only = false;
  AppendFsync append_fsync = AppendFsync::kEverySecond;
  std::string append_file_name = "appendonly.aof";
  std::string append_dir_name = "appendonlydir";
  std::string db_file_name = "dump.rdb";

  // Settings of Redis that change nothing in Larder, by name, as they were last set; those never
  // set are not here. They are checked, reported and rewritten like all others.
  std::map<std::string, std::string, std::less<>> inert;

  friend bool operator==(const Config&, const Config&) = default;
};

}  // namespace larder
