// SORT and SORT_RO as clients see them.
#include <string>
#include <vector>

#include "tests/support/wire_case.h"
#include "tests/wire/same_as_redis.h"

namespace larder {
namespace {

constexpr char kNotNumbers[] = "-ERR One or more scores can't be converted into double\r\n";

std::string Bulks(const std::vector<std::string>& texts) {
  std::vector<std::string> bulks;
  for (const std::string& text : texts) bulks.push_back(Bulk(text));
  return Array(bulks);
}

class SortWireTest : public WireTest {};

TEST_P(SortWireTest, AnswersLikeRedis) { Run(); }

LARDER_INSTANTIATE_CASES(
    Sort, SortWireTest,
    {
        {"Missing",
         {{"SORT none", "*0\r\n"},
          {"SORT none ALPHA DESC", "*0\r\n"},
          {"SORT_RO none", "*0\r\n"},
          {"SORT none STORE d", Int(0)}}},
        {"Numbers",
         {{"RPUSH l 3 1 -2 10 1.5", Int(5)},
          {"SORT l", Bulks({"-2", "1", "1.5", "3", "10"})},
          {"SORT l DESC", Bulks({"10", "3", "1.5", "1", "-2"})},
          {"SORT l DESC ASC", Bulks({"-2", "1", "1.5", "3", "10"})},
          {"SORT_RO l", Bulks({"-2", "1", "1.5", "3", "10"})}}},
        {"Alpha",
         {{"RPUSH l b a 10 9 B", Int(5)},
          {"SORT l ALPHA", Bulks({"10", "9", "B", "a", "b"})},
          {"SORT l alpha desc", Bulks({"b", "a", "B", "9", "10"})}}},
        {"NotNumbers",
         {{"RPUSH l a 1", Int(2)},
          {"SORT l", kNotNumbers},
          {"SORT l STORE d", kNotNumbers},
          {"EXISTS d", Int(0)}}},
        {"WhatStrtodReads",
         {{{"RPUSH", "l", "", " 1", "0x1", "+2", "inf", "-inf"}, Int(6)},
          {"SORT l", Bulks({"-inf", "", " 1", "0x1", "+2", "inf"})},
          {"RPUSH m nan", Int(1)},
          {"SORT m", kNotNumbers},
          {{"RPUSH", "n", "1 "}, Int(1)},
          {"SORT n", kNotNumbers}}},
        {"EqualNumbersByTheirText",
         {{"RPUSH l 1.0 1 01 +1", Int(4)},
          {"SORT l", Bulks({"+1", "01", "1", "1.0"})},
          {"SORT l DESC", Bulks({"1.0", "1", "01", "+1"})}}},
        {"Limit",
         {{"RPUSH l 5 4 3 2 1", Int(5)},
          {"SORT l LIMIT 1 2", Bulks({"2", "3"})},
          {"SORT l LIMIT 0 -1", Bulks({"1", "2", "3", "4", "5"})},
          {"SORT l LIMIT -5 2", Bulks({"1", "2"})},
          {"SORT l LIMIT 3 100", Bulks({"4", "5"})},
          {"SORT l LIMIT 5 1", "*0\r\n"},
          {"SORT l LIMIT 100 100", "*0\r\n"},
          {"SORT l LIMIT 2 0", "*0\r\n"},
          {"SORT l LIMIT 2 -2", Bulks({"3", "4", "5"})},
          {"SORT l DESC LIMIT 1 2", Bulks({"4", "3"})},
          {"SORT l LIMIT 9223372036854775807 9223372036854775807", "*0\r\n"},
          {"SORT l LIMIT 0 1 LIMIT 1 1", Bulks({"2"})}}},
        {"By",
         {{"RPUSH l a b c d", Int(4)},
          {"MSET w_a 3 w_b 1 w_c 2", kOk},
          {"SORT l BY w_*", Bulks({"d", "b", "c", "a"})},
          {"SORT l BY w_* DESC", Bulks({"a", "c", "b", "d"})},
          {"SORT l BY w_* ALPHA", Bulks({"d", "b", "c", "a"})},
          {"SORT l BY w_* LIMIT 1 2", Bulks({"b", "c"})},
          {"SET w_b x", kOk},
          {"SORT l BY w_*", kNotNumbers},
          {"SORT l BY w_* ALPHA", Bulks({"d", "c", "a", "b"})}}},
        {"ByNothing",
         {{"RPUSH l 3 1 2", Int(3)},
          {"SORT l BY nosort", Bulks({"3", "1", "2"})},
          {"SORT l BY nosort DESC", Bulks({"2", "1", "3"})},
          {"SORT l BY nosort LIMIT 1 1", Bulks({"1"})},
          {"SORT l BY nosort DESC LIMIT 0 2", Bulks({"2", "1"})},
          {"SORT l BY nosort BY w_*", Bulks({"3", "1", "2"})},
          {"SORT l BY # DESC", Bulks({"2", "1", "3"})},
          {"SORT l BY nosort GET #", Bulks({"3", "1", "2"})}}},
        {"Get",
         {{"RPUSH l 2 1 3", Int(3)},
          {"MSET k_1 one k_2 2", kOk},
          {"SORT l GET k_*", Array({Bulk("one"), Bulk("2"), kNil}),
           Array({Bulk("one"), Bulk("2"), kNilInResp3})},
          {"SORT l GET # GET k_*",
           Array({Bulk("1"), Bulk("one"), Bulk("2"), Bulk("2"), Bulk("3"), kNil}),
           Array({Bulk("1"), Bulk("one"), Bulk("2"), Bulk("2"), Bulk("3"), kNilInResp3})},
          {"SORT l GET none LIMIT 0 1", Array({kNil}), Array({kNilInResp3})},
          {"SORT l LIMIT 0 1 GET k_* GET # GET none", Array({Bulk("one"), Bulk("1"), kNil}),
           Array({Bulk("one"), Bulk("1"), kNilInResp3})}}},
        {"GetOfOtherTypes",
         {{"RPUSH l 1", Int(1)},
          {"RPUSH k_1 x", Int(1)},
          {"SORT l GET k_*", Array({kNil}), Array({kNilInResp3})},
          {"SORT l BY k_*", Bulks({"1"})},
          {"SORT l GET k_*->f", Array({kNil}), Array({kNilInResp3})}}},
        {"Fields",
         {{"RPUSH l 1 2 3", Int(3)},
          {"HSET h_1 w 30 n one", Int(2)},
          {"HSET h_2 w 20 n 2", Int(2)},
          {"HSET h_3 w 10", Int(1)},
          {"SORT l BY h_*->w", Bulks({"3", "2", "1"})},
          {"SORT l BY h_*->w GET h_*->n", Array({kNil, Bulk("2"), Bulk("one")}),
           Array({kNilInResp3, Bulk("2"), Bulk("one")})},
          {"SORT l BY h_*->none", Bulks({"1", "2", "3"})},
          {"SORT l BY h_*-> GET #", Bulks({"1", "2", "3"})},
          {"SET h_1-> 100", kOk},
          {"SORT l BY h_*-> GET #", Bulks({"2", "3", "1"})}}},
        {"LargeValues",
         {{"RPUSH l 1", Int(1)},
          {{"SET", "k_1", std::string(50'000, 'x')}, kOk},
          {"SORT l GET k_*", Array({Bulk(std::string(50'000, 'x'))})},
          {"SORT l GET k_* STORE d", Int(1)},
          {"LINDEX d 0", Bulk(std::string(50'000, 'x'))}}},
        {"Sets",
         {{"SADD s 3 1 2", Int(3)},
          {"SORT s", Bulks({"1", "2", "3"})},
          {"SORT s DESC LIMIT 0 1", Bulks({"3"})},
          {"SADD s b a", Int(2)},
          {"SORT s ALPHA", Bulks({"1", "2", "3", "a", "b"})},
          {"SORT s BY nosort STORE d", Int(5)},
          {"LRANGE d 0 -1", Bulks({"1", "2", "3", "a", "b"})},
          {"SORT s BY nosort GET # DESC STORE d", Int(5)},
          {"LRANGE d 0 -1", Bulks({"b", "a", "3", "2", "1"})}}},
        {"SortedSets",
         {{"ZADD z 3 a 1 c 2 b 4 10", Int(4)},
          {"SORT z ALPHA", Bulks({"10", "a", "b", "c"})},
          {"SORT z", kNotNumbers},
          {"SORT z BY nosort", Bulks({"c", "b", "a", "10"})},
          {"SORT z BY nosort DESC", Bulks({"10", "a", "b", "c"})},
          {"SORT z BY nosort LIMIT 1 2", Bulks({"b", "a"})},
          {"SORT z BY nosort DESC LIMIT 1 2", Bulks({"a", "b"})},
          {"SORT z BY nosort LIMIT 3 10", Bulks({"10"})},
          {"SORT z BY nosort LIMIT 4 10", "*0\r\n"},
          {"SORT z BY nosort STORE d", Int(4)},
          {"LRANGE d 0 -1", Bulks({"c", "b", "a", "10"})}}},
        {"Store",
         {{"RPUSH l 3 1 2", Int(3)},
          {"SET d x EX 100", kOk},
          {"SORT l STORE d", Int(3)},
          {"TYPE d", "+list\r\n"},
          {"TTL d", Int(-1)},
          {"LRANGE d 0 -1", Bulks({"1", "2", "3"})},
          {"SORT l GET none GET # STORE d", Int(6)},
          {"LRANGE d 0 -1", Bulks({"", "1", "", "2", "", "3"})},
          {"SORT none STORE d", Int(0)},
          {"EXISTS d", Int(0)},
          {"SORT l STORE l", Int(3)},
          {"LRANGE l 0 -1", Bulks({"1", "2", "3"})},
          {"SORT l STORE d STORE e", Int(3)},
          {"EXISTS d e", Int(1)},
          {"SORT l LIMIT 0 0 STORE e", Int(0)},
          {"EXISTS e", Int(0)}}},
        {"StoresInNodesOfTheDefaultSize",
         {{"CONFIG SET list-max-listpack-size 2", kOk},
          {"RPUSH l 3 1 2", Int(3)},
          {"SORT l STORE d", Int(3)},
          {"CONFIG SET list-max-listpack-size -2", kOk},
          {"DUMP d", Bulk({"\x12\x01\x02\x0d\x0d\0\0\0\x03\0\x01\x01\x02\x01\x03\x01\xff"
                           "\x0a\0\xca\xba\x35\x84\xf9\x8a\xd7\xae",
                           27})}}},
        {"StoreOptionsAsArguments",
         {{"RPUSH l 2 1", Int(2)},
          {"SORT l GET store STORE get", Int(2)},
          {"LRANGE get 0 -1", Bulks({"", ""})},
          {"SORT l BY store", Bulks({"2", "1"})}}},
        {"BinaryAlpha",
         {{{"RPUSH", "l", {"a\0c", 3}, {"a\0b", 3}, "a"}, Int(3)},
          {"SORT l ALPHA", Array({Bulk({"a\0c", 3}), Bulk({"a\0b", 3}), Bulk("a")})},
          {"SORT l ALPHA STORE d", Int(3)},
          {"LRANGE d 0 -1", Array({Bulk("a"), Bulk({"a\0b", 3}), Bulk({"a\0c", 3})})}}},
        {"WrongType",
         {{"SET k v", kOk},
          {"HSET h f v", Int(1)},
          {"SORT k", kWrongType},
          {"SORT h STORE d", kWrongType},
          {"SORT_RO k", kWrongType},
          {"SORT k FOO", kSyntaxError},
          {"SORT k LIMIT a 1", kNotAnInteger}}},
        {"Errors",
         {{"SORT", WrongArity("sort")},
          {"SORT_RO", WrongArity("sort_ro")},
          {"SORT l FOO", kSyntaxError},
          {"SORT l LIMIT 1", kSyntaxError},
          {"SORT l LIMIT x 1", kNotAnInteger},
          {"SORT l LIMIT 1 x", kNotAnInteger},
          {"SORT l LIMIT x 1 FOO", kNotAnInteger},
          {"SORT l BY", kSyntaxError},
          {"SORT l GET", kSyntaxError},
          {"SORT l STORE", kSyntaxError},
          {"SORT_RO l STORE d", kSyntaxError}}},
        {"InATransaction",
         {{"RPUSH l b a", Int(2)},
          {"MULTI", kOk},
          {"MSET w_a 2 w_b 1", kQueued},
          {"SORT l BY w_* GET w_* STORE d", kQueued},
          {"LRANGE d 0 -1", kQueued},
          {"EXEC", Array({kOk, Int(2), Bulks({"1", "2"})})}}},
        {"KeysOfARequest",
         {{"COMMAND GETKEYS SORT k STORE d", Bulks({"k", "d"})},
          {"COMMAND GETKEYS SORT k BY store GET store STORE d STORE e", Bulks({"k", "e"})},
          {"COMMAND GETKEYS SORT k LIMIT 0 1 BY w_* GET #", Bulks({"k"})},
          {"COMMAND GETKEYS SORT_RO k BY w_*", Bulks({"k"})}}},
    });

class SortConversationTest : public WireTest {};

TEST_F(SortConversationTest, LongListsAreSortedAsRedisSortsThem) {
  std::vector<std::string> lines = {"FLUSHALL", "CONFIG SET list-compress-depth 1"};
  std::string push = "RPUSH l";
  std::string words = "RPUSH words";
  for (int i = 0; i < 3000; ++i) {
    const auto mixed = static_cast<unsigned>(i) * 2654435761u;
    push += " " + std::to_string(static_cast<int>(mixed) / 1000);
    words += " word:" + std::to_string(mixed % 5000) + ":with:a:long:tail";
  }
  for (const std::string& line : {push, words}) lines.push_back(line);
  for (const char* options : {"", "DESC", "LIMIT 10 20", "LIMIT 2900 200 DESC", "STORE d"}) {
    lines.push_back(std::string("SORT l ") + options);
    lines.push_back(std::string("SORT words ALPHA ") + options);
  }
  lines.insert(lines.end(), {"LRANGE d 0 -1", "CONFIG SET list-compress-depth 0", "FLUSHALL"});
  EXPECT_EQ(DifferencesFromRedis(Larder().port(), Redis().port(), lines), "");
}

}  // namespace
}  // namespace larder
