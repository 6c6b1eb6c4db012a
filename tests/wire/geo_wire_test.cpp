// Places on the Earth as clients see them.
#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/wire_case.h"
#include "tests/wire/same_as_redis.h"

namespace larder {
namespace {

class GeoWireTest : public WireTest {};

TEST_P(GeoWireTest, AnswersLikeRedis) { Run(); }

const std::string kBadUnit = "-ERR unsupported unit provided. please use M, KM, FT, MI\r\n";
const std::string kNoSuchMember = "-ERR could not decode requested zset member\r\n";
const std::string kEmptyArray = "*0\r\n";
const std::string kSicily = "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania";

std::string Words(const std::vector<std::string>& words) {
  std::vector<std::string> bulks;
  for (const std::string& word : words) bulks.push_back(Bulk(word));
  return Array(bulks);
}

std::string OutOfRange(const std::string& pair) {
  return "-ERR invalid longitude,latitude pair " + pair + "\r\n";
}

LARDER_INSTANTIATE_CASES(
    Places, GeoWireTest,
    {
        {"Add",
         {{kSicily, Int(2)},
          {kSicily, Int(0)},
          {"GEOADD g CH 14 38 Palermo 14 37 Gela", Int(2)},
          {"GEOADD g NX 1 1 Palermo", Int(0)},
          {"GEOADD g XX 1 1 Roma", Int(0)},
          {"GEOADD none XX 1 1 Roma", Int(0)},
          {"TYPE g", "+zset\r\n"},
          {"ZSCORE g Catania", Bulk("3479447370796909"), ",3479447370796909\r\n"},
          {"OBJECT ENCODING g", Bulk("listpack")}}},
        {"AddErrors",
         {{"GEOADD g NX XX 1 2 a", kSyntaxError},
          {"GEOADD g 1 2 a 3 4", kSyntaxError},
          {"GEOADD g NX CH XX", kSyntaxError},
          {"GEOADD g x 2 a", kNotAFloat},
          {"GEOADD g 1 nan a", kNotAFloat},
          {"GEOADD g INCR 1 2 a", kSyntaxError},
          {"GEOADD g 200 1 a", OutOfRange("200.000000,1.000000")},
          {"GEOADD g 1 2 a 1 86 b", OutOfRange("1.000000,86.000000")},
          {"EXISTS g", Int(0)},
          {"SET s 1", kOk},
          {"GEOADD s 1 2 a", kWrongType},
          {"GEOADD s 1 86 a", OutOfRange("1.000000,86.000000")}}},
        {"Positions",
         {{kSicily, Int(2)},
          {"GEOPOS g Palermo none",
           Array({Words({"13.36138933897018433", "38.11555639549629859"}), "*-1\r\n"}),
           Array({Array({",13.36138933897018433\r\n", ",38.11555639549629859\r\n"}), "_\r\n"})},
          {"GEOPOS none a", Array({"*-1\r\n"}), Array({"_\r\n"})},
          {"GEOPOS g", kEmptyArray},
          {"GEOHASH g Palermo none", Array({Bulk("sqc8b49rny0"), kNil}),
           Array({Bulk("sqc8b49rny0"), kNilInResp3})}}},
        {"Borders",
         {{"GEOADD g 180 85.05112878 ne -180 -85.05112878 sw 0 0 zero", Int(3)},
          {"GEOPOS g ne sw zero", Anything()},
          {"GEOHASH g ne sw zero", Words({"bp05b5048p0", "00bh0hbj200", "s0000000000"})}}},
        // Any sorted set may be asked.
        {"ScoresThatAreNoPlaces",
         {{"ZADD z -1 a 1e300 b inf c -inf d 0.5 e 9.3e18 f", Int(6)},
          {"GEOPOS z a b c d e f", Anything()},
          {"GEODIST z a b", Bulk("18919844.5891")}}},
        {"Distances",
         {{kSicily, Int(2)},
          {"GEODIST g Palermo Catania", Bulk("166274.1516")},
          {"GEODIST g Palermo Catania KM", Bulk("166.2742")},
          {"GEODIST g Palermo Catania mi", Bulk("103.3182")},
          {"GEODIST g Palermo Palermo ft", Bulk("0.0000")},
          {"GEODIST g Palermo none", kNil, kNilInResp3},
          {"GEODIST none a b", kNil, kNilInResp3},
          {"GEODIST none a b foo", kBadUnit},
          {"GEODIST g Palermo Catania m x", kSyntaxError},
          {"SET s 1", kOk},
          {"GEODIST s a b", kWrongType},
          {"GEOPOS s a", kWrongType},
          {"GEOHASH s a", kWrongType}}},
    });

LARDER_INSTANTIATE_CASES(
    Searching, GeoWireTest,
    {
        {"Search",
         {{kSicily, Int(2)},
          {"GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km ASC", Words({"Catania", "Palermo"})},
          {"GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km DESC", Words({"Palermo", "Catania"})},
          {"GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 100 km", Words({"Catania"})},
          {"GEOSEARCH g FROMMEMBER Palermo BYBOX 400 400 km COUNT 1", Words({"Palermo"})},
          {"GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km COUNT 1 ANY WITHDIST",
           Array({Words({"Palermo", "190.4424"})})},
          {"GEOSEARCH g FROMLONLAT 15 37 BYBOX 400 400 km ASC WITHCOORD WITHDIST WITHHASH",
           Array({Array({Bulk("Catania"), Bulk("56.4413"), Int(3479447370796909),
                         Words({"15.08726745843887329", "37.50266842333162032"})}),
                  Array({Bulk("Palermo"), Bulk("190.4424"), Int(3479099956230698),
                         Words({"13.36138933897018433", "38.11555639549629859"})})}),
           Array({Array({Bulk("Catania"), Bulk("56.4413"), Int(3479447370796909),
                         Array({",15.08726745843887329\r\n", ",37.50266842333162032\r\n"})}),
                  Array({Bulk("Palermo"), Bulk("190.4424"), Int(3479099956230698),
                         Array({",13.36138933897018433\r\n", ",38.11555639549629859\r\n"})})})},
          {"GEOSEARCH none FROMMEMBER x BYRADIUS 1 km", kEmptyArray}}},
        {"SearchErrors",
         {{kSicily, Int(2)},
          {"GEOSEARCH g FROMLONLAT 15 37", WrongArity("geosearch")},
          {"GeoSearch g BYRADIUS 200 km ASC DESC",
           "-ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for GeoSearch\r\n"},
          {"GEOSEARCH g ASC DESC FROMLONLAT 15 37",
           "-ERR exactly one of BYRADIUS and BYBOX can be specified for GEOSEARCH\r\n"},
          {"GEOSEARCH g FROMLONLAT 15 37 FROMMEMBER Palermo BYRADIUS 1 km", kSyntaxError},
          {"GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 1 km BYBOX 1 1 km", kSyntaxError},
          {"GEOSEARCH g FROMLONLAT 15 37 BYRADIUS x km", "-ERR need numeric radius\r\n"},
          {"GEOSEARCH g FROMLONLAT 15 37 BYRADIUS -1 km", "-ERR radius cannot be negative\r\n"},
          {"GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 1 foo", kBadUnit},
          {"GEOSEARCH g FROMLONLAT 15 37 BYBOX x 1 km", "-ERR need numeric width\r\n"},
          {"GEOSEARCH g FROMLONLAT 15 37 BYBOX 1 x km", "-ERR need numeric height\r\n"},
          {"GEOSEARCH g FROMLONLAT 15 37 BYBOX -1 1 km",
           "-ERR height or width cannot be negative\r\n"},
          {"GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 1 km ANY",
           "-ERR the ANY argument requires COUNT argument\r\n"},
          {"GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 1 km COUNT 0", "-ERR COUNT must be > 0\r\n"},
          {"GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 1 km COUNT x", kNotAnInteger},
          {"GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 1 km STORE d", kSyntaxError},
          {"GEOSEARCH g FROMLONLAT 500 37 BYRADIUS 1 km", OutOfRange("500.000000,37.000000")},
          {"GEOSEARCH g FROMMEMBER none BYRADIUS 1 km", kNoSuchMember},
          {"SET s 1", kOk},
          {"GEOSEARCH s foo a b c d e", kWrongType}}},
        {"SearchAndStore",
         {{kSicily, Int(2)},
          {"GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km", Int(2)},
          {"ZRANGE d 0 -1 WITHSCORES",
           Words({"Palermo", "3479099956230698", "Catania", "3479447370796909"}), Anything()},
          {"GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km STOREDIST", Int(2)},
          {"ZRANGE d 0 -1 WITHSCORES",
           Words({"Catania", "56.441257870158204", "Palermo", "190.44242984775784"}), Anything()},
          {"GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 1 km", Int(0)},
          {"EXISTS d", Int(0)},
          {"GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km WITHDIST",
           "-ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD "
           "options\r\n"}}},
        {"Radius",
         {{kSicily, Int(2)},
          {"GEORADIUS g 15 37 200 km ASC WITHDIST",
           Array({Words({"Catania", "56.4413"}), Words({"Palermo", "190.4424"})})},
          {"GEORADIUS_RO g 15 37 200 km DESC", Words({"Palermo", "Catania"})},
          {"GEORADIUSBYMEMBER g Palermo 100 km", Words({"Palermo"})},
          {"GEORADIUSBYMEMBER_RO g Palermo 200 km ASC", Words({"Palermo", "Catania"})},
          {"GEORADIUS g 15 37 200 km STORE d", Int(2)},
          {"GEORADIUSBYMEMBER g Palermo 100 km STORE d STOREDIST e", Int(1)},
          {"ZRANGE e 0 -1 WITHSCORES", Words({"Palermo", "0"}), Anything()},
          {"ZCARD d", Int(2)},
          {"GEORADIUS g 1 1 1 km STORE d", Int(0)},
          {"EXISTS d", Int(0)}}},
        {"RadiusErrors",
         {{kSicily, Int(2)},
          {"GEORADIUS_RO g 15 37 200 km STORE d", kSyntaxError},
          {"GEORADIUSBYMEMBER_RO g Palermo 200 km STORE d", kSyntaxError},
          {"GEORADIUS g 15 37 200 km STORE d WITHDIST",
           "-ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and "
           "WITHCOORD options\r\n"},
          {"GEORADIUS g 15 37 200 km STORE", kSyntaxError},
          {"GEORADIUS g 15 37 200 km FROMLONLAT 1 2", kSyntaxError},
          {"GEORADIUSBYMEMBER g none x km", kNoSuchMember},
          {"GEORADIUSBYMEMBER none none x km", kEmptyArray},
          {"GEORADIUS none 500 7 1 km", OutOfRange("500.000000,7.000000")},
          {"GEORADIUS none 15 7 1 km STORE d", Int(0)},
          {"SET s 1", kOk},
          {"GEORADIUS s 500 7 1 km", kWrongType}}},
    });

// Everywhere on the Earth, the borders of its map above all: the same places in the same order.
TEST_F(GeoWireTest, FindsWhatRedisFinds) {
  std::vector<std::string> lines = {"FLUSHALL"};
  uint64_t state = 7;
  const auto random = [&state](uint64_t bound) {
    state = state * 6364136223846793005 + 1442695040888963407;
    return (state >> 33) % bound;
  };
  const auto coordinate = [&](int most) {
    if (random(12) == 0) return random(2) == 0 ? std::string("0") : std::to_string(most);
    const auto whole = static_cast<int>(random(static_cast<uint64_t>(2 * most))) - most;
    return std::to_string(whole) + "." + std::to_string(random(1'000'000));
  };
  const auto point = [&] { return coordinate(180) + " " + coordinate(85); };
  const auto length = [&] {
    constexpr uint64_t kScales[] = {10, 1000, 20'000, 3'000'000};
    return std::to_string(random(kScales[random(4)])) + "." + std::to_string(random(1000));
  };
  for (int i = 0; i < 400; ++i) lines.push_back("GEOADD g " + point() + " " + std::to_string(i));
  // Some lie at one place.
  for (int i = 0; i < 20; ++i) lines.push_back("GEOADD g 1 1 same" + std::to_string(i));
  const std::vector<std::string> units = {" m", " km", " mi", " ft"};
  const std::vector<std::string> ends = {"",         " WITHDIST",      " ASC WITHHASH", " DESC",
                                         " COUNT 5", " COUNT 20 DESC", " COUNT 3 ANY"};
  for (int i = 0; i < 1000; ++i) {
    const std::string from =
        random(2) == 0 ? "FROMLONLAT " + point() : "FROMMEMBER " + std::to_string(random(400));
    const std::string shape =
        random(2) == 0 ? " BYRADIUS " + length() : " BYBOX " + length() + " " + length();
    const std::string search = from + shape + units[random(units.size())];
    if (random(10) == 0) {
      lines.push_back("GEOSEARCHSTORE d g " + search + (random(2) == 0 ? "" : " STOREDIST"));
      lines.emplace_back("ZRANGE d 0 -1 WITHSCORES");
    } else {
      lines.push_back("GEOSEARCH g " + search + ends[random(ends.size())]);
    }
  }
  EXPECT_EQ(DifferencesFromRedis(Larder().port(), Redis().port(), lines), "");
}

}  // namespace
}  // namespace larder
