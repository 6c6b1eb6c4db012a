// Drives a RequestParser as a connection does, and keeps what it finds: for the parser's tests and
// its fuzz target, which must see the same requests however the input is cut.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "protocol/request_parser.h"

namespace larder {

struct ParsedRequest {
  std::vector<std::string> args;
  size_t wire_bytes = 0;

  friend bool operator==(const ParsedRequest&, const ParsedRequest&) = default;
};

struct ParseOutcome {
  std::vector<ParsedRequest> requests;
  std::string error;

  friend bool operator==(const ParseOutcome&, const ParseOutcome&) = default;
};

class ParserDriver {
 public:
  // How the driver brings the bytes of a large bulk: as a connection should, or like all others.
  enum class LargeBulks { kReadInPlace, kFeed };

  explicit ParserDriver(const RequestParser::Limits& limits = {},
                        LargeBulks large_bulks = LargeBulks::kReadInPlace)
      : large_bulks_(large_bulks) {
    parser_.set_limits(limits);
  }

  RequestParser& parser() { return parser_; }
  const ParseOutcome& outcome() const { return outcome_; }

  // One read from the socket.
  void Receive(std::string_view piece) {
    if (!outcome_.error.empty()) return;
    if (large_bulks_ == LargeBulks::kReadInPlace) piece = ReadInPlace(piece);
    // Memory of exactly the right size, and elsewhere each time: a view kept too long or a byte
    // read too far is what AddressSanitizer sees.
    const std::string_view unconsumed = parser_.Unconsumed();
    size_ = unconsumed.size() + piece.size();
    std::unique_ptr<char[]> bytes(new char[size_]);
    std::copy(unconsumed.begin(), unconsumed.end(), bytes.get());
    std::copy(piece.begin(), piece.end(), bytes.get() + unconsumed.size());
    bytes_ = std::move(bytes);
    parser_.Feed({bytes_.get(), size_});
    TakeRequests();
  }

 private:
  std::string_view ReadInPlace(std::string_view piece) {
    while (!piece.empty()) {
      const std::span<char> space = parser_.LargeBulkSpace();
      if (space.empty()) break;
      LARDER_CHECK(parser_.Unconsumed().empty());
      const size_t bytes = std::min(space.size(), piece.size());
      std::memcpy(space.data(), piece.data(), bytes);
      parser_.LargeBulkReceived(bytes);
      piece.remove_prefix(bytes);
    }
    return piece;
  }

  void TakeRequests() {
    RequestParser::Result result;
    while ((result = parser_.Next(request_)) == RequestParser::Result::kRequest) {
      for (const auto& [index, blob] : request_.blobs) {
        LARDER_CHECK(request_.args[index].data() == blob->data() &&
                     request_.args[index].size() == blob->size());
      }
      outcome_.requests.push_back(
          {{request_.args.begin(), request_.args.end()}, request_.wire_bytes});
    }
    if (result == RequestParser::Result::kError) outcome_.error = parser_.error();
  }

  RequestParser parser_;
  const LargeBulks large_bulks_;
  Request request_;
  std::unique_ptr<char[]> bytes_;
  size_t size_ = 0;
  ParseOutcome outcome_;
};

}  // namespace larder
