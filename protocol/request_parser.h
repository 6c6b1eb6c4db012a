// Splits the bytes of a connection into requests, in place: RESP arrays of bulk strings, and inline
// commands. Arguments are views into the caller's bytes.
//
// Concurrency: thread-confined. No sockets, no keys.
//
//   parser.Feed(bytes);                      // Views stay valid while `bytes` does.
//   while (parser.Next(request) == kRequest) Execute(request);
//   keep = parser.Unconsumed();              // What must stand before the next bytes.
//
// A bulk of at least `large_bulk_bytes` that is not wholly there is not waited for in the read
// buffer: the parser allocates a blob for it, and the caller reads the rest straight into it:
//
//   if (auto space = parser.LargeBulkSpace(); !space.empty()) {
//     parser.LargeBulkReceived(Read(space));  // Then Next(), nothing need be fed for it.
//   }
//
// The result does not depend on how the bytes were cut into pieces. Where Redis is lax (the byte
// behind a line's CR and the two bytes behind a bulk may be anything), so is the parser.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/blob.h"

namespace larder {

// One command with its arguments. `args[0]` is the command's name. A request is reused from call to
// call so that its vectors keep their memory; one for all the connections of a thread is enough.
struct Request {
  std::vector<std::string_view> args;
  // Arguments that were received into a blob of their own: (index in args, the blob), ascending.
  // Almost always empty.
  std::vector<std::pair<uint32_t, BlobRef>> blobs;
  // Bytes that the request took on the wire.
  size_t wire_bytes = 0;
  // What those args view that are neither in the fed bytes nor in `blobs`.
  BlobRef kept;

  // The blob of argument `index`, or an empty reference; moves it out. The argument's view then
  // lives as long as the blob that was taken.
  BlobRef TakeBlob(size_t index);
  void Clear();
  // Gives back what an unusually long request has needed. Void from then on, if it was one.
  void Shrink();
};

class RequestParser {
 public:
  struct Limits {
    int64_t max_bulk_bytes = 512LL * 1024 * 1024;  // proto-max-bulk-len
    int64_t max_inline_bytes = 64 * 1024;          // Also of a count or length line.
    int64_t max_multibulk_count = INT32_MAX;
    int64_t max_unauthenticated_bulk_bytes = 16384;
    int64_t max_unauthenticated_multibulk_count = 10;
    size_t large_bulk_bytes = 32 * 1024;
  };

  enum class Result : uint8_t {
    kRequest,   // `request` is complete.
    kNeedMore,  // Feed again, with Unconsumed() before the new bytes.
    kError,     // error() is the text to send before closing; nothing more can be parsed.
  };

  RequestParser();
  ~RequestParser();
  RequestParser(RequestParser&& other) noexcept;
  RequestParser& operator=(RequestParser&& other) noexcept;

  // `authenticated` chooses between the limits. Both may change between two requests.
  void set_limits(const Limits& limits) { limits_ = limits; }
  void set_authenticated(bool authenticated) { authenticated_ = authenticated; }

  // Bytes to parse from here on: what Unconsumed() returned followed by new ones (the caller may
  // have moved them). Replaces the bytes fed before.
  void Feed(std::string_view bytes) {
    cursor_ = bytes.data();
    end_ = bytes.data() + bytes.size();
  }
  // The views in `request` are valid as long as the fed bytes and `request` stay as they are. Other
  // results than kRequest leave something unspecified in `request`.
  Result Next(Request& request);
  // The tail of the fed bytes that belongs to a request not yet complete.
  std::string_view Unconsumed() const { return {cursor_, static_cast<size_t>(end_ - cursor_)}; }

  // Where the rest of a large bulk goes: empty when none is under way, else memory to read into.
  // While it is not empty, Unconsumed() is empty; bytes that are fed all the same are copied there.
  // Memory grows with what has arrived, so that a claimed length alone costs no more than 1.25 MiB.
  std::span<char> LargeBulkSpace();
  // How much the next LargeBulkSpace() allocates; the memory it replaces is freed after that.
  size_t LargeBulkGrowth() const;
  // REQUIRES: bytes <= LargeBulkSpace().size().
  void LargeBulkReceived(size_t bytes);

  // Bytes held in the parser itself for the request under way (arguments so far, large bulk); zero
  // between requests.
  size_t memory_bytes() const;
  // Of that, the large bulk under way: what it has room for, and what of it has come.
  size_t large_bulk_capacity() const;
  size_t large_bulk_received() const;
  // A protocol error as Redis says it: "ERR Protocol error: ...".
  std::string_view error() const;

 private:
  struct Partial;
  enum class Step : uint8_t { kDone, kNeedMore, kError };

  int64_t CountLimit() const {
    return authenticated_ ? limits_.max_multibulk_count
                          : limits_.max_unauthenticated_multibulk_count;
  }
  int64_t BulkLimit() const {
    return authenticated_ ? limits_.max_bulk_bytes : limits_.max_unauthenticated_bulk_bytes;
  }

  bool ParseWhole(Request& request);
  Result NextInSteps(Request& request);
  Step ParseInline(Request& request);
  Step ParseCount();
  Step ParseArguments();
  Step ParseBulk();
  Step FindLine(char last, const char* too_big, std::string_view& line);
  void StartLargeBulk(size_t data, size_t length);
  Step ContinueLargeBulk();
  void Complete(Request& request);
  Partial& EnsurePartial();
  Step Fail(std::string_view reason);

  // Small on purpose: every idle connection has one, and none of them a Partial.
  const char* cursor_ = nullptr;  // Begin of the request under way, as far as it is in fed bytes.
  const char* end_ = nullptr;
  std::unique_ptr<Partial> partial_;  // Of a request of which only a part is there; or the error.
  Limits limits_;
  bool authenticated_ = true;
};

}  // namespace larder
