// Commands that pop from the first of several lists that has something, and may wait for it.

#include <chrono>
#include <numeric>
#include <vector>

#include "base/text.h"
#include "commands/argument_parsers.h"
#include "commands/edit.h"
#include "commands/families.h"
#include "commands/list_elements.h"

namespace larder {
namespace {

enum class Scan : uint8_t { kPopped, kRefused, kNothing };

// Calls `pop` for the first of the request's keys that holds a list. A key of another type before
// it is an error, unless the client waits already: then it is as good as none.
template <typename Pop>
Scan PopFirst(CommandContext& ctx, const Pop& pop) {
  for (size_t key = 0; key < ctx.key_count(); ++key) {
    const FoundValue<List> found = FindForWrite<List>(ctx, key);
    if (found.wrong_type && !ctx.retrying()) {
      ctx.reply().Error(error_text::kWrongType);
      return Scan::kRefused;
    }
    if (!found) continue;
    pop(key, found.entry);
    return Scan::kPopped;
  }
  return Scan::kNothing;
}

void WaitForAnyList(CommandContext& ctx, std::chrono::milliseconds timeout) {
  if (ctx.in_transaction()) return ctx.reply().NullArray();
  std::vector<size_t> keys(ctx.key_count());
  std::iota(keys.begin(), keys.end(), size_t{0});
  ctx.BlockOnKeys({.deadline = DeadlineAfter(timeout),
                   .on_timeout = [](ReplyWriter& reply) { reply.NullArray(); }},
                  keys);
}

void BlockingPop(CommandContext& ctx, ListEnd end) {
  std::chrono::milliseconds timeout{};
  if (!ParseBlockingTimeout(ctx, ctx.argc() - 1, TimeUnit::kSeconds, timeout)) return;
  const Scan result = PopFirst(ctx, [&](size_t key, Entry* entry) {
    ctx.reply().Array(2);
    ctx.reply().Bulk(ctx.key(key).text);
    PopOne(ctx, key, entry, end);
  });
  if (result == Scan::kNothing) WaitForAnyList(ctx, timeout);
}

void BLPop(CommandContext& ctx) { BlockingPop(ctx, ListEnd::kHead); }
void BRPop(CommandContext& ctx) { BlockingPop(ctx, ListEnd::kTail); }

struct MultiPop {
  ListEnd end = ListEnd::kHead;
  size_t count = 1;
};

// numkeys key [key ...] (LEFT|RIGHT) [COUNT count], from argument `arg` on.
bool ParseMultiPop(CommandContext& ctx, size_t arg, MultiPop& pop) {
  size_t keys = 0;
  if (!ParseCount(ctx, arg, keys, error_text::kNumKeysNotPositive)) return false;
  const size_t keys_and_end = ctx.argc() - arg - 1;
  if (keys >= keys_and_end) {
    ctx.reply().Error(error_text::kSyntax);
    return false;
  }
  arg += 1 + keys;
  if (!ParseListEnd(ctx, arg, pop.end)) return false;
  if (++arg == ctx.argc()) return true;
  if (!EqualsIgnoreCase(ctx.arg(arg), "COUNT") || arg + 1 == ctx.argc()) {
    ctx.reply().Error(error_text::kSyntax);
    return false;
  }
  if (!ParseCount(ctx, arg + 1, pop.count, error_text::kCountNotPositive)) return false;
  if (arg + 2 == ctx.argc()) return true;
  ctx.reply().Error(error_text::kSyntax);
  return false;
}

Scan PopFirst(CommandContext& ctx, const MultiPop& pop) {
  return PopFirst(ctx, [&](size_t key, Entry* entry) {
    ctx.reply().Array(2);
    ctx.reply().Bulk(ctx.key(key).text);
    PopSome(ctx, key, entry, pop.end, pop.count);
  });
}

void LMPop(CommandContext& ctx) {
  MultiPop pop;
  if (!ParseMultiPop(ctx, 1, pop)) return;
  if (PopFirst(ctx, pop) == Scan::kNothing) ctx.reply().NullArray();
}

void BLMPop(CommandContext& ctx) {
  MultiPop pop;
  if (!ParseMultiPop(ctx, 2, pop)) return;
  std::chrono::milliseconds timeout{};
  if (!ParseBlockingTimeout(ctx, 1, TimeUnit::kSeconds, timeout)) return;
  if (PopFirst(ctx, pop) == Scan::kNothing) WaitForAnyList(ctx, timeout);
}

constexpr uint32_t kRwAccessDelete = kKeyRw | kKeyAccess | kKeyDelete;
constexpr uint32_t kWaits = kWrite | kNoScript | kBlocking;
constexpr CommandExtras kTimeoutExtras = {
    .history = "6.0.0: `timeout` is interpreted as a double instead of an integer."};

// clang-format off
constexpr CommandSpec kCommands[] = {
    {"blmpop", -5, kWrite | kBlocking, CountedKeysAt(2, kRwAccessDelete), kAclList, &BLMPop,
     "7.0.0", "O(N+M) where N is the number of keys and M the number of elements returned.",
     "Removes elements from the first list that is not empty and returns them; waits until there "
     "is one.",
     "timeout numkeys key [key ...] (LEFT|RIGHT) [COUNT count]"},
    {"blpop", -3, kWaits, Keys(1, -2, 1, kRwAccessDelete), kAclList, &BLPop, "2.0.0",
     "O(N) where N is the number of keys.",
     "Removes the first element of the first list that is not empty and returns it; waits until "
     "there is one.",
     "key [key ...] timeout", kTimeoutExtras},
    {"brpop", -3, kWaits, Keys(1, -2, 1, kRwAccessDelete), kAclList, &BRPop, "2.0.0",
     "O(N) where N is the number of keys.",
     "Removes the last element of the first list that is not empty and returns it; waits until "
     "there is one.",
     "key [key ...] timeout", kTimeoutExtras},
    {"lmpop", -4, kWrite, CountedKeysAt(1, kRwAccessDelete), kAclList, &LMPop, "7.0.0",
     "O(N+M) where N is the number of keys and M the number of elements returned.",
     "Removes elements from the first list that is not empty and returns them.",
     "numkeys key [key ...] (LEFT|RIGHT) [COUNT count]"},
};
// clang-format on
static_assert(IsWellFormed(kCommands));

}  // namespace

const CommandFamily kListPopFamily = {"list", kCommands};

}  // namespace larder
