// The keys of one shard that are never evicted, by database. No bit of an entry is spent on it:
// their number is capped, so a set of names costs less than a bit a key would.
//
// Concurrency: shard-guarded.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "base/text.h"

namespace larder {

class PinnedKeys {
 public:
  using Names = absl::flat_hash_set<std::string, TextHash, TextEqual>;

  bool empty() const { return total_ == 0; }
  size_t size(int db) const { return names(db).size(); }
  bool Contains(int db, std::string_view key) const { return names(db).contains(key); }
  const Names& names(int db) const;

  // Each returns how many keys more or fewer there are.
  size_t Insert(int db, std::string_view key);
  size_t Erase(int db, std::string_view key);
  size_t Clear(int db);
  void Swap(int a, int b);

 private:
  Names& NamesOf(int db);

  std::vector<Names> by_database_;  // As many as were ever needed.
  size_t total_ = 0;
};

}  // namespace larder
