// Writes values of every type; see storage/serialized_value.h, which is how others use it.
//
// Concurrency: thread-confined.
#pragma once

#include <cstdint>

#include "storage/entry.h"
#include "storage/serial_writer.h"
#include "storage/stream_id.h"

namespace larder {

class Hash;
class List;
class Set;
class SortedSet;
class Stream;
class StreamConsumer;
class StreamGroup;

class ValueWriter {
 public:
  explicit ValueWriter(SerialWriter& writer) : writer_(writer) {}

  static uint8_t TypeOf(const Entry& entry);
  // Returns the version of the form that it takes to read this.
  int Write(const Entry& entry);

 private:
  void WriteList(const List& list);
  void WriteSet(const Set& set);
  void WriteSortedSet(const SortedSet& sorted_set);
  void WriteHash(const Hash& hash);
  void WriteStream(const Stream& stream);
  void WriteGroup(const StreamGroup& group);
  void WriteConsumer(const StreamConsumer& consumer);
  void WriteId(StreamId id);
  void WriteRawId(StreamId id);

  SerialWriter& writer_;
  int version_ = 0;
};

}  // namespace larder
