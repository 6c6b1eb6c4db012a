#include "commands/watch_table.h"

#include <algorithm>

namespace larder {

void WatchTable::Add(int db, std::string_view key, const std::shared_ptr<WatchFlag>& flag) {
  auto& flags = keys_[DatabaseKey(db, key)];
  if (std::find(flags.begin(), flags.end(), flag) == flags.end()) flags.push_back(flag);
}

void WatchTable::Remove(int db, std::string_view key, const std::shared_ptr<WatchFlag>& flag) {
  const auto it = keys_.find(DatabaseKey(db, key));
  if (it == keys_.end()) return;
  std::erase(it->second, flag);
  if (it->second.empty()) keys_.erase(it);
}

void WatchTable::OnKeyChanging(int db, std::string_view key) {
  const auto it = keys_.find(DatabaseKey(db, key));
  if (it == keys_.end()) return;
  for (const auto& flag : it->second) flag->dirty.store(true, std::memory_order_relaxed);
}

}  // namespace larder
