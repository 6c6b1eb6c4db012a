// Places on the Earth as members of sorted sets, one by one: adding, where they are, how far apart.
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "base/text.h"
#include "commands/command_context.h"
#include "commands/edit.h"
#include "commands/families.h"
#include "commands/geo_arguments.h"
#include "commands/geohash.h"
#include "protocol/error_text.h"
#include "storage/sorted_set.h"

namespace larder {
namespace {

// ---- Adding.

struct AddOptions {
  AddRules rules;
  bool count_changed = false;
  size_t first_place = 2;  // The argument behind the options.
};

bool TakeAddOption(std::string_view word, AddOptions& options) {
  if (EqualsIgnoreCase(word, "NX")) {
    options.rules.only_new = true;
  } else if (EqualsIgnoreCase(word, "XX")) {
    options.rules.only_present = true;
  } else if (EqualsIgnoreCase(word, "CH")) {
    options.count_changed = true;
  } else {
    return false;
  }
  return true;
}

void GeoAdd(CommandContext& ctx) {
  AddOptions options;
  while (options.first_place < ctx.argc() && TakeAddOption(ctx.arg(options.first_place), options)) {
    ++options.first_place;
  }
  const size_t place_args = ctx.argc() - options.first_place;
  if (place_args % 3 != 0 || (options.rules.only_new && options.rules.only_present)) {
    return ctx.reply().Error(error_text::kSyntax);
  }
  absl::InlinedVector<double, 16> scores(place_args / 3);
  for (size_t i = 0; i < scores.size(); ++i) {
    GeoPoint point;
    if (!ParseGeoPoint(ctx, options.first_place + 3 * i, point)) return;
    scores[i] = GeoScore(point);
  }
  if (scores.empty()) return ctx.reply().Error(error_text::kSyntax);
  const auto found = FindForWrite<SortedSet>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found && options.rules.only_present) return ctx.reply().Integer(0);

  Edit<SortedSet> set(ctx, 0, found.entry);
  int64_t added = 0;
  int64_t moved = 0;
  for (size_t i = 0; i < scores.size(); ++i) {
    const AddResult result = set->Add(ctx.arg(options.first_place + 3 * i + 2), scores[i],
                                      options.rules, ctx.settings().encoding);
    added += result.outcome == AddOutcome::kAdded;
    moved += result.outcome == AddOutcome::kRescored;
  }
  if (added + moved > 0) set.Done(kNotifySortedSet, "zadd", added + moved);
  ctx.reply().Integer(options.count_changed ? added + moved : added);
}

// ---- Asking.

void GeoPos(CommandContext& ctx) {
  const auto found = FindForRead<SortedSet>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  ctx.reply().Array(ctx.argc() - 2);
  for (size_t i = 2; i < ctx.argc(); ++i) {
    std::optional<GeoPoint> point;
    if (found) point = PointOfMember(found.value(), ctx.arg(i));
    point ? ReplyWithPoint(ctx.reply(), *point) : ctx.reply().NullArray();
  }
}

void GeoHash(CommandContext& ctx) {
  const auto found = FindForRead<SortedSet>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  ctx.reply().Array(ctx.argc() - 2);
  for (size_t i = 2; i < ctx.argc(); ++i) {
    std::optional<GeoPoint> point;
    if (found) point = PointOfMember(found.value(), ctx.arg(i));
    if (!point) {
      ctx.reply().Null();
      continue;
    }
    const GeohashText text = StandardGeohash(*point);
    ctx.reply().Bulk({text.data(), text.size()});
  }
}

void GeoDist(CommandContext& ctx) {
  double metres = 1;
  if (ctx.argc() > 5) return ctx.reply().Error(error_text::kSyntax);
  if (ctx.argc() == 5 && !ParseUnit(ctx, 4, metres)) return;
  const auto found = FindForRead<SortedSet>(ctx, 0);
  if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  if (!found) return ctx.reply().Null();
  const std::optional<GeoPoint> a = PointOfMember(found.value(), ctx.arg(2));
  const std::optional<GeoPoint> b = PointOfMember(found.value(), ctx.arg(3));
  if (!a || !b) return ctx.reply().Null();
  ReplyWithDistance(ctx.reply(), GeoDistance(*a, *b) / metres);
}

constexpr CommandExtras kGeoAddExtras = {.history =
                                             "6.2.0: Added the `CH`, `NX` and `XX` options."};

// clang-format off
constexpr CommandSpec kCommands[] = {
    {"geoadd", -5, kWrite | kDenyOom, Keys(1, 1, 1, kKeyRw | kKeyUpdate), kAclGeo, &GeoAdd, "3.2.0",
     "O(log(N)) for each item added, where N is the number of elements in the sorted set.",
     "Adds places to a sorted set, or moves them.",
     "key [NX|XX] [CH] longitude latitude member [longitude latitude member ...]", kGeoAddExtras},
    {"geodist", -4, kReadOnly, Keys(1, 1, 1), kAclGeo, &GeoDist, "3.2.0", "O(log(N))",
     "Returns how far apart two places are.", "key member1 member2 [M|KM|FT|MI]"},
    {"geohash", -2, kReadOnly, Keys(1, 1, 1), kAclGeo, &GeoHash, "3.2.0",
     "O(log(N)) for each member requested, where N is the number of elements in the sorted set.",
     "Returns the geohashes of places as other programs write them.", "key member [member ...]"},
    {"geopos", -2, kReadOnly, Keys(1, 1, 1), kAclGeo, &GeoPos, "3.2.0",
     "O(N) where N is the number of members requested.",
     "Returns the longitudes and latitudes of places.", "key member [member ...]"},
};
// clang-format on
static_assert(IsWellFormed(kCommands));

}  // namespace

const CommandFamily kGeoFamily = {"geo", kCommands};

}  // namespace larder
