// The policies that keep to one rule: plain FIFO, and S3-FIFO (Yang et al., "FIFO queues are all
// you need for cache eviction", SOSP 2023).
//
// Concurrency: as EvictionQueues says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "eviction/eviction_queues.h"
#include "eviction/window_and_main.h"

namespace larder {

class FixedQueues final : public EvictionQueues {
 public:
  // `name` is one that stays: a literal.
  FixedQueues(std::string_view name, AdmissionRule rule)
      : name_(name), queues_(rule, rule.ghost_percent) {}

  void OnInsert(KeyId id, uint8_t& state, size_t bytes) override {
    queues_.OnInsert(id, state, bytes);
  }
  void Observe(KeyId /*id*/, size_t /*bytes*/) override {}
  void OnErase(KeyId id, uint8_t& state) override { queues_.OnErase(id, state); }
  void ForgetIf(absl::FunctionRef<bool(KeyId)> /*is_unwanted*/) override {}
  std::optional<KeyId> Candidate() override { return queues_.Candidate(); }
  // Neither policy looks at what an entry is worth.
  Verdict Judge(KeyId id, uint8_t* state, const EntryWorth& /*worth*/) override {
    return queues_.Judge(id, state, EntryWorth{});
  }
  void Clear() override { queues_.Clear(); }
  const SampleFilter& sample() const override { return nothing_; }
  size_t residents() const override { return queues_.residents(); }
  size_t memory_bytes() const override { return sizeof(*this) + queues_.memory_bytes(); }
  std::string_view rule_name() const override { return name_; }

 private:
  const std::string_view name_;
  const SampleFilter nothing_;
  WindowAndMain queues_;
};

}  // namespace larder
