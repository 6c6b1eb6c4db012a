// MEMORY as clients see it.
#include "gmock/gmock.h"
#include "tests/support/wire_case.h"
#include "tests/wire/same_as_redis.h"

namespace larder {
namespace {

class MemoryWireTest : public WireTest {};

TEST_P(MemoryWireTest, AnswersLikeRedis) { Run(); }

LARDER_INSTANTIATE_CASES(
    Memory, MemoryWireTest,
    {
        {"Usage",
         {{"SET a abc", "+OK\r\n"},
          {"MEMORY USAGE a", IntegerBetween(16, 200)},
          {"MEMORY USAGE a SAMPLES 0", IntegerBetween(16, 200)},
          {"MEMORY USAGE a SAMPLES 1 SAMPLES 2", IntegerBetween(16, 200)},
          {"MEMORY USAGE none", "$-1\r\n"},
          {{"SET", "large", std::string(10000, 'x')}, "+OK\r\n"},
          {"MEMORY USAGE large", IntegerBetween(10000, 13000)}}},
        {"UsageErrors",
         {{"SET a abc", "+OK\r\n"},
          {"MEMORY USAGE", "-ERR wrong number of arguments for 'memory|usage' command\r\n"},
          {"MEMORY USAGE a SAMPLES", "-ERR syntax error\r\n"},
          {"MEMORY USAGE a SAMPLES -1", "-ERR syntax error\r\n"},
          {"MEMORY USAGE a SAMPLES x", "-ERR value is not an integer or out of range\r\n"},
          {"MEMORY USAGE none SAMPLES x", "-ERR value is not an integer or out of range\r\n"},
          {"MEMORY USAGE a FOO 5", "-ERR syntax error\r\n"}}},
        {"Errors",
         {{"MEMORY", "-ERR wrong number of arguments for 'memory' command\r\n"},
          {"MEMORY x", "-ERR unknown subcommand 'x'. Try MEMORY HELP.\r\n"},
          {"MEMORY DOCTOR x", "-ERR wrong number of arguments for 'memory|doctor' command\r\n"}}},
        {"Purge", {{"MEMORY PURGE", "+OK\r\n"}}},
    });

TEST_F(MemoryWireTest, HelpIsRediss) {
  EXPECT_EQ(DifferencesFromRedis(Larder().port(), Redis().port(), {"MEMORY HELP"}), "");
}

TEST_F(MemoryWireTest, StatsHaveRedissFieldsInItsOrder) {
  std::vector<std::vector<std::string>> names;
  for (const int port : {Larder().port(), Redis().port()}) {
    RespClient client(port);
    client.Raw({"FLUSHALL"});
    client.Raw({"SET", "a", "1"});
    client.Raw({"HELLO", "3"});
    const RespValue stats = client.Call({"MEMORY", "STATS"});
    EXPECT_EQ(stats.type, '%');
    names.emplace_back();
    for (size_t i = 0; i < stats.elements.size(); i += 2) {
      names.back().push_back(stats.elements[i].text + stats.elements[i + 1].type);
    }
  }
  EXPECT_EQ(names[0], names[1]);
}

TEST_F(MemoryWireTest, ReportsAreText) {
  RespClient client(Larder().port());
  client.Raw({"HELLO", "3"});
  EXPECT_EQ(client.Call({"MEMORY", "DOCTOR"}).type, '=');
  EXPECT_EQ(client.Call({"MEMORY", "MALLOC-STATS"}).type, '=');
}

}  // namespace
}  // namespace larder
