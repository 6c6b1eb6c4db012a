// Arguments and replies that the geo commands have in common. Where the client's input is bad, the
// parsers reply with the error that Redis gives and return false.
//
// Concurrency: thread-confined, like the context they get.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "commands/geohash.h"

namespace larder {

class CommandContext;
class ReplyWriter;
class SortedSet;

// Two arguments from `arg` on: a place that the grid has.
bool ParseGeoPoint(CommandContext& ctx, size_t arg, GeoPoint& point);
// M, KM, FT or MI, as so many metres.
bool ParseUnit(CommandContext& ctx, size_t arg, double& metres);

std::optional<GeoPoint> PointOfMember(const SortedSet& set, std::string_view member);

// A distance: four digits behind the point, in a bulk string in either protocol.
void ReplyWithDistance(ReplyWriter& reply, double distance);
// Longitude and latitude in an array.
void ReplyWithPoint(ReplyWriter& reply, const GeoPoint& point);

}  // namespace larder
