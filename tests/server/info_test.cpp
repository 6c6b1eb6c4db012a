#include "server/info.h"

#include <string>
#include <vector>

#include "commands/command_table.h"
#include "commands/latency_histogram.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace larder {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

void Ignore(CommandContext&) {}

constexpr CommandSpec kRows[] = {
    {"get", 2, kReadOnly, Keys(1, 1, 1), kAclString, &Ignore, "", "", ""},
    {"set", -3, kWrite, Keys(1, 1, 1), kAclString, &Ignore, "", "", ""},
};
constexpr CommandFamily kFamilies[] = {{"string", kRows}};

std::string Render(std::vector<std::string_view> sections, const InfoFigures& figures = {},
                   const KeyspaceFigures& keyspace = {}) {
  return RenderInfo(sections, figures, keyspace);
}

TEST(InfoTest, SectionsAreSeparatedByAnEmptyLineAndUnknownOnesIgnored) {
  EXPECT_EQ(Render({"modules", "nosuch", "CLUSTER"}),
            "# Modules\r\n\r\n# Cluster\r\ncluster_enabled:0\r\n");
  EXPECT_EQ(Render({"nosuch"}), "");
}

TEST(InfoTest, DefaultLeavesOutWhatIsLongAndAllDoesNot) {
  const CommandTable table(kFamilies);
  InfoFigures figures;
  figures.commands = &table;
  figures.statistics = [](uint32_t) { return CommandStatistics{}; };
  figures.histogram = [](uint32_t) { return std::vector<int64_t>{}; };
  for (const std::string& text : {Render({}, figures), Render({"default"}, figures)}) {
    EXPECT_THAT(text, StartsWith("# Server\r\nredis_version:7.0.15\r\n"));
    EXPECT_THAT(text, HasSubstr("# Errorstats\r\n"));
    EXPECT_THAT(text, Not(HasSubstr("# Commandstats")));
    EXPECT_THAT(text, Not(HasSubstr("# Latencystats")));
  }
  EXPECT_THAT(Render({"default", "commandstats"}, figures), HasSubstr("# Commandstats\r\n"));
  EXPECT_THAT(Render({"all"}, figures), HasSubstr("# Latencystats\r\n"));
  EXPECT_THAT(Render({"everything"}, figures), HasSubstr("# Commandstats\r\n"));
}

TEST(InfoTest, TheStampedeSectionTellsWhatTheOriginWasSpared) {
  StampedeFigures counted;
  counted.Count(StampedeFigures::kLateFills);
  counted.CountFill(std::chrono::milliseconds(100));
  counted.CountFill(std::chrono::milliseconds(5));
  InfoFigures figures;
  figures.stampede = {.totals = counted.Total(), .rules = 2, .records = 3, .waiting_clients = 4};
  const std::string expected =
      "# Stampede\r\n"
      "stampede_rules:2\r\n"
      "keys_loading_or_held:3\r\n"
      "waiting_clients:4\r\n"
      "leases:0\r\n"
      "fills:2\r\n"
      "late_fills_refused:1\r\n"
      "leases_released:0\r\n"
      "leases_lost:0\r\n"
      "waits:0\r\n"
      "waits_served:0\r\n"
      "wait_timeouts:0\r\n"
      "stale_served:0\r\n"
      "early_refreshes:0\r\n"
      "negative_served:0\r\n"
      "held_back:0\r\n"
      "origin_loads_saved:0\r\n"
      "load_time_ms:avg=52.50,p50=8,p99=128\r\n";
  EXPECT_EQ(Render({"stampede"}, figures), expected);
  EXPECT_THAT(Render({}, figures), HasSubstr(expected));
}

TEST(InfoTest, TheCacheSectionTellsRatiosTypesAndEvictions) {
  InfoFigures figures;
  figures.cache.lookups_10m = {.hits = 1, .misses = 2};
  figures.cache.lookups_total = {.hits = 9, .misses = 1};
  auto& lru = figures.cache.evictions_by_policy[static_cast<size_t>(EvictionPolicy::kAllKeysLru)];
  lru = {.keys = 5, .bytes = 700};
  figures.cache.evicted_by_age[3] = 4;
  figures.cache.evicted_by_age[10] = 1;
  figures.cache.evicted_idle_seconds = 1027;
  KeyspaceFigures keyspace;
  UsageOf(keyspace.by_type, ValueType::kSortedSet) = {.keys = 2, .bytes = 300};
  keyspace.blessed_keys = 1;
  keyspace.blessed_bytes = 48;
  EXPECT_EQ(Render({"cache"}, figures, keyspace),
            "# Cache\r\n"
            "hit_ratio_1m:-1\r\nlookups_1m:0\r\n"
            "hit_ratio_10m:0.3333\r\nlookups_10m:3\r\n"
            "hit_ratio_total:0.9000\r\nlookups_total:10\r\n"
            "blessed_keys:1\r\nblessed_bytes:48\r\n"
            "type_string:keys=0,bytes=0\r\ntype_list:keys=0,bytes=0\r\n"
            "type_set:keys=0,bytes=0\r\ntype_zset:keys=2,bytes=300\r\n"
            "type_hash:keys=0,bytes=0\r\ntype_stream:keys=0,bytes=0\r\n"
            "evicted_allkeys-lru:keys=5,bytes=700\r\n"
            "evicted_age_seconds:keys=5,sum=1027,le_8=4,le_1024=5\r\n");
}

TEST(InfoTest, CommandsThatNeverRanAreNotListed) {
  const CommandTable table(kFamilies);
  InfoFigures figures;
  figures.commands = &table;
  figures.statistics = [&](uint32_t id) {
    if (table.all()[id]->full_name() != "set") return CommandStatistics{};
    return CommandStatistics{
        .calls = 4, .microseconds = 10, .rejected_calls = 2, .failed_calls = 1};
  };
  EXPECT_EQ(Render({"commandstats"}, figures),
            "# Commandstats\r\n"
            "cmdstat_set:calls=4,usec=10,usec_per_call=2.50,rejected_calls=2,failed_calls=1\r\n");
}

TEST(InfoTest, LatencyPercentilesAreNamedAsConfigured) {
  const CommandTable table(kFamilies);
  LatencyHistogram histogram;
  for (int i = 0; i < 10; ++i) histogram.Record(7);  // Below 8 ns, buckets are exact.
  InfoFigures figures;
  figures.commands = &table;
  figures.latency_percentiles = {50, 99.9};
  figures.histogram = [&](uint32_t id) {
    std::vector<int64_t> buckets;
    if (table.all()[id]->full_name() == "get") histogram.AddTo(buckets);
    return buckets;
  };
  EXPECT_EQ(Render({"latencystats"}, figures),
            "# Latencystats\r\nlatency_percentiles_usec_get:p50=0.007,p99.9=0.007\r\n");
  figures.latency_tracking = false;
  EXPECT_EQ(Render({"latencystats"}, figures), "# Latencystats\r\n");
}

TEST(InfoTest, ErrorsAreListedByCodeWord) {
  InfoFigures figures;
  figures.errors = {{"WRONGTYPE", 2}, {"ERR", 5}};
  EXPECT_EQ(Render({"errorstats"}, figures),
            "# Errorstats\r\nerrorstat_ERR:count=5\r\nerrorstat_WRONGTYPE:count=2\r\n");
}

TEST(InfoTest, KeyspaceListsDatabasesThatHoldSomething) {
  KeyspaceFigures keyspace;
  keyspace.databases = {{.db = 0, .keys = 3, .volatile_keys = 1, .average_ttl_ms = 1500},
                        {.db = 9, .keys = 1}};
  EXPECT_EQ(
      Render({"keyspace"}, {}, keyspace),
      "# Keyspace\r\ndb0:keys=3,expires=1,avg_ttl=1500\r\ndb9:keys=1,expires=0,avg_ttl=0\r\n");
}

TEST(InfoTest, SizesAreShownForPeopleToo) {
  InfoFigures figures;
  figures.memory.maxmemory_bytes = 1610612736;
  EXPECT_THAT(Render({"memory"}, figures),
              testing::AllOf(HasSubstr("maxmemory:1610612736\r\nmaxmemory_human:1.50G\r\n"),
                             HasSubstr("maxmemory_source:configured\r\n")));
  figures.memory.maxmemory_bytes = 1023;
  EXPECT_THAT(Render({"memory"}, figures), HasSubstr("maxmemory_human:1023B\r\n"));
}

}  // namespace
}  // namespace larder
