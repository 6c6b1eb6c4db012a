#include "protocol/request_parser.h"

#include <cstring>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/protocol/parser_driver.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace larder {

void PrintTo(const ParsedRequest& request, std::ostream* out) {
  *out << testing::PrintToString(request.args) << " in " << request.wire_bytes << " bytes";
}

void PrintTo(const ParseOutcome& outcome, std::ostream* out) {
  *out << testing::PrintToString(outcome.requests) << ", error \"" << outcome.error << '"';
}

namespace {

using Result = RequestParser::Result;
using std::string_literals::operator""s;
using testing::ElementsAre;
using testing::IsEmpty;

ParseOutcome ParseInPieces(std::string_view input, size_t piece_bytes,
                           const RequestParser::Limits& limits = {}) {
  ParserDriver driver(limits);
  for (; !input.empty(); input.remove_prefix(std::min(piece_bytes, input.size()))) {
    driver.Receive(input.substr(0, piece_bytes));
  }
  return driver.outcome();
}

ParseOutcome ParseWhole(std::string_view input, const RequestParser::Limits& limits = {}) {
  return ParseInPieces(input, std::max<size_t>(1, input.size()), limits);
}

std::string Command(const std::vector<std::string>& args) {
  std::string wire = "*" + std::to_string(args.size()) + "\r\n";
  for (const std::string& arg : args) {
    wire += "$" + std::to_string(arg.size()) + "\r\n" + arg + "\r\n";
  }
  return wire;
}

// What the parser makes of the input, and redis-server 7.0.15 too, which was asked for every row.
struct ParseCase {
  std::string name;
  std::string input;
  std::vector<std::vector<std::string>> requests;
  std::string error{};  // Behind "ERR Protocol error: ".
};

void PrintTo(const ParseCase& row, std::ostream* out) { *out << row.name; }

class RequestParserRowTest : public testing::TestWithParam<ParseCase> {
 protected:
  static void ExpectOutcome(const ParseOutcome& outcome) {
    std::vector<std::vector<std::string>> requests;
    requests.reserve(outcome.requests.size());
    for (const ParsedRequest& request : outcome.requests) requests.push_back(request.args);
    EXPECT_EQ(requests, GetParam().requests);
    EXPECT_EQ(outcome.error,
              GetParam().error.empty() ? "" : "ERR Protocol error: " + GetParam().error);
  }
};

TEST_P(RequestParserRowTest, GivesTheExpectedRequests) {
  ExpectOutcome(ParseWhole(GetParam().input));
}

TEST_P(RequestParserRowTest, GivesTheSameInEverySplit) {
  const std::string_view input = GetParam().input;
  const ParseOutcome whole = ParseWhole(input);
  // With and without bulks that are received in place.
  for (const size_t large_bulk_bytes : {size_t{32768}, size_t{2}}) {
    const RequestParser::Limits limits{.large_bulk_bytes = large_bulk_bytes};
    for (const auto way :
         {ParserDriver::LargeBulks::kReadInPlace, ParserDriver::LargeBulks::kFeed}) {
      for (size_t first = 0; first <= input.size(); ++first) {
        for (size_t second = first; second <= input.size(); ++second) {
          ParserDriver driver(limits, way);
          driver.Receive(input.substr(0, first));
          driver.Receive(input.substr(first, second - first));
          driver.Receive(input.substr(second));
          ASSERT_EQ(driver.outcome(), whole) << "split at " << first << " and " << second;
        }
      }
    }
    for (const size_t piece : {1, 2, 3, 5, 7}) {
      ASSERT_EQ(ParseInPieces(input, piece, limits), whole) << "in pieces of " << piece;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Arrays, RequestParserRowTest,
    testing::ValuesIn(std::vector<ParseCase>{
        {"Nothing", "", {}},
        {"Ping", "*1\r\n$4\r\nPING\r\n", {{"PING"}}},
        {"Set", Command({"SET", "key:1", "value"}), {{"SET", "key:1", "value"}}},
        {"Pipeline",
         Command({"GET", "a"}) + Command({"SET", "b", ""}) + Command({"PING"}),
         {{"GET", "a"}, {"SET", "b", ""}, {"PING"}}},
        {"BinaryArguments",
         Command({"SET", "\0\r\n$"s, "*1\r\n"}),
         {{"SET", "\0\r\n$"s, "*1\r\n"}}},
        {"TwelveArguments",
         Command(std::vector<std::string>(12, "x")),
         {std::vector<std::string>(12, "x")}},
        {"LengthsOfTwoAndThreeDigits",
         Command({std::string(10, 'a'), std::string(100, 'b')}),
         {{std::string(10, 'a'), std::string(100, 'b')}}},
        {"EmptyArgument", "*1\r\n$0\r\n\r\n", {{""}}},
        {"EmptyArray", "*0\r\n*1\r\n$4\r\nPING\r\n", {{"PING"}}},
        {"NullArray", "*-1\r\nPING\r\n", {{"PING"}}},
        {"NegativeCount", "*-1000\r\n*-2147483649\r\nPING\r\n", {{"PING"}}},
        {"AnyByteAfterCr", "*1\rX$4\rXPINGXXPING\r\n", {{"PING"}, {"PING"}}},
        {"Incomplete", "*2\r\n$3\r\nGET\r\n$5\r\nab", {}},
        {"IncompleteCount", "*2147483647\r\n", {}},
        {"ErrorAfterRequests",
         "PING\r\n*1\r\n$1\r\nx\r\n*x\r\nPING\r\n",
         {{"PING"}, {"x"}},
         "invalid multibulk length"},
        {"CountIsText", "*x\r\n", {}, "invalid multibulk length"},
        {"CountIsMissing", "*\r\n", {}, "invalid multibulk length"},
        {"CountTooLarge", "*2147483648\r\n", {}, "invalid multibulk length"},
        {"CountWithLeadingZero", "*01\r\n$4\r\nPING\r\n", {}, "invalid multibulk length"},
        {"CountWithPlus", "*+1\r\n", {}, "invalid multibulk length"},
        {"CountWithSpace", "* 1\r\n", {}, "invalid multibulk length"},
        {"CountOfHundredDigits",
         "*" + std::string(100, '1') + "\r\n",
         {},
         "invalid multibulk length"},
        {"LengthWithLeadingZero", "*1\r\n$04\r\nPING\r\n", {}, "invalid bulk length"},
        {"LengthIsNegative", "*1\r\n$-1\r\n", {}, "invalid bulk length"},
        {"LengthTooLarge", "*1\r\n$536870913\r\n", {}, "invalid bulk length"},
        {"LengthBeyond64Bits", "*1\r\n$99999999999999999999\r\n", {}, "invalid bulk length"},
        {"LargestLengthIsWaitedFor", "*1\r\n$536870912\r\n", {}},
        {"LengthIsText", "*1\r\n$x\r\n", {}, "invalid bulk length"},
        {"LengthIsMissing", "*1\r\n$\r\n", {}, "invalid bulk length"},
        {"NoDollar", "*3\r\n$3\r\nSET\r\n$1\r\nx\r\nfooz\r\n", {}, "expected '$', got 'f'"},
        {"NestedArray", "*3\r\n*3\r\n", {}, "expected '$', got '*'"},
        {"HighByteForDollar", "*1\r\n\xff\r\n", {}, "expected '$', got '\xff'"},
        {"EmptyLineForDollar", "*1\r\n\r\n", {}, "expected '$', got ' '"},
        {"LineFeedForDollar", "*1\r\n\n\r\n", {}, "expected '$', got ' '"},
        {"NoDollarIsJudgedAtTheEndOfLine", "*1\r\nPING\r", {}},
    }),
    [](const auto& row) { return row.param.name; });

constexpr char kUnbalanced[] = "unbalanced quotes in request";

INSTANTIATE_TEST_SUITE_P(
    Inline, RequestParserRowTest,
    testing::ValuesIn(std::vector<ParseCase>{
        {"Plain", "SET key value\r\n", {{"SET", "key", "value"}}},
        {"LineFeedAlone", "PING\n", {{"PING"}}},
        {"EmptyLines", "\r\n\n\r\n  \r\n\t\nPING\r\n", {{"PING"}}},
        {"NoEnd", "PING", {}},
        {"BlanksAround", "  ECHO \t  a  \r\n", {{"ECHO", "a"}}},
        {"MixedWithArrays", "PING\r\n*1\r\n$4\r\nPING\r\nPING\r\n", {{"PING"}, {"PING"}, {"PING"}}},
        {"BulkWithoutArray", "$4\r\nPING\r\n", {{"$4"}, {"PING"}}},
        {"VerticalTabBeforeAWord", "\tECHO\t\va\r\n", {{"ECHO", "a"}}},
        {"VerticalTabInAWord", "ECHO a\vb\r\n", {{"ECHO", "a\vb"}}},
        {"CrInside", "ECHO a\rb\r\n", {{"ECHO", "a", "b"}}},
        {"CrTwice", "ECHO a\r\r\n", {{"ECHO", "a"}}},
        {"DoubleQuotes", "ECHO \"a b\"\r\n", {{"ECHO", "a b"}}},
        {"SingleQuotes", "ECHO 'a b'\r\n", {{"ECHO", "a b"}}},
        {"EmptyQuotes", "ECHO \"\" ''\r\n", {{"ECHO", "", ""}}},
        {"EmptyCommand", "\"\"\r\n", {{""}}},
        {"QuotesInsideAWord", "ECHO a\"b c\"\r\n", {{"ECHO", "ab c"}}},
        {"QuotedCommand", "\"ECHO\"\t\"x\"\r\n", {{"ECHO", "x"}}},
        {"VerticalTabAfterQuotes", "ECHO \"a\"\vb\r\n", {{"ECHO", "a", "b"}}},
        {"Escapes",
         "ECHO \"\\x41\\n\\q\\\"\\\\\\b\\a\\t\\r\\xzz\"\r\n",
         {{"ECHO", "A\nq\"\\\b\a\t\rxzz"}}},
        {"HexEscapes", "ECHO \"\\xFf\\xaG\\x00\"\r\n", {{"ECHO", "\xffxaG\0"s}}},
        {"ShortHexEscape", "ECHO \"\\x4\"\r\n", {{"ECHO", "x4"}}},
        {"EscapesInSingleQuotes", "ECHO 'a\\'b\\n\"'\r\n", {{"ECHO", "a'b\\n\""}}},
        {"BackslashOutsideQuotes", "ECHO a\\n\r\n", {{"ECHO", "a\\n"}}},
        {"OpenDoubleQuotes", "ECHO \"a\r\n", {}, kUnbalanced},
        {"OpenSingleQuotes", "ECHO 'a\r\n", {}, kUnbalanced},
        {"EscapedClosingQuote", "ECHO \"\\\"\r\n", {}, kUnbalanced},
        {"EscapedClosingSingleQuote", "ECHO 'a\\'\r\n", {}, kUnbalanced},
        {"BackslashAtTheEnd", "ECHO \"a\\\r\n", {}, kUnbalanced},
        {"TextAfterDoubleQuotes", "ECHO \"a\"b\r\n", {}, kUnbalanced},
        {"TextAfterSingleQuotes", "ECHO 'a'b\r\n", {}, kUnbalanced},
        {"TextAfterQuotesInAWord", "ECHO a\"b\"c\r\n", {}, kUnbalanced},
    }),
    [](const auto& row) { return row.param.name; });

// --- Limits -----------------------------------------------------------------------------------

TEST(RequestParserTest, LinesHaveALimitWhetherOrNotTheirEndIsThere) {
  const std::string longest(65536, '1');
  const struct {
    std::string start;
    std::string error;
  } kRows[] = {{"*", "too big mbulk count string"}, {"*1\r\n$", "too big bulk count string"}};
  for (const auto& [start, error] : kRows) {
    const std::string fits = start + longest.substr(1);
    EXPECT_EQ(ParseWhole(fits).error, "");
    for (const std::string_view tail : {"1", "1\r\n"}) {
      EXPECT_EQ(ParseWhole(fits + std::string(tail)).error, "ERR Protocol error: " + error);
      EXPECT_EQ(ParseInPieces(fits + std::string(tail), 16384).error,
                "ERR Protocol error: " + error);
    }
  }
  EXPECT_EQ(ParseWhole(longest).error, "");
  EXPECT_EQ(ParseWhole(longest + "\n").requests.size(), 1);
  EXPECT_EQ(ParseWhole(longest + "1").error, "ERR Protocol error: too big inline request");
  EXPECT_EQ(ParseWhole(longest + "1\n").error, "ERR Protocol error: too big inline request");
}

TEST(RequestParserTest, UnauthenticatedClientsHaveLowerLimits) {
  const struct {
    std::string input;
    std::string error;
  } kRows[] = {
      {"*10\r\n", ""},
      {"*11\r\n", "ERR Protocol error: unauthenticated multibulk length"},
      {Command(std::vector<std::string>(11, "x")),
       "ERR Protocol error: unauthenticated multibulk length"},
      {"*2147483648\r\n", "ERR Protocol error: invalid multibulk length"},
      {"*1\r\n$16384\r\n", ""},
      {"*1\r\n$16385\r\n", "ERR Protocol error: unauthenticated bulk length"},
      {Command({std::string(16385, 'x')}), "ERR Protocol error: unauthenticated bulk length"},
      {"*1\r\n$999999999999\r\n", "ERR Protocol error: invalid bulk length"},
      {"a b c d e f g h i j k l m n o\r\n", ""},
  };
  for (const auto& [input, error] : kRows) {
    ParserDriver driver;
    driver.parser().set_authenticated(false);
    driver.Receive(input);
    EXPECT_EQ(driver.outcome().error, error) << input.substr(0, 40);
    driver.parser().set_authenticated(true);
  }
}

TEST(RequestParserTest, AuthenticationRaisesTheLimitsForTheNextRequest) {
  ParserDriver driver;
  driver.parser().set_authenticated(false);
  driver.Receive(Command({"AUTH", "x"}));
  driver.parser().set_authenticated(true);
  driver.Receive(Command(std::vector<std::string>(11, "x")));
  EXPECT_EQ(driver.outcome().requests.size(), 2);
}

TEST(RequestParserTest, TheLimitsAreTheCallersChoice) {
  const RequestParser::Limits limits{.max_bulk_bytes = 5, .max_multibulk_count = 2};
  EXPECT_EQ(ParseWhole(Command({"12345", "1"}), limits).requests.size(), 1);
  EXPECT_EQ(ParseWhole(Command({"123456"}), limits).error,
            "ERR Protocol error: invalid bulk length");
  EXPECT_EQ(ParseWhole(Command({"1", "2", "3"}), limits).error,
            "ERR Protocol error: invalid multibulk length");
}

TEST(RequestParserTest, NothingIsParsedAfterAnError) {
  RequestParser parser;
  Request request;
  parser.Feed("*x\r\nPING\r\n");
  EXPECT_EQ(parser.Next(request), Result::kError);
  EXPECT_EQ(parser.Unconsumed(), "");
  parser.Feed("PING\r\n");
  EXPECT_EQ(parser.Next(request), Result::kError);
  EXPECT_EQ(parser.error(), "ERR Protocol error: invalid multibulk length");
}

// --- Views and memory -------------------------------------------------------------------------

TEST(RequestParserTest, ArgumentsAreViewsIntoTheFedBytes) {
  const std::string input = Command({"SET", "key", "value"});
  RequestParser parser;
  Request request;
  parser.Feed(input);
  ASSERT_EQ(parser.Next(request), Result::kRequest);
  EXPECT_THAT(request.args, ElementsAre("SET", "key", "value"));
  for (const std::string_view arg : request.args) {
    EXPECT_GE(arg.data(), input.data());
    EXPECT_LT(arg.data(), input.data() + input.size());
  }
  EXPECT_EQ(request.wire_bytes, input.size());
  EXPECT_EQ(parser.Next(request), Result::kNeedMore);
  EXPECT_EQ(parser.memory_bytes(), 0);
}

TEST(RequestParserTest, UnconsumedBeginsWithTheIncompleteRequest) {
  RequestParser parser;
  Request request;
  parser.Feed("PING\r\n*2\r\n$3\r\nGET\r\n$5\r\nab");
  EXPECT_EQ(parser.Next(request), Result::kRequest);
  EXPECT_EQ(parser.Next(request), Result::kNeedMore);
  EXPECT_EQ(parser.Unconsumed(), "*2\r\n$3\r\nGET\r\n$5\r\nab");
  EXPECT_GT(parser.memory_bytes(), 0);
  parser.Feed("*2\r\n$3\r\nGET\r\n$5\r\nabcde\r\n");
  EXPECT_EQ(parser.Next(request), Result::kRequest);
  EXPECT_EQ(parser.Unconsumed(), "");
  EXPECT_EQ(parser.memory_bytes(), 0);
}

TEST(RequestParserTest, AnIdleParserIsSmall) {
  EXPECT_LE(sizeof(RequestParser), 128);
  EXPECT_EQ(RequestParser().memory_bytes(), 0);
}

TEST(RequestParserTest, AClaimedCountCostsNoMemory) {
  RequestParser parser;
  Request request;
  parser.Feed("*2147483647\r\n$1\r\na\r\n");
  EXPECT_EQ(parser.Next(request), Result::kNeedMore);
  EXPECT_LT(parser.memory_bytes(), 1000);
  EXPECT_LT(request.args.capacity(), 100);
}

TEST(RequestParserTest, ARequestGivesUpTheMemoryOfAHugePredecessor) {
  RequestParser parser;
  Request request;
  const std::string huge = Command(std::vector<std::string>(100000, "x"));
  parser.Feed(huge);
  ASSERT_EQ(parser.Next(request), Result::kRequest);
  EXPECT_EQ(request.args.size(), 100000);
  request.Clear();
  EXPECT_LT(request.args.capacity(), 10000);
}

TEST(RequestParserTest, AManyPieceRequestIsParsedOnce) {
  const std::string input = Command(std::vector<std::string>(20000, "xy"));
  const ParseOutcome whole = ParseWhole(input);
  ASSERT_EQ(whole.requests.size(), 1);
  EXPECT_EQ(ParseInPieces(input, 1000), whole);
}

// --- Large bulks ------------------------------------------------------------------------------

TEST(RequestParserTest, ALargeBulkIsReceivedInPlace) {
  const std::string value(100000, 'v');
  const std::string input = Command({"SET", "key", value, "KEEPTTL"});
  const size_t cut = input.find('v') + 10;
  RequestParser parser;
  Request request;
  std::string head = input.substr(0, cut);
  parser.Feed(head);
  ASSERT_EQ(parser.Next(request), Result::kNeedMore);
  EXPECT_EQ(parser.Unconsumed(), "");
  head.assign(head.size(), '?');  // The parser must not look at it any more.

  const std::span<char> space = parser.LargeBulkSpace();
  ASSERT_EQ(space.size(), value.size() - 10 + 2);  // Its CRLF included.
  std::memcpy(space.data(), input.data() + cut, space.size());
  parser.LargeBulkReceived(space.size());
  EXPECT_THAT(parser.LargeBulkSpace(), IsEmpty());
  EXPECT_EQ(parser.Next(request), Result::kNeedMore);

  const std::string rest = input.substr(cut + space.size());
  parser.Feed(rest);
  ASSERT_EQ(parser.Next(request), Result::kRequest);
  EXPECT_THAT(request.args, ElementsAre("SET", "key", value, "KEEPTTL"));
  EXPECT_EQ(request.wire_bytes, input.size());
  EXPECT_EQ(parser.memory_bytes(), 0);

  EXPECT_FALSE(request.TakeBlob(1));
  const BlobRef blob = request.TakeBlob(2);
  ASSERT_TRUE(blob);
  EXPECT_TRUE(blob.unique());
  EXPECT_EQ(blob->view(), value);
  EXPECT_EQ(request.args[2].data(), blob->data());
  EXPECT_FALSE(request.TakeBlob(2));
}

TEST(RequestParserTest, ALargeBulkAtTheEndCompletesWithoutFurtherBytes) {
  const std::string input = Command({"SET", "key", std::string(40000, 'v')});
  RequestParser parser;
  Request request;
  parser.Feed(std::string_view(input).substr(0, 1000));
  ASSERT_EQ(parser.Next(request), Result::kNeedMore);
  const std::span<char> space = parser.LargeBulkSpace();
  ASSERT_EQ(space.size(), input.size() - 1000);
  std::memcpy(space.data(), input.data() + 1000, space.size());
  parser.LargeBulkReceived(space.size());
  ASSERT_EQ(parser.Next(request), Result::kRequest);
  EXPECT_EQ(request.wire_bytes, input.size());
  EXPECT_EQ(parser.Next(request), Result::kNeedMore);
}

TEST(RequestParserTest, ALargeBulkThatIsWhollyThereStaysWhereItIs) {
  const std::string input = Command({"SET", "key", std::string(100000, 'v')});
  RequestParser parser;
  Request request;
  parser.Feed(input);
  ASSERT_EQ(parser.Next(request), Result::kRequest);
  EXPECT_THAT(request.blobs, IsEmpty());
  EXPECT_EQ(request.args[2].data(), input.data() + input.find('v'));
}

TEST(RequestParserTest, SeveralLargeBulksInAPipelineInAnyPieces) {
  const std::string a(40000, 'a');
  const std::string b(70000, 'b');
  const std::string middle(20000, 'm');
  const std::string input = Command({"MSET", "1", a, "2", b, "3", middle, "4", a}) +
                            Command({"GET", "1"}) + Command({"SET", "k", b}) + "PING\r\n";
  const ParseOutcome whole = ParseWhole(input);
  ASSERT_EQ(whole.requests.size(), 4);
  for (const size_t piece : {1000, 4096, 16384, 30011, 65536, 100000}) {
    EXPECT_TRUE(ParseInPieces(input, piece) == whole) << "in pieces of " << piece;
  }
}

TEST(RequestParserTest, AClaimedLengthCostsLittleUntilBytesCome) {
  RequestParser parser;
  Request request;
  parser.Feed("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\nfirst");
  ASSERT_EQ(parser.Next(request), Result::kNeedMore);
  EXPECT_LT(parser.memory_bytes(), 1300 * 1024);
  size_t received = 5;
  while (received < 20'000'000) {
    const std::span<char> space = parser.LargeBulkSpace();
    ASSERT_FALSE(space.empty());
    ASSERT_LE(received + space.size(), std::max<size_t>(1300 * 1024, 5 * received / 2));
    std::memset(space.data(), 'x', space.size());
    parser.LargeBulkReceived(space.size());
    received += space.size();
  }
  EXPECT_EQ(parser.Next(request), Result::kNeedMore);
}

// The leak checker sees to what each parser had begun.
TEST(RequestParserTest, AParserMayBeDroppedInTheMiddleOfAnything) {
  const std::string value(40000, 'a');
  const std::string input = Command({"MSET", "1", value, "2", "b"});
  for (size_t cut = 0; cut < input.size(); cut += 97) {
    ParserDriver driver;
    driver.Receive(input.substr(0, cut));
    EXPECT_EQ(driver.outcome(), ParseOutcome{}) << cut;
  }
  ParserDriver whole;
  whole.Receive(input);
  ASSERT_EQ(whole.outcome().requests.size(), 1u);
  EXPECT_EQ(whole.outcome().requests[0].args,
            (std::vector<std::string>{"MSET", "1", value, "2", "b"}));
}

}  // namespace
}  // namespace larder
