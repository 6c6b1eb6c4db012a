// Finding the places within a circle or a rectangle: GEOSEARCH, and GEORADIUS as it used to be.
#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/numbers.h"
#include "base/text.h"
#include "commands/argument_parsers.h"
#include "commands/command_context.h"
#include "commands/edit.h"
#include "commands/families.h"
#include "commands/geo_arguments.h"
#include "commands/geohash.h"
#include "commands/partial_quicksort.h"
#include "commands/sorted_set_store.h"
#include "protocol/error_text.h"
#include "storage/sorted_set.h"

namespace larder {
namespace {

enum class GeoOrder : uint8_t { kAsFound, kNearestFirst, kFarthestFirst };
// Where a command has the centre and the shape: in GEOSEARCH's options, or at fixed arguments.
enum class GeoForm : uint8_t { kOptions, kRadiusOfPoint, kRadiusOfMember };

struct GeoSyntax {
  GeoForm form = GeoForm::kOptions;
  bool stores = false;       // GEOSEARCHSTORE
  bool takes_store = false;  // STORE and STOREDIST key
  size_t source_key = 0;     // Its number.
  size_t first_option = 2;   // The argument.
};

struct GeoQuery {
  GeoShape shape;
  double metres = 1;  // Of the unit.
  GeoOrder order = GeoOrder::kAsFound;
  uint64_t count = 0;  // 0: all.
  bool any = false;    // The first that are found, which need not be the nearest.
  bool with_distance = false;
  bool with_hash = false;
  bool with_point = false;

  std::optional<size_t> store_arg;  // The argument that is the destination's key.
  bool stores_distance = false;
};

// What parsing has seen so far, beside the query itself.
struct GeoSeen {
  bool point = false;
  bool member = false;
  bool radius = false;
  bool box = false;
  bool any_without_count() const { return any && !count; }
  bool any = false;
  bool count = false;
};

bool Fail(CommandContext& ctx, std::string_view error) {
  ctx.reply().Error(error);
  return false;
}

bool ParseLength(CommandContext& ctx, size_t arg, std::string_view error, double& length) {
  const std::optional<double> parsed = ParseDouble(ctx.arg(arg));
  if (!parsed) return Fail(ctx, error);
  length = *parsed;
  return true;
}

// radius unit
bool ParseRadius(CommandContext& ctx, size_t arg, GeoQuery& query) {
  double radius = 0;
  if (!ParseLength(ctx, arg, error_text::kRadiusNotANumber, radius)) return false;
  if (radius < 0) return Fail(ctx, error_text::kNegativeRadius);
  if (!ParseUnit(ctx, arg + 1, query.metres)) return false;
  query.shape.is_circle = true;
  query.shape.radius = radius * query.metres;
  return true;
}

// width height unit
bool ParseBox(CommandContext& ctx, size_t arg, GeoQuery& query) {
  double width = 0;
  double height = 0;
  if (!ParseLength(ctx, arg, error_text::kWidthNotANumber, width)) return false;
  if (!ParseLength(ctx, arg + 1, error_text::kHeightNotANumber, height)) return false;
  if (height < 0 || width < 0) return Fail(ctx, error_text::kNegativeBox);
  if (!ParseUnit(ctx, arg + 2, query.metres)) return false;
  query.shape.is_circle = false;
  query.shape.width = width * query.metres;
  query.shape.height = height * query.metres;
  return true;
}

// A member's place. Without a key any will do: there is nothing to find.
bool ParseMember(CommandContext& ctx, size_t arg, const FoundValue<SortedSet>& source,
                 GeoQuery& query) {
  if (!source) return true;
  const std::optional<GeoPoint> point = PointOfMember(source.value(), ctx.arg(arg));
  if (!point) return Fail(ctx, error_text::kNoSuchPlace);
  query.shape.center = *point;
  return true;
}

bool ParseCount(CommandContext& ctx, size_t arg, GeoQuery& query) {
  int64_t count = 0;
  if (!ParseInteger(ctx, arg, count)) return false;
  if (count <= 0) return Fail(ctx, error_text::kGeoCountNotPositive);
  query.count = static_cast<uint64_t>(count);
  return true;
}

// Options that are one word.
bool TakeFlag(std::string_view word, GeoQuery& query, GeoSeen& seen) {
  if (EqualsIgnoreCase(word, "WITHDIST")) {
    query.with_distance = true;
  } else if (EqualsIgnoreCase(word, "WITHHASH")) {
    query.with_hash = true;
  } else if (EqualsIgnoreCase(word, "WITHCOORD")) {
    query.with_point = true;
  } else if (EqualsIgnoreCase(word, "ANY")) {
    seen.any = true;
  } else if (EqualsIgnoreCase(word, "ASC")) {
    query.order = GeoOrder::kNearestFirst;
  } else if (EqualsIgnoreCase(word, "DESC")) {
    query.order = GeoOrder::kFarthestFirst;
  } else {
    return false;
  }
  return true;
}

// Takes the option that starts at argument `arg`, which moves to its last argument.
bool TakeGeoOption(CommandContext& ctx, size_t& arg, const GeoSyntax& syntax,
                   const FoundValue<SortedSet>& source, GeoQuery& query, GeoSeen& seen) {
  const std::string_view word = ctx.arg(arg);
  if (TakeFlag(word, query, seen)) return true;
  const size_t values = ctx.argc() - arg - 1;
  const size_t value = arg + 1;
  if (values >= 1 && EqualsIgnoreCase(word, "COUNT")) {
    arg += 1;
    seen.count = true;
    return ParseCount(ctx, value, query);
  }
  const bool searches = syntax.form == GeoForm::kOptions;
  if (syntax.takes_store && values >= 1 &&
      (EqualsIgnoreCase(word, "STORE") || EqualsIgnoreCase(word, "STOREDIST"))) {
    arg += 1;
    query.store_arg = value;
    query.stores_distance = EqualsIgnoreCase(word, "STOREDIST");
    return true;
  }
  if (searches && syntax.stores && EqualsIgnoreCase(word, "STOREDIST")) {
    query.stores_distance = true;
    return true;
  }
  if (searches && values >= 1 && !seen.point && EqualsIgnoreCase(word, "FROMMEMBER")) {
    arg += 1;
    seen.member = true;
    return ParseMember(ctx, value, source, query);
  }
  if (searches && values >= 2 && !seen.member && EqualsIgnoreCase(word, "FROMLONLAT")) {
    arg += 2;
    seen.point = true;
    return ParseGeoPoint(ctx, value, query.shape.center);
  }
  if (searches && values >= 2 && !seen.box && EqualsIgnoreCase(word, "BYRADIUS")) {
    arg += 2;
    seen.radius = true;
    return ParseRadius(ctx, value, query);
  }
  if (searches && values >= 3 && !seen.radius && EqualsIgnoreCase(word, "BYBOX")) {
    arg += 3;
    seen.box = true;
    return ParseBox(ctx, value, query);
  }
  return Fail(ctx, error_text::kSyntax);
}

bool CheckOptions(CommandContext& ctx, const GeoSyntax& syntax, const GeoQuery& query,
                  const GeoSeen& seen) {
  const std::string_view command = ctx.arg(0);  // As the client spells it.
  const bool stores = syntax.stores || query.store_arg;
  if (stores && (query.with_distance || query.with_hash || query.with_point)) {
    return Fail(ctx, syntax.stores ? error_text::kGeoSearchStoreWith : error_text::kGeoStoreWith);
  }
  if (syntax.form == GeoForm::kOptions) {
    if (!seen.point && !seen.member) return Fail(ctx, error_text::NoGeoCenter(command));
    if (!seen.radius && !seen.box) return Fail(ctx, error_text::NoGeoShape(command));
  }
  if (seen.any_without_count()) return Fail(ctx, error_text::kAnyWithoutCount);
  return true;
}

bool ParseFixed(CommandContext& ctx, const GeoSyntax& syntax, const FoundValue<SortedSet>& source,
                GeoQuery& query) {
  switch (syntax.form) {
    case GeoForm::kOptions:
      return true;
    case GeoForm::kRadiusOfPoint:
      return ParseGeoPoint(ctx, 2, query.shape.center) && ParseRadius(ctx, 4, query);
    case GeoForm::kRadiusOfMember:
      // Without a key Redis does not even look at the radius.
      return !source || (ParseMember(ctx, 2, source, query) && ParseRadius(ctx, 3, query));
  }
  return false;
}

bool ParseQuery(CommandContext& ctx, const GeoSyntax& syntax, const FoundValue<SortedSet>& source,
                GeoQuery& query) {
  if (!ParseFixed(ctx, syntax, source, query)) return false;
  GeoSeen seen;
  for (size_t arg = syntax.first_option; arg < ctx.argc(); ++arg) {
    if (!TakeGeoOption(ctx, arg, syntax, source, query, seen)) return false;
  }
  if (!CheckOptions(ctx, syntax, query, seen)) return false;
  query.any = seen.any;
  // So many that are nearest cannot be told without an order.
  if (query.count != 0 && !query.any && query.order == GeoOrder::kAsFound) {
    query.order = GeoOrder::kNearestFirst;
  }
  return true;
}

// ---- Finding.

struct FoundPlace {
  double distance;  // In metres.
  double score;
  GeoPoint point;
  std::string_view member;
};

class PlaceFinder {
 public:
  PlaceFinder(const SortedSet& set, const GeoQuery& query) : set_(set), query_(query) {}

  // Valid as long as the finder and the set's state.
  const std::vector<FoundPlace>& Find() {
    const GeoCells cells = CellsAround(query_.shape);
    for (size_t i = 0; i < cells.count && !has_enough(); ++i) LookInto(cells.ranges[i]);
    Sort();
    return places_;
  }

 private:
  bool has_enough() const { return query_.any && places_.size() >= query_.count; }

  void LookInto(const ScoreRange& cell) {
    constexpr size_t kAtOnce = 64;
    const RankRange ranks = set_.InScores(cell);
    for (size_t rank = ranks.begin; rank < ranks.end && !has_enough(); rank += kAtOnce) {
      set_.ForEach({rank, std::min(ranks.end, rank + kAtOnce)}, RankOrder::kAscending,
                   [this](std::string_view member, double score) {
                     if (!has_enough()) AddIfInside(member, score);
                   });
    }
  }

  void AddIfInside(std::string_view member, double score) {
    const GeoPoint point = PointOfScore(score);
    const std::optional<double> distance = query_.shape.DistanceWithin(point);
    if (!distance) return;
    // A compact set may make the text only for this call.
    if (set_.is_compact()) member = texts_.emplace_back(member);
    places_.push_back({*distance, score, point, member});
  }

  void Sort() {
    const size_t count =
        query_.count != 0 ? std::min<uint64_t>(query_.count, places_.size()) : places_.size();
    if (query_.order != GeoOrder::kAsFound) {
      const int sign = query_.order == GeoOrder::kNearestFirst ? 1 : -1;
      const auto compare = [sign](const FoundPlace& a, const FoundPlace& b) {
        return a.distance == b.distance ? 0 : a.distance < b.distance ? -sign : sign;
      };
      if (count == places_.size()) {
        std::stable_sort(
            places_.begin(), places_.end(),
            [&](const FoundPlace& a, const FoundPlace& b) { return compare(a, b) < 0; });
      } else {
        PartialQuicksort<FoundPlace, decltype(compare)>::Run(places_, count, compare);
      }
    }
    places_.resize(count);
  }

  const SortedSet set_;
  const GeoQuery& query_;
  std::vector<FoundPlace> places_;
  std::deque<std::string> texts_;
};

// ---- Answering.

void ReplyWithPlaces(CommandContext& ctx, const GeoQuery& query,
                     const std::vector<FoundPlace>& places) {
  ReplyWriter& reply = ctx.reply();
  const unsigned extras = query.with_distance + query.with_hash + query.with_point;
  reply.Array(places.size());
  for (const FoundPlace& place : places) {
    if (extras != 0) reply.Array(1 + extras);
    reply.Bulk(place.member);
    if (query.with_distance) ReplyWithDistance(reply, place.distance / query.metres);
    if (query.with_hash) reply.Integer(static_cast<int64_t>(place.score));
    if (query.with_point) ReplyWithPoint(reply, place.point);
  }
}

void StorePlaces(CommandContext& ctx, size_t key, const GeoQuery& query,
                 const std::vector<FoundPlace>& places, std::string_view event) {
  SortedSet set = SortedSet::Create();
  for (const FoundPlace& place : places) {
    const double score = query.stores_distance ? place.distance / query.metres : place.score;
    set.Add(place.member, score, {}, ctx.settings().encoding);
  }
  // Redis counts each place as a change.
  if (!places.empty()) ctx.MarkDirty(static_cast<int64_t>(places.size()) - 1);
  StoreSortedSet(ctx, key, set, event);
}

// The number of the key at argument `arg`; nothing if the row's specification does not see it.
std::optional<size_t> KeyAt(const CommandContext& ctx, size_t arg) {
  for (size_t key = 0; key < ctx.key_count(); ++key) {
    if (ctx.key_arg(key) == arg) return key;
  }
  return std::nullopt;
}

void Search(CommandContext& ctx, const GeoSyntax& syntax) {
  const auto source = FindForRead<SortedSet>(ctx, syntax.source_key);
  if (source.wrong_type) return ctx.reply().Error(error_text::kWrongType);
  GeoQuery query;
  if (!ParseQuery(ctx, syntax, source, query)) return;
  std::optional<size_t> destination;
  if (syntax.stores) destination = 0;
  if (query.store_arg) {
    // Of several STOREs only one is a key by COMMAND's account.
    destination = KeyAt(ctx, *query.store_arg);
    if (!destination) return ctx.reply().Error(error_text::kSyntax);
  }
  const std::string_view event = syntax.stores ? "geosearchstore" : "georadiusstore";
  if (!source) {
    if (destination) return StorePlaces(ctx, *destination, query, {}, event);
    return ctx.reply().Array(0);
  }
  PlaceFinder finder(source.value(), query);
  if (destination) return StorePlaces(ctx, *destination, query, finder.Find(), event);
  ReplyWithPlaces(ctx, query, finder.Find());
}

void GeoSearch(CommandContext& ctx) { Search(ctx, {}); }
void GeoSearchStore(CommandContext& ctx) {
  Search(ctx, {.stores = true, .source_key = 1, .first_option = 3});
}
void GeoRadius(CommandContext& ctx) {
  Search(ctx, {.form = GeoForm::kRadiusOfPoint, .takes_store = true, .first_option = 6});
}
void GeoRadiusRo(CommandContext& ctx) {
  Search(ctx, {.form = GeoForm::kRadiusOfPoint, .first_option = 6});
}
void GeoRadiusByMember(CommandContext& ctx) {
  Search(ctx, {.form = GeoForm::kRadiusOfMember, .takes_store = true, .first_option = 5});
}
void GeoRadiusByMemberRo(CommandContext& ctx) {
  Search(ctx, {.form = GeoForm::kRadiusOfMember, .first_option = 5});
}

constexpr uint32_t kOwUpdate = kKeyOw | kKeyUpdate;
constexpr KeySpecs kSearchStoreKeys = Keys(1, 1, 1, kOwUpdate) + Keys(2, 2, 1, kKeyRo | kKeyAccess);
constexpr KeySpecs RadiusKeys(int first_option) {
  return Keys(1, 1, 1, kKeyRo | kKeyAccess) + KeysAfter("STORE", first_option, 0, 1, 0, kOwUpdate) +
         KeysAfter("STOREDIST", first_option, 0, 1, 0, kOwUpdate);
}

constexpr std::string_view kSearchCost =
    "O(N+log(M)) where N is the number of elements in the grid-aligned bounding box area around "
    "the shape provided as the filter and M is the number of items inside the shape";
constexpr std::string_view kRadiusCost =
    "O(N+log(M)) where N is the number of elements inside the bounding box of the circular area "
    "delimited by center and radius and M is the number of items inside the index.";

constexpr CommandExtras kSearchExtras = {.history =
                                             "7.0.0: Added support for uppercase unit names."};
constexpr CommandExtras kRadiusExtras = {.history =
                                             "6.2.0: Added the `ANY` option for `COUNT`.\n"
                                             "7.0.0: Added support for uppercase unit names.",
                                         .deprecated_since = "6.2.0",
                                         .replaced_by =
                                             "`GEOSEARCH` and `GEOSEARCHSTORE` with the "
                                             "`BYRADIUS` argument"};
constexpr CommandExtras kRadiusRoExtras = {
    .history = "6.2.0: Added the `ANY` option for `COUNT`.",
    .deprecated_since = "6.2.0",
    .replaced_by = "`GEOSEARCH` with the `BYRADIUS` argument"};
constexpr CommandExtras kByMemberExtras = {
    .history = "7.0.0: Added support for uppercase unit names.",
    .deprecated_since = "6.2.0",
    .replaced_by =
        "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` "
        "arguments"};
constexpr CommandExtras kByMemberRoExtras = {
    .deprecated_since = "6.2.0",
    .replaced_by = "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments"};

// clang-format off
constexpr CommandSpec kCommands[] = {
    {"georadius", -6, kWrite | kDenyOom, RadiusKeys(6), kAclGeo, &GeoRadius, "3.2.0", kRadiusCost,
     "Returns or stores the places within a distance of a point.",
     "key longitude latitude radius M|KM|FT|MI [WITHCOORD] [WITHDIST] [WITHHASH] "
     "[COUNT count [ANY]] [ASC|DESC] [STORE key] [STOREDIST key]", kRadiusExtras},
    {"georadius_ro", -6, kReadOnly, Keys(1, 1, 1), kAclGeo, &GeoRadiusRo, "3.2.10", kRadiusCost,
     "Returns the places within a distance of a point.",
     "key longitude latitude radius M|KM|FT|MI [WITHCOORD] [WITHDIST] [WITHHASH] "
     "[COUNT count [ANY]] [ASC|DESC]", kRadiusRoExtras},
    {"georadiusbymember", -5, kWrite | kDenyOom, RadiusKeys(5), kAclGeo, &GeoRadiusByMember,
     "3.2.0", kRadiusCost, "Returns or stores the places within a distance of a member.",
     "key member radius M|KM|FT|MI [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] "
     "[ASC|DESC] [STORE key] [STOREDIST key]", kByMemberExtras},
    {"georadiusbymember_ro", -5, kReadOnly, Keys(1, 1, 1), kAclGeo, &GeoRadiusByMemberRo, "3.2.10",
     kRadiusCost, "Returns the places within a distance of a member.",
     "key member radius M|KM|FT|MI [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] "
     "[ASC|DESC]", kByMemberRoExtras},
    {"geosearch", -7, kReadOnly, Keys(1, 1, 1), kAclGeo, &GeoSearch, "6.2.0", kSearchCost,
     "Returns the places within a circle or a rectangle.",
     "key FROMMEMBER member|FROMLONLAT longitude latitude "
     "BYRADIUS radius M|KM|FT|MI|BYBOX width height M|KM|FT|MI [ASC|DESC] [COUNT count [ANY]] "
     "[WITHCOORD] [WITHDIST] [WITHHASH]", kSearchExtras},
    {"geosearchstore", -8, kWrite | kDenyOom, kSearchStoreKeys, kAclGeo, &GeoSearchStore, "6.2.0",
     kSearchCost, "Stores the places within a circle or a rectangle in another key.",
     "destination source FROMMEMBER member|FROMLONLAT longitude latitude "
     "BYRADIUS radius M|KM|FT|MI|BYBOX width height M|KM|FT|MI [ASC|DESC] [COUNT count [ANY]] "
     "[STOREDIST]", kSearchExtras},
};
// clang-format on
static_assert(IsWellFormed(kCommands));

}  // namespace

const CommandFamily kGeoSearchFamily = {"geo", kCommands};

}  // namespace larder
