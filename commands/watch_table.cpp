#include "commands/watch_table.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace larder {

std::string WatchTable::NameOf(int db, std::string_view key) {
  std::string name(4 + key.size(), '\0');
  const int32_t number = db;
  std::memcpy(name.data(), &number, 4);
  if (!key.empty()) std::memcpy(name.data() + 4, key.data(), key.size());
  return name;
}

int WatchTable::DbOf(std::string_view name) {
  int32_t number = 0;
  std::memcpy(&number, name.data(), 4);
  return number;
}

void WatchTable::Add(int db, std::string_view key, const std::shared_ptr<WatchFlag>& flag) {
  auto& flags = keys_[NameOf(db, key)];
  if (std::find(flags.begin(), flags.end(), flag) == flags.end()) flags.push_back(flag);
}

void WatchTable::Remove(int db, std::string_view key, const std::shared_ptr<WatchFlag>& flag) {
  const auto it = keys_.find(NameOf(db, key));
  if (it == keys_.end()) return;
  std::erase(it->second, flag);
  if (it->second.empty()) keys_.erase(it);
}

void WatchTable::OnKeyChanging(int db, std::string_view key) {
  const auto it = keys_.find(NameOf(db, key));
  if (it == keys_.end()) return;
  for (const auto& flag : it->second) flag->dirty.store(true, std::memory_order_relaxed);
}

}  // namespace larder
