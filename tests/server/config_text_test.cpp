#include "server/config_text.h"

#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace larder {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

struct MemoryCase {
  std::string text;
  std::optional<int64_t> bytes;
};

class ParseMemoryTest : public testing::TestWithParam<MemoryCase> {};

TEST_P(ParseMemoryTest, GivesBytes) { EXPECT_EQ(ParseMemory(GetParam().text), GetParam().bytes); }

INSTANTIATE_TEST_SUITE_P(Units, ParseMemoryTest,
                         testing::ValuesIn(std::vector<MemoryCase>{
                             {"0", 0},
                             {"", 0},
                             {"7", 7},
                             {"010", 10},
                             {"5b", 5},
                             {"1k", 1000},
                             {"1K", 1000},
                             {"1kb", 1024},
                             {"1kB", 1024},
                             {"2m", 2000000},
                             {"2mb", 2 * 1024 * 1024},
                             {"3g", 3000000000},
                             {"3GB", 3LL * 1024 * 1024 * 1024},
                             {"9223372036854775807", 9223372036854775807},
                             {"9223372036854775808", std::nullopt},
                             {"9223372036854775807kb", std::nullopt},
                             {"99999999999999999999", std::nullopt},
                             {"kb", std::nullopt},
                             {"1t", std::nullopt},
                             {"1.5gb", std::nullopt},
                             {"-1", std::nullopt},
                             {"+5", std::nullopt},
                             {" 5", std::nullopt},
                             {"5 ", std::nullopt},
                             {"0x10", std::nullopt},
                             {"10%", std::nullopt},
                         }));

TEST(ConfigTextTest, FormatsMemoryInTheLargestUnitWithoutFraction) {
  EXPECT_EQ(FormatMemory(0), "0");
  EXPECT_EQ(FormatMemory(1000), "1000");
  EXPECT_EQ(FormatMemory(2048), "2kb");
  EXPECT_EQ(FormatMemory(1572864), "1536kb");
  EXPECT_EQ(FormatMemory(64 << 20), "64mb");
  EXPECT_EQ(FormatMemory(int64_t{2} << 30), "2gb");
}

TEST(ConfigTextTest, SplitsWordsAndQuotes) {
  EXPECT_THAT(SplitConfigLine("port 7000"), Optional(ElementsAre("port", "7000")));
  EXPECT_THAT(SplitConfigLine("save \"\""), Optional(ElementsAre("save", "")));
  EXPECT_THAT(SplitConfigLine(R"(a "x\x41\n" 'it\'s')"),
              Optional(ElementsAre("a", "xA\n", "it's")));
  EXPECT_EQ(SplitConfigLine("port \"7000"), std::nullopt);
  EXPECT_EQ(SplitConfigLine("port \"7000\"x"), std::nullopt);
}

TEST(ConfigTextTest, WhatIsQuotedReadsBack) {
  std::string every_byte;
  for (int byte = 0; byte < 256; ++byte) every_byte.push_back(static_cast<char>(byte));
  EXPECT_THAT(SplitConfigLine(QuoteConfigValue(every_byte)), Optional(ElementsAre(every_byte)));
  EXPECT_EQ(QuoteConfigValue("a\"b\\c\n\x01"), R"("a\"b\\c\n\x01")");
}

TEST(ConfigTextTest, TwoBlanksInAListMakeAnEmptyWord) {
  EXPECT_THAT(SplitConfigWords(""), IsEmpty());
  EXPECT_THAT(SplitConfigWords("900 1"), ElementsAre("900", "1"));
  EXPECT_THAT(SplitConfigWords("900  1"), ElementsAre("900", "", "1"));
  EXPECT_THAT(SplitConfigWords("900 "), ElementsAre("900", ""));
}

TEST(ConfigTextTest, TrimsBlanksAndCarriageReturns) {
  EXPECT_EQ(TrimConfigLine(" \t port 1\r"), "port 1");
  EXPECT_EQ(TrimConfigLine("\r\n"), "");
  EXPECT_TRUE(IsCommentOrBlank("# port 1"));
  EXPECT_FALSE(IsCommentOrBlank("port 1"));
}

}  // namespace
}  // namespace larder
