#include "base/numbers.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "base/random.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace larder {
namespace {

using testing::Optional;

std::string Int64Text(int64_t value) {
  std::array<char, kMaxIntegerText> text;
  return {text.data(), FormatInt64(value, text.data())};
}

std::string Uint64Text(uint64_t value) {
  std::array<char, kMaxIntegerText> text;
  return {text.data(), FormatUint64(value, text.data())};
}

TEST(NumbersTest, ParseInt64TakesTheFullRange) {
  EXPECT_THAT(ParseInt64("0"), Optional(0));
  EXPECT_THAT(ParseInt64("-1"), Optional(-1));
  EXPECT_THAT(ParseInt64("9223372036854775807"), Optional(INT64_MAX));
  EXPECT_THAT(ParseInt64("-9223372036854775808"), Optional(INT64_MIN));
}

TEST(NumbersTest, ParseInt64TakesTheCanonicalSpellingOnly) {
  for (const std::string_view text : {"",
                                      "-",
                                      "+1",
                                      " 1",
                                      "1 ",
                                      "01",
                                      "-0",
                                      "-01",
                                      "00",
                                      "1.0",
                                      "1e3",
                                      "0x1",
                                      "--1",
                                      "a",
                                      "1a",
                                      "12345678901234567890a",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "18446744073709551616",
                                      "99999999999999999999",
                                      "100000000000000000000"}) {
    EXPECT_EQ(ParseInt64(text), std::nullopt) << text;
  }
  EXPECT_EQ(ParseInt64(std::string_view("1\0", 2)), std::nullopt);
}

TEST(NumbersTest, ParseUint64TakesTheFullRangeAndNoSign) {
  EXPECT_THAT(ParseUint64("0"), Optional(0));
  EXPECT_THAT(ParseUint64("18446744073709551615"), Optional(UINT64_MAX));
  for (const std::string_view text : {"", "-1", "+1", "01", "18446744073709551616",
                                      "18446744073709551620", "20000000000000000000"}) {
    EXPECT_EQ(ParseUint64(text), std::nullopt) << text;
  }
}

TEST(NumbersTest, IntegersAreFormattedAtEveryLength) {
  EXPECT_EQ(Int64Text(INT64_MIN), "-9223372036854775808");
  EXPECT_EQ(Int64Text(INT64_MAX), "9223372036854775807");
  EXPECT_EQ(Uint64Text(UINT64_MAX), "18446744073709551615");
  EXPECT_EQ(Int64Text(-7), "-7");
  uint64_t power = 1;
  for (int digits = 1; digits <= 20; ++digits, power *= 10) {
    for (const uint64_t value : {power - 1, power, power + 1}) {
      EXPECT_EQ(Uint64Text(value), std::to_string(value));
      EXPECT_EQ(Uint64TextSize(value), std::to_string(value).size());
      const auto negative = static_cast<int64_t>(0 - value);
      EXPECT_EQ(Int64Text(negative), std::to_string(negative));
      EXPECT_EQ(Int64TextSize(negative), std::to_string(negative).size());
    }
  }
}

TEST(NumbersTest, FormattedIntegersParseBack) {
  Random random(1);
  for (int i = 0; i < 100000; ++i) {
    const uint64_t value = random.Next() >> random.Uniform(64);
    ASSERT_EQ(ParseUint64(Uint64Text(value)), value);
    const auto negative = static_cast<int64_t>(0 - value);
    ASSERT_EQ(ParseInt64(Int64Text(negative)), negative);
  }
}

// What redis-server 7.0.15 takes as a score and as an increment.
TEST(NumbersTest, FloatsAreWhatStrtodTakesWithoutSurroundings) {
  const struct {
    std::string_view text;
    double value;
  } kRows[] = {{"3.1", 3.1},
               {"-1.5", -1.5},
               {"+1", 1},
               {"1.", 1},
               {".5", 0.5},
               {"1e3", 1000},
               {"0x10", 16},
               {"01", 1},
               {"inf", HUGE_VAL},
               {"-inf", -HUGE_VAL},
               {"+infinity", HUGE_VAL},
               {"iNF", HUGE_VAL},
               {"5e-324", 5e-324},
               {"4e-324", 5e-324},
               {"1.7976931348623157e308", 1.7976931348623157e308}};
  for (const auto& row : kRows) {
    EXPECT_THAT(ParseDouble(row.text), Optional(row.value)) << row.text;
    EXPECT_TRUE(ParseLongDouble(row.text).has_value()) << row.text;
  }
  EXPECT_THAT(ParseLongDouble("1e-17"), Optional(1e-17L));
  EXPECT_THAT(ParseLongDouble("1e-4000"), Optional(1e-4000L));
}

TEST(NumbersTest, FloatsThatRedisRefusesAreNoFloats) {
  for (const std::string_view text : {"", " 1", "1 ", "\t1", "nan", "-nan", "1e", "abc", "1a",
                                      "--1", "1e5000", "-1e5000", "1e-5000", "0x", "."}) {
    EXPECT_EQ(ParseDouble(text), std::nullopt) << text;
    EXPECT_EQ(ParseLongDouble(text), std::nullopt) << text;
  }
  EXPECT_EQ(ParseDouble("1e400"), std::nullopt);
  EXPECT_EQ(ParseDouble("1e-400"), std::nullopt);
  EXPECT_EQ(ParseDouble(std::string_view("1\0", 2)), std::nullopt);
  EXPECT_EQ(ParseLongDouble(std::string(5 * 1024, '1')), std::nullopt);
}

// Scores as redis-server 7.0.15 prints them.
TEST(NumbersTest, DoublesArePrintedWithSeventeenDigits) {
  const struct {
    double value;
    std::string_view text;
  } kRows[] = {{3.1, "3.1000000000000001"},
               {3, "3"},
               {0, "0"},
               {-0.0, "-0"},
               {-1.5, "-1.5"},
               {1e15, "1000000000000000"},
               {1e16, "10000000000000000"},
               {1e17, "1e+17"},
               {9007199254740993.0, "9007199254740992"},
               {12345678901234567.0, "12345678901234568"},
               {123456789012345678.0, "1.2345678901234568e+17"},
               {1e20, "1e+20"},
               {1e-7, "9.9999999999999995e-08"},
               {0.1, "0.10000000000000001"},
               {5e-324, "4.9406564584124654e-324"},
               {1.7976931348623157e308, "1.7976931348623157e+308"},
               {HUGE_VAL, "inf"},
               {-HUGE_VAL, "-inf"},
               {std::numeric_limits<double>::quiet_NaN(), "nan"}};
  for (const auto& row : kRows) EXPECT_EQ(FormatDouble(row.value), row.text);
}

TEST(NumbersTest, EveryDoubleFitsIntoItsBufferAndParsesBack) {
  Random random(2);
  for (int i = 0; i < 100000; ++i) {
    const auto value = std::bit_cast<double>(random.Next());
    if (!std::isfinite(value)) continue;
    const std::string text = FormatDouble(value);
    ASSERT_LE(text.size(), kMaxDoubleText);
    ASSERT_EQ(ParseDouble(text), value) << text;
  }
  EXPECT_EQ(FormatDouble(-2.2250738585072014e-308).size(), kMaxDoubleText);
}

// Results of INCRBYFLOAT on redis-server 7.0.15.
TEST(NumbersTest, LongDoublesArePrintedForPeople) {
  EXPECT_EQ(FormatLongDouble(3.1L), "3.1");
  EXPECT_EQ(FormatLongDouble(0.0L), "0");
  EXPECT_EQ(FormatLongDouble(-0.0L), "0");
  EXPECT_EQ(FormatLongDouble(-1e-18L), "0");
  EXPECT_EQ(FormatLongDouble(1.00000000000000001L), "1.00000000000000001");
  EXPECT_EQ(FormatLongDouble(100), "100");
  EXPECT_EQ(FormatLongDouble(-10.5L), "-10.5");
  EXPECT_TRUE(FormatLongDouble(1e300L).starts_with("10000000000000000000089973240795591938705"));
  EXPECT_EQ(FormatLongDouble(std::numeric_limits<long double>::max()).size(), 4933);
  EXPECT_EQ(FormatLongDouble(HUGE_VALL), "inf");
  EXPECT_EQ(FormatLongDouble(-HUGE_VALL), "-inf");
}

}  // namespace
}  // namespace larder
