// The last step of the commands that store a sorted set (ZUNIONSTORE, ZRANGESTORE, GEOSEARCHSTORE).
#pragma once

#include <cstddef>
#include <string_view>

#include "storage/sorted_set.h"

namespace larder {

class CommandContext;

// Key number `key` becomes this sorted set, which is taken over, whatever it held; if it is empty
// the key is removed. Replies with its size.
void StoreSortedSet(CommandContext& ctx, size_t key, SortedSet set, std::string_view event);

}  // namespace larder
