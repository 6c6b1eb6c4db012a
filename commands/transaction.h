// The commands that MULTI has queued for a client.
//
// Concurrency: thread-confined to the connection's thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/blob.h"

namespace larder {

class Command;

// A request that outlives the read buffer: one allocation for all argument bytes.
class OwnedRequest {
 public:
  OwnedRequest(const Command& command, const std::vector<std::string_view>& args,
               std::vector<std::pair<uint32_t, BlobRef>> blobs);
  OwnedRequest(OwnedRequest&&) noexcept = default;
  OwnedRequest& operator=(OwnedRequest&&) noexcept = default;

  const Command& command() const { return *command_; }
  const std::vector<std::string_view>& args() const { return args_; }
  std::vector<std::pair<uint32_t, BlobRef>>& blobs() { return blobs_; }
  size_t memory_bytes() const;

 private:
  const Command* command_;
  std::vector<char> bytes_;  // A vector and not a string: moving it never moves the bytes.
  std::vector<std::string_view> args_;
  std::vector<std::pair<uint32_t, BlobRef>> blobs_;
};

struct TransactionState {
  std::vector<OwnedRequest> queue;
  size_t memory_bytes = 0;
  uint32_t flags = 0;  // CommandFlags of all queued commands together.
};

}  // namespace larder
