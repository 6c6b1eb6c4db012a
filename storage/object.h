// What the keyspace knows of a collection: its type, its encoding, and one word that leads to it.
//
// The word stands in the entry. Each type has a class of the same shape (List, Set, Hash,
// SortedSet, Stream), a handle made of such an Object: it reads and changes the value, and may come
// out of a change with another encoding or another address. Whoever changes a value therefore does
// so between Shard::BeginEdit and EndEdit, which puts the handle's object() back into the entry.
//
// Concurrency: as the entry that holds it, shard-guarded. A value that no shard holds any more
// belongs to whoever took it out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "storage/types.h"

namespace larder {

class MemberTable;

struct Object {
  ValueType type = ValueType::kString;
  uint8_t encoding = 0;  // Each type has its own enum, of at most eight.
  void* data = nullptr;
};

// What storage does with a value whatever its type. Each type defines one table.
struct ObjectOperations {
  // What it occupies, allocator rounding included; the word itself not. In constant time.
  size_t (*allocated_bytes)(const Object&);
  void (*destroy)(const Object&);
  Object (*clone)(const Object&);
  // How many allocations freeing it gives back, about; in constant time.
  size_t (*free_effort)(const Object&);
  // What OBJECT ENCODING answers.
  std::string_view (*encoding_name)(const Object&);
  // Its members if a hash table holds them, null otherwise; no function: none ever does.
  const MemberTable* (*members)(const Object&) = nullptr;
};

// REQUIRES: `type` is that of a collection.
const ObjectOperations& OperationsOf(ValueType type);

inline size_t AllocatedBytes(const Object& object) {
  return OperationsOf(object.type).allocated_bytes(object);
}
inline void Destroy(const Object& object) { OperationsOf(object.type).destroy(object); }
inline Object Clone(const Object& object) { return OperationsOf(object.type).clone(object); }
inline size_t FreeEffort(const Object& object) {
  return OperationsOf(object.type).free_effort(object);
}
inline std::string_view EncodingName(const Object& object) {
  return OperationsOf(object.type).encoding_name(object);
}

}  // namespace larder
