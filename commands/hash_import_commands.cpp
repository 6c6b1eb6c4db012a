// HIMPORT: many hashes with the same fields, whose names a client sends only once.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "commands/command_context.h"
#include "commands/edit.h"
#include "commands/families.h"
#include "commands/hash_access.h"
#include "commands/hash_fieldsets.h"
#include "protocol/error_text.h"
#include "storage/hash.h"

namespace larder {
namespace {

constexpr std::string_view kRepeatedField = "ERR duplicate field name";
constexpr std::string_view kNoFieldset = "ERR no such fieldset";
constexpr std::string_view kValueCount = "ERR value count does not match the fieldset";
constexpr std::string_view kTooMuch = "ERR too many fieldsets are prepared on this connection";

bool HasRepetition(const std::vector<std::string>& fields) {
  absl::flat_hash_set<std::string_view> names;
  for (const std::string& field : fields) {
    if (!names.insert(field).second) return true;
  }
  return false;
}

void Prepare(CommandContext& ctx) {
  std::vector<std::string> fields;
  for (size_t i = 3; i < ctx.argc(); ++i) fields.emplace_back(ctx.arg(i));
  if (HasRepetition(fields)) return ctx.reply().Error(kRepeatedField);
  std::unique_ptr<HashFieldsets>& fieldsets = ctx.client().fieldsets;
  if (fieldsets == nullptr) fieldsets = std::make_unique<HashFieldsets>();
  if (!fieldsets->Add(ctx.arg(2), std::move(fields))) return ctx.reply().Error(kTooMuch);
  ctx.reply().Ok();
}

void Set(CommandContext& ctx) {
  constexpr size_t kFirstValue = 4;
  const HashFieldsets* fieldsets = ctx.client().fieldsets.get();
  const std::vector<std::string>* fields =
      fieldsets == nullptr ? nullptr : fieldsets->Find(ctx.arg(3));
  if (fields == nullptr) return ctx.reply().Error(kNoFieldset);
  if (fields->size() != ctx.argc() - kFirstValue) return ctx.reply().Error(kValueCount);
  if (FindHashForWrite(ctx, 0).wrong_type) return ctx.reply().Error(error_text::kWrongType);
  Hash hash = Hash::Create();
  const Hash::Write write = HashWrite(ctx);
  for (size_t i = 0; i < fields->size(); ++i) {
    hash.Set((*fields)[i], ctx.arg(kFirstValue + i), write);
  }
  ctx.SetObject(0, hash.object(), kNoExpiry);
  ctx.MarkDirty();
  ctx.Notify(kNotifyHash, "hset", 0);
  ctx.reply().Ok();
}

void Discard(CommandContext& ctx) {
  HashFieldsets* fieldsets = ctx.client().fieldsets.get();
  ctx.reply().Integer(fieldsets != nullptr && fieldsets->Remove(ctx.arg(2)) ? 1 : 0);
}

void DiscardAll(CommandContext& ctx) {
  const std::unique_ptr<HashFieldsets> fieldsets = std::move(ctx.client().fieldsets);
  ctx.reply().Integer(fieldsets == nullptr ? 0 : static_cast<int64_t>(fieldsets->size()));
}

// clang-format off
constexpr CommandSpec kSubcommands[] = {
    {"discard", 3, 0, kNoKeys, kAclHash, &Discard, "8.10.0", "O(N) for N fields of the fieldset",
     "Forgets a fieldset of this connection.", "fieldset-name"},
    {"discardall", 2, 0, kNoKeys, kAclHash, &DiscardAll, "8.10.0", "O(N) for N fieldsets",
     "Forgets all fieldsets of this connection."},
    {"prepare", -4, kDenyOom, kNoKeys, kAclHash, &Prepare, "8.10.0", "O(N) for N fields",
     "Names the fields of hashes that are to be set with their values alone.",
     "fieldset-name field [field ...]"},
    {"set", -5, kWrite | kDenyOom, Keys(2, 2, 1, kKeyOw | kKeyUpdate), kAclHash, &Set, "8.10.0",
     "O(N) for N fields", "Creates or replaces a hash with the fields of a fieldset.",
     "key fieldset-name value [value ...]"},
};

constexpr CommandSpec kCommands[] = {
    {"himport", -2, 0, kNoKeys, kAclHash, nullptr, "8.10.0", "Depends on the subcommand.",
     "Sets many hashes with the same fields.", "", {.subcommands = kSubcommands}},
};
// clang-format on
static_assert(IsWellFormed(kCommands));

}  // namespace

const CommandFamily kHashImportFamily = {"hash", kCommands};

}  // namespace larder
