// Hashes: setting, getting and deleting fields.

#include <cstdint>
#include <string_view>

#include "commands/command_context.h"
#include "commands/edit.h"
#include "commands/families.h"
#include "commands/hash_access.h"
#include "protocol/error_text.h"
#include "storage/hash.h"

namespace larder {
namespace {

// ---- Setting.

// Sets all pairs from argument 2 on. False after replying with an error; else `added` counts the
// fields that are new.
bool SetPairs(CommandContext& ctx, int64_t& added) {
  if (ctx.argc() % 2 != 0) {
    ctx.reply().Error(error_text::WrongArity(ctx.command().full_name()));
    return false;
  }
  const FoundValue<Hash> found = FindHashForWrite(ctx, 0);
  if (found.wrong_type) {
    ctx.reply().Error(error_text::kWrongType);
    return false;
  }
  Edit<Hash> hash(ctx, 0, found.entry);
  const Hash::Write write = HashWrite(ctx);
  for (size_t i = 2; i < ctx.argc(); i += 2) added += SetFieldFromArg(ctx, *hash, i, i + 1, write);
  hash.Done(kNotifyHash, "hset", static_cast<int64_t>(ctx.argc() / 2 - 1));
  return true;
}

void HSet(CommandContext& ctx) {
  int64_t added = 0;
  if (SetPairs(ctx, added)) ctx.reply().Integer(added);
}

void HMSet(CommandContext& ctx) {
  int64_t added = 0;
  if (SetPairs(ctx, added)) ctx.reply().Ok();
}

void HSetNx(CommandContext& ctx) {
  const FoundValue<Hash> found = FindHashForWrite(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (found && found.value().Contains(ctx.arg(2), ctx.now())) return ctx.reply().Integer(0);
  Edit<Hash> hash(ctx, 0, found.entry);
  SetFieldFromArg(ctx, *hash, 2, 3, HashWrite(ctx));
  hash.Done(kNotifyHash, "hset");
  ctx.reply().Integer(1);
}

// ---- Getting.

void HGet(CommandContext& ctx) {
  const FoundValue<Hash> found = FindHashForRead(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found) return ctx.reply().Null();
  ReplyValueOf(ctx, found.value(), ctx.arg(2));
}

void HMGet(CommandContext& ctx) {
  const FoundValue<Hash> found = FindHashForRead(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  ctx.reply().Array(ctx.argc() - 2);
  for (size_t i = 2; i < ctx.argc(); ++i) {
    if (found) {
      ReplyValueOf(ctx, found.value(), ctx.arg(i));
    } else {
      ctx.reply().Null();
    }
  }
}

void HExists(CommandContext& ctx) {
  const FoundValue<Hash> found = FindHashForRead(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  ctx.reply().Integer(found && found.value().Contains(ctx.arg(2), ctx.now()) ? 1 : 0);
}

void HStrLen(CommandContext& ctx) {
  const FoundValue<Hash> found = FindHashForRead(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  HashField field;
  const bool exists = found && found.value().Find(ctx.arg(2), ctx.now(), field);
  ctx.reply().Integer(exists ? static_cast<int64_t>(field.value.TextSize()) : 0);
}

void HLen(CommandContext& ctx) {
  const FoundValue<Hash> found = FindHashForRead(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  ctx.reply().Integer(found ? static_cast<int64_t>(found.value().size()) : 0);
}

// ---- All of it.

enum class Parts : uint8_t { kNames, kValues, kBoth };

void ReplyParts(ReplyWriter& reply, const HashField& field, Parts parts) {
  if (parts != Parts::kValues) ReplyFieldName(reply, field);
  if (parts != Parts::kNames) ReplyFieldValue(reply, field);
}

void ReplyWithAll(CommandContext& ctx, Parts parts) {
  const FoundValue<Hash> found = FindHashForRead(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  ReplyWriter& reply = ctx.reply();
  const bool as_map = parts == Parts::kBoth;
  if (!found) return as_map ? reply.Map(0) : reply.Array(0);
  const Hash hash = found.value();
  // Only a hash of which fields expire may have others than are seen.
  const bool size_is_known = !hash.timed();
  if (size_is_known) as_map ? reply.Map(hash.size()) : reply.Array(hash.size());
  const ReplyWriter::DeferredMark mark = reply.BeginDeferred();
  size_t fields = 0;
  hash.ForEach(ctx.now(), [&](const HashField& field) {
    ReplyParts(reply, field, parts);
    ++fields;
    return true;
  });
  if (size_is_known) return;
  as_map ? reply.EndDeferredMap(mark, fields) : reply.EndDeferredArray(mark, fields);
}

void HGetAll(CommandContext& ctx) { ReplyWithAll(ctx, Parts::kBoth); }
void HKeys(CommandContext& ctx) { ReplyWithAll(ctx, Parts::kNames); }
void HVals(CommandContext& ctx) { ReplyWithAll(ctx, Parts::kValues); }

// ---- Deleting.

void HDel(CommandContext& ctx) {
  const FoundValue<Hash> found = FindHashForWrite(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found) return ctx.reply().Integer(0);
  Edit<Hash> hash(ctx, 0, found.entry);
  int64_t deleted = 0;
  for (size_t i = 2; i < ctx.argc() && !hash->empty(); ++i) {
    deleted += hash->Erase(ctx.arg(i), ctx.now());
  }
  if (deleted > 0) hash.Done(kNotifyHash, "hdel", deleted);
  ctx.reply().Integer(deleted);
}

constexpr uint32_t kSets = kWrite | kDenyOom | kFast;
constexpr uint32_t kGets = kReadOnly | kFast;
constexpr KeySpecs kUpdated = Keys(1, 1, 1, kKeyRw | kKeyUpdate);
constexpr KeySpecs kRead = Keys(1, 1, 1, kKeyRo | kKeyAccess);
constexpr KeySpecs kAsked = Keys(1, 1, 1, kKeyRo);
constexpr CommandExtras kAnyOrder = {.tips = "nondeterministic_output_order"};

// clang-format off
constexpr CommandSpec kCommands[] = {
    {"hdel", -3, kWrite | kFast, Keys(1, 1, 1, kKeyRw | kKeyDelete), kAclHash, &HDel, "2.0.0",
     "O(N) for N fields", "Deletes fields of a hash, and the hash with its last one.",
     "key field [field ...]", {.history = "2.4.0: several fields"}},
    {"hexists", 3, kGets, kAsked, kAclHash, &HExists, "2.0.0", "O(1)",
     "Tells whether a hash has a field.", "key field"},
    {"hget", 3, kGets, kRead, kAclHash, &HGet, "2.0.0", "O(1)", "Reads a field of a hash.",
     "key field"},
    {"hgetall", 2, kReadOnly, kRead, kAclHash, &HGetAll, "2.0.0", "O(N) for N fields",
     "Reads all fields of a hash with their values.", "key", kAnyOrder},
    {"hkeys", 2, kReadOnly, kRead, kAclHash, &HKeys, "2.0.0", "O(N) for N fields",
     "Lists the names of a hash's fields.", "key", kAnyOrder},
    {"hlen", 2, kGets, kAsked, kAclHash, &HLen, "2.0.0", "O(1)", "Counts the fields of a hash.",
     "key"},
    {"hmget", -3, kGets, kRead, kAclHash, &HMGet, "2.0.0", "O(N) for N fields asked for",
     "Reads several fields of a hash.", "key field [field ...]"},
    {"hmset", -4, kSets, kUpdated, kAclHash, &HMSet, "2.0.0", "O(N) for N fields",
     "Sets fields of a hash.", "key field value [field value ...]",
     {.deprecated_since = "4.0.0", .replaced_by = "`HSET` with multiple field-value pairs"}},
    {"hset", -4, kSets, kUpdated, kAclHash, &HSet, "2.0.0", "O(N) for N fields",
     "Sets fields of a hash, which is created if there is none.", "key field value [field value ...]",
     {.history = "4.0.0: several fields"}},
    {"hsetnx", 4, kSets, Keys(1, 1, 1, kKeyRw | kKeyInsert), kAclHash, &HSetNx, "2.0.0", "O(1)",
     "Sets a field of a hash if the hash does not have it.", "key field value"},
    {"hstrlen", 3, kGets, kAsked, kAclHash, &HStrLen, "3.2.0", "O(1)",
     "Counts the bytes of a field's value.", "key field"},
    {"hvals", 2, kReadOnly, kRead, kAclHash, &HVals, "2.0.0", "O(N) for N fields",
     "Lists the values of a hash's fields.", "key", kAnyOrder},
};
// clang-format on
static_assert(IsWellFormed(kCommands));

}  // namespace

const CommandFamily kHashFamily = {"hash", kCommands};

}  // namespace larder
