#include "eviction/miss_ratio_curve.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace larder {
namespace {

// Shares in the tables of the keyspace: a bucket of 64 bytes at the average fill.
constexpr uint64_t kTableBytes = 12;
constexpr std::string_view kExactLru = "exact-lru";

// So many that in small memories all this takes about a sixteenth of what there is, and in large
// ones as many as make a difference.
size_t KeysFor(int64_t maxmemory_bytes) {
  constexpr int64_t kLeast = 1 << 10;
  constexpr int64_t kMost = 1 << 15;
  if (maxmemory_bytes == 0) return kMost;
  return static_cast<size_t>(std::clamp(maxmemory_bytes / 4096, kLeast, kMost));
}
// How much more memory this takes, when there is so much more of it for the server.
double GrowthOf(const MissRatioCurve::Options& options, double factor) {
  if (options.keys > 0 || options.maxmemory_bytes == 0) return 1;
  const auto times = static_cast<int64_t>(factor * static_cast<double>(options.maxmemory_bytes));
  return static_cast<double>(KeysFor(times)) /
         static_cast<double>(KeysFor(options.maxmemory_bytes));
}
size_t KeysOfOthersFor(size_t keys) { return std::max<size_t>(384, keys / 16); }

}  // namespace

MissRatioCurve::Holding MissRatioCurve::Holding::Of(const Entry& entry) {
  return {.bytes = entry.allocated_bytes() + kTableBytes, .expiry = entry.expiry()};
}

void MissRatioCurve::Configure(const Options& options, MonoTime now) {
  MutexLock lock(mu_);
  if (options == options_) return;
  // With another limit, what was counted so far belongs to other sizes.
  options_ = options;
  most_keys_ = options.keys > 0 ? options.keys : KeysFor(options.maxmemory_bytes);
  overhead_bytes_.fill(static_cast<double>(options.overhead_bytes));
  StartOver();
  ResetCounts(now);
}

void MissRatioCurve::NoteOverhead(int64_t bytes, int64_t growing_bytes) {
  // Buffers come and go: one look may see too many.
  constexpr double kWeight = 0.25;
  MutexLock lock(mu_);
  const auto own = static_cast<double>(MemoryBytes());
  const auto growing = static_cast<double>(growing_bytes);
  const double fixed = std::max(0.0, static_cast<double>(bytes) - own - growing);
  for (size_t size = 0; size < kFactors.size(); ++size) {
    const double factor = kFactors[size];
    const double there = fixed + own * GrowthOf(options_, factor) + growing * factor;
    overhead_bytes_[size] += kWeight * (there - overhead_bytes_[size]);
  }
}

size_t MissRatioCurve::PolicyModels::keys() const {
  size_t sum = 0;
  for (const Model& model : models) sum += model.cache->keys();
  return sum;
}

void MissRatioCurve::StartOver() {
  policies_.clear();
  policies_.shrink_to_fit();
  threshold_.store(options_.enabled ? kAll : 0, std::memory_order_relaxed);
  if (options_.enabled && options_.maxmemory_bytes > 0) {
    const size_t of_others =
        options_.keys_of_others > 0 ? options_.keys_of_others : KeysOfOthersFor(most_keys_);
    for (ModelPolicy policy : kModelPolicies) {
      policies_.push_back({.policy = policy,
                           .most_keys = policy == options_.policy ? most_keys_ : of_others,
                           .threshold = kAll,
                           .models = {}});
    }
  }
  ForgetKeys();
}

void MissRatioCurve::ForgetKeys() {
  stack_ = RecencyStack();
  reaches_back_ = false;
  pending_ = PendingFills();
  unasked_ = FillWatch();
  uint64_t seed = 0;
  for (PolicyModels& policy : policies_) {
    for (Model& model : policy.models) {
      model.cache = MakeCacheModel(policy.policy, options_.model, ++seed);
    }
  }
}

void MissRatioCurve::ResetCounts(MonoTime now) {
  since_ = now;
  requests_ = 0;
  misses_ = 0;
  seen_misses_ = 0;
  sampled_requests_ = 0;
  unknown_requests_ = 0;
  distances_.Clear();
  for (PolicyModels& policy : policies_) {
    policy.seen_misses = 0;
    for (Model& model : policy.models) model.misses = 0;
  }
}

void MissRatioCurve::OnRead(const Read& read) {
  MutexLock lock(mu_);
  requests_ += 1 + read.other_requests;
  misses_ += (read.found ? 0 : 1) + read.other_misses;
  if (!Samples(read.id)) return;  // Not any more.
  ++sampled_requests_;
  ReadFromModels(read, CountDistance(read));
  Trim();
}

bool MissRatioCurve::CountDistance(const Read& read) {
  const double rate = ShareBelow(threshold_.load(std::memory_order_relaxed));
  const RecencyStack::Key* known = stack_.Find(read.id);
  if (known != nullptr && known->expiry != kNoExpiry && read.now > known->expiry) {
    Forget(read.id);
    known = nullptr;
  }
  const bool counts = known != nullptr || !read.found || reaches_back_;
  if (known != nullptr) {
    const auto since = static_cast<double>(stack_.BytesSince(read.id)) / rate;
    distances_.Add(known->bytes + static_cast<uint64_t>(since), 1 / rate);
  } else if (counts) {
    distances_.AddInfinite(1 / rate);
  } else {
    unknown_requests_ += 1 / rate;
  }
  if (!read.found) seen_misses_ += 1 / rate;
  if (read.found) {
    stack_.Use({.id = read.id,
                .bytes = read.found->bytes,
                .expiry = read.found->expiry,
                .was_filled = known != nullptr && known->was_filled});
  } else if (known != nullptr) {
    if (!known->was_filled) unasked_.OnMiss(read.id, read.now);
    stack_.Use(RecencyStack::Key(*known));
  }
  return counts;
}

void MissRatioCurve::ReadFromModels(const Read& read, bool counts) {
  for (PolicyModels& policy : policies_) {
    if (read.id >= policy.threshold) continue;
    const double weight = counts ? 1 / ShareBelow(policy.threshold) : 0;
    if (!read.found) policy.seen_misses += weight;
    for (size_t i = 0; i < policy.models.size(); ++i) {
      Model& model = policy.models[i];
      if (model.cache->Read(read.id, read.now)) continue;
      model.misses += weight;
      // Where it would have missed, the client might have stored it again. Where it has missed
      // indeed, the client does or does not.
      if (read.found && WouldBeFilled(read.id)) {
        model.cache->Fill(read.id, read.found->bytes, CapacityOf(policy, i), read.now);
      }
    }
  }
  if (!read.found) pending_.Add(read.id);
}

bool MissRatioCurve::WouldBeFilled(KeyId id) {
  const RecencyStack::Key* known = stack_.Find(id);
  if (known != nullptr && known->was_filled) return true;
  constexpr uint64_t kPrecision = uint64_t{1} << 20;
  return static_cast<double>(random_.Uniform(kPrecision)) <
         unasked_.filled_share() * static_cast<double>(kPrecision);
}

void MissRatioCurve::OnStore(KeyId id, const Holding& holding, UnixMillis now) {
  MutexLock lock(mu_);
  if (!Samples(id)) return;
  // What a miss brings in is no use beside the read: caches that had the key saw no write.
  const bool fills = pending_.Take(id);
  if (fills) unasked_.OnStore(id);
  const RecencyStack::Key* known = stack_.Find(id);
  stack_.Use({.id = id,
              .bytes = holding.bytes,
              .expiry = holding.expiry,
              .was_filled = fills || (known != nullptr && known->was_filled)});
  for (PolicyModels& policy : policies_) {
    if (id >= policy.threshold) continue;
    for (size_t i = 0; i < policy.models.size(); ++i) {
      CacheModel& cache = *policy.models[i].cache;
      if (!fills) cache.Read(id, now);
      cache.Fill(id, holding.bytes, CapacityOf(policy, i), now);
    }
  }
  Trim();
}

void MissRatioCurve::OnErase(KeyId id) {
  MutexLock lock(mu_);
  Forget(id);
}

void MissRatioCurve::OnFlush() {
  MutexLock lock(mu_);
  if (options_.enabled) ForgetKeys();
}

void MissRatioCurve::Forget(KeyId id) {
  stack_.Erase(id);
  for (PolicyModels& policy : policies_) {
    if (id >= policy.threshold) continue;
    for (Model& model : policy.models) model.cache->Erase(id);
  }
}

void MissRatioCurve::Trim() {
  while (stack_.size() > most_keys_) SampleLess();
  for (PolicyModels& policy : policies_) {
    // Full caches of all sizes hold not quite twice what the largest does.
    while (policy.keys() > 2 * policy.most_keys) {
      Thin(policy, policy.threshold - policy.threshold / 8);
    }
  }
  if (options_.maxmemory_bytes == 0) return;
  const double deepest = BytesFor(options_.maxmemory_bytes, kFactors.size() - 1) *
                         ShareBelow(threshold_.load(std::memory_order_relaxed));
  while (!stack_.empty() && static_cast<double>(stack_.bytes()) > deepest) {
    stack_.EraseOldest();
    reaches_back_ = true;
  }
}

void MissRatioCurve::SampleLess() {
  uint64_t threshold = threshold_.load(std::memory_order_relaxed);
  threshold -= threshold / 8;
  threshold_.store(threshold, std::memory_order_relaxed);
  stack_.EraseIf([&](const RecencyStack::Key& key) { return key.id >= threshold; });
  for (PolicyModels& policy : policies_) {
    if (policy.threshold > threshold) Thin(policy, threshold);
  }
}

void MissRatioCurve::Thin(PolicyModels& policy, uint64_t threshold) {
  policy.threshold = threshold;
  for (Model& model : policy.models) {
    model.cache->EraseIf([&](KeyId id) { return id >= threshold; });
  }
}

double MissRatioCurve::BytesFor(int64_t memory_bytes, size_t size) const {
  const double memory = kFactors[size] * static_cast<double>(memory_bytes);
  return std::max(0.0, memory - overhead_bytes_[size]);
}

uint64_t MissRatioCurve::CapacityOf(const PolicyModels& policy, size_t size) const {
  return static_cast<uint64_t>(BytesFor(options_.maxmemory_bytes, size) *
                               ShareBelow(policy.threshold));
}

size_t MissRatioCurve::MemoryBytes() const {
  size_t bytes = stack_.memory_bytes() + distances_.memory_bytes();
  for (const PolicyModels& policy : policies_) {
    for (const Model& model : policy.models) bytes += model.cache->memory_bytes();
  }
  return bytes;
}

double MissRatioCurve::CountedRequests() const {
  return static_cast<double>(requests_) - unknown_requests_;
}

double MissRatioCurve::MissRatio(double misses, double seen_misses, double rate) const {
  // With fewer, chance decides about the correction as well.
  constexpr double kEnough = 100;
  const bool corrects = seen_misses * rate >= kEnough;
  const double correction = corrects ? static_cast<double>(misses_) / seen_misses : 1;
  return std::clamp(misses * correction / CountedRequests(), 0.0, 1.0);
}

MissRatioCurve::PolicyReport MissRatioCurve::ExactReport(int64_t memory_bytes) const {
  const double rate = ShareBelow(threshold_.load(std::memory_order_relaxed));
  PolicyReport report{.name = kExactLru, .sampling_rate = rate, .points = {}};
  for (size_t size = 0; size < kFactors.size(); ++size) {
    const double memory = kFactors[size] * static_cast<double>(memory_bytes);
    const double misses = distances_.Beyond(static_cast<uint64_t>(BytesFor(memory_bytes, size)));
    report.points.push_back({.maxmemory_bytes = static_cast<int64_t>(memory),
                             .miss_ratio = MissRatio(misses, seen_misses_, rate)});
  }
  return report;
}

MissRatioCurve::PolicyReport MissRatioCurve::ReportOf(const PolicyModels& policy) const {
  const double rate = ShareBelow(policy.threshold);
  PolicyReport report{.name = NameOf(policy.policy), .sampling_rate = rate, .points = {}};
  for (size_t i = 0; i < policy.models.size(); ++i) {
    const double memory = kFactors[i] * static_cast<double>(options_.maxmemory_bytes);
    report.points.push_back(
        {.maxmemory_bytes = static_cast<int64_t>(memory),
         .miss_ratio = MissRatio(policy.models[i].misses, policy.seen_misses, rate)});
  }
  return report;
}

MissRatioCurve::Report MissRatioCurve::Take(int64_t used_bytes) {
  MutexLock lock(mu_);
  Report report{.enabled = options_.enabled,
                .since = since_,
                .requests = requests_,
                .misses = misses_,
                .sampled_requests = sampled_requests_,
                .sampled_keys = stack_.size(),
                .sampling_rate = ShareBelow(threshold_.load(std::memory_order_relaxed)),
                .memory_bytes = MemoryBytes(),
                .maxmemory_bytes = options_.maxmemory_bytes,
                .overhead_bytes = static_cast<int64_t>(overhead_bytes_[kAsItIs]),
                .policy_in_force = options_.policy,
                .policies = {}};
  if (CountedRequests() <= 0) return report;
  const bool limited = options_.maxmemory_bytes > 0;
  report.policies.push_back(ExactReport(limited ? options_.maxmemory_bytes : used_bytes));
  for (const PolicyModels& policy : policies_) report.policies.push_back(ReportOf(policy));
  return report;
}

void MissRatioCurve::Reset(MonoTime now) {
  MutexLock lock(mu_);
  ResetCounts(now);
}

}  // namespace larder
