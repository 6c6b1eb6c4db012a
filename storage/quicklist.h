// A long list: a chain of nodes, each a listpack of some elements or one large element by itself.
// Nodes are filled, split and merged where Redis 7.0 does it. Those further from both ends than
// the compress depth are held compressed (LZF), if that makes them smaller; reading such a node
// decompresses it beside the list and leaves it as it is.
//
// The head of a list of several nodes may have room in front of its listpack, so that neither LPUSH
// nor LPOP moves what is in it.
//
// Pushing and popping touches one node; finding an element by its index walks the chain from the
// nearer end.
//
// Concurrency: shard-guarded, as the value that it is part of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "storage/list_packing.h"
#include "storage/listpack.h"

namespace larder {

class Quicklist {
 public:
  // Sees an element; false ends the walk.
  using Visitor = absl::FunctionRef<bool(const ListpackValue&)>;

  Quicklist() = default;
  ~Quicklist();
  Quicklist(const Quicklist&) = delete;
  Quicklist& operator=(const Quicklist&) = delete;
  Quicklist* Clone() const;

  size_t size() const { return size_; }
  size_t node_count() const { return node_count_; }
  // What it occupies, this object included.
  size_t allocated_bytes() const;
  // What its nodes hold, uncompressed. In linear time.
  size_t uncompressed_bytes() const;

  // ---- Reading.
  // REQUIRES: not empty. Valid until the list changes.
  ListpackValue Peek(ListEnd end) const;
  // Passes over `skip` elements from `end` on and visits the rest, on to the other end. False if
  // the visitor ended the walk.
  bool ForEach(ListEnd end, size_t skip, Visitor visit) const;
  // Each node's bytes, uncompressed: a listpack or, if `plain`, one element.
  void ForEachNode(absl::FunctionRef<void(bool plain, std::string_view bytes)> visit) const;

  // ---- Changing. No value may be a view into the list.
  void Push(ListEnd end, std::string_view value, const ListPacking& packing);
  // REQUIRES: not empty.
  void Pop(ListEnd end, const ListPacking& packing);
  // REQUIRES: index < size().
  void Set(size_t index, std::string_view value, const ListPacking& packing);
  // Inserts beside the first element that equals `pivot`; false if there is none.
  bool Insert(ListSide side, std::string_view pivot, std::string_view value,
              const ListPacking& packing);
  // Removes up to `limit` elements that equal `value`, the first ones from `end` on.
  size_t Remove(ListEnd end, std::string_view value, size_t limit, const ListPacking& packing);
  // REQUIRES: start + count <= size().
  void EraseRange(size_t start, size_t count, const ListPacking& packing);

  // ---- Whole nodes, at the tail. The listpack, which is not empty, is the list's from then on.
  void AppendListpack(Listpack listpack, const ListPacking& packing);
  void AppendPlain(std::string_view value, const ListPacking& packing);
  // If all that is left is one listpack of at most `max_bytes`, takes it out, for the caller to
  // own, and leaves the list empty. Null otherwise.
  void* TakeOnlyListpack(size_t max_bytes);

 private:
  struct Node;
  class NodeContents;
  struct Place {
    Node* node;
    size_t index;  // In the node.
  };

  // What its data occupies, and with it the node itself.
  static size_t DataBytes(const Node& node);
  static size_t HeldBytes(const Node& node);
  static void Free(Node* node);

  Node* NodeAt(ListEnd end) const { return end == ListEnd::kHead ? head_ : tail_; }
  static Node* Neighbour(const Node& node, ListSide side);
  Place Locate(size_t index) const;
  static bool Accepts(const Node* node, size_t value_bytes, const ListPacking& packing);

  // Whether `value` is among the node's elements, and if it is a listpack, where first.
  static bool Contains(const Node& node, std::string_view value, Listpack::Position& position);

  // Puts a new node behind `previous` (null: at the head) and returns it.
  Node* Link(Node* previous, void* data, size_t bytes, size_t count, bool plain);
  Node* LinkListpack(Node* previous, Listpack listpack);
  Node* LinkPlain(Node* previous, std::string_view value);
  void Unlink(Node* node);
  // Changes the listpack of `node` by `change`, which makes it `added` elements larger.
  template <typename Change>
  void Edit(Node& node, int64_t added, const Change& change);

  // `position` is that of an element in a listpack, which is not compressed.
  void InsertBeside(Node* node, Listpack::Position position, ListSide side, std::string_view value,
                    bool plain, const ListPacking& packing);
  // Moves what stands from `position` on to a new node behind this one, which is returned.
  Node* Split(Node* node, Listpack::Position position);
  // The node that holds both now, or null if they may not be merged. Nodes may be null.
  Node* TryMerge(Node* first, Node* second, const ListPacking& packing);
  void MergeAround(Node* node, const ListPacking& packing);
  // Removes up to `limit` such elements, of which there is one; perhaps the whole node.
  size_t RemoveFrom(Node* node, ListEnd end, std::string_view value, size_t limit);

  // At the head of several nodes, which has the element resp. takes it.
  void PushInFront(std::string_view value, const ListPacking& packing);
  void PopInFront();
  // Gives the head room for at least `wanted` bytes in front, or any node none.
  void MakeRoom(Node& head, size_t wanted, const ListPacking& packing);
  void DropRoom(Node& node);
  void MoveData(Node& node, size_t front_room);

  void Compress(Node& node);
  void Decompress(Node& node);
  // For changing: neither compressed nor with room in front.
  void Open(Node& node) {
    Decompress(node);
    DropRoom(node);
  }
  // After nodes have come or gone, or `touched` (may be null) was decompressed: makes sure that
  // the ends are not compressed and that what lies between is.
  void Settle(Node* touched, const ListPacking& packing);

  // Invariant: head_ and tail_ are not compressed, and no node but head_ has room in front.
  Node* head_ = nullptr;
  Node* tail_ = nullptr;
  size_t size_ = 0;
  size_t node_count_ = 0;
  size_t held_bytes_ = 0;  // By all nodes.
};

// What a list that is one listpack and the nodes of a longer one have in common.

// As Quicklist::ForEach, from the element with the index `index` on.
bool ForEachFrom(Listpack listpack, ListEnd end, size_t index, Quicklist::Visitor visit);
// As Quicklist::Remove.
size_t RemoveEqual(Listpack& listpack, ListEnd end, std::string_view value, size_t limit);

}  // namespace larder
