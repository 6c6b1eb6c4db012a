// What the 24 access bits of an entry mean. Under a policy that tracks frequency (*-lfu) they are
//
//   16 bits   minutes (wrapping) at which the counter was last brought up to date
//    8 bits   logarithmic counter: about lfu-log-factor * 100,000 accesses fill it, and it loses
//             one for each lfu-decay-time minutes
//
// under one that keeps queues
//
//   20 bits   the second (wrapping after 12 days) of the last access, never zero
//    4 bits   what the queues know: QueueState
//
// and under every other policy the second (wrapping after 194 days) of the last access. Switching
// between the first and the last leaves old entries with bits of the other meaning until they are
// accessed again; as in Redis, that is accepted. Which entries have bits of queues, a shard knows
// (Shard::access_bits).
//
// Concurrency: thread-confined; every thread has its own and moves its time once a batch.
//
//   clock.set_now(now);
//   clock.Touch(*entry, random);   // at each access
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.h"
#include "base/random.h"
#include "eviction/eviction_policy.h"
#include "storage/entry.h"

namespace larder {

class AccessClock {
 public:
  // A new entry starts a little above zero, or it would be evicted before it had a chance.
  static constexpr uint32_t kInitialFrequency = 5;
  static constexpr uint32_t kMaxFrequency = 255;

  AccessClock() = default;
  AccessClock(const AccessOptions& options, UnixMillis now)
      : log_factor_(options.lfu_log_factor),
        decay_minutes_(options.lfu_decay_minutes),
        meaning_(MeaningUnder(options.policy)),
        ignores_reads_(IgnoresReads(options.policy)) {
    set_now(now);
  }

  void set_now(UnixMillis now) {
    const uint64_t seconds = static_cast<uint64_t>(now) / 1000;
    switch (meaning_) {
      case Meaning::kSeconds:
        time_ = static_cast<uint32_t>(seconds & kAccessMask);
        break;
      case Meaning::kFrequency:
        time_ = static_cast<uint32_t>((seconds / 60) & kMinuteMask);
        break;
      case Meaning::kQueues:
        time_ = std::max(static_cast<uint32_t>(seconds & kShortMask), 1u);
        break;
    }
  }

  bool counts() const { return meaning_ == Meaning::kFrequency; }
  // The lowest bits are not the clock's.
  bool shares_bits() const { return meaning_ == Meaning::kQueues; }
  // Under *-lrm the bits tell of the last change: who only looks a key up does not touch it.
  bool ignores_reads() const { return ignores_reads_; }

  // The bits of an entry that is created now. REQUIRES: !shares_bits().
  uint32_t Initial() const { return counts() ? time_ << 8 | kInitialFrequency : time_; }

  // The bits of an entry that had `access` and is accessed now. Zero, with which storage creates
  // entries, means a new one.
  uint32_t Touched(uint32_t access, Random& random) const {
    if (meaning_ == Meaning::kSeconds) [[likely]]
      return time_;
    if (meaning_ == Meaning::kQueues) return time_ << kQueueBits | (access & kQueueMask);
    if (access == 0) return Initial();
    return time_ << 8 | Incremented(DecayedFrequency(access), random);
  }

  // Writes only what changed: a hot entry under LRU is written once a second, and its cache line
  // stays clean for the rest of it.
  void Touch(Entry& entry, Random& random) const {
    const uint32_t access = entry.access();
    const uint32_t touched = Touched(access, random);
    if (touched != access) entry.set_access(touched);
  }

  // Whether an entry with these bits has been accessed since it came.
  static bool EverTouched(uint32_t access) { return access > kQueueMask; }

  // The bits of an entry that has been idle for so long. REQUIRES: !counts().
  uint32_t OfIdleSeconds(int64_t seconds) const {
    if (shares_bits()) {
      const auto known = static_cast<uint32_t>(std::min<int64_t>(seconds, kShortMask - 1));
      return std::max((time_ - known) & kShortMask, 1u) << kQueueBits;
    }
    // What is longer ago than the bits can say was half of that ago, as in Redis.
    const int64_t time = int64_t{time_} - seconds;
    if (time < 0) return (time_ + (kAccessMask + 1) / 2) & kAccessMask;
    return static_cast<uint32_t>(time);
  }
  // The bits of an entry with this counter. REQUIRES: counts().
  uint32_t OfFrequency(uint32_t frequency) const { return time_ << 8 | frequency; }

  // Seconds since the last access. REQUIRES: !counts().
  uint32_t IdleSeconds(uint32_t access) const {
    if (shares_bits()) return (time_ - (access >> kQueueBits)) & kShortMask;
    return (time_ - access) & kAccessMask;
  }

  // The same whatever the bits mean; where they count, to the minute.
  int64_t SecondsSinceAccess(uint32_t access) const {
    if (!counts()) return IdleSeconds(access);
    return int64_t{(time_ - (access >> 8)) & kMinuteMask} * 60;
  }

  // The counter as it stands now, decayed but not incremented. REQUIRES: counts().
  uint32_t DecayedFrequency(uint32_t access) const {
    const uint32_t frequency = access & kMaxFrequency;
    const uint32_t elapsed = (time_ - (access >> 8)) & kMinuteMask;
    if (elapsed == 0 || decay_minutes_ <= 0) [[likely]]
      return frequency;
    const uint32_t lost = elapsed / static_cast<uint32_t>(decay_minutes_);
    return lost > frequency ? 0 : frequency - lost;
  }

 private:
  enum class Meaning : uint8_t { kSeconds, kFrequency, kQueues };

  static constexpr uint32_t kAccessMask = (1u << 24) - 1;
  static constexpr uint32_t kMinuteMask = (1u << 16) - 1;
  static constexpr int kQueueBits = 4;
  static constexpr uint32_t kQueueMask = (1u << kQueueBits) - 1;
  static constexpr uint32_t kShortMask = kAccessMask >> kQueueBits;

  static constexpr Meaning MeaningUnder(EvictionPolicy policy) {
    if (UsesQueues(policy)) return Meaning::kQueues;
    return TracksFrequency(policy) ? Meaning::kFrequency : Meaning::kSeconds;
  }

  // The higher the counter, the less likely it grows: one in (counter - 5) * lfu-log-factor + 1.
  uint32_t Incremented(uint32_t frequency, Random& random) const {
    if (frequency >= kMaxFrequency) return kMaxFrequency;
    if (frequency <= kInitialFrequency || log_factor_ <= 0) return frequency + 1;
    const uint64_t odds =
        uint64_t{frequency - kInitialFrequency} * static_cast<uint64_t>(log_factor_) + 1;
    return frequency + (random.Uniform(odds) == 0 ? 1 : 0);
  }

  int log_factor_ = 10;
  int decay_minutes_ = 1;
  Meaning meaning_ = Meaning::kSeconds;
  bool ignores_reads_ = false;
  uint32_t time_ = 0;  // In seconds or minutes, as meaning_ says; wrapped.
};

}  // namespace larder
