// Intersections, differences and unions of sets: returned, counted or stored. A missing key is an
// empty set.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/numbers.h"
#include "base/text.h"
#include "commands/command_context.h"
#include "commands/edit.h"
#include "commands/families.h"
#include "commands/set_reply.h"
#include "protocol/error_text.h"
#include "storage/set.h"
#include "storage/set_algebra.h"

namespace larder {
namespace {

// The sets of a request, in the order of their keys.
class Sources {
 public:
  // Looks up all keys from number `first_key` on; replies with an error and returns false if one
  // holds something else.
  bool Find(CommandContext& ctx, size_t first_key) {
    for (size_t key = first_key; key < ctx.key_count(); ++key) {
      const FoundValue<Set> found = FindForRead<Set>(ctx, key);
      if (found.wrong_type) {
        ctx.reply().Error(error_text::kWrongType);
        return false;
      }
      if (found) sets_.push_back(found.value());
      if (key == first_key) has_first_ = static_cast<bool>(found);
      has_all_ &= static_cast<bool>(found);
    }
    return true;
  }

  void Intersect(SetVisitor visit) const {
    if (has_all_) IntersectSets(sets_, visit);
  }
  void Subtract(SetVisitor visit) const {
    if (has_first_) SubtractSets(sets_[0], std::span(sets_).subspan(1), visit);
  }
  void Unite(SetVisitor visit) const { UniteSets(sets_, visit); }

  Set StoredIntersection(const EncodingLimits& limits) const {
    return has_all_ ? Intersection(sets_, limits) : Set::Create();
  }
  Set StoredDifference(const EncodingLimits& limits) const {
    return has_first_ ? Difference(sets_[0], std::span(sets_).subspan(1), limits) : Set::Create();
  }
  Set StoredUnion(const EncodingLimits& limits) const { return Union(sets_, limits); }

 private:
  std::vector<Set> sets_;  // Without those that are missing.
  bool has_first_ = false;
  bool has_all_ = true;
};

using VisitResult = void (Sources::*)(SetVisitor) const;
using StoreResult = Set (Sources::*)(const EncodingLimits&) const;

// ---- Returned

void ReplyResult(CommandContext& ctx, VisitResult visit_result) {
  Sources sources;
  if (!sources.Find(ctx, 0)) return;
  const auto reply = ctx.reply().BeginDeferred();
  size_t size = 0;
  (sources.*visit_result)([&](const SetMember& member) {
    ReplyMember(ctx.reply(), member);
    ++size;
    return true;
  });
  ctx.reply().EndDeferredSet(reply, size);
}

void SInter(CommandContext& ctx) { ReplyResult(ctx, &Sources::Intersect); }
void SDiff(CommandContext& ctx) { ReplyResult(ctx, &Sources::Subtract); }
void SUnion(CommandContext& ctx) { ReplyResult(ctx, &Sources::Unite); }

// ---- Stored: key 0 is the destination, which may be among the sources.

void Store(CommandContext& ctx, StoreResult result_of, std::string_view event) {
  Sources sources;
  if (!sources.Find(ctx, 1)) return;
  const Set result = (sources.*result_of)(ctx.settings().encoding);
  const size_t size = result.size();
  if (size == 0) {
    Destroy(result.object());
    if (ctx.Erase(0, Shard::Reclaim::kNow)) ctx.Notify(kNotifyGeneric, "del", 0);
    return ctx.reply().Integer(0);
  }
  ctx.SetObject(0, result.object(), kNoExpiry);
  ctx.MarkDirty();
  ctx.Notify(kNotifySet, event, 0);
  ctx.reply().Integer(static_cast<int64_t>(size));
}

void SInterStore(CommandContext& ctx) { Store(ctx, &Sources::StoredIntersection, "sinterstore"); }
void SDiffStore(CommandContext& ctx) { Store(ctx, &Sources::StoredDifference, "sdiffstore"); }
void SUnionStore(CommandContext& ctx) { Store(ctx, &Sources::StoredUnion, "sunionstore"); }

// ---- Counted

struct CountOptions {
  size_t limit = 0;  // 0: none.
  bool approximate = false;
};

enum class Approximation : uint8_t { kNotTaken, kTaken };

// `command numkeys key... [APPROX] [LIMIT limit]`
bool ParseCount(CommandContext& ctx, Approximation approximation, CountOptions& options) {
  const std::optional<int64_t> keys = ParseInt64(ctx.arg(1));
  if (!keys || *keys < 1) {
    ctx.reply().Error(error_text::kNumKeysNotPositive);
    return false;
  }
  if (static_cast<uint64_t>(*keys) > ctx.argc() - 2) {
    ctx.reply().Error(error_text::kTooManyNumKeys);
    return false;
  }
  for (size_t i = 2 + static_cast<size_t>(*keys); i < ctx.argc(); ++i) {
    if (EqualsIgnoreCase(ctx.arg(i), "LIMIT") && i + 1 < ctx.argc()) {
      const std::optional<int64_t> limit = ParseInt64(ctx.arg(++i));
      if (!limit || *limit < 0) {
        ctx.reply().Error(error_text::kNegativeLimit);
        return false;
      }
      options.limit = static_cast<size_t>(*limit);
    } else if (approximation == Approximation::kTaken && EqualsIgnoreCase(ctx.arg(i), "APPROX")) {
      options.approximate = true;
    } else {
      ctx.reply().Error(error_text::kSyntax);
      return false;
    }
  }
  return true;
}

void ReplyCount(CommandContext& ctx, Approximation approximation, VisitResult visit_result) {
  CountOptions options;
  if (!ParseCount(ctx, approximation, options)) return;
  Sources sources;
  if (!sources.Find(ctx, 0)) return;
  size_t count = 0;
  (sources.*visit_result)([&](const SetMember&) { return ++count != options.limit; });
  ctx.reply().Integer(static_cast<int64_t>(count));
}

void SInterCard(CommandContext& ctx) {
  ReplyCount(ctx, Approximation::kNotTaken, &Sources::Intersect);
}
void SDiffCard(CommandContext& ctx) {
  ReplyCount(ctx, Approximation::kNotTaken, &Sources::Subtract);
}
// An exact count is an approximation, too. It saves Redis the memory of a union; here a count needs
// none of up to three sets.
void SUnionCard(CommandContext& ctx) { ReplyCount(ctx, Approximation::kTaken, &Sources::Unite); }

constexpr CommandExtras kAnyOrder = {.tips = "nondeterministic_output_order"};
constexpr KeySpecs kFromSecond = Keys(2, -1, 1, kKeyRo | kKeyAccess);
constexpr std::string_view kInterCost = "O(N*M) for M sets of which the smallest has N members";
constexpr std::string_view kCost = "O(N) for N members in all sets";

// clang-format off
constexpr CommandSpec kSetAlgebraCommands[] = {
    {"sdiff", -2, kReadOnly, Keys(1, -1, 1), kAclSet, &SDiff, "1.0.0", kCost,
     "Returns what is in the first set and in none of the others.", "key...", kAnyOrder},
    {"sdiffcard", -3, kReadOnly, CountedKeysAt(1), kAclSet, &SDiffCard, "8.10.0", kCost,
     "Counts what is in the first set and in none of the others.", "numkeys:integer key... [LIMIT limit:integer]"},
    {"sdiffstore", -3, kWrite | kDenyOom, Keys(1, 1, 1, kKeyOw | kKeyUpdate) + kFromSecond, kAclSet, &SDiffStore, "1.0.0", kCost,
     "Stores what is in the first set and in none of the others.", "destination:key key..."},
    {"sinter", -2, kReadOnly, Keys(1, -1, 1), kAclSet, &SInter, "1.0.0", kInterCost,
     "Returns what is in all of several sets.", "key...", kAnyOrder},
    {"sintercard", -3, kReadOnly, CountedKeysAt(1), kAclSet, &SInterCard, "7.0.0", kInterCost,
     "Counts what is in all of several sets.", "numkeys:integer key... [LIMIT limit:integer]"},
    {"sinterstore", -3, kWrite | kDenyOom, Keys(1, 1, 1, kKeyRw | kKeyUpdate) + kFromSecond, kAclSet, &SInterStore, "1.0.0", kInterCost,
     "Stores what is in all of several sets.", "destination:key key..."},
    {"sunion", -2, kReadOnly, Keys(1, -1, 1), kAclSet, &SUnion, "1.0.0", kCost,
     "Returns what is in any of several sets.", "key...", kAnyOrder},
    {"sunioncard", -3, kReadOnly, CountedKeysAt(1), kAclSet, &SUnionCard, "8.10.0", kCost,
     "Counts what is in any of several sets.", "numkeys:integer key... [APPROX] [LIMIT limit:integer]"},
    {"sunionstore", -3, kWrite | kDenyOom, Keys(1, 1, 1, kKeyOw | kKeyUpdate) + kFromSecond, kAclSet, &SUnionStore, "1.0.0", kCost,
     "Stores what is in any of several sets.", "destination:key key..."},
};
// clang-format on
static_assert(IsWellFormed(kSetAlgebraCommands));

}  // namespace

constinit const CommandFamily kSetAlgebraFamily = {"set", kSetAlgebraCommands};

}  // namespace larder
