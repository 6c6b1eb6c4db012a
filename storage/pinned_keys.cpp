#include "storage/pinned_keys.h"

#include <utility>

namespace larder {

const PinnedKeys::Names& PinnedKeys::names(int db) const {
  static const Names none;
  const auto index = static_cast<size_t>(db);
  return index < by_database_.size() ? by_database_[index] : none;
}

PinnedKeys::Names& PinnedKeys::NamesOf(int db) {
  const auto index = static_cast<size_t>(db);
  if (index >= by_database_.size()) by_database_.resize(index + 1);
  return by_database_[index];
}

size_t PinnedKeys::Insert(int db, std::string_view key) {
  const size_t added = NamesOf(db).emplace(key).second ? 1 : 0;
  total_ += added;
  return added;
}

size_t PinnedKeys::Erase(int db, std::string_view key) {
  Names& names = NamesOf(db);
  const auto found = names.find(key);
  if (found == names.end()) return 0;
  names.erase(found);
  --total_;
  return 1;
}

size_t PinnedKeys::Clear(int db) {
  const Names cleared = std::exchange(NamesOf(db), Names());
  total_ -= cleared.size();
  return cleared.size();
}

void PinnedKeys::Swap(int a, int b) {
  NamesOf(a);  // So that taking the second moves the first no more.
  NamesOf(b);
  std::swap(NamesOf(a), NamesOf(b));
}

}  // namespace larder
