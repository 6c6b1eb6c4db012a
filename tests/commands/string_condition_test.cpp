#include "commands/string_condition.h"

#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace larder {
namespace {

using Kind = StringComparison::Kind;
using Result = StringComparison::Result;

std::string Digest(std::string_view value) {
  const auto digest = DigestOf(value);
  return {digest.data(), digest.size()};
}

// Published examples: clients compute digests themselves.
TEST(DigestTest, IsXxh3InSixteenLowerCaseDigits) {
  EXPECT_EQ(Digest("Hello world"), "b6acb9d84a38ff74");
  EXPECT_EQ(Digest("test"), "9ec9f7918d7dfc40");
  EXPECT_EQ(Digest("hello"), "9555e8555c62dcfd");
  EXPECT_EQ(Digest("foo"), "ab6e5f64077e7d8a");
}

TEST(StringComparisonTest, KnowsItsWordsInAnyCase) {
  EXPECT_EQ(StringComparison::KindNamed("IFEQ"), Kind::kEqual);
  EXPECT_EQ(StringComparison::KindNamed("ifNE"), Kind::kNotEqual);
  EXPECT_EQ(StringComparison::KindNamed("ifdeq"), Kind::kDigestEqual);
  EXPECT_EQ(StringComparison::KindNamed("IFDNE"), Kind::kDigestNotEqual);
  EXPECT_EQ(StringComparison::KindNamed("IF"), std::nullopt);
  EXPECT_EQ(StringComparison::KindNamed("IFEQX"), std::nullopt);
  EXPECT_EQ(StringComparison::KindNamed(""), std::nullopt);
}

TEST(StringComparisonTest, ComparesValues) {
  EXPECT_EQ((StringComparison{Kind::kEqual, "a"}.Apply("a")), Result::kMet);
  EXPECT_EQ((StringComparison{Kind::kEqual, "a"}.Apply("A")), Result::kNotMet);
  EXPECT_EQ((StringComparison{Kind::kNotEqual, "a"}.Apply("a")), Result::kNotMet);
  EXPECT_EQ((StringComparison{Kind::kNotEqual, ""}.Apply("a")), Result::kMet);
}

TEST(StringComparisonTest, ComparesDigestsInAnyCase) {
  EXPECT_EQ((StringComparison{Kind::kDigestEqual, "B6acb9d84a38ff74"}.Apply("Hello world")),
            Result::kMet);
  EXPECT_EQ((StringComparison{Kind::kDigestNotEqual, "b6acb9d84a38ff74"}.Apply("Hello world")),
            Result::kNotMet);
  EXPECT_EQ((StringComparison{Kind::kDigestNotEqual, "zzzzzzzzzzzzzzzz"}.Apply("x")), Result::kMet);
}

TEST(StringComparisonTest, RefusesDigestsOfAnotherLength) {
  EXPECT_EQ((StringComparison{Kind::kDigestEqual, "b6acb9d84a38ff7"}.Apply("Hello world")),
            Result::kMalformed);
  EXPECT_EQ((StringComparison{Kind::kDigestNotEqual, ""}.Apply("Hello world")), Result::kMalformed);
}

TEST(StringComparisonTest, NothingEqualsAMissingKey) {
  EXPECT_EQ((StringComparison{Kind::kEqual, ""}.ApplyToMissing()), Result::kNotMet);
  EXPECT_EQ((StringComparison{Kind::kNotEqual, ""}.ApplyToMissing()), Result::kMet);
  EXPECT_EQ((StringComparison{Kind::kDigestEqual, "short"}.ApplyToMissing()), Result::kNotMet);
  EXPECT_EQ((StringComparison{Kind::kDigestNotEqual, "short"}.ApplyToMissing()), Result::kMet);
}

}  // namespace
}  // namespace larder
