// INFO as clients and monitoring read it.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "tests/support/background.h"
#include "tests/support/wire_case.h"

namespace larder {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

class InfoWireTest : public WireTest {};

TEST_P(InfoWireTest, AnswersLikeRedis) { Run(); }

LARDER_INSTANTIATE_CASES(
    Info, InfoWireTest,
    {
        {"Sections",
         {{"INFO nosuch", "$0\r\n\r\n", "=4\r\ntxt:\r\n"},
          {"INFO modules", "$11\r\n# Modules\r\n\r\n", "=15\r\ntxt:# Modules\r\n\r\n"},
          {"INFO MODULES nosuch cluster",
           "$43\r\n# Modules\r\n\r\n# Cluster\r\ncluster_enabled:0\r\n\r\n",
           "=47\r\ntxt:# Modules\r\n\r\n# Cluster\r\ncluster_enabled:0\r\n\r\n"},
          {"INFO cluster cluster", "$30\r\n# Cluster\r\ncluster_enabled:0\r\n\r\n",
           "=34\r\ntxt:# Cluster\r\ncluster_enabled:0\r\n\r\n"}}},
        {"Keyspace",
         {{"INFO keyspace", "$12\r\n# Keyspace\r\n\r\n", "=16\r\ntxt:# Keyspace\r\n\r\n"},
          {"MSET a 1 b 2", "+OK\r\n"},
          {"SELECT 3", "+OK\r\n"},
          {"SET c 3", "+OK\r\n"},
          {"INFO keyspace",
           "$76\r\n# Keyspace\r\ndb0:keys=2,expires=0,avg_ttl=0\r\ndb3:keys=1,expires=0,avg_ttl=0"
           "\r\n\r\n",
           "=80\r\ntxt:# Keyspace\r\ndb0:keys=2,expires=0,avg_ttl=0\r\ndb3:keys=1,expires=0,"
           "avg_ttl=0\r\n\r\n"}}},
        {"ErrorsByCodeWord",
         {{"CONFIG RESETSTAT", "+OK\r\n"},
          {"GET", "-ERR wrong number of arguments for 'get' command\r\n"},
          {"DEBUG ERROR MYCODE", "-MYCODE\r\n"},
          {"INFO errorstats", Anything()}}},
        {"InsideMulti",
         {{"SET a 1", "+OK\r\n"},
          {"MULTI", "+OK\r\n"},
          {"SET b 2", "+QUEUED\r\n"},
          {"INFO keyspace", "+QUEUED\r\n"},
          {"EXEC", "*2\r\n+OK\r\n$44\r\n# Keyspace\r\ndb0:keys=2,expires=0,avg_ttl=0\r\n\r\n",
           "*2\r\n+OK\r\n=48\r\ntxt:# Keyspace\r\ndb0:keys=2,expires=0,avg_ttl=0\r\n\r\n"}}},
    });

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find("\r\n", at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 2;
  }
  return lines;
}

// The names of the fields of each section, in order.
std::map<std::string, std::vector<std::string>> FieldsBySection(const std::string& text) {
  std::map<std::string, std::vector<std::string>> sections;
  std::string section;
  for (const std::string& line : Lines(text)) {
    if (line.starts_with("# ")) {
      section = line.substr(2);
      sections[section];
    } else if (!line.empty()) {
      sections[section].push_back(line.substr(0, line.find(':')));
    }
  }
  return sections;
}

std::map<std::string, std::string> Values(RespClient& client, const std::string& section) {
  std::map<std::string, std::string> values;
  for (const std::string& line : Lines(client.Call({"INFO", section}).text)) {
    const size_t colon = line.find(':');
    if (colon != line.npos) values[line.substr(0, colon)] = line.substr(colon + 1);
  }
  return values;
}

TEST_F(InfoWireTest, EverySectionBeginsWithRedissFieldsInItsOrder) {
  RespClient larder(Larder().port());
  RespClient redis(Redis().port());
  const auto ours = FieldsBySection(larder.Call({"INFO"}).text);
  for (const auto& [section, fields] : FieldsBySection(redis.Call({"INFO"}).text)) {
    if (section == "Keyspace" || section == "Errorstats") continue;  // Their fields are data.
    ASSERT_TRUE(ours.contains(section)) << section;
    std::vector<std::string> first = ours.at(section);
    ASSERT_GE(first.size(), fields.size()) << section;
    first.resize(fields.size());
    EXPECT_EQ(first, fields) << section;
  }
  EXPECT_TRUE(ours.contains("Larder"));
}

TEST_F(InfoWireTest, SectionsComeInRedissOrder) {
  RespClient larder(Larder().port());
  RespClient redis(Redis().port());
  const auto order = [](const std::string& text) {
    std::vector<std::string> sections;
    for (const std::string& line : Lines(text)) {
      if (!line.starts_with("# ") || line == "# Larder" || line == "# Cache") continue;
      sections.push_back(line);
    }
    return sections;
  };
  for (const char* choice : {"default", "all", "everything"}) {
    EXPECT_EQ(order(larder.Call({"INFO", choice}).text), order(redis.Call({"INFO", choice}).text));
  }
}

TEST_F(InfoWireTest, CountsWhatHappens) {
  ServerProcess server = ServerProcess::StartLarder();
  RespClient client(server.port());
  client.Raw({"CONFIG", "RESETSTAT"});
  client.Raw({"SET", "a", "1"});
  client.Raw({"GET", "a"});
  client.Raw({"GET", "none"});
  client.Raw({"GET", "none"});
  client.Raw({"GET"});
  client.Raw({"INCR", "a", "b", "c"});
  client.Raw({"NOSUCH"});

  auto stats = Values(client, "stats");
  EXPECT_EQ(stats["keyspace_hits"], "1");
  EXPECT_EQ(stats["keyspace_misses"], "2");
  EXPECT_EQ(stats["total_error_replies"], "3");
  EXPECT_EQ(Values(client, "errorstats")["errorstat_ERR"], "count=3");
  EXPECT_EQ(Values(client, "persistence")["rdb_changes_since_last_save"], "1");
  // Whoever asked whether the server is up may still be on the way out.
  EXPECT_TRUE(Eventually([&] { return Values(client, "clients")["connected_clients"] == "1"; }));
  EXPECT_THAT(Values(client, "commandstats")["cmdstat_get"], StartsWith("calls=3,usec="));
  EXPECT_THAT(Values(client, "commandstats")["cmdstat_get"],
              testing::EndsWith(",rejected_calls=1,failed_calls=0"));
  EXPECT_THAT(Values(client, "latencystats")["latency_percentiles_usec_set"], StartsWith("p50="));
}

TEST_F(InfoWireTest, TheHitRatioIsUnknownUntilSomethingIsLookedUp) {
  ServerProcess server = ServerProcess::StartLarder();
  RespClient client(server.port());
  auto cache = Values(client, "cache");
  for (const char* window : {"1m", "10m", "total"}) {
    EXPECT_EQ(cache[std::string("hit_ratio_") + window], "-1");
    EXPECT_EQ(cache[std::string("lookups_") + window], "0");
  }
  client.Raw({"SET", "a", "1"});
  for (int i = 0; i < 3; ++i) client.Raw({"GET", "a"});
  client.Raw({"GET", "none"});
  cache = Values(client, "cache");
  for (const char* window : {"1m", "10m", "total"}) {
    EXPECT_EQ(cache[std::string("hit_ratio_") + window], "0.7500");
    EXPECT_EQ(cache[std::string("lookups_") + window], "4");
  }
  client.Raw({"CONFIG", "RESETSTAT"});
  client.Raw({"GET", "none"});
  cache = Values(client, "cache");
  EXPECT_EQ(cache["hit_ratio_1m"], "0.0000");
  EXPECT_EQ(cache["lookups_10m"], "1");
}

TEST_F(InfoWireTest, TellsWhatIsHeldByType) {
  ServerProcess server = ServerProcess::StartLarder();
  RespClient client(server.port());
  client.Raw({"MSET", "a", "1", "b", std::string(100'000, 'x')});
  client.Raw({"RPUSH", "list", "1"});
  client.Raw({"SADD", "set", "1"});
  client.Raw({"HSET", "hash", "f", std::string(50'000, 'x')});
  client.Raw({"ZADD", "zset", "1", "1"});
  client.Raw({"SELECT", "3"});
  client.Raw({"XADD", "stream", "*", "f", "v"});
  auto cache = Values(client, "cache");
  EXPECT_THAT(cache["type_string"], StartsWith("keys=2,bytes=1"));
  EXPECT_GE(std::stoll(cache["type_string"].substr(13)), 100'000);
  EXPECT_GE(std::stoll(cache["type_hash"].substr(13)), 50'000);
  for (const char* type : {"list", "set", "zset", "hash", "stream"}) {
    EXPECT_THAT(cache[std::string("type_") + type], StartsWith("keys=1,bytes=")) << type;
  }
  client.Raw({"FLUSHALL"});
  cache = Values(client, "cache");
  for (const char* type : {"string", "list", "set", "zset", "hash", "stream"}) {
    EXPECT_EQ(cache[std::string("type_") + type], "keys=0,bytes=0") << type;
  }
}

TEST_F(InfoWireTest, TellsWhatEachPolicyHasEvictedAndHowOldItWas) {
  ServerProcess server = ServerProcess::StartLarder({"--maxmemory-policy", "allkeys-random"});
  RespClient client(server.port());
  for (int i = 0; i < 10; ++i) client.Raw({"SET", std::to_string(i), "v"});
  EXPECT_FALSE(Values(client, "cache").contains("evicted_age_seconds"));
  client.Raw({"CONFIG", "SET", "maxmemory", "1"});
  EXPECT_TRUE(Eventually([&] { return client.Call({"DBSIZE"}).integer == 0; }));
  auto cache = Values(client, "cache");
  EXPECT_THAT(cache["evicted_allkeys-random"], StartsWith("keys=10,bytes="));
  EXPECT_FALSE(cache.contains("evicted_allkeys-lru"));
  EXPECT_THAT(cache["evicted_age_seconds"], StartsWith("keys=10,sum="));
  EXPECT_THAT(cache["evicted_age_seconds"], testing::EndsWith("=10"));
  EXPECT_EQ(Values(client, "stats")["evicted_keys"], "10");
}

TEST_F(InfoWireTest, CountsBlessedKeysAndWhatTheyOccupy) {
  ServerProcess server = ServerProcess::StartLarder();
  RespClient client(server.port());
  client.Raw({"SET", "a", std::string(10'000, 'x')});
  client.Raw({"SET", "b", "1"});
  client.Raw({"BLESS", "SET", "a", "NO-EVICT"});
  EXPECT_EQ(Values(client, "stats")["blessed_keys"], "1");
  EXPECT_EQ(Values(client, "cache")["blessed_keys"], "1");
  EXPECT_GE(std::stoll(Values(client, "cache")["blessed_bytes"]), 10'000);
  EXPECT_LT(std::stoll(Values(client, "cache")["blessed_bytes"]), 20'000);
}

// What INFO says of errors and of calls that failed, after EXEC has met some.
std::vector<std::string> AfterFailuresInExec(RespClient& client) {
  client.Raw({"CONFIG", "RESETSTAT"});
  client.Raw({"MULTI"});
  client.Raw({"SET", "a", "b"});
  client.Raw({"INCR", "a"});
  client.Raw({"INCR", "a"});
  client.Raw({"EXEC"});
  client.Raw({"EXEC"});
  client.Raw({"MULTI"});
  client.Raw({"GET"});
  client.Raw({"EXEC"});
  std::vector<std::string> said = {Values(client, "stats")["total_error_replies"]};
  for (const auto& [name, value] : Values(client, "errorstats")) {
    said.push_back(name + ": " + value);
  }
  for (const auto& [name, value] : Values(client, "commandstats")) {
    if (name == "cmdstat_info") continue;
    said.push_back(name + ": " + value.substr(0, value.find(",usec")) +
                   value.substr(value.find(",rejected_calls")));
  }
  client.Raw({"DEL", "a"});
  return said;
}

TEST_F(InfoWireTest, ExecDoesNotFailWithTheCommandsThatItRuns) {
  RespClient larder(Larder().port());
  RespClient redis(Redis().port());
  EXPECT_EQ(AfterFailuresInExec(larder), AfterFailuresInExec(redis));
}

TEST_F(InfoWireTest, MemoryFollowsWhatIsStored) {
  ServerProcess server = ServerProcess::StartLarder();
  RespClient client(server.port());
  const int64_t before = std::stoll(Values(client, "memory")["used_memory"]);
  // Just below a size class of the allocator's, which is what counts.
  client.Raw({"SET", "large", std::string((10 << 20) - 4096, 'x')});
  const int64_t after = std::stoll(Values(client, "memory")["used_memory"]);
  EXPECT_GE(after - before, (10 << 20) - 4096);
  EXPECT_LE(after - before, 11 << 20);
  client.Raw({"DEL", "large"});
  auto memory = Values(client, "memory");
  EXPECT_LT(std::stoll(memory["used_memory"]), after - (9 << 20));
  EXPECT_GE(std::stoll(memory["used_memory_peak"]), after);
}

}  // namespace
}  // namespace larder
