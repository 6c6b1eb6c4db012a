// A cache without values: which keys a policy would still have, were there room for so many bytes.
// Run over a sample of the keys with room for the same share of the bytes, it misses as often as a
// whole cache would (Waldspurger, Saemundsson, Ahmad and Park, "Cache Modeling and Optimization
// using Miniature Simulations", USENIX ATC 2017).
//
// Concurrency: as its owner's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "base/clock.h"
#include "eviction/eviction_policy.h"
#include "eviction/eviction_queues.h"

namespace larder {

// Each stands for the policy over all keys as well as for that over keys with a TTL.
enum class ModelPolicy : uint8_t { kLru, kLfu, kRandom, kFifo, kS3Fifo, kAdaptive };
inline constexpr ModelPolicy kModelPolicies[] = {
    ModelPolicy::kLru,  ModelPolicy::kLfu,    ModelPolicy::kRandom,
    ModelPolicy::kFifo, ModelPolicy::kS3Fifo, ModelPolicy::kAdaptive,
};

// The one that stands for a value of maxmemory-policy; nothing for those without a model.
std::optional<ModelPolicy> ModelPolicyOf(EvictionPolicy policy);

// "lru", "adaptive", ...
std::string_view NameOf(ModelPolicy policy);

class CacheModel {
 public:
  // What the server's own policies go by.
  struct Options {
    int samples = 5;
    int lfu_log_factor = 10;
    int lfu_decay_minutes = 1;
    friend bool operator==(const Options&, const Options&) = default;
  };

  virtual ~CacheModel() = default;

  // The key is read. True if it is there.
  virtual bool Read(KeyId id, UnixMillis now) = 0;
  // The key has these bytes from now on, and comes in if it is not there, which is no use of it.
  // Then others go until `capacity_bytes` are left.
  virtual void Fill(KeyId id, uint64_t bytes, uint64_t capacity_bytes, UnixMillis now) = 0;
  virtual void Erase(KeyId id) = 0;
  virtual void EraseIf(absl::FunctionRef<bool(KeyId)> is_unwanted) = 0;

  virtual size_t keys() const = 0;
  virtual size_t memory_bytes() const = 0;
};

std::unique_ptr<CacheModel> MakeCacheModel(ModelPolicy policy, const CacheModel::Options& options,
                                           uint64_t seed);

}  // namespace larder
