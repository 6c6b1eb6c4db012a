#include "commands/transaction.h"

#include <cstring>

namespace larder {
namespace {

bool HasBlob(const std::vector<std::pair<uint32_t, BlobRef>>& blobs, size_t index) {
  for (const auto& [at, blob] : blobs) {
    if (at == index) return true;
  }
  return false;
}

}  // namespace

OwnedRequest::OwnedRequest(const Command& command, const std::vector<std::string_view>& args,
                           std::vector<std::pair<uint32_t, BlobRef>> blobs)
    : command_(&command), blobs_(std::move(blobs)) {
  size_t total = 0;
  for (size_t i = 0; i < args.size(); ++i) {
    if (!HasBlob(blobs_, i)) total += args[i].size();
  }
  bytes_.resize(total);
  char* out = bytes_.data();
  args_.reserve(args.size());
  for (size_t i = 0; i < args.size(); ++i) {
    if (HasBlob(blobs_, i)) {
      args_.push_back(args[i]);  // A view into the blob, which this request shares.
      continue;
    }
    if (!args[i].empty()) std::memcpy(out, args[i].data(), args[i].size());
    args_.emplace_back(out, args[i].size());
    out += args[i].size();
  }
}

size_t OwnedRequest::memory_bytes() const {
  size_t bytes = sizeof(*this) + bytes_.capacity() + args_.capacity() * sizeof(args_[0]);
  for (const auto& [index, blob] : blobs_) bytes += blob->capacity();
  return bytes;
}

}  // namespace larder
