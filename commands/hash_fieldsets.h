// The lists of field names that a client has prepared for HIMPORT SET, which then sends values
// alone. They belong to the connection.
//
// Concurrency: thread-confined, as the Client that has them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace larder {

class HashFieldsets {
 public:
  // What one client may keep here: names enough for any import, and no way to fill the memory.
  static constexpr size_t kMaxBytes = size_t{64} << 20;

  // Null if there is none of that name.
  const std::vector<std::string>* Find(std::string_view name) const;
  // Replaces what has this name. False, changing nothing, if it is too much.
  bool Add(std::string_view name, std::vector<std::string> fields);
  bool Remove(std::string_view name);
  size_t size() const { return by_name_.size(); }
  size_t memory_bytes() const { return sizeof(*this) + bytes_; }

 private:
  static size_t BytesOf(std::string_view name, const std::vector<std::string>& fields);

  TextMap<std::vector<std::string>> by_name_;
  size_t bytes_ = 0;
};

}  // namespace larder
