#include "storage/list.h"

#include "base/check.h"
#include "base/numbers.h"
#include "storage/size_class.h"

namespace larder {
namespace {

bool IsListpack(const Object& object) {
  return object.encoding == static_cast<uint8_t>(ListEncoding::kListpack);
}

Quicklist& QuicklistOf(const Object& object) { return *static_cast<Quicklist*>(object.data); }

size_t AllocatedBytesOfList(const Object& object) {
  if (IsListpack(object)) return Listpack(object.data).allocated_bytes();
  return QuicklistOf(object).allocated_bytes();
}

void DestroyList(const Object& object) {
  if (IsListpack(object)) return Listpack(object.data).Free();
  delete &QuicklistOf(object);
}

Object CloneList(const Object& object) {
  Object clone = object;
  if (IsListpack(object)) {
    clone.data = Listpack::CopyOf(Listpack(object.data).bytes()).data();
  } else {
    clone.data = QuicklistOf(object).Clone();
  }
  return clone;
}

size_t FreeEffortOfList(const Object& object) {
  return IsListpack(object) ? 1 : QuicklistOf(object).node_count();
}

std::string_view EncodingNameOfList(const Object&) { return "quicklist"; }

}  // namespace

const ObjectOperations kListOperations = {
    .allocated_bytes = &AllocatedBytesOfList,
    .destroy = &DestroyList,
    .clone = &CloneList,
    .free_effort = &FreeEffortOfList,
    .encoding_name = &EncodingNameOfList,
};

ElementMatcher::ElementMatcher(std::string_view text) : text_(text), integer_(ParseInt64(text)) {}

List List::Create() {
  return List({.type = kType,
               .encoding = static_cast<uint8_t>(ListEncoding::kListpack),
               .data = Listpack::Create().data()});
}

// ---- Encodings.

Quicklist& List::MakeQuicklist(const ListPacking& packing) {
  if (encoding_ == ListEncoding::kQuicklist) return quicklist();
  auto* const chain = new Quicklist;
  if (listpack().empty()) {
    listpack().Free();
  } else {
    chain->AppendListpack(listpack(), packing);
  }
  data_ = chain;
  encoding_ = ListEncoding::kQuicklist;
  return *chain;
}

void List::MakeListpackIfShort(const ListPacking& packing) {
  // Only once it is half as long as it may be, or a list that grows and shrinks by one element
  // would change its form each time.
  void* const bytes = quicklist().TakeOnlyListpack(packing.max_node_bytes / 2);
  if (bytes == nullptr) [[likely]]
    return;
  delete &quicklist();
  data_ = bytes;
  encoding_ = ListEncoding::kListpack;
}

// ---- Reading.

ListpackValue List::Peek(ListEnd end) const {
  if (encoding_ == ListEncoding::kQuicklist) return quicklist().Peek(end);
  const Listpack elements = listpack();
  return elements.At(end == ListEnd::kHead ? elements.First() : elements.Last());
}

bool List::ForEach(ListEnd end, size_t skip, Visitor visit) const {
  if (encoding_ == ListEncoding::kQuicklist) return quicklist().ForEach(end, skip, visit);
  const size_t length = size();
  if (skip >= length) return true;
  return ForEachFrom(listpack(), end, end == ListEnd::kHead ? skip : length - 1 - skip, visit);
}

void List::ForEachNode(absl::FunctionRef<void(bool plain, std::string_view bytes)> visit) const {
  if (encoding_ == ListEncoding::kQuicklist) return quicklist().ForEachNode(visit);
  visit(/*plain=*/false, listpack().bytes());
}

List::Figures List::figures() const {
  if (encoding_ == ListEncoding::kListpack) return {1, listpack().total_bytes()};
  return {quicklist().node_count(), quicklist().uncompressed_bytes()};
}

// ---- Changing.

void List::Push(ListEnd end, std::string_view value, const ListPacking& packing) {
  if (encoding_ == ListEncoding::kQuicklist) return quicklist().Push(end, value, packing);
  Listpack elements = listpack();
  // One element there may always be.
  const bool fits = elements.empty()
                        ? value.size() < LargeElementBytes()
                        : packing.Accepts(elements.total_bytes(), elements.size(), value.size());
  if (!fits) [[unlikely]]
    return MakeQuicklist(packing).Push(end, value, packing);
  end == ListEnd::kHead ? elements.Prepend(value) : elements.Append(value);
  data_ = elements.data();
}

void List::Push(ListEnd end, const ListpackValue& value, const ListPacking& packing) {
  char buffer[kMaxIntegerText];
  Push(end, value.View(buffer), packing);
}

void List::Pop(ListEnd end, const ListPacking& packing) {
  if (encoding_ == ListEncoding::kQuicklist) {
    quicklist().Pop(end, packing);
    return MakeListpackIfShort(packing);
  }
  Listpack elements = listpack();
  elements.Erase(end == ListEnd::kHead ? elements.First() : elements.Last());
  data_ = elements.data();
}

void List::Set(size_t index, std::string_view value, const ListPacking& packing) {
  if (encoding_ == ListEncoding::kListpack && value.size() < LargeElementBytes() &&
      listpack().MayGrowBy(value.size())) {
    Listpack elements = listpack();
    elements.Replace(elements.Seek(static_cast<int64_t>(index)), value);
    data_ = elements.data();
    return;
  }
  MakeQuicklist(packing).Set(index, value, packing);
  MakeListpackIfShort(packing);
}

bool List::Insert(ListSide side, std::string_view pivot, std::string_view value,
                  const ListPacking& packing) {
  if (encoding_ == ListEncoding::kQuicklist) {
    return quicklist().Insert(side, pivot, value, packing);
  }
  Listpack elements = listpack();
  if (!packing.Accepts(elements.total_bytes(), elements.size(), value.size())) {
    const bool inserted = MakeQuicklist(packing).Insert(side, pivot, value, packing);
    MakeListpackIfShort(packing);
    return inserted;
  }
  const Listpack::Position position = elements.Find(elements.First(), pivot);
  if (position == Listpack::kNone) return false;
  side == ListSide::kBefore ? elements.InsertBefore(position, value)
                            : elements.InsertAfter(position, value);
  data_ = elements.data();
  return true;
}

size_t List::Remove(ListEnd end, std::string_view value, size_t limit, const ListPacking& packing) {
  if (encoding_ == ListEncoding::kQuicklist) {
    const size_t removed = quicklist().Remove(end, value, limit, packing);
    MakeListpackIfShort(packing);
    return removed;
  }
  Listpack elements = listpack();
  const size_t removed = RemoveEqual(elements, end, value, limit);
  data_ = elements.data();
  return removed;
}

void List::EraseRange(size_t start, size_t count, const ListPacking& packing) {
  if (encoding_ == ListEncoding::kQuicklist) {
    quicklist().EraseRange(start, count, packing);
    return MakeListpackIfShort(packing);
  }
  Listpack elements = listpack();
  if (count > 0) elements.Erase(elements.Seek(static_cast<int64_t>(start)), count);
  data_ = elements.data();
}

void List::AppendListpack(Listpack added, const ListPacking& packing) {
  LARDER_DCHECK(!added.empty());
  // A listpack larger than any that packing makes is told its number of elements by a node.
  constexpr size_t kMaxAlone = size_t{64} * 1024;
  if (encoding_ == ListEncoding::kListpack && listpack().empty() &&
      added.total_bytes() <= kMaxAlone) {
    listpack().Free();
    data_ = added.data();
    return;
  }
  MakeQuicklist(packing).AppendListpack(added, packing);
}

void List::AppendPlain(std::string_view value, const ListPacking& packing) {
  MakeQuicklist(packing).AppendPlain(value, packing);
}

}  // namespace larder
