// RESTORE takes any bytes: what is refused leaves nothing behind; what is taken is a value that can
// be written, copied and changed like any other, and whose own serialized form reads back the same.
//
// The first byte chooses the limits; the rest is a payload without version and checksum, which a
// fuzzer would never get right.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "storage/hash.h"
#include "storage/list.h"
#include "storage/object.h"
#include "storage/serialized_value.h"
#include "storage/set.h"
#include "storage/sorted_set.h"
#include "storage/stream.h"

namespace larder {
namespace {

constexpr size_t kFooterBytes = 10;

EncodingLimits LimitsFor(uint8_t choice) {
  EncodingLimits limits;
  if (choice & 1) {
    limits.hash_max_listpack_entries = 2;
    limits.set_max_listpack_entries = 2;
    limits.set_max_intset_entries = 2;
    limits.zset_max_listpack_entries = 2;
  }
  if (choice & 2) limits.list_max_listpack_size = 3;
  if (choice & 4) limits.list_compress_depth = 1;
  if (choice & 8) limits.stream_node_max_entries = 2;
  return limits;
}

// An entry that holds the value, freed with the object.
class Held {
 public:
  explicit Held(LooseValue value) : entry_(Make(std::move(value))) {}
  ~Held() { Entry::Destroy(entry_); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

  Entry& operator*() { return *entry_; }
  Entry* operator->() { return entry_; }

 private:
  static Entry* Make(LooseValue value) {
    if (value.is_string()) {
      const std::string_view text = value.text();
      if (text.size() <= Entry::kMaxInlineBytes) {
        return Entry::Create("k", Entry::Value::Text(text), kNoExpiry, 0);
      }
      Blob* blob = BlobRef::CopyOf(text).Detach();
      return Entry::Create("k", Entry::Value::OfBlob(blob), kNoExpiry, 0);
    }
    const Object object = value.TakeObject();
    return Entry::Create("k", Entry::Value::OfObject(object), kNoExpiry, 0);
  }

  Entry* const entry_;
};

std::optional<LooseValue> Read(std::string_view payload, const EncodingLimits& limits) {
  return ReadPayload(payload, limits);
}

std::string Dump(const Entry& entry) { return DumpPayload(entry, SerialWriter::Compress::kYes); }

// ---- Changing the value, a little of everything.

void Change(List list, Entry& entry, const EncodingLimits& limits) {
  const ListPacking packing = ListPacking::Of(limits);
  list.Push(ListEnd::kHead, "head", packing);
  list.Push(ListEnd::kTail, "12", packing);
  list.Insert(ListSide::kAfter, "a", "inserted", packing);
  list.Set(list.size() / 2, "set", packing);
  list.Remove(ListEnd::kTail, "12", 2, packing);
  list.EraseRange(0, list.size() / 2, packing);
  for (int i = 0; i < 3 && !list.empty(); ++i) list.Pop(ListEnd::kHead, packing);
  entry.SetObject(list.object());
}

void Change(Set set, Entry& entry, const EncodingLimits& limits) {
  Random random(1);
  set.Add("7", limits);
  set.Add("added", limits);
  set.Remove("1");
  set.Contains("2");
  while (set.size() > 3) set.Pop(random, [](const SetMember&) {});
  entry.SetObject(set.object());
}

void Change(SortedSet set, Entry& entry, const EncodingLimits& limits) {
  set.Add("added", 1.5, {}, limits);
  set.Add("a", 3, {.increment = true}, limits);
  set.Rank("b");
  set.InScores({.min = 0, .max = 5});
  set.Erase("a");
  set.EraseRange({0, set.size() / 2});
  entry.SetObject(set.object());
}

void Change(Hash hash, Entry& entry, const EncodingLimits& limits) {
  size_t buckets = 16;
  hash.Set("added", "value", {.now = 1, .limits = limits});
  hash.Set("a", "value", {.now = 1, .limits = limits, .expiry = 5});
  hash.SetExpiry("added", 3);
  hash.Erase("b", /*now=*/1);
  hash.EraseExpired(/*now=*/4, buckets);
  entry.SetObject(hash.object());
}

void Change(Stream stream, Entry& entry, const EncodingLimits& limits) {
  const std::vector<std::string_view> fields = {"f", "v"};
  StreamCursor cursor(stream, StreamId::Min(), StreamId::Max());
  std::vector<StreamId> ids;
  while (cursor.Next()) {
    cursor.ForEachField([](const ListpackValue&, const ListpackValue&) {});
    ids.push_back(cursor.id());
  }
  LARDER_CHECK(ids.size() == stream.size());
  if (stream.last_id() != StreamId::Max()) {
    stream.Append(stream.last_id().Next(), fields, limits);
  }
  if (!ids.empty()) LARDER_CHECK(stream.Erase(ids[ids.size() / 2]));
  stream.Trim({.by = StreamTrim::By::kMaxLength, .max_length = 1});
  if (stream.groups() != nullptr) {
    std::vector<std::string> names;
    for (const auto& [name, group] : *stream.groups()) {
      stream.Lag(*group);
      if (!group->consumers().empty()) group->RemoveConsumer(group->consumers().begin()->second);
      if (!ids.empty()) group->Acknowledge(ids[0]);
      names.emplace_back(name);
    }
    for (const std::string& name : names) LARDER_CHECK(stream.RemoveGroup(name));
  }
  entry.SetObject(stream.object());
}

void ChangeValue(Entry& entry, const EncodingLimits& limits) {
  switch (entry.type()) {
    case ValueType::kString:
      return;
    case ValueType::kList:
      return Change(List(entry.object()), entry, limits);
    case ValueType::kSet:
      return Change(Set(entry.object()), entry, limits);
    case ValueType::kSortedSet:
      return Change(SortedSet(entry.object()), entry, limits);
    case ValueType::kHash:
      return Change(Hash(entry.object()), entry, limits);
    case ValueType::kStream:
      return Change(Stream(entry.object()), entry, limits);
  }
}

void Check(std::string_view body, const EncodingLimits& limits) {
  std::string payload(body);
  payload.append(kFooterBytes, '\0');
  std::optional<LooseValue> value = Read(payload, limits);
  if (!value) return;
  Held first(std::move(*value));
  const std::string dumped = Dump(*first);
  LARDER_CHECK(IsIntactPayload(dumped));

  std::optional<LooseValue> again = Read(dumped, limits);
  LARDER_CHECK(again.has_value());
  Held second(std::move(*again));
  LARDER_CHECK(second->type() == first->type());
  // A table's order is its own; everything else must come out the same.
  if (SerializedTypeOf(*second) == SerializedTypeOf(*first)) {
    LARDER_CHECK(Dump(*second).size() == dumped.size());
  }
  if (first->type() != ValueType::kString) {
    Held copy(LooseValue(Clone(first->object())));
    LARDER_CHECK(Dump(*copy).size() == dumped.size());
    AllocatedBytes(first->object());
  }
  ChangeValue(*first, limits);
}

}  // namespace
}  // namespace larder

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  larder::Check({reinterpret_cast<const char*>(data) + 1, size - 1}, larder::LimitsFor(data[0]));
  return 0;
}
