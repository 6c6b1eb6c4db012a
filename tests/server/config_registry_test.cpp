#include "server/config_registry.h"

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/text.h"
#include "gtest/gtest.h"
#include "server/config_text.h"

namespace larder {
namespace {

struct NamedValue {
  std::string_view name;
  std::string_view value;
};

// CONFIG GET * of Redis 7.0.15 without configuration, but for what Larder's own defaults change
// (activedefrag, client-output-buffer-limit, maxmemory-clients, save, syslog-ident) and what
// depends on the machine (dir, port).
// clang-format off
constexpr NamedValue kRedisDefaults[] = {
    {"acl-pubsub-default", "resetchannels"},
    {"aclfile", ""},
    {"acllog-max-len", "128"},
    {"active-defrag-cycle-max", "25"},
    {"active-defrag-cycle-min", "1"},
    {"active-defrag-ignore-bytes", "104857600"},
    {"active-defrag-max-scan-fields", "1000"},
    {"active-defrag-threshold-lower", "10"},
    {"active-defrag-threshold-upper", "100"},
    {"active-expire-effort", "1"},
    {"activedefrag", "yes"},
    {"activerehashing", "yes"},
    {"always-show-logo", "no"},
    {"aof-disable-auto-gc", "no"},
    {"aof-load-truncated", "yes"},
    {"aof-rewrite-incremental-fsync", "yes"},
    {"aof-timestamp-enabled", "no"},
    {"aof-use-rdb-preamble", "yes"},
    {"aof_rewrite_cpulist", ""},
    {"appenddirname", "appendonlydir"},
    {"appendfilename", "appendonly.aof"},
    {"appendfsync", "everysec"},
    {"appendonly", "no"},
    {"auto-aof-rewrite-min-size", "67108864"},
    {"auto-aof-rewrite-percentage", "100"},
    {"bgsave_cpulist", ""},
    {"bind-source-addr", ""},
    {"bind", "* -::*"},
    {"bio_cpulist", ""},
    {"busy-reply-threshold", "5000"},
    {"client-query-buffer-limit", "1073741824"},
    {"cluster-allow-pubsubshard-when-down", "yes"},
    {"cluster-allow-reads-when-down", "no"},
    {"cluster-allow-replica-migration", "yes"},
    {"cluster-announce-bus-port", "0"},
    {"cluster-announce-hostname", ""},
    {"cluster-announce-ip", ""},
    {"cluster-announce-port", "0"},
    {"cluster-announce-tls-port", "0"},
    {"cluster-config-file", "nodes.conf"},
    {"cluster-enabled", "no"},
    {"cluster-link-sendbuf-limit", "0"},
    {"cluster-migration-barrier", "1"},
    {"cluster-node-timeout", "15000"},
    {"cluster-port", "0"},
    {"cluster-preferred-endpoint-type", "ip"},
    {"cluster-replica-no-failover", "no"},
    {"cluster-replica-validity-factor", "10"},
    {"cluster-require-full-coverage", "yes"},
    {"cluster-slave-no-failover", "no"},
    {"cluster-slave-validity-factor", "10"},
    {"crash-log-enabled", "yes"},
    {"crash-memcheck-enabled", "yes"},
    {"daemonize", "no"},
    {"databases", "16"},
    {"dbfilename", "dump.rdb"},
    {"disable-thp", "yes"},
    {"dynamic-hz", "yes"},
    {"enable-debug-command", "no"},
    {"enable-module-command", "no"},
    {"enable-protected-configs", "no"},
    {"hash-max-listpack-entries", "512"},
    {"hash-max-listpack-value", "64"},
    {"hash-max-ziplist-entries", "512"},
    {"hash-max-ziplist-value", "64"},
    {"hll-sparse-max-bytes", "3000"},
    {"hz", "10"},
    {"ignore-warnings", ""},
    {"io-threads-do-reads", "no"},
    {"io-threads", "1"},
    {"jemalloc-bg-thread", "yes"},
    {"latency-monitor-threshold", "0"},
    {"latency-tracking-info-percentiles", "50 99 99.9"},
    {"latency-tracking", "yes"},
    {"lazyfree-lazy-eviction", "no"},
    {"lazyfree-lazy-expire", "no"},
    {"lazyfree-lazy-server-del", "no"},
    {"lazyfree-lazy-user-del", "no"},
    {"lazyfree-lazy-user-flush", "no"},
    {"lfu-decay-time", "1"},
    {"lfu-log-factor", "10"},
    {"list-compress-depth", "0"},
    {"list-max-listpack-size", "-2"},
    {"list-max-ziplist-size", "-2"},
    {"logfile", ""},
    {"loglevel", "notice"},
    {"lua-time-limit", "5000"},
    {"masterauth", ""},
    {"masteruser", ""},
    {"maxclients", "10000"},
    {"maxmemory-eviction-tenacity", "10"},
    {"maxmemory-policy", "noeviction"},
    {"maxmemory-samples", "5"},
    {"maxmemory", "0"},
    {"min-replicas-max-lag", "10"},
    {"min-replicas-to-write", "0"},
    {"min-slaves-max-lag", "10"},
    {"min-slaves-to-write", "0"},
    {"no-appendfsync-on-rewrite", "no"},
    {"notify-keyspace-events", ""},
    {"oom-score-adj-values", "0 200 800"},
    {"oom-score-adj", "no"},
    {"pidfile", ""},
    {"proc-title-template", "{title} {listen-addr} {server-mode}"},
    {"propagation-error-behavior", "ignore"},
    {"protected-mode", "yes"},
    {"proto-max-bulk-len", "536870912"},
    {"rdb-del-sync-files", "no"},
    {"rdb-save-incremental-fsync", "yes"},
    {"rdbchecksum", "yes"},
    {"rdbcompression", "yes"},
    {"repl-backlog-size", "1048576"},
    {"repl-backlog-ttl", "3600"},
    {"repl-disable-tcp-nodelay", "no"},
    {"repl-diskless-load", "disabled"},
    {"repl-diskless-sync-delay", "5"},
    {"repl-diskless-sync-max-replicas", "0"},
    {"repl-diskless-sync", "yes"},
    {"repl-ping-replica-period", "10"},
    {"repl-ping-slave-period", "10"},
    {"repl-timeout", "60"},
    {"replica-announce-ip", ""},
    {"replica-announce-port", "0"},
    {"replica-announced", "yes"},
    {"replica-ignore-disk-write-errors", "no"},
    {"replica-ignore-maxmemory", "yes"},
    {"replica-lazy-flush", "no"},
    {"replica-priority", "100"},
    {"replica-read-only", "yes"},
    {"replica-serve-stale-data", "yes"},
    {"replicaof", ""},
    {"requirepass", ""},
    {"sanitize-dump-payload", "no"},
    {"server_cpulist", ""},
    {"set-max-intset-entries", "512"},
    {"set-proc-title", "yes"},
    {"shutdown-on-sigint", "default"},
    {"shutdown-on-sigterm", "default"},
    {"shutdown-timeout", "10"},
    {"slave-announce-ip", ""},
    {"slave-announce-port", "0"},
    {"slave-ignore-maxmemory", "yes"},
    {"slave-lazy-flush", "no"},
    {"slave-priority", "100"},
    {"slave-read-only", "yes"},
    {"slave-serve-stale-data", "yes"},
    {"slaveof", ""},
    {"slowlog-log-slower-than", "10000"},
    {"slowlog-max-len", "128"},
    {"socket-mark-id", "0"},
    {"stop-writes-on-bgsave-error", "yes"},
    {"stream-node-max-bytes", "4096"},
    {"stream-node-max-entries", "100"},
    {"supervised", "no"},
    {"syslog-enabled", "no"},
    {"syslog-facility", "local0"},
    {"tcp-backlog", "511"},
    {"tcp-keepalive", "300"},
    {"timeout", "0"},
    {"tls-auth-clients", "yes"},
    {"tls-ca-cert-dir", ""},
    {"tls-ca-cert-file", ""},
    {"tls-cert-file", ""},
    {"tls-ciphersuites", ""},
    {"tls-ciphers", ""},
    {"tls-client-cert-file", ""},
    {"tls-client-key-file-pass", ""},
    {"tls-client-key-file", ""},
    {"tls-cluster", "no"},
    {"tls-dh-params-file", ""},
    {"tls-key-file-pass", ""},
    {"tls-key-file", ""},
    {"tls-port", "0"},
    {"tls-prefer-server-ciphers", "no"},
    {"tls-protocols", ""},
    {"tls-replication", "no"},
    {"tls-session-cache-size", "20480"},
    {"tls-session-cache-timeout", "300"},
    {"tls-session-caching", "yes"},
    {"tracking-table-max-keys", "1000000"},
    {"unixsocketperm", "0"},
    {"unixsocket", ""},
    {"zset-max-listpack-entries", "128"},
    {"zset-max-listpack-value", "64"},
    {"zset-max-ziplist-entries", "128"},
    {"zset-max-ziplist-value", "64"},
};
// clang-format on

// Sets one directive as CONFIG SET does.
absl::Status Set(Config& config, std::string_view name, const std::string& value) {
  const Directive* directive = FindDirective(name);
  if (directive == nullptr) return absl::NotFoundError(AsAbsl(name));
  const bool no_words = value.empty() && directive->Is(kWords);
  return SetDirective(*directive, no_words ? ConfigWords() : ConfigWords(&value, 1),
                      ConfigSource::kSet, config);
}

std::string Get(const Config& config, std::string_view name) {
  return PrintDirective(*FindDirective(name), config);
}

TEST(ConfigRegistryTest, EveryNameIsLowerCaseAndUnique) {
  std::set<std::string_view> names;
  for (const Directive& directive : AllDirectives()) {
    for (const std::string_view name : {directive.name, directive.alias}) {
      if (name.empty()) continue;
      EXPECT_EQ(name, ToLower(name));
      EXPECT_TRUE(names.insert(name).second) << name;
    }
  }
}

TEST(ConfigRegistryTest, ADangerousDirectiveSaysWhyItIsRefused) {
  for (const Directive& directive : AllDirectives()) {
    EXPECT_TRUE(!directive.Is(kDefaultOnly) || !directive.note.empty()) << directive.name;
  }
}

TEST(ConfigRegistryTest, KnowsAllOfRedisWithItsDefaults) {
  for (const NamedValue& expected : kRedisDefaults) {
    const Directive* directive = FindDirective(expected.name);
    ASSERT_NE(directive, nullptr) << expected.name;
    EXPECT_EQ(PrintDirective(*directive, DefaultConfig()), expected.value) << expected.name;
    EXPECT_FALSE(directive->Is(kHidden)) << expected.name;
  }
}

TEST(ConfigRegistryTest, LarderIsBoundedAndKeepsNothingOnDiskByDefault) {
  EXPECT_EQ(Get(DefaultConfig(), "maxmemory-clients"), "auto");
  EXPECT_EQ(Get(DefaultConfig(), "client-output-buffer-limit"),
            "normal 268435456 67108864 60 slave 268435456 67108864 60 pubsub 33554432 8388608 60");
  EXPECT_EQ(Get(DefaultConfig(), "save"), "");
  EXPECT_GE(DefaultConfig().threads, 1);
}

TEST(ConfigRegistryTest, EveryDefaultIsAValueThatCanBeSet) {
  for (const Directive& directive : AllDirectives()) {
    if (directive.Is(kFileOnly)) continue;
    Config config = DefaultConfig();
    const std::string value = PrintDirective(directive, config);
    EXPECT_TRUE(Set(config, directive.name, value).ok()) << directive.name << " " << value;
    EXPECT_EQ(PrintDirective(directive, config), value) << directive.name;
  }
}

TEST(ConfigRegistryTest, EveryDefaultReadsBackFromItsLines) {
  for (const Directive& directive : AllDirectives()) {
    if (directive.Is(kFileOnly)) continue;
    Config config = DefaultConfig();
    for (const std::string& line : DirectiveLines(directive, config)) {
      const auto words = SplitConfigLine(line);
      ASSERT_TRUE(words && words->size() > 1) << line;
      EXPECT_EQ((*words)[0], directive.name);
      EXPECT_TRUE(
          SetDirective(directive, ConfigWords(*words).subspan(1), ConfigSource::kFile, config).ok())
          << line;
    }
    EXPECT_EQ(PrintDirective(directive, config), PrintDirective(directive, DefaultConfig()));
  }
}

TEST(ConfigRegistryTest, FindsAliasesInAnyCase) {
  EXPECT_EQ(FindDirective("slave-priority"), FindDirective("REPLICA-priority"));
  EXPECT_EQ(FindDirective("hash-max-ziplist-entries")->name, "hash-max-listpack-entries");
  EXPECT_EQ(FindDirective("lua-time-limit")->name, "busy-reply-threshold");
  EXPECT_EQ(FindDirective("nosuch"), nullptr);
  EXPECT_EQ(FindDirective(""), nullptr);
}

struct SetCase {
  std::string name;
  std::string value;
  std::string shown;  // By CONFIG GET afterwards.
};

class SetDirectiveTest : public testing::TestWithParam<SetCase> {};

TEST_P(SetDirectiveTest, IsShownInOneSpelling) {
  Config config = DefaultConfig();
  ASSERT_TRUE(Set(config, GetParam().name, GetParam().value).ok());
  const std::string shown = Get(config, GetParam().name);
  EXPECT_EQ(shown, GetParam().shown);
  Config again = config;
  ASSERT_TRUE(Set(again, GetParam().name, shown).ok());
  EXPECT_EQ(again, config);
}

// What Redis 7.0.15 shows after CONFIG SET.
INSTANTIATE_TEST_SUITE_P(
    Values, SetDirectiveTest,
    testing::ValuesIn(std::vector<SetCase>{
        {"appendonly", "YES", "yes"},
        {"hz", "1000", "500"},
        {"hz", "0", "1"},
        {"maxmemory", "5gb", "5368709120"},
        {"maxmemory", "1K", "1000"},
        {"maxmemory", "", "0"},
        {"maxmemory-clients", "10%", "10%"},
        {"maxmemory-clients", "0%", "0"},
        {"maxmemory-clients", "1kb", "1024"},
        {"maxmemory-clients", "AUTO", "auto"},
        {"maxmemory-policy", "ALLKEYS-lru", "allkeys-lru"},
        {"loglevel", "NOTICE", "notice"},
        {"unixsocketperm", "777", "777"},
        {"unixsocketperm", "0700", "700"},
        {"oom-score-adj", "relative", "yes"},
        {"oom-score-adj", "absolute", "absolute"},
        {"oom-score-adj-values", "3 2 1", "3 2 1"},
        {"oom-score-adj-values", "-2000 0 2000", "-2000 0 2000"},
        {"save", "3600 1 60 10000", "3600 1 60 10000"},
        {"save", "", ""},
        {"bind", "127.0.0.1 -::1", "127.0.0.1 -::1"},
        {"bind", "", ""},
        {"notify-keyspace-events", "", ""},
        {"notify-keyspace-events", "KEA", "AKE"},
        {"notify-keyspace-events", "g$lshzxetd", "A"},
        {"notify-keyspace-events", "mKn", "nKm"},
        {"notify-keyspace-events", "E$l", "$lE"},
        {"notify-keyspace-events", "KK", "K"},
        {"latency-tracking-info-percentiles", "50 99", "50 99"},
        {"latency-tracking-info-percentiles", "", ""},
        {"latency-tracking-info-percentiles", "99.999", "99.999"},
        {"latency-tracking-info-percentiles", "1e1", "10"},
        {"latency-tracking-info-percentiles", "0", "0"},
        {"latency-tracking-info-percentiles", "50.0 50", "50 50"},
        {"client-output-buffer-limit", "normal 1mb 2mb 3",
         "normal 1048576 2097152 3 slave 268435456 67108864 60 pubsub 33554432 8388608 60"},
        {"client-output-buffer-limit", "replica 1 2 3 PUBSUB 1kb 1kb 0",
         "normal 268435456 67108864 60 slave 1 2 3 pubsub 1024 1024 0"},
        {"shutdown-on-sigterm", "force now save", "save now force"},
        {"shutdown-on-sigterm", "default save", "save"},
        {"shutdown-on-sigterm", "SAVE", "save"},
        {"shutdown-on-sigint", "default", "default"},
        {"syslog-facility", "LOCAL7", "local7"},
        {"acl-pubsub-default", "allchannels", "allchannels"},
        {"requirepass", "a b\"c", "a b\"c"},
        {"proc-title-template", "{title} {port} {{x", "{title} {port} {{x"},
        {"list-max-ziplist-size", "-5", "-5"},
        {"replicaof", "no one", ""},
        {"repl-backlog-size", "16kb", "16384"},
        {"tls-auth-clients", "Optional", "optional"},
        {"cluster-announce-hostname", "a-b.example", "a-b.example"},
        {"threads", "3", "3"},
    }),
    [](const auto& row) { return absl::StrCat("Row", row.index); });

TEST(ConfigRegistryTest, WordsWithinWordsCountAsWords) {
  const Directive& bind = *FindDirective("bind");
  Config config;
  const std::vector<std::string> two = {"127.0.0.1 -::1", "10.0.0.1"};
  ASSERT_TRUE(SetDirective(bind, two, ConfigSource::kFile, config).ok());
  EXPECT_EQ(config.bind_addresses, (std::vector<std::string>{"127.0.0.1", "-::1", "10.0.0.1"}));
  const std::vector<std::string> too_many = {"1 2 3 4 5 6 7 8 9 10", "1 2 3 4 5 6 7"};
  EXPECT_FALSE(SetDirective(bind, too_many, ConfigSource::kFile, config).ok());
}

TEST(ConfigRegistryTest, AKeepsTheClassesThatItDoesNotStandFor) {
  Config config;
  ASSERT_TRUE(Set(config, "notify-keyspace-events", "AnEm").ok());
  EXPECT_EQ(Get(config, "notify-keyspace-events"), "AnEm");
}

struct RefusalCase {
  std::string name;
  std::string value;
  std::string reason;
};

class RefusedValueTest : public testing::TestWithParam<RefusalCase> {};

TEST_P(RefusedValueTest, ChangesNothingAndSaysWhy) {
  Config config = DefaultConfig();
  const absl::Status status = Set(config, GetParam().name, GetParam().value);
  EXPECT_EQ(AsStd(status.message()), GetParam().reason);
  EXPECT_EQ(config, DefaultConfig());
}

constexpr char kBadShutdown[] =
    "argument(s) must be one of the following: default, save, nosave, now, force";
constexpr char kBadSave[] = "Invalid save parameters";
constexpr char kBadLimit[] =
    "Error in hard, soft or soft_seconds setting in buffer limit configuration.";
constexpr char kBadLimitCount[] = "Wrong number of arguments in buffer limit configuration.";
constexpr char kBadLimitClass[] = "Invalid client class specified in buffer limit configuration.";
constexpr char kBadScore[] =
    "Invalid oom-score-adj-values, elements must be between -2000 and 2000.";
constexpr char kBadPercentiles[] = "Invalid latency-tracking-info-percentiles parameters";
constexpr char kBadTemplate[] = "template format is invalid or contains unknown variables";

// Redis 7.0.15's texts, but for those that only Larder has.
INSTANTIATE_TEST_SUITE_P(
    Reasons, RefusedValueTest,
    testing::ValuesIn(std::vector<RefusalCase>{
        {"appendonly", "maybe", "argument must be 'yes' or 'no'"},
        {"maxclients", "lots", "argument couldn't be parsed into an integer"},
        {"maxclients", "0", "argument must be between 1 and 4294967295 inclusive"},
        {"port", "65536", "argument must be between 0 and 65535 inclusive"},
        {"timeout", "010", "argument couldn't be parsed into an integer"},
        {"timeout", "+5", "argument couldn't be parsed into an integer"},
        {"timeout", "1kb", "argument couldn't be parsed into an integer"},
        {"timeout", "", "argument couldn't be parsed into an integer"},
        {"timeout", "-1", "argument must be between 0 and 2147483647 inclusive"},
        {"hz", "x", "argument couldn't be parsed into an integer"},
        {"hz", "-1", "argument must be between 0 and 2147483647 inclusive"},
        {"databases", "0", "argument must be between 1 and 2147483647 inclusive"},
        {"slowlog-log-slower-than", "-2",
         "argument must be between -1 and 9223372036854775807 inclusive"},
        {"list-max-listpack-size", "3000000000",
         "argument must be between -2147483648 and 2147483647 inclusive"},
        {"maxmemory", "1xb", "argument must be a memory value"},
        {"maxmemory", "0%", "a share must be from 1% to 100%, or auto"},
        {"maxmemory", "101%", "a share must be from 1% to 100%, or auto"},
        {"maxmemory", "-5%", "a share must be from 1% to 100%, or auto"},
        {"maxmemory", "x%", "a share must be from 1% to 100%, or auto"},
        {"maxmemory", "automatic", "argument must be a memory value"},
        {"proto-max-bulk-len", "1",
         "argument must be between 1048576 and 9223372036854775807 inclusive"},
        {"repl-backlog-size", "0", "argument must be between 1 and 9223372036854775807 inclusive"},
        {"maxmemory-clients", "101%", "percentage argument must be less or equal to 100"},
        {"maxmemory-clients", "-5%", "argument must be a memory or percent value"},
        {"maxmemory-clients", "%", "argument must be a memory or percent value"},
        {"unixsocketperm", "999", "argument couldn't be parsed as an octal number"},
        {"unixsocketperm", "1000", "argument must be between 0 and 777 inclusive"},
        {"unixsocketperm", "-1", "argument must be between 0 and 777 inclusive"},
        {"maxmemory-policy", "x",
         "argument(s) must be one of the following: volatile-lru, volatile-lfu, volatile-random, "
         "volatile-ttl, allkeys-lru, allkeys-lfu, allkeys-random, volatile-lrm, allkeys-lrm, "
         "noeviction, allkeys-adaptive, allkeys-s3fifo, allkeys-fifo, volatile-adaptive, "
         "volatile-s3fifo, volatile-fifo"},
        {"tls-auth-clients", "maybe",
         "argument(s) must be one of the following: no, yes, optional"},
        {"shutdown-on-sigterm", "", kBadShutdown},
        {"shutdown-on-sigterm", "foo", kBadShutdown},
        {"shutdown-on-sigterm", "save nosave",
         "shutdown options SAVE and NOSAVE can't be used simultaneously"},
        {"save", "3600", kBadSave},
        {"save", "a b", kBadSave},
        {"save", "0 1", kBadSave},
        {"save", "1 -1", kBadSave},
        {"save", "3600  1", kBadSave},
        {"client-output-buffer-limit", "normal 1 2", kBadLimitCount},
        {"client-output-buffer-limit", " normal 1 2  3", kBadLimitCount},
        {"client-output-buffer-limit", "master 1 2 3", kBadLimitClass},
        {"client-output-buffer-limit", "normal a 2 3", kBadLimit},
        {"client-output-buffer-limit", "normal 1 2 -1", kBadLimit},
        {"client-output-buffer-limit", "pubsub 1 2 3 normal 1 2 3.5", kBadLimit},
        {"oom-score-adj-values", "", "wrong number of arguments"},
        {"oom-score-adj-values", "1 2", "wrong number of arguments"},
        {"oom-score-adj-values", "1 2 2001", kBadScore},
        {"oom-score-adj-values", "1.5 2 3", kBadScore},
        {"latency-tracking-info-percentiles", "a", kBadPercentiles},
        {"latency-tracking-info-percentiles", "nan", kBadPercentiles},
        {"latency-tracking-info-percentiles", "100.1",
         "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]"},
        {"notify-keyspace-events", "foo", "Invalid event class character. Use 'Ag$lshzxeKEtmdn'."},
        {"proc-title-template", "", kBadTemplate},
        {"proc-title-template", "{foo}", kBadTemplate},
        {"proc-title-template", "{title", kBadTemplate},
        {"dbfilename", "a/b", "dbfilename can't be a path, just a filename"},
        {"appendfilename", "", "appendfilename can't be empty"},
        {"appendfilename", "a/b", "appendfilename can't be a path, just a filename"},
        {"appenddirname", "a/b", "appenddirname can't be a path, just a dirname"},
        {"cluster-announce-hostname", "a_b",
         "Hostnames may only contain alphanumeric characters, hyphens or dots"},
        {"bind", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17", "Too many bind addresses specified."},
        {"dir", "/nosuchdir", "No such file or directory"},
        {"dir", "", "No such file or directory"},
        {"dir", "/dev/null", "Not a directory"},
        {"replicaof", "a b", "Invalid master port"},
        {"replicaof", "a 1 2", "wrong number of arguments"},
        {"replicaof", "10.0.0.1 6379",
         "Larder cannot be a replica yet and does not start as if it were the primary"},
        {"cluster-enabled", "yes",
         "Larder cannot be a cluster node yet and does not start as if it were alone"},
        {"tls-port", "6380",
         "Larder does not speak TLS yet and does not serve in the clear where TLS is expected"},
        {"tls-port", "70000", "argument must be between 0 and 65535 inclusive"},
        {"aclfile", "/etc/users.acl",
         "Larder does not read ACL files yet and does not let everybody in instead"},
        {"threads", "1025", "argument must be between 0 and 1024 inclusive"},
    }),
    [](const auto& row) { return absl::StrCat("Row", row.index); });

}  // namespace
}  // namespace larder
