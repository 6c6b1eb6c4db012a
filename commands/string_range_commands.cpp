// Parts of strings: length, ranges, appending, and what two strings have in common.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "commands/argument_parsers.h"
#include "commands/command_context.h"
#include "commands/families.h"
#include "commands/longest_common_subsequence.h"
#include "commands/string_reply.h"
#include "protocol/error_text.h"

namespace larder {
namespace {

void StrLen(CommandContext& ctx) {
  const Entry* const entry = ctx.Find(0);
  if (entry == nullptr) return ctx.reply().Integer(0);
  if (entry->type() != ValueType::kString) return ctx.reply().Error(error_text::kWrongType);
  ctx.reply().Integer(static_cast<int64_t>(entry->StringSize()));
}

// ---- Reading a range.

// `position` counted from the start; negative ones count from the end, -1 being the last byte.
int64_t FromStart(int64_t position, int64_t size) {
  return position >= 0 ? position : std::max<int64_t>(position + size, 0);
}

void GetRange(CommandContext& ctx) {
  int64_t start = 0;
  int64_t end = 0;  // Inclusive.
  if (!ParseInteger(ctx, 2, start) || !ParseInteger(ctx, 3, end)) return;
  StringValue value;
  const Found found = ctx.FindString(0, value);
  if (found == Found::kWrongType) return ctx.reply().Error(error_text::kWrongType);
  if (found == Found::kNothing) return ctx.reply().Bulk({});

  const auto size = static_cast<int64_t>(value.size());
  const bool crossed = start < 0 && end < 0 && start > end;  // Both may clamp to 0 below.
  start = FromStart(start, size);
  end = std::min(FromStart(end, size), size - 1);
  if (crossed || start > end) return ctx.reply().Bulk({});
  const size_t offset = static_cast<size_t>(start);
  const size_t length = static_cast<size_t>(end - start + 1);
  if (value.blob() == nullptr) return ctx.reply().Bulk(value.view().substr(offset, length));
  BlobRef borrowed = BlobRef::Adopt(value.blob());
  const std::string_view in_blob = borrowed->view();
  const size_t skipped = std::min(offset, in_blob.size());
  const std::string_view front = in_blob.substr(skipped, length);
  ctx.reply().BulkBlob(borrowed, front,
                       value.rest().substr(offset - skipped, length - front.size()));
  borrowed.Detach();
}

// ---- Writing a range.

// Whether a string of `size` and `more` bytes may be; replies with an error if not.
bool CheckSize(CommandContext& ctx, size_t size, size_t more) {
  const auto limit = static_cast<uint64_t>(ctx.settings().proto_max_bulk_bytes);
  if (size <= limit && more <= limit - size) return true;
  ctx.reply().Error(error_text::kStringTooLong);
  return false;
}

void Append(CommandContext& ctx) {
  const std::string_view tail = ctx.arg(2);
  Entry* entry = ctx.FindForWrite(0);
  size_t size = 0;
  if (entry == nullptr) {
    ctx.SetStringFromArg(0, 2, kNoExpiry);
    size = tail.size();
  } else {
    if (entry->type() != ValueType::kString) return ctx.reply().Error(error_text::kWrongType);
    const size_t old_size = entry->StringSize();
    if (!CheckSize(ctx, old_size, tail.size())) return;
    size = old_size + tail.size();
    const std::span<char> bytes = ctx.EditString(0, entry, size);
    if (!tail.empty()) std::memcpy(bytes.data() + old_size, tail.data(), tail.size());
  }
  ctx.Notify(kNotifyString, "append", 0);
  ctx.reply().Integer(static_cast<int64_t>(size));
}

void SetRange(CommandContext& ctx) {
  int64_t signed_offset = 0;
  if (!ParseInteger(ctx, 2, signed_offset)) return;
  if (signed_offset < 0) return ctx.reply().Error(error_text::kOffsetOutOfRange);
  const size_t offset = static_cast<size_t>(signed_offset);
  const std::string_view patch = ctx.arg(3);

  Entry* entry = ctx.FindForWrite(0);
  if (entry != nullptr && entry->type() != ValueType::kString) {
    return ctx.reply().Error(error_text::kWrongType);
  }
  const size_t old_size = entry != nullptr ? entry->StringSize() : 0;
  // Writing nothing changes nothing, not even the length.
  if (patch.empty()) return ctx.reply().Integer(static_cast<int64_t>(old_size));
  if (!CheckSize(ctx, offset, patch.size())) return;
  if (entry == nullptr) {
    entry = ctx.SetString(0, {}, kNoExpiry);
    ctx.MarkDirty(-1);  // Creating and filling it are one change.
  }
  const size_t size = std::max(old_size, offset + patch.size());
  const std::span<char> bytes = ctx.EditString(0, entry, size);
  std::memcpy(bytes.data() + offset, patch.data(), patch.size());
  ctx.Notify(kNotifyString, "setrange", 0);
  ctx.reply().Integer(static_cast<int64_t>(size));
}

// ---- LCS.

struct LcsOptions {
  bool length_only = false;
  bool indexes = false;
  bool with_match_length = false;
  int64_t min_match_length = 0;
};

bool ParseLcsOptions(CommandContext& ctx, LcsOptions& options) {
  for (size_t i = 3; i < ctx.argc(); ++i) {
    const std::string_view word = ctx.arg(i);
    if (EqualsIgnoreCase(word, "IDX")) {
      options.indexes = true;
    } else if (EqualsIgnoreCase(word, "LEN")) {
      options.length_only = true;
    } else if (EqualsIgnoreCase(word, "WITHMATCHLEN")) {
      options.with_match_length = true;
    } else if (EqualsIgnoreCase(word, "MINMATCHLEN") && i + 1 < ctx.argc()) {
      if (!ParseInteger(ctx, ++i, options.min_match_length)) return false;
    } else {
      ctx.reply().Error(error_text::kSyntax);
      return false;
    }
  }
  if (!options.length_only || !options.indexes) return true;
  ctx.reply().Error(error_text::kLcsLengthAndIndexes);
  return false;
}

// Redis keeps a table of four bytes for each pair of prefixes and refuses what would not fit into
// proto-max-bulk-len. We need a fraction of that, but the same limit bounds the time, too.
bool CheckLcsCost(CommandContext& ctx, size_t a_size, size_t b_size) {
  constexpr size_t kLongest = std::numeric_limits<uint32_t>::max() - 1;
  if (a_size >= kLongest || b_size >= kLongest) {
    ctx.reply().Error(error_text::kLcsTooLong);
    return false;
  }
  const uint64_t cells = (uint64_t{a_size} + 1) * (uint64_t{b_size} + 1);
  const auto limit = static_cast<uint64_t>(ctx.settings().proto_max_bulk_bytes);
  if (cells <= limit / sizeof(uint32_t)) return true;
  ctx.reply().Error(error_text::kLcsTooMuchMemory);
  return false;
}

void ReplyWithText(CommandContext& ctx, std::string_view a, const std::vector<CommonRun>& runs) {
  std::string text;
  for (auto run = runs.rbegin(); run != runs.rend(); ++run)
    text += a.substr(run->a_begin, run->size);
  ctx.reply().Bulk(text);
}

void ReplyWithRange(CommandContext& ctx, size_t begin, size_t size) {
  ctx.reply().Array(2);
  ctx.reply().Integer(static_cast<int64_t>(begin));
  ctx.reply().Integer(static_cast<int64_t>(begin + size - 1));
}

void ReplyWithIndexes(CommandContext& ctx, const LcsOptions& options,
                      const std::vector<CommonRun>& runs) {
  const auto is_shown = [&](const CommonRun& run) {
    return static_cast<int64_t>(run.size) >= options.min_match_length;
  };
  size_t length = 0;
  for (const CommonRun& run : runs) length += run.size;
  ReplyWriter& reply = ctx.reply();
  reply.Map(2);
  reply.Bulk("matches");
  reply.Array(static_cast<size_t>(std::count_if(runs.begin(), runs.end(), is_shown)));
  for (const CommonRun& run : runs) {
    if (!is_shown(run)) continue;
    reply.Array(options.with_match_length ? 3 : 2);
    ReplyWithRange(ctx, run.a_begin, run.size);
    ReplyWithRange(ctx, run.b_begin, run.size);
    if (options.with_match_length) reply.Integer(static_cast<int64_t>(run.size));
  }
  reply.Bulk("len");
  reply.Integer(static_cast<int64_t>(length));
}

void Lcs(CommandContext& ctx) {
  // A missing key is an empty string. Redis looks at the keys before it looks at the options.
  // Both are dropped first if they have expired: no look-up may move what another one has found.
  ctx.Peek(0);
  ctx.Peek(1);
  StringValue a;
  StringValue b;
  const Found found_a = ctx.FindString(0, a);
  const Found found_b = ctx.FindString(1, b);
  if (found_a == Found::kWrongType || found_b == Found::kWrongType) {
    return ctx.reply().Error(error_text::kLcsNeedsStrings);
  }
  LcsOptions options;
  if (!ParseLcsOptions(ctx, options)) return;
  if (!CheckLcsCost(ctx, a.size(), b.size())) return;

  if (options.length_only) {
    const size_t length = LongestCommonLength(a.view(), b.view());
    return ctx.reply().Integer(static_cast<int64_t>(length));
  }
  const std::vector<CommonRun> runs = LongestCommonSubsequence(a.view(), b.view());
  options.indexes ? ReplyWithIndexes(ctx, options, runs) : ReplyWithText(ctx, a.view(), runs);
}

constexpr CommandExtras kSubstrExtras = {.deprecated_since = "2.0.0", .replaced_by = "`GETRANGE`"};

// clang-format off
constexpr CommandSpec kCommands[] = {
    {"append", 3, kWrite | kDenyOom | kFast, Keys(1, 1, 1, kKeyRw | kKeyInsert), kAclString, &Append,
     "2.0.0", "O(1) amortized, for values that are small beside what is there already.",
     "Appends to the string that a key holds, or creates it.", "key value"},
    {"getrange", 4, kReadOnly, Keys(1, 1, 1), kAclString, &GetRange, "2.4.0",
     "O(N) where N is the length of the reply.",
     "Returns a part of the string that a key holds.", "key start:integer end:integer"},
    {"lcs", -3, kReadOnly, Keys(1, 2, 1), kAclString, &Lcs, "7.0.0",
     "O(N*M) where N and M are the lengths of the strings.",
     "Finds the longest common subsequence of two strings.",
     "key1:key key2:key [LEN] [IDX] [MINMATCHLEN len:integer] [WITHMATCHLEN]"},
    {"setrange", 4, kWrite | kDenyOom, Keys(1, 1, 1), kAclString, &SetRange, "2.2.0",
     "O(M) where M is the length of the value, besides what making room for it takes.",
     "Overwrites a part of the string that a key holds, which grows if need be.",
     "key offset:integer value"},
    {"strlen", 2, kReadOnly | kFast, Keys(1, 1, 1, kKeyRo), kAclString, &StrLen, "2.2.0", "O(1)",
     "Returns the length of the string that a key holds.", "key"},
    {"substr", 4, kReadOnly, Keys(1, 1, 1), kAclString, &GetRange, "1.0.0",
     "O(N) where N is the length of the reply.",
     "Returns a part of the string that a key holds.", "key start:integer end:integer",
     kSubstrExtras},
};
// clang-format on
static_assert(IsWellFormed(kCommands));

}  // namespace

const CommandFamily kStringRangeFamily = {"string", kCommands};

}  // namespace larder
