#include "commands/debug_reload.h"

#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "commands/command_context.h"
#include "storage/serialized_value.h"

namespace larder {
namespace {

constexpr std::string_view kLoadFailed = "ERR Error trying to load the RDB dump";

struct SavedKey {
  std::string key;
  UnixMillis expiry;
  uint32_t access;
  bool pinned;
  uint8_t type;
  std::string value;  // Serialized.
};

SavedKey Save(const Entry& entry, bool pinned, SerialWriter::Compress compress) {
  SavedKey saved{.key = std::string(entry.key()),
                 .expiry = entry.expiry(),
                 .access = entry.access(),
                 .pinned = pinned,
                 .type = SerializedTypeOf(entry),
                 .value = {}};
  StringSink sink(saved.value);
  SerialWriter writer(sink, compress);
  WriteValue(entry, writer);
  return saved;
}

std::optional<LooseValue> Load(const SavedKey& saved, const EncodingLimits& limits) {
  StringSource source(saved.value);
  SerialReader reader(source);
  std::optional<LooseValue> value = ReadValue(saved.type, reader, limits);
  if (source.left() != 0) return std::nullopt;
  return value;
}

std::vector<SavedKey> SaveDatabase(const CommandContext& ctx, Shard& shard, int db) {
  const auto compress =
      ctx.settings().rdb_compression ? SerialWriter::Compress::kYes : SerialWriter::Compress::kNo;
  std::vector<SavedKey> keys;
  shard.mu().AssertHeld();
  keys.reserve(shard.size(db));
  uint64_t cursor = 0;
  do {
    // Nothing changes in between, so each key comes once.
    cursor = shard.Scan(db, cursor, [&](Entry& entry) {
      shard.mu().AssertHeld();
      keys.push_back(Save(entry, shard.IsPinned(db, entry.key()), compress));
    });
  } while (cursor != 0);
  return keys;
}

void Put(const CommandContext& ctx, Shard& shard, int db, const SavedKey& saved,
         LooseValue& value) {
  // As when a server starts, what has expired in the meantime does not come back.
  if (saved.expiry != kNoExpiry && saved.expiry < ctx.now()) return;
  shard.mu().AssertHeld();
  const HashedKey key = HashedKey::Of(saved.key);
  Entry* const entry = value.is_string()
                           ? shard.SetString(db, key, value.text(), saved.expiry)
                           : shard.SetObject(db, key, value.TakeObject(), saved.expiry);
  shard.InheritAccess(*entry, saved.access);
  if (saved.pinned) shard.Pin(db, key, std::numeric_limits<int64_t>::max());
}

// False if something could not be read again; then nothing has changed.
bool ReloadDatabase(CommandContext& ctx, Shard& shard, int db) {
  const std::vector<SavedKey> keys = SaveDatabase(ctx, shard, db);
  std::vector<LooseValue> values;
  values.reserve(keys.size());
  for (const SavedKey& saved : keys) {
    std::optional<LooseValue> value = Load(saved, ctx.settings().encoding);
    if (!value) {
      ctx.server().LogWarning("DEBUG RELOAD: cannot read what was written for a key");
      return false;
    }
    values.push_back(std::move(*value));
  }
  ctx.NotifyDatabaseChanging(shard, db);
  shard.mu().AssertHeld();
  shard.Flush(db, Shard::Reclaim::kNow);
  for (size_t i = 0; i < keys.size(); ++i) Put(ctx, shard, db, keys[i], values[i]);
  return true;
}

// One shard at a time, so that memory holds little twice.
void ReloadAll(CommandContext& ctx) {
  bool whole = true;
  ctx.ForEachShard([&](Shard& shard) {
    shard.mu().AssertHeld();
    for (int db = 0; db < ctx.settings().databases; ++db) {
      if (shard.size(db) != 0) whole = ReloadDatabase(ctx, shard, db) && whole;
    }
    return true;
  });
  whole ? ctx.reply().Ok() : ctx.reply().Error(kLoadFailed);
}

bool HasKeys(CommandContext& ctx) {
  bool found = false;
  ctx.ForEachShard([&](Shard& shard) {
    shard.mu().AssertHeld();
    for (int db = 0; db < ctx.settings().databases; ++db) found |= shard.size(db) != 0;
    return !found;
  });
  return found;
}

}  // namespace

void DebugReload(CommandContext& ctx) {
  bool merge = false;
  bool flush = true;
  bool save = true;
  for (size_t i = 2; i < ctx.argc(); ++i) {
    if (EqualsIgnoreCase(ctx.arg(i), "MERGE")) {
      merge = true;
    } else if (EqualsIgnoreCase(ctx.arg(i), "NOFLUSH")) {
      flush = false;
    } else if (EqualsIgnoreCase(ctx.arg(i), "NOSAVE")) {
      save = false;
    } else {
      return ctx.reply().Error(
          "ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.");
    }
  }
  // Without saving there is nothing to load; what was saved earlier is not kept.
  if (!save) return flush ? ctx.reply().Error(kLoadFailed) : ctx.reply().Ok();
  // What is there may only be loaded over itself when it may be merged.
  if (!flush && !merge && HasKeys(ctx)) return ctx.reply().Error(kLoadFailed);
  ReloadAll(ctx);
}

void DebugLoadAof(CommandContext& ctx) { ReloadAll(ctx); }

}  // namespace larder
