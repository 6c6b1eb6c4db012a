#include "server/client_budget.h"

#include <algorithm>
#include <limits>

namespace larder {
namespace {

// As Redis: with less, one could not even talk to the server to set it right.
constexpr int64_t kSmallestLimit = 128 * kKiB;

// `auto`: a part of maxmemory that leaves room for fragmentation before memory is a tenth above it,
// but enough for a few large values on their way into a small cache. See ARCHITECTURE.md.
constexpr int64_t kAutomaticPart = 16;
constexpr int64_t kAutomaticLeast = 32 * kMiB;

int64_t AutomaticBytes(int64_t max_memory_bytes) {
  return std::max(max_memory_bytes / kAutomaticPart, std::min(max_memory_bytes, kAutomaticLeast));
}

}  // namespace

ClientBudget::Limit ClientBudget::LimitOf(const Config& config) {
  const MemoryOrPercent& wanted = config.max_memory_clients;
  if (wanted.bytes == 0 && wanted.percent == 0 && !wanted.is_auto) return {};
  if (config.max_memory_bytes == 0 && wanted.bytes == 0) return {};  // A share of no limit.
  const int64_t bytes = wanted.is_auto ? AutomaticBytes(config.max_memory_bytes)
                                       : wanted.BytesOf(config.max_memory_bytes);
  // With a limit of the user's own, it is Redis's behaviour that is wanted.
  return {
      .bytes = std::max(bytes, kSmallestLimit), .beside_data = true, .holds_back = wanted.is_auto};
}

int64_t ClientBudget::TotalBytes() const {
  int64_t bytes = 0;
  for (const ClientMemory* memory : threads_) bytes += memory->bytes();
  return bytes;
}

ClientBudget::Decision ClientBudget::Decide(uint32_t thread, int64_t limit_bytes) {
  MutexLock lock(mu_);
  if (TotalBytes() < limit_bytes) return {};
  uint32_t largest = thread;  // Of equals, one's own: it can go at once.
  for (uint32_t i = 0; i < threads_.size(); ++i) {
    if (threads_[i]->largest_class() > threads_[largest]->largest_class()) largest = i;
  }
  if (threads_[largest]->largest_class() == ClientShare::kNoClass) return {};
  if (largest != thread) return {.kind = Decision::Kind::kOther, .thread = largest};
  ClientShare& share = threads_[thread]->Largest();
  const int64_t bytes = share.bytes;
  threads_[thread]->Remove(share);
  return {.kind = Decision::Kind::kOwnClient, .client_id = share.client_id, .bytes = bytes};
}

}  // namespace larder
