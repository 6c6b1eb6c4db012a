// A consumer group of a stream: how far it has read, who reads for it, and which entries are
// pending, that is delivered to a consumer and not yet acknowledged.
//
// An entry is pending once in the group, with everything that is known about its delivery, and
// once, as a mere ID, in its consumer; so neither list needs an allocation an entry.
//
// All that it occupies is counted in the number that it is created with.
//
// Concurrency: as the stream, shard-guarded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string_view>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "base/clock.h"
#include "storage/counting_allocator.h"
#include "storage/stream_id.h"

namespace larder {

class StreamConsumer {
 public:
  using PendingIds = absl::btree_set<StreamId, std::less<StreamId>, CountingAllocator<StreamId>>;

  std::string_view name() const { return {name_, name_size_}; }
  const PendingIds& pending() const { return pending_; }

  UnixMillis seen_time;  // When it last asked for something.

 private:
  friend class StreamGroup;
  StreamConsumer(size_t* bytes, std::string_view name, UnixMillis now);
  ~StreamConsumer();
  StreamConsumer(const StreamConsumer&) = delete;
  StreamConsumer& operator=(const StreamConsumer&) = delete;

  char* name_;
  uint32_t name_size_;
  PendingIds pending_;
};

// One delivery.
struct PendingEntry {
  static constexpr uint64_t kMostDeliveries = std::numeric_limits<int64_t>::max();

  UnixMillis delivered_at = 0;
  uint64_t deliveries = 0;
  StreamConsumer* consumer = nullptr;  // Null: given back by whom it was delivered to (XNACK).

  // Not beyond the most, which XNACK gives to what nobody should try again.
  void CountDelivery() {
    if (deliveries < kMostDeliveries) ++deliveries;
  }
};

class StreamGroup {
 public:
  using Pending = absl::btree_map<StreamId, PendingEntry, std::less<StreamId>,
                                  CountingAllocator<std::pair<const StreamId, PendingEntry>>>;
  // By name.
  using Consumers =
      absl::btree_map<std::string_view, StreamConsumer*, std::less<std::string_view>,
                      CountingAllocator<std::pair<const std::string_view, StreamConsumer*>>>;

  // That it is not known how many entries were read.
  static constexpr int64_t kUnknownRead = -1;

  static StreamGroup* Create(size_t* bytes, std::string_view name);
  static void Destroy(StreamGroup* group);
  StreamGroup(const StreamGroup&) = delete;
  StreamGroup& operator=(const StreamGroup&) = delete;

  std::string_view name() const { return {name_, name_size_}; }
  StreamGroup* Clone(size_t* bytes) const;

  // ---- Consumers.
  const Consumers& consumers() const { return consumers_; }
  StreamConsumer* FindConsumer(std::string_view name) const;
  // REQUIRES: there is none of that name.
  StreamConsumer& AddConsumer(std::string_view name, UnixMillis now);
  // With all that is pending for it.
  void RemoveConsumer(StreamConsumer* consumer);

  // ---- Pending entries.
  const Pending& pending() const { return pending_; }
  // How many of them no consumer has. Looks at each consumer.
  size_t CountOwnerless() const;
  // Null if it is not pending.
  // To change what is known of the delivery, but not its consumer: Deliver does that.
  PendingEntry* FindPending(StreamId id);
  const PendingEntry* FindPending(StreamId id) const;
  // Makes the entry pending for `delivery.consumer`, or nobody if that is null, whoever it was
  // pending for until now.
  void Deliver(StreamId id, const PendingEntry& delivery);
  // False if it was not pending.
  bool Acknowledge(StreamId id);

  StreamId last_id;                     // The last entry that was delivered to anybody.
  int64_t entries_read = kUnknownRead;  // How many the stream ever had up to there.

 private:
  StreamGroup(size_t* bytes, std::string_view name);
  ~StreamGroup();

  size_t* bytes_;
  char* name_;
  uint32_t name_size_;
  Pending pending_;
  Consumers consumers_;
};

}  // namespace larder
