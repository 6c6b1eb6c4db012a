// How often reads would miss with less memory or with more, and under another policy: estimated
// while the server serves, from a sample of the keys.
//
// A key is in the sample if its hash is small enough, so that of a sampled key every request is
// seen (Waldspurger, Park, Garthwaite and Ahmad, "Efficient MRC Construction with SHARDS", FAST
// 2015, with a sample of bounded size). What is known of sampled keys goes back as far as the
// largest cache that is foretold reaches, which keeps the sample dense: the smaller the cache, the
// larger the share of its keys, and of a small cache all are in it. Two kinds of estimate stand on
// it:
//
// * for a cache that evicts exactly by last use, the histogram of stack distances, in bytes. It
//   knows of every size at once.
// * for each policy as the server has it, models of caches (cache_model.h) of a quarter, half, one,
//   two and four times the memory. The policy in force is modelled with the whole sample, the
//   others with a part of it.
//
// Memory is maxmemory, as the operator would set it. What no key gets of it is taken off: what the
// server takes with nothing in it, which is the same at every size, its queues, which grow with the
// keys, and what all this takes, which grows up to its bound.
//
// Concurrency: guarded by a mutex of its own, a leaf: shards lock before it. Samples() locks
// nothing.
//
//   if (curve.Samples(id)) curve.OnRead({.id = id, ...});
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/random.h"
#include "eviction/cache_model.h"
#include "eviction/distance_histogram.h"
#include "eviction/fill_watch.h"
#include "eviction/recency_stack.h"
#include "storage/entry.h"

namespace larder {

class MissRatioCurve {
 public:
  // Sizes of the caches that are foretold, beside the memory there is.
  static constexpr std::array<double, 5> kFactors = {0.25, 0.5, 1, 2, 4};
  static constexpr size_t kAsItIs = 2;  // The factor 1 among them.

  struct Options {
    bool enabled = false;
    int64_t maxmemory_bytes = 0;             // 0: no limit; then policies are not modelled.
    int64_t overhead_bytes = 0;              // What the server takes with nothing in it.
    std::optional<ModelPolicy> policy = {};  // In force.
    CacheModel::Options model = {};
    // Sampled keys: for the policy in force, and for each other one. 0: as the memory allows.
    size_t keys = 0;
    size_t keys_of_others = 0;
    friend bool operator==(const Options&, const Options&) = default;
  };

  // What is held for a key.
  struct Holding {
    uint64_t bytes = 0;  // With what the key takes beside its value.
    UnixMillis expiry = kNoExpiry;

    static Holding Of(const Entry& entry);
  };
  struct Read {
    KeyId id = 0;
    std::optional<Holding> found = {};  // Nothing: a miss.
    UnixMillis now = 0;
    // Requests that were not sampled, and misses among them, since a thread last told of them.
    uint64_t other_requests = 0;
    uint64_t other_misses = 0;
  };

  struct Point {
    int64_t maxmemory_bytes = 0;
    double miss_ratio = 0;
  };
  struct PolicyReport {
    std::string_view name;
    double sampling_rate = 0;
    std::vector<Point> points;  // By ascending memory.
  };
  struct Report {
    bool enabled = false;
    MonoTime since{};
    uint64_t requests = 0;          // Reads, sampled or not.
    uint64_t misses = 0;            // Of these.
    uint64_t sampled_requests = 0;  // Of these.
    size_t sampled_keys = 0;
    double sampling_rate = 0;  // The share of keys that are sampled now.
    size_t memory_bytes = 0;   // That all this takes.
    int64_t maxmemory_bytes = 0;
    int64_t overhead_bytes = 0;  // What of it no key gets.
    std::optional<ModelPolicy> policy_in_force = {};
    std::vector<PolicyReport> policies;  // None before the first request.
  };

  // What keys are called here. Two may share a name by chance, seldom enough not to matter.
  static KeyId IdOf(uint64_t hash, int db) {
    constexpr uint64_t kFactor = 0x9e3779b97f4a7c15;
    return static_cast<KeyId>((hash + static_cast<uint64_t>(db) * kFactor) >> 32);
  }

  // Counting begins anew if that changes what is estimated; everything is dropped on turning off.
  void Configure(const Options& options, MonoTime now);

  // What the process takes beside keys, values and their tables, this included, and how much of it
  // grows with their number (queues of eviction). To be called every now and then.
  void NoteOverhead(int64_t bytes, int64_t growing_bytes);

  // Whether the key's requests are wanted here. Never, while it is turned off.
  bool Samples(KeyId id) const { return id < threshold_.load(std::memory_order_relaxed); }
  // REQUIRES: for these three that Samples(id) was true just before.
  void OnRead(const Read& read);
  // The key holds this from now on.
  void OnStore(KeyId id, const Holding& holding, UnixMillis now);
  void OnErase(KeyId id);
  // Everything has been erased.
  void OnFlush();

  // What has been counted so far. `used_bytes` stands for the memory where there is no limit.
  Report Take(int64_t used_bytes);
  // The next report begins with what comes now. What is known of keys stays.
  void Reset(MonoTime now);

 private:
  struct Model {
    std::unique_ptr<CacheModel> cache;
    double misses = 0;  // Of all requests, as estimated.
  };
  // A policy at each of the sizes.
  struct PolicyModels {
    ModelPolicy policy;
    size_t most_keys;    // In the largest of its caches, once all are full.
    uint64_t threshold;  // Its sample are the ids below; a part of the whole sample.
    std::array<Model, kFactors.size()> models;
    double seen_misses = 0;  // What the server missed, as this sample estimates it.

    size_t keys() const;
  };
  // Who missed just now, and is to be stored next. Forgets some when there are too many.
  class PendingFills {
   public:
    void Add(KeyId id) { ids_[id % ids_.size()] = id; }
    bool Take(KeyId id) {
      const bool found = ids_[id % ids_.size()] == id;
      if (found) ids_[id % ids_.size()] = 0;
      return found;
    }

   private:
    std::array<KeyId, 1024> ids_{};
  };

  static constexpr uint64_t kAll = uint64_t{1} << 32;

  static double ShareBelow(uint64_t threshold) {
    return static_cast<double>(threshold) / static_cast<double>(kAll);
  }

  void StartOver() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ForgetKeys() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ResetCounts(MonoTime now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Whether the request counts: not that of a key of which nothing is known because it was last
  // used before this began.
  bool CountDistance(const Read& read) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ReadFromModels(const Read& read, bool counts) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Whether a client that had missed what it has found would have stored it: one does where one
  // did before, and keys that only came by writes that no miss asked for are filled as often as
  // others like them that have missed.
  bool WouldBeFilled(KeyId id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Forget(KeyId id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Lets go of what is too much: of sampled keys, and of what is older than any cache reaches.
  void Trim() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void SampleLess() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  static void Thin(PolicyModels& policy, uint64_t threshold);
  // What is left for keys of so much memory, times kFactors[size].
  double BytesFor(int64_t memory_bytes, size_t size) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  uint64_t CapacityOf(const PolicyModels& policy, size_t size) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  size_t MemoryBytes() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  PolicyReport ExactReport(int64_t memory_bytes) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  PolicyReport ReportOf(const PolicyModels& policy) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  double CountedRequests() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Of estimated `misses`. A sample in which the server missed more than it did on the whole has
  // misses too many at every size and with every policy: `seen_misses` is what the sample says of
  // the server as it is.
  double MissRatio(double misses, double seen_misses, double rate) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // The ids below are sampled; 0 while turned off. Written under mu_, read by anybody without;
  // orders nothing.
  std::atomic<uint64_t> threshold_{0};

  Mutex mu_;
  Options options_ ABSL_GUARDED_BY(mu_);
  size_t most_keys_ ABSL_GUARDED_BY(mu_) = 0;
  RecencyStack stack_ ABSL_GUARDED_BY(mu_);
  bool reaches_back_ ABSL_GUARDED_BY(mu_) = false;  // The stack has been as deep as it may be.
  DistanceHistogram distances_ ABSL_GUARDED_BY(mu_);
  std::vector<PolicyModels> policies_ ABSL_GUARDED_BY(mu_);
  PendingFills pending_ ABSL_GUARDED_BY(mu_);
  FillWatch unasked_ ABSL_GUARDED_BY(mu_);  // Misses of keys that were never filled after one.
  Random random_ ABSL_GUARDED_BY(mu_){0};
  MonoTime since_ ABSL_GUARDED_BY(mu_){};
  uint64_t requests_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t misses_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t sampled_requests_ ABSL_GUARDED_BY(mu_) = 0;
  double seen_misses_ ABSL_GUARDED_BY(mu_) = 0;       // As the whole sample estimates misses_.
  double unknown_requests_ ABSL_GUARDED_BY(mu_) = 0;  // Of all, as estimated: left out.
  // Of late, on average; with the memory there is times each of kFactors.
  std::array<double, kFactors.size()> overhead_bytes_ ABSL_GUARDED_BY(mu_){};
};

}  // namespace larder
