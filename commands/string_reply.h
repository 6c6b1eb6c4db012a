// How a string that a key holds is answered: the path of every GET.
#pragma once

#include "base/blob.h"
#include "commands/command_context.h"

namespace larder {

// A large value leaves by reference, without a copy.
inline void ReplyWithString(CommandContext& ctx, const StringValue& value) {
  if (value.blob() == nullptr) [[likely]]
    return ctx.reply().Bulk(value.view());
  // Borrowed, so that only a reply that keeps the bytes touches the reference count.
  BlobRef borrowed = BlobRef::Adopt(value.blob());
  ctx.reply().BulkBlob(borrowed, borrowed->view(), value.rest());
  borrowed.Detach();
}

// FindString for a command that answers a missing key with nothing: replies to that and to a wrong
// type itself, and then returns false.
inline bool FindStringOrReply(CommandContext& ctx, size_t key, StringValue& value) {
  const Found found = ctx.FindString(key, value);
  if (found == Found::kValue) [[likely]]
    return true;
  if (found == Found::kNothing) {
    ctx.reply().Null();
  } else {
    ctx.reply().Error(error_text::kWrongType);
  }
  return false;
}

}  // namespace larder
