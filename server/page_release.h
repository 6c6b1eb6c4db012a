// Gives pages that have become free back to the operating system, on a thread of its own.
//
// Left to itself the allocator does that in the middle of an allocation or a free, or on a thread
// that holds its locks meanwhile: either way some request waits for milliseconds under its shard's
// lock (benchmarks: compare.py --only growth). So it is told to keep them, and this thread looks
// ten times a second whether they have become too many; it does not ask the allocator, whose
// statistics take its locks too. Some pages are worth keeping: the next value wants them.
//
// Under maxmemory fewer are kept, so that the process stays within a tenth of the limit. What
// cannot be released because something still lies on each page (fragmentation) it makes known as
// AllocatorGauge::SetStrain, and eviction makes up for it (benchmarks: churn.py).
//
// Concurrency: construct and destroy on one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <thread>

#include "base/mutex.h"

namespace larder {

// When to release, and how much eviction has to make up for, out of what is looked at.
// Concurrency: thread-confined.
class PageBalance {
 public:
  struct Limit {
    int64_t bytes = 0;    // maxmemory; 0: none.
    bool evicts = false;  // Whether keys make room. Else fragmentation is no reason to refuse.
  };
  struct Look {
    int64_t resident_bytes = 0;
    int64_t used_bytes = 0;
    Limit limit;
  };

  // The first look says what the process takes besides data.
  explicit PageBalance(const Look& at_start) : process_bytes_(SpareOf(at_start)) {}

  // Whether to release now. Ask ten times a second.
  bool WantsRelease(const Look& look);
  // What was seen right after a release: what is spare then is so for good.
  void AfterRelease(const Look& look) { unreleasable_bytes_ = SpareOf(look); }
  // How many bytes of fragmentation are more than the limit allows for.
  int64_t Strain(const Look& look) const;

 private:
  static int64_t SpareOf(const Look& look) { return look.resident_bytes - look.used_bytes; }

  const int64_t process_bytes_;
  // Resident but not allocated after the last release: code, stacks, fragments of pages.
  int64_t unreleasable_bytes_ = 0;
  int64_t last_used_bytes_ = 0;
  int looks_too_many_ = 0;  // In succession.
  int looks_put_off_ = 0;
  int looks_strained_ = 0;  // In succession.
};

class PageRelease {
 public:
  // `limit` is what is configured; any thread may ask it.
  explicit PageRelease(std::function<PageBalance::Limit()> limit);
  ~PageRelease();
  PageRelease(const PageRelease&) = delete;
  PageRelease& operator=(const PageRelease&) = delete;

 private:
  void Run();
  PageBalance::Look Look() const;

  const std::function<PageBalance::Limit()> limit_;
  Mutex mu_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace larder
