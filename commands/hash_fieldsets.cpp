#include "commands/hash_fieldsets.h"

#include <utility>

namespace larder {

const std::vector<std::string>* HashFieldsets::Find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &found->second;
}

bool HashFieldsets::Add(std::string_view name, std::vector<std::string> fields) {
  const size_t added_bytes = BytesOf(name, fields);
  const std::vector<std::string>* old = Find(name);
  const size_t kept_bytes = bytes_ - (old == nullptr ? 0 : BytesOf(name, *old));
  if (added_bytes > kMaxBytes - kept_bytes) return false;
  by_name_.insert_or_assign(std::string(name), std::move(fields));
  bytes_ = kept_bytes + added_bytes;
  return true;
}

bool HashFieldsets::Remove(std::string_view name) {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return false;
  bytes_ -= BytesOf(name, found->second);
  by_name_.erase(found);
  return true;
}

size_t HashFieldsets::BytesOf(std::string_view name, const std::vector<std::string>& fields) {
  size_t bytes = sizeof(std::string) + sizeof(fields) + name.size();
  for (const std::string& field : fields) bytes += sizeof(std::string) + field.size();
  return bytes;
}

}  // namespace larder
