// Reads what SerialWriter writes, and every older way in which Redis wrote the same. Bytes may come
// from anywhere: nothing is taken for true before it is checked, and memory grows only with what
// has really been read.
//
// After the first error everything fails, so that callers may read several elements and look once.
//
// Concurrency: thread-confined.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace larder {

// Where serialized bytes come from.
class ByteSource {
 public:
  static constexpr uint64_t kUnknown = std::numeric_limits<uint64_t>::max();

  virtual ~ByteSource() = default;
  // All of `size` bytes; false if they are not there.
  virtual bool Read(char* out, size_t size) = 0;
  // How many bytes are left at most; kUnknown for a stream.
  virtual uint64_t left() const = 0;
};

class StringSource final : public ByteSource {
 public:
  explicit StringSource(std::string_view bytes) : bytes_(bytes) {}
  bool Read(char* out, size_t size) override;
  uint64_t left() const override { return bytes_.size(); }

 private:
  std::string_view bytes_;
};

class SerialReader {
 public:
  explicit SerialReader(ByteSource& source) : source_(source) {}

  // What went wrong first; empty if nothing did.
  std::string_view error() const { return error_; }
  bool ok() const { return error_.empty(); }
  // Always false, for callers to return. `error` is a literal.
  bool Fail(std::string_view error);

  bool Byte(uint8_t& byte);
  bool Raw(char* out, size_t size);
  bool Length(uint64_t& length);
  // The length of what follows element by element, each of at least `element_bytes`.
  bool Count(uint64_t& count, size_t element_bytes);
  // Replaces what is in `text`.
  bool String(std::string& text);
  bool BinaryDouble(double& number);
  // As text, of the oldest sorted sets.
  bool TextDouble(double& number);
  bool Milliseconds(int64_t& milliseconds);

  uint64_t left() const { return source_.left(); }

 private:
  // A length, or if `encoded` what kind of string follows.
  bool LengthOrEncoding(uint64_t& length, bool& encoded);
  bool EncodedString(uint64_t encoding, std::string& text);
  bool Bytes(uint64_t size, std::string& text);
  bool CompressedString(std::string& text);

  ByteSource& source_;
  std::string_view error_;
  std::string compressed_;  // Kept for the next one.
};

}  // namespace larder
