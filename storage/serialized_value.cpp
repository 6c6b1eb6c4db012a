#include "storage/serialized_value.h"

#include <atomic>
#include <bit>
#include <cstring>

#include "storage/crc64.h"
#include "storage/serial_format.h"
#include "storage/value_reader.h"
#include "storage/value_writer.h"

namespace larder {
namespace {

constexpr size_t kVersionBytes = 2;
constexpr size_t kChecksumBytes = 8;
constexpr size_t kFooterBytes = kVersionBytes + kChecksumBytes;

template <typename Number>
void AppendLittleEndian(std::string& bytes, Number number) {
  static_assert(std::endian::native == std::endian::little);
  bytes.append(reinterpret_cast<const char*>(&number), sizeof(number));
}

template <typename Number>
Number LittleEndianAt(std::string_view bytes, size_t offset) {
  Number number;
  std::memcpy(&number, bytes.data() + offset, sizeof(number));
  return number;
}

std::atomic<bool> skip_checksums{false};  // Orders nothing: a switch for tests.

}  // namespace

uint8_t SerializedTypeOf(const Entry& entry) { return ValueWriter::TypeOf(entry); }

int WriteValue(const Entry& entry, SerialWriter& writer) {
  return ValueWriter(writer).Write(entry);
}

std::optional<LooseValue> ReadValue(uint8_t type, SerialReader& reader,
                                    const EncodingLimits& limits) {
  return ValueReader(reader, limits).Read(type);
}

std::string DumpPayload(const Entry& entry, SerialWriter::Compress compress) {
  std::string payload;
  StringSink sink(payload);
  SerialWriter writer(sink, compress);
  writer.Byte(SerializedTypeOf(entry));
  const int version = WriteValue(entry, writer);
  AppendLittleEndian(payload, static_cast<uint16_t>(version));
  AppendLittleEndian(payload, Crc64(payload));
  return payload;
}

void SetSkipPayloadChecksums(bool skip) { skip_checksums.store(skip, std::memory_order_relaxed); }

bool IsIntactPayload(std::string_view payload) {
  if (payload.size() < kFooterBytes) return false;
  const std::string_view checked = payload.substr(0, payload.size() - kChecksumBytes);
  const auto version = LittleEndianAt<uint16_t>(checked, checked.size() - kVersionBytes);
  return version <= serial::kNewestVersion &&
         (skip_checksums.load(std::memory_order_relaxed) ||
          LittleEndianAt<uint64_t>(payload, checked.size()) == Crc64(checked));
}

std::optional<LooseValue> ReadPayload(std::string_view payload, const EncodingLimits& limits) {
  StringSource source(payload.substr(0, payload.size() - kFooterBytes));
  SerialReader reader(source);
  uint8_t type = 0;
  if (!reader.Byte(type)) return std::nullopt;
  std::optional<LooseValue> value = ReadValue(type, reader, limits);
  // What stands behind the value has been written by nobody.
  if (source.left() != 0) return std::nullopt;
  return value;
}

}  // namespace larder
