// MULTI, EXEC, DISCARD, WATCH and UNWATCH. Queueing, and running the queue with all its shards
// locked, is the dispatcher's; see RunTransaction there.

#include <memory>

#include "commands/command_context.h"
#include "commands/families.h"
#include "commands/transaction.h"
#include "commands/watch.h"

namespace larder {
namespace {

void Multi(CommandContext& ctx) {
  Client& client = ctx.client();
  if (client.Is(kClientMulti)) return ctx.reply().Error(error_text::kNestedMulti);
  client.transaction = std::make_unique<TransactionState>();
  client.Set(kClientMulti);
  ctx.reply().Ok();
}

// Inside MULTI the dispatcher runs the queue instead (kRunsQueue).
void Exec(CommandContext& ctx) { ctx.reply().Error(error_text::kExecWithoutMulti); }

void Discard(CommandContext& ctx) {
  if (!ctx.client().Is(kClientMulti)) {
    return ctx.reply().Error(error_text::kDiscardWithoutMulti);
  }
  DiscardTransaction(ctx.client(), ctx.server().keyspace(), ctx.server());
  ctx.reply().Ok();
}

void WatchKeys(CommandContext& ctx) {
  if (ctx.client().Is(kClientMulti)) return ctx.reply().Error(error_text::kWatchInMulti);
  for (size_t i = 0; i < ctx.key_count(); ++i) {
    // A key past its time goes now, so that its removal later, which changes nothing that anybody
    // can see, does not fail the transaction.
    ctx.Peek(i);
    Watch(ctx.client(), ctx.db(), ctx.key(i).text, ctx.shard(i), ctx.server());
  }
  ctx.reply().Ok();
}

void Unwatch(CommandContext& ctx) {
  // Queued, it runs with shards locked, and EXEC ends the watches anyway.
  if (!ctx.in_transaction()) {
    UnwatchAll(ctx.client(), ctx.server().keyspace(), ctx.server());
  }
  ctx.reply().Ok();
}

constexpr uint32_t kAnytime = kNoScript | kLoading | kStale | kAllowBusy | kFast;

// clang-format off
constexpr CommandSpec kTransactionCommands[] = {
    // name     arity  flags                     keys                    ACL              handler     since    cost
    {"discard",  1,    kAnytime | kControlsMulti, kNoKeys,                kAclTransaction, &Discard,   "2.0.0", "O(N), N being the queued commands",
     "Leaves MULTI without running what was queued."},
    {"exec",     1,    kNoScript | kLoading | kStale | kSkipSlowlog | kControlsMulti | kRunsQueue,
                                                  kNoKeys,                kAclTransaction, &Exec,      "1.2.0", "As the queued commands",
     "Runs everything queued since MULTI, in one go."},
    {"multi",    1,    kAnytime | kControlsMulti, kNoKeys,                kAclTransaction, &Multi,     "1.2.0", "O(1)",
     "Queues the commands that follow until EXEC or DISCARD."},
    {"unwatch",  1,    kAnytime,                  kNoKeys,                kAclTransaction, &Unwatch,   "2.2.0", "O(1)",
     "Stops watching all keys."},
    {"watch",   -2,    kAnytime | kControlsMulti, Keys(1, -1, 1, kKeyRo), kAclTransaction, &WatchKeys, "2.2.0", "O(1) a key",
     "Lets the next EXEC fail if one of the keys changes before.", "key ..."},
};
// clang-format on
static_assert(IsWellFormed(kTransactionCommands));

}  // namespace

constinit const CommandFamily kTransactionFamily = {"transactions", kTransactionCommands};

}  // namespace larder
