#include "commands/geo_arguments.h"

#include <cstdio>
#include <string>

#include "base/numbers.h"
#include "base/text.h"
#include "commands/command_context.h"
#include "commands/sorted_set_arguments.h"
#include "protocol/error_text.h"
#include "storage/sorted_set.h"

namespace larder {
namespace {

// Never an exponent, and no zeros at the end.
void ReplyWithCoordinate(ReplyWriter& reply, double coordinate) {
  const std::string text = FormatLongDouble(coordinate);
  if (!reply.resp3()) return reply.Bulk(text);
  reply.Raw(",");
  reply.Raw(text);
  reply.Raw("\r\n");
}

}  // namespace

bool ParseGeoPoint(CommandContext& ctx, size_t arg, GeoPoint& point) {
  if (!ParseScore(ctx, arg, point.longitude) || !ParseScore(ctx, arg + 1, point.latitude)) {
    return false;
  }
  if (point.IsValid()) return true;
  ctx.reply().Error(error_text::InvalidPoint(point.longitude, point.latitude));
  return false;
}

bool ParseUnit(CommandContext& ctx, size_t arg, double& metres) {
  const std::string_view unit = ctx.arg(arg);
  if (EqualsIgnoreCase(unit, "m")) {
    metres = 1;
  } else if (EqualsIgnoreCase(unit, "km")) {
    metres = 1000;
  } else if (EqualsIgnoreCase(unit, "ft")) {
    metres = 0.3048;
  } else if (EqualsIgnoreCase(unit, "mi")) {
    metres = 1609.34;
  } else {
    ctx.reply().Error(error_text::kUnknownUnit);
    return false;
  }
  return true;
}

std::optional<GeoPoint> PointOfMember(const SortedSet& set, std::string_view member) {
  const std::optional<double> score = set.Score(member);
  if (!score) return std::nullopt;
  return PointOfScore(*score);
}

void ReplyWithDistance(ReplyWriter& reply, double distance) {
  char text[64];  // No place is further away than 20,015,087 metres, whatever the unit.
  const int size = std::snprintf(text, sizeof(text), "%.4f", distance);
  reply.Bulk({text, static_cast<size_t>(size)});
}

void ReplyWithPoint(ReplyWriter& reply, const GeoPoint& point) {
  reply.Array(2);
  ReplyWithCoordinate(reply, point.longitude);
  ReplyWithCoordinate(reply, point.latitude);
}

}  // namespace larder
