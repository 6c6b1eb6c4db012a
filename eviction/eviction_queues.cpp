#include "eviction/eviction_queues.h"

#include "base/check.h"
#include "eviction/adaptive_queues.h"
#include "eviction/fixed_queues.h"

namespace larder {
namespace {

constexpr AdmissionRule kFifo{.window_percent = 100, .ghost_percent = 0};
// The shares that the paper found good for all of its traces.
constexpr AdmissionRule kS3Fifo{.window_percent = 10, .ghost_percent = 90};

}  // namespace

std::string_view NameOf(QueuePolicy policy) {
  switch (policy) {
    case QueuePolicy::kFifo:
      return "fifo";
    case QueuePolicy::kS3Fifo:
      return "s3-fifo";
    case QueuePolicy::kAdaptive:
      return "adaptive";
  }
  LARDER_CHECK(false);
}

std::unique_ptr<EvictionQueues> MakeEvictionQueues(QueuePolicy policy, uint64_t seed) {
  switch (policy) {
    case QueuePolicy::kFifo:
      return std::make_unique<FixedQueues>(NameOf(policy), kFifo);
    case QueuePolicy::kS3Fifo:
      return std::make_unique<FixedQueues>(NameOf(policy), kS3Fifo);
    case QueuePolicy::kAdaptive:
      return std::make_unique<AdaptiveQueues>(seed);
  }
  LARDER_CHECK(false);
}

}  // namespace larder
