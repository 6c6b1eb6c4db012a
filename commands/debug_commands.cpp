// DEBUG: what tests need to see and do. Refused unless enable-debug-command allows it.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/numbers.h"
#include "commands/command_context.h"
#include "commands/debug_reload.h"
#include "commands/families.h"
#include "commands/help_reply.h"
#include "commands/keyspace_digest.h"
#include "storage/bucket.h"
#include "storage/list.h"
#include "storage/serialized_value.h"

namespace larder {
namespace {

// What DEBUG LISTPACK shows at most.
constexpr size_t kMaxLoggedElements = 128;
constexpr size_t kMaxLoggedBytes = 64;  // Of each.

// Numbers as Redis reads them here: what is none counts as zero.
int64_t LooseInteger(std::string_view text) {
  return std::strtoll(std::string(text).c_str(), nullptr, 10);
}

// How many bytes an RDB file needs for a string of this length, uncompressed.
size_t SerializedStringSize(const StringValue& value) {
  if (value.is_integer()) {
    const int64_t number = value.integer();
    if (number >= INT8_MIN && number <= INT8_MAX) return 2;
    if (number >= INT16_MIN && number <= INT16_MAX) return 3;
    if (number >= INT32_MIN && number <= INT32_MAX) return 5;
  }
  const size_t size = value.size();
  return size + (size < 64 ? 1 : size < 16384 ? 2 : 5);
}

// What DEBUG OBJECT adds about a list.
std::string ListFigures(const CommandContext& ctx, const Entry& entry) {
  const List list(entry.object());
  const List::Figures figures = list.figures();
  const EncodingLimits& limits = ctx.settings().encoding;
  return absl::StrFormat(
      " ql_nodes:%d ql_avg_node:%.2f ql_listpack_max:%d ql_compressed:%d ql_uncompressed_size:%d",
      figures.nodes, static_cast<double>(list.size()) / static_cast<double>(figures.nodes),
      std::clamp<int64_t>(limits.list_max_listpack_size, -5, 32767),
      limits.list_compress_depth != 0 ? 1 : 0, figures.uncompressed_bytes);
}

void DebugObject(CommandContext& ctx) {
  ctx.WithKey(ctx.arg(2), [&](Shard& shard, const HashedKey& key) {
    shard.mu().AssertHeld();
    const Entry* entry = shard.Find(ctx.db(), key, ctx.now());
    if (entry == nullptr) return ctx.reply().Error(error_text::kNoSuchKey);
    size_t serialized = 0;
    if (entry->type() == ValueType::kString) {
      StringValue value;
      entry->ReadString(value);
      serialized = SerializedStringSize(value);
    }
    const bool counts = ctx.access_clock().counts();
    ctx.reply().Simple(absl::StrFormat(
        "Value at:%p refcount:1 encoding:%s serializedlength:%d lru:%d lru_seconds_idle:%d%s",
        entry, AsAbsl(entry->EncodingName()), serialized, entry->access(),
        counts ? 0 : ctx.access_clock().IdleSeconds(entry->access()),
        entry->type() == ValueType::kList ? ListFigures(ctx, *entry) : ""));
  });
}

void DebugDigest(CommandContext& ctx) {
  std::vector<KeyspaceDigest> databases(static_cast<size_t>(ctx.settings().databases));
  ctx.ForEachShard([&](Shard& shard) {
    shard.mu().AssertHeld();
    for (size_t db = 0; db < databases.size(); ++db) {
      if (shard.size(static_cast<int>(db)) == 0) continue;
      uint64_t cursor = 0;
      do {
        cursor = shard.Scan(static_cast<int>(db), cursor,
                            [&](Entry& entry) { databases[db].AddKey(entry); });
      } while (cursor != 0);
    }
    return true;
  });
  KeyspaceDigest digest;
  for (size_t db = 0; db < databases.size(); ++db) {
    if (databases[db].empty()) continue;
    digest.MixNumber(static_cast<uint32_t>(db));
    digest.Xor(databases[db]);
  }
  ctx.reply().Simple(digest.Hex());
}

void DebugDigestValue(CommandContext& ctx) {
  ctx.reply().Array(ctx.argc() - 2);
  for (size_t i = 2; i < ctx.argc(); ++i) {
    KeyspaceDigest digest;
    ctx.WithKey(ctx.arg(i), [&](Shard& shard, const HashedKey& key) {
      shard.mu().AssertHeld();
      const Entry* entry = shard.Find(ctx.db(), key, ctx.now());
      if (entry != nullptr) digest = KeyspaceDigest::OfValue(*entry);
    });
    ctx.reply().Simple(digest.Hex());
  }
}

// DEBUG POPULATE count [prefix] [size]
void DebugPopulate(CommandContext& ctx) {
  const std::optional<int64_t> count = ParseInt64(ctx.arg(2));
  if (!count || *count < 0 || *count > std::numeric_limits<long>::max()) {
    return ctx.reply().Error(error_text::kMustBePositive);
  }
  const std::string_view prefix = ctx.argc() > 3 ? ctx.arg(3) : "key";
  std::optional<int64_t> size;
  if (ctx.argc() > 4) {
    size = ParseInt64(ctx.arg(4));
    if (!size || *size < 0 || *size > ctx.settings().proto_max_bulk_bytes) {
      return ctx.reply().Error(error_text::kMustBePositive);
    }
  }
  for (int64_t i = 0; i < *count; ++i) {
    const std::string name = absl::StrCat(AsAbsl(prefix), ":", i);
    std::string value = absl::StrCat("value:", i);
    if (size.value_or(0) != 0) value.resize(static_cast<size_t>(*size));
    ctx.WithKey(name, [&](Shard& shard, const HashedKey& key) {
      shard.mu().AssertHeld();
      if (shard.Find(ctx.db(), key, ctx.now()) != nullptr) return;
      Entry* entry = shard.SetString(ctx.db(), key, value, kNoExpiry);
      ctx.TouchIn(shard, key.hash, *entry);
    });
  }
  ctx.reply().Ok();
}

void ReplyRange(CommandContext& ctx) {
  for (int64_t i = 0; i < 3; ++i) ctx.reply().Integer(i);
}

void ReplyAttributed(CommandContext& ctx) {
  if (ctx.reply().resp3()) {
    ctx.reply().Attribute(1);
    ctx.reply().Bulk("key-popularity");
    ctx.reply().Array(2);
    ctx.reply().Bulk("key:123");
    ctx.reply().Integer(90);
  }
  ctx.reply().Bulk("Some real reply following the attribute");
}

void ReplyAfterPush(CommandContext& ctx) {
  if (!ctx.reply().resp3()) {
    return ctx.reply().Error("ERR RESP2 is not supported by this command");
  }
  ctx.reply().Push(2);
  ctx.reply().Bulk("server-cpu-usage");
  ctx.reply().Integer(42);
  ctx.reply().Bulk("Some real reply following the push reply");
}

// One reply of each kind, for those who write clients.
void DebugProtocol(CommandContext& ctx) {
  ReplyWriter& reply = ctx.reply();
  const std::string kind = ToLower(ctx.arg(2));
  if (kind == "string") return reply.Bulk("Hello World");
  if (kind == "integer") return reply.Integer(12345);
  if (kind == "double") return reply.Double(3.141);
  if (kind == "null") return reply.Null();
  if (kind == "array") return reply.Array(3), ReplyRange(ctx);
  if (kind == "set") return reply.Set(3), ReplyRange(ctx);
  if (kind == "map") {
    reply.Map(3);
    for (int64_t i = 0; i < 3; ++i) {
      reply.Integer(i);
      reply.Boolean(i == 1);
    }
    return;
  }
  if (kind == "attrib") return ReplyAttributed(ctx);
  if (kind == "push") return ReplyAfterPush(ctx);
  if (kind == "true") return reply.Boolean(true);
  if (kind == "false") return reply.Boolean(false);
  if (kind == "verbatim") return reply.Verbatim("This is a verbatim\nstring");
  if (kind == "bignum") return reply.BigNumber("1234567999999999999999999999999999999");
  reply.Error(
      "ERR Wrong protocol type name. Please use one of the following: "
      "string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false");
}

// Holds up the thread on purpose, and the clients that share it: that is what it is for.
void DebugSleep(CommandContext& ctx) {
  const double seconds = std::strtod(std::string(ctx.arg(2)).c_str(), nullptr);
  if (seconds > 0) std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  ctx.reply().Ok();
}

void DebugSetActiveExpire(CommandContext& ctx) {
  ctx.server().SetActiveExpiry(LooseInteger(ctx.arg(2)) != 0);
  ctx.reply().Ok();
}

void DebugSetSkipChecksumValidation(CommandContext& ctx) {
  SetSkipPayloadChecksums(LooseInteger(ctx.arg(2)) != 0);
  ctx.reply().Ok();
}

void DebugPauseCron(CommandContext& ctx) {
  ctx.server().PauseCron(LooseInteger(ctx.arg(2)) != 0);
  ctx.reply().Ok();
}

void DebugLog(CommandContext& ctx) {
  ctx.server().LogWarning(absl::StrCat("DEBUG LOG: ", AsAbsl(ctx.arg(2))));
  ctx.reply().Ok();
}

void DebugError(CommandContext& ctx) { ctx.reply().Error(ctx.arg(2)); }

void DebugStructSize(CommandContext& ctx) {
  ctx.reply().Bulk(absl::StrCat("bits:", 8 * sizeof(void*), " entry:", Entry::SizeFor(0, 0, false),
                                " entry_with_expiry:", Entry::SizeFor(0, 0, true),
                                " bucket:", sizeof(Bucket), " blob:", sizeof(Blob),
                                " shard:", sizeof(Shard), " "));
}

void DebugHashTableStats(CommandContext& ctx) {
  const std::optional<int64_t> db = ParseInt64(ctx.arg(2));
  if (!db) return ctx.reply().Error(error_text::kNotAnInteger);
  if (*db < 0 || *db >= ctx.settings().databases) {
    return ctx.reply().Error("ERR Out of range database");
  }
  size_t keys = 0;
  size_t with_expiry = 0;
  size_t shards = 0;
  size_t fullest = 0;
  ctx.ForEachShard([&](Shard& shard) {
    shard.mu().AssertHeld();
    const size_t size = shard.size(static_cast<int>(*db));
    keys += size;
    with_expiry += shard.volatile_size(static_cast<int>(*db));
    fullest = std::max(fullest, size);
    ++shards;
    return true;
  });
  ctx.reply().Verbatim(
      absl::StrFormat("[Dictionary HT]\n tables: %d\n number of elements: %d\n elements in the "
                      "largest table: %d\n[Expires HT]\n number of elements: %d\n",
                      shards, keys, fullest, with_expiry));
}

void DebugReplyBuffer(CommandContext& ctx) {
  const std::string_view value = ctx.arg(3);
  if (EqualsIgnoreCase(ctx.arg(2), "PEAK-RESET-TIME")) {
    const bool named = EqualsIgnoreCase(value, "NEVER") || EqualsIgnoreCase(value, "RESET");
    if (!named && !ParseInt64(value)) return ctx.reply().Error(error_text::kNotAnInteger);
  } else if (!EqualsIgnoreCase(ctx.arg(2), "RESIZING")) {
    return ctx.reply().Error(error_text::UnknownSubcommandOrArity(ctx.arg(1), "debug"));
  }
  ctx.reply().Ok();  // Output buffers grow and shrink with what is in them: nothing to set.
}

// Into the log, where Redis prints it on its standard output.
void LogElements(CommandContext& ctx, std::string_view what, Listpack listpack) {
  std::string line = absl::StrCat(AsAbsl(what), ": ", listpack.total_bytes(), " bytes, ",
                                  listpack.size(), " elements:");
  size_t shown = 0;
  for (auto at = listpack.First(); at != Listpack::kNone; at = listpack.Next(at)) {
    if (++shown > kMaxLoggedElements) {
      line += " ...";
      break;
    }
    const ListpackValue value = listpack.At(at);
    absl::StrAppend(&line, " ", value.is_integer ? "" : "\"",
                    absl::CHexEscape(AsAbsl(value.Text().substr(0, kMaxLoggedBytes))),
                    value.is_integer ? "" : "\"");
  }
  ctx.server().LogWarning(line);
}

void DebugListpack(CommandContext& ctx) {
  ctx.WithKey(ctx.arg(2), [&](Shard& shard, const HashedKey& key) {
    shard.mu().AssertHeld();
    const Entry* entry = shard.Find(ctx.db(), key, ctx.now());
    if (entry == nullptr) return ctx.reply().Error(error_text::kNoSuchKey);
    if (entry->EncodingName() != "listpack") {
      return ctx.reply().Error("ERR Not a listpack encoded object.");
    }
    LogElements(ctx, "listpack", Listpack(entry->object().data));
    ctx.reply().Simple("Listpack structure printed on stdout");
  });
}

void DebugQuicklist(CommandContext& ctx) {
  ctx.WithKey(ctx.arg(2), [&](Shard& shard, const HashedKey& key) {
    shard.mu().AssertHeld();
    const Entry* entry = shard.Find(ctx.db(), key, ctx.now());
    if (entry == nullptr) return ctx.reply().Error(error_text::kNoSuchKey);
    if (entry->type() != ValueType::kList) {
      return ctx.reply().Error("ERR Not a quicklist encoded object.");
    }
    ctx.server().LogWarning(absl::StrCat("quicklist:", ListFigures(ctx, *entry)));
    ctx.reply().Simple("Quicklist structure printed on stdout");
  });
}

// A number with an optional unit, as in larder.conf: 100, 1kb, 2g.
std::optional<uint64_t> ParseMemory(std::string_view text) {
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::optional<uint64_t> number = ParseUint64(text.substr(0, digits));
  if (!number) return std::nullopt;
  const std::string unit = ToLower(text.substr(digits));
  constexpr std::array<std::pair<std::string_view, uint64_t>, 8> kUnits = {{{"", 1},
                                                                            {"b", 1},
                                                                            {"k", 1000},
                                                                            {"kb", 1024},
                                                                            {"m", 1000 * 1000},
                                                                            {"mb", 1024 * 1024},
                                                                            {"g", 1000000000},
                                                                            {"gb", 1 << 30}}};
  for (const auto& [name, factor] : kUnits) {
    if (unit == name && *number <= std::numeric_limits<uint64_t>::max() / factor) {
      return *number * factor;
    }
  }
  return std::nullopt;
}

void DebugQuicklistPackedThreshold(CommandContext& ctx) {
  const std::optional<uint64_t> size = ParseMemory(ctx.arg(2));
  constexpr uint64_t kMost = (uint64_t{1} << 32) - (uint64_t{1} << 20);
  if (!size || *size > kMost) {
    return ctx.reply().Error(
        "ERR argument must be a memory value bigger than 1 and smaller than 4gb");
  }
  const size_t wanted = *size == 0 ? kMaxLargeElementBytes : static_cast<size_t>(*size);
  SetLargeElementBytes(std::min(wanted, kMaxLargeElementBytes));
  ctx.reply().Ok();
}

void DebugAccepted(CommandContext& ctx) { ctx.reply().Ok(); }

void DebugRewriteConfig(CommandContext& ctx) {
  if (!ctx.server().config().Rewrite(RewriteScope::kAll).ok()) {
    return ctx.reply().Error("ERR CONFIG-REWRITE-FORCE-ALL failed");
  }
  ctx.reply().Ok();
}

void DebugHelp(CommandContext& ctx) {
  static constexpr std::array<std::string_view, 49> kLines = {
      "CONFIG-REWRITE-FORCE-ALL",
      "    Like CONFIG REWRITE, but also names the directives that are at their",
      "    defaults.",
      "DIGEST",
      "    Output a hex signature representing the current DB content.",
      "DIGEST-VALUE <key> [<key> ...]",
      "    Output a hex signature of the values of all the specified keys.",
      "ERROR <string>",
      "    Return a Redis protocol error with <string> as message. Useful for clients",
      "    unit tests to simulate Redis errors.",
      "HTSTATS <dbid>",
      "    Return hash table statistics of the specified database.",
      "LISTPACK <key>",
      "    Write the elements of a listpack to the server log.",
      "LOG <message>",
      "    Write <message> to the server log.",
      "OBJECT <key>",
      "    Show low level info about `key` and associated value.",
      "PAUSE-CRON <0|1>",
      "    Stop periodic cron job processing.",
      "POPULATE <count> [<prefix>] [<size>]",
      "    Create <count> string keys named key:<num>. If <prefix> is specified then",
      "    it is used instead of the 'key' prefix.",
      "PROTOCOL <type>",
      "    Reply with a test value of the specified type. <type> can be: string,",
      "    integer, double, bignum, null, array, set, map, attrib, push, verbatim,",
      "    true, false.",
      "QUICKLIST <key> [<0|1>]",
      "    Write figures of a list to the server log.",
      "QUICKLIST-PACKED-THRESHOLD <size>",
      "    Give elements of lists from this size on nodes of their own. 0 restores the",
      "    default of 1 GB.",
      "REPLYBUFFER PEAK-RESET-TIME <NEVER|RESET|time>",
      "    Accepted and checked; output buffers follow what is in them.",
      "REPLYBUFFER RESIZING <0|1>",
      "    The same.",
      "RELOAD, LOADAOF",
      "    Serialize everything and read it again, as at a restart.",
      "SET-ACTIVE-EXPIRE <0|1>",
      "    Setting it to 0 disables expiring keys in background when they are not",
      "    accessed. Setting it to 1 reenables back the default.",
      "SET-DISABLE-DENY-SCRIPTS <0|1>",
      "    Accepted; there are no scripts yet.",
      "SET-SKIP-CHECKSUM-VALIDATION <0|1>",
      "    Whether RESTORE passes over a wrong checksum.",
      "SLEEP <seconds>",
      "    Stop the thread that serves this client for <seconds>. Decimals allowed.",
      "STRUCTSIZE",
      "    Return the size of core structures.",
  };
  ReplyHelp(ctx, kLines);
}

struct DebugSubcommand {
  std::string_view name;
  size_t least_argc;
  size_t most_argc;
  CommandHandler run;
};

constexpr size_t kAny = std::numeric_limits<size_t>::max();

// Not rows: COMMAND knows DEBUG as one command, and so does Redis.
constexpr std::array kDebugSubcommands = {
    DebugSubcommand{"config-rewrite-force-all", 2, 2, &DebugRewriteConfig},
    DebugSubcommand{"digest", 2, 2, &DebugDigest},
    DebugSubcommand{"digest-value", 2, kAny, &DebugDigestValue},
    DebugSubcommand{"error", 3, 3, &DebugError},
    DebugSubcommand{"help", 2, 2, &DebugHelp},
    DebugSubcommand{"htstats", 3, 4, &DebugHashTableStats},
    DebugSubcommand{"listpack", 3, 3, &DebugListpack},
    DebugSubcommand{"loadaof", 2, 2, &DebugLoadAof},
    DebugSubcommand{"log", 3, 3, &DebugLog},
    DebugSubcommand{"object", 3, 3, &DebugObject},
    DebugSubcommand{"pause-cron", 3, 3, &DebugPauseCron},
    DebugSubcommand{"populate", 3, 5, &DebugPopulate},
    DebugSubcommand{"protocol", 3, 3, &DebugProtocol},
    DebugSubcommand{"quicklist", 3, 4, &DebugQuicklist},
    DebugSubcommand{"quicklist-packed-threshold", 3, 3, &DebugQuicklistPackedThreshold},
    DebugSubcommand{"reload", 2, kAny, &DebugReload},
    DebugSubcommand{"replybuffer", 4, 4, &DebugReplyBuffer},
    DebugSubcommand{"set-active-expire", 3, 3, &DebugSetActiveExpire},
    DebugSubcommand{"set-disable-deny-scripts", 3, 3, &DebugAccepted},
    DebugSubcommand{"set-skip-checksum-validation", 3, 3, &DebugSetSkipChecksumValidation},
    DebugSubcommand{"sleep", 3, 3, &DebugSleep},
    DebugSubcommand{"structsize", 2, 2, &DebugStructSize},
};

void Debug(CommandContext& ctx) {
  for (const DebugSubcommand& subcommand : kDebugSubcommands) {
    if (EqualsIgnoreCase(ctx.arg(1), subcommand.name) && ctx.argc() >= subcommand.least_argc &&
        ctx.argc() <= subcommand.most_argc) {
      return subcommand.run(ctx);
    }
  }
  ctx.reply().Error(error_text::UnknownSubcommandOrArity(ctx.arg(1), "debug"));
}

// clang-format off
constexpr CommandSpec kDebugCommands[] = {
    {"debug", -2, kAdmin | kNoScript | kLoading | kStale | kProtected | kShardByShard, kNoKeys,
     kAclNone, &Debug, "1.0.0", "Depends on subcommand.",
     "Container of commands for testing.", "subcommand [arg...]"},
};
// clang-format on
static_assert(IsWellFormed(kDebugCommands));

}  // namespace

const CommandFamily kDebugFamily = {"server", kDebugCommands};

}  // namespace larder
