// SLOWLOG as clients see it.
#include "tests/support/wire_case.h"
#include "tests/wire/same_as_redis.h"

namespace larder {
namespace {

class SlowLogWireTest : public WireTest {};

TEST_P(SlowLogWireTest, AnswersLikeRedis) { Run(); }

// An entry of the log, whatever its number, time and duration; a connection without a name.
std::string Entry(const std::string& args) {
  return "*6\r\n:<int>\r\n:<int>\r\n:<int>\r\n" + args + "<bulk>$0\r\n\r\n";
}

LARDER_INSTANTIATE_CASES(
    SlowLog, SlowLogWireTest,
    {
        {"Errors",
         {{"SLOWLOG GET -2", "-ERR count should be greater than or equal to -1\r\n"},
          {"SLOWLOG GET x", "-ERR count should be greater than or equal to -1\r\n"},
          {"SLOWLOG GET 1 2",
           "-ERR unknown subcommand or wrong number of arguments for 'GET'. Try SLOWLOG HELP.\r\n"},
          {"SLOWLOG", "-ERR wrong number of arguments for 'slowlog' command\r\n"},
          {"SLOWLOG x", "-ERR unknown subcommand 'x'. Try SLOWLOG HELP.\r\n"},
          {"SLOWLOG LEN x", "-ERR wrong number of arguments for 'slowlog|len' command\r\n"}}},
        {"NothingIsSlow",
         {{"CONFIG SET slowlog-log-slower-than 5000000", "+OK\r\n"},
          {"SLOWLOG RESET", "+OK\r\n"},
          {"GET a", "$-1\r\n"},
          {"SLOWLOG LEN", ":0\r\n"},
          {"SLOWLOG GET", "*0\r\n"},
          {"CONFIG SET slowlog-log-slower-than 10000", "+OK\r\n"}}},
        {"SlowCommandsAreKept",
         {{"SLOWLOG RESET", "+OK\r\n"},
          {"DEBUG SLEEP 0.02", "+OK\r\n"},
          {"CONFIG SET slowlog-log-slower-than -1", "+OK\r\n"},
          {"SLOWLOG LEN", ":1\r\n"},
          {"SLOWLOG GET 0", "*0\r\n"},
          {"SLOWLOG GET -1",
           Like("*1\r\n" + Entry(Array({Bulk("DEBUG"), Bulk("SLEEP"), Bulk("0.02")})))},
          {"CONFIG SET slowlog-log-slower-than 10000", "+OK\r\n"},
          {"SLOWLOG RESET", "+OK\r\n"}}},
        {"EntriesNameTheClient",
         {{"SLOWLOG RESET", "+OK\r\n"},
          {"CLIENT SETNAME bob", "+OK\r\n"},
          {"DEBUG SLEEP 0.02", "+OK\r\n"},
          {"CONFIG SET slowlog-log-slower-than -1", "+OK\r\n"},
          {"SLOWLOG GET 1", Like("*1\r\n*6\r\n:<int>\r\n:<int>\r\n:<int>\r\n*3\r\n$5\r\nDEBUG\r\n"
                                 "$5\r\nSLEEP\r\n$4\r\n0.02\r\n<bulk>$3\r\nbob\r\n")},
          {"CONFIG SET slowlog-log-slower-than 10000", "+OK\r\n"},
          {"SLOWLOG RESET", "+OK\r\n"}}},
        {"SecretsAreHidden",
         {{"CONFIG SET slowlog-log-slower-than 0", "+OK\r\n"},
          {"SLOWLOG RESET", "+OK\r\n"},
          {"CONFIG SET masteruser name masterauth secret", "+OK\r\n"},
          {"CONFIG SET masteruser '' masterauth ''", "+OK\r\n"},
          {"CONFIG SET slowlog-log-slower-than -1", "+OK\r\n"},
          {"SLOWLOG GET 1",
           Like("*1\r\n" +
                Entry(Array({Bulk("CONFIG"), Bulk("SET"), Bulk("masteruser"), Bulk("(redacted)"),
                             Bulk("masterauth"), Bulk("(redacted)")})))},
          {"CONFIG SET slowlog-log-slower-than 10000", "+OK\r\n"},
          {"SLOWLOG RESET", "+OK\r\n"}}},
        {"WhatTurnsItOnIsLoggedAndWhatTurnsItOffIsNot",
         {{"CONFIG SET slowlog-log-slower-than -1", "+OK\r\n"},
          {"SLOWLOG RESET", "+OK\r\n"},
          {"CONFIG SET slowlog-log-slower-than 0", "+OK\r\n"},
          {"CONFIG SET slowlog-log-slower-than -1", "+OK\r\n"},
          {"SLOWLOG GET",
           Like("*1\r\n" + Entry(Array({Bulk("CONFIG"), Bulk("SET"),
                                        Bulk("slowlog-log-slower-than"), Bulk("0")})))},
          {"SLOWLOG RESET", "+OK\r\n"},
          {"CONFIG SET slowlog-log-slower-than 10000", "+OK\r\n"}}},
        {"LongArgumentsAreCut",
         {{"CONFIG SET slowlog-log-slower-than 0", "+OK\r\n"},
          {"SLOWLOG RESET", "+OK\r\n"},
          {{"SET", "key", std::string(160, 'a')}, "+OK\r\n"},
          // Not logged itself: the new threshold counts when it ends.
          {"CONFIG SET slowlog-log-slower-than -1", "+OK\r\n"},
          {"SLOWLOG GET -1",
           Like("*2\r\n" +
                Entry(Array({Bulk("SET"), Bulk("key"),
                             Bulk(std::string(128, 'a') + std::string("... (32 more bytes)"))})) +
                Entry(Array({Bulk("SLOWLOG"), Bulk("RESET")})))},
          {"CONFIG SET slowlog-log-slower-than 10000", "+OK\r\n"},
          {"SLOWLOG RESET", "+OK\r\n"}}},
    });

TEST_F(SlowLogWireTest, HelpIsRediss) {
  EXPECT_EQ(DifferencesFromRedis(Larder().port(), Redis().port(), {"SLOWLOG HELP"}), "");
}

}  // namespace
}  // namespace larder
