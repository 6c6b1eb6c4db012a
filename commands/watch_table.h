// Who watches which keys of one shard.
//
// Concurrency: shard-guarded.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "commands/client.h"
#include "storage/database_key.h"

namespace larder {

class WatchTable {
 public:
  void Add(int db, std::string_view key, const std::shared_ptr<WatchFlag>& flag);
  void Remove(int db, std::string_view key, const std::shared_ptr<WatchFlag>& flag);
  // A key changes: everybody who watches it must not EXEC.
  void OnKeyChanging(int db, std::string_view key);
  bool empty() const { return keys_.empty(); }
  size_t size() const { return keys_.size(); }
  // Calls visit(db, key) for every watched key; for FLUSHDB and SWAPDB.
  template <typename Visit>
  void ForEach(Visit visit) const {
    for (const auto& [name, flags] : keys_) visit(DatabaseOf(name), KeyOf(name));
  }

 private:
  TextMap<std::vector<std::shared_ptr<WatchFlag>>> keys_;  // By DatabaseKey.
};

}  // namespace larder
