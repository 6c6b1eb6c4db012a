#include "commands/list_elements.h"

#include <algorithm>

#include "base/text.h"
#include "commands/argument_parsers.h"
#include "commands/edit.h"

namespace larder {

bool ParseListEnd(CommandContext& ctx, size_t arg, ListEnd& end) {
  if (EqualsIgnoreCase(ctx.arg(arg), "LEFT")) {
    end = ListEnd::kHead;
  } else if (EqualsIgnoreCase(ctx.arg(arg), "RIGHT")) {
    end = ListEnd::kTail;
  } else {
    ctx.reply().Error(error_text::kSyntax);
    return false;
  }
  return true;
}

bool ParseCount(CommandContext& ctx, size_t arg, size_t& count, std::string_view error) {
  int64_t number = 0;
  if (!ParseInteger(ctx, arg, number, error)) return false;
  if (number <= 0) {
    ctx.reply().Error(error);
    return false;
  }
  count = static_cast<size_t>(number);
  return true;
}

void ReplyElements(ReplyWriter& reply, const List& list, ListEnd end, size_t skip, size_t count) {
  reply.Array(count);
  if (count == 0) return;
  list.ForEach(end, skip, [&](const ListpackValue& value) {
    ReplyElement(reply, value);
    return --count > 0;
  });
}

void PopOne(CommandContext& ctx, size_t key, Entry* entry, ListEnd end) {
  Edit<List> list(ctx, key, entry);
  ReplyElement(ctx.reply(), list->Peek(end));  // Before it is gone.
  list->Pop(end, PackingOf(ctx));
  list.Done(kNotifyList, PopEvent(end));
}

void PopSome(CommandContext& ctx, size_t key, Entry* entry, ListEnd end, size_t count) {
  Edit<List> list(ctx, key, entry);
  const size_t size = list->size();
  const size_t popped = std::min(size, count);
  ReplyElements(ctx.reply(), *list, end, 0, popped);
  list->EraseRange(end == ListEnd::kHead ? 0 : size - popped, popped, PackingOf(ctx));
  list.Done(kNotifyList, PopEvent(end), static_cast<int64_t>(popped));
}

}  // namespace larder
