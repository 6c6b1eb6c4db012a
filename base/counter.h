// A figure that one thread counts and any thread reads.
//
// Concurrency: Add and Set by the owning thread alone, Get by all. There is no read-modify-write
// instruction on the path of a request: the owner loads and stores, readers add up all owners.
#pragma once

#include <atomic>
#include <cstdint>

namespace larder {

class Counter {
 public:
  void Add(int64_t amount) {
    // Relaxed: a statistic orders nothing; the owner is the only writer.
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  void Increment() { Add(1); }
  void Set(int64_t value) { value_.store(value, std::memory_order_relaxed); }
  int64_t Get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

}  // namespace larder
