#include "commands/geohash.h"

#include <cmath>
#include <limits>
#include <string>
#include <string_view>

#include "base/random.h"
#include "gtest/gtest.h"

namespace larder {
namespace {

std::string Standard(const GeoPoint& point) {
  const GeohashText text = StandardGeohash(point);
  return {text.data(), text.size()};
}

// The example of https://en.wikipedia.org/wiki/Geohash, of which ten characters are used.
TEST(GeohashTest, StandardGeohashIsWhatOtherProgramsWrite) {
  EXPECT_EQ(Standard({10.40744, 57.64911}), "u4pruydqqv0");
  EXPECT_EQ(Standard({0, 0}), "s0000000000");
}

TEST(GeohashTest, AScoreLeadsBackToWithinAMetre) {
  Random random(3);
  for (int i = 0; i < 10'000; ++i) {
    const GeoPoint point = {random.UniformDouble() * 360 - 180, random.UniformDouble() * 170 - 85};
    const double score = GeoScore(point);
    ASSERT_GE(score, 0);
    ASSERT_LT(score, 0x1p52);
    ASSERT_LT(GeoDistance(point, PointOfScore(score)), 1);
  }
}

TEST(GeohashTest, AnyScoreIsSomePlace) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const double score : {-1.0, 0.5, 1e18, 1e19, 1e300, -1e300, kInfinity, -kInfinity}) {
    EXPECT_TRUE(PointOfScore(score).IsValid()) << score;
  }
}

TEST(GeohashTest, DistancesOnTheSphere) {
  constexpr double kDegree = 6372797.560856 * M_PI / 180;
  EXPECT_NEAR(GeoDistance({0, 0}, {1, 0}), kDegree, 0.01);
  EXPECT_NEAR(GeoDistance({0, 0}, {0, 1}), kDegree, 0.01);
  EXPECT_NEAR(GeoDistance({0, 60}, {1, 60}), kDegree / 2, 10);
  EXPECT_NEAR(GeoDistance({-180, 10}, {180, 10}), 0, 0.01);
  EXPECT_EQ(GeoDistance({5, 5}, {5, 5}), 0);
}

// No place inside the shape may be outside of the cells that are searched.
TEST(GeohashTest, CellsCoverTheShape) {
  Random random(4);
  for (int i = 0; i < 3000; ++i) {
    GeoShape shape;
    shape.center = {random.UniformDouble() * 358 - 179, random.UniformDouble() * 140 - 70};
    shape.is_circle = i % 2 == 0;
    const double size = std::pow(10, random.UniformDouble() * 5);
    shape.radius = size;
    shape.width = size * 2;
    shape.height = size;
    const GeoCells cells = CellsAround(shape);
    for (int j = 0; j < 50; ++j) {
      GeoPoint point = shape.center;
      point.longitude += (random.UniformDouble() - 0.5) * size / 20'000;
      point.latitude += (random.UniformDouble() - 0.5) * size / 20'000;
      if (!point.IsValid() || !shape.DistanceWithin(point)) continue;
      const double score = GeoScore(point);
      bool covered = false;
      for (size_t cell = 0; cell < cells.count; ++cell) {
        covered |= !cells.ranges[cell].IsBelow(score) && !cells.ranges[cell].IsAbove(score);
      }
      ASSERT_TRUE(covered) << shape.center.longitude << " " << shape.center.latitude << " " << size;
    }
  }
}

}  // namespace
}  // namespace larder
