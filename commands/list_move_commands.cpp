// Commands that move elements from one list to another, or within one, and may wait for them.

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "commands/argument_parsers.h"
#include "commands/edit.h"
#include "commands/families.h"
#include "commands/list_elements.h"

namespace larder {
namespace {

constexpr size_t kSource = 0;  // Numbers of keys.
constexpr size_t kDestination = 1;

struct Ends {
  ListEnd from = ListEnd::kHead;
  ListEnd to = ListEnd::kHead;
};

bool ParseEnds(CommandContext& ctx, Ends& ends) {
  return ParseListEnd(ctx, 3, ends.from) && ParseListEnd(ctx, 4, ends.to);
}

bool MovesWithinOne(const CommandContext& ctx) {
  return ctx.key(kSource).text == ctx.key(kDestination).text;
}

// ---- One element.

// The source has it, and the destination is a list or nothing.
void MoveElement(CommandContext& ctx, Entry* source_entry, Entry* destination_entry, Ends ends) {
  const ListPacking packing = PackingOf(ctx);
  Edit<List> source(ctx, kSource, source_entry);
  const ListpackValue value = source->Peek(ends.from);
  ReplyElement(ctx.reply(), value);
  if (MovesWithinOne(ctx)) {
    const std::string copy = value.Text();
    source->Pop(ends.from, packing);
    source->Push(ends.to, copy, packing);
    ctx.Notify(kNotifyList, PushEvent(ends.to), kDestination);
  } else {
    Edit<List> destination(ctx, kDestination, destination_entry);
    destination->Push(ends.to, value, packing);
    destination.Done(kNotifyList, PushEvent(ends.to), 0);
    source->Pop(ends.from, packing);
  }
  source.Done(kNotifyList, PopEvent(ends.from));
}

void MoveOne(CommandContext& ctx, Entry* source, Ends ends) {
  const FoundValue<List> destination = FindForWrite<List>(ctx, kDestination);
  if (destination.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  MoveElement(ctx, source, destination.entry, ends);
}

void Move(CommandContext& ctx, Ends ends) {
  const FoundValue<List> source = FindForWrite<List>(ctx, kSource);
  if (source.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!source) return ctx.reply().Null();
  MoveOne(ctx, source.entry, ends);
}

// Whatever the command, what waited in vain gets an array that is none.
void WaitForSource(CommandContext& ctx, std::chrono::milliseconds timeout) {
  ctx.BlockOnKeys({.deadline = DeadlineAfter(timeout),
                   .on_timeout = [](ReplyWriter& reply) { reply.NullArray(); }},
                  {{kSource}});
}

void BlockingMove(CommandContext& ctx, Ends ends, std::chrono::milliseconds timeout) {
  const FoundValue<List> source = FindForWrite<List>(ctx, kSource);
  if (source.wrong_type && !ctx.retrying()) return ctx.reply().Error(error_text::kWrongType);
  if (source) return MoveOne(ctx, source.entry, ends);
  if (ctx.in_transaction()) return ctx.reply().Null();
  WaitForSource(ctx, timeout);
}

void LMove(CommandContext& ctx) {
  Ends ends;
  if (ParseEnds(ctx, ends)) Move(ctx, ends);
}

void RPopLPush(CommandContext& ctx) { Move(ctx, {ListEnd::kTail, ListEnd::kHead}); }

void BLMove(CommandContext& ctx) {
  Ends ends;
  if (!ParseEnds(ctx, ends)) return;
  std::chrono::milliseconds timeout{};
  if (!ParseBlockingTimeout(ctx, 5, TimeUnit::kSeconds, timeout)) return;
  BlockingMove(ctx, ends, timeout);
}

void BRPopLPush(CommandContext& ctx) {
  std::chrono::milliseconds timeout{};
  if (!ParseBlockingTimeout(ctx, 3, TimeUnit::kSeconds, timeout)) return;
  BlockingMove(ctx, {ListEnd::kTail, ListEnd::kHead}, timeout);
}

// ---- Several elements.

struct HowMany {
  size_t count = 1;
  bool exactly = false;     // Or else up to so many.
  bool one_by_one = false;  // Or else all at once, which keeps their order.
};

// [(COUNT count|EXACTLY count) (OBO|BULK)], from argument `arg` on.
bool ParseHowMany(CommandContext& ctx, size_t arg, HowMany& how_many) {
  if (arg == ctx.argc()) return true;
  how_many.exactly = EqualsIgnoreCase(ctx.arg(arg), "EXACTLY");
  const bool known = how_many.exactly || EqualsIgnoreCase(ctx.arg(arg), "COUNT");
  if (!known || arg + 3 != ctx.argc()) {
    ctx.reply().Error(error_text::kSyntax);
    return false;
  }
  if (!ParseCount(ctx, arg + 1, how_many.count, error_text::kCountNotPositive)) return false;
  how_many.one_by_one = EqualsIgnoreCase(ctx.arg(arg + 2), "OBO");
  if (how_many.one_by_one || EqualsIgnoreCase(ctx.arg(arg + 2), "BULK")) return true;
  ctx.reply().Error(error_text::kSyntax);
  return false;
}

// What is to be moved, in the order in which it will stand in the destination.
std::vector<std::string> Block(const List& source, Ends ends, size_t count, bool one_by_one) {
  std::vector<std::string> block;
  source.ForEach(ends.from, 0, [&](const ListpackValue& value) {
    block.push_back(value.Text());
    return block.size() < count;
  });
  // Here they are in the order in which they leave. One by one at the head, the last one moved ends
  // up as the first; all at once they stand as they stood.
  const bool backwards = one_by_one ? ends.to == ListEnd::kHead : ends.from == ListEnd::kTail;
  if (backwards) std::reverse(block.begin(), block.end());
  return block;
}

void PushBlock(List& list, ListEnd end, const std::vector<std::string>& block,
               const ListPacking& packing) {
  if (end == ListEnd::kTail) {
    for (const std::string& text : block) list.Push(end, text, packing);
  } else {
    for (auto text = block.rbegin(); text != block.rend(); ++text) {
      list.Push(end, *text, packing);
    }
  }
}

void MoveBlock(CommandContext& ctx, Entry* source_entry, Ends ends, const HowMany& how_many) {
  const FoundValue<List> found = FindForWrite<List>(ctx, kDestination);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  const ListPacking packing = PackingOf(ctx);
  Edit<List> source(ctx, kSource, source_entry);
  const size_t size = source->size();
  const size_t count = std::min(size, how_many.count);
  const std::vector<std::string> block = Block(*source, ends, count, how_many.one_by_one);
  source->EraseRange(ends.from == ListEnd::kHead ? 0 : size - count, count, packing);
  if (MovesWithinOne(ctx)) {
    PushBlock(*source, ends.to, block, packing);
    ctx.Notify(kNotifyList, PushEvent(ends.to), kDestination);
  } else {
    Edit<List> destination(ctx, kDestination, found.entry);
    PushBlock(*destination, ends.to, block, packing);
    destination.Done(kNotifyList, PushEvent(ends.to), 0);
  }
  source.Done(kNotifyList, PopEvent(ends.from), static_cast<int64_t>(count));
  ctx.reply().Array(block.size());
  for (const std::string& text : block) ctx.reply().Bulk(text);
}

void LMoveM(CommandContext& ctx) {
  Ends ends;
  HowMany how_many;
  if (!ParseEnds(ctx, ends) || !ParseHowMany(ctx, 5, how_many)) return;
  const FoundValue<List> source = FindForWrite<List>(ctx, kSource);
  if (source.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  const size_t available = source ? source.value().size() : 0;
  if (how_many.exactly && available < how_many.count) return ctx.reply().NullArray();
  if (available == 0) return ctx.reply().Array(0);
  MoveBlock(ctx, source.entry, ends, how_many);
}

void BLMoveM(CommandContext& ctx) {
  Ends ends;
  if (!ParseEnds(ctx, ends)) return;
  std::chrono::milliseconds timeout{};
  if (!ParseBlockingTimeout(ctx, 5, TimeUnit::kSeconds, timeout)) return;
  HowMany how_many;
  if (!ParseHowMany(ctx, 6, how_many)) return;
  const FoundValue<List> source = FindForWrite<List>(ctx, kSource);
  if (source.wrong_type && !ctx.retrying()) return ctx.reply().Error(error_text::kWrongType);
  const size_t wanted = how_many.exactly ? how_many.count : 1;
  if (source && source.value().size() >= wanted) {
    return MoveBlock(ctx, source.entry, ends, how_many);
  }
  if (ctx.in_transaction()) return ctx.reply().NullArray();
  WaitForSource(ctx, timeout);
}

constexpr KeySpecs kFromTo =
    Keys(1, 1, 1, kKeyRw | kKeyAccess | kKeyDelete) + Keys(2, 2, 1, kKeyRw | kKeyInsert);
constexpr uint32_t kMoves = kWrite | kDenyOom;
constexpr uint32_t kMovesOrWaits = kWrite | kDenyOom | kNoScript | kBlocking;
constexpr CommandExtras kRPopLPushExtras = {
    .deprecated_since = "6.2.0", .replaced_by = "`LMOVE` with the `RIGHT` and `LEFT` arguments"};
constexpr CommandExtras kBRPopLPushExtras = {
    .history = "6.0.0: `timeout` is interpreted as a double instead of an integer.",
    .deprecated_since = "6.2.0",
    .replaced_by = "`BLMOVE` with the `RIGHT` and `LEFT` arguments"};

// clang-format off
constexpr CommandSpec kCommands[] = {
    {"blmove", 6, kMovesOrWaits, kFromTo, kAclList, &BLMove, "6.2.0", "O(1)",
     "Moves an element from one list to another and returns it; waits until there is one.",
     "source destination (LEFT|RIGHT) (LEFT|RIGHT) timeout"},
    {"blmovem", -6, kMoves | kBlocking, kFromTo, kAclList, &BLMoveM, "8.10.0",
     "O(N) where N is the number of elements moved.",
     "Moves elements from one list to another and returns them; waits until there are enough.",
     "source destination (LEFT|RIGHT) (LEFT|RIGHT) timeout "
     "[(COUNT count|EXACTLY exactly) (OBO|BULK)]"},
    {"brpoplpush", 4, kMovesOrWaits, kFromTo, kAclList, &BRPopLPush, "2.2.0", "O(1)",
     "Moves the last element of a list to the head of another and returns it; waits until there "
     "is one.",
     "source destination timeout", kBRPopLPushExtras},
    {"lmove", 5, kMoves, kFromTo, kAclList, &LMove, "6.2.0", "O(1)",
     "Moves an element from one list to another and returns it.",
     "source destination (LEFT|RIGHT) (LEFT|RIGHT)"},
    {"lmovem", -5, kMoves, kFromTo, kAclList, &LMoveM, "8.10.0",
     "O(N) where N is the number of elements moved.",
     "Moves elements from one list to another and returns them.",
     "source destination (LEFT|RIGHT) (LEFT|RIGHT) [(COUNT count|EXACTLY exactly) (OBO|BULK)]"},
    {"rpoplpush", 3, kMoves, kFromTo, kAclList, &RPopLPush, "1.2.0", "O(1)",
     "Moves the last element of a list to the head of another and returns it.",
     "source destination", kRPopLPushExtras},
};
// clang-format on
static_assert(IsWellFormed(kCommands));

}  // namespace

const CommandFamily kListMoveFamily = {"list", kCommands};

}  // namespace larder
