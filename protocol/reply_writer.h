// Writes replies in the protocol version that the client speaks: a handler says what the answer is
// (a map, a double, nothing), and RESP2 gets the shape that Redis gives it there.
//
// Concurrency: thread-confined.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/blob.h"
#include "base/numbers.h"
#include "protocol/output_buffer.h"

namespace larder {

enum class RespVersion : uint8_t { kResp2 = 2, kResp3 = 3 };

class ReplyWriter {
 public:
  // From this size on a blob leaves by reference. Below, the copy is cheaper than two more segments
  // for writev and the reference count, which bounces between threads.
  static constexpr size_t kMinReferencedBytes = 16 * 1024;

  ReplyWriter(OutputBuffer& out, RespVersion version) : out_(&out), version_(version) {}

  RespVersion version() const { return version_; }
  void set_version(RespVersion version) { version_ = version; }
  bool resp3() const { return version_ == RespVersion::kResp3; }
  OutputBuffer& out() { return *out_; }

  void Ok() { Literal("+OK\r\n"); }
  void Simple(std::string_view text);  // +text; no CR or LF in it.
  // `text` starts with its code word ("ERR ..."), without '-' and CRLF. CR and LF around it are cut
  // off, inside it they become spaces. Counts in error_count().
  void Error(std::string_view text);
  void Integer(int64_t value);
  void Bulk(std::string_view bytes) {
    if (bytes.size() > kMaxPlainBulk) [[unlikely]]
      return LongBulk(bytes);
    char* const start = out_->Reserve(bytes.size() + kMaxHeader + 2);
    char* end = WriteHeader(start, '$', bytes.size());
    if (!bytes.empty()) std::memcpy(end, bytes.data(), bytes.size());
    end = WriteEndOfLine(end + bytes.size());
    out_->Commit(static_cast<size_t>(end - start));
  }
  void BulkBlob(const BlobRef& blob);  // Large blobs by reference, small ones copied.
  // `front` is a part of the blob's bytes; `rest`, which may stand anywhere, follows it.
  void BulkBlob(const BlobRef& blob, std::string_view front, std::string_view rest = {});
  void BulkInteger(int64_t value);  // The decimal text of `value` as a bulk string.
  void Null() { resp3() ? Literal("_\r\n") : Literal("$-1\r\n"); }
  void NullArray() { resp3() ? Literal("_\r\n") : Literal("*-1\r\n"); }
  void Boolean(bool value);                 // :1/:0 or #t/#f
  void Double(double value);                // FormatDouble's text as a bulk, or ","
  void BigNumber(std::string_view digits);  // Bulk or "("
  // `format` is three characters ("txt", "mkd"). Bulk or "="
  void Verbatim(std::string_view text, std::string_view format = "txt");

  // Headers: the caller then writes the elements (for a map: 2 * pairs of them).
  void Array(size_t elements) { Header('*', elements); }
  void Map(size_t pairs) { resp3() ? Header('%', pairs) : Header('*', 2 * pairs); }  // *2n or %n
  void Set(size_t elements) { Header(resp3() ? '~' : '*', elements); }               // *n or ~n
  void Push(size_t elements) { Header(resp3() ? '>' : '*', elements); }              // *n or >n
  // |n, to be followed by its pairs and then by the reply. REQUIRES: resp3(), for RESP2 has no
  // attributes: the caller then writes neither header nor pairs.
  void Attribute(size_t pairs);

  // A header whose count is known only afterwards. Usage:
  //   const auto mark = reply.BeginDeferred();  ...elements...  reply.EndDeferredArray(mark, n);
  // Marks nest. The elements may be written by other means too, but nothing may be consumed from
  // out() before the end.
  using DeferredMark = size_t;
  DeferredMark BeginDeferred() const { return out_->size(); }
  void EndDeferredArray(DeferredMark mark, size_t elements) { InsertHeader(mark, '*', elements); }
  void EndDeferredMap(DeferredMark mark, size_t pairs);
  void EndDeferredSet(DeferredMark mark, size_t elements);
  void EndDeferredPush(DeferredMark mark, size_t elements);

  // Bytes that are a reply already.
  void Raw(std::string_view bytes) { out_->Append(bytes); }

  // The number of Error calls so far, and the text of the latest one; the dispatcher compares the
  // number before and after a handler to count rejected and failed calls.
  uint64_t error_count() const { return error_count_; }
  std::string_view last_error() const { return {last_error_, last_error_size_}; }

 private:
  static constexpr size_t kMaxHeader = 1 + kMaxIntegerText + 2;
  // Up to here a bulk is written in one piece; beyond, a chunk's tail would be left empty for it.
  static constexpr size_t kMaxPlainBulk = 2048;

  static char* WriteEndOfLine(char* at) {
    std::memcpy(at, "\r\n", 2);
    return at + 2;
  }
  static char* WriteHeader(char* at, char kind, uint64_t count) {
    *at++ = kind;
    if (count < 10) {
      *at++ = static_cast<char>('0' + count);
    } else if (count < 100) {
      *at++ = static_cast<char>('0' + count / 10);
      *at++ = static_cast<char>('0' + count % 10);
    } else {
      at += FormatUint64(count, at);
    }
    return WriteEndOfLine(at);
  }
  template <size_t kSize>
  void Literal(const char (&text)[kSize]) {
    std::memcpy(out_->Reserve(kSize - 1), text, kSize - 1);
    out_->Commit(kSize - 1);
  }
  void Header(char kind, uint64_t count) {
    char* const start = out_->Reserve(kMaxHeader);
    out_->Commit(static_cast<size_t>(WriteHeader(start, kind, count) - start));
  }
  void InsertHeader(DeferredMark mark, char kind, uint64_t count);
  void Line(char kind, std::string_view text);
  void LongBulk(std::string_view bytes);

  OutputBuffer* out_;
  RespVersion version_;
  uint8_t last_error_size_ = 0;
  char last_error_[64];  // Only its beginning: enough for the code word and a log line.
  uint64_t error_count_ = 0;
};

inline void ReplyWriter::Integer(int64_t value) {
  char* const start = out_->Reserve(kMaxHeader);
  char* end;
  if (value >= 0) {
    end = WriteHeader(start, ':', static_cast<uint64_t>(value));
  } else {
    *start = ':';
    end = WriteEndOfLine(start + 1 + FormatInt64(value, start + 1));
  }
  out_->Commit(static_cast<size_t>(end - start));
}

}  // namespace larder
