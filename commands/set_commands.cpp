// Members of one set, added, removed and asked for by name. SMOVE knows two.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/numbers.h"
#include "commands/command_context.h"
#include "commands/edit.h"
#include "commands/families.h"
#include "commands/scan_reply.h"
#include "commands/set_reply.h"
#include "protocol/error_text.h"
#include "storage/set.h"

namespace larder {
namespace {

void SAdd(CommandContext& ctx) {
  const FoundValue<Set> found = FindForWrite<Set>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  Edit<Set> set(ctx, 0, found.entry);
  int64_t added = 0;
  for (size_t i = 2; i < ctx.argc(); ++i) added += set->Add(ctx.arg(i), ctx.settings().encoding);
  if (added != 0) set.Done(kNotifySet, "sadd", added);
  ctx.reply().Integer(added);
}

void SRem(CommandContext& ctx) {
  const FoundValue<Set> found = FindForWrite<Set>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found) return ctx.reply().Integer(0);
  Edit<Set> set(ctx, 0, found.entry);
  int64_t removed = 0;
  for (size_t i = 2; i < ctx.argc() && !set->empty(); ++i) removed += set->Remove(ctx.arg(i));
  if (removed != 0) set.Done(kNotifySet, "srem", removed);
  ctx.reply().Integer(removed);
}

void SMove(CommandContext& ctx) {
  const std::string_view member = ctx.arg(3);
  const FoundValue<Set> source = FindForWrite<Set>(ctx, 0);
  const FoundValue<Set> destination = FindForWrite<Set>(ctx, 1);
  if (source.entry == nullptr && !source.wrong_type) return ctx.reply().Integer(0);
  if (source.wrong_type || destination.wrong_type) {
    return ctx.reply().Error(error_text::kWrongType);
  }
  if (source.entry == destination.entry) {
    return ctx.reply().Integer(source.value().Contains(member));
  }
  {
    Edit<Set> set(ctx, 0, source.entry);
    if (!set->Remove(member)) return ctx.reply().Integer(0);
    set.Done(kNotifySet, "srem");
  }
  Edit<Set> set(ctx, 1, destination.entry);
  if (set->Add(member, ctx.settings().encoding)) set.Done(kNotifySet, "sadd");
  ctx.reply().Integer(1);
}

void SCard(CommandContext& ctx) {
  const FoundValue<Set> found = FindForRead<Set>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  ctx.reply().Integer(found ? static_cast<int64_t>(found.value().size()) : 0);
}

void SIsMember(CommandContext& ctx) {
  const FoundValue<Set> found = FindForRead<Set>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  ctx.reply().Integer(found && found.value().Contains(ctx.arg(2)));
}

void SMIsMember(CommandContext& ctx) {
  const FoundValue<Set> found = FindForRead<Set>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  ctx.reply().Array(ctx.argc() - 2);
  for (size_t i = 2; i < ctx.argc(); ++i) {
    ctx.reply().Integer(found && found.value().Contains(ctx.arg(i)));
  }
}

void SMembers(CommandContext& ctx) {
  const FoundValue<Set> found = FindForRead<Set>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  ctx.reply().Set(found ? found.value().size() : 0);
  if (found) ReplyMembers(ctx.reply(), found.value());
}

void SScan(CommandContext& ctx) {
  uint64_t cursor = 0;
  if (!ParseScanCursor(ctx, 2, cursor)) return;
  const FoundValue<Set> found = FindForRead<Set>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found) return ReplyEmptyScan(ctx);
  ScanOptions options;
  if (!ParseScanOptions(ctx, 3, kScanPlain, options)) return;
  const Set set = found.value();
  ScanReply scan(ctx.reply(), options);
  scan.Run(cursor, [&](uint64_t place) {
    return set.Scan(place, [&](const SetMember& member) {
      char digits[kMaxIntegerText];
      const std::string_view text = member.View(digits);
      if (scan.Wants(text)) scan.Bulk(text);
    });
  });
}

constexpr CommandExtras kAnyOrder = {.tips = "nondeterministic_output_order"};
constexpr CommandExtras kSeveralMembers = {.history =
                                               "2.4.0: Accepts multiple `member` arguments."};

// clang-format off
constexpr CommandSpec kSetCommands[] = {
    {"sadd", -3, kWrite | kDenyOom | kFast, Keys(1, 1, 1, kKeyRw | kKeyInsert), kAclSet, &SAdd, "1.0.0",
     "O(1) a member", "Adds members to a set, which is created if need be.", "key member...", kSeveralMembers},
    {"scard", 2, kReadOnly | kFast, Keys(1, 1, 1, kKeyRo), kAclSet, &SCard, "1.0.0", "O(1)",
     "Counts the members of a set.", "key"},
    {"sismember", 3, kReadOnly | kFast, Keys(1, 1, 1, kKeyRo), kAclSet, &SIsMember, "1.0.0", "O(1)",
     "Tells whether a set has a member.", "key member"},
    {"smembers", 2, kReadOnly, Keys(1, 1, 1), kAclSet, &SMembers, "1.0.0", "O(N) for N members",
     "Returns all members of a set.", "key", kAnyOrder},
    {"smismember", -3, kReadOnly | kFast, Keys(1, 1, 1), kAclSet, &SMIsMember, "6.2.0",
     "O(N) for N members that are asked for", "Tells of several members whether a set has them.", "key member..."},
    {"smove", 4, kWrite | kFast, Keys(1, 1, 1, kKeyRw | kKeyAccess | kKeyDelete) + Keys(2, 2, 1, kKeyRw | kKeyInsert), kAclSet,
     &SMove, "1.0.0", "O(1)", "Moves a member from one set to another.", "source:key destination:key member"},
    {"srem", -3, kWrite | kFast, Keys(1, 1, 1, kKeyRw | kKeyDelete), kAclSet, &SRem, "1.0.0", "O(1) a member",
     "Removes members from a set; an emptied set is deleted.", "key member...", kSeveralMembers},
    {"sscan", -3, kReadOnly, Keys(1, 1, 1), kAclSet, &SScan, "2.8.0",
     "O(1) a call, O(N) for all calls of an iteration over N members", "Lists the members of a set piece by piece.",
     "key cursor:integer [MATCH pattern] [COUNT count:integer]", {.tips = "nondeterministic_output"}},
};
// clang-format on
static_assert(IsWellFormed(kSetCommands));

}  // namespace

constinit const CommandFamily kSetFamily = {"set", kSetCommands};

}  // namespace larder
