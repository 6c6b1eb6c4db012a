// The rows. A default stands in Config where the row has a member there, else in the row.
#include <climits>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "eviction/policy_name.h"
#include "server/config_registry.h"

namespace larder {
namespace {

// --- How a row is written ---

constexpr int64_t kInt = INT_MAX;
constexpr int64_t kUnsigned = UINT_MAX;
constexpr int64_t kLong = std::numeric_limits<int64_t>::max();

constexpr Directive Bool(std::string_view name, std::string_view alias, uint32_t flags,
                         bool Config::* member, ConfigHook hook = ConfigHook::kNone) {
  return {name, alias, flags, hook, BoolValue{.member = member}, ""};
}

constexpr Directive Number(std::string_view name, std::string_view alias, uint32_t flags,
                           int64_t Config::* member, int64_t low, int64_t high,
                           ConfigHook hook = ConfigHook::kNone) {
  return {name, alias, flags, hook, NumberValue{.member = member, .low = low, .high = high}, ""};
}

constexpr Directive Memory(std::string_view name, std::string_view alias, uint32_t flags,
                           int64_t Config::* member, int64_t low = 0,
                           ConfigHook hook = ConfigHook::kNone) {
  return {name,
          alias,
          flags,
          hook,
          NumberValue{.member = member, .low = low, .high = kLong, .format = NumberFormat::kMemory},
          ""};
}

constexpr Directive Octal(std::string_view name, uint32_t flags, int64_t Config::* member,
                          int64_t high) {
  return {name,
          "",
          flags,
          ConfigHook::kNone,
          NumberValue{.member = member, .low = 0, .high = high, .format = NumberFormat::kOctal},
          ""};
}

constexpr Directive Text(std::string_view name, std::string_view alias, uint32_t flags,
                         std::string Config::* member, ConfigHook hook = ConfigHook::kNone,
                         absl::Status (*check)(std::string_view) = nullptr) {
  return {name, alias, flags, hook, TextValue{.member = member, .check = check}, ""};
}

template <auto Member>
constexpr Directive Choice(std::string_view name, uint32_t flags, std::span<const ChoiceName> names,
                           ConfigHook hook = ConfigHook::kNone) {
  using Type = std::remove_cvref_t<decltype(std::declval<Config>().*Member)>;
  return {name,
          "",
          flags,
          hook,
          ChoiceValue{
              .names = names,
              .get = [](const Config& config) { return static_cast<int>(config.*Member); },
              .set = [](Config& config, int value) { config.*Member = static_cast<Type>(value); }},
          ""};
}

constexpr Directive Special(std::string_view name, std::string_view alias, uint32_t flags,
                            SpecialValue value, ConfigHook hook = ConfigHook::kNone) {
  return {name, alias, flags, hook, value, ""};
}

// Settings of Redis without a meaning in Larder.
constexpr Directive InertBool(std::string_view name, std::string_view alias, uint32_t flags,
                              bool inert_default) {
  return {
      name, alias, flags | kNoEffect, ConfigHook::kNone, BoolValue{.inert_default = inert_default},
      ""};
}

constexpr Directive InertNumber(std::string_view name, std::string_view alias, uint32_t flags,
                                int64_t inert_default, int64_t low, int64_t high) {
  return {name,
          alias,
          flags | kNoEffect,
          ConfigHook::kNone,
          NumberValue{.low = low, .high = high, .inert_default = inert_default},
          ""};
}

constexpr Directive InertMemory(std::string_view name, std::string_view alias, uint32_t flags,
                                int64_t inert_default, int64_t low = 0) {
  return {name,
          alias,
          flags | kNoEffect,
          ConfigHook::kNone,
          NumberValue{.low = low,
                      .high = kLong,
                      .format = NumberFormat::kMemory,
                      .inert_default = inert_default},
          ""};
}

constexpr Directive InertText(std::string_view name, std::string_view alias, uint32_t flags,
                              std::string_view inert_default = "",
                              absl::Status (*check)(std::string_view) = nullptr) {
  return {name,
          alias,
          flags | kNoEffect,
          ConfigHook::kNone,
          TextValue{.check = check, .inert_default = inert_default},
          ""};
}

constexpr Directive InertChoice(std::string_view name, uint32_t flags,
                                std::span<const ChoiceName> names, int inert_default) {
  return {name,
          "",
          flags | kNoEffect,
          ConfigHook::kNone,
          ChoiceValue{.names = names, .inert_default = inert_default},
          ""};
}

constexpr Directive Deprecated(std::string_view name) {
  return {name, "", kFileOnly | kNoEffect, ConfigHook::kNone, DeprecatedValue{}, ""};
}

constexpr Directive WithNote(Directive directive, std::string_view note) {
  directive.note = note;
  return directive;
}

// --- Choices ---

template <typename Enum>
constexpr ChoiceName Named(std::string_view name, Enum value) {
  return {name, static_cast<int>(value)};
}

constexpr ChoiceName kLogLevels[] = {
    Named("debug", LogLevel::kDebug),     Named("verbose", LogLevel::kVerbose),
    Named("notice", LogLevel::kNotice),   Named("warning", LogLevel::kWarning),
    Named("nothing", LogLevel::kNothing),
};

constexpr ChoiceName Named(EvictionPolicy policy) { return Named(PolicyName(policy), policy); }

// In the order of Redis's own table, by which it lists them where somebody names another.
constexpr ChoiceName kMaxMemoryPolicies[] = {
    Named(EvictionPolicy::kVolatileLru),     Named(EvictionPolicy::kVolatileLfu),
    Named(EvictionPolicy::kVolatileRandom),  Named(EvictionPolicy::kVolatileTtl),
    Named(EvictionPolicy::kAllKeysLru),      Named(EvictionPolicy::kAllKeysLfu),
    Named(EvictionPolicy::kAllKeysRandom),   Named(EvictionPolicy::kVolatileLrm),
    Named(EvictionPolicy::kAllKeysLrm),      Named(EvictionPolicy::kNoEviction),
    Named(EvictionPolicy::kAllKeysAdaptive), Named(EvictionPolicy::kAllKeysS3Fifo),
    Named(EvictionPolicy::kAllKeysFifo),     Named(EvictionPolicy::kVolatileAdaptive),
    Named(EvictionPolicy::kVolatileS3Fifo),  Named(EvictionPolicy::kVolatileFifo),
};

constexpr ChoiceName kProtectedActions[] = {
    Named("no", ProtectedAction::kNo),
    Named("yes", ProtectedAction::kYes),
    Named("local", ProtectedAction::kLocal),
};

constexpr ChoiceName kSupervisions[] = {
    Named("upstart", Supervision::kUpstart),
    Named("systemd", Supervision::kSystemd),
    Named("auto", Supervision::kAuto),
    Named("no", Supervision::kNone),
};

constexpr ChoiceName kOomScoreAdjusts[] = {
    Named("no", OomScoreAdjust::kNo),
    Named("yes", OomScoreAdjust::kRelative),
    Named("relative", OomScoreAdjust::kRelative),
    Named("absolute", OomScoreAdjust::kAbsolute),
};

constexpr ChoiceName kSanitizeDumps[] = {
    Named("no", SanitizeDump::kNo),
    Named("yes", SanitizeDump::kYes),
    Named("clients", SanitizeDump::kClients),
};

constexpr ChoiceName kAppendFsyncs[] = {
    Named("everysec", AppendFsync::kEverySecond),
    Named("always", AppendFsync::kAlways),
    Named("no", AppendFsync::kNever),
};

constexpr ChoiceName kSyslogFacilities[] = {
    {"user", -1},  {"local0", 0}, {"local1", 1}, {"local2", 2}, {"local3", 3},
    {"local4", 4}, {"local5", 5}, {"local6", 6}, {"local7", 7},
};

constexpr ChoiceName kAclPubSubDefaults[] = {{"allchannels", 1}, {"resetchannels", 0}};
constexpr ChoiceName kDisklessLoads[] = {
    {"disabled", 0}, {"on-empty-db", 1}, {"swapdb", 2}, {"flushdb", 3}};
constexpr ChoiceName kTlsAuthClients[] = {{"no", 0}, {"yes", 1}, {"optional", 2}};
constexpr ChoiceName kPropagationErrors[] = {{"ignore", 0}, {"panic", 1}, {"panic-on-replicas", 2}};
constexpr ChoiceName kEndpointTypes[] = {{"ip", 0}, {"hostname", 1}, {"unknown-endpoint", 2}};
constexpr ChoiceName kVersionChecks[] = {{"strict", 0}, {"relaxed", 1}};

// --- The table ---

constexpr std::string_view kNoPersistence = "is kept, but this version keeps nothing on disk";
constexpr std::string_view kUseThreads = "has no effect in Larder; 'threads' sets how many serve";
constexpr std::string_view kNoTls =
    "Larder does not speak TLS yet and does not serve in the clear where TLS is expected";
constexpr std::string_view kNoCluster =
    "Larder cannot be a cluster node yet and does not start as if it were alone";
constexpr std::string_view kNoAclFile =
    "Larder does not read ACL files yet and does not let everybody in instead";

// clang-format off
constexpr Directive kDirectives[] = {
    // --- Files ---
    {"include", "", kFileOnly, ConfigHook::kNone, IncludeValue{}, ""},

    // --- Network ---
    Special("bind", "", kWords, {&ParseBind, &PrintBind}, ConfigHook::kListen),
    Text("bind-source-addr", "", kNoEffect, &Config::bind_source_address),
    Number("port", "", kModifiable, &Config::port, 0, 65535, ConfigHook::kListen),
    Number("tcp-backlog", "", kImmutable, &Config::tcp_backlog, 0, kInt),
    Text("unixsocket", "", kImmutable, &Config::unix_socket),
    Octal("unixsocketperm", kImmutable, &Config::unix_socket_mode, 0777),
    Number("timeout", "", kModifiable, &Config::idle_timeout_seconds, 0, kInt),
    Number("request-gather-us", "", kModifiable, &Config::request_gather_us, 0, 1000),
    Number("tcp-keepalive", "", kModifiable, &Config::tcp_keepalive_seconds, 0, kInt),
    Number("socket-mark-id", "", kImmutable | kNoEffect, &Config::socket_mark_id, 0, kUnsigned),
    Bool("protected-mode", "", kModifiable, &Config::protected_mode),
    Number("maxclients", "", kModifiable, &Config::max_clients, 1, kUnsigned, ConfigHook::kMaxClients),
    Memory("client-query-buffer-limit", "", kModifiable, &Config::client_query_buffer_limit_bytes, kMiB),
    Memory("proto-max-bulk-len", "", kModifiable, &Config::proto_max_bulk_bytes, kMiB),
    Special("client-output-buffer-limit", "", kWords, {&ParseOutputLimits, &PrintOutputLimits, &OutputLimitLines}),
    {"maxmemory-clients", "", kModifiable, ConfigHook::kMaxMemory, MemoryOrPercentValue{&Config::max_memory_clients}, ""},

    // --- Process ---
    Special("threads", "", kImmutable | kOursToKeep, {&ParseThreads, &PrintThreads}),
    Bool("daemonize", "", kImmutable, &Config::daemonize),
    Choice<&Config::supervised>("supervised", kImmutable | kNoEffect, kSupervisions),
    Text("pidfile", "", kImmutable, &Config::pid_file),
    Special("dir", "", kProtected, {&ParseDirectory, &PrintDirectory}, ConfigHook::kDirectory),
    Choice<&Config::log_level>("loglevel", kModifiable, kLogLevels, ConfigHook::kLogging),
    Text("logfile", "", kImmutable, &Config::log_file),
    Bool("syslog-enabled", "", kImmutable, &Config::syslog_enabled),
    Text("syslog-ident", "", kImmutable, &Config::syslog_ident),
    Choice<&Config::syslog_facility>("syslog-facility", kImmutable, kSyslogFacilities),
    Bool("always-show-logo", "", kImmutable | kNoEffect, &Config::always_show_logo),
    Bool("set-proc-title", "", kImmutable | kNoEffect, &Config::set_proc_title),
    Text("proc-title-template", "", kNoEffect, &Config::proc_title_template, ConfigHook::kProcTitle, &CheckProcTitleTemplate),
    Bool("crash-log-enabled", "", kNoEffect, &Config::crash_log_enabled),
    Choice<&Config::oom_score_adjust>("oom-score-adj", kNoEffect, kOomScoreAdjusts, ConfigHook::kOomScore),
    Special("oom-score-adj-values", "", kWords | kNoEffect, {&ParseOomScoreValues, &PrintOomScoreValues}, ConfigHook::kOomScore),
    Number("shutdown-timeout", "", kNoEffect, &Config::shutdown_timeout_seconds, 0, kInt),
    Special("shutdown-on-sigterm", "", kWords | kNoEffect, {&ParseShutdownOnSigterm, &PrintShutdownOnSigterm}),
    Special("shutdown-on-sigint", "", kWords | kNoEffect, {&ParseShutdownOnSigint, &PrintShutdownOnSigint}),
    WithNote(InertNumber("io-threads", "", kImmutable, 1, 1, 128), kUseThreads),
    WithNote(InertBool("io-threads-do-reads", "", kImmutable, false), kUseThreads),

    // --- Security ---
    Text("requirepass", "", kSensitive, &Config::require_pass, ConfigHook::kPassword),
    WithNote(Text("aclfile", "", kImmutable | kDefaultOnly, &Config::acl_file), kNoAclFile),
    Choice<&Config::acl_pubsub_all_channels>("acl-pubsub-default", kNoEffect, kAclPubSubDefaults),
    Number("acllog-max-len", "", kNoEffect, &Config::acl_log_max_entries, 0, kLong, ConfigHook::kAclLog),
    Choice<&Config::enable_protected_configs>("enable-protected-configs", kImmutable, kProtectedActions),
    Choice<&Config::enable_debug_command>("enable-debug-command", kImmutable, kProtectedActions),
    Choice<&Config::enable_module_command>("enable-module-command", kImmutable, kProtectedActions),
    Special("rename-command", "", kFileOnly, {&ParseRenameCommand}),
    Special("user", "", kFileOnly | kWords | kSensitive | kIntoOthers, {&ParseUser}),
    WithNote(Special("loadmodule", "", kFileOnly | kWords | kNoEffect, {&ParseLoadModule}), "has no effect: Larder does not load modules"),

    // --- Keyspace and time ---
    Number("databases", "", kImmutable, &Config::databases, 1, kInt),
    Special("hz", "", kModifiable, {&ParseHz, &PrintHz}, ConfigHook::kTimer),
    Bool("dynamic-hz", "", kNoEffect, &Config::dynamic_hz, ConfigHook::kTimer),
    Number("active-expire-effort", "", kNoEffect, &Config::active_expire_effort, 1, 10),
    Bool("activerehashing", "", kNoEffect, &Config::active_rehashing),
    Bool("lazyfree-lazy-eviction", "", kNoEffect, &Config::lazyfree_lazy_eviction),
    Bool("lazyfree-lazy-expire", "", kModifiable, &Config::lazyfree_lazy_expire),
    Bool("lazyfree-lazy-server-del", "", kModifiable, &Config::lazyfree_lazy_server_del),
    Bool("lazyfree-lazy-user-del", "", kModifiable, &Config::lazyfree_lazy_user_del),
    Bool("lazyfree-lazy-user-flush", "", kModifiable, &Config::lazyfree_lazy_user_flush),

    // --- Memory ---
    Special("maxmemory", "", kModifiable, {&ParseMaxMemory, &PrintMaxMemory, &MaxMemoryLines}, ConfigHook::kMaxMemory),
    Choice<&Config::max_memory_policy>("maxmemory-policy", kModifiable, kMaxMemoryPolicies, ConfigHook::kMaxMemory),
    Number("maxmemory-samples", "", kModifiable, &Config::max_memory_samples, 1, kInt, ConfigHook::kMaxMemory),
    Number("maxmemory-eviction-tenacity", "", kNoEffect, &Config::max_memory_eviction_tenacity, 0, 100, ConfigHook::kMaxMemory),
    Number("bless-max-keys", "", kModifiable, &Config::bless_max_keys, 0, kLong),
    Special("stampede-rule", "", kWords, {&ParseStampedeRules, &PrintStampedeRules, &StampedeRuleLines}, ConfigHook::kStampede),
    Number("stampede-max-leases", "", kModifiable, &Config::stampede_max_leases, 0, kLong),
    Number("stampede-max-waiters", "", kModifiable, &Config::stampede_max_waiters, 0, kLong),
    Number("stampede-max-waiters-per-key", "", kModifiable, &Config::stampede_max_waiters_per_key, 0, kLong),
    Number("lfu-log-factor", "", kModifiable, &Config::lfu_log_factor, 0, kInt),
    Number("lfu-decay-time", "", kModifiable, &Config::lfu_decay_minutes, 0, kInt),
    Bool("miss-ratio-curve", "", kModifiable, &Config::miss_ratio_curve),

    // --- Encodings ---
    Number("hash-max-listpack-entries", "hash-max-ziplist-entries", kModifiable, &Config::hash_max_listpack_entries, 0, kLong),
    Memory("hash-max-listpack-value", "hash-max-ziplist-value", kModifiable, &Config::hash_max_listpack_value_bytes),
    Number("list-max-listpack-size", "list-max-ziplist-size", kModifiable, &Config::list_max_listpack_size, INT_MIN, kInt),
    Number("list-compress-depth", "", kModifiable, &Config::list_compress_depth, 0, kInt),
    Number("set-max-intset-entries", "", kModifiable, &Config::set_max_intset_entries, 0, kLong),
    Number("set-max-listpack-entries", "", kModifiable, &Config::set_max_listpack_entries, 0, kLong),
    Memory("set-max-listpack-value", "", kModifiable, &Config::set_max_listpack_value_bytes),
    Number("zset-max-listpack-entries", "zset-max-ziplist-entries", kModifiable, &Config::zset_max_listpack_entries, 0, kLong),
    Memory("zset-max-listpack-value", "zset-max-ziplist-value", kModifiable, &Config::zset_max_listpack_value_bytes),
    Memory("hll-sparse-max-bytes", "", kModifiable, &Config::hll_sparse_max_bytes),
    Memory("stream-node-max-bytes", "", kModifiable, &Config::stream_node_max_bytes),
    Number("stream-node-max-entries", "", kModifiable, &Config::stream_node_max_entries, 0, kLong),
    Choice<&Config::sanitize_dump_payload>("sanitize-dump-payload", kNoEffect, kSanitizeDumps),

    // --- Observability ---
    Number("hit-ratio-max-prefixes", "", kModifiable, &Config::hit_ratio_max_prefixes, 0, 100000),
    Text("hit-ratio-delimiter", "", kModifiable, &Config::hit_ratio_delimiter, ConfigHook::kNone, &CheckDelimiter),
    Number("slowlog-log-slower-than", "", kModifiable, &Config::slowlog_log_slower_than_us, -1, kLong),
    Number("slowlog-max-len", "", kModifiable, &Config::slowlog_max_entries, 0, kLong, ConfigHook::kSlowLog),
    Number("latency-monitor-threshold", "", kModifiable, &Config::latency_monitor_threshold_ms, 0, kLong),
    Bool("latency-tracking", "", kModifiable, &Config::latency_tracking, ConfigHook::kLatency),
    Special("latency-tracking-info-percentiles", "", kWords, {&ParsePercentiles, &PrintPercentiles}),
    Special("notify-keyspace-events", "", kModifiable, {&ParseNotifyEvents, &PrintNotifyEvents}),
    Number("tracking-table-max-keys", "", kModifiable, &Config::tracking_table_max_keys, 0, kLong, ConfigHook::kTracking),

    // --- Scripting ---
    Number("busy-reply-threshold", "lua-time-limit", kNoEffect, &Config::busy_reply_threshold_ms, 0, kLong),

    // --- Persistence ---
    WithNote(Special("save", "", kWords | kNoEffect, {&ParseSave, &PrintSave, &SaveLines}, ConfigHook::kPersistence), kNoPersistence),
    WithNote(Bool("appendonly", "", kNoEffect, &Config::append_only, ConfigHook::kPersistence), kNoPersistence),
    WithNote(Choice<&Config::append_fsync>("appendfsync", kNoEffect, kAppendFsyncs, ConfigHook::kPersistence), kNoPersistence),
    WithNote(Text("appendfilename", "", kImmutable | kNoEffect, &Config::append_file_name, ConfigHook::kNone, &CheckAppendFileName), kNoPersistence),
    WithNote(Text("appenddirname", "", kImmutable | kNoEffect, &Config::append_dir_name, ConfigHook::kNone, &CheckAppendDirName), kNoPersistence),
    WithNote(Text("dbfilename", "", kProtected | kNoEffect, &Config::db_file_name, ConfigHook::kPersistence, &CheckDumpFileName), kNoPersistence),
    InertBool("aof-disable-auto-gc", "", kModifiable, false),
    InertBool("aof-load-truncated", "", kModifiable, true),
    InertBool("aof-rewrite-incremental-fsync", "", kModifiable, true),
    InertBool("aof-timestamp-enabled", "", kModifiable, false),
    InertBool("aof-use-rdb-preamble", "", kModifiable, true),
    InertMemory("auto-aof-rewrite-min-size", "", kModifiable, 64 * kMiB),
    InertNumber("auto-aof-rewrite-percentage", "", kModifiable, 100, 0, kInt),
    InertBool("no-appendfsync-on-rewrite", "", kModifiable, false),
    InertBool("rdb-del-sync-files", "", kModifiable, false),
    InertBool("rdb-save-incremental-fsync", "", kModifiable, true),
    InertBool("rdbchecksum", "", kImmutable, true),
    Bool("rdbcompression", "", kModifiable, &Config::rdb_compression),
    InertBool("stop-writes-on-bgsave-error", "", kModifiable, true),

    // --- Replication ---
    Special("replicaof", "slaveof", kImmutable | kWords, {&ParseReplicaOf, &PrintReplicaOf, &ReplicaOfLines}),
    InertText("masterauth", "primaryauth", kSensitive),
    InertText("masteruser", "primaryuser", kSensitive),
    InertNumber("min-replicas-max-lag", "min-slaves-max-lag", kModifiable, 10, 0, kInt),
    InertNumber("min-replicas-to-write", "min-slaves-to-write", kModifiable, 0, 0, kInt),
    InertChoice("propagation-error-behavior", kModifiable, kPropagationErrors, 0),
    InertMemory("repl-backlog-size", "", kModifiable, kMiB, 1),
    InertNumber("repl-backlog-ttl", "", kModifiable, 3600, 0, kLong),
    InertBool("repl-disable-tcp-nodelay", "", kModifiable, false),
    InertChoice("repl-diskless-load", kModifiable, kDisklessLoads, 0),
    InertBool("repl-diskless-sync", "", kModifiable, true),
    InertNumber("repl-diskless-sync-delay", "", kModifiable, 5, 0, kInt),
    InertNumber("repl-diskless-sync-max-replicas", "", kModifiable, 0, 0, kInt),
    InertNumber("repl-ping-replica-period", "repl-ping-slave-period", kModifiable, 10, 1, kInt),
    InertNumber("repl-timeout", "", kModifiable, 60, 1, kInt),
    InertText("replica-announce-ip", "slave-announce-ip", kModifiable),
    InertNumber("replica-announce-port", "slave-announce-port", kModifiable, 0, 0, 65535),
    InertBool("replica-announced", "", kModifiable, true),
    InertBool("replica-ignore-disk-write-errors", "", kModifiable, false),
    InertBool("replica-ignore-maxmemory", "slave-ignore-maxmemory", kModifiable, true),
    InertBool("replica-lazy-flush", "slave-lazy-flush", kModifiable, false),
    InertNumber("replica-priority", "slave-priority", kModifiable, 100, 0, kInt),
    InertBool("replica-read-only", "slave-read-only", kModifiable, true),
    InertBool("replica-serve-stale-data", "slave-serve-stale-data", kModifiable, true),

    // --- Cluster ---
    WithNote({"cluster-enabled", "", kImmutable | kDefaultOnly, ConfigHook::kNone, BoolValue{}, ""}, kNoCluster),
    InertBool("cluster-allow-pubsubshard-when-down", "", kModifiable, true),
    InertBool("cluster-allow-reads-when-down", "", kModifiable, false),
    InertBool("cluster-allow-replica-migration", "", kModifiable, true),
    InertNumber("cluster-announce-bus-port", "", kModifiable, 0, 0, 65535),
    InertText("cluster-announce-hostname", "", kModifiable, "", &CheckHostname),
    InertText("cluster-announce-ip", "", kModifiable),
    InertNumber("cluster-announce-port", "", kModifiable, 0, 0, 65535),
    InertNumber("cluster-announce-tls-port", "", kModifiable, 0, 0, 65535),
    InertText("cluster-config-file", "", kImmutable, "nodes.conf"),
    InertMemory("cluster-link-sendbuf-limit", "", kModifiable, 0),
    InertNumber("cluster-migration-barrier", "", kModifiable, 1, 0, kInt),
    InertNumber("cluster-node-timeout", "", kModifiable, 15000, 0, kLong),
    InertNumber("cluster-port", "", kImmutable, 0, 0, 65535),
    InertChoice("cluster-preferred-endpoint-type", kModifiable, kEndpointTypes, 0),
    InertBool("cluster-replica-no-failover", "cluster-slave-no-failover", kModifiable, false),
    InertNumber("cluster-replica-validity-factor", "cluster-slave-validity-factor", kModifiable, 10, 0, kInt),
    InertBool("cluster-require-full-coverage", "", kModifiable, true),

    // --- TLS ---
    WithNote({"tls-port", "", kDefaultOnly, ConfigHook::kNone, NumberValue{.low = 0, .high = 65535}, ""}, kNoTls),
    InertChoice("tls-auth-clients", kModifiable, kTlsAuthClients, 1),
    InertText("tls-ca-cert-dir", "", kModifiable),
    InertText("tls-ca-cert-file", "", kModifiable),
    InertText("tls-cert-file", "", kModifiable),
    InertText("tls-ciphers", "", kModifiable),
    InertText("tls-ciphersuites", "", kModifiable),
    InertText("tls-client-cert-file", "", kModifiable),
    InertText("tls-client-key-file", "", kModifiable),
    InertText("tls-client-key-file-pass", "", kSensitive),
    InertBool("tls-cluster", "", kModifiable, false),
    InertText("tls-dh-params-file", "", kModifiable),
    InertText("tls-key-file", "", kModifiable),
    InertText("tls-key-file-pass", "", kSensitive),
    InertBool("tls-prefer-server-ciphers", "", kModifiable, false),
    InertText("tls-protocols", "", kModifiable),
    InertBool("tls-replication", "", kModifiable, false),
    InertNumber("tls-session-cache-size", "", kModifiable, 20480, 0, kInt),
    InertNumber("tls-session-cache-timeout", "", kModifiable, 300, 0, kInt),
    InertBool("tls-session-caching", "", kModifiable, true),

    // --- How Redis deals with its allocator, its threads and its own faults ---
    InertNumber("active-defrag-cycle-max", "", kModifiable, 25, 1, 99),
    InertNumber("active-defrag-cycle-min", "", kModifiable, 1, 1, 99),
    InertMemory("active-defrag-ignore-bytes", "", kModifiable, 100 * kMiB, 1),
    InertNumber("active-defrag-max-scan-fields", "", kModifiable, 1000, 1, kLong),
    InertNumber("active-defrag-threshold-lower", "", kModifiable, 10, 0, 1000),
    InertNumber("active-defrag-threshold-upper", "", kModifiable, 100, 0, 1000),
    InertBool("activedefrag", "", kModifiable, false),
    InertText("aof_rewrite_cpulist", "aof-rewrite-cpulist", kImmutable | kOursToKeep),
    InertText("bgsave_cpulist", "bgsave-cpulist", kImmutable | kOursToKeep),
    InertText("bio_cpulist", "bio-cpulist", kImmutable | kOursToKeep),
    InertBool("crash-memcheck-enabled", "", kModifiable, true),
    InertBool("disable-thp", "", kImmutable, true),
    InertText("ignore-warnings", "", kModifiable),
    InertBool("jemalloc-bg-thread", "", kModifiable, true),
    InertText("server_cpulist", "server-cpulist", kImmutable | kOursToKeep),

    // --- Redis's own tests ---
    InertNumber("key-load-delay", "", kHidden, 0, INT_MIN, kInt),
    InertNumber("loading-process-events-interval-bytes", "", kHidden, 2 * kMiB, 1024, kInt),
    InertNumber("rdb-key-save-delay", "", kHidden, 0, INT_MIN, kInt),
    InertBool("use-exit-on-panic", "", kHidden, false),
    InertNumber("watchdog-period", "", kHidden, 0, 0, kInt),

    // --- Newer than Redis 7.0: Redis 7.2 to 8, Valkey 8 ---
    InertText("availability-zone", "", kHidden),
    InertText("cluster-announce-human-nodename", "", kHidden),
    InertNumber("cluster-blacklist-ttl", "", kHidden, 60, 0, kLong),
    InertNumber("cluster-manual-failover-timeout", "", kHidden, 5000, 1, kInt),
    InertBool("cluster-slot-stats-enabled", "", kHidden, false),
    InertBool("dual-channel-replication-enabled", "", kHidden, false),
    InertNumber("events-per-io-thread", "", kHidden, 2, 0, kInt),
    InertBool("extended-redis-compatibility", "", kHidden, false),
    InertText("hash-seed", "", kHidden | kImmutable),
    InertBool("hide-user-data-from-log", "", kHidden, true),
    InertBool("import-mode", "", kHidden, false),
    InertText("locale-collate", "", kHidden),
    InertBool("lua-enable-deprecated-api", "", kHidden | kImmutable, false),
    InertBool("lua-enable-insecure-api", "", kHidden, false),
    InertNumber("max-new-connections-per-cycle", "", kHidden, 10, 1, 1000),
    InertNumber("max-new-tls-connections-per-cycle", "", kHidden, 1, 1, 1000),
    InertNumber("prefetch-batch-max-size", "", kHidden, 16, 0, 128),
    InertChoice("rdb-version-check", kHidden, kVersionChecks, 0),
    InertBool("repl-rdb-channel", "", kHidden, false),
    InertMemory("replica-full-sync-buffer-limit", "", kHidden, 0),
    InertText("socket-mark", "", kHidden),
    InertText("tls-user-attribute", "", kHidden),
    InertText("unixsocketgroup", "", kHidden | kImmutable),

    // --- Older ones that a file may still have ---
    Deprecated("gopher-enabled"),
    Deprecated("list-max-ziplist-entries"),
    Deprecated("list-max-ziplist-value"),
    Deprecated("lua-replicate-commands"),
};
// clang-format on

}  // namespace

std::span<const Directive> AllDirectives() { return kDirectives; }

}  // namespace larder
