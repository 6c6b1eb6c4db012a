#include "eviction/cache_model.h"

#include "base/check.h"
#include "eviction/queue_model.h"
#include "eviction/sampled_model.h"

namespace larder {

std::optional<ModelPolicy> ModelPolicyOf(EvictionPolicy policy) {
  switch (policy) {
    case EvictionPolicy::kAllKeysLru:
    case EvictionPolicy::kVolatileLru:
      return ModelPolicy::kLru;
    case EvictionPolicy::kAllKeysLfu:
    case EvictionPolicy::kVolatileLfu:
      return ModelPolicy::kLfu;
    case EvictionPolicy::kAllKeysRandom:
    case EvictionPolicy::kVolatileRandom:
      return ModelPolicy::kRandom;
    case EvictionPolicy::kAllKeysFifo:
    case EvictionPolicy::kVolatileFifo:
      return ModelPolicy::kFifo;
    case EvictionPolicy::kAllKeysS3Fifo:
    case EvictionPolicy::kVolatileS3Fifo:
      return ModelPolicy::kS3Fifo;
    case EvictionPolicy::kAllKeysAdaptive:
    case EvictionPolicy::kVolatileAdaptive:
      return ModelPolicy::kAdaptive;
    case EvictionPolicy::kAllKeysLrm:
    case EvictionPolicy::kVolatileLrm:
    case EvictionPolicy::kVolatileTtl:
    case EvictionPolicy::kNoEviction:
      return std::nullopt;
  }
  return std::nullopt;
}

std::string_view NameOf(ModelPolicy policy) {
  switch (policy) {
    case ModelPolicy::kLru:
      return "lru";
    case ModelPolicy::kLfu:
      return "lfu";
    case ModelPolicy::kRandom:
      return "random";
    case ModelPolicy::kFifo:
      return "fifo";
    case ModelPolicy::kS3Fifo:
      return "s3fifo";
    case ModelPolicy::kAdaptive:
      return "adaptive";
  }
  LARDER_CHECK(false);
  return "";
}

std::unique_ptr<CacheModel> MakeCacheModel(ModelPolicy policy, const CacheModel::Options& options,
                                           uint64_t seed) {
  switch (policy) {
    case ModelPolicy::kLru:
      return std::make_unique<SampledModel>(EvictionPolicy::kAllKeysLru, options, seed);
    case ModelPolicy::kLfu:
      return std::make_unique<SampledModel>(EvictionPolicy::kAllKeysLfu, options, seed);
    case ModelPolicy::kRandom:
      return std::make_unique<SampledModel>(EvictionPolicy::kAllKeysRandom, options, seed);
    case ModelPolicy::kFifo:
      return std::make_unique<QueueModel>(QueuePolicy::kFifo, seed);
    case ModelPolicy::kS3Fifo:
      return std::make_unique<QueueModel>(QueuePolicy::kS3Fifo, seed);
    case ModelPolicy::kAdaptive:
      return std::make_unique<QueueModel>(QueuePolicy::kAdaptive, seed);
  }
  LARDER_CHECK(false);
  return nullptr;
}

}  // namespace larder
