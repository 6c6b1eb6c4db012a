#include "storage/value_writer.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "base/check.h"
#include "storage/hash.h"
#include "storage/list.h"
#include "storage/serial_format.h"
#include "storage/set.h"
#include "storage/sorted_set.h"
#include "storage/stream.h"

namespace larder {
namespace {

// The time at which the first field goes; nothing if none ever does.
std::optional<UnixMillis> EarliestExpiry(const Hash& hash) {
  if (!hash.timed()) return std::nullopt;
  UnixMillis earliest = std::numeric_limits<UnixMillis>::max();
  bool found = false;
  hash.ForEach(Hash::kBeforeAllTime, [&](const HashField& field) {
    if (field.expiry != kNoExpiry) {
      earliest = std::min(earliest, field.expiry);
      found = true;
    }
    return true;
  });
  if (!found) return std::nullopt;
  return earliest;
}

uint8_t TypeOfHash(const Hash& hash) {
  if (EarliestExpiry(hash)) {
    return hash.is_listpack() ? serial::kTimedHashListpack : serial::kTimedHash;
  }
  return hash.is_listpack() ? serial::kHashListpack : serial::kHash;
}

// Of a hash whose fields have all lost their expiries: what older servers read.
Listpack WithoutExpiries(const Hash& hash) {
  Listpack pairs = Listpack::Create();
  hash.ForEach(Hash::kBeforeAllTime, [&](const HashField& field) {
    pairs.Append(field.name);
    pairs.Append(field.value);
    return true;
  });
  return pairs;
}

void PutBigEndian(uint64_t number, char* out) {
  for (unsigned i = 0; i < 8; ++i) out[i] = static_cast<char>(number >> (56 - 8 * i));
}

}  // namespace

uint8_t ValueWriter::TypeOf(const Entry& entry) {
  switch (entry.type()) {
    case ValueType::kString:
      return serial::kString;
    case ValueType::kList:
      return serial::kListQuicklist2;
    case ValueType::kSet:
      // A set in a listpack is not known to Redis 7.0, which has a table there.
      return Set(entry.object()).encoding() == Set::Encoding::kIntset ? serial::kSetIntset
                                                                      : serial::kSet;
    case ValueType::kSortedSet:
      return SortedSet(entry.object()).is_compact() ? serial::kZSetListpack : serial::kZSet2;
    case ValueType::kHash:
      return TypeOfHash(Hash(entry.object()));
    case ValueType::kStream:
      return serial::kStreamListpacks2;
  }
  LARDER_CHECK(false);
}

int ValueWriter::Write(const Entry& entry) {
  version_ = serial::kVersionRedis70;
  switch (entry.type()) {
    case ValueType::kString: {
      StringValue value;
      entry.ReadString(value);
      writer_.String(value.view());
      break;
    }
    case ValueType::kList:
      WriteList(List(entry.object()));
      break;
    case ValueType::kSet:
      WriteSet(Set(entry.object()));
      break;
    case ValueType::kSortedSet:
      WriteSortedSet(SortedSet(entry.object()));
      break;
    case ValueType::kHash:
      WriteHash(Hash(entry.object()));
      break;
    case ValueType::kStream:
      WriteStream(Stream(entry.object()));
      break;
  }
  return version_;
}

void ValueWriter::WriteList(const List& list) {
  writer_.Length(list.figures().nodes);
  list.ForEachNode([&](bool plain, std::string_view bytes) {
    writer_.Length(plain ? serial::kPlainNode : serial::kPackedNode);
    writer_.String(bytes);
  });
}

void ValueWriter::WriteSet(const Set& set) {
  if (set.encoding() == Set::Encoding::kIntset) return writer_.String(set.intset().bytes());
  writer_.Length(set.size());
  set.ForEach([&](const SetMember& member) {
    writer_.String(member);
    return true;
  });
}

void ValueWriter::WriteSortedSet(const SortedSet& sorted_set) {
  if (sorted_set.is_compact()) return writer_.String(sorted_set.listpack().bytes());
  writer_.Length(sorted_set.size());
  // The greatest first, as in Redis, where that is the quickest way to build it again.
  sorted_set.ForEach({0, sorted_set.size()}, RankOrder::kDescending,
                     [&](std::string_view member, double score) {
                       writer_.String(member);
                       writer_.BinaryDouble(score);
                     });
}

void ValueWriter::WriteHash(const Hash& hash) {
  const std::optional<UnixMillis> earliest = EarliestExpiry(hash);
  if (earliest) {
    version_ = serial::kVersionTimedHashes;
    writer_.Milliseconds(*earliest);
  }
  if (hash.is_listpack()) {
    if (earliest || !hash.timed()) return writer_.String(hash.listpack().bytes());
    Listpack pairs = WithoutExpiries(hash);
    writer_.String(pairs.bytes());
    return pairs.Free();
  }
  writer_.Length(hash.size());
  hash.ForEach(Hash::kBeforeAllTime, [&](const HashField& field) {
    // Counted from the earliest one, by 1 more for 0 says that there is none.
    if (earliest) {
      const bool expires = field.expiry != kNoExpiry;
      writer_.Length(expires ? static_cast<uint64_t>(field.expiry - *earliest) + 1 : 0);
    }
    writer_.String(field.name);
    writer_.String(field.value);
    return true;
  });
}

void ValueWriter::WriteId(StreamId id) {
  writer_.Length(id.ms);
  writer_.Length(id.seq);
}

void ValueWriter::WriteRawId(StreamId id) {
  char bytes[16];
  PutBigEndian(id.ms, bytes);
  PutBigEndian(id.seq, bytes + 8);
  writer_.Raw({bytes, sizeof(bytes)});
}

void ValueWriter::WriteStream(const Stream& stream) {
  writer_.Length(stream.nodes().size());
  for (const auto& [first_id, bytes] : stream.nodes()) {
    writer_.Length(sizeof(StreamId));
    WriteRawId(first_id);
    writer_.String(Listpack(bytes).bytes());
  }
  writer_.Length(stream.size());
  WriteId(stream.last_id());
  WriteId(stream.first_id());
  WriteId(stream.max_deleted_id());
  writer_.Length(stream.entries_added());
  writer_.Length(stream.group_count());
  if (stream.group_count() == 0) return;
  for (const auto& [name, group] : *stream.groups()) WriteGroup(*group);
}

void ValueWriter::WriteGroup(const StreamGroup& group) {
  writer_.String(group.name());
  WriteId(group.last_id);
  writer_.Length(static_cast<uint64_t>(group.entries_read));
  writer_.Length(group.pending().size());
  for (const auto& [id, pending] : group.pending()) {
    WriteRawId(id);
    writer_.Milliseconds(pending.delivered_at);
    writer_.Length(pending.deliveries);
    if (pending.consumer == nullptr) version_ = serial::kVersionOwnerlessPending;
  }
  writer_.Length(group.consumers().size());
  for (const auto& [name, consumer] : group.consumers()) WriteConsumer(*consumer);
}

void ValueWriter::WriteConsumer(const StreamConsumer& consumer) {
  writer_.String(consumer.name());
  writer_.Milliseconds(consumer.seen_time);
  writer_.Length(consumer.pending().size());
  for (const StreamId id : consumer.pending()) WriteRawId(id);
}

}  // namespace larder
