// Replies that rows of many families expect, as bytes on the wire.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace larder {

inline const std::string kOk = "+OK\r\n";
inline const std::string kQueued = "+QUEUED\r\n";
inline const std::string kNil = "$-1\r\n";
inline const std::string kNilInResp3 = "_\r\n";
inline const std::string kEmptyBulk = "$0\r\n\r\n";
inline const std::string kSyntaxError = "-ERR syntax error\r\n";
inline const std::string kNotAnInteger = "-ERR value is not an integer or out of range\r\n";
inline const std::string kNotAFloat = "-ERR value is not a valid float\r\n";
inline const std::string kWrongType =
    "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";

// ":5\r\n"
inline std::string Int(int64_t value) { return ":" + std::to_string(value) + "\r\n"; }

// "$3\r\nabc\r\n"
inline std::string Bulk(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

// "*2\r\n" and the elements, which are replies themselves.
inline std::string Array(const std::vector<std::string>& elements, char type = '*') {
  std::string bytes = type + std::to_string(elements.size()) + "\r\n";
  for (const std::string& element : elements) bytes += element;
  return bytes;
}

// RESP3's map; keys and values in turn.
inline std::string Map(const std::vector<std::string>& fields) {
  std::string bytes = "%" + std::to_string(fields.size() / 2) + "\r\n";
  for (const std::string& field : fields) bytes += field;
  return bytes;
}

inline std::string WrongArity(std::string_view command) {
  return "-ERR wrong number of arguments for '" + std::string(command) + "' command\r\n";
}

inline std::string InvalidExpire(std::string_view command) {
  return "-ERR invalid expire time in '" + std::string(command) + "' command\r\n";
}

}  // namespace larder
