#include "commands/longest_common_subsequence.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace larder {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// By definition, for strings of a few bytes: the longest subset of `a`'s bytes found in `b` in
// order.
size_t LengthByTrying(const std::string& a, const std::string& b) {
  size_t longest = 0;
  for (unsigned subset = 0; subset < 1u << a.size(); ++subset) {
    size_t in_b = 0;
    size_t length = 0;
    for (size_t i = 0; i < a.size(); ++i) {
      if ((subset >> i & 1) == 0) continue;
      in_b = b.find(a[i], in_b);
      if (in_b == std::string::npos) break;
      ++in_b;
      ++length;
    }
    if (in_b != std::string::npos) longest = std::max(longest, length);
  }
  return longest;
}

std::string RandomText(Random& random) {
  std::string text(random.Uniform(10), ' ');
  for (char& c : text) c = static_cast<char>('a' + random.Uniform(3));
  return text;
}

TEST(LongestCommonSubsequenceTest, EmptyStringsHaveNothingInCommon) {
  EXPECT_EQ(LongestCommonLength("", ""), 0u);
  EXPECT_EQ(LongestCommonLength("abc", ""), 0u);
  EXPECT_THAT(LongestCommonSubsequence("", "abc"), IsEmpty());
}

TEST(LongestCommonSubsequenceTest, RunsComeFromTheLastToTheFirst) {
  EXPECT_THAT(LongestCommonSubsequence("ohmytext", "mynewtext"),
              ElementsAre(CommonRun{4, 5, 4}, CommonRun{2, 0, 2}));
}

TEST(LongestCommonSubsequenceTest, IsAsLongAsTheDefinitionSaysAndStandsInBoth) {
  Random random(1);
  for (int round = 0; round < 500; ++round) {
    const std::string a = RandomText(random);
    const std::string b = RandomText(random);
    SCOPED_TRACE(a + " / " + b);
    const std::vector<CommonRun> runs = LongestCommonSubsequence(a, b);
    size_t length = 0;
    size_t a_end = a.size();
    size_t b_end = b.size();
    for (const CommonRun& run : runs) {
      ASSERT_LE(run.a_begin + run.size, a_end);
      ASSERT_LE(run.b_begin + run.size, b_end);
      ASSERT_EQ(a.substr(run.a_begin, run.size), b.substr(run.b_begin, run.size));
      a_end = run.a_begin;
      b_end = run.b_begin;
      length += run.size;
    }
    ASSERT_EQ(length, LengthByTrying(a, b));
    ASSERT_EQ(LongestCommonLength(a, b), length);
  }
}

}  // namespace
}  // namespace larder
