// How commands get at hashes: found without the fields whose time has come, and replied.
//
// Concurrency: as CommandContext; the key's shard is locked.
#pragma once

#include "commands/command_context.h"
#include "commands/edit.h"
#include "storage/hash.h"

namespace larder {

// FindForRead and FindForWrite for hashes, of which they first remove what has expired. Of a large
// hash perhaps not all of it: every reading call is given ctx.now() as well.
FoundValue<Hash> FindHashForRead(CommandContext& ctx, size_t key);
FoundValue<Hash> FindHashForWrite(CommandContext& ctx, size_t key);

// How fields of a hash are to be written by this command.
inline Hash::Write HashWrite(const CommandContext& ctx, UnixMillis expiry = kNoExpiry) {
  return {.now = ctx.now(), .limits = ctx.settings().encoding, .expiry = expiry};
}

// Sets a field to argument `value_arg`; true if it is new.
bool SetFieldFromArg(CommandContext& ctx, Hash& hash, size_t name_arg, size_t value_arg,
                     const Hash::Write& write);

void ReplyElement(ReplyWriter& reply, const ListpackValue& element);
inline void ReplyFieldName(ReplyWriter& reply, const HashField& field) {
  ReplyElement(reply, field.name);
}
void ReplyFieldValue(ReplyWriter& reply, const HashField& field);
// Null if there is no such field.
void ReplyValueOf(CommandContext& ctx, const Hash& hash, std::string_view name);

}  // namespace larder
