#include "storage/object.h"

#include "base/check.h"
#include "storage/hash.h"
#include "storage/list.h"
#include "storage/set.h"
#include "storage/sorted_set.h"
#include "storage/stream.h"

namespace larder {

const ObjectOperations& OperationsOf(ValueType type) {
  // By ValueType. A string has none: it is not a collection.
  static constexpr const ObjectOperations* kByType[] = {
      nullptr,  // kString
      &kListOperations, &kSetOperations,    &kSortedSetOperations,
      &kHashOperations, &kStreamOperations,
  };
  const ObjectOperations* operations = kByType[static_cast<size_t>(type)];
  LARDER_CHECK(operations != nullptr);
  return *operations;
}

}  // namespace larder
