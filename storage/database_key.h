// A key together with its database in one text, for maps by both: the database's number stands
// before the key, in four bytes.
//
// Concurrency: every function is safe from any thread.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace larder {

inline std::string DatabaseKey(int db, std::string_view key) {
  const int32_t number = db;
  std::string name(reinterpret_cast<const char*>(&number), sizeof(number));
  name.append(key);
  return name;
}

inline int DatabaseOf(std::string_view name) {
  int32_t number;
  std::memcpy(&number, name.data(), sizeof(number));
  return number;
}

inline std::string_view KeyOf(std::string_view name) { return name.substr(sizeof(int32_t)); }

}  // namespace larder
