// Members of sets that nobody names: SPOP removes them, SRANDMEMBER does not.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

#include "base/numbers.h"
#include "commands/argument_parsers.h"
#include "commands/command_context.h"
#include "commands/edit.h"
#include "commands/families.h"
#include "commands/set_reply.h"
#include "protocol/error_text.h"
#include "storage/set.h"

namespace larder {
namespace {

// ---- SPOP

void PopOne(CommandContext& ctx) {
  const FoundValue<Set> found = FindForWrite<Set>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found) return ctx.reply().Null();
  Edit<Set> set(ctx, 0, found.entry);
  set->Pop(ctx.random(), [&](const SetMember& member) { ReplyMember(ctx.reply(), member); });
  set.Done(kNotifySet, "spop");
}

// The key goes with its last member.
void PopAll(CommandContext& ctx, const Set& set) {
  const size_t size = set.size();
  ctx.reply().Set(size);
  ReplyMembers(ctx.reply(), set);
  ctx.Notify(kNotifySet, "spop", 0);
  ctx.Erase(0, Shard::Reclaim::kNow);
  ctx.MarkDirty(static_cast<int64_t>(size) - 1);  // Erasing counted as one.
  ctx.Notify(kNotifyGeneric, "del", 0);
}

void PopSeveral(CommandContext& ctx) {
  const std::optional<int64_t> count = ParseInt64(ctx.arg(2));
  if (!count || *count < 0) return ctx.reply().Error(error_text::kMustBePositive);
  const FoundValue<Set> found = FindForWrite<Set>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found || *count == 0) return ctx.reply().Set(0);
  const auto wanted = static_cast<size_t>(*count);
  if (wanted >= found.value().size()) return PopAll(ctx, found.value());
  ctx.reply().Set(wanted);
  Edit<Set> set(ctx, 0, found.entry);
  set->PopSeveral(wanted, ctx.random(), ctx.settings().encoding,
                  [&](const SetMember& member) { ReplyMember(ctx.reply(), member); });
  set.Done(kNotifySet, "spop", *count);
}

void SPop(CommandContext& ctx) {
  switch (ctx.argc()) {
    case 2:
      return PopOne(ctx);
    case 3:
      return PopSeveral(ctx);
    default:
      return ctx.reply().Error(error_text::kSyntax);
  }
}

// ---- SRANDMEMBER

void OneRandomMember(CommandContext& ctx) {
  const FoundValue<Set> found = FindForRead<Set>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found) return ctx.reply().Null();
  ReplyMember(ctx.reply(), found.value().RandomMember(ctx.random()));
}

// Each independent of the others.
void ReplyDraws(CommandContext& ctx, const Set& set, uint64_t count) {
  // Nobody has so many members sent to them for a purpose; it would fill all memory.
  constexpr uint64_t kMost = uint64_t{1} << 27;
  if (count > kMost) return ctx.reply().Error(error_text::kValueOutOfRange);
  ctx.reply().Array(count);
  for (uint64_t i = 0; i < count; ++i) ReplyMember(ctx.reply(), set.RandomMember(ctx.random()));
}

void SeveralRandomMembers(CommandContext& ctx) {
  int64_t count = 0;
  if (!ParseInteger(ctx, 2, count)) return;
  if (count == std::numeric_limits<int64_t>::min()) {
    return ctx.reply().Error(error_text::kNotASymmetricInt64);
  }
  const FoundValue<Set> found = FindForRead<Set>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found) return ctx.reply().Array(0);
  const Set set = found.value();
  if (count < 0) return ReplyDraws(ctx, set, static_cast<uint64_t>(-count));
  const size_t different = std::min(static_cast<size_t>(count), set.size());
  ctx.reply().Array(different);
  set.RandomMembers(different, ctx.random(),
                    [&](const SetMember& member) { ReplyMember(ctx.reply(), member); });
}

void SRandMember(CommandContext& ctx) {
  switch (ctx.argc()) {
    case 2:
      return OneRandomMember(ctx);
    case 3:
      return SeveralRandomMembers(ctx);
    default:
      return ctx.reply().Error(error_text::kSyntax);
  }
}

// clang-format off
constexpr CommandSpec kSetRandomCommands[] = {
    {"spop", -2, kWrite | kFast, Keys(1, 1, 1, kKeyRw | kKeyAccess | kKeyDelete), kAclSet, &SPop, "1.0.0",
     "O(1), with a count O(N) for N members", "Removes random members from a set and returns them.",
     "key [count:integer]", {.tips = "nondeterministic_output", .history = "3.2.0: Added the `count` argument."}},
    {"srandmember", -2, kReadOnly, Keys(1, 1, 1), kAclSet, &SRandMember, "1.0.0",
     "O(1), with a count O(N) for its absolute value", "Returns random members of a set.",
     "key [count:integer]", {.tips = "nondeterministic_output", .history = "2.6.0: Added the optional `count` argument."}},
};
// clang-format on
static_assert(IsWellFormed(kSetRandomCommands));

}  // namespace

constinit const CommandFamily kSetRandomFamily = {"set", kSetRandomCommands};

}  // namespace larder
