// TIME, ROLE, MONITOR, LOLWUT, MODULE, SHUTDOWN as clients see them.
#include <chrono>
#include <cstdlib>

#include "gmock/gmock.h"
#include "tests/support/wire_case.h"
#include "tests/wire/same_as_redis.h"

namespace larder {
namespace {

using testing::EndsWith;
using testing::MatchesRegex;

constexpr char kModuleRefused[] =
    "-ERR MODULE command not allowed. If the enable-module-command option is set to \"local\", you "
    "can run it from a local connection, otherwise you need to set this option in the "
    "configuration file, and then restart the server.\r\n";

class ServerWireTest : public WireTest {};

TEST_P(ServerWireTest, AnswersLikeRedis) { Run(); }

LARDER_INSTANTIATE_CASES(
    Server, ServerWireTest,
    {
        {"Time",
         {{"TIME", Like("*2\r\n$10\r\n<int>\r\n<bulk>")},
          {"TIME a", "-ERR wrong number of arguments for 'time' command\r\n"}}},
        {"RoleAndLastSave",
         {{"ROLE", "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"},
          {"ROLE x", "-ERR wrong number of arguments for 'role' command\r\n"},
          {"LASTSAVE", Like(":<int>\r\n")}}},
        {"Modules",
         {{"MODULE LIST", "*0\r\n"},
          {"MODULE LOAD x", kModuleRefused},
          {"MODULE LOADEX x", kModuleRefused},
          {"MODULE UNLOAD x", kModuleRefused},
          {"MODULE", "-ERR wrong number of arguments for 'module' command\r\n"},
          {"MODULE x", "-ERR unknown subcommand 'x'. Try MODULE HELP.\r\n"}}},
        {"ShutdownRefused",
         {{"SHUTDOWN x", "-ERR syntax error\r\n"},
          {"SHUTDOWN NOSAVE SAVE", "-ERR syntax error\r\n"},
          {"SHUTDOWN ABORT NOW", "-ERR syntax error\r\n"},
          {"SHUTDOWN ABORT", "-ERR No shutdown in progress.\r\n"},
          {"MULTI", "+OK\r\n"},
          {"SHUTDOWN", "-ERR Command not allowed inside a transaction\r\n"},
          {"DISCARD", "+OK\r\n"}}},
        {"LolwutErrors",
         {{"LOLWUT VERSION x", "-ERR value is not an integer or out of range\r\n"},
          {"LOLWUT VERSION 5 a b c", "-ERR value is not an integer or out of range\r\n"}}},
        {"MonitorShowsRequests",
         {{"MONITOR", "+OK\r\n"},
          On(1, {"SET key value", "+OK\r\n"}),
          Receive(0, Like("+<double> [0 127.0.0.1:<int>] \"SET\" \"key\" \"value\"\r\n")),
          On(1, {"SELECT 3", "+OK\r\n"}),
          Receive(0, Like("+<double> [3 127.0.0.1:<int>] \"SELECT\" \"3\"\r\n")),
          On(1, {std::vector<std::string>{"get", "a\r\n\"\x01\xff\\"}, "$-1\r\n"}),
          Receive(0, Like("+<double> [3 127.0.0.1:<int>] \"get\" "
                          "\"a\\r\\n\\\"\\x01\\xff\\\\\"\r\n"))}},
        {"MonitorHidesSecrets",
         {{"MONITOR", "+OK\r\n"},
          On(1, {"AUTH secret", Anything()}),
          Receive(0, Like("+<double> [0 127.0.0.1:<int>] \"AUTH\" \"(redacted)\"\r\n")),
          On(1, {"AUTH default secret", Anything()}),
          Receive(0,
                  Like("+<double> [0 127.0.0.1:<int>] \"AUTH\" \"(redacted)\" \"(redacted)\"\r\n")),
          On(1, {"HELLO 2 AUTH default secret", Anything()}),
          Receive(0, Like("+<double> [0 127.0.0.1:<int>] \"HELLO\" \"2\" \"AUTH\" \"(redacted)\" "
                          "\"(redacted)\"\r\n"))}},
        {"MonitorShowsATransactionWhenItRuns",
         {{"MONITOR", "+OK\r\n"},
          On(1, {"MULTI", "+OK\r\n"}),
          Receive(0, Like("+<double> [0 127.0.0.1:<int>] \"MULTI\"\r\n")),
          On(1, {"SET a 1", "+QUEUED\r\n"}),
          On(1, {"EXEC", "*1\r\n+OK\r\n"}),
          Receive(0, Like("+<double> [0 127.0.0.1:<int>] \"SET\" \"a\" \"1\"\r\n")),
          Receive(0, Like("+<double> [0 127.0.0.1:<int>] \"EXEC\"\r\n"))}},
        {"MonitorNotInMulti",
         {{"MULTI", "+OK\r\n"},
          {"MONITOR", "+QUEUED\r\n"},
          {"EXEC", "*1\r\n-ERR MONITOR isn't allowed for DENY BLOCKING client\r\n"}}},
    });

TEST_F(ServerWireTest, HelpIsRediss) {
  EXPECT_EQ(DifferencesFromRedis(Larder().port(), Redis().port(), {"MODULE HELP"}), "");
}

TEST_F(ServerWireTest, LolwutTellsTheVersionOfRedisLast) {
  RespClient client(Larder().port());
  for (const auto& args :
       std::vector<std::vector<std::string>>{{"LOLWUT"},
                                             {"LOLWUT", "VERSION", "5", "100", "40", "20"},
                                             {"LOLWUT", "a", "b"},
                                             {"LOLWUT", "VERSION", "6", "0", "0", "0"},
                                             {"LOLWUT", "VERSION", "5", "-1"}}) {
    EXPECT_THAT(client.Call(args).text, EndsWith("Redis ver. 7.0.15\n"));
  }
}

TEST_F(ServerWireTest, ShutdownClosesTheConnectionAndEndsTheProcess) {
  for (const auto& args : std::vector<std::vector<std::string>>{
           {"SHUTDOWN"}, {"SHUTDOWN", "NOSAVE", "NOW", "FORCE"}}) {
    ServerProcess server = ServerProcess::StartLarder();
    RespClient client(server.port());
    client.Send(args);
    EXPECT_TRUE(client.ReadsEnd());
    EXPECT_EQ(server.WaitForExit(std::chrono::seconds(10)), 0) << server.Log();
  }
}

}  // namespace
}  // namespace larder
