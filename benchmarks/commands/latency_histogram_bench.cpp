// What accounting adds to every command: it must vanish beside a GET of some hundred nanoseconds.

#include "commands/latency_histogram.h"

#include <vector>

#include "base/random.h"
#include "benchmark/benchmark.h"

namespace larder {
namespace {

void BM_LatencyHistogramRecord(benchmark::State& state) {
  LatencyHistogram histogram;
  Random random(1);
  // Durations as they come: most alike, some far longer. Drawn before, so as not to be measured.
  std::vector<int64_t> durations(1024);
  for (int64_t& duration : durations) {
    duration = static_cast<int64_t>(100 + random.Uniform(uint64_t{1} << random.Uniform(12)));
  }
  size_t i = 0;
  for (auto _ : state) histogram.Record(durations[i++ & 1023]);
  std::vector<int64_t> sums;
  histogram.AddTo(sums);
  benchmark::DoNotOptimize(sums.data());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_LatencyHistogramRecord);

}  // namespace
}  // namespace larder
