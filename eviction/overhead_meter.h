// What memory holds beside the data and has a budget of its own: the buffers of clients. Growing
// buffers must not cost data, so the gauge leaves them out of what it compares with maxmemory, up
// to their budget; keeping them within it is the matter of whoever holds them.
//
// For the whole process, as the allocator is whose figure it goes with. Each thread says what it
// holds; nothing shared is written.
//
// Concurrency: every function is safe from any thread. ExemptBytes locks a leaf mutex.
#pragma once

#include <cstdint>
#include <functional>

namespace larder {

class OverheadMeter {
 public:
  // What the calling thread holds from now on; 0 when it ends.
  static void SetThreadBytes(int64_t bytes);
  static int64_t ThreadBytes();

  // Called on this thread before its own figure decides about data: brings it up to date.
  static void SetRefresher(std::function<void()> refresher);

  // How much may be left out of the data's account.
  static void SetBudget(int64_t bytes);
  // The sum over all threads, this one's being fresh; at most the budget.
  static int64_t ExemptBytes();
};

}  // namespace larder
