#include "commands/sorted_set_store.h"

#include <cstdint>

#include "commands/command_context.h"

namespace larder {

void StoreSortedSet(CommandContext& ctx, size_t key, SortedSet set, std::string_view event) {
  ctx.reply().Integer(static_cast<int64_t>(set.size()));
  if (set.empty()) {
    Destroy(set.object());
    const bool lazily = ctx.settings().lazyfree_lazy_server_del;
    if (ctx.Erase(key, lazily ? Shard::Reclaim::kBackground : Shard::Reclaim::kNow)) {
      ctx.Notify(kNotifyGeneric, "del", key);
    }
    return;
  }
  ctx.SetObject(key, set.object(), kNoExpiry);
  ctx.MarkDirty();
  ctx.Notify(kNotifySortedSet, event, key);
}

}  // namespace larder
