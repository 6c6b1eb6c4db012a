// What stampede protection did for the keys of one rule, or for those without a rule.
//
// Concurrency: every function is safe from any thread. Threads count in stripes of their own, so
// that they do not write the same cache lines; readers add up.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace larder {

class StampedeFigures {
 public:
  // Bucket i counts what took less than 2^i milliseconds and not less than those before it; the
  // last one everything longer.
  static constexpr size_t kBuckets = 20;
  using Histogram = std::array<int64_t, kBuckets>;
  static constexpr size_t BucketOf(std::chrono::nanoseconds time) {
    const auto ms =
        static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
    const auto bucket = static_cast<size_t>(std::bit_width(ms));
    return bucket < kBuckets ? bucket : kBuckets - 1;
  }

  enum Figure : uint8_t {
    kLeases,          // Granted.
    kFills,           // Of lease holders.
    kLateFills,       // Refused, for the lease was no longer good.
    kLeasesReleased,  // Given back without a value.
    kLeasesLost,      // Their holder went or let the deadline pass.
    kWaits,           // Readers who waited for another one's value,
    kWaitsServed,     // and got it (or were elected in their turn),
    kWaitTimeouts,    // or did not, in time.
    kStaleServed,     // Readers who got an old value, for somebody else loads.
    kEarlyRefreshes,  // Leases of values that were still fresh.
    kNegativeServed,  // Readers who were told that the origin has no such thing.
    kHeldBack,        // Readers who did not load, for as many keys were loaded as the rule allows.
    kFigureCount,
  };
  // As CACHE.STATS has it: "late-fills-refused".
  static std::string_view NameOf(Figure figure);

  struct Totals {
    std::array<int64_t, kFigureCount> figures{};
    Histogram wait_times{};
    Histogram load_times{};
    int64_t load_ms = 0;  // Of all fills together.
    int64_t wait_ms = 0;  // Of all waits that were served.

    Totals& operator+=(const Totals& other);
    int64_t operator[](Figure figure) const { return figures[figure]; }
    // What the origin would have been asked without protection, beside the leases.
    int64_t loads_saved() const {
      return figures[kWaitsServed] + figures[kStaleServed] + figures[kNegativeServed];
    }
  };

  void Count(Figure figure) { Own().figures[figure].fetch_add(1, std::memory_order_relaxed); }
  void CountFill(std::chrono::nanoseconds load_time);
  void CountWaitServed(std::chrono::nanoseconds wait_time);

  // In how many milliseconds at most so much of what was counted, from 0 to 1, was done: the bound
  // of its bucket. REQUIRES: something was counted.
  static int64_t QuantileBound(const Histogram& times, double part);

  Totals Total() const;
  void Reset();

 private:
  static constexpr size_t kStripes = 16;
  struct alignas(64) Stripe {
    std::array<std::atomic<int64_t>, kFigureCount> figures{};
    std::array<std::atomic<int64_t>, kBuckets> wait_times{};
    std::array<std::atomic<int64_t>, kBuckets> load_times{};
    std::atomic<int64_t> load_ms{0};
    std::atomic<int64_t> wait_ms{0};
  };

  // The calling thread's. Two threads may share one: that costs time and counts right.
  Stripe& Own();

  std::array<Stripe, kStripes> stripes_;
};

}  // namespace larder
