// Values of every type in Redis's serialized form, as DUMP gives them, RESTORE takes them and RDB
// files hold them. What is written is what redis-server 7.0 writes for the same value in the same
// encoding, byte for byte; what is read is anything that a Redis ever wrote, to the bottom checked.
//
// Concurrency: thread-confined; an entry's shard is locked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "storage/encoding_limits.h"
#include "storage/entry.h"
#include "storage/object.h"
#include "storage/serial_reader.h"
#include "storage/serial_writer.h"

namespace larder {

// A value that no key has yet; freed unless it is taken.
class LooseValue {
 public:
  explicit LooseValue(std::string text) : text_(std::move(text)) {}
  explicit LooseValue(const Object& object) : object_(object) {}
  ~LooseValue() {
    if (object_) Destroy(*object_);
  }
  LooseValue(LooseValue&& other) noexcept
      : text_(std::move(other.text_)), object_(std::exchange(other.object_, std::nullopt)) {}
  LooseValue& operator=(LooseValue&&) = delete;

  bool is_string() const { return !object_; }
  // REQUIRES: is_string().
  const std::string& text() const { return text_; }
  // REQUIRES: !is_string(). The caller owns it.
  Object TakeObject() { return *std::exchange(object_, std::nullopt); }

 private:
  std::string text_;
  std::optional<Object> object_;
};

// ---- Elements of an RDB file: first the type, then (there the key and then) the value.

// The number by which a reader knows what follows.
uint8_t SerializedTypeOf(const Entry& entry);
// Returns the least version of the form that has all that was written (storage/serial_format.h).
int WriteValue(const Entry& entry, SerialWriter& writer);

// Nothing if the bytes are not such a value; the reader says why.
std::optional<LooseValue> ReadValue(uint8_t type, SerialReader& reader,
                                    const EncodingLimits& limits);

// ---- DUMP: type, value, version (2 bytes), checksum (8 bytes).

std::string DumpPayload(const Entry& entry, SerialWriter::Compress compress);

// Whether this is a whole payload of a version that we know.
bool IsIntactPayload(std::string_view payload);
// DEBUG SET-SKIP-CHECKSUM-VALIDATION, for tests of what lies behind the checksum: whether a wrong
// one is passed over, in the whole process.
void SetSkipPayloadChecksums(bool skip);
// REQUIRES: IsIntactPayload, or at least as long as the last two parts.
std::optional<LooseValue> ReadPayload(std::string_view payload, const EncodingLimits& limits);

}  // namespace larder
