#include "protocol/request_parser.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/check.h"
#include "base/numbers.h"
#include "protocol/inline_command.h"

namespace larder {
namespace {

// How far the memory of a large bulk may run ahead of the bytes that have come: 1.25 MiB, header
// and all, which is a size that the allocator does not round up, and the least that holds a bulk of
// 1 MiB with what stands around it, so that one of those need not move.
constexpr size_t kMaxUnearnedBytes = 1280 * 1024 - sizeof(Blob);
// "$0\r\n\r\n": no argument is shorter on the wire.
constexpr ptrdiff_t kMinArgumentBytes = 6;
// Vectors of a request that grew beyond this are not kept for the next.
constexpr size_t kMaxKeptArguments = 4096;

unsigned DigitValue(char c) { return static_cast<unsigned char>(c) - unsigned{'0'}; }

// A count or length of four to nine digits, its CR and one byte more; null for anything else.
[[gnu::noinline]] const char* ReadLongLength(const char* at, const char* end, size_t& length) {
  constexpr ptrdiff_t kMaxDigits = 9;
  const char* const stop = at + std::min(kMaxDigits + 1, end - at - 1);
  size_t value = 0;
  for (; at < stop; ++at) {
    const unsigned digit = DigitValue(*at);
    if (digit > 9) {
      length = value;
      return *at == '\r' ? at + 2 : nullptr;
    }
    value = value * 10 + digit;
  }
  return nullptr;
}

// The number from `at` on, in its canonical spelling, and the line's end; returns where the next
// line begins, or null if anything about it is unusual. Unrolled, since nearly every number has one
// to three digits. REQUIRES: five bytes to read.
inline const char* ReadLength(const char* at, const char* end, size_t& length) {
  const unsigned first = DigitValue(at[0]);
  if (first > 9) return nullptr;
  length = first;
  if (at[1] == '\r') return at + 3;
  const unsigned second = DigitValue(at[1]);
  if (second > 9 || first == 0) return nullptr;
  length = first * 10 + second;
  if (at[2] == '\r') return at + 4;
  const unsigned third = DigitValue(at[2]);
  if (third > 9) return nullptr;
  length = length * 10 + third;
  if (at[3] == '\r') return at + 5;
  return ReadLongLength(at, end, length);
}

}  // namespace

// A request of which only a part has come. Positions count from cursor_, whose bytes the caller may
// move between calls; nothing here points at them.
struct RequestParser::Partial {
  struct Argument {
    static constexpr size_t kInBlob = SIZE_MAX;
    size_t offset;  // In `kept` followed by the bytes from cursor_ on; or kInBlob.
    size_t size;
  };

  size_t missing = 0;   // Arguments to come; 0 while the first line is not read.
  size_t position = 0;  // Where the next line begins.
  size_t searched = 0;  // So many bytes from there have no end of line.
  std::vector<Argument> arguments;
  // The request's bytes before the latest large bulk; the caller has got rid of them.
  BlobRef kept;
  std::vector<std::pair<uint32_t, BlobRef>> blobs;
  BlobRef large;            // The large bulk under way, its CRLF included; or empty.
  size_t large_length = 0;  // Of the whole of it, without CRLF.
  size_t bytes_before = 0;  // On the wire, before cursor_.
  std::string error;

  size_t kept_bytes() const { return kept ? kept->size() : 0; }
};

BlobRef Request::TakeBlob(size_t index) {
  for (auto& [blob_index, blob] : blobs) {
    if (blob_index == index) return std::move(blob);
  }
  return {};
}

void Request::Shrink() {
  if (args.capacity() > kMaxKeptArguments) [[unlikely]]
    std::vector<std::string_view>().swap(args);
}

void Request::Clear() {
  Shrink();
  args.clear();
  blobs.clear();
  if (kept) kept = BlobRef();
  wire_bytes = 0;
}

RequestParser::RequestParser() = default;
RequestParser::~RequestParser() = default;
RequestParser::RequestParser(RequestParser&& other) noexcept = default;
RequestParser& RequestParser::operator=(RequestParser&& other) noexcept = default;

RequestParser::Result RequestParser::Next(Request& request) {
  if (partial_ == nullptr) [[likely]] {
    if (cursor_ == end_) return Result::kNeedMore;
    if (ParseWhole(request)) [[likely]]
      return Result::kRequest;
  }
  return NextInSteps(request);
}

// The path that nearly every request takes: an array of bulks that is wholly there and in which
// nothing is unusual. Gives up at the first doubt, having changed nothing, and leaves the matter to
// the parsing in steps, which alone knows errors and waiting.
bool RequestParser::ParseWhole(Request& request) {
  const char* const end = end_;
  const char* at = cursor_;
  size_t count = 0;
  if (end - at < kMinArgumentBytes || *at != '*') return false;
  at = ReadLength(at + 1, end, count);
  // A count that cannot be true must not make the vector grow.
  if (at == nullptr || count == 0 || count > static_cast<size_t>(CountLimit()) ||
      count > static_cast<size_t>((end - at) / kMinArgumentBytes)) {
    return false;
  }
  const auto bulk_limit = static_cast<size_t>(BulkLimit());
  request.Clear();
  request.args.resize(count);
  for (std::string_view& arg : request.args) {
    size_t length = 0;
    if (end - at < kMinArgumentBytes || *at != '$') return false;
    at = ReadLength(at + 1, end, length);
    if (at == nullptr || length > bulk_limit || static_cast<size_t>(end - at) < length + 2) {
      return false;
    }
    arg = std::string_view(at, length);
    at += length + 2;
  }
  request.wire_bytes = static_cast<size_t>(at - cursor_);
  cursor_ = at;
  return true;
}

RequestParser::Result RequestParser::NextInSteps(Request& request) {
  while (true) {
    Step step;
    if (partial_ != nullptr && !partial_->error.empty()) {
      step = Step::kError;
    } else if (partial_ != nullptr && partial_->missing > 0) {
      step = ParseArguments();
    } else if (cursor_ == end_) {
      step = Step::kNeedMore;
    } else if (*cursor_ == '*') {
      step = ParseCount();
      if (step == Step::kDone) continue;  // An empty request is passed over in silence.
    } else {
      step = ParseInline(request);
      if (step == Step::kDone && request.args.empty()) continue;  // So is an empty line.
      if (step == Step::kDone) return Result::kRequest;
    }
    if (step == Step::kNeedMore) return Result::kNeedMore;
    if (step == Step::kError) return Result::kError;
    Complete(request);
    return Result::kRequest;
  }
}

RequestParser::Partial& RequestParser::EnsurePartial() {
  if (partial_ == nullptr) partial_ = std::make_unique<Partial>();
  return *partial_;
}

RequestParser::Step RequestParser::Fail(std::string_view reason) {
  std::string& error = EnsurePartial().error;
  error = "ERR Protocol error: ";
  error += reason;
  cursor_ = end_;
  return Step::kError;
}

// The bytes from the position on, up to and without the next `last`. Whether a line is too long is
// judged by its length alone, not by how much of it happens to be here.
RequestParser::Step RequestParser::FindLine(char last, const char* too_big,
                                            std::string_view& line) {
  const size_t position = partial_ != nullptr ? partial_->position : 0;
  const size_t searched = partial_ != nullptr ? partial_->searched : 0;
  const char* const begin = cursor_ + position;
  const auto available = static_cast<size_t>(end_ - begin);
  const void* found = nullptr;
  if (searched < available) found = std::memchr(begin + searched, last, available - searched);
  const size_t size =
      found != nullptr ? static_cast<size_t>(static_cast<const char*>(found) - begin) : available;
  if (size > static_cast<size_t>(limits_.max_inline_bytes)) return Fail(too_big);
  if (found == nullptr) {
    EnsurePartial().searched = available;
    return Step::kNeedMore;
  }
  line = std::string_view(begin, size);
  return Step::kDone;
}

RequestParser::Step RequestParser::ParseInline(Request& request) {
  std::string_view line;
  const Step found = FindLine('\n', "too big inline request", line);
  if (found != Step::kDone) return found;
  cursor_ += line.size() + 1;
  partial_.reset();
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  if (!SplitInlineCommand(line, request)) return Fail("unbalanced quotes in request");
  request.wire_bytes = static_cast<size_t>(cursor_ - line.data());
  return Step::kDone;
}

// "*<count>\r\n"
RequestParser::Step RequestParser::ParseCount() {
  std::string_view line;
  const Step found = FindLine('\r', "too big mbulk count string", line);
  if (found != Step::kDone) return found;
  if (line.end() + 1 == end_) {  // Its LF is still to come.
    EnsurePartial().searched = line.size();
    return Step::kNeedMore;
  }
  const auto count = ParseInt64(line.substr(1));
  if (!count || *count > limits_.max_multibulk_count) return Fail("invalid multibulk length");
  if (*count > CountLimit()) return Fail("unauthenticated multibulk length");
  if (*count <= 0) {
    cursor_ += line.size() + 2;
    partial_.reset();
    return Step::kDone;
  }
  Partial& partial = EnsurePartial();
  partial.missing = static_cast<size_t>(*count);
  partial.position = line.size() + 2;
  partial.searched = 0;
  return Step::kDone;
}

RequestParser::Step RequestParser::ParseArguments() {
  while (partial_->missing > 0) {
    const Step step = partial_->large ? ContinueLargeBulk() : ParseBulk();
    if (step != Step::kDone) return step;
  }
  return Step::kDone;
}

// "$<length>\r\n<bytes>\r\n"
RequestParser::Step RequestParser::ParseBulk() {
  std::string_view line;
  const Step found = FindLine('\r', "too big bulk count string", line);
  if (found != Step::kDone) return found;
  Partial& partial = *partial_;
  // Until the bytes are there too, the line is read anew each time: it is short.
  partial.searched = line.size();
  if (line.end() + 1 == end_) return Step::kNeedMore;
  if (line.empty() || line[0] != '$') {
    // A line break there would be a blank on the wire, as in every error.
    const char got = line.empty() || line[0] == '\n' ? ' ' : line[0];
    return Fail(std::string("expected '$', got '") + got + "'");
  }
  const auto parsed = ParseInt64(line.substr(1));
  if (!parsed || *parsed < 0 || *parsed > limits_.max_bulk_bytes) {
    return Fail("invalid bulk length");
  }
  if (*parsed > BulkLimit()) return Fail("unauthenticated bulk length");
  const auto length = static_cast<size_t>(*parsed);
  const size_t data = partial.position + line.size() + 2;
  if (static_cast<size_t>(end_ - cursor_) - data < length + 2) {
    if (length < limits_.large_bulk_bytes) return Step::kNeedMore;
    StartLargeBulk(data, length);
    return Step::kDone;
  }
  partial.arguments.push_back({.offset = partial.kept_bytes() + data, .size = length});
  partial.position = data + length + 2;
  partial.searched = 0;
  --partial.missing;
  return Step::kDone;
}

// Moves what has been fed into the parser's own memory: the request so far, whose arguments must
// outlive the read buffer, and the bulk's first bytes. `data` is where these begin.
void RequestParser::StartLargeBulk(size_t data, size_t length) {
  Partial& partial = *partial_;
  const size_t kept_bytes = partial.kept_bytes();
  if (!partial.kept) {
    partial.kept = BlobRef::Create(data);
  } else if (kept_bytes + data > partial.kept->capacity()) {
    partial.kept.Reserve(std::max(kept_bytes + data, 2 * kept_bytes));
  }
  std::memcpy(partial.kept->data() + kept_bytes, cursor_, data);
  partial.kept->set_size(kept_bytes + data);
  partial.bytes_before += data;
  cursor_ += data;
  partial.position = 0;
  partial.searched = 0;
  partial.large_length = length;
  const auto received = static_cast<size_t>(end_ - cursor_);
  partial.large = BlobRef::Create(std::min(length + 2, std::max(kMaxUnearnedBytes, 2 * received)));
}

RequestParser::Step RequestParser::ContinueLargeBulk() {
  Partial& partial = *partial_;
  const size_t total = partial.large_length + 2;
  while (cursor_ != end_ && partial.large->size() < total) {
    const std::span<char> space = LargeBulkSpace();
    const size_t bytes = std::min(space.size(), static_cast<size_t>(end_ - cursor_));
    std::memcpy(space.data(), cursor_, bytes);
    LargeBulkReceived(bytes);
    cursor_ += bytes;
  }
  if (partial.large->size() < total) return Step::kNeedMore;
  partial.large->set_size(partial.large_length);  // Without the CRLF.
  partial.blobs.emplace_back(static_cast<uint32_t>(partial.arguments.size()),
                             std::move(partial.large));
  partial.arguments.push_back({.offset = Partial::Argument::kInBlob, .size = partial.large_length});
  partial.bytes_before += total;
  --partial.missing;
  return Step::kDone;
}

size_t RequestParser::LargeBulkGrowth() const {
  if (partial_ == nullptr || !partial_->large) return 0;
  const size_t total = partial_->large_length + 2;
  const size_t received = partial_->large->size();
  if (received < partial_->large->capacity() || received == total) return 0;
  return std::min(total, std::max(kMaxUnearnedBytes, 2 * received));
}

std::span<char> RequestParser::LargeBulkSpace() {
  if (partial_ == nullptr || !partial_->large) return {};
  BlobRef& large = partial_->large;
  if (const size_t growth = LargeBulkGrowth(); growth > 0) large.Reserve(growth);
  const size_t received = large->size();
  return {large->data() + received,
          std::min(large->capacity(), partial_->large_length + 2) - received};
}

void RequestParser::LargeBulkReceived(size_t bytes) {
  LARDER_DCHECK(partial_ != nullptr && partial_->large);
  BlobRef& large = partial_->large;
  LARDER_DCHECK(bytes <= std::min(large->capacity(), partial_->large_length + 2) - large->size());
  large->set_size(large->size() + bytes);
}

void RequestParser::Complete(Request& request) {
  Partial& partial = *partial_;
  request.Clear();
  request.kept = std::move(partial.kept);
  request.blobs = std::move(partial.blobs);
  const size_t kept_bytes = request.kept ? request.kept->size() : 0;
  auto blob = request.blobs.begin();
  request.args.reserve(partial.arguments.size());
  for (const Partial::Argument& argument : partial.arguments) {
    if (argument.offset == Partial::Argument::kInBlob) {
      request.args.push_back((blob++)->second->view());
    } else if (argument.offset < kept_bytes) {
      request.args.emplace_back(request.kept->data() + argument.offset, argument.size);
    } else {
      request.args.emplace_back(cursor_ + (argument.offset - kept_bytes), argument.size);
    }
  }
  request.wire_bytes = partial.bytes_before + partial.position;
  cursor_ += partial.position;
  partial_.reset();
}

size_t RequestParser::memory_bytes() const {
  if (partial_ == nullptr) return 0;
  const Partial& partial = *partial_;
  size_t bytes = sizeof(Partial) + partial.arguments.capacity() * sizeof(Partial::Argument) +
                 partial.blobs.capacity() * sizeof(partial.blobs[0]) + partial.error.capacity();
  if (partial.kept) bytes += partial.kept->capacity();
  if (partial.large) bytes += partial.large->capacity();
  for (const auto& [index, blob] : partial.blobs) bytes += blob->capacity();
  return bytes;
}

size_t RequestParser::large_bulk_capacity() const {
  return partial_ != nullptr && partial_->large ? partial_->large->capacity() : 0;
}

size_t RequestParser::large_bulk_received() const {
  return partial_ != nullptr && partial_->large ? partial_->large->size() : 0;
}

std::string_view RequestParser::error() const {
  return partial_ != nullptr ? std::string_view(partial_->error) : std::string_view();
}

}  // namespace larder
