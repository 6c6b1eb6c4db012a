#include "storage/object.h"

#include "base/check.h"
#include "storage/set.h"

namespace larder {

const ObjectOperations& OperationsOf(ValueType type) {
  // By ValueType. A string has none: it is not a collection.
  static constexpr const ObjectOperations* kByType[] = {
      nullptr,  // kString
      nullptr,  // kList
      &kSetOperations,
      nullptr,  // kSortedSet
      nullptr,  // kHash
      nullptr,  // kStream
  };
  const ObjectOperations* operations = kByType[static_cast<size_t>(type)];
  LARDER_CHECK(operations != nullptr);
  return *operations;
}

}  // namespace larder
