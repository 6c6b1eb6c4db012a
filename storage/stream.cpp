#include "storage/stream.h"

#include <algorithm>
#include <limits>
#include <new>

#include "base/allocator.h"
#include "base/check.h"
#include "storage/radix_count.h"

namespace larder {

// ---- Life.

Stream::Data::Data() : bytes(SizeClass(sizeof(Data))), nodes(Nodes::allocator_type(&bytes)) {}

Stream Stream::Create() { return Stream(new (Allocate(SizeClass(sizeof(Data)))) Data()); }

void Stream::Destroy() {
  for (const auto& [first_id, bytes] : data_->nodes) Listpack(bytes).Free();
  if (data_->groups != nullptr) {
    for (const auto& [name, group] : *data_->groups) StreamGroup::Destroy(group);
    data_->groups->~Groups();
    CountingAllocator<Groups>(&data_->bytes).deallocate(data_->groups, 1);
  }
  if (data_->idempotence != nullptr) StreamIdempotence::Destroy(data_->idempotence);
  data_->~Data();
  Deallocate(data_, SizeClass(sizeof(Data)));
  data_ = nullptr;
}

Stream Stream::Clone() const {
  Stream clone = Create();
  for (const auto& [first_id, bytes] : data_->nodes) {
    clone.AdoptNode(first_id, Listpack::CopyOf(Listpack(bytes).bytes()));
  }
  clone.data_->entries_added = data_->entries_added;
  clone.data_->last_id = data_->last_id;
  clone.data_->first_id = data_->first_id;
  clone.data_->max_deleted_id = data_->max_deleted_id;
  if (data_->idempotence != nullptr) {
    clone.data_->idempotence = data_->idempotence->Clone(&clone.data_->bytes);
  }
  if (data_->groups == nullptr) return clone;
  for (const auto& [name, group] : *data_->groups) {
    StreamGroup* const copy = group->Clone(&clone.data_->bytes);
    clone.UsableGroups().emplace(copy->name(), copy);
  }
  return clone;
}

size_t Stream::free_effort() const {
  size_t effort = data_->nodes.size();
  if (data_->idempotence != nullptr) effort += data_->idempotence->size();
  if (group_count() == 0) return effort;
  // As in Redis, one group stands for all: to ask each would not be constant time.
  const StreamGroup& group = *data_->groups->begin()->second;
  return effort + group_count() * (1 + group.consumers().size() + group.pending().size() / 4);
}

// ---- Nodes.

Stream::Nodes::iterator Stream::NodeOf(StreamId id) const {
  auto behind = data_->nodes.upper_bound(id);
  return behind == data_->nodes.begin() ? data_->nodes.end() : std::prev(behind);
}

void Stream::AddNode(StreamId first_id, Listpack entries) {
  data_->radix_nodes += RadixNodesFor(data_->nodes, first_id);
  data_->nodes.emplace_hint(data_->nodes.end(), first_id, entries.data());
  data_->bytes += entries.allocated_bytes();
}

Stream::Nodes::iterator Stream::RemoveNode(Nodes::iterator node) {
  const StreamId first_id = node->first;
  Listpack entries(node->second);
  data_->bytes -= entries.allocated_bytes();
  entries.Free();
  const auto next = data_->nodes.erase(node);
  data_->radix_nodes -= RadixNodesFor(data_->nodes, first_id);
  return next;
}

template <typename Change>
void Stream::ChangeNode(Nodes::iterator node, const Change& change) {
  Listpack entries(node->second);
  data_->bytes -= entries.allocated_bytes();
  StreamNode changing(node->first, entries);
  change(changing);
  entries = changing.listpack();
  data_->bytes += entries.allocated_bytes();
  node->second = entries.data();
}

void Stream::AdoptNode(StreamId first_id, Listpack entries) {
  data_->length += static_cast<uint64_t>(StreamNode(first_id, entries).live());
  AddNode(first_id, entries);
}

// ---- Entries.

namespace {

// Whether another entry of so many bytes is to go into a node of its own, by Redis's rule.
bool IsFull(const StreamNode& node, size_t entry_bytes, const EncodingLimits& limits) {
  size_t max_bytes = limits.stream_node_max_bytes;
  if (max_bytes == 0 || max_bytes > Listpack::kMaxBytes) max_bytes = Listpack::kMaxBytes;
  if (node.listpack().total_bytes() + entry_bytes >= max_bytes) return true;
  return limits.stream_node_max_entries > 0 &&
         node.live() + node.deleted() >= limits.stream_node_max_entries;
}

}  // namespace

void Stream::Append(StreamId id, std::span<const std::string_view> fields,
                    const EncodingLimits& limits) {
  LARDER_DCHECK(id > data_->last_id);
  size_t entry_bytes = 0;
  for (const std::string_view part : fields) entry_bytes += part.size();

  auto node = data_->nodes.end();
  if (node != data_->nodes.begin()) {
    --node;
    if (IsFull({node->first, Listpack(node->second)}, entry_bytes, limits)) {
      node = data_->nodes.end();
    }
  }
  if (node == data_->nodes.end()) {
    AddNode(id, StreamNode::Create(id, fields).listpack());
    node = std::prev(data_->nodes.end());
  }
  ChangeNode(node, [&](StreamNode& last) { last.Append(id, fields); });

  ++data_->length;
  ++data_->entries_added;
  data_->last_id = id;
  if (data_->length == 1) data_->first_id = id;
}

bool Stream::Contains(StreamId id) const { return StreamCursor(*this, id, id).Next(); }

bool Stream::Erase(StreamId id) {
  const auto node = NodeOf(id);
  if (node == data_->nodes.end()) return false;
  const StreamNode holder(node->first, Listpack(node->second));
  StreamEntryView entry;
  bool found = holder.First(entry);
  while (found && (entry.id < id || (entry.id == id && entry.deleted))) found = holder.Next(entry);
  if (!found || entry.id != id) return false;
  --data_->length;
  if (holder.live() == 1) {
    RemoveNode(node);
  } else {
    ChangeNode(node, [&](StreamNode& changing) {
      changing.MarkDeleted(entry);
      changing.CountDeleted(1);
    });
  }
  data_->max_deleted_id = std::max(data_->max_deleted_id, id);
  if (id == data_->first_id || data_->length == 0) FindFirstId();
  return true;
}

StreamDeletion Stream::Erase(StreamId id, StreamReferences references) {
  if (references == StreamReferences::kAcknowledged && IsReferenced(id) && Contains(id)) {
    return StreamDeletion::kReferenced;
  }
  // What is pending may outlive its entry.
  if (references == StreamReferences::kDelete) RemoveReferences(id);
  return Erase(id) ? StreamDeletion::kDeleted : StreamDeletion::kNotFound;
}

void Stream::FindFirstId() {
  StreamCursor cursor(*this, StreamId::Min(), StreamId::Max());
  data_->first_id = cursor.Next() ? cursor.id() : StreamId();
}

// ---- Trimming.

bool Stream::MayRemoveWhole(const StreamTrim& trim, const StreamNode& node) const {
  if (trim.by == StreamTrim::By::kMaxLength) {
    return data_->length - static_cast<uint64_t>(node.live()) >= trim.max_length;
  }
  StreamEntryView last;
  return node.Last(last) && last.id < trim.min_id;
}

uint64_t Stream::Trim(const StreamTrim& trim) {
  uint64_t removed = 0;
  auto node = data_->nodes.begin();
  while (node != data_->nodes.end()) {
    if (trim.by == StreamTrim::By::kMaxLength && data_->length <= trim.max_length) break;
    const StreamNode view(node->first, Listpack(node->second));
    const auto live = static_cast<uint64_t>(view.live());
    if (trim.max_deletions != 0 && removed + live > trim.max_deletions) break;
    if (!MayRemoveWhole(trim, view)) {
      // As in Redis the node stays, even if all its entries go.
      if (!trim.approximate) removed += TrimInside(node, trim);
      break;
    }
    if (trim.references == StreamReferences::kAcknowledged && group_count() > 0) {
      removed += TrimInside(node, trim);
      const bool emptied = StreamNode(node->first, Listpack(node->second)).live() == 0;
      node = emptied ? RemoveNode(node) : std::next(node);
      continue;
    }
    if (trim.references == StreamReferences::kDelete && group_count() > 0) {
      StreamEntryView entry;
      for (bool more = view.First(entry); more; more = view.Next(entry)) {
        if (!entry.deleted) RemoveReferences(entry.id);
      }
    }
    data_->length -= live;
    removed += live;
    node = RemoveNode(node);
  }
  if (removed > 0) FindFirstId();
  return removed;
}

uint64_t Stream::TrimInside(Nodes::iterator node, const StreamTrim& trim) {
  int64_t removed = 0;
  ChangeNode(node, [&](StreamNode& holder) {
    StreamEntryView entry;
    for (bool more = holder.First(entry); more; more = holder.Next(entry)) {
      const bool stop = trim.by == StreamTrim::By::kMaxLength ? data_->length <= trim.max_length
                                                              : entry.id >= trim.min_id;
      if (stop) break;
      if (entry.deleted) continue;
      if (trim.references == StreamReferences::kAcknowledged && IsReferenced(entry.id)) continue;
      if (trim.references == StreamReferences::kDelete) RemoveReferences(entry.id);
      holder.MarkDeleted(entry);
      --data_->length;
      ++removed;
    }
    holder.CountDeleted(removed);
  });
  return static_cast<uint64_t>(removed);
}

// ---- Groups.

Stream::Groups& Stream::UsableGroups() {
  if (data_->groups == nullptr) {
    data_->groups = new (CountingAllocator<Groups>(&data_->bytes).allocate(1))
        Groups(Groups::allocator_type(&data_->bytes));
  }
  return *data_->groups;
}

StreamGroup* Stream::FindGroup(std::string_view name) const {
  if (data_->groups == nullptr) return nullptr;
  const auto found = data_->groups->find(name);
  return found == data_->groups->end() ? nullptr : found->second;
}

StreamGroup& Stream::AddGroup(std::string_view name, StreamId last_id, int64_t entries_read) {
  StreamGroup* const group = StreamGroup::Create(&data_->bytes, name);
  group->last_id = last_id;
  group->entries_read = entries_read;
  const bool added = UsableGroups().emplace(group->name(), group).second;
  LARDER_CHECK(added);
  return *group;
}

bool Stream::RemoveGroup(std::string_view name) {
  if (data_->groups == nullptr) return false;
  const auto found = data_->groups->find(name);
  if (found == data_->groups->end()) return false;
  StreamGroup* const group = found->second;
  data_->groups->erase(found);
  StreamGroup::Destroy(group);
  return true;
}

bool Stream::IsReferenced(StreamId id) const {
  if (data_->groups == nullptr) return false;
  return std::any_of(data_->groups->begin(), data_->groups->end(), [id](const auto& named) {
    return named.second->last_id < id || named.second->FindPending(id) != nullptr;
  });
}

bool Stream::RemoveReferences(StreamId id) {
  if (data_->groups == nullptr) return false;
  bool any = false;
  for (const auto& [name, group] : *data_->groups) any |= group->Acknowledge(id);
  return any;
}

// ---- Messages that producers named.

StreamIdempotence& Stream::UsableIdempotence() {
  if (data_->idempotence == nullptr) {
    data_->idempotence = StreamIdempotence::Create(&data_->bytes);
  }
  return *data_->idempotence;
}

// ---- How far groups have come.

bool Stream::HasHole() const {
  return data_->length > 0 && data_->max_deleted_id != StreamId() &&
         data_->max_deleted_id >= data_->first_id;
}

bool Stream::HasHoleFrom(StreamId id) const { return HasHole() && id <= data_->max_deleted_id; }

int64_t Stream::CountUpTo(StreamId id) const {
  const Data& data = *data_;
  const auto added = static_cast<int64_t>(data.entries_added);
  if (added == 0) return 0;
  if (data.length == 0 && id <= data.last_id) return added;
  if (id == data.last_id) return added;
  if (id > data.last_id) return StreamGroup::kUnknownRead;
  // Without a hole among the entries that are left, the first one's number is known.
  if (!HasHole()) {
    const int64_t before_first = added - static_cast<int64_t>(data.length);
    if (id < data.first_id) return before_first;
    if (id == data.first_id) return before_first + 1;
  }
  return StreamGroup::kUnknownRead;
}

void Stream::AdvanceGroup(StreamGroup& group, StreamId id) const {
  if (id <= group.last_id) return;
  if (group.entries_read != StreamGroup::kUnknownRead && !HasHoleFrom(id)) {
    ++group.entries_read;
  } else if (data_->entries_added != 0) {
    group.entries_read = CountUpTo(id);
  }
  group.last_id = id;
}

std::optional<int64_t> Stream::Lag(const StreamGroup& group) const {
  const auto added = static_cast<int64_t>(data_->entries_added);
  if (added == 0) return 0;
  if (group.entries_read != StreamGroup::kUnknownRead && !HasHoleFrom(group.last_id)) {
    return added - group.entries_read;
  }
  const int64_t read = CountUpTo(group.last_id);
  if (read == StreamGroup::kUnknownRead) return std::nullopt;
  return added - read;
}

// ---- Walking.

StreamCursor::StreamCursor(const Stream& stream, StreamId first, StreamId last, Order order)
    : nodes_(stream.data_->nodes),
      first_(first),
      last_(last),
      forward_(order == Order::kForward),
      node_(stream.NodeOf(forward_ ? first : last)) {
  if (node_ == nodes_.end() && forward_) node_ = nodes_.begin();
  done_ = node_ == nodes_.end() || first > last;
}

bool StreamCursor::Step() {
  const StreamNode node = Node();
  if (in_node_) return forward_ ? node.Next(entry_) : node.Previous(entry_);
  in_node_ = true;
  return forward_ ? node.First(entry_) : node.Last(entry_);
}

bool StreamCursor::NextNode() {
  in_node_ = false;
  if (forward_) return ++node_ != nodes_.end();
  if (node_ == nodes_.begin()) return false;
  --node_;
  return true;
}

bool StreamCursor::Next() {
  while (!done_) {
    if (!Step()) {
      done_ = !NextNode();
      continue;
    }
    if (forward_ ? entry_.id > last_ : entry_.id < first_) {
      done_ = true;
    } else if (!entry_.deleted && (forward_ ? entry_.id >= first_ : entry_.id <= last_)) {
      return true;
    }
  }
  return false;
}

// ---- As an object.

constinit const ObjectOperations kStreamOperations = {
    .allocated_bytes = [](const Object& object) { return Stream(object).allocated_bytes(); },
    .destroy = [](const Object& object) { Stream(object).Destroy(); },
    .clone = [](const Object& object) { return Stream(object).Clone().object(); },
    .free_effort = [](const Object& object) { return Stream(object).free_effort(); },
    .encoding_name = [](const Object&) { return std::string_view("stream"); },
};

}  // namespace larder
