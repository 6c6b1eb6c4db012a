// A stream: entries in the order of their IDs, each a list of fields with values, and groups of
// consumers that read them.
//
// Entries stand in nodes (storage/stream_node.h) of about a hundred, the nodes in a tree by their
// first ID. An entry is appended to the last node without a lookup; a seek is one in the tree and a
// walk in one node. A deleted entry is only marked; its node goes with the last live one.
//
// Stream is a handle, as small as a pointer, that does not own; see storage/object.h.
//
// Concurrency: shard-guarded. Cursors and views are void after a change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "absl/container/btree_map.h"
#include "absl/functional/function_ref.h"
#include "storage/counting_allocator.h"
#include "storage/encoding_limits.h"
#include "storage/listpack.h"
#include "storage/object.h"
#include "storage/stream_group.h"
#include "storage/stream_id.h"
#include "storage/stream_idempotence.h"
#include "storage/stream_node.h"

namespace larder {

// What becomes of a deleted entry in the lists of what is pending.
enum class StreamReferences : uint8_t {
  kKeep,
  kDelete,        // It is removed from all groups.
  kAcknowledged,  // It is only deleted if every group has read and acknowledged it.
};

// What came of an attempt to delete, as XDELEX and XACKDEL number it.
enum class StreamDeletion : int8_t {
  kNotFound = -1,
  kDeleted = 1,
  kReferenced = 2,  // It stays.
};

struct StreamTrim {
  enum class By : uint8_t { kNothing, kMaxLength, kMinId };

  By by = By::kNothing;
  bool approximate = false;    // Only whole nodes go.
  uint64_t max_length = 0;     // kMaxLength
  StreamId min_id;             // kMinId: what is smaller goes.
  uint64_t max_deletions = 0;  // 0: no limit. Only with `approximate`.
  StreamReferences references = StreamReferences::kKeep;
};

class Stream {
 public:
  static constexpr ValueType kType = ValueType::kStream;
  static constexpr bool kMayBeEmpty = true;

  // By name.
  using Groups =
      absl::btree_map<std::string_view, StreamGroup*, std::less<std::string_view>,
                      CountingAllocator<std::pair<const std::string_view, StreamGroup*>>>;
  // By first ID; the bytes of the node's listpack.
  using Nodes = absl::btree_map<StreamId, void*, std::less<StreamId>,
                                CountingAllocator<std::pair<const StreamId, void*>>>;

  static Stream Create();
  explicit Stream(const Object& object) : data_(static_cast<Data*>(object.data)) {}
  Object object() const { return {.type = kType, .encoding = 0, .data = data_}; }
  void Destroy();
  Stream Clone() const;

  bool empty() const { return data_->length == 0; }
  size_t size() const { return data_->length; }
  size_t allocated_bytes() const { return data_->bytes; }
  size_t free_effort() const;

  // ---- What is known beside the entries.
  StreamId last_id() const { return data_->last_id; }  // The largest ever given.
  StreamId first_id() const {
    return data_->first_id;
  }  // Of the first entry; 0-0 if there is none.
  StreamId max_deleted_id() const { return data_->max_deleted_id; }
  uint64_t entries_added() const { return data_->entries_added; }
  void set_last_id(StreamId id) { data_->last_id = id; }
  void set_max_deleted_id(StreamId id) { data_->max_deleted_id = id; }
  void set_entries_added(uint64_t count) { data_->entries_added = count; }
  const Nodes& nodes() const { return data_->nodes; }
  // How many nodes Redis's radix tree of the same stream has, for XINFO says so.
  size_t radix_nodes() const { return data_->radix_nodes; }

  // ---- Entries.
  bool Contains(StreamId id) const;
  // `fields` has fields and values in turn. REQUIRES: `id` > last_id().
  void Append(StreamId id, std::span<const std::string_view> fields, const EncodingLimits& limits);
  // False if there is no such entry. Groups keep what they know of it.
  bool Erase(StreamId id);
  // The same, minding the groups.
  StreamDeletion Erase(StreamId id, StreamReferences references);
  // How many entries went.
  uint64_t Trim(const StreamTrim& trim);

  // ---- Groups.
  // Null if there has never been one.
  const Groups* groups() const { return data_->groups; }
  size_t group_count() const { return data_->groups == nullptr ? 0 : data_->groups->size(); }
  StreamGroup* FindGroup(std::string_view name) const;
  // REQUIRES: there is none of that name.
  StreamGroup& AddGroup(std::string_view name, StreamId last_id, int64_t entries_read);
  bool RemoveGroup(std::string_view name);
  // Whether some group has not read the entry yet, or it is pending there.
  bool IsReferenced(StreamId id) const;
  // Removes the entry from what is pending in any group; whether there was one.
  bool RemoveReferences(StreamId id);

  // Sets the group's last ID to an entry that it is just being given, and counts it.
  void AdvanceGroup(StreamGroup& group, StreamId id) const;
  // How many entries the group has still to read, if that can be told.
  std::optional<int64_t> Lag(const StreamGroup& group) const;
  // Which of all the entries ever added `id` is, counted from 1; kUnknownRead if that cannot be
  // told, for what was deleted in between is not remembered.
  int64_t CountUpTo(StreamId id) const;

  // ---- Messages that producers named.
  // Null if none ever has, nor has anybody set limits for it.
  const StreamIdempotence* idempotence() const { return data_->idempotence; }
  StreamIdempotence& UsableIdempotence();

  // ---- To build one from a serialized form.
  // Adopts the bytes. REQUIRES: `first_id` is above those of all nodes; StreamNode::Validate.
  void AdoptNode(StreamId first_id, Listpack entries);
  void set_first_id(StreamId id) { data_->first_id = id; }

 private:
  friend class StreamCursor;

  struct Data {
    Data();

    size_t bytes;  // All that the stream occupies, this included.
    Nodes nodes;
    Groups* groups = nullptr;
    StreamIdempotence* idempotence = nullptr;
    uint64_t length = 0;  // Live entries.
    uint64_t entries_added = 0;
    StreamId last_id;
    StreamId first_id;
    StreamId max_deleted_id;
    uint64_t radix_nodes = 1;
  };

  explicit Stream(Data* data) : data_(data) {}

  // The node that `id` belongs to if it is there at all.
  Nodes::iterator NodeOf(StreamId id) const;
  void AddNode(StreamId first_id, Listpack entries);
  Nodes::iterator RemoveNode(Nodes::iterator node);
  // Calls change(StreamNode&) and keeps account of what the node occupies after it.
  template <typename Change>
  void ChangeNode(Nodes::iterator node, const Change& change);
  Groups& UsableGroups();
  bool MayRemoveWhole(const StreamTrim& trim, const StreamNode& node) const;
  uint64_t TrimInside(Nodes::iterator node, const StreamTrim& trim);
  // Whether something was deleted that stood behind the first entry or a later one.
  bool HasHole() const;
  bool HasHoleFrom(StreamId id) const;
  void FindFirstId();

  Data* data_;
};

// Walks the live entries from `first` to `last`, both included.
//
//   StreamCursor cursor(stream, first, last);
//   while (cursor.Next()) { ... cursor.id() ... cursor.ForEachField(...) }
class StreamCursor {
 public:
  enum class Order : uint8_t { kForward, kBackward };

  StreamCursor(const Stream& stream, StreamId first, StreamId last, Order order = Order::kForward);

  bool Next();
  StreamId id() const { return entry_.id; }
  size_t field_count() const { return entry_.field_count; }
  void ForEachField(
      absl::FunctionRef<void(const ListpackValue& field, const ListpackValue& value)> visit) const {
    Node().ForEachField(entry_, visit);
  }

 private:
  StreamNode Node() const { return {node_->first, Listpack(node_->second)}; }
  bool Step();
  bool NextNode();

  const Stream::Nodes& nodes_;
  const StreamId first_;
  const StreamId last_;
  const bool forward_;
  Stream::Nodes::const_iterator node_;
  bool in_node_ = false;  // entry_ is one of node_.
  bool done_ = false;
  StreamEntryView entry_;
};

extern const ObjectOperations kStreamOperations;

}  // namespace larder
