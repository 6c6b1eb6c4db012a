#include "eviction/stampede_figures.h"

#include <numeric>

namespace larder {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

constexpr std::array<std::string_view, StampedeFigures::kFigureCount> kNames = {
    "leases",       "fills",           "late-fills-refused", "leases-released",
    "leases-lost",  "waits",           "waits-served",       "wait-timeouts",
    "stale-served", "early-refreshes", "negative-served",    "held-back"};

int64_t Milliseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
}

template <size_t kSize>
void AddTo(std::array<int64_t, kSize>& sums, const std::array<int64_t, kSize>& more) {
  for (size_t i = 0; i < kSize; ++i) sums[i] += more[i];
}

size_t ThreadNumber() {
  static std::atomic<size_t> next{0};
  thread_local const size_t number = next.fetch_add(1, kRelaxed);
  return number;
}

}  // namespace

std::string_view StampedeFigures::NameOf(Figure figure) { return kNames[figure]; }

StampedeFigures::Stripe& StampedeFigures::Own() { return stripes_[ThreadNumber() % kStripes]; }

void StampedeFigures::CountFill(std::chrono::nanoseconds load_time) {
  Count(kFills);
  Stripe& own = Own();
  own.load_times[BucketOf(load_time)].fetch_add(1, kRelaxed);
  own.load_ms.fetch_add(Milliseconds(load_time), kRelaxed);
}

void StampedeFigures::CountWaitServed(std::chrono::nanoseconds wait_time) {
  Count(kWaitsServed);
  Stripe& own = Own();
  own.wait_times[BucketOf(wait_time)].fetch_add(1, kRelaxed);
  own.wait_ms.fetch_add(Milliseconds(wait_time), kRelaxed);
}

StampedeFigures::Totals& StampedeFigures::Totals::operator+=(const Totals& other) {
  AddTo(figures, other.figures);
  AddTo(wait_times, other.wait_times);
  AddTo(load_times, other.load_times);
  load_ms += other.load_ms;
  wait_ms += other.wait_ms;
  return *this;
}

int64_t StampedeFigures::QuantileBound(const Histogram& times, double part) {
  const auto all = static_cast<double>(std::accumulate(times.begin(), times.end(), int64_t{0}));
  int64_t counted = 0;
  size_t bucket = 0;
  for (; bucket + 1 < kBuckets; ++bucket) {
    counted += times[bucket];
    if (static_cast<double>(counted) >= part * all) break;
  }
  return int64_t{1} << bucket;
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
    totals.wait_ms += stripe.wait_ms.load(kRelaxed);
  }
  return totals;
}

void StampedeFigures::Reset() {
  for (Stripe& stripe : stripes_) {
    for (auto& figure : stripe.figures) figure.store(0, kRelaxed);
    for (auto& bucket : stripe.wait_times) bucket.store(0, kRelaxed);
    for (auto& bucket : stripe.load_times) bucket.store(0, kRelaxed);
    stripe.load_ms.store(0, kRelaxed);
    stripe.wait_ms.store(0, kRelaxed);
  }
}

}  // namespace larder
