// What a thread has read from its sockets in this round of its loop but not run yet.
//
// The requests of all connections that were ready together are run together: their keys are known
// before the first of them runs, so that the table's cache lines are on their way while others are
// parsed, also when no client sends a pipeline.
//
// Concurrency: thread-confined.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "protocol/request_parser.h"
#include "server/dispatcher.h"

namespace larder {

class Connection;

class Round {
 public:
  // The requests of one connection: `requests` of the round from `first` on.
  struct Item {
    Connection* connection;
    size_t first;
    size_t count;
    RequestParser::Result parsed;  // What the parser said after the last of them.
  };

  // Whether another connection can be read before the round has to run.
  bool HasRoom() {
    if (used_requests_ == kRequests) return false;
    if (buffer_bytes_ - used_bytes_ >= kReadBytes) return true;
    wants_more_bytes_ = true;
    return false;
  }
  // Where that connection's bytes go, kReadBytes long; Take keeps the first of them.
  std::span<char> ReadSpace() {
    if (buffer_ == nullptr) [[unlikely]]
      buffer_ = std::make_unique_for_overwrite<char[]>(buffer_bytes_);
    return {buffer_.get() + used_bytes_, kReadBytes};
  }
  void Take(size_t bytes) { used_bytes_ += bytes; }
  // Where its requests go; Add keeps the first `count`.
  std::span<Request> FreeRequests() {
    const size_t most = std::min(kRequests - used_requests_, Dispatcher::kBatch);
    return {&requests_[used_requests_], most};
  }
  Item& Add(Connection& connection, size_t count, RequestParser::Result parsed) {
    items_.push_back({&connection, used_requests_, count, parsed});
    used_requests_ += count;
    return items_.back();
  }

  bool empty() const { return items_.empty(); }
  std::span<const Item> items() const { return items_; }
  std::span<Request> RequestsOf(const Item& item) { return {&requests_[item.first], item.count}; }
  std::span<PreparedRequest> PreparedOf(const Item& item) {
    return {&prepared_[item.first], item.count};
  }
  std::span<PreparedRequest> AllPrepared() { return {prepared_.data(), used_requests_}; }

  void Clear() {
    if (wants_more_bytes_ && buffer_bytes_ < kMostBufferBytes) [[unlikely]] {
      buffer_bytes_ *= 2;
      buffer_.reset();
    }
    wants_more_bytes_ = false;
    items_.clear();
    used_requests_ = 0;
    used_bytes_ = 0;
  }

  // One receive; half of it is as much of an incomplete request as is put before it.
  static constexpr size_t kReadBytes = 64 * 1024;

 private:
  // It begins with room for one connection and doubles whenever another had to wait for room: all
  // of it counts against maxmemory.
  static constexpr size_t kMostBufferBytes = 256 * 1024;
  // Twice a batch: the lines that are fetched ahead must still be there when their turn comes.
  static constexpr size_t kRequests = 2 * Dispatcher::kBatch;

  std::unique_ptr<char[]> buffer_;  // Null until a thread has something to read.
  size_t buffer_bytes_ = kReadBytes;
  bool wants_more_bytes_ = false;
  size_t used_bytes_ = 0;
  std::array<Request, kRequests> requests_;
  std::array<PreparedRequest, kRequests> prepared_;
  size_t used_requests_ = 0;
  std::vector<Item> items_;
};

}  // namespace larder
