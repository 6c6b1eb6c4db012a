// LATENCY as clients see it.
#include "gmock/gmock.h"
#include "tests/support/wire_case.h"
#include "tests/wire/same_as_redis.h"

namespace larder {
namespace {

using testing::HasSubstr;

class LatencyWireTest : public WireTest {};

TEST_P(LatencyWireTest, AnswersLikeRedis) { Run(); }

LARDER_INSTANTIATE_CASES(
    Latency, LatencyWireTest,
    {
        {"NothingSeen",
         {{"LATENCY RESET", Like(":<int>\r\n")},
          {"LATENCY LATEST", "*0\r\n"},
          {"LATENCY HISTORY command", "*0\r\n"},
          {"LATENCY GRAPH x", "-ERR No samples available for event 'x'\r\n"},
          {"LATENCY RESET a b", ":0\r\n"}}},
        {"Errors",
         {{"LATENCY x", "-ERR unknown subcommand 'x'. Try LATENCY HELP.\r\n"},
          {"LATENCY", "-ERR wrong number of arguments for 'latency' command\r\n"},
          {"LATENCY HISTORY", "-ERR wrong number of arguments for 'latency|history' command\r\n"},
          {"LATENCY GRAPH", "-ERR wrong number of arguments for 'latency|graph' command\r\n"}}},
        {"SlowCommandsAreSeen",
         {{"LATENCY RESET", Like(":<int>\r\n")},
          {"CONFIG SET latency-monitor-threshold 10", "+OK\r\n"},
          {"DEBUG SLEEP 0.02", "+OK\r\n"},
          {"CONFIG SET latency-monitor-threshold 0", "+OK\r\n"},
          {"LATENCY LATEST", Like("*1\r\n*4\r\n$7\r\ncommand\r\n:<int>\r\n:<int>\r\n:<int>\r\n")},
          {"LATENCY HISTORY command", Like("*1\r\n*2\r\n:<int>\r\n:<int>\r\n")},
          {"LATENCY RESET command", ":1\r\n"},
          {"LATENCY LATEST", "*0\r\n"}}},
        {"HistogramOfACommand",
         {{"CONFIG RESETSTAT", "+OK\r\n"},
          {"LATENCY HISTOGRAM get", "*0\r\n", "%0\r\n"},
          {"LATENCY HISTOGRAM nosuch", "*0\r\n", "%0\r\n"},
          {"GET a", "$-1\r\n"},
          {"LATENCY HISTOGRAM GET",
           Like("*2\r\n$3\r\nget\r\n*4\r\n$5\r\ncalls\r\n:1\r\n$14\r\nhistogram_usec\r\n*2\r\n"
                ":<int>\r\n:1\r\n"),
           Like("%1\r\n$3\r\nget\r\n%2\r\n$5\r\ncalls\r\n:1\r\n$14\r\nhistogram_usec\r\n%1\r\n"
                ":<int>\r\n:1\r\n")}}},
        {"HistogramOfAContainersSubcommands",
         {{"CONFIG RESETSTAT", "+OK\r\n"},
          {"LATENCY RESET x", ":0\r\n"},
          {"LATENCY HISTOGRAM latency|reset",
           Like("*2\r\n$13\r\nlatency|reset\r\n*4\r\n$5\r\ncalls\r\n:1\r\n$14\r\nhistogram_usec"
                "\r\n*2\r\n:<int>\r\n:1\r\n"),
           Like("%1\r\n$13\r\nlatency|reset\r\n%2\r\n$5\r\ncalls\r\n:1\r\n$14\r\nhistogram_usec"
                "\r\n%1\r\n:<int>\r\n:1\r\n")}}},
    });

TEST_F(LatencyWireTest, HelpIsRediss) {
  EXPECT_EQ(DifferencesFromRedis(Larder().port(), Redis().port(), {"LATENCY HELP"}), "");
}

TEST_F(LatencyWireTest, DoctorAndGraphTellWhatWasSeen) {
  RespClient client(Larder().port());
  client.Raw({"LATENCY", "RESET"});
  EXPECT_THAT(client.Call({"LATENCY", "DOCTOR"}).text, HasSubstr("latency-monitor-threshold"));
  client.Raw({"CONFIG", "SET", "latency-monitor-threshold", "10"});
  EXPECT_THAT(client.Call({"LATENCY", "DOCTOR"}).text, HasSubstr("No latency spike"));
  client.Raw({"DEBUG", "SLEEP", "0.02"});
  client.Raw({"CONFIG", "SET", "latency-monitor-threshold", "0"});
  EXPECT_THAT(client.Call({"LATENCY", "DOCTOR"}).text, HasSubstr("1. command: 1 latency spikes"));
  EXPECT_THAT(client.Call({"LATENCY", "GRAPH", "command"}).text,
              testing::ContainsRegex("command - high [0-9]+ ms"));
  client.Raw({"LATENCY", "RESET"});
}

}  // namespace
}  // namespace larder
