// CACHE.* as clients see them.
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/resp_client.h"
#include "tests/support/server_process.h"
#include "tests/support/wire_case.h"
#include "tests/support/wire_replies.h"

namespace larder {
namespace {

constexpr char kOff[] =
    "-ERR the miss-ratio curve is not being recorded: CONFIG SET miss-ratio-curve yes starts "
    "it\r\n";

class CacheWireTest : public WireTest {};

TEST_P(CacheWireTest, AnswersAsDocumented) { Run(); }

LARDER_INSTANTIATE_CASES(
    MissRatioCurve, CacheWireTest,
    {
        {"MrcErrors",
         {{"CACHE.MRC", kOff},
          {"CACHE.MRC RESET", kOff},
          {"CACHE.MRC x", kSyntaxError},
          {"CACHE.MRC POLICY", kSyntaxError},
          {"CACHE.MRC POLICY clairvoyant",
           "-ERR no such policy: one of lru, lfu, random, fifo, s3fifo and adaptive is "
           "wanted\r\n"}},
         kLarderOnly},
        {"MrcBeforeAnyRead",
         {{"CONFIG SET miss-ratio-curve yes", "+OK\r\n"},
          {"CACHE.MRC policy AllKeys-LRU reset",
           Like("*18\r\n<bulk>$-1\r\n<bulk>:0\r\n<bulk>:<int>\r\n<bulk>:<int>\r\n<bulk>:0\r\n"
                "<bulk>:0\r\n<bulk>:0\r\n<bulk>:<int>\r\n$6\r\ncurves\r\n*0\r\n"),
           Like("%9\r\n<bulk>_\r\n<bulk>:0\r\n<bulk>:<int>\r\n<bulk>:<int>\r\n<bulk>:0\r\n"
                "<bulk>:0\r\n<bulk>:0\r\n<bulk>:<int>\r\n$6\r\ncurves\r\n%0\r\n")},
          {"CONFIG SET miss-ratio-curve no", "+OK\r\n"}},
         kLarderOnly},
    });

// The value of a name in a map that RESP2 gives as a flat array.
RespValue ValueOf(const RespValue& map, const std::string& name) {
  for (size_t i = 0; i + 1 < map.elements.size(); i += 2) {
    if (map.elements[i].text == name) return map.elements[i + 1];
  }
  ADD_FAILURE() << "no " << name;
  return {};
}

double MissRatio(const RespValue& report, const std::string& policy, size_t point) {
  const RespValue points = ValueOf(ValueOf(ValueOf(report, "curves"), policy), "points");
  if (point >= points.elements.size()) {
    ADD_FAILURE() << "no point " << point << " of " << policy;
    return -1;
  }
  return std::stod(points.elements[point].elements[1].text);
}

class CacheMrcTest : public testing::Test {
 protected:
  // A cache-aside application reads keys in a loop.
  void ReadInALoop(int keys, int rounds) {
    for (int i = 0; i < rounds * keys; ++i) {
      const std::string key = std::to_string(i % keys);
      if (!client_.Call({"GET", key}).is_null) continue;
      client_.Call({"SET", key, std::string(10'000, 'x')});
    }
  }

  const ServerProcess server_ = ServerProcess::StartLarder(
      {"--miss-ratio-curve", "yes", "--maxmemory", "20mb", "--maxmemory-policy", "allkeys-lru"});
  RespClient client_{server_.port()};
};

TEST_F(CacheMrcTest, ForetellsThatALoopFitsIntoMoreMemory) {
  ReadInALoop(2500, 4);  // 25 MB and a little more.
  const RespValue report = client_.Call({"CACHE.MRC"});
  EXPECT_EQ(ValueOf(report, "policy").text, "lru");
  EXPECT_EQ(ValueOf(report, "maxmemory").integer, 20 << 20);
  EXPECT_EQ(ValueOf(report, "requests").integer, 10'000);
  EXPECT_GT(MissRatio(report, "exact-lru", 2), 0.95);
  EXPECT_NEAR(MissRatio(report, "lru", 3), 0.25, 0.02);
  EXPECT_NEAR(MissRatio(report, "lru", 4), 0.25, 0.02);
  EXPECT_GT(MissRatio(report, "lru", 0), MissRatio(report, "lru", 2));
}

TEST_F(CacheMrcTest, AResetBeginsANewCount) {
  ReadInALoop(100, 1);
  EXPECT_EQ(ValueOf(client_.Call({"CACHE.MRC", "RESET"}), "requests").integer, 100);
  ReadInALoop(100, 1);
  const RespValue report = client_.Call({"CACHE.MRC", "POLICY", "allkeys-lru"});
  EXPECT_EQ(ValueOf(report, "requests").integer, 100);
  EXPECT_EQ(MissRatio(report, "lru", 2), 0);
  EXPECT_EQ(ValueOf(report, "curves").elements.size(), 2u);
}

TEST_F(CacheMrcTest, WhatIsDeletedOrFlushedMissesAtAnySize) {
  for (int i = 0; i < 50; ++i) {
    ReadInALoop(1, 1);
    client_.Call({"DEL", "0"});
    ReadInALoop(1, 1);
    client_.Call({"FLUSHALL"});
  }
  const RespValue report = client_.Call({"CACHE.MRC"});
  EXPECT_EQ(MissRatio(report, "exact-lru", 4), 1);
  EXPECT_EQ(MissRatio(report, "adaptive", 4), 1);
}

TEST_F(CacheMrcTest, ForgetsEverythingWhenItIsTurnedOff) {
  ReadInALoop(10, 2);
  client_.Call({"CONFIG", "SET", "miss-ratio-curve", "no"});
  ReadInALoop(10, 1);
  client_.Call({"CONFIG", "SET", "miss-ratio-curve", "yes"});
  EXPECT_EQ(ValueOf(client_.Call({"CACHE.MRC"}), "requests").integer, 0);
}

}  // namespace
}  // namespace larder
