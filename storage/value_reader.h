// Reads values of every type; see storage/serialized_value.h, which is how others use it.
//
// Concurrency: thread-confined.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "storage/encoding_limits.h"
#include "storage/listpack.h"
#include "storage/serial_reader.h"
#include "storage/serialized_value.h"
#include "storage/stream_id.h"

namespace larder {

class Stream;
class StreamGroup;

class ValueReader {
 public:
  ValueReader(SerialReader& reader, const EncodingLimits& limits)
      : reader_(reader), limits_(limits) {}

  std::optional<LooseValue> Read(uint8_t type);

 private:
  using Result = std::optional<LooseValue>;

  Result Fail(std::string_view error) {
    reader_.Fail(error);
    return std::nullopt;
  }

  Result ReadString();
  Result ReadList();
  Result ReadListZiplist();
  Result ReadQuicklist(bool with_containers);
  Result ReadSet();
  Result ReadIntset();
  Result ReadSetListpack();
  Result ReadSortedSet(bool binary_scores);
  Result ReadSortedSetZiplist();
  Result ReadSortedSetListpack();
  // Take the listpack over.
  Result AdoptSortedSet(Listpack pairs);
  Result AdoptHash(Listpack fields, bool timed);
  Result ReadHash();
  Result ReadTimedHash(bool from_earliest);
  Result ReadHashZipmap();
  Result ReadHashZiplist();
  Result ReadHashListpack(bool timed, bool with_earliest);
  Result ReadStream(int version);

  bool ReadStreamNodes(Stream& stream);
  bool ReadStreamFigures(Stream& stream, int version);
  bool ReadGroup(Stream& stream, int version);
  bool ReadGroupPending(StreamGroup& group);
  bool ReadConsumer(StreamGroup& group, int version);
  bool ReadId(StreamId& id);
  bool ReadRawId(StreamId& id);

  SerialReader& reader_;
  const EncodingLimits& limits_;
  std::string text_;  // The last string that was read.
};

}  // namespace larder
