#include "commands/hash_access.h"

#include <utility>

namespace larder {
namespace {

FoundValue<Hash> WithoutExpiredFields(CommandContext& ctx, size_t key, FoundValue<Hash> found) {
  if (found.entry == nullptr || !found.entry->has_timed_fields()) [[likely]]
    return found;
  Shard& shard = ctx.shard(key);
  shard.mu().AssertHeld();
  found.entry = shard.ExpireFields(ctx.db(), ctx.key(key), found.entry, ctx.now());
  return found;
}

}  // namespace

FoundValue<Hash> FindHashForRead(CommandContext& ctx, size_t key) {
  return WithoutExpiredFields(ctx, key, FindForRead<Hash>(ctx, key));
}

FoundValue<Hash> FindHashForWrite(CommandContext& ctx, size_t key) {
  return WithoutExpiredFields(ctx, key, FindForWrite<Hash>(ctx, key));
}

bool SetFieldFromArg(CommandContext& ctx, Hash& hash, size_t name_arg, size_t value_arg,
                     const Hash::Write& write) {
  const std::string_view value = ctx.arg(value_arg);
  if (value.size() <= Entry::kMaxInlineBytes) [[likely]]
    return hash.Set(ctx.arg(name_arg), value, write);
  return hash.Set(ctx.arg(name_arg), value, write, ctx.TakeBlob(value_arg));
}

void ReplyElement(ReplyWriter& reply, const ListpackValue& element) {
  if (element.is_integer) return reply.BulkInteger(element.integer);
  reply.Bulk(element.text);
}

void ReplyFieldValue(ReplyWriter& reply, const HashField& field) {
  if (field.blob == nullptr) [[likely]]
    return ReplyElement(reply, field.value);
  // Borrowed, so that only a reply that keeps the bytes touches the reference count.
  BlobRef borrowed = BlobRef::Adopt(field.blob);
  reply.BulkBlob(borrowed);
  borrowed.Detach();
}

void ReplyValueOf(CommandContext& ctx, const Hash& hash, std::string_view name) {
  HashField field;
  if (!hash.Find(name, ctx.now(), field)) return ctx.reply().Null();
  ReplyFieldValue(ctx.reply(), field);
}

}  // namespace larder
