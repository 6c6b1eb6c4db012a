// A list: one listpack while it is short, a chain of nodes (storage/quicklist.h) when it is longer.
// A handle, as storage/object.h describes it.
//
// Concurrency: shard-guarded, as the value itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "storage/list_packing.h"
#include "storage/listpack.h"
#include "storage/object.h"
#include "storage/quicklist.h"

namespace larder {

enum class ListEncoding : uint8_t {
  kListpack = 0,   // The word is the listpack's bytes.
  kQuicklist = 1,  // It points to a Quicklist.
};

class List {
 public:
  static constexpr ValueType kType = ValueType::kList;
  static constexpr bool kMayBeEmpty = false;
  using Visitor = Quicklist::Visitor;

  static List Create();
  explicit List(const Object& object)
      : data_(object.data), encoding_(static_cast<ListEncoding>(object.encoding)) {}
  Object object() const { return {kType, static_cast<uint8_t>(encoding_), data_}; }

  size_t size() const {
    return encoding_ == ListEncoding::kListpack ? listpack().size() : quicklist().size();
  }
  bool empty() const {
    return encoding_ == ListEncoding::kListpack ? listpack().empty() : quicklist().size() == 0;
  }

  // ---- Reading. What visitors see is valid until they return, other results until a change.
  // REQUIRES: not empty.
  ListpackValue Peek(ListEnd end) const;
  // Passes over `skip` elements from `end` on and visits the rest, on to the other end. False if
  // the visitor ended the walk by returning false.
  bool ForEach(ListEnd end, size_t skip, Visitor visit) const;

  // ---- Changing. No value may be a view into the list.
  void Push(ListEnd end, std::string_view value, const ListPacking& packing);
  void Push(ListEnd end, const ListpackValue& value, const ListPacking& packing);
  // REQUIRES: not empty.
  void Pop(ListEnd end, const ListPacking& packing);
  // REQUIRES: index < size().
  void Set(size_t index, std::string_view value, const ListPacking& packing);
  // Inserts beside the first element that equals `pivot`; false if there is none.
  bool Insert(ListSide side, std::string_view pivot, std::string_view value,
              const ListPacking& packing);
  // Removes up to `limit` elements that equal `value`, the first ones from `end` on, and returns
  // how many.
  size_t Remove(ListEnd end, std::string_view value, size_t limit, const ListPacking& packing);
  // REQUIRES: start + count <= size().
  void EraseRange(size_t start, size_t count, const ListPacking& packing);

  // ---- Serialized form: nodes, each a listpack or, if plain, one element's text.
  void ForEachNode(absl::FunctionRef<void(bool plain, std::string_view bytes)> visit) const;
  // At the tail, as it is. The list owns the listpack from then on. REQUIRES: it is not empty.
  void AppendListpack(Listpack listpack, const ListPacking& packing);
  void AppendPlain(std::string_view value, const ListPacking& packing);

  struct Figures {
    size_t nodes = 0;
    size_t uncompressed_bytes = 0;
  };
  // Takes as long as there are nodes.
  Figures figures() const;

 private:
  Listpack listpack() const { return Listpack(data_); }
  Quicklist& quicklist() const { return *static_cast<Quicklist*>(data_); }
  // Makes a list of one listpack a Quicklist of one node, or of none if it is empty.
  Quicklist& MakeQuicklist(const ListPacking& packing);
  // After elements have gone: back to one listpack, if that is all there is and it has room.
  void MakeListpackIfShort(const ListPacking& packing);

  void* data_;
  ListEncoding encoding_;
};

// Tells for many elements whether they equal one text; what number that is, is found out once.
class ElementMatcher {
 public:
  explicit ElementMatcher(std::string_view text);
  bool operator()(const ListpackValue& value) const {
    return value.is_integer ? integer_ == value.integer : text_ == value.text;
  }

 private:
  std::string_view text_;
  std::optional<int64_t> integer_;
};

extern const ObjectOperations kListOperations;

}  // namespace larder
