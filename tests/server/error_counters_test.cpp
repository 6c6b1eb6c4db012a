#include "server/error_counters.h"

#include <map>
#include <string>

#include "gtest/gtest.h"

namespace larder {
namespace {

std::map<std::string, int64_t> CountsOf(const ErrorCounters& errors) {
  std::map<std::string, int64_t> counts;
  errors.ForEach([&](std::string_view word, int64_t count) { counts.emplace(word, count); });
  return counts;
}

TEST(ErrorCountersTest, CountsByTheFirstWord) {
  ErrorCounters errors;
  errors.Count("ERR syntax error");
  errors.Count("ERR no such key");
  errors.Count("WRONGTYPE Operation against a key");
  errors.Count("EXECABORT");
  EXPECT_EQ(CountsOf(errors),
            (std::map<std::string, int64_t>{{"ERR", 2}, {"EXECABORT", 1}, {"WRONGTYPE", 1}}));
}

TEST(ErrorCountersTest, WordsThatAreMadeUpAreCountedUnderOne) {
  ErrorCounters errors;
  for (int i = 0; i < 128; ++i) errors.Count("WORD" + std::to_string(i) + " text");
  errors.Count("WORD5 again");
  errors.Count("NEW1 text");
  errors.Count("NEW2 text");
  const auto counts = CountsOf(errors);
  EXPECT_EQ(counts.size(), 129u);
  EXPECT_EQ(counts.at("WORD5"), 2);
  EXPECT_EQ(counts.at("ERRORSTATS_DISABLED"), 2);
}

TEST(ErrorCountersTest, ResetForgets) {
  ErrorCounters errors;
  errors.Count("ERR x");
  errors.Reset();
  EXPECT_TRUE(CountsOf(errors).empty());
}

}  // namespace
}  // namespace larder
