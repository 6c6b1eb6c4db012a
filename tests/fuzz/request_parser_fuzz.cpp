// The parser must give the same requests, and the same error, however its input is cut into pieces.
//
// The first byte chooses the limits, the second seeds the cuts; the rest is the input.
#include "protocol/request_parser.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/random.h"
#include "tests/protocol/parser_driver.h"

namespace larder {
namespace {

// Bits of the first byte.
constexpr uint8_t kUnauthenticated = 1;
constexpr uint8_t kShortLines = 2;
constexpr uint8_t kLargeBulksAreSmall = 4;  // So that a fuzzer's short inputs have some.
constexpr uint8_t kFeedLargeBulks = 8;
constexpr uint8_t kLongPieces = 16;

RequestParser::Limits LimitsFor(uint8_t choice) {
  RequestParser::Limits limits;
  limits.max_bulk_bytes = 1024 * 1024;
  if (choice & kShortLines) limits.max_inline_bytes = 12;
  if (choice & kUnauthenticated) {
    limits.max_unauthenticated_bulk_bytes = 8;
    limits.max_unauthenticated_multibulk_count = 3;
  }
  limits.large_bulk_bytes = choice & kLargeBulksAreSmall ? 4 : 1024;
  return limits;
}

ParserDriver MakeDriver(uint8_t choice) {
  ParserDriver driver(LimitsFor(choice), choice & kFeedLargeBulks
                                             ? ParserDriver::LargeBulks::kFeed
                                             : ParserDriver::LargeBulks::kReadInPlace);
  driver.parser().set_authenticated(!(choice & kUnauthenticated));
  return driver;
}

void CheckCutsMakeNoDifference(uint8_t choice, uint8_t seed, std::string_view input) {
  const size_t input_bytes = input.size();
  ParserDriver whole = MakeDriver(choice);
  whole.Receive(input);

  Random random(seed);
  ParserDriver pieces = MakeDriver(choice);
  while (!input.empty()) {
    const size_t longest = choice & kLongPieces ? input.size() : 8;
    const size_t piece = std::min<size_t>(input.size(), random.Uniform(longest + 1));
    pieces.Receive(input.substr(0, piece));
    input.remove_prefix(piece);
  }
  LARDER_CHECK(pieces.outcome() == whole.outcome());

  size_t wire_bytes = 0;
  for (const ParsedRequest& request : whole.outcome().requests) {
    LARDER_CHECK(!request.args.empty());
    wire_bytes += request.wire_bytes;
  }
  LARDER_CHECK(wire_bytes <= input_bytes);
  LARDER_CHECK(whole.outcome().error.empty() || whole.outcome().error.starts_with("ERR Protocol"));
}

}  // namespace
}  // namespace larder

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 2, size - 2);
  larder::CheckCutsMakeNoDifference(data[0], data[1], input);
  return 0;
}
