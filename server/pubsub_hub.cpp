#include "server/pubsub_hub.h"

#include <optional>
#include <utility>

#include "base/glob.h"
#include "server/push_message.h"

namespace larder {
namespace {

using NameSet = absl::flat_hash_set<std::string, TextHash, TextEqual>;

NameSet& NamesOf(SubscriptionState& state, ChannelKind kind) {
  switch (kind) {
    case ChannelKind::kChannel:
      return state.channels;
    case ChannelKind::kPattern:
      return state.patterns;
    case ChannelKind::kShardChannel:
      break;
  }
  return state.shard_channels;
}

// Tells the other threads, and the dispatcher, how many subscriptions the client has now.
void PublishCounts(Client& client) {
  const SubscriptionState& state = *client.subscriptions;
  ClientRecord& record = *client.record;
  record.channels.store(static_cast<int32_t>(state.channels.size()), std::memory_order_relaxed);
  record.patterns.store(static_cast<int32_t>(state.patterns.size()), std::memory_order_relaxed);
  record.shard_channels.store(static_cast<int32_t>(state.shard_channels.size()),
                              std::memory_order_relaxed);
  const bool any =
      !state.channels.empty() || !state.patterns.empty() || !state.shard_channels.empty();
  client.Set(kClientPubSub, any);
  if (!any) client.subscriptions.reset();
}

}  // namespace

bool PubSubHub::Subscribe(Client& client, ChannelKind kind, std::string_view name) {
  if (client.subscriptions == nullptr) {
    client.subscriptions = std::make_unique<SubscriptionState>();
  }
  if (!NamesOf(*client.subscriptions, kind).emplace(name).second) return false;
  client.subscriptions->name_bytes += name.size();
  PublishCounts(client);
  Enter(client, kind, name);
  return true;
}

bool PubSubHub::Unsubscribe(Client& client, ChannelKind kind, std::string_view name) {
  if (client.subscriptions == nullptr) return false;
  NameSet& names = NamesOf(*client.subscriptions, kind);
  const auto it = names.find(name);
  if (it == names.end()) return false;
  Leave(client.id(), kind, name);
  // Messages that were on their way have to come before the confirmation: after it, a RESP2 client
  // would take them for the reply of its next command.
  directory_.DrainDeliveries(client.record->worker);
  client.subscriptions->name_bytes -= it->size();
  names.erase(it);
  PublishCounts(client);
  return true;
}

void PubSubHub::UnsubscribeAll(Client& client) {
  if (client.subscriptions == nullptr) return;
  for (const ChannelKind kind :
       {ChannelKind::kChannel, ChannelKind::kPattern, ChannelKind::kShardChannel}) {
    NameSet names = std::move(NamesOf(*client.subscriptions, kind));
    NamesOf(*client.subscriptions, kind).clear();
    for (const std::string& name : names) Leave(client.id(), kind, name);
  }
  directory_.DrainDeliveries(client.record->worker);
  PublishCounts(client);
}

void PubSubHub::Enter(const Client& client, ChannelKind kind, std::string_view name) {
  if (kind == ChannelKind::kPattern) {
    MutexLock lock(patterns_mu_);
    patterns_[name].emplace(client.id(), client.record);
    pattern_count_.store(static_cast<int64_t>(patterns_.size()), std::memory_order_relaxed);
    return;
  }
  Stripe& stripe = StripeOf(name);
  MutexLock lock(stripe.mu);
  stripe.Of(kind)[name].emplace(client.id(), client.record);
}

void PubSubHub::Leave(uint64_t client_id, ChannelKind kind, std::string_view name) {
  const auto leave = [&](ChannelMap& channels) {
    const auto it = channels.find(name);
    if (it == channels.end()) return;
    it->second.erase(client_id);
    if (it->second.empty()) channels.erase(it);
  };
  if (kind == ChannelKind::kPattern) {
    MutexLock lock(patterns_mu_);
    leave(patterns_);
    pattern_count_.store(static_cast<int64_t>(patterns_.size()), std::memory_order_relaxed);
    return;
  }
  Stripe& stripe = StripeOf(name);
  MutexLock lock(stripe.mu);
  leave(stripe.Of(kind));
}

int64_t PubSubHub::Publish(ChannelKind kind, std::string_view channel, std::string_view message,
                           Client* /*publisher*/) {
  // A publisher that is a subscriber needs nothing special: its own thread delivers at once, which
  // is before the reply.
  Stripe& stripe = StripeOf(channel);
  MutexLock lock(stripe.mu);
  int64_t receivers = 0;
  const ChannelMap& channels = stripe.Of(kind);
  if (const auto it = channels.find(channel); it != channels.end()) {
    const std::string_view parts[] = {kind == ChannelKind::kShardChannel ? "smessage" : "message",
                                      channel, message};
    receivers = DeliverToAll(it->second, parts);
  }
  if (kind == ChannelKind::kChannel && PatternCount() > 0) {
    receivers += DeliverToPatterns(channel, message);
  }
  return receivers;
}

int64_t PubSubHub::DeliverToPatterns(std::string_view channel, std::string_view message) {
  MutexLock lock(patterns_mu_);
  int64_t receivers = 0;
  for (const auto& [pattern, subscribers] : patterns_) {
    if (!GlobMatch(pattern, channel)) continue;
    const std::string_view parts[] = {"pmessage", pattern, channel, message};
    receivers += DeliverToAll(subscribers, parts);
  }
  return receivers;
}

int64_t PubSubHub::DeliverToAll(const SubscriberMap& subscribers,
                                std::span<const std::string_view> parts) {
  const PushMessage message = MakePushMessage(parts);
  int64_t receivers = 0;
  for (const auto& [id, record] : subscribers) {
    if (record->killed.load(std::memory_order_relaxed)) continue;
    directory_.Deliver(*record, message.resp2, message.resp3);
    ++receivers;
  }
  return receivers;
}

std::vector<std::string> PubSubHub::Channels(ChannelKind kind, std::string_view glob) const {
  const bool all = glob == "*";  // Alone it means all, the one without a name, too.
  std::vector<std::string> names;
  for (const Stripe& stripe : stripes_) {
    MutexLock lock(stripe.mu);
    for (const auto& [name, subscribers] : stripe.Of(kind)) {
      if (all || GlobMatch(glob, name)) names.push_back(name);
    }
  }
  return names;
}

int64_t PubSubHub::ChannelCount(ChannelKind kind) const {
  size_t count = 0;
  for (const Stripe& stripe : stripes_) {
    MutexLock lock(stripe.mu);
    count += stripe.Of(kind).size();
  }
  return static_cast<int64_t>(count);
}

int64_t PubSubHub::Subscribers(ChannelKind kind, std::string_view channel) const {
  const Stripe& stripe = StripeOf(channel);
  MutexLock lock(stripe.mu);
  const ChannelMap& channels = stripe.Of(kind);
  const auto it = channels.find(channel);
  return it == channels.end() ? 0 : static_cast<int64_t>(it->second.size());
}

}  // namespace larder
