#include "eviction/stampede_rule.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "gtest/gtest.h"

namespace larder {
namespace {

using std::chrono::milliseconds;

absl::StatusOr<StampedeRule> Parse(const std::string& line) {
  const std::vector<std::string> words = absl::StrSplit(line, ' ');
  return ParseStampedeRule(words);
}

TEST(StampedeRuleTest, TakesOptionsInAnyOrder) {
  const auto rule = Parse("p:* jitter 10% beta 1.5 grace 30s WAIT 500 lease 2m disconnect release");
  ASSERT_TRUE(rule.ok()) << rule.status();
  EXPECT_EQ(rule->glob, "p:*");
  EXPECT_EQ(rule->lease, std::chrono::minutes(2));
  EXPECT_EQ(rule->wait, milliseconds(500));
  EXPECT_EQ(rule->grace, std::chrono::seconds(30));
  EXPECT_EQ(rule->beta, 1.5);
  EXPECT_EQ(rule->jitter_percent, 10);
  EXPECT_TRUE(rule->follows_connection);
}

TEST(StampedeRuleTest, HasDefaults) {
  const auto rule = Parse("*");
  ASSERT_TRUE(rule.ok());
  EXPECT_EQ(PrintStampedeRule(*rule),
            "* lease 5s wait 500ms grace 0ms beta 1 jitter 0% disconnect keep leases 0");
}

TEST(StampedeRuleTest, IsPrintedAsItIsTaken) {
  for (const std::string line :
       {"a* lease 1ms wait 0ms grace 720h beta 0 jitter 50% disconnect release leases 1000000",
        "[ab]? lease 1h wait 61s grace 90m beta 10 jitter 0.5% disconnect keep leases 0"}) {
    const auto rule = Parse(line);
    ASSERT_TRUE(rule.ok()) << rule.status();
    EXPECT_EQ(PrintStampedeRule(*rule), line);
  }
}

TEST(StampedeRuleTest, SaysWhichWordIsWrong) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "a pattern is missing"},
      {"p;q", "a pattern has no blanks, quotes, semicolons or control characters"},
      {"p:* lease", "'lease' wants a time from 1ms to 1h"},
      {"p:* lease 0", "'lease' wants a time from 1ms to 1h"},
      {"p:* lease 3601s", "'lease' wants a time from 1ms to 1h"},
      {"p:* lease -1s", "'lease' wants a time from 1ms to 1h"},
      {"p:* lease s", "'lease' wants a time from 1ms to 1h"},
      {"p:* wait 5d", "'wait' wants a time up to 1h"},
      {"p:* grace 9223372036854775807h", "'grace' wants a time up to 720h"},
      {"p:* beta 11", "'beta' wants a number from 0 to 10"},
      {"p:* beta nan", "'beta' wants a number from 0 to 10"},
      {"p:* jitter 51%", "'jitter' wants 0% to 50%"},
      {"p:* disconnect maybe", "'disconnect' wants keep or release"},
      {"p:* leases -1", "'leases' wants a number up to 1000000"},
      {"p:* leases 1000001", "'leases' wants a number up to 1000000"},
      {"p:* leases 1e3", "'leases' wants a number up to 1000000"},
      {"p:* lease 1s lease 1s", "'lease' is given twice"},
      {"p:* nosuch 1", "'nosuch' is no option of a rule"},
  };
  for (const auto& [line, error] : cases) {
    EXPECT_EQ(Parse(line).status().message(), error) << line;
  }
}

TEST(StampedeRulesTest, TheFirstThatMatchesIsTheKeys) {
  std::vector<StampedeRule> list;
  for (const std::string glob : {"user:vip:*", "user:*", "[xy]:?", "literal"}) {
    list.push_back(*Parse(glob));
  }
  list[1].beta = 3;
  const StampedeRules rules(std::move(list));
  const std::pair<std::string, std::string> cases[] = {
      {"user:vip:1", "user:vip:*"},
      {"user:1", "user:*"},
      {"user:", "user:*"},
      {"user", ""},
      {"x:1", "[xy]:?"},
      {"x:12", ""},
      {"literal", "literal"},
      {"literal2", ""},
      {"", ""},
  };
  for (const auto& [key, glob] : cases) {
    const StampedeRule* const rule = rules.Match(key);
    EXPECT_EQ(rule == nullptr ? "" : rule->glob, glob) << key;
  }
  EXPECT_EQ(rules.highest_beta(), 3);
  EXPECT_EQ(StampedeRules().Match("key"), nullptr);
  EXPECT_TRUE(StampedeRules().empty());
}

}  // namespace
}  // namespace larder
