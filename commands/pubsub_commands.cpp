// Publish and subscribe. A subscription is confirmed by a message for each name, in place of a
// reply; what is published later comes in between replies, or as pushes in RESP3.

#include <string>
#include <vector>

#include "commands/command_context.h"
#include "commands/families.h"
#include "commands/help_reply.h"

namespace larder {
namespace {

// What a kind of subscription is called in messages.
struct KindNames {
  std::string_view subscribe;
  std::string_view unsubscribe;
};

KindNames NamesOf(ChannelKind kind) {
  switch (kind) {
    case ChannelKind::kChannel:
      return {"subscribe", "unsubscribe"};
    case ChannelKind::kPattern:
      return {"psubscribe", "punsubscribe"};
    case ChannelKind::kShardChannel:
      break;
  }
  return {"ssubscribe", "sunsubscribe"};
}

// What a message of confirmation counts: channels and patterns together, sharded ones apart.
int64_t SubscriptionCount(const Client& client, ChannelKind kind) {
  if (client.subscriptions == nullptr) return 0;
  const SubscriptionState& state = *client.subscriptions;
  if (kind == ChannelKind::kShardChannel) return static_cast<int64_t>(state.shard_channels.size());
  return static_cast<int64_t>(state.channels.size() + state.patterns.size());
}

void SubscribeTo(CommandContext& ctx, ChannelKind kind) {
  for (size_t i = 1; i < ctx.argc(); ++i) {
    ctx.server().pubsub().Subscribe(ctx.client(), kind, ctx.arg(i));
    ctx.reply().Push(3);
    ctx.reply().Bulk(NamesOf(kind).subscribe);
    ctx.reply().Bulk(ctx.arg(i));
    ctx.reply().Integer(SubscriptionCount(ctx.client(), kind));
  }
}

void UnsubscribeFrom(CommandContext& ctx, ChannelKind kind, std::string_view name) {
  ctx.server().pubsub().Unsubscribe(ctx.client(), kind, name);
  ctx.reply().Push(3);
  ctx.reply().Bulk(NamesOf(kind).unsubscribe);
  ctx.reply().Bulk(name);
  ctx.reply().Integer(SubscriptionCount(ctx.client(), kind));
}

std::vector<std::string> AllNames(const Client& client, ChannelKind kind) {
  if (client.subscriptions == nullptr) return {};
  const SubscriptionState& state = *client.subscriptions;
  const auto& names = kind == ChannelKind::kChannel   ? state.channels
                      : kind == ChannelKind::kPattern ? state.patterns
                                                      : state.shard_channels;
  return {names.begin(), names.end()};
}

void UnsubscribeFromAll(CommandContext& ctx, ChannelKind kind) {
  const std::vector<std::string> names = AllNames(ctx.client(), kind);
  for (const std::string& name : names) UnsubscribeFrom(ctx, kind, name);
  if (!names.empty()) return;
  ctx.reply().Push(3);
  ctx.reply().Bulk(NamesOf(kind).unsubscribe);
  ctx.reply().Null();
  ctx.reply().Integer(SubscriptionCount(ctx.client(), kind));
}

template <ChannelKind kKind>
void Subscribe(CommandContext& ctx) {
  SubscribeTo(ctx, kKind);
}

template <ChannelKind kKind>
void Unsubscribe(CommandContext& ctx) {
  if (ctx.argc() == 1) return UnsubscribeFromAll(ctx, kKind);
  for (size_t i = 1; i < ctx.argc(); ++i) UnsubscribeFrom(ctx, kKind, ctx.arg(i));
}

template <ChannelKind kKind>
void Publish(CommandContext& ctx) {
  ctx.reply().Integer(ctx.server().pubsub().Publish(kKind, ctx.arg(1), ctx.arg(2), &ctx.client()));
}

template <ChannelKind kKind>
void Channels(CommandContext& ctx) {
  if (ctx.argc() > 3) {
    return ctx.reply().Error(
        error_text::UnknownSubcommandOrArity(ctx.arg(1), ctx.command().container()->full_name()));
  }
  const std::vector<std::string> names =
      ctx.server().pubsub().Channels(kKind, ctx.argc() == 3 ? ctx.arg(2) : "*");
  ctx.reply().Array(names.size());
  for (const std::string& name : names) ctx.reply().Bulk(name);
}

template <ChannelKind kKind>
void NumSub(CommandContext& ctx) {
  ctx.reply().Array((ctx.argc() - 2) * 2);
  for (size_t i = 2; i < ctx.argc(); ++i) {
    ctx.reply().Bulk(ctx.arg(i));
    ctx.reply().Integer(ctx.server().pubsub().Subscribers(kKind, ctx.arg(i)));
  }
}

void NumPat(CommandContext& ctx) { ctx.reply().Integer(ctx.server().pubsub().PatternCount()); }

void Help(CommandContext& ctx) {
  static constexpr std::string_view kLines[] = {
      "CHANNELS [<pattern>]",
      "    Return the currently active channels matching a <pattern> (default: '*').",
      "NUMPAT",
      "    Return number of subscriptions to patterns.",
      "NUMSUB [<channel> ...]",
      "    Return the number of subscribers for the specified channels, excluding",
      "    pattern subscriptions(default: no channels).",
      "SHARDCHANNELS [<pattern>]",
      "    Return the currently active shard level channels matching a <pattern> (default: '*').",
      "SHARDNUMSUB [<shardchannel> ...]",
      "    Return the number of subscribers for the specified shard level channel(s)",
  };
  ReplyHelp(ctx, kLines);
}

constexpr ChannelKind kPlain = ChannelKind::kChannel;
constexpr ChannelKind kByPattern = ChannelKind::kPattern;
constexpr ChannelKind kSharded = ChannelKind::kShardChannel;

constexpr uint32_t kInspecting = kPubSubFlag | kLoading | kStale;
constexpr uint32_t kSubscribing = kInspecting | kNoScript | kRunsInPubSub;
constexpr uint32_t kPublishing = kInspecting | kFast | kMayReplicate;

// clang-format off
constexpr CommandSpec kPubSubSubcommands[] = {
    // name           arity  flags             keys     ACL       handler             since    cost    summary
    {"channels",        -2,  kInspecting,      kNoKeys, kAclNone, &Channels<kPlain>,  "2.8.0", "O(N) for N channels",
     "Lists the channels that somebody is subscribed to.", "[pattern]"},
    {"help",             2,  kLoading | kStale, kNoKeys, kAclNone, &Help,             "6.2.0", "O(1)",
     "Describes the subcommands."},
    {"numpat",           2,  kInspecting,      kNoKeys, kAclNone, &NumPat,            "2.8.0", "O(1)",
     "Counts the patterns that somebody is subscribed to."},
    {"numsub",          -2,  kInspecting,      kNoKeys, kAclNone, &NumSub<kPlain>,    "2.8.0", "O(N) for N channels named",
     "Counts the subscribers of channels.", "[channel ...]"},
    {"shardchannels",   -2,  kInspecting,      kNoKeys, kAclNone, &Channels<kSharded>, "7.0.0", "O(N) for N sharded channels",
     "Lists the sharded channels that somebody is subscribed to.", "[pattern]"},
    {"shardnumsub",     -2,  kInspecting,      kNoKeys, kAclNone, &NumSub<kSharded>,  "7.0.0", "O(N) for N sharded channels named",
     "Counts the subscribers of sharded channels.", "[shardchannel ...]"},
};

constexpr CommandSpec kPubSubCommands[] = {
    // name          arity  flags         keys                          ACL       handler                  since    cost    summary
    {"psubscribe",     -2,  kSubscribing, kNoKeys,                      kAclNone, &Subscribe<kByPattern>,  "2.0.0", "O(N) for N patterns of the client",
     "Subscribes to all channels that match the patterns.", "pattern [pattern ...]"},
    {"publish",         3,  kPublishing,  kNoKeys,                      kAclNone, &Publish<kPlain>,        "2.0.0", "O(N+M) for N subscribers and M patterns of all clients",
     "Sends a message to the subscribers of a channel.", "channel message"},
    {"pubsub",         -2,  0,            kNoKeys,                      kAclNone, nullptr,                 "2.8.0", "Depends on the subcommand",
     "Tells who is subscribed to what.", "", {.subcommands = kPubSubSubcommands}},
    {"punsubscribe",   -1,  kSubscribing, kNoKeys,                      kAclNone, &Unsubscribe<kByPattern>, "2.0.0", "O(N) for N patterns given",
     "Ends subscriptions to patterns; without any, to all.", "[pattern [pattern ...]]"},
    {"spublish",        3,  kPublishing,  Keys(1, 1, 1, kKeyNotKey),    kAclNone, &Publish<kSharded>,      "7.0.0", "O(N) for N subscribers",
     "Sends a message to the subscribers of a sharded channel.", "shardchannel message"},
    {"ssubscribe",     -2,  kSubscribing, Keys(1, -1, 1, kKeyNotKey),   kAclNone, &Subscribe<kSharded>,    "7.0.0", "O(N) for N channels given",
     "Subscribes to sharded channels.", "shardchannel [shardchannel ...]"},
    {"subscribe",      -2,  kSubscribing, kNoKeys,                      kAclNone, &Subscribe<kPlain>,      "2.0.0", "O(N) for N channels given",
     "Subscribes to channels.", "channel [channel ...]"},
    {"sunsubscribe",   -1,  kSubscribing, Keys(1, -1, 1, kKeyNotKey),   kAclNone, &Unsubscribe<kSharded>,  "7.0.0", "O(N) for N channels given",
     "Ends subscriptions to sharded channels; without any, to all.", "[shardchannel [shardchannel ...]]"},
    {"unsubscribe",    -1,  kSubscribing, kNoKeys,                      kAclNone, &Unsubscribe<kPlain>,    "2.0.0", "O(N) for N channels given",
     "Ends subscriptions to channels; without any, to all.", "[channel [channel ...]]"},
};
// clang-format on
static_assert(IsWellFormed(kPubSubCommands));

}  // namespace

constinit const CommandFamily kPubSubFamily = {"pubsub", kPubSubCommands};

}  // namespace larder
