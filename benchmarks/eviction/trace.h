// A request trace in memory: zstd-compressed text, one request a line, "KEY" or "KEY SIZE".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace larder {

struct Trace {
  std::string name;
  // Keys are numbered in the order of their first request.
  std::vector<uint32_t> requests;
  std::vector<uint32_t> size_bytes;  // Of each key. Empty: the trace has no sizes.
  size_t keys = 0;

  uint64_t FootprintBytes() const;
};

// Reads DIR/NAME.txt.zst through the tool `zstd`.
absl::StatusOr<Trace> ReadTrace(const std::string& path);

}  // namespace larder
