// One node of a stream: a run of entries in one listpack, in Redis's own layout, so that DUMP and
// RDB copy it as it is.
//
//   master   live entries, deleted entries, number of fields, the fields, 0
//   entries  flags, ms and seq as differences to the node's first ID, then
//              (same fields as the master)  the values
//              (other fields)               number of fields, each field with its value
//            then how many elements the entry has so far, by which one comes back to its start
//
// The node's first ID, to which the others are relative, is kept by the stream.
//
// Concurrency: as Listpack.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "storage/listpack.h"
#include "storage/stream_id.h"

namespace larder {

// Where an entry stands in its node, and how to read it.
struct StreamEntryView {
  StreamId id;
  Listpack::Position flags = Listpack::kNone;  // Of the whole entry: its first element.
  Listpack::Position values =
      Listpack::kNone;  // Its first value, or first field if it has its own.
  uint32_t field_count = 0;
  uint32_t master_field_count = 0;  // Of its node.
  bool same_fields = false;
  bool deleted = false;
};

class StreamNode {
 public:
  // A handle, as Listpack is; `first_id` is the ID that the node's entries are relative to.
  StreamNode(StreamId first_id, Listpack entries) : first_id_(first_id), entries_(entries) {}

  // Without entries yet. `fields` has fields and values in turn; the fields become the master's.
  static StreamNode Create(StreamId first_id, std::span<const std::string_view> fields);

  Listpack listpack() const { return entries_; }

  // ---- Counters, both kept in the master.
  int64_t live() const { return entries_.At(entries_.First()).integer; }
  int64_t deleted() const { return entries_.At(DeletedPosition()).integer; }

  // Adds an entry behind the last one. REQUIRES: `id` is larger than all of the node's.
  void Append(StreamId id, std::span<const std::string_view> fields);
  // Marks the entry as deleted; its bytes stay. To be counted by CountDeleted, for several entries
  // at once, which voids views. REQUIRES: not deleted.
  void MarkDeleted(StreamEntryView& entry);
  void CountDeleted(int64_t count);

  // ---- Walking, over deleted entries too. False if there is none.
  // First and Last begin anew; Next and Previous go on from the node's entry that `entry` shows.
  bool First(StreamEntryView& entry) const;
  bool Last(StreamEntryView& entry) const;
  bool Next(StreamEntryView& entry) const { return Read(EndOf(entry), entry); }
  bool Previous(StreamEntryView& entry) const { return ReadBefore(entry.flags, entry); }

  // Visits the fields of an entry in order.
  void ForEachField(
      const StreamEntryView& entry,
      absl::FunctionRef<void(const ListpackValue& field, const ListpackValue& value)> visit) const;

  // Whether `bytes` are a node that nothing here stumbles over: a good listpack whose elements are
  // what the layout wants and whose counters count right.
  static bool Validate(std::string_view bytes);

 private:
  Listpack::Position DeletedPosition() const { return entries_.Next(entries_.First()); }
  Listpack::Position MasterFieldCount() const { return entries_.Next(DeletedPosition()); }
  Listpack::Position EndOf(const StreamEntryView& entry) const;
  bool Read(Listpack::Position flags, StreamEntryView& entry) const;
  // The entry that ends before `position` (kNone: the last one).
  bool ReadBefore(Listpack::Position position, StreamEntryView& entry) const;
  bool HasMasterFields(std::span<const std::string_view> fields) const;

  StreamId first_id_;
  Listpack entries_;
};

}  // namespace larder
