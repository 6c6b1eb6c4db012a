// CLIENT: the table of its subcommands, and those that concern only the connection itself.

#include <string>

#include "absl/strings/str_cat.h"
#include "base/printed_text.h"
#include "base/text.h"
#include "commands/client_handlers.h"
#include "commands/client_name.h"
#include "commands/command_context.h"
#include "commands/families.h"
#include "commands/help_reply.h"

namespace larder {
namespace {

// "on" or "off" in argument 2 sets or clears a flag of the client.
void SwitchFlag(CommandContext& ctx, ClientFlag flag) {
  if (EqualsIgnoreCase(ctx.arg(2), "on")) {
    ctx.client().Set(flag);
  } else if (EqualsIgnoreCase(ctx.arg(2), "off")) {
    ctx.client().Set(flag, false);
  } else {
    return ctx.reply().Error(error_text::kSyntax);
  }
  ctx.reply().Ok();
}

// Clients say what they could do; Larder makes use of none of it yet.
void Capa(CommandContext& ctx) { ctx.reply().Ok(); }

void GetName(CommandContext& ctx) {
  const std::string name = ClientName(*ctx.client().record);
  if (name.empty()) return ctx.reply().Null();
  ctx.reply().Bulk(name);
}

void Id(CommandContext& ctx) { ctx.reply().Integer(static_cast<int64_t>(ctx.client().id())); }

// There is no import mode, so that nobody can be a source; not to be one is granted.
void ImportSource(CommandContext& ctx) {
  if (EqualsIgnoreCase(ctx.arg(2), "off")) return ctx.reply().Ok();
  ctx.reply().Error(error_text::kNotInImportMode);
}

void NoEvict(CommandContext& ctx) { SwitchFlag(ctx, kClientNoEvict); }
void NoTouch(CommandContext& ctx) { SwitchFlag(ctx, kClientNoTouch); }

// The dispatcher drops what a silent client would be told, the answer to OFF and SKIP included.
void Reply(CommandContext& ctx) {
  Client& client = ctx.client();
  if (EqualsIgnoreCase(ctx.arg(2), "on")) {
    client.reply_mode = ReplyMode::kOn;
    return ctx.reply().Ok();
  }
  if (EqualsIgnoreCase(ctx.arg(2), "off")) {
    client.reply_mode = ReplyMode::kOff;
  } else if (EqualsIgnoreCase(ctx.arg(2), "skip")) {
    if (client.reply_mode != ReplyMode::kOff) client.reply_mode = ReplyMode::kSkipNext;
  } else {
    ctx.reply().Error(error_text::kSyntax);
  }
}

void SetInfo(CommandContext& ctx) {
  const std::string_view attribute = ctx.arg(2);
  const bool name = EqualsIgnoreCase(attribute, "lib-name");
  if (!name && !EqualsIgnoreCase(attribute, "lib-ver")) {
    return ctx.reply().Error(absl::StrCat("ERR Unrecognized option '", AsPrinted(attribute), "'"));
  }
  if (!IsClientText(ctx.arg(3))) {
    return ctx.reply().Error(absl::StrCat(
        "ERR ", AsAbsl(attribute), " cannot contain spaces, newlines or special characters."));
  }
  {
    ClientRecord& record = *ctx.client().record;
    MutexLock lock(record.text_mu);
    (name ? record.library_name : record.library_version).assign(ctx.arg(3));
  }
  ctx.reply().Ok();
}

void SetName(CommandContext& ctx) {
  if (!IsClientText(ctx.arg(2))) return ctx.reply().Error(error_text::kBadClientName);
  SetClientName(*ctx.client().record, ctx.arg(2));
  ctx.reply().Ok();
}

void Help(CommandContext& ctx) {
  static constexpr std::string_view kLines[] = {
      "CACHING (YES|NO)",
      "    Enable/disable tracking of the keys for next command in OPTIN/OPTOUT modes.",
      "CAPA <capability> [...]",
      "    Declare what the client is capable of.",
      "GETREDIR",
      "    Return the client ID we are redirecting to when tracking is enabled.",
      "GETNAME",
      "    Return the name of the current connection.",
      "ID",
      "    Return the ID of the current connection.",
      "INFO",
      "    Return information about the current client connection.",
      "KILL <ip:port>",
      "    Kill connection made from <ip:port>.",
      "KILL <filter> <value> [<filter> <value> [...]]",
      "    Kill the connections that all filters match. Filters are:",
      "    * ID <client-id> [<client-id> ...]",
      "    * ADDR (<ip:port>|<unixsocket>:0), LADDR (the same, of the local end), IP <ip>",
      "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB), FLAGS <letters>, CAPA <letters>",
      "    * USER <username>, NAME <name>, DB <index>, LIB-NAME <name>, LIB-VER <version>",
      "    * NOT- and any of the above: connections that it does not match",
      "    * MAXAGE <seconds>, IDLE <seconds>: connected, or idle, for at least so long",
      "    * SKIPME (YES|NO): skip the current connection (default: yes)",
      "LIST [<filter> <value> [...]]",
      "    Return information about client connections. Filters are those of KILL.",
      "NO-EVICT (ON|OFF)",
      "    Protect current client connection from eviction.",
      "NO-TOUCH (ON|OFF)",
      "    Have the commands of the current connection leave the idle time of keys alone.",
      "PAUSE <timeout> [WRITE|ALL]",
      "    Suspend all, or just write, clients for <timeout> milliseconds.",
      "REPLY (ON|OFF|SKIP)",
      "    Control the replies sent to the current connection.",
      "SETINFO (LIB-NAME|LIB-VER) <value>",
      "    Say which library the client uses.",
      "SETNAME <name>",
      "    Assign the name <name> to the current connection.",
      "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]",
      "         [OPTIN] [OPTOUT] [NOLOOP]",
      "    Control server assisted client side caching.",
      "TRACKINGINFO",
      "    Report tracking status for the current connection.",
      "UNBLOCK <clientid> [TIMEOUT|ERROR]",
      "    Unblock the specified blocked client.",
      "UNPAUSE",
      "    Stop the current client pause, resuming traffic.",
  };
  ReplyHelp(ctx, kLines);
}

constexpr uint32_t kOwn = kNoScript | kLoading | kStale;
constexpr uint32_t kOthers = kOwn | kAdmin;
constexpr std::string_view kVaries = "nondeterministic_output";

#define LARDER_CLIENT_FILTERS                                                               \
  "[ID client-id [client-id ...]] [TYPE NORMAL|MASTER|REPLICA|PUBSUB] [USER username] "     \
  "[ADDR ip:port] [LADDR ip:port] [IP ip] [SKIPME YES|NO] [MAXAGE seconds] [IDLE seconds] " \
  "[NAME name] [FLAGS flags] [LIB-NAME lib-name] [LIB-VER lib-ver] [DB db] [CAPA capa] "    \
  "[NOT-ID client-id [client-id ...]] [NOT-TYPE NORMAL|MASTER|REPLICA|PUBSUB] "             \
  "[NOT-USER username] [NOT-ADDR ip:port] [NOT-LADDR ip:port] [NOT-IP ip] [NOT-NAME name] " \
  "[NOT-FLAGS flags] [NOT-LIB-NAME lib-name] [NOT-LIB-VER lib-ver] [NOT-DB db] [NOT-CAPA capa]"

// clang-format off
constexpr CommandSpec kClientSubcommands[] = {
    // name           arity  flags                  keys     ACL             handler               since    cost    summary
    {"caching",          3,  kOwn,                  kNoKeys, kAclConnection, &ClientCaching,       "6.0.0", "O(1)",
     "Says whether the keys of the next command are tracked.", "YES|NO"},
    {"capa",            -3,  kOwn,                  kNoKeys, kAclConnection, &Capa,                "8.0.0", "O(1)",
     "Declares what the client is capable of.", "capability [capability ...]"},
    {"getname",          2,  kOwn,                  kNoKeys, kAclConnection, &GetName,             "2.6.9", "O(1)",
     "Tells the connection's name."},
    {"getredir",         2,  kOwn,                  kNoKeys, kAclConnection, &ClientGetRedir,      "6.0.0", "O(1)",
     "Tells which client gets the invalidations of this one."},
    {"help",             2,  kLoading | kStale,     kNoKeys, kAclConnection, &Help,                "5.0.0", "O(1)",
     "Describes the subcommands."},
    {"id",               2,  kOwn,                  kNoKeys, kAclConnection, &Id,                  "5.0.0", "O(1)",
     "Tells the connection's number."},
    {"import-source",    3,  kOwn,                  kNoKeys, kAclConnection, &ImportSource,        "8.1.0", "O(1)",
     "Marks the connection as one that imports data.", "ON|OFF"},
    {"info",             2,  kOwn,                  kNoKeys, kAclConnection, &ClientInfo,          "6.2.0", "O(1)",
     "Describes the connection.", "", {.tips = kVaries}},
    {"kill",            -3,  kOthers,               kNoKeys, kAclConnection, &ClientKill,          "2.4.0", "O(N) for N connections",
     "Ends connections.", "ip:port|(" LARDER_CLIENT_FILTERS ")",
     {.history = "2.8.12: Filters.\n2.8.12: ID\n3.2.0: TYPE master\n5.0.0: TYPE replica\n6.2.0: LADDR"}},
    {"list",            -2,  kOthers,               kNoKeys, kAclConnection, &ClientList,          "2.4.0", "O(N) for N connections",
     "Describes all connections, or those that the filters match.", LARDER_CLIENT_FILTERS,
     {.tips = kVaries, .history = "2.8.12: The field id.\n5.0.0: TYPE\n6.0.0: The field user.\n6.2.0: The fields argv-mem, tot-mem, laddr and redir, and ID\n"
                                  "7.0.0: The fields resp, multi-mem, rbs and rbp.\n7.0.3: The field ssub."}},
    {"no-evict",         3,  kOthers,               kNoKeys, kAclConnection, &NoEvict,             "7.0.0", "O(1)",
     "Protects the connection from eviction.", "ON|OFF"},
    {"no-touch",         3,  kOwn,                  kNoKeys, kAclConnection, &NoTouch,             "7.2.0", "O(1)",
     "Keeps the connection's commands from renewing the access times of keys.", "ON|OFF"},
    {"pause",           -3,  kOthers,               kNoKeys, kAclConnection, &ClientPause,         "2.9.50", "O(1)",
     "Holds back the commands of all clients for a while.", "timeout [WRITE|ALL]",
     {.history = "6.2.0: WRITE and ALL"}},
    {"reply",            3,  kOwn,                  kNoKeys, kAclConnection, &Reply,               "3.2.0", "O(1)",
     "Says whether commands are answered.", "ON|OFF|SKIP"},
    {"setinfo",          4,  kOwn,                  kNoKeys, kAclConnection, &SetInfo,             "7.2.0", "O(1)",
     "Names the client's library.", "(LIB-NAME libname)|(LIB-VER libver)"},
    {"setname",          3,  kOwn,                  kNoKeys, kAclConnection, &SetName,             "2.6.9", "O(1)",
     "Names the connection.", "connection-name"},
    {"tracking",        -3,  kOwn | kShardByShard,  kNoKeys, kAclConnection, &ClientTrackingOnOff, "6.0.0", "O(1)",
     "Switches client-side caching on or off.",
     "ON|OFF [REDIRECT client-id] [PREFIX prefix [PREFIX prefix ...]] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]"},
    {"trackinginfo",     2,  kOwn,                  kNoKeys, kAclConnection, &ClientTrackingInfo,  "6.2.0", "O(1)",
     "Describes the connection's client-side caching."},
    {"unblock",         -3,  kOthers,               kNoKeys, kAclConnection, &ClientUnblock,       "5.0.0", "O(log N) for N connections",
     "Ends the wait of a blocked client.", "client-id [TIMEOUT|ERROR]"},
    {"unpause",          2,  kOthers,               kNoKeys, kAclConnection, &ClientUnpause,       "6.2.0", "O(N) for N clients held back",
     "Ends CLIENT PAUSE."},
};

constexpr CommandSpec kClientCommands[] = {
    {"client", -2, 0, kNoKeys, kAclNone, nullptr, "2.4.0", "Depends on the subcommand",
     "Looks after connections.", "", {.subcommands = kClientSubcommands}},
};
// clang-format on
#undef LARDER_CLIENT_FILTERS
static_assert(IsWellFormed(kClientCommands));

}  // namespace

constinit const CommandFamily kClientFamily = {"connection", kClientCommands};

}  // namespace larder
