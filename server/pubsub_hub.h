// Who is subscribed to what, and the way of a message to all of them.
//
// Channels lie in stripes by their hash, each with a lock of its own. A message is handed to all
// its subscribers' threads with the lock of its channel's stripe held, which gives the messages of
// one channel one order for everybody. Its bytes are built once and shared. While nobody has a
// pattern, publishing looks at none: one relaxed load.
//
// Concurrency: guarded. Subscribe, Unsubscribe and UnsubscribeAll come from the client's own
// thread. Lock order: shards, one stripe, patterns_mu_, then the locks of the directory and its
// hosts.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/mutex.h"
#include "base/text.h"
#include "commands/services.h"
#include "server/client_directory.h"

namespace larder {

class PubSubHub final : public PubSub {
 public:
  explicit PubSubHub(ClientRegistry& directory) : directory_(directory) {}

  bool Subscribe(Client& client, ChannelKind kind, std::string_view name) override;
  // When it returns, every message that was published to the name before is in the client's output.
  bool Unsubscribe(Client& client, ChannelKind kind, std::string_view name) override;
  void UnsubscribeAll(Client& client) override;
  int64_t Publish(ChannelKind kind, std::string_view channel, std::string_view message,
                  Client* publisher) override;
  std::vector<std::string> Channels(ChannelKind kind, std::string_view glob) const override;
  int64_t Subscribers(ChannelKind kind, std::string_view channel) const override;
  int64_t PatternCount() const override { return pattern_count_.load(std::memory_order_relaxed); }
  // Channels of a kind that somebody is subscribed to, for INFO.
  int64_t ChannelCount(ChannelKind kind) const;

 private:
  using SubscriberMap = absl::flat_hash_map<uint64_t, std::shared_ptr<ClientRecord>>;
  using ChannelMap = TextMap<SubscriberMap>;

  struct alignas(64) Stripe {
    mutable Mutex mu;
    ChannelMap channels ABSL_GUARDED_BY(mu);
    ChannelMap shard_channels ABSL_GUARDED_BY(mu);

    ChannelMap& Of(ChannelKind kind) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
      return kind == ChannelKind::kShardChannel ? shard_channels : channels;
    }
    const ChannelMap& Of(ChannelKind kind) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
      return kind == ChannelKind::kShardChannel ? shard_channels : channels;
    }
  };

  static constexpr size_t kStripes = 64;

  Stripe& StripeOf(std::string_view channel) const {
    return stripes_[TextHash{}(channel) % kStripes];
  }
  void Enter(const Client& client, ChannelKind kind, std::string_view name);
  void Leave(uint64_t client_id, ChannelKind kind, std::string_view name);
  int64_t DeliverToPatterns(std::string_view channel, std::string_view message);
  // Returns to how many; those whose connection is being ended do not count.
  int64_t DeliverToAll(const SubscriberMap& subscribers, std::span<const std::string_view> parts);

  ClientRegistry& directory_;
  mutable std::array<Stripe, kStripes> stripes_;
  mutable Mutex patterns_mu_;
  ChannelMap patterns_ ABSL_GUARDED_BY(patterns_mu_);
  // patterns_.size(), written under its lock. Relaxed: who subscribes while a message is published
  // gets it or does not, either is right.
  std::atomic<int64_t> pattern_count_{0};
};

}  // namespace larder
