#include "benchmarks/eviction/byte_cells.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "benchmarks/eviction/simulated_cache.h"
#include "benchmarks/eviction/trace.h"

namespace larder {
namespace {

struct ByteCell {
  const char* trace;
  int percent;  // Of the keys, that Redis held.
  uint64_t max_memory_bytes;
  uint32_t value_bytes;  // 0: a quarter of the size in the trace.
  // Misses in per cent of requests.
  double redis_lru;
  double redis_lfu;
  double memcached;
};

constexpr ByteCell kCells[] = {
    {"web12", 5, 17'894'344, 24'393, 40.89, 38.48, 38.66},
    {"web12", 25, 85'681'680, 24'393, 22.55, 21.82, 22.39},
    {"orm-busy", 5, 19'825'760, 5'525, 17.91, 19.11, 16.49},
    {"orm-busy", 25, 95'332'768, 5'525, 8.56, 8.82, 7.82},
    {"lirs-sprite", 5, 18'363'064, 47'427, 38.67, 43.67, 33.62},
    {"lirs-sprite", 25, 88'004'800, 47'427, 7.10, 8.82, 7.43},
    {"lirs-multi2", 5, 19'571'688, 59'034, 74.27, 67.02, 73.55},
    {"lirs-multi2", 25, 94'162'080, 59'034, 51.09, 44.54, 55.43},
    {"arc-p6", 5, 22'958'376, 1'030, 96.33, 92.36, 95.75},
    {"arc-p6", 25, 111'432'104, 1'030, 64.16, 57.83, 55.96},
    {"cloudphysics-io", 5, 32'109'224, 0, 82.30, 80.98, 80.55},
    {"cloudphysics-io", 25, 157'285'048, 0, 71.30, 70.42, 66.50},
    {"phases-web-loop", 5, 20'651'712, 8'775, 29.41, 52.30, 25.39},
    {"phases-web-loop", 25, 99'559'552, 8'775, 15.65, 18.06, 15.64},
};

constexpr uint64_t kSeeds = 3;
constexpr uint64_t kServerBytes = 1'000'000;  // What an empty server holds.
constexpr uint32_t kEntryBytes = 60;
constexpr uint32_t kSizeDivisor = 4;

uint32_t SizeClass(uint32_t bytes) {
  constexpr uint32_t kSmallest = 64;
  const uint32_t step = std::bit_floor(std::max(bytes - 1, kSmallest)) / 4;
  return (bytes + step - 1) / step * step;
}

std::vector<uint32_t> ChargedBytes(const ByteCell& cell, const Trace& trace) {
  std::vector<uint32_t> charged(trace.keys, SizeClass(cell.value_bytes + kEntryBytes));
  if (cell.value_bytes > 0) return charged;
  for (size_t key = 0; key < trace.keys; ++key) {
    const uint32_t value_bytes = std::max<uint32_t>(1, trace.size_bytes[key] / kSizeDivisor);
    charged[key] = SizeClass(value_bytes + kEntryBytes);
  }
  return charged;
}

struct Outcome {
  double miss_percent = 0;
  size_t keys = 0;
  size_t metadata_bytes = 0;
};

Outcome Replay(const ByteCell& cell, const Trace& trace) {
  const std::vector<uint32_t> charged = ChargedBytes(cell, trace);
  Outcome outcome;
  size_t misses = 0;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const CacheShape shape{.keys = trace.keys, .capacity = cell.max_memory_bytes - kServerBytes};
    const std::unique_ptr<SimulatedCache> cache =
        MakeQueueCache(QueuePolicy::kAdaptive, shape, seed);
    for (size_t time = 0; time < trace.requests.size(); ++time) {
      const uint32_t key = trace.requests[time];
      if (!cache->Access(key, charged[key], time)) ++misses;
    }
    outcome.keys = cache->residents();
    outcome.metadata_bytes = cache->memory_bytes();
  }
  outcome.miss_percent =
      100.0 * static_cast<double>(misses) / static_cast<double>(kSeeds * trace.requests.size());
  return outcome;
}

}  // namespace

int ReplayByteCells(const std::string& folder) {
  std::printf("%-20s %8s %8s %8s %9s %7s %8s %9s\n", "trace, of keys", "adaptive", "lru", "lfu",
              "memcached", "ratio", "keys", "metadata");
  double log_sum = 0;
  double worst = 0;
  int cells = 0;
  for (const ByteCell& cell : kCells) {
    const absl::StatusOr<Trace> trace = ReadTrace(folder + "/" + cell.trace + ".txt.zst");
    if (!trace.ok()) continue;
    const Outcome outcome = Replay(cell, *trace);
    const double ratio = outcome.miss_percent / std::min(cell.redis_lru, cell.redis_lfu);
    std::printf("%-16s %2d%% %8.2f %8.2f %8.2f %9.2f %7.3f %8zu %9zu\n", cell.trace, cell.percent,
                outcome.miss_percent, cell.redis_lru, cell.redis_lfu, cell.memcached, ratio,
                outcome.keys, outcome.metadata_bytes);
    std::fflush(stdout);
    log_sum += std::log(ratio);
    worst = std::max(worst, ratio);
    ++cells;
  }
  if (cells == 0) return 1;
  std::printf("misses against Redis's better policy: geometric mean %.4f, worst %.3f\n",
              std::exp(log_sum / cells), worst);
  return 0;
}

}  // namespace larder
