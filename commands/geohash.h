// Places on the Earth as sorted-set scores: a geohash of 52 bits (G. Niemeyer, 2008), in which bits
// of latitude and longitude take turns, so that places close to each other mostly have scores close
// to each other, and a cell of the grid is one range of scores.
//
// Redis's grid: latitudes to 85.05112878 degrees (as far as the web's Mercator maps go), a sphere
// of 6372797.560856 m. All arithmetic is in the order in which Redis does it, for clients see the
// last digit.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "storage/score_range.h"

namespace larder {

struct GeoPoint {
  static constexpr double kMaxLongitude = 180;
  static constexpr double kMaxLatitude = 85.05112878;

  double longitude = 0;
  double latitude = 0;

  // Whether the grid reaches so far.
  bool IsValid() const;
};

// The score of a place. REQUIRES: point.IsValid().
double GeoScore(const GeoPoint& point);
// The middle of the cell that has this score, which may be any number.
GeoPoint PointOfScore(double score);

// The 11 characters of the geohash that other programs use; writes to `text`.
using GeohashText = std::array<char, 11>;
GeohashText StandardGeohash(const GeoPoint& point);

// In metres.
double GeoDistance(const GeoPoint& a, const GeoPoint& b);

// What is searched, in metres: a circle, or a rectangle whose sides run along the compass.
struct GeoShape {
  GeoPoint center;
  bool is_circle = true;
  double radius = 0;
  double width = 0;
  double height = 0;

  // How far from the centre `point` is, if it is inside.
  std::optional<double> DistanceWithin(const GeoPoint& point) const;
};

// The cells, as ranges of scores, that together contain the shape, in the order in which Redis
// visits them: the one of the centre and those of its eight neighbours that the shape may reach.
struct GeoCells {
  std::array<ScoreRange, 9> ranges;
  size_t count = 0;
};
GeoCells CellsAround(const GeoShape& shape);

}  // namespace larder
