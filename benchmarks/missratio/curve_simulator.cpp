// larder_miss_ratio_simulator: does the miss-ratio curve foretell what caches of other sizes miss?
//
//   larder_miss_ratio_simulator [--policy POLICY] [--keys N] [--keys-of-others N] [--runs N]
//                               TRACE...
//
// Replays each TRACE (a file, see eviction/trace.h) against caches of 5 and 25 % of its bytes
// (every value as large as the next where the trace has no sizes) with the curve turned on, and
// against caches of the sizes that it foretells. All caches are whole models
// (eviction/cache_model.h): what differs is the sample alone. Prints for each policy what was
// foretold and, behind it, what came out, with a star where they are more than two points apart.
//
// With --runs, each of the latter is run so often, with other hashes for its keys as every server
// has them. Then the least and the most that came out are printed, and there is a star where what
// was foretold is more than two points from all between them.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "benchmarks/eviction/trace.h"
#include "eviction/cache_model.h"
#include "eviction/miss_ratio_curve.h"

namespace larder {
namespace {

constexpr uint64_t kPercents[] = {5, 25};
// Where the trace has no sizes; those that it has are multiplied. So large that what the curve
// itself takes is nothing beside it.
constexpr uint64_t kValueBytes = 100'000'000;
constexpr uint64_t kSizeFactor = 10'000;
constexpr UnixMillis kDuration = 100'000;  // As the replays against servers are paced.

struct Options {
  std::vector<std::string> traces;
  ModelPolicy policy = ModelPolicy::kLru;  // In force.
  size_t keys = 0;                         // As in MissRatioCurve::Options.
  size_t keys_of_others = 0;
  size_t runs = 1;
};

// One replay of a trace, request by request.
class Replay {
 public:
  // `run` decides about the hashes of keys.
  Replay(const Trace& trace, uint64_t run) : trace_(trace), salt_(run * 0xd1342543de82ef95) {}

  size_t size() const { return trace_.requests.size(); }
  KeyId id(size_t request) const {
    uint64_t hash = (trace_.requests[request] + 1) * 0x9e3779b97f4a7c15 ^ salt_;
    hash = (hash ^ hash >> 32) * 0xd6e8feb86659fd93;
    return MissRatioCurve::IdOf(hash ^ hash >> 32, 0);
  }
  uint64_t bytes(size_t request) const {
    return trace_.size_bytes.empty() ? kValueBytes
                                     : trace_.size_bytes[trace_.requests[request]] * kSizeFactor;
  }
  uint64_t footprint() const {
    return trace_.size_bytes.empty() ? trace_.keys * kValueBytes
                                     : trace_.FootprintBytes() * kSizeFactor;
  }
  UnixMillis now(size_t request) const {
    return 1'000'000'000'000 +
           static_cast<UnixMillis>(request) * kDuration / static_cast<UnixMillis>(size());
  }

 private:
  const Trace& trace_;
  const uint64_t salt_;
};

// The share of requests that a cache misses; tells `curve`, if any, of them.
double MissPercent(const Replay& replay, ModelPolicy policy, uint64_t capacity,
                   MissRatioCurve* curve) {
  const std::unique_ptr<CacheModel> cache = MakeCacheModel(policy, {}, 12345);
  size_t misses = 0;
  uint64_t other_requests = 0;
  uint64_t other_misses = 0;
  for (size_t i = 0; i < replay.size(); ++i) {
    const KeyId id = replay.id(i);
    const MissRatioCurve::Holding holding{.bytes = replay.bytes(i)};
    const bool hit = cache->Read(id, replay.now(i));
    const bool sampled = curve != nullptr && curve->Samples(id);
    if (sampled) {
      MissRatioCurve::Read read{.id = id,
                                .now = replay.now(i),
                                .other_requests = other_requests,
                                .other_misses = other_misses};
      if (hit) read.found = holding;
      curve->OnRead(read);
      other_requests = other_misses = 0;
    } else {
      ++other_requests;
      if (!hit) ++other_misses;
    }
    if (hit) continue;
    ++misses;
    cache->Fill(id, holding.bytes, capacity, replay.now(i));
    if (sampled) curve->OnStore(id, holding, replay.now(i));
  }
  return 100.0 * static_cast<double>(misses) / static_cast<double>(replay.size());
}

bool ParsePolicy(std::string_view name, ModelPolicy& policy) {
  const auto* found = std::find_if(std::begin(kModelPolicies), std::end(kModelPolicies),
                                   [&](ModelPolicy known) { return NameOf(known) == name; });
  if (found == std::end(kModelPolicies)) return false;
  policy = *found;
  return true;
}

void PrintCurve(const Trace& trace, const MissRatioCurve::PolicyReport& foretold, uint64_t capacity,
                size_t runs) {
  ModelPolicy policy = ModelPolicy::kLru;  // Also what exact LRU is held against.
  ParsePolicy(foretold.name, policy);
  std::printf("  %-10s %.3f", std::string(foretold.name).c_str(), foretold.sampling_rate);
  for (size_t i = 0; i < foretold.points.size(); ++i) {
    const double size = MissRatioCurve::kFactors[i] * static_cast<double>(capacity);
    double least = 100;
    double most = 0;
    for (size_t run = 0; run < runs; ++run) {
      const double came =
          MissPercent(Replay(trace, run), policy, static_cast<uint64_t>(size), nullptr);
      least = std::min(least, came);
      most = std::max(most, came);
    }
    const double said = 100 * foretold.points[i].miss_ratio;
    std::printf("  %6.2f (%5.2f", said, least);
    if (runs > 1) std::printf(" to %5.2f", most);
    std::printf(")%c", said < least - 2 || said > most + 2 ? '*' : ' ');
  }
  std::printf("\n");
  std::fflush(stdout);
}

void RunCell(const Trace& trace, uint64_t percent, const Options& options) {
  const Replay replay(trace, 0);
  const uint64_t capacity = replay.footprint() * percent / 100;
  MissRatioCurve curve;
  curve.Configure({.enabled = true,
                   .maxmemory_bytes = static_cast<int64_t>(capacity),
                   .policy = options.policy,
                   .keys = options.keys,
                   .keys_of_others = options.keys_of_others},
                  MonoTime{});
  MissPercent(replay, options.policy, capacity, &curve);
  const MissRatioCurve::Report report = curve.Take(0);
  std::printf("%s %d%%: %s, %zu keys sampled, %zu KiB\n", trace.name.c_str(),
              static_cast<int>(percent), std::string(NameOf(options.policy)).c_str(),
              report.sampled_keys, report.memory_bytes >> 10);
  for (const MissRatioCurve::PolicyReport& policy : report.policies) {
    PrintCurve(trace, policy, capacity, options.runs);
  }
}

int Run(const Options& options) {
  for (const std::string& path : options.traces) {
    const absl::StatusOr<Trace> trace = ReadTrace(path);
    if (!trace.ok()) {
      std::fprintf(stderr, "%s\n", trace.status().ToString().c_str());
      return 1;
    }
    for (uint64_t percent : kPercents) RunCell(*trace, percent, options);
  }
  return 0;
}

bool ParseNumber(std::string_view text, size_t& number) {
  const char* end = text.data() + text.size();
  return std::from_chars(text.data(), end, number).ptr == end;
}

bool ParseOptions(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (!word.starts_with("--")) {
      options.traces.emplace_back(word);
      continue;
    }
    if (++i == argc) return false;
    const std::string_view value = argv[i];
    if (!(word == "--policy" && ParsePolicy(value, options.policy)) &&
        !(word == "--keys" && ParseNumber(value, options.keys)) &&
        !(word == "--keys-of-others" && ParseNumber(value, options.keys_of_others)) &&
        !(word == "--runs" && ParseNumber(value, options.runs))) {
      return false;
    }
  }
  return !options.traces.empty();
}

}  // namespace
}  // namespace larder

int main(int argc, char** argv) {
  larder::Options options;
  if (!larder::ParseOptions(argc, argv, options)) {
    std::fprintf(
        stderr, "usage: %s [--policy POLICY] [--keys N] [--keys-of-others N] [--runs N] TRACE...\n",
        argv[0]);
    return 2;
  }
  return larder::Run(options);
}
