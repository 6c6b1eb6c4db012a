// OBJECT: how a value is held and how it is used. Asking is no access.

#include "commands/command_context.h"
#include "commands/families.h"
#include "commands/help_reply.h"

namespace larder {
namespace {

// Redis shares one object for each small number, unless an eviction policy needs an access time a
// key, and says so; clients' tests look for that figure.
constexpr int64_t kSharedReferences = 2147483647;
constexpr int64_t kSharedNumbers = 10000;

void Encoding(CommandContext& ctx) {
  const Entry* entry = ctx.Peek(0);
  if (entry == nullptr) return ctx.reply().Null();
  ctx.reply().Bulk(entry->EncodingName());
}

void Frequency(CommandContext& ctx) {
  const Entry* entry = ctx.Peek(0);
  if (entry == nullptr) return ctx.reply().Null();
  if (!ctx.access_clock().counts()) return ctx.reply().Error(error_text::kFrequencyNotTracked);
  ctx.reply().Integer(ctx.access_clock().DecayedFrequency(entry->access()));
}

void IdleTime(CommandContext& ctx) {
  const Entry* entry = ctx.Peek(0);
  if (entry == nullptr) return ctx.reply().Null();
  if (ctx.access_clock().counts()) return ctx.reply().Error(error_text::kIdleTimeNotTracked);
  ctx.reply().Integer(ctx.access_clock().IdleSeconds(entry->access()));
}

bool IsSharedInRedis(const Settings& settings, const Entry& entry) {
  if (entry.type() != ValueType::kString || entry.string_encoding() != StringEncoding::kInteger) {
    return false;
  }
  const bool needs_access =
      settings.maxmemory_bytes > 0 &&
      (TracksRecency(settings.eviction_policy) || TracksFrequency(settings.eviction_policy) ||
       UsesQueues(settings.eviction_policy));
  if (needs_access) return false;
  StringValue value;
  entry.ReadString(value);
  return value.integer() >= 0 && value.integer() < kSharedNumbers;
}

void ReferenceCount(CommandContext& ctx) {
  const Entry* entry = ctx.Peek(0);
  if (entry == nullptr) return ctx.reply().Null();
  ctx.reply().Integer(IsSharedInRedis(ctx.settings(), *entry) ? kSharedReferences : 1);
}

void Help(CommandContext& ctx) {
  static constexpr std::string_view kLines[] = {
      "ENCODING <key>",
      "    Return the kind of internal representation used in order to store the value",
      "    associated with a <key>.",
      "FREQ <key>",
      "    Return the access frequency index of the <key>. The returned integer is",
      "    proportional to the logarithm of the recent access frequency of the key.",
      "IDLETIME <key>",
      "    Return the idle time of the <key>, that is the approximated number of",
      "    seconds elapsed since the last access to the key.",
      "REFCOUNT <key>",
      "    Return the number of references of the value associated with the specified",
      "    <key>.",
  };
  ReplyHelp(ctx, kLines);
}

constexpr KeySpecs kAsked = Keys(2, 2, 1, kKeyRo);
constexpr CommandExtras kInternals = {.tips = "nondeterministic_output"};

// clang-format off
constexpr CommandSpec kObjectSubcommands[] = {
    // name       arity  flags              keys     ACL           handler          since    cost    summary
    {"encoding",  3,     kReadOnly,         kAsked,  kAclKeyspace, &Encoding,       "2.2.3", "O(1)", "Tells how a value is held.", "key", kInternals},
    {"freq",      3,     kReadOnly,         kAsked,  kAclKeyspace, &Frequency,      "4.0.0", "O(1)", "Tells a key's logarithmic access count.", "key", kInternals},
    {"help",      2,     kLoading | kStale, kNoKeys, kAclKeyspace, &Help,           "6.2.0", "O(1)", "Lists the subcommands."},
    {"idletime",  3,     kReadOnly,         kAsked,  kAclKeyspace, &IdleTime,       "2.2.3", "O(1)", "Tells how long ago a key was accessed.", "key", kInternals},
    {"refcount",  3,     kReadOnly,         kAsked,  kAclKeyspace, &ReferenceCount, "2.2.3", "O(1)", "Tells how many references a value has.", "key", kInternals},
};

constexpr CommandSpec kObjectCommands[] = {
    {"object",   -2,     0,                 kNoKeys, kAclNone,     nullptr,         "2.2.3", "Depends on the subcommand.", "Tells about the value of a key.", "",
     {.subcommands = kObjectSubcommands}},
};
// clang-format on
static_assert(IsWellFormed(kObjectCommands));

}  // namespace

constinit const CommandFamily kObjectFamily = {"generic", kObjectCommands};

}  // namespace larder
