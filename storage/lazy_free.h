// Frees large values and whole tables on a thread of its own, so that UNLINK and FLUSHALL cost the
// request nothing.
//
// Concurrency: every call is safe from any thread. The queue's mutex comes after the shards' in the
// lock order, and nothing is freed while it is held.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <thread>
#include <variant>

#include "base/mutex.h"
#include "storage/entry.h"
#include "storage/table.h"

namespace larder {

class LazyFree {
 public:
  LazyFree();
  // Frees what is left before it returns.
  ~LazyFree();
  LazyFree(const LazyFree&) = delete;
  LazyFree& operator=(const LazyFree&) = delete;

  // Whether freeing is so much work that the hand-over pays.
  static bool IsWorthIt(const Entry& entry);

  void Add(Entry* entry);
  void Add(Table&& table);

  // Keys whose memory is still held (INFO's lazyfree_pending_objects), and those freed so far.
  size_t pending() const { return pending_.load(std::memory_order_relaxed); }
  size_t freed() const { return freed_.load(std::memory_order_relaxed); }
  void ResetFreed() { freed_.store(0, std::memory_order_relaxed); }

  // Waits until all that was added before the call is freed.
  void Drain();

 private:
  using Garbage = std::variant<Entry*, Table>;

  void Push(Garbage garbage, size_t objects);
  void Run();
  void Free(Garbage garbage);
  void CountFreed(size_t objects);

  // Statistics; they order nothing.
  std::atomic<size_t> pending_{0};
  std::atomic<size_t> freed_{0};

  Mutex mu_;
  CondVar changed_;
  std::deque<Garbage> queue_ ABSL_GUARDED_BY(mu_);
  bool busy_ ABSL_GUARDED_BY(mu_) = false;  // Something is out of the queue and not freed yet.
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  // Started at once: the first Add is made under a shard's lock, and a start takes 100
  // microseconds.
  std::thread thread_;
};

}  // namespace larder
