// How many keys hold a value of each type, and what these occupy.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "storage/types.h"

namespace larder {

struct TypeUsage {
  uint64_t keys = 0;
  size_t bytes = 0;  // Entries and what they point to, allocator rounding included.
};

// By ValueType.
using UsageByType = std::array<TypeUsage, 6>;
static_assert(static_cast<size_t>(ValueType::kStream) + 1 == std::tuple_size_v<UsageByType>);

inline TypeUsage& UsageOf(UsageByType& usage, ValueType type) {
  return usage[static_cast<size_t>(type)];
}

}  // namespace larder
