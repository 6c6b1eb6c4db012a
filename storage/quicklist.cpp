#include "storage/quicklist.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "base/allocator.h"
#include "base/check.h"
#include "storage/lzf.h"
#include "storage/size_class.h"

namespace larder {
namespace {

// Set by tests alone, and nothing hangs on when a change is seen.
std::atomic<size_t> large_element_bytes{kMaxLargeElementBytes};

}  // namespace

size_t LargeElementBytes() { return large_element_bytes.load(std::memory_order_relaxed); }
void SetLargeElementBytes(size_t bytes) {
  large_element_bytes.store(bytes, std::memory_order_relaxed);
}

struct Quicklist::Node {
  Node* previous;
  Node* next;
  void* data;                     // A listpack behind some room, or text; perhaps compressed.
  size_t bytes;                   // Of listpack or text when not compressed.
  uint32_t count;                 // Elements.
  uint32_t compressed_bytes = 0;  // 0: it is not compressed.
  uint32_t front_room = 0;        // Free bytes before the listpack.
  bool plain;                     // One element's text and no listpack.

  // REQUIRES: not compressed.
  char* begin() const { return static_cast<char*>(data) + front_room; }
  Listpack listpack() const { return Listpack(begin()); }
};

// What a node holds, to read: where it is or, if compressed, in a buffer of its own.
class Quicklist::NodeContents {
 public:
  explicit NodeContents(const Node& node)
      : data_(node.begin()), bytes_(node.bytes), is_copy_(node.compressed_bytes != 0) {
    if (!is_copy_) [[likely]]
      return;
    data_ = static_cast<char*>(Allocate(bytes_));
    LARDER_CHECK(
        LzfDecompress({static_cast<const char*>(node.data), node.compressed_bytes}, data_, bytes_));
  }
  ~NodeContents() {
    if (is_copy_) Deallocate(data_, bytes_);
  }
  NodeContents(const NodeContents&) = delete;
  NodeContents& operator=(const NodeContents&) = delete;

  std::string_view bytes() const { return {data_, bytes_}; }
  // REQUIRES: the node is not plain.
  Listpack listpack() const { return Listpack(data_); }

 private:
  char* data_;
  const size_t bytes_;
  const bool is_copy_;
};

// ---- What lists of one listpack need too.

bool ForEachFrom(Listpack listpack, ListEnd end, size_t index, Quicklist::Visitor visit) {
  Listpack::Position at = listpack.Seek(static_cast<int64_t>(index));
  while (at != Listpack::kNone) {
    if (!visit(listpack.At(at))) return false;
    at = end == ListEnd::kHead ? listpack.Next(at) : listpack.Previous(at);
  }
  return true;
}

size_t RemoveEqual(Listpack& listpack, ListEnd end, std::string_view value, size_t limit) {
  size_t removed = 0;
  if (end == ListEnd::kHead) {
    Listpack::Position at = listpack.Find(listpack.First(), value);
    for (; at != Listpack::kNone && removed < limit; ++removed) {
      at = listpack.Find(listpack.Erase(at), value);
    }
    return removed;
  }
  Listpack::Position at = listpack.Last();
  while (at != Listpack::kNone && removed < limit) {
    const Listpack::Position previous = listpack.Previous(at);  // Stays where it is.
    if (listpack.Equals(at, value)) {
      listpack.Erase(at);
      ++removed;
    }
    at = previous;
  }
  return removed;
}

// ---- Nodes.

size_t Quicklist::DataBytes(const Node& node) {
  if (node.compressed_bytes != 0) return SizeClass(node.compressed_bytes);
  return SizeClass(node.front_room + node.bytes);
}

size_t Quicklist::HeldBytes(const Node& node) { return SizeClass(sizeof(Node)) + DataBytes(node); }

void Quicklist::Free(Node* node) {
  Deallocate(node->data, DataBytes(*node));
  delete node;
}

Quicklist::Node* Quicklist::Neighbour(const Node& node, ListSide side) {
  return side == ListSide::kAfter ? node.next : node.previous;
}

bool Quicklist::Accepts(const Node* node, size_t value_bytes, const ListPacking& packing) {
  return node != nullptr && !node->plain && packing.Accepts(node->bytes, node->count, value_bytes);
}

Quicklist::Node* Quicklist::Link(Node* previous, void* data, size_t bytes, size_t count,
                                 bool plain) {
  Node* const next = previous != nullptr ? previous->next : head_;
  Node* const node = new Node{.previous = previous,
                              .next = next,
                              .data = data,
                              .bytes = bytes,
                              .count = static_cast<uint32_t>(count),
                              .plain = plain};
  (previous != nullptr ? previous->next : head_) = node;
  (next != nullptr ? next->previous : tail_) = node;
  ++node_count_;
  size_ += count;
  held_bytes_ += HeldBytes(*node);
  return node;
}

Quicklist::Node* Quicklist::LinkListpack(Node* previous, Listpack listpack) {
  return Link(previous, listpack.data(), listpack.total_bytes(), listpack.size(), /*plain=*/false);
}

Quicklist::Node* Quicklist::LinkPlain(Node* previous, std::string_view value) {
  void* const data = Allocate(SizeClass(value.size()));
  std::memcpy(data, value.data(), value.size());
  return Link(previous, data, value.size(), 1, /*plain=*/true);
}

void Quicklist::Unlink(Node* node) {
  (node->previous != nullptr ? node->previous->next : head_) = node->next;
  (node->next != nullptr ? node->next->previous : tail_) = node->previous;
  --node_count_;
  size_ -= node->count;
  held_bytes_ -= HeldBytes(*node);
  Free(node);
}

template <typename Change>
void Quicklist::Edit(Node& node, int64_t added, const Change& change) {
  const bool was_compressed = node.compressed_bytes != 0;
  Open(node);
  held_bytes_ -= SizeClass(node.bytes);
  Listpack listpack(node.data);
  change(listpack);
  node.data = listpack.data();
  node.bytes = listpack.total_bytes();
  held_bytes_ += SizeClass(node.bytes);
  node.count = static_cast<uint32_t>(node.count + added);
  size_ = static_cast<size_t>(static_cast<int64_t>(size_) + added);
  if (was_compressed) Compress(node);
}

Quicklist::Node* Quicklist::Split(Node* node, Listpack::Position position) {
  Listpack tail(nullptr);
  Edit(*node, 0, [&](Listpack& listpack) { tail = listpack.Split(position); });
  const size_t moved = tail.size();
  node->count -= static_cast<uint32_t>(moved);
  size_ -= moved;  // Link counts them again.
  return LinkListpack(node, tail);
}

Quicklist::Node* Quicklist::TryMerge(Node* first, Node* second, const ListPacking& packing) {
  if (first == nullptr || second == nullptr || first->plain || second->plain ||
      !packing.AllowsMerge(first->bytes + second->bytes, first->count + second->count)) {
    return nullptr;
  }
  {
    const NodeContents contents(*second);
    Edit(*first, second->count,
         [&](Listpack& listpack) { listpack.AppendAll(contents.listpack()); });
  }
  size_ -= second->count;
  second->count = 0;
  Unlink(second);
  return first;
}

// In Redis's order, on which the resulting nodes depend.
void Quicklist::MergeAround(Node* node, const ListPacking& packing) {
  if (node->previous != nullptr) TryMerge(node->previous->previous, node->previous, packing);
  if (node->next != nullptr) TryMerge(node->next, node->next->next, packing);
  Node* const merged = TryMerge(node->previous, node, packing);
  Node* const middle = merged != nullptr ? merged : node;
  TryMerge(middle, middle->next, packing);
}

// ---- Room in front.

void Quicklist::MoveData(Node& node, size_t front_room) {
  auto* const data = static_cast<char*>(Allocate(SizeClass(front_room + node.bytes)));
  std::memcpy(data + front_room, node.begin(), node.bytes);
  held_bytes_ -= DataBytes(node);
  Deallocate(node.data, DataBytes(node));
  node.data = data;
  node.front_room = static_cast<uint32_t>(front_room);
  held_bytes_ += DataBytes(node);
}

void Quicklist::DropRoom(Node& node) {
  if (node.front_room != 0) [[unlikely]]
    MoveData(node, 0);
}

void Quicklist::MakeRoom(Node& head, size_t wanted, const ListPacking& packing) {
  // As much as there is in it already, so that what has to be moved for it remains little, up to a
  // full node.
  const size_t left = packing.max_node_bytes - std::min(packing.max_node_bytes, head.bytes);
  MoveData(head, std::max(wanted, std::min(left, head.bytes)));
}

void Quicklist::PushInFront(std::string_view value, const ListPacking& packing) {
  Node& head = *head_;
  constexpr size_t kMostAround = 10;  // Around a value: five bytes before it, five behind.
  if (head.front_room < value.size() + kMostAround) [[unlikely]] {
    MakeRoom(head, value.size() + kMostAround, packing);
  }
  Listpack listpack = head.listpack();
  const size_t added = listpack.PrependInFront(value, head.front_room);
  head.front_room -= static_cast<uint32_t>(added);
  head.bytes += added;
  ++head.count;
  ++size_;
}

void Quicklist::PopInFront() {
  Node& head = *head_;
  Listpack listpack = head.listpack();
  const size_t erased = listpack.EraseFirstInFront();
  head.front_room += static_cast<uint32_t>(erased);
  head.bytes -= erased;
  --head.count;
  --size_;
  if (head.front_room > head.bytes) DropRoom(head);  // What is moved was paid for by as many pops.
}

// ---- Compression.

void Quicklist::Compress(Node& node) {
  constexpr size_t kMinBytes = 48;
  constexpr size_t kMinSavedBytes = 8;
  if (node.compressed_bytes != 0 || node.bytes < kMinBytes) return;
  DropRoom(node);
  const size_t room = node.bytes - kMinSavedBytes - 1;
  char* const buffer = static_cast<char*>(Allocate(room));
  const size_t size = LzfCompress({static_cast<const char*>(node.data), node.bytes}, buffer, room);
  if (size != 0) {
    held_bytes_ -= HeldBytes(node);
    Deallocate(node.data, DataBytes(node));
    node.data = Allocate(SizeClass(size));
    std::memcpy(node.data, buffer, size);
    node.compressed_bytes = static_cast<uint32_t>(size);
    held_bytes_ += HeldBytes(node);
  }
  Deallocate(buffer, room);
}

void Quicklist::Decompress(Node& node) {
  if (node.compressed_bytes == 0) return;
  void* const data = Allocate(SizeClass(node.bytes));
  LARDER_CHECK(LzfDecompress({static_cast<const char*>(node.data), node.compressed_bytes},
                             static_cast<char*>(data), node.bytes));
  held_bytes_ -= HeldBytes(node);
  Deallocate(node.data, DataBytes(node));
  node.data = data;
  node.compressed_bytes = 0;
  held_bytes_ += HeldBytes(node);
}

void Quicklist::Settle(Node* touched, const ListPacking& packing) {
  if (head_ == nullptr) return;
  Node* front = head_;
  Node* back = tail_;
  const size_t depth = std::max<size_t>(1, packing.compress_depth);
  bool touched_is_inside = touched != nullptr;
  for (size_t i = 0; i < depth; ++i) {
    Decompress(*front);
    Decompress(*back);
    if (front == touched || back == touched) touched_is_inside = false;
    if (front == back || front->next == back) return;
    front = front->next;
    back = back->previous;
  }
  if (packing.compress_depth == 0) return;
  if (touched_is_inside) Compress(*touched);
  // What has just slipped inside, if anything has.
  Compress(*front);
  Compress(*back);
}

// ---- Life.

Quicklist::~Quicklist() {
  for (Node* node = head_; node != nullptr;) {
    Node* const next = node->next;
    Free(node);
    node = next;
  }
}

Quicklist* Quicklist::Clone() const {
  auto* const copy = new Quicklist;
  for (const Node* node = head_; node != nullptr; node = node->next) {
    const size_t held = node->compressed_bytes != 0 ? node->compressed_bytes : node->bytes;
    void* const data = Allocate(SizeClass(held));
    std::memcpy(data, node->begin(), held);
    Node* const added = copy->Link(copy->tail_, data, node->bytes, node->count, node->plain);
    copy->held_bytes_ -= HeldBytes(*added);
    added->compressed_bytes = node->compressed_bytes;
    copy->held_bytes_ += HeldBytes(*added);
  }
  return copy;
}

size_t Quicklist::allocated_bytes() const { return SizeClass(sizeof(Quicklist)) + held_bytes_; }

size_t Quicklist::uncompressed_bytes() const {
  size_t bytes = 0;
  for (const Node* node = head_; node != nullptr; node = node->next) bytes += node->bytes;
  return bytes;
}

// ---- Reading.

Quicklist::Place Quicklist::Locate(size_t index) const {
  LARDER_DCHECK(index < size_);
  if (index < size_ / 2) {
    Node* node = head_;
    for (; index >= node->count; node = node->next) index -= node->count;
    return {node, index};
  }
  size_t from_end = size_ - 1 - index;
  Node* node = tail_;
  for (; from_end >= node->count; node = node->previous) from_end -= node->count;
  return {node, node->count - 1 - from_end};
}

ListpackValue Quicklist::Peek(ListEnd end) const {
  const Node& node = *NodeAt(end);
  if (node.plain) return {.text = {node.begin(), node.bytes}};
  const Listpack listpack = node.listpack();
  return listpack.At(end == ListEnd::kHead ? listpack.First() : listpack.Last());
}

bool Quicklist::ForEach(ListEnd end, size_t skip, Visitor visit) const {
  if (skip >= size_) return true;
  auto [node, index] = Locate(end == ListEnd::kHead ? skip : size_ - 1 - skip);
  while (node != nullptr) {
    const NodeContents contents(*node);
    const bool goes_on = node->plain ? visit({.text = contents.bytes()})
                                     : ForEachFrom(contents.listpack(), end, index, visit);
    if (!goes_on) return false;
    node = end == ListEnd::kHead ? node->next : node->previous;
    index = end == ListEnd::kHead || node == nullptr ? 0 : node->count - 1;
  }
  return true;
}

void Quicklist::ForEachNode(
    absl::FunctionRef<void(bool plain, std::string_view bytes)> visit) const {
  for (const Node* node = head_; node != nullptr; node = node->next) {
    visit(node->plain, NodeContents(*node).bytes());
  }
}

// ---- Changing.

void Quicklist::Push(ListEnd end, std::string_view value, const ListPacking& packing) {
  Node* const node = NodeAt(end);
  if (Accepts(node, value.size(), packing)) [[likely]] {
    if (end == ListEnd::kHead && node_count_ > 1) return PushInFront(value, packing);
    return Edit(*node, 1, [&](Listpack& listpack) {
      end == ListEnd::kHead ? listpack.Prepend(value) : listpack.Append(value);
    });
  }
  Node* const previous = end == ListEnd::kHead ? nullptr : tail_;
  if (node != nullptr) DropRoom(*node);
  if (value.size() >= LargeElementBytes()) {
    LinkPlain(previous, value);
  } else {
    Listpack listpack = Listpack::Create();
    listpack.Append(value);
    LinkListpack(previous, listpack);
  }
  Settle(nullptr, packing);
}

void Quicklist::Pop(ListEnd end, const ListPacking& packing) {
  Node* const node = NodeAt(end);
  if (node->count > 1) [[likely]] {
    if (end == ListEnd::kHead && node_count_ > 1) return PopInFront();
    return Edit(*node, -1, [&](Listpack& listpack) {
      listpack.Erase(end == ListEnd::kHead ? listpack.First() : listpack.Last());
    });
  }
  Unlink(node);
  Settle(nullptr, packing);
}

void Quicklist::Set(size_t index, std::string_view value, const ListPacking& packing) {
  const Place place = Locate(index);
  Node* const node = place.node;
  // A listpack takes what it is given here, however large it is already; but it has an end.
  const bool plain = value.size() >= LargeElementBytes() ||
                     (!node->plain && node->bytes + value.size() >= Listpack::kMaxBytes);
  if (!node->plain && !plain) {
    return Edit(*node, 0, [&](Listpack& listpack) {
      listpack.Replace(listpack.Seek(static_cast<int64_t>(place.index)), value);
    });
  }
  Open(*node);
  const Listpack::Position position =
      node->plain ? Listpack::kNone : Listpack(node->data).Seek(static_cast<int64_t>(place.index));
  if (plain && node->plain) {
    LinkPlain(node, value);
  } else {
    InsertBeside(node, position, ListSide::kAfter, value, plain, packing);
  }
  // The element that was replaced is the last one of its node now.
  if (node->count > 1) {
    Edit(*node, -1, [](Listpack& listpack) { listpack.Erase(listpack.Last()); });
    Settle(node, packing);
  } else {
    Unlink(node);
    Settle(nullptr, packing);
  }
}

bool Quicklist::Contains(const Node& node, std::string_view value, Listpack::Position& position) {
  const NodeContents contents(node);
  if (node.plain) return contents.bytes() == value;
  const Listpack listpack = contents.listpack();
  position = listpack.Find(listpack.First(), value);
  return position != Listpack::kNone;
}

bool Quicklist::Insert(ListSide side, std::string_view pivot, std::string_view value,
                       const ListPacking& packing) {
  Node* node = head_;
  Listpack::Position position = Listpack::kNone;
  while (node != nullptr && !Contains(*node, pivot, position)) node = node->next;
  if (node == nullptr) return false;
  Open(*node);
  InsertBeside(node, position, side, value, value.size() >= LargeElementBytes(), packing);
  return true;
}

void Quicklist::InsertBeside(Node* node, Listpack::Position position, ListSide side,
                             std::string_view value, bool plain, const ListPacking& packing) {
  if (!plain && Accepts(node, value.size(), packing)) {
    Edit(*node, 1, [&](Listpack& listpack) {
      side == ListSide::kAfter ? listpack.InsertAfter(position, value)
                               : listpack.InsertBefore(position, value);
    });
    return Settle(node, packing);
  }
  const Listpack listpack = node->listpack();
  const Listpack::Position cut =
      node->plain || side == ListSide::kBefore ? position : listpack.Next(position);
  const bool at_edge = node->plain || (side == ListSide::kAfter ? cut == Listpack::kNone
                                                                : position == listpack.First());
  Node* const neighbour = Neighbour(*node, side);
  if (at_edge && !plain && Accepts(neighbour, value.size(), packing)) {
    Edit(*neighbour, 1, [&](Listpack& beside) {
      side == ListSide::kAfter ? beside.Prepend(value) : beside.Append(value);
    });
    return Settle(node, packing);
  }
  if (at_edge || plain) {
    Node* previous = side == ListSide::kAfter ? node : node->previous;
    if (!at_edge) {
      Settle(Split(node, cut), packing);
      previous = node;
    }
    Node* added;
    if (plain) {
      added = LinkPlain(previous, value);
    } else {
      Listpack alone = Listpack::Create();
      alone.Append(value);
      added = LinkListpack(previous, alone);
    }
    Settle(added, packing);
    return Settle(node, packing);
  }
  Node* const second = Split(node, cut);
  Edit(side == ListSide::kAfter ? *second : *node, 1, [&](Listpack& part) {
    side == ListSide::kAfter ? part.Prepend(value) : part.Append(value);
  });
  Settle(second, packing);
  Settle(node, packing);
  MergeAround(side == ListSide::kAfter ? node : second, packing);
  Settle(nullptr, packing);
}

size_t Quicklist::Remove(ListEnd end, std::string_view value, size_t limit,
                         const ListPacking& packing) {
  size_t removed = 0;
  for (Node* node = NodeAt(end); node != nullptr && removed < limit;) {
    Node* const next = end == ListEnd::kHead ? node->next : node->previous;
    // Looked at first, so that a compressed node without such an element stays as it is.
    Listpack::Position position = Listpack::kNone;
    if (Contains(*node, value, position)) removed += RemoveFrom(node, end, value, limit - removed);
    node = next;
  }
  if (removed > 0) Settle(nullptr, packing);
  return removed;
}

size_t Quicklist::RemoveFrom(Node* node, ListEnd end, std::string_view value, size_t limit) {
  size_t removed = 1;
  if (!node->plain) {
    Edit(*node, 0, [&](Listpack& listpack) { removed = RemoveEqual(listpack, end, value, limit); });
  }
  if (removed == node->count) {
    Unlink(node);
  } else {
    node->count -= static_cast<uint32_t>(removed);
    size_ -= removed;
  }
  return removed;
}

void Quicklist::EraseRange(size_t start, size_t count, const ListPacking& packing) {
  if (count == 0) return;
  auto [node, index] = Locate(start);
  while (count > 0) {
    Node* const next = node->next;
    const size_t here = std::min<size_t>(count, node->count - index);
    if (here == node->count) {
      Unlink(node);
    } else {
      const size_t first = index;  // A structured binding cannot be captured.
      Edit(*node, -static_cast<int64_t>(here), [&](Listpack& listpack) {
        listpack.Erase(listpack.Seek(static_cast<int64_t>(first)), here);
      });
    }
    count -= here;
    node = next;
    index = 0;
  }
  Settle(nullptr, packing);
}

void Quicklist::AppendListpack(Listpack listpack, const ListPacking& packing) {
  LinkListpack(tail_, listpack);
  Settle(nullptr, packing);
}

void Quicklist::AppendPlain(std::string_view value, const ListPacking& packing) {
  LinkPlain(tail_, value);
  Settle(nullptr, packing);
}

void* Quicklist::TakeOnlyListpack(size_t max_bytes) {
  if (node_count_ != 1 || head_->plain || head_->bytes > max_bytes) return nullptr;
  DropRoom(*head_);
  void* const data = head_->data;
  delete head_;
  head_ = tail_ = nullptr;
  size_ = node_count_ = held_bytes_ = 0;
  return data;
}

}  // namespace larder
