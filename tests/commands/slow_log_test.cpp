#include "commands/slow_log.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace larder {
namespace {

void Record(SlowLog& log, const std::vector<std::string_view>& args, int64_t most = 128) {
  log.Record({.args = args,
              .unix_seconds = 1000,
              .microseconds = 50,
              .client_address = "127.0.0.1:5",
              .client_name = "me"},
             most);
}

TEST(SlowLogTest, NewestFirstWithRisingIds) {
  SlowLog log;
  Record(log, {"get", "a"});
  Record(log, {"get", "b"});
  const std::vector<SlowLog::Entry> entries = log.Latest(10);
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].id, 1);
  EXPECT_EQ(entries[0].args, (std::vector<std::string>{"get", "b"}));
  EXPECT_EQ(entries[1].id, 0);
  EXPECT_EQ(entries[1].client_address, "127.0.0.1:5");
  EXPECT_EQ(log.Latest(1).size(), 1u);
}

TEST(SlowLogTest, ResetForgetsEntriesButNotTheNumbering) {
  SlowLog log;
  Record(log, {"a"});
  log.Reset();
  EXPECT_EQ(log.size(), 0u);
  Record(log, {"b"});
  EXPECT_EQ(log.Latest(1)[0].id, 1);
}

TEST(SlowLogTest, KeepsAtMostSoMany) {
  SlowLog log;
  for (int i = 0; i < 5; ++i) Record(log, {"x"}, 3);
  EXPECT_EQ(log.size(), 3u);
  log.Trim(1);
  EXPECT_EQ(log.size(), 1u);
  EXPECT_EQ(log.Latest(1)[0].id, 4);
  Record(log, {"x"}, 0);
  EXPECT_EQ(log.size(), 1u) << "a length of zero logs nothing";
}

TEST(SlowLogTest, ThirtyTwoArgumentsStayAndMoreAreTold) {
  SlowLog log;
  const std::vector<std::string_view> exactly(32, "x");
  Record(log, exactly);
  EXPECT_EQ(log.Latest(1)[0].args.size(), 32u);
  EXPECT_EQ(log.Latest(1)[0].args.back(), "x");
  const std::vector<std::string_view> one_more(33, "x");
  Record(log, one_more);
  EXPECT_EQ(log.Latest(1)[0].args.size(), 32u);
  EXPECT_EQ(log.Latest(1)[0].args.back(), "... (2 more arguments)");
}

TEST(SlowLogTest, LongArgumentsAreCutAndToldSo) {
  SlowLog log;
  const std::string exactly(128, 'a');
  const std::string longer(160, 'b');
  Record(log, {exactly, longer});
  const SlowLog::Entry entry = log.Latest(1)[0];
  EXPECT_EQ(entry.args[0], exactly);
  std::string shortened(128, 'b');
  shortened += "... (32 more bytes)";
  EXPECT_EQ(entry.args[1], shortened);
}

}  // namespace
}  // namespace larder
