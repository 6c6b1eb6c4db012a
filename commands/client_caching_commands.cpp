// CLIENT's subcommands for client-side caching. What is asked for is kept with the client
// (commands/client_tracking.h); who has to be told of a change is the server's affair.

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/text.h"
#include "commands/argument_parsers.h"
#include "commands/client_handlers.h"
#include "commands/client_tracking.h"
#include "commands/command_context.h"

namespace larder {
namespace {

using Mode = TrackingState::Mode;

struct TrackingOptions {
  std::optional<uint64_t> redirect;
  bool broadcast = false;
  bool opt_in = false;
  bool opt_out = false;
  bool no_loop = false;
  std::vector<std::string_view> prefixes;
};

// The client to redirect to, which has to be connected now.
bool ParseRedirect(CommandContext& ctx, size_t arg, TrackingOptions& options) {
  if (options.redirect) {
    ctx.reply().Error(error_text::kSecondRedirect);
    return false;
  }
  int64_t id = 0;
  if (!ParseInteger(ctx, arg, id)) return false;
  if (id <= 0 || ctx.server().clients().Find(static_cast<uint64_t>(id)) == nullptr) {
    ctx.reply().Error(error_text::kNoSuchRedirect);
    return false;
  }
  options.redirect = static_cast<uint64_t>(id);
  return true;
}

bool ParseOptions(CommandContext& ctx, TrackingOptions& options) {
  for (size_t i = 3; i < ctx.argc(); ++i) {
    const bool has_value = i + 1 < ctx.argc();
    if (EqualsIgnoreCase(ctx.arg(i), "redirect") && has_value) {
      if (!ParseRedirect(ctx, ++i, options)) return false;
    } else if (EqualsIgnoreCase(ctx.arg(i), "bcast")) {
      options.broadcast = true;
    } else if (EqualsIgnoreCase(ctx.arg(i), "optin")) {
      options.opt_in = true;
    } else if (EqualsIgnoreCase(ctx.arg(i), "optout")) {
      options.opt_out = true;
    } else if (EqualsIgnoreCase(ctx.arg(i), "noloop")) {
      options.no_loop = true;
    } else if (EqualsIgnoreCase(ctx.arg(i), "prefix") && has_value) {
      options.prefixes.push_back(ctx.arg(++i));
    } else {
      ctx.reply().Error(error_text::kSyntax);
      return false;
    }
  }
  return true;
}

bool Overlap(std::string_view a, std::string_view b) {
  return a.starts_with(b) || b.starts_with(a);
}

// A key must not have two of the client's prefixes, or the client would hear of it twice. Empty if
// the new ones fit to each other and to those it has.
std::string PrefixCollision(const TrackingState* state, const TrackingOptions& options) {
  const auto text = [](std::string_view prefix, std::string_view which, std::string_view other) {
    return absl::StrCat("ERR Prefix '", AsAbsl(prefix), "' overlaps with ", AsAbsl(which),
                        " prefix '", AsAbsl(other),
                        "'. Prefixes for a single client must not overlap.");
  };
  for (size_t i = 0; i < options.prefixes.size(); ++i) {
    if (state != nullptr) {
      for (const std::string& existing : state->prefixes) {
        if (Overlap(options.prefixes[i], existing)) {
          return text(options.prefixes[i], "an existing", existing);
        }
      }
    }
    for (size_t j = i + 1; j < options.prefixes.size(); ++j) {
      if (Overlap(options.prefixes[i], options.prefixes[j])) {
        return text(options.prefixes[i], "another provided", options.prefixes[j]);
      }
    }
  }
  return {};
}

// What is wrong with the options, by themselves and with the mode that the client is in (`state`,
// null if it does not track); empty if nothing.
std::string Contradiction(const TrackingState* state, const TrackingOptions& options) {
  const auto text = [](std::string_view error) { return std::string(error); };
  if (!options.broadcast && !options.prefixes.empty()) {
    return text(error_text::kPrefixNeedsBroadcast);
  }
  if (state != nullptr && state->broadcast != options.broadcast) {
    return text(error_text::kBroadcastSwitch);
  }
  if (options.broadcast && (options.opt_in || options.opt_out)) {
    return text(error_text::kOptWithBroadcast);
  }
  if (options.opt_in && options.opt_out) return text(error_text::kOptInAndOptOut);
  if (state != nullptr && ((options.opt_in && state->mode == Mode::kOptOut) ||
                           (options.opt_out && state->mode == Mode::kOptIn))) {
    return text(error_text::kOptSwitch);
  }
  return options.broadcast ? PrefixCollision(state, options) : std::string();
}

void ApplyOptions(const TrackingOptions& options, TrackingState& state) {
  state.mode = options.opt_in ? Mode::kOptIn : options.opt_out ? Mode::kOptOut : Mode::kDefault;
  state.broadcast = options.broadcast;
  state.no_loop = options.no_loop;
  state.redirect_client = static_cast<int64_t>(options.redirect.value_or(0));
  // Prefixes add up; without any, every key is meant.
  state.prefixes.insert(state.prefixes.end(), options.prefixes.begin(), options.prefixes.end());
  if (options.broadcast && options.prefixes.empty()) state.prefixes.emplace_back();
  std::sort(state.prefixes.begin(), state.prefixes.end());
  state.prefixes.erase(std::unique(state.prefixes.begin(), state.prefixes.end()),
                       state.prefixes.end());
  state.prefix_bytes = 0;
  for (const std::string& prefix : state.prefixes) state.prefix_bytes += prefix.size();
}

// Broadcasts need to know of every change in every shard, and no longer when the last one ends.
void UpdateAllObserved(CommandContext& ctx) {
  ctx.ForEachShard([&](Shard& shard) {
    ctx.server().UpdateObserved(shard.id());
    return true;
  });
}

void SwitchOn(CommandContext& ctx, const TrackingOptions& options) {
  Client& client = ctx.client();
  if (client.tracking == nullptr) client.tracking = std::make_unique<TrackingState>();
  TrackingState& state = *client.tracking;
  ApplyOptions(options, state);
  client.Set(kClientTracking);
  client.Set(kClientTrackingBroadcast, state.broadcast);
  client.record->redirect_client.store(state.redirect_client, std::memory_order_relaxed);
  ctx.server().tracking().Enable(client);
  if (state.broadcast) UpdateAllObserved(ctx);
}

void SwitchOff(CommandContext& ctx) {
  const bool broadcast = ctx.client().Is(kClientTrackingBroadcast);
  StopTracking(ctx.client(), ctx.server().tracking());
  if (broadcast) UpdateAllObserved(ctx);
}

// What CLIENT TRACKINGINFO calls flags.
std::vector<std::string_view> InfoFlags(const Client& client) {
  if (client.tracking == nullptr) return {"off"};
  const TrackingState& state = *client.tracking;
  std::vector<std::string_view> flags = {"on"};
  if (state.broadcast) flags.emplace_back("bcast");
  if (state.mode == Mode::kOptIn) {
    flags.emplace_back("optin");
    if (state.caching_given) flags.emplace_back("caching-yes");
  }
  if (state.mode == Mode::kOptOut) {
    flags.emplace_back("optout");
    if (state.caching_given) flags.emplace_back("caching-no");
  }
  if (state.no_loop) flags.emplace_back("noloop");
  if (client.record->redirect_broken.load(std::memory_order_relaxed)) {
    flags.emplace_back("broken_redirect");
  }
  return flags;
}

int64_t RedirectOf(const Client& client) {
  return client.tracking == nullptr ? -1 : client.tracking->redirect_client;
}

}  // namespace

void ClientTrackingOnOff(CommandContext& ctx) {
  TrackingOptions options;
  if (!ParseOptions(ctx, options)) return;
  if (EqualsIgnoreCase(ctx.arg(2), "on")) {
    const std::string error = Contradiction(ctx.client().tracking.get(), options);
    if (!error.empty()) return ctx.reply().Error(error);
    SwitchOn(ctx, options);
  } else if (EqualsIgnoreCase(ctx.arg(2), "off")) {
    SwitchOff(ctx);
  } else {
    return ctx.reply().Error(error_text::kSyntax);
  }
  ctx.reply().Ok();
}

void ClientCaching(CommandContext& ctx) {
  TrackingState* const state = ctx.client().tracking.get();
  if (state == nullptr) return ctx.reply().Error(error_text::kCachingWithoutTracking);
  const bool yes = EqualsIgnoreCase(ctx.arg(2), "yes");
  if (!yes && !EqualsIgnoreCase(ctx.arg(2), "no")) return ctx.reply().Error(error_text::kSyntax);
  if (yes && state->mode != Mode::kOptIn) {
    return ctx.reply().Error(error_text::kCachingYesNeedsOptIn);
  }
  if (!yes && state->mode != Mode::kOptOut) {
    return ctx.reply().Error(error_text::kCachingNoNeedsOptOut);
  }
  state->caching_given = true;
  state->caching_yes = yes;
  state->caching_family = ctx.command().container();
  ctx.reply().Ok();
}

void ClientGetRedir(CommandContext& ctx) { ctx.reply().Integer(RedirectOf(ctx.client())); }

void ClientTrackingInfo(CommandContext& ctx) {
  ReplyWriter& reply = ctx.reply();
  const Client& client = ctx.client();
  reply.Map(3);
  reply.Bulk("flags");
  const std::vector<std::string_view> flags = InfoFlags(client);
  reply.Set(flags.size());
  for (const std::string_view flag : flags) reply.Bulk(flag);
  reply.Bulk("redirect");
  reply.Integer(RedirectOf(client));
  reply.Bulk("prefixes");
  if (client.tracking == nullptr) return reply.Array(0);
  reply.Array(client.tracking->prefixes.size());
  for (const std::string& prefix : client.tracking->prefixes) reply.Bulk(prefix);
}

}  // namespace larder
