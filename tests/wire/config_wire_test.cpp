// CONFIG as clients see it.
#include "tests/support/wire_case.h"
#include "tests/wire/same_as_redis.h"

namespace larder {
namespace {

class ConfigWireTest : public WireTest {};

TEST_P(ConfigWireTest, AnswersLikeRedis) { Run(); }

LARDER_INSTANTIATE_CASES(
    Config, ConfigWireTest,
    {
        {"GetIsAMap",
         {{"CONFIG GET maxmemory", Array({Bulk("maxmemory"), Bulk("0")}),
           "%1\r\n$9\r\nmaxmemory\r\n$1\r\n0\r\n"},
          {"CONFIG GET nosuch", "*0\r\n", "%0\r\n"},
          {"CONFIG GET MaxMemory", Array({Bulk("MaxMemory"), Bulk("0")}),
           "%1\r\n$9\r\nMaxMemory\r\n$1\r\n0\r\n"}}},
        {"SetAndGet",
         {{"CONFIG SET slowlog-max-len 77 maxmemory-samples 9", "+OK\r\n"},
          {"CONFIG GET slowlog-max-len", Array({Bulk("slowlog-max-len"), Bulk("77")})},
          {"CONFIG GET maxmemory-samples", Array({Bulk("maxmemory-samples"), Bulk("9")})},
          {"CONFIG SET slowlog-max-len 128 maxmemory-samples 5", "+OK\r\n"}}},
        {"SetIsAllOrNothing",
         {{"CONFIG SET slowlog-max-len 77 maxmemory abc",
           "-ERR CONFIG SET failed (possibly related to argument 'maxmemory') - argument must be a "
           "memory value\r\n"},
          {"CONFIG GET slowlog-max-len", Array({Bulk("slowlog-max-len"), Bulk("128")})}}},
        {"Errors",
         {{"CONFIG", "-ERR wrong number of arguments for 'config' command\r\n"},
          {"CONFIG GET", "-ERR wrong number of arguments for 'config|get' command\r\n"},
          {"CONFIG SET maxmemory", "-ERR wrong number of arguments for 'config|set' command\r\n"},
          {"CONFIG SET maxmemory 1 hz", "-ERR syntax error\r\n"},
          {"CONFIG SET nosuch 1",
           "-ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'\r\n"},
          {"CONFIG SET maxmemory 0 maxmemory 0",
           "-ERR CONFIG SET failed (possibly related to argument 'maxmemory') - duplicate "
           "parameter\r\n"},
          {"CONFIG SET databases 3",
           "-ERR CONFIG SET failed (possibly related to argument 'databases') - can't set "
           "immutable config\r\n"},
          {"CONFIG REWRITE", "-ERR The server is running without a config file\r\n"},
          {"CONFIG nosuch", "-ERR unknown subcommand 'nosuch'. Try CONFIG HELP.\r\n"}}},
        {"ResetStat",
         {{"CONFIG RESETSTAT", "+OK\r\n"},
          {"CONFIG RESETSTAT x",
           "-ERR wrong number of arguments for 'config|resetstat' command\r\n"}}},
    });

TEST_F(ConfigWireTest, ProtectedDirectivesAreForThoseWhoAreAllowed) {
  const auto set = [](const std::string& allowed) {
    const ServerProcess server =
        ServerProcess::StartLarder({"--enable-protected-configs", allowed});
    return RespClient(server.port()).Raw({"CONFIG", "SET", "dbfilename", "other.rdb"});
  };
  EXPECT_EQ(set("local"), "+OK\r\n");
  EXPECT_EQ(set("yes"), "+OK\r\n");
  EXPECT_EQ(set("no"),
            "-ERR CONFIG SET failed (possibly related to argument 'dbfilename') - can't set "
            "protected config\r\n");
}

TEST_F(ConfigWireTest, HelpIsRediss) {
  EXPECT_EQ(DifferencesFromRedis(Larder().port(), Redis().port(), {"CONFIG HELP"}), "");
}

}  // namespace
}  // namespace larder
