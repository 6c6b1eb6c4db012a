// The commands by which a connection introduces itself, tests itself and ends.

#include <limits>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/numbers.h"
#include "base/printed_text.h"
#include "base/text.h"
#include "commands/argument_parsers.h"
#include "commands/authentication.h"
#include "commands/client_name.h"
#include "commands/client_tracking.h"
#include "commands/command_context.h"
#include "commands/families.h"
#include "commands/hash_fieldsets.h"
#include "commands/redis_version.h"
#include "commands/watch.h"

namespace larder {
namespace {

void Auth(CommandContext& ctx) {
  if (ctx.argc() > 3) return ctx.reply().Error(error_text::kSyntax);
  for (size_t i = 1; i < ctx.argc(); ++i) ctx.RedactArg(i);
  std::string_view user = kDefaultUser;
  if (ctx.argc() == 3) {
    user = ctx.arg(1);
  } else if (ctx.settings().requirepass.empty()) {
    // Who names no user believes that there is a password.
    return ctx.reply().Error(error_text::kNoPasswordSet);
  }
  if (!Authenticate(ctx.client(), ctx.settings(), user, ctx.arg(ctx.argc() - 1))) {
    return ctx.reply().Error(error_text::kWrongPass);
  }
  ctx.reply().Ok();
}

void Echo(CommandContext& ctx) { ctx.reply().Bulk(ctx.arg(1)); }

void Ping(CommandContext& ctx) {
  if (ctx.argc() > 2) {
    return ctx.reply().Error(error_text::WrongArity(ctx.command().full_name()));
  }
  if (ctx.client().Is(kClientPubSub) && !ctx.reply().resp3()) {
    // Among messages, a reply has to look like one.
    ctx.reply().Array(2);
    ctx.reply().Bulk("pong");
    return ctx.reply().Bulk(ctx.argc() == 2 ? ctx.arg(1) : "");
  }
  if (ctx.argc() == 1) return ctx.reply().Simple("PONG");
  ctx.reply().Bulk(ctx.arg(1));
}

void Quit(CommandContext& ctx) {
  ctx.client().Set(kClientCloseAfterReply);
  ctx.reply().Ok();
}

void Select(CommandContext& ctx) {
  int64_t index = 0;
  if (!ParseInteger(ctx, 1, index)) return;
  if (index < std::numeric_limits<int32_t>::min() || index > std::numeric_limits<int32_t>::max()) {
    return ctx.reply().Error(error_text::kNotAnInt32);
  }
  if (index < 0 || index >= ctx.settings().databases) {
    return ctx.reply().Error(error_text::kDbOutOfRange);
  }
  ctx.client().db = static_cast<int>(index);
  ctx.reply().Ok();
}

void SetProtocol(CommandContext& ctx, RespVersion version) {
  ctx.client().resp = version;
  ctx.client().record->resp.store(static_cast<int32_t>(version), std::memory_order_relaxed);
  ctx.reply().set_version(version);
}

struct HelloOptions {
  std::optional<RespVersion> version;
  std::optional<std::string_view> user;
  std::string_view password;
  std::optional<std::string_view> name;
};

// False if an error was replied.
bool ParseHello(CommandContext& ctx, HelloOptions& options) {
  if (ctx.argc() == 1) return true;
  int64_t version = 0;
  if (!ParseInteger(ctx, 1, version, error_text::kProtocolNotAnInteger)) return false;
  if (version != 2 && version != 3) {
    ctx.reply().Error(error_text::kNoProto);
    return false;
  }
  options.version = static_cast<RespVersion>(version);
  for (size_t i = 2; i < ctx.argc(); ++i) {
    const size_t left = ctx.argc() - 1 - i;
    if (EqualsIgnoreCase(ctx.arg(i), "AUTH") && left >= 2) {
      options.user = ctx.arg(i + 1);
      options.password = ctx.arg(i + 2);
      ctx.RedactArg(i + 1);
      ctx.RedactArg(i + 2);
      i += 2;
    } else if (EqualsIgnoreCase(ctx.arg(i), "SETNAME") && left >= 1) {
      options.name = ctx.arg(++i);
      if (!IsClientText(*options.name)) {
        ctx.reply().Error(error_text::kBadClientName);
        return false;
      }
    } else {
      ctx.reply().Error(
          absl::StrCat("ERR Syntax error in HELLO option '", AsPrinted(ctx.arg(i)), "'"));
      return false;
    }
  }
  return true;
}

void Hello(CommandContext& ctx) {
  HelloOptions options;
  if (!ParseHello(ctx, options)) return;
  Client& client = ctx.client();
  if (options.user && !Authenticate(client, ctx.settings(), *options.user, options.password)) {
    return ctx.reply().Error(error_text::kWrongPass);
  }
  if (!client.Is(kClientAuthenticated)) return ctx.reply().Error(error_text::kHelloNeedsAuth);
  if (options.name) SetClientName(*client.record, *options.name);
  if (options.version) SetProtocol(ctx, *options.version);

  ReplyWriter& reply = ctx.reply();
  reply.Map(7);
  reply.Bulk("server");
  reply.Bulk("redis");  // Client libraries look for it.
  reply.Bulk("version");
  reply.Bulk(kRedisVersion);
  reply.Bulk("proto");
  reply.Integer(static_cast<int64_t>(client.resp));
  reply.Bulk("id");
  reply.Integer(static_cast<int64_t>(client.id()));
  reply.Bulk("mode");
  reply.Bulk("standalone");
  reply.Bulk("role");
  reply.Bulk("master");
  reply.Bulk("modules");
  reply.Array(0);
}

void Reset(CommandContext& ctx) {
  Client& client = ctx.client();
  DiscardTransaction(client, ctx.server().keyspace(), ctx.server());
  if (client.Is(kClientMonitor)) ctx.server().SetMonitor(client, false);
  StopTracking(client, ctx.server().tracking());
  ctx.server().pubsub().UnsubscribeAll(client);
  client.fieldsets.reset();
  client.db = 0;
  client.Set(kClientReadOnly | kClientNoEvict | kClientNoTouch, false);
  client.reply_mode = ReplyMode::kOn;
  SetClientName(*client.record, "");  // The library's name stays: it is still the same library.
  SetProtocol(ctx, RespVersion::kResp2);
  ResetAuthentication(client, ctx.settings());
  ctx.reply().Simple("RESET");
}

constexpr uint32_t kHandshake = kNoScript | kLoading | kStale | kFast | kNoAuth | kAllowBusy;
constexpr uint32_t kAnytime = kLoading | kStale | kFast;

// clang-format off
constexpr CommandSpec kConnectionCommands[] = {
    // name    arity  flags                    keys     ACL             handler  since    cost    summary
    {"auth",    -2,   kHandshake,              kNoKeys, kAclConnection, &Auth,   "1.0.0", "O(N) for N passwords of the user",
     "Authenticates the connection.", "[username] password", {.history = "6.0.0: username"}},
    {"echo",     2,   kAnytime,                kNoKeys, kAclConnection, &Echo,   "1.0.0", "O(1)",
     "Gives back what it is given.", "message"},
    {"hello",   -1,   kHandshake,              kNoKeys, kAclConnection, &Hello,  "6.0.0", "O(1)",
     "Chooses the protocol version and introduces the client.",
     "[protover [AUTH username password] [SETNAME clientname]]",
     {.history = "6.2.0: Without arguments it describes the connection."}},
    {"ping",    -1,   kFast | kRunsInPubSub,   kNoKeys, kAclConnection, &Ping,   "1.0.0", "O(1)",
     "Answers PONG, or the message.", "[message]",
     {.tips = "request_policy:all_shards response_policy:all_succeeded"}},
    {"quit",    -1,   kHandshake | kRunsInPubSub | kControlsMulti,
                                               kNoKeys, kAclConnection, &Quit,   "1.0.0", "O(1)",
     "Ends the connection."},
    {"reset",    1,   kHandshake | kRunsInPubSub | kControlsMulti,
                                               kNoKeys, kAclConnection, &Reset,  "6.2.0", "O(1)",
     "Makes the connection as new."},
    {"select",   2,   kAnytime,                kNoKeys, kAclConnection, &Select, "1.0.0", "O(1)",
     "Chooses the connection's database.", "index"},
};
// clang-format on
static_assert(IsWellFormed(kConnectionCommands));

}  // namespace

constinit const CommandFamily kConnectionFamily = {"connection", kConnectionCommands};

}  // namespace larder
