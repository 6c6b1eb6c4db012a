// Fields of hashes that nobody names: drawn at random, or piece by piece.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "base/text.h"
#include "commands/argument_parsers.h"
#include "commands/command_context.h"
#include "commands/edit.h"
#include "commands/families.h"
#include "commands/hash_access.h"
#include "commands/scan_reply.h"
#include "protocol/error_text.h"
#include "storage/hash.h"

namespace larder {
namespace {

constexpr int64_t kMostFields = std::numeric_limits<int64_t>::max();

// ---- HRANDFIELD

struct SampleOptions {
  int64_t count = 0;
  bool with_values = false;
};

bool ParseSample(CommandContext& ctx, SampleOptions& options) {
  if (!ParseInteger(ctx, 2, options.count)) return false;
  if (options.count < -kMostFields) {
    ctx.reply().Error(error_text::kNotASymmetricInt64);
    return false;
  }
  if (ctx.argc() > 3) {
    if (ctx.argc() > 4 || !EqualsIgnoreCase(ctx.arg(3), "WITHVALUES")) {
      ctx.reply().Error(error_text::kSyntax);
      return false;
    }
    if (options.count < -kMostFields / 2 || options.count > kMostFields / 2) {
      ctx.reply().Error(error_text::kValueOutOfRange);
      return false;
    }
    options.with_values = true;
  }
  return true;
}

std::vector<HashField> AllFields(const Hash& hash, UnixMillis now) {
  std::vector<HashField> fields;
  fields.reserve(hash.size());
  hash.ForEach(now, [&](const HashField& field) {
    fields.push_back(field);
    return true;
  });
  return fields;
}

// Draws until there are `count` different fields. False if that takes too long.
bool DrawDistinct(const Hash& hash, size_t count, CommandContext& ctx,
                  std::vector<HashField>& fields) {
  absl::flat_hash_set<const char*> drawn;  // By where their names stand.
  drawn.reserve(count);
  for (size_t tries = 4 * count + 100; tries > 0 && fields.size() < count; --tries) {
    const std::optional<HashField> field = hash.RandomField(ctx.random(), ctx.now());
    if (!field) return false;
    if (drawn.insert(field->name.text.data()).second) fields.push_back(*field);
  }
  return fields.size() == count;
}

// `count` different fields, or all if there are no more.
std::vector<HashField> DistinctFields(CommandContext& ctx, const Hash& hash, size_t count) {
  // Up to a third of a table is drawn field by field; above, too many would be drawn twice.
  std::vector<HashField> fields;
  if (!hash.is_listpack() && count < hash.size() / 3 && DrawDistinct(hash, count, ctx, fields)) {
    return fields;
  }
  fields = AllFields(hash, ctx.now());
  if (count >= fields.size()) return fields;
  for (size_t i = 0; i < count; ++i) {
    std::swap(fields[i], fields[i + ctx.random().Uniform(fields.size() - i)]);
  }
  fields.resize(count);
  return fields;
}

// RESP3 has pairs where RESP2 has a flat list.
void ReplySampleHeader(ReplyWriter& reply, size_t fields, bool with_values) {
  reply.Array(with_values && !reply.resp3() ? 2 * fields : fields);
}

void ReplySampled(ReplyWriter& reply, const HashField& field, bool with_values) {
  if (with_values && reply.resp3()) reply.Array(2);
  ReplyFieldName(reply, field);
  if (with_values) ReplyFieldValue(reply, field);
}

// `count` fields, each drawn from all of them.
void ReplyRepeated(CommandContext& ctx, const Hash& hash, size_t count, bool with_values) {
  // Nobody has more sent to them for a purpose; it would fill all memory.
  constexpr size_t kMost = size_t{1} << 27;
  if (count > kMost) return ctx.reply().Error(error_text::kValueOutOfRange);
  ReplyWriter& reply = ctx.reply();
  std::vector<HashField> all;
  if (hash.is_listpack()) all = AllFields(hash, ctx.now());
  const auto draw = [&]() -> std::optional<HashField> {
    if (!hash.is_listpack()) return hash.RandomField(ctx.random(), ctx.now());
    if (all.empty()) return std::nullopt;
    return all[ctx.random().Uniform(all.size())];
  };
  std::optional<HashField> field = draw();
  if (!field) return reply.Array(0);
  ReplySampleHeader(reply, count, with_values);
  ReplySampled(reply, *field, with_values);
  for (size_t i = 1; i < count; ++i) ReplySampled(reply, *draw(), with_values);
}

void ReplySample(CommandContext& ctx, const Hash& hash, const SampleOptions& options) {
  if (options.count < 0) {
    return ReplyRepeated(ctx, hash, static_cast<size_t>(-options.count), options.with_values);
  }
  const std::vector<HashField> fields =
      DistinctFields(ctx, hash, static_cast<size_t>(options.count));
  ReplySampleHeader(ctx.reply(), fields.size(), options.with_values);
  for (const HashField& field : fields) ReplySampled(ctx.reply(), field, options.with_values);
}

void HRandField(CommandContext& ctx) {
  SampleOptions options;
  const bool wants_one = ctx.argc() == 2;
  if (!wants_one && !ParseSample(ctx, options)) return;
  const FoundValue<Hash> found = FindHashForRead(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (wants_one) {
    std::optional<HashField> field;
    if (found) field = found.value().RandomField(ctx.random(), ctx.now());
    if (!field) return ctx.reply().Null();
    return ReplyFieldName(ctx.reply(), *field);
  }
  if (!found || options.count == 0) return ctx.reply().Array(0);
  ReplySample(ctx, found.value(), options);
}

// ---- HSCAN

void HScan(CommandContext& ctx) {
  uint64_t cursor = 0;
  if (!ParseScanCursor(ctx, 2, cursor)) return;
  const FoundValue<Hash> found = FindHashForRead(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found) return ReplyEmptyScan(ctx);
  ScanOptions options;
  if (!ParseScanOptions(ctx, 3, kScanNoValues, options)) return;
  const Hash hash = found.value();
  ScanReply scan(ctx.reply(), options);
  const auto visit = [&](const HashField& field) {
    char digits[kMaxIntegerText];
    const std::string_view name = field.name.View(digits);
    if (!scan.Wants(name)) return;
    scan.Bulk(name);
    if (options.no_values) return;
    ReplyFieldValue(ctx.reply(), field);
    scan.CountElement();
  };
  scan.Run(cursor, [&](uint64_t place) { return hash.Scan(place, ctx.now(), visit); });
}

constexpr KeySpecs kRead = Keys(1, 1, 1, kKeyRo | kKeyAccess);
constexpr CommandExtras kRandom = {.tips = "nondeterministic_output"};

// clang-format off
constexpr CommandSpec kCommands[] = {
    {"hrandfield", -2, kReadOnly, kRead, kAclHash, &HRandField, "6.2.0",
     "O(N) for N fields returned", "Draws fields of a hash at random.", "key [count [WITHVALUES]]",
     kRandom},
    {"hscan", -3, kReadOnly, kRead, kAclHash, &HScan, "2.8.0",
     "O(1) a call, O(N) for all calls of an iteration over N fields",
     "Lists the fields of a hash piece by piece.",
     "key cursor [MATCH pattern] [COUNT count] [NOVALUES]",
     {.tips = "nondeterministic_output", .history = "7.4.0: NOVALUES"}},
};
// clang-format on
static_assert(IsWellFormed(kCommands));

}  // namespace

const CommandFamily kHashSampleFamily = {"hash", kCommands};

}  // namespace larder
