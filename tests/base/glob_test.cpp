#include "base/glob.h"

#include <memory>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/text.h"
#include <gtest/gtest.h>

namespace larder {
namespace {

struct Row {
  std::string_view pattern;
  std::string_view text;
  bool matches;
};

TEST(GlobTest, MatchesAsRedisDoes) {
  constexpr Row kRows[] = {
      {"", "", true},
      {"", "a", false},
      {"a", "", false},
      {"*", "", false},  // As in Redis.
      {"*", "anything", true},
      {"**", "a", true},
      {"a*", "a", true},
      {"a**", "a", true},
      {"*a", "bba", true},
      {"*a", "bab", false},
      {"a*c*e", "abcde", true},
      {"a*c*e", "abcdef", false},
      {"*ab", "aab", true},
      {"?", "", false},
      {"?", "a", true},
      {"h?llo", "hello", true},
      {"h?llo", "hllo", false},
      {"h[ae]llo", "hallo", true},
      {"h[ae]llo", "hillo", false},
      {"h[^e]llo", "hallo", true},
      {"h[^e]llo", "hello", false},
      {"h[a-c]llo", "hbllo", true},
      {"h[a-c]llo", "hdllo", false},
      {"[c-a]", "b", true},
      {"[^a-c]", "b", false},
      {"[]a", "a", false},
      {"[^]a", "xa", true},
      {"[a-]", "a", true},  // A range from 'a' to ']', and the class ends with the pattern.
      {"[a-]", "-", false},
      {"[-a]", "-", true},
      {"[a", "a", true},
      {"[a", "b", false},
      {"[", "a", false},
      {"[^", "a", true},
      {"[\\]]", "]", true},
      {"[\\-]", "-", true},
      {"[a\\", "\\", true},
      {"\\*", "*", true},
      {"\\*", "a", false},
      {"\\a", "a", true},
      {"\\", "\\", true},
      {"a\\", "a\\", true},
      {"a\\?c", "a?c", true},
      {"a\\?c", "abc", false},
      {"user:[0-9][0-9]:*", "user:42:name", true},
      {"A", "a", false},
  };
  for (const Row& row : kRows) {
    EXPECT_EQ(GlobMatch(row.pattern, row.text), row.matches) << row.pattern << " on " << row.text;
  }
}

TEST(GlobTest, IgnoresCaseOfLettersAndRangesButNotOfEscapesInClasses) {
  constexpr Row kRows[] = {
      {"MAXMEM*", "maxmemory", true}, {"h[AE]llo", "hallo", true}, {"[A-C]", "b", true},
      {"[a-c]", "B", true},           {"\\A", "a", true},          {"[\\A]", "a", false},
      {"[^A]", "a", false},           {"abc", "abd", false},
  };
  for (const Row& row : kRows) {
    EXPECT_EQ(GlobMatch(row.pattern, row.text, GlobCase::kIgnore), row.matches)
        << row.pattern << " on " << row.text;
  }
}

TEST(GlobTest, BytesOutsideAsciiAreBytes) {
  EXPECT_TRUE(GlobMatch("?\xff", std::string_view("\0\xff", 2)));
  EXPECT_TRUE(GlobMatch("[\x80-\xff]", "\xf0"));
  EXPECT_FALSE(GlobMatch("[\x80-\xff]", "a"));
}

TEST(GlobTest, WorkIsBoundedWhateverThePattern) {
  std::string pattern;
  for (int i = 0; i < 1000; ++i) pattern += "a*";
  pattern += "b";
  const std::string text(100000, 'a');
  EXPECT_FALSE(GlobMatch(pattern, text));  // Exponential matching would not come back.
}

// The definition, written down as plainly as possible and exponential.
bool PlainMatch(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') {
    return PlainMatch(pattern.substr(1), text) ||
           (!text.empty() && PlainMatch(pattern, text.substr(1)));
  }
  if (text.empty()) return false;
  if (pattern[0] == '?') return PlainMatch(pattern.substr(1), text.substr(1));
  if (pattern[0] == '\\' && pattern.size() > 1) pattern.remove_prefix(1);
  return pattern[0] == text[0] && PlainMatch(pattern.substr(1), text.substr(1));
}

std::string RandomText(Random& random, std::string_view alphabet, size_t max_size) {
  std::string text(random.Uniform(max_size + 1), '\0');
  for (char& c : text) c = alphabet[random.Uniform(alphabet.size())];
  return text;
}

TEST(GlobTest, AgreesWithTheDefinitionOnRandomPatterns) {
  Random random(11);
  int matched = 0;
  for (int i = 0; i < 200000; ++i) {
    const std::string pattern = RandomText(random, "ab**?\\", 8);
    const std::string text = RandomText(random, "ab*", 10);
    const bool expected = text.empty() ? pattern.empty() : PlainMatch(pattern, text);
    matched += expected;
    ASSERT_EQ(GlobMatch(pattern, text), expected) << pattern << " on " << text;
  }
  EXPECT_GT(matched, 10000);
}

TEST(GlobTest, NoPatternReadsOutsideItsBytes) {
  Random random(12);
  for (int i = 0; i < 200000; ++i) {
    // Exactly sized heap copies, so that AddressSanitizer sees a byte too far.
    const std::string pattern = RandomText(random, "ab[]^-\\*?", 8);
    const std::string text = RandomText(random, "ab-]", 6);
    const std::unique_ptr<char[]> exact(new char[pattern.size()]);
    pattern.copy(exact.get(), pattern.size());
    const std::string_view view(exact.get(), pattern.size());
    const bool sensitive = GlobMatch(view, text);
    const bool ignoring = GlobMatch(view, ToUpper(text), GlobCase::kIgnore);
    if (sensitive && pattern.find_first_of("[\\") == std::string::npos) {
      ASSERT_TRUE(ignoring) << pattern << " on " << text;
    }
  }
}

TEST(GlobTest, LiteralPatternsAreTold) {
  EXPECT_TRUE(GlobIsLiteral("maxmemory-policy"));
  for (const std::string_view pattern : {"a*", "?", "[a]", "\\a"}) {
    EXPECT_FALSE(GlobIsLiteral(pattern)) << pattern;
  }
}

}  // namespace
}  // namespace larder
