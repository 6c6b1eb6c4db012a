// What a stream remembers of the messages that its producers gave names to: which entry each has
// become, so that a message that is sent twice is added once.
//
// A name means something within its producer only. It is forgotten once its entry is older than
// the limits say, and the oldest of a producer's once it has more than they allow. Age is what the
// entries' IDs tell, so that no times are kept. What has expired is unknown at once, but is freed a
// few at a time whenever a message is recorded: no command pays for the silence of many producers.
//
// A name outlives its entry: the message has been added, and being deleted is no reason for it to
// come again. It does not outlive the value, though, nor travel with it: the serialized form (DUMP,
// snapshots) is that of Redis 7.0, which has no place for it.
//
// All that it occupies is counted in the number that it is created with.
//
// Concurrency: as the stream, shard-guarded.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "base/clock.h"
#include "storage/counting_allocator.h"
#include "storage/stream_id.h"

namespace larder {

class StreamIdempotence {
 public:
  struct Limits {
    std::chrono::seconds duration{100};
    size_t max_size = 100;  // Messages of one producer; positive.

    friend bool operator==(const Limits&, const Limits&) = default;
  };
  struct Tracked {
    size_t producers = 0;
    size_t messages = 0;
  };

  static StreamIdempotence* Create(size_t* bytes);
  static void Destroy(StreamIdempotence* idempotence);
  StreamIdempotence(const StreamIdempotence&) = delete;
  StreamIdempotence& operator=(const StreamIdempotence&) = delete;
  StreamIdempotence* Clone(size_t* bytes) const;

  const Limits& limits() const { return limits_; }
  // Everything is forgotten if they are not what they were.
  void SetLimits(const Limits& limits);

  // What the message has become; nothing if it is not known, or not any more.
  std::optional<StreamId> Find(std::string_view producer, std::string_view name,
                               UnixMillis now) const;
  // REQUIRES: Find does not find it.
  void Record(std::string_view producer, std::string_view name, StreamId id, UnixMillis now);
  void CountDuplicate() { ++duplicates_; }

  // What is known now, expired messages not counted. Looks at each producer.
  Tracked CountTracked(UnixMillis now) const;
  // How many messages occupy memory.
  size_t size() const { return by_age_.size(); }
  // In the stream's life.
  uint64_t added() const { return added_; }
  uint64_t duplicates() const { return duplicates_; }

 private:
  struct Producer;
  struct Message;
  struct ByName {
    using is_transparent = void;
    bool operator()(const Message* a, const Message* b) const;
    bool operator()(const Message* a, std::string_view b) const;
    bool operator()(std::string_view a, const Message* b) const;
  };
  struct ByAge {  // The oldest entry first.
    bool operator()(const Message* a, const Message* b) const;
  };
  using MessagesByName = absl::btree_set<Message*, ByName, CountingAllocator<Message*>>;
  using MessagesByAge = absl::btree_set<Message*, ByAge, CountingAllocator<Message*>>;
  using Producers =
      absl::btree_map<std::string_view, Producer*, std::less<std::string_view>,
                      CountingAllocator<std::pair<const std::string_view, Producer*>>>;

  explicit StreamIdempotence(size_t* bytes);
  ~StreamIdempotence() { Clear(); }

  Message* FindMessage(std::string_view producer, std::string_view name) const;
  Producer& UsableProducer(std::string_view name);
  void Add(Producer& producer, std::string_view name, StreamId id);
  // With its producer, if it was the last one.
  void Forget(Message* message);
  void Clear();
  bool IsExpired(const Message& message, UnixMillis now) const;

  size_t* bytes_;
  Limits limits_;
  Producers producers_;   // By name; each has messages.
  MessagesByAge by_age_;  // Of all producers.
  uint64_t added_ = 0;
  uint64_t duplicates_ = 0;
};

}  // namespace larder
