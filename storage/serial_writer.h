// Writes the elements of which Redis's serialized values are made (DUMP payloads, RDB files):
// lengths, strings, times, numbers.
//
// Concurrency: thread-confined.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/listpack.h"

namespace larder {

// Where serialized bytes go.
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  virtual void Write(std::string_view bytes) = 0;
};

class StringSink final : public ByteSink {
 public:
  explicit StringSink(std::string& out) : out_(out) {}
  void Write(std::string_view bytes) override { out_.append(bytes); }

 private:
  std::string& out_;
};

class SerialWriter {
 public:
  enum class Compress : uint8_t { kNo, kYes };

  SerialWriter(ByteSink& sink, Compress compress) : sink_(sink), compress_(compress) {}

  void Byte(uint8_t byte);
  void Raw(std::string_view bytes) { sink_.Write(bytes); }
  void Length(uint64_t length);
  // As shortly as it goes: small integers as such, long texts compressed if that helps and is
  // wanted.
  void String(std::string_view text);
  void String(const ListpackValue& value);
  void BinaryDouble(double number);
  void Milliseconds(int64_t milliseconds);

 private:
  bool Integer(std::string_view text);
  bool Compressed(std::string_view text);

  ByteSink& sink_;
  const Compress compress_;
  std::string compressed_;  // Kept for the next one.
};

}  // namespace larder
