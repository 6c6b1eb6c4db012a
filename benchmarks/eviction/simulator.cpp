// larder_eviction_simulator: how well do the policies of eviction/ choose what to keep, beside LRU,
// ARC, W-TinyLFU and the bound that Belady's gives?
//
//   larder_eviction_simulator --traces DIR [--trace NAME] [--seed N]
//   larder_eviction_simulator --traces DIR --bytes
//
// Replays DIR/*.txt.zst (see trace.h), or NAME alone, at caches of 1, 5, 10 and 25 % of a trace's
// keys, all of one size, and where the trace has sizes also of its bytes. Prints the share of
// requests that missed, the first request of each key included, and what the adaptive policy
// allocated for each key that the cache held; then, over all caches by keys, how much of what LRU
// misses above Belady each policy saves. With --bytes, see byte_cells.h.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "absl/status/statusor.h"
#include "benchmarks/eviction/byte_cells.h"
#include "benchmarks/eviction/reference_policies.h"
#include "benchmarks/eviction/simulated_cache.h"
#include "benchmarks/eviction/trace.h"

namespace larder {
namespace {

constexpr uint64_t kPercents[] = {1, 5, 10, 25};

struct Options {
  std::string folder;
  std::string only_trace;  // Empty: all.
  uint64_t seed = 1;
  bool byte_cells = false;
};

struct Policy {
  std::string name;
  std::function<std::unique_ptr<SimulatedCache>(CacheShape, const Trace&)> make;
  double miss_percents = 0;  // Sum over the caches by keys.
};

// LRU first and Belady last, between which the others are placed.
std::vector<Policy> AllPolicies(uint64_t seed) {
  std::vector<Policy> policies;
  policies.push_back({"LRU", [](CacheShape shape, const Trace&) { return MakeLruCache(shape); }});
  policies.push_back({"ARC", [](CacheShape shape, const Trace&) { return MakeArcCache(shape); }});
  policies.push_back(
      {"W-TinyLFU", [](CacheShape shape, const Trace&) { return MakeWTinyLfuCache(shape); }});
  for (QueuePolicy policy : {QueuePolicy::kFifo, QueuePolicy::kS3Fifo, QueuePolicy::kAdaptive}) {
    policies.push_back({std::string(NameOf(policy)), [=](CacheShape shape, const Trace&) {
                          return MakeQueueCache(policy, shape, seed);
                        }});
  }
  policies.push_back({"Belady", [](CacheShape shape, const Trace& trace) {
                        return MakeBeladyCache(shape, trace.requests);
                      }});
  return policies;
}

enum class Measure : uint8_t { kKeys, kBytes };

double MissPercent(const Trace& trace, Measure measure, SimulatedCache& cache) {
  size_t misses = 0;
  for (size_t time = 0; time < trace.requests.size(); ++time) {
    const uint32_t key = trace.requests[time];
    const uint32_t size = measure == Measure::kBytes ? trace.size_bytes[key] : 1;
    if (!cache.Access(key, size, time)) ++misses;
  }
  return 100.0 * static_cast<double>(misses) / static_cast<double>(trace.requests.size());
}

void ReplayRow(const Trace& trace, Measure measure, uint64_t percent,
               std::vector<Policy>& policies) {
  const uint64_t whole = measure == Measure::kBytes ? trace.FootprintBytes() : trace.keys;
  const CacheShape shape{.keys = trace.keys,
                         .capacity = std::max<uint64_t>(1, whole * percent / 100)};
  std::printf("%-16s %3d%% %-5s", trace.name.c_str(), static_cast<int>(percent),
              measure == Measure::kBytes ? "bytes" : "keys");
  double bytes_per_key = 0;
  for (Policy& policy : policies) {
    const std::unique_ptr<SimulatedCache> cache = policy.make(shape, trace);
    const double miss_percent = MissPercent(trace, measure, *cache);
    if (measure == Measure::kKeys) policy.miss_percents += miss_percent;
    if (policy.name == NameOf(QueuePolicy::kAdaptive)) {
      bytes_per_key =
          static_cast<double>(cache->memory_bytes()) / static_cast<double>(cache->residents());
    }
    std::printf(" %9.2f", miss_percent);
  }
  std::printf(" %9.1f\n", bytes_per_key);
  std::fflush(stdout);
}

void ReplayTrace(const Trace& trace, std::vector<Policy>& policies) {
  for (uint64_t percent : kPercents) ReplayRow(trace, Measure::kKeys, percent, policies);
  if (trace.size_bytes.empty()) return;
  for (uint64_t percent : kPercents) ReplayRow(trace, Measure::kBytes, percent, policies);
}

void PrintGapsClosed(const std::vector<Policy>& policies) {
  const double lru = policies.front().miss_percents;
  const double gap = lru - policies.back().miss_percents;
  std::printf("%-27s", "gap closed, pooled, %");
  for (const Policy& policy : policies) {
    std::printf(" %9.1f", 100 * (lru - policy.miss_percents) / gap);
  }
  std::printf("\n");
}

std::vector<std::string> TracesIn(const Options& options) {
  std::vector<std::string> paths;
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(options.folder, error)) {
    const std::string name = file.path().filename().string();
    if (!name.ends_with(".txt.zst")) continue;
    if (options.only_trace.empty() || name == options.only_trace + ".txt.zst") {
      paths.push_back(file.path().string());
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

int Run(const Options& options) {
  const std::vector<std::string> paths = TracesIn(options);
  if (paths.empty()) {
    std::fprintf(stderr, "no traces in '%s'\n", options.folder.c_str());
    return 1;
  }
  std::vector<Policy> policies = AllPolicies(options.seed);
  std::printf("%-27s", "trace, cache's share, of");
  for (const Policy& policy : policies) std::printf(" %9s", policy.name.c_str());
  std::printf("     B/key\n");
  for (const std::string& path : paths) {
    const absl::StatusOr<Trace> trace = ReadTrace(path);
    if (!trace.ok()) {
      std::fprintf(stderr, "%s\n", trace.status().ToString().c_str());
      return 1;
    }
    ReplayTrace(*trace, policies);
  }
  PrintGapsClosed(policies);
  return 0;
}

bool ParseOptions(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "--bytes") {
      options.byte_cells = true;
      continue;
    }
    if (++i == argc) return false;
    const std::string_view value = argv[i];
    if (flag == "--traces") {
      options.folder = value;
    } else if (flag == "--trace") {
      options.only_trace = value;
    } else if (flag == "--seed") {
      const char* end = value.data() + value.size();
      if (std::from_chars(value.data(), end, options.seed).ptr != end) return false;
    } else {
      return false;
    }
  }
  return !options.folder.empty();
}

}  // namespace
}  // namespace larder

int main(int argc, char** argv) {
  larder::Options options;
  if (!larder::ParseOptions(argc, argv, options)) {
    std::fprintf(stderr, "usage: %s --traces DIR [--trace NAME] [--seed N] [--bytes]\n", argv[0]);
    return 2;
  }
  return options.byte_cells ? larder::ReplayByteCells(options.folder) : larder::Run(options);
}
