// What the clients of one thread hold of memory, and which of them holds most.
//
// Clients stand in classes by size, each twice the one below, so that a largest one is found
// without a look at the others: largest to within a factor of two, as in Redis.
//
// Concurrency: thread-confined to the clients' thread, but for bytes() and largest_class(), which
// every thread may read.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace larder {

// One client's part, which stands in its connection. Not to be copied or moved while it counts.
struct ClientShare {
  static constexpr int kNoClass = -1;

  uint64_t client_id = 0;
  int64_t bytes = 0;
  int size_class = kNoClass;  // None: CLIENT NO-EVICT, or not counted.
  size_t position = 0;        // In its class.
};

class ClientMemory {
 public:
  enum class Eviction : uint8_t { kAllowed, kForbidden };

  // The classes are Redis's: up to 32 KiB, and doubling from there on to above 4 GiB.
  static constexpr int kClasses = 19;
  static int ClassOf(int64_t bytes) {
    constexpr int kSmallestBits = 15;
    const int bits = std::bit_width(static_cast<uint64_t>(bytes)) - kSmallestBits;
    return bits < 0 ? 0 : bits < kClasses ? bits : kClasses - 1;
  }

  ClientMemory() = default;
  ClientMemory(const ClientMemory&) = delete;
  ClientMemory& operator=(const ClientMemory&) = delete;

  // The client holds `bytes` from now on.
  void Update(ClientShare& share, int64_t bytes, Eviction eviction);
  // The client is gone, or about to go: it no longer counts.
  void Remove(ClientShare& share);

  int64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  // ClientShare::kNoClass if nobody here may be evicted.
  int largest_class() const {
    return std::bit_width(occupied_.load(std::memory_order_relaxed)) - 1;
  }
  // A client of the largest class. REQUIRES: there is one.
  ClientShare& Largest() { return *classes_[static_cast<size_t>(largest_class())].back(); }

 private:
  void Enter(ClientShare& share, int size_class);
  void Leave(ClientShare& share);
  void AddBytes(int64_t bytes) {
    bytes_.store(bytes_.load(std::memory_order_relaxed) + bytes, std::memory_order_relaxed);
  }

  std::array<std::vector<ClientShare*>, kClasses> classes_;
  // Written by the owner alone; order nothing.
  std::atomic<int64_t> bytes_{0};
  std::atomic<uint32_t> occupied_{0};  // Bit i: somebody stands in class i.
};

}  // namespace larder
