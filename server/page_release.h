// Gives pages that have become free back to the operating system, on a thread of its own.
//
// Left to itself the allocator does that in the middle of an allocation or a free, or on a thread
// that holds its locks meanwhile: either way some request waits for milliseconds under its shard's
// lock (benchmarks: compare.py --only growth). So it is told to keep them, and this thread looks
// once a second whether they have become too many; it does not ask the allocator, whose statistics
// take its locks too. Some pages are worth keeping: the next value wants them.
//
// Concurrency: construct and destroy on one thread.
#pragma once

#include <thread>

#include "base/mutex.h"

namespace larder {

class PageRelease {
 public:
  PageRelease();
  ~PageRelease();
  PageRelease(const PageRelease&) = delete;
  PageRelease& operator=(const PageRelease&) = delete;

 private:
  void Run();

  Mutex mu_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace larder
