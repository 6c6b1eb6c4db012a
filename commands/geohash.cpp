#include "commands/geohash.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace larder {
namespace {

constexpr unsigned kMaxStep = 26;  // Bits of each coordinate.
constexpr double kEarthRadius = 6372797.560856;
// Half of the equator as the Mercator projection draws it, in metres.
constexpr double kMercatorMax = 20037726.37;
constexpr double kRadiansPerDegree = std::numbers::pi / 180.0;

double ToRadians(double degrees) { return degrees * kRadiansPerDegree; }
double ToDegrees(double radians) { return radians / kRadiansPerDegree; }

struct Interval {
  double min;
  double max;
};
constexpr Interval kLongitudes = {-GeoPoint::kMaxLongitude, GeoPoint::kMaxLongitude};
constexpr Interval kLatitudes = {-GeoPoint::kMaxLatitude, GeoPoint::kMaxLatitude};
constexpr Interval kAllLatitudes = {-90, 90};

// One cell of a grid of 2^step by 2^step.
struct Cell {
  uint32_t column = 0;  // Counted from the west.
  uint32_t row = 0;     // Counted from the south.
  unsigned step = 0;

  bool operator==(const Cell&) const = default;
};

struct CellBounds {
  Interval longitudes;
  Interval latitudes;
};

// Puts a zero before each bit.
uint64_t Spread(uint32_t bits) {
  uint64_t x = bits;
  x = (x | x << 16) & 0x0000ffff0000ffff;
  x = (x | x << 8) & 0x00ff00ff00ff00ff;
  x = (x | x << 4) & 0x0f0f0f0f0f0f0f0f;
  x = (x | x << 2) & 0x3333333333333333;
  return (x | x << 1) & 0x5555555555555555;
}

// The even bits, side by side.
uint32_t Gather(uint64_t x) {
  x &= 0x5555555555555555;
  x = (x | x >> 1) & 0x3333333333333333;
  x = (x | x >> 2) & 0x0f0f0f0f0f0f0f0f;
  x = (x | x >> 4) & 0x00ff00ff00ff00ff;
  x = (x | x >> 8) & 0x0000ffff0000ffff;
  return static_cast<uint32_t>(x | x >> 16);
}

uint64_t HashOf(const Cell& cell) { return Spread(cell.row) | Spread(cell.column) << 1; }

uint32_t IndexIn(const Interval& interval, double coordinate, unsigned step) {
  double offset = (coordinate - interval.min) / (interval.max - interval.min);
  offset *= static_cast<double>(uint64_t{1} << step);
  return static_cast<uint32_t>(offset);
}

Cell CellOf(const GeoPoint& point, const Interval& latitudes, unsigned step) {
  return {IndexIn(kLongitudes, point.longitude, step), IndexIn(latitudes, point.latitude, step),
          step};
}

Interval BoundsOf(uint32_t index, unsigned step, const Interval& interval) {
  const double scale = interval.max - interval.min;
  const auto cells = static_cast<double>(uint64_t{1} << step);
  // The last index of all wraps in its 32 bits, in Redis as here.
  return {interval.min + (index * 1.0 / cells) * scale,
          interval.min + ((index + 1) * 1.0 / cells) * scale};
}

CellBounds BoundsOf(const Cell& cell) {
  return {BoundsOf(cell.column, cell.step, kLongitudes), BoundsOf(cell.row, cell.step, kLatitudes)};
}

// A score as 64 bits. Any sorted set may be asked for its places, so it can be any number; what
// does not fit becomes what x86 makes of it.
uint64_t BitsOfScore(double score) {
  constexpr double kTwoTo63 = 9223372036854775808.0;
  if (score >= 2 * kTwoTo63) return 0;
  if (score >= 0) return static_cast<uint64_t>(score);
  if (score < -kTwoTo63) return uint64_t{1} << 63;
  return static_cast<uint64_t>(static_cast<int64_t>(score));
}

double LatitudeDistance(double a, double b) {
  return kEarthRadius * std::fabs(ToRadians(b) - ToRadians(a));
}

// Round the world; so it does at the poles, which is wrong and harmless. The very eastern and the
// very northern border have an index of their own, one too large for the grid, from which only a
// move leads back.
Cell Neighbour(Cell cell, int columns, int rows) {
  const uint32_t mask = (uint32_t{1} << cell.step) - 1;
  if (columns != 0) cell.column = (cell.column + static_cast<uint32_t>(columns)) & mask;
  if (rows != 0) cell.row = (cell.row + static_cast<uint32_t>(rows)) & mask;
  return cell;
}

ScoreRange ScoresIn(const Cell& cell) {
  const uint64_t hash = HashOf(cell);
  const unsigned shift = 2 * (kMaxStep - cell.step);
  return {.min = static_cast<double>(hash << shift),
          .max = static_cast<double>((hash + 1) << shift),
          .excludes_max = true};
}

CellBounds BoundingBox(const GeoShape& shape) {
  const auto [longitude, latitude] = shape.center;
  const double height = shape.is_circle ? shape.radius : shape.height / 2;
  const double width = shape.is_circle ? shape.radius : shape.width / 2;
  const double latitudes = ToDegrees(height / kEarthRadius);
  // Meridians are closest together at the edge that is nearer to a pole.
  const double edge = latitude < 0 ? latitude - latitudes : latitude + latitudes;
  const double longitudes = ToDegrees(width / kEarthRadius / std::cos(ToRadians(edge)));
  return {{longitude - longitudes, longitude + longitudes},
          {latitude - latitudes, latitude + latitudes}};
}

// How fine a grid may be for nine of its cells to contain a circle.
unsigned StepFor(double radius, double latitude) {
  if (radius == 0) return kMaxStep;
  int step = 1;
  for (; radius < kMercatorMax; radius *= 2) ++step;
  step -= 2;
  // Towards the poles cells are narrower.
  const double from_equator = std::fabs(latitude);
  if (from_equator > 66) --step;
  if (from_equator > 80) --step;
  return static_cast<unsigned>(std::clamp<int>(step, 1, kMaxStep));
}

bool CoverAll(const Cell& center, const CellBounds& box) {
  return BoundsOf(Neighbour(center, 0, 1)).latitudes.max >= box.latitudes.max &&
         BoundsOf(Neighbour(center, 0, -1)).latitudes.min <= box.latitudes.min &&
         BoundsOf(Neighbour(center, 1, 0)).longitudes.max >= box.longitudes.max &&
         BoundsOf(Neighbour(center, -1, 0)).longitudes.min <= box.longitudes.min;
}

}  // namespace

bool GeoPoint::IsValid() const {
  return longitude >= -kMaxLongitude && longitude <= kMaxLongitude && latitude >= -kMaxLatitude &&
         latitude <= kMaxLatitude;
}

double GeoScore(const GeoPoint& point) {
  return static_cast<double>(HashOf(CellOf(point, kLatitudes, kMaxStep)));
}

GeoPoint PointOfScore(double score) {
  const uint64_t hash = BitsOfScore(score);
  const auto [longitudes, latitudes] = BoundsOf({Gather(hash >> 1), Gather(hash), kMaxStep});
  const auto middle = [](const Interval& interval, double most) {
    return std::clamp((interval.min + interval.max) / 2, -most, most);
  };
  return {middle(longitudes, GeoPoint::kMaxLongitude), middle(latitudes, GeoPoint::kMaxLatitude)};
}

GeohashText StandardGeohash(const GeoPoint& point) {
  constexpr std::string_view kAlphabet = "0123456789bcdefghjkmnpqrstuvwxyz";
  const uint64_t hash = HashOf(CellOf(point, kAllLatitudes, kMaxStep));
  GeohashText text;
  // 52 bits are ten characters and two bits; Redis leaves those out.
  for (size_t i = 0; i < 10; ++i) text[i] = kAlphabet[(hash >> (52 - (i + 1) * 5)) & 31];
  text[10] = kAlphabet[0];
  return text;
}

double GeoDistance(const GeoPoint& a, const GeoPoint& b) {
  // Haversines.
  const double v = std::sin((ToRadians(b.longitude) - ToRadians(a.longitude)) / 2);
  if (v == 0) return LatitudeDistance(a.latitude, b.latitude);
  const double a_latitude = ToRadians(a.latitude);
  const double b_latitude = ToRadians(b.latitude);
  const double u = std::sin((b_latitude - a_latitude) / 2);
  const double h = u * u + std::cos(a_latitude) * std::cos(b_latitude) * v * v;
  return 2.0 * kEarthRadius * std::asin(std::sqrt(h));
}

std::optional<double> GeoShape::DistanceWithin(const GeoPoint& point) const {
  if (is_circle) {
    const double distance = GeoDistance(center, point);
    return distance <= radius ? std::optional(distance) : std::nullopt;
  }
  if (LatitudeDistance(point.latitude, center.latitude) > height / 2) return std::nullopt;
  const GeoPoint beside = {center.longitude, point.latitude};
  if (GeoDistance(point, beside) > width / 2) return std::nullopt;
  return GeoDistance(center, point);
}

GeoCells CellsAround(const GeoShape& shape) {
  const CellBounds box = BoundingBox(shape);
  const double radius = shape.is_circle ? shape.radius
                                        : std::sqrt((shape.width / 2) * (shape.width / 2) +
                                                    (shape.height / 2) * (shape.height / 2));
  unsigned step = StepFor(radius, shape.center.latitude);
  Cell center = CellOf(shape.center, kLatitudes, step);
  if (step > 1 && !CoverAll(center, box)) center = CellOf(shape.center, kLatitudes, --step);

  // Neighbours behind a border of the central cell that the shape does not cross are left out.
  const CellBounds bounds = BoundsOf(center);
  const bool may_exclude = step >= 2;
  const bool north = !may_exclude || bounds.latitudes.max <= box.latitudes.max;
  const bool south = !may_exclude || bounds.latitudes.min >= box.latitudes.min;
  const bool east = !may_exclude || bounds.longitudes.max <= box.longitudes.max;
  const bool west = !may_exclude || bounds.longitudes.min >= box.longitudes.min;

  GeoCells cells;
  std::optional<Cell> last;
  const auto add = [&](bool wanted, int columns, int rows) {
    if (!wanted) return;
    const Cell cell = Neighbour(center, columns, rows);
    // In a coarse grid neighbours may be the same cell. (Redis looks at the one before only, and
    // so may find a place twice; so do we.)
    if (last && cell == *last) return;
    if (columns != 0 || rows != 0) last = cell;
    cells.ranges[cells.count++] = ScoresIn(cell);
  };
  add(true, 0, 0);
  add(north, 0, 1);
  add(south, 0, -1);
  add(east, 1, 0);
  add(west, -1, 0);
  add(north && east, 1, 1);
  add(north && west, -1, 1);
  add(south && east, 1, -1);
  add(south && west, -1, -1);
  return cells;
}

}  // namespace larder
