#include "eviction/stampede_figures.h"

namespace larder {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

size_t ThreadNumber() {
  static std::atomic<size_t> next{0};
  thread_local const size_t number = next.fetch_add(1, kRelaxed);
  return number;
}

}  // namespace

StampedeFigures::Stripe& StampedeFigures::Own() { return stripes_[ThreadNumber() % kStripes]; }

void StampedeFigures::CountFill(std::chrono::nanoseconds load_time) {
  Count(kFills);
  Stripe& own = Own();
  own.load_times[BucketOf(load_time)].fetch_add(1, kRelaxed);
  own.load_ms.fetch_add(std::chrono::duration_cast<std::chrono::milliseconds>(load_time).count(),
                        kRelaxed);
}

void StampedeFigures::CountWaitServed(std::chrono::nanoseconds wait_time) {
  Count(kWaitsServed);
  Own().wait_times[BucketOf(wait_time)].fetch_add(1, kRelaxed);
}

StampedeFigures::Totals StampedeFigures::Total() const {
  Totals totals;
  for (const Stripe& stripe : stripes_) {
    for (size_t i = 0; i < kFigureCount; ++i) totals.figures[i] += stripe.figures[i].load(kRelaxed);
    for (size_t i = 0; i < kBuckets; ++i) {
      totals.wait_times[i] += stripe.wait_times[i].load(kRelaxed);
      totals.load_times[i] += stripe.load_times[i].load(kRelaxed);
    }
    totals.load_ms += stripe.load_ms.load(kRelaxed);
  }
  return totals;
}

void StampedeFigures::Reset() {
  for (Stripe& stripe : stripes_) {
    for (auto& figure : stripe.figures) figure.store(0, kRelaxed);
    for (auto& bucket : stripe.wait_times) bucket.store(0, kRelaxed);
    for (auto& bucket : stripe.load_times) bucket.store(0, kRelaxed);
    stripe.load_ms.store(0, kRelaxed);
  }
}

}  // namespace larder
