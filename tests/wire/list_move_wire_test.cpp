// LMOVE, RPOPLPUSH and LMOVEM as clients see them.
#include <string>
#include <vector>

#include "tests/support/wire_case.h"

namespace larder {
namespace {

class ListMoveWireTest : public WireTest {};

TEST_P(ListMoveWireTest, AnswersLikeRedis) { Run(); }

const std::string kNilArray = "*-1\r\n";

std::string Bulks(const std::vector<std::string>& texts) {
  std::vector<std::string> elements;
  for (const std::string& text : texts) elements.push_back(Bulk(text));
  return Array(elements);
}

std::string Event(const std::string& event, const std::string& key) {
  return Array({Bulk("pmessage"), Bulk("__keyevent*"), Bulk("__keyevent@0__:" + event), Bulk(key)});
}

LARDER_INSTANTIATE_CASES(Move, ListMoveWireTest,
                         {
                             {"BetweenAllEnds",
                              {{"RPUSH a 1 2 3 4", Int(4)},
                               {"LMOVE a b LEFT LEFT", Bulk("1")},
                               {"LMOVE a b left RIGHT", Bulk("2")},
                               {"LMOVE a b RIGHT left", Bulk("4")},
                               {"LRANGE b 0 -1", Bulks({"4", "1", "2"})},
                               {"LMOVE a b RIGHT RIGHT", Bulk("3")},
                               {"EXISTS a", Int(0)},
                               {"LMOVE a b RIGHT RIGHT", kNil, kNilInResp3},
                               {"RPOPLPUSH b c", Bulk("3")},
                               {"RPOPLPUSH b c", Bulk("2")},
                               {"LRANGE c 0 -1", Bulks({"2", "3"})},
                               {"RPOPLPUSH none c", kNil, kNilInResp3}}},
                             {"WithinOneList",
                              {{"RPUSH a 1 2 x", Int(3)},
                               {"LMOVE a a LEFT RIGHT", Bulk("1")},
                               {"LRANGE a 0 -1", Bulks({"2", "x", "1"})},
                               {"RPOPLPUSH a a", Bulk("1")},
                               {"LRANGE a 0 -1", Bulks({"1", "2", "x"})},
                               {"LMOVE a a LEFT LEFT", Bulk("1")},
                               {"LTRIM a 0 0", kOk},
                               {"RPOPLPUSH a a", Bulk("1")},
                               {"LRANGE a 0 -1", Bulks({"1"})}}},
                             {"LargeElement",
                              {{{"RPUSH", "a", std::string(20'000, 'x')}, Int(1)},
                               {"LMOVE a b LEFT LEFT", Bulk(std::string(20'000, 'x'))},
                               {"LMOVE b b LEFT LEFT", Bulk(std::string(20'000, 'x'))},
                               {"LLEN b", Int(1)}}},
                             {"DestinationKeepsTtl",
                              {{"RPUSH a 1", Int(1)},
                               {"RPUSH b 1", Int(1)},
                               {"EXPIRE b 100", Int(1)},
                               {"LMOVE a b LEFT LEFT", Bulk("1")},
                               {"TTL b", IntegerBetween(99, 100)}}},
                             {"Errors",
                              {{"SET s v", kOk},
                               {"RPUSH l a", Int(1)},
                               {"LMOVE l s LEFT LEFT", kWrongType},
                               {"LMOVE s l LEFT LEFT", kWrongType},
                               {"LMOVE none s LEFT LEFT", kNil, kNilInResp3},
                               {"RPOPLPUSH l s", kWrongType},
                               {"RPOPLPUSH s l", kWrongType},
                               {"LRANGE l 0 -1", Bulks({"a"})},
                               {"LMOVE l s UP LEFT", kSyntaxError},
                               {"LMOVE l s LEFT UP", kSyntaxError},
                               {"LMOVE l s LEFT", WrongArity("lmove")},
                               {"RPOPLPUSH l", WrongArity("rpoplpush")}}},
                             {"Events",
                              {On(1, {"CONFIG SET notify-keyspace-events EAn", kOk}),
                               On(1, {"RPUSH {t}a 1 2", Int(2)}),
                               {"PSUBSCRIBE __keyevent*", Anything()},
                               On(1, {"LMOVE {t}a {t}a LEFT LEFT", Bulk("1")}),
                               Receive(0, Event("lpush", "{t}a")),
                               Receive(0, Event("lpop", "{t}a")),
                               On(1, {"LMOVE {t}a {t}b LEFT RIGHT", Bulk("1")}),
                               Receive(0, Event("new", "{t}b")),
                               Receive(0, Event("rpush", "{t}b")),
                               Receive(0, Event("lpop", "{t}a")),
                               On(1, {"RPOPLPUSH {t}a {t}b", Bulk("2")}),
                               Receive(0, Event("lpush", "{t}b")),
                               Receive(0, Event("rpop", "{t}a")),
                               Receive(0, Event("del", "{t}a")),
                               On(1, {"CONFIG SET notify-keyspace-events ''", kOk})}},
                         });

// Redis has it since 8.10; the answers are those of its documentation and its own tests.
LARDER_INSTANTIATE_CASES(
    MoveSeveral, ListMoveWireTest,
    {
        {"OneByDefault",
         {{"RPUSH a a b c", Int(3)},
          {"LMOVEM a b LEFT RIGHT", Bulks({"a"})},
          {"LRANGE b 0 -1", Bulks({"a"})}},
         kLarderOnly},
        {"FromTheHead",
         {{"RPUSH a 1 2 3 4 5", Int(5)},
          {"LMOVEM a b LEFT LEFT COUNT 3 OBO", Bulks({"3", "2", "1"})},
          {"LRANGE b 0 -1", Bulks({"3", "2", "1"})},
          {"DEL a b", Int(2)},
          {"RPUSH a 1 2 3 4 5", Int(5)},
          {"LMOVEM a b LEFT LEFT COUNT 3 BULK", Bulks({"1", "2", "3"})},
          {"LMOVEM a b LEFT RIGHT count 3 obo", Bulks({"4", "5"})},
          {"LRANGE b 0 -1", Bulks({"1", "2", "3", "4", "5"})},
          {"EXISTS a", Int(0)}},
         kLarderOnly},
        {"FromTheTail",
         {{"RPUSH a 1 2 3 4 5", Int(5)},
          {"LMOVEM a b RIGHT RIGHT COUNT 3 OBO", Bulks({"5", "4", "3"})},
          {"DEL a b", Int(2)},
          {"RPUSH a 1 2 3 4 5", Int(5)},
          {"LMOVEM a b RIGHT RIGHT COUNT 3 BULK", Bulks({"3", "4", "5"})},
          {"LMOVEM a b RIGHT LEFT COUNT 2 OBO", Bulks({"1", "2"})},
          {"LRANGE b 0 -1", Bulks({"1", "2", "3", "4", "5"})}},
         kLarderOnly},
        {"Exactly",
         {{"RPUSH a 1 2 3", Int(3)},
          {"LMOVEM a b LEFT RIGHT EXACTLY 4 BULK", kNilArray, kNilInResp3},
          {"EXISTS b", Int(0)},
          {"LMOVEM a b LEFT RIGHT EXACTLY 3 BULK", Bulks({"1", "2", "3"})},
          {"LMOVEM a b LEFT RIGHT EXACTLY 1 BULK", kNilArray, kNilInResp3},
          {"LMOVEM a b LEFT RIGHT COUNT 1 BULK", Bulks({})},
          {"LMOVEM a b LEFT RIGHT", Bulks({})}},
         kLarderOnly},
        {"WithinOneList",
         {{"RPUSH a a b c", Int(3)},
          {"LMOVEM a a LEFT LEFT EXACTLY 2 OBO", Bulks({"b", "a"})},
          {"LRANGE a 0 -1", Bulks({"b", "a", "c"})},
          {"LMOVEM a a LEFT LEFT COUNT 100 BULK", Bulks({"b", "a", "c"})},
          {"LMOVEM a a LEFT RIGHT COUNT 2 BULK", Bulks({"b", "a"})},
          {"LRANGE a 0 -1", Bulks({"c", "b", "a"})}},
         kLarderOnly},
        {"Errors",
         {{"RPUSH l a b", Int(2)},
          {"SET s v", kOk},
          {"LMOVEM l d LEFT RIGHT COUNT 0 BULK", "-ERR count should be greater than 0\r\n"},
          {"LMOVEM l d LEFT RIGHT EXACTLY x BULK", "-ERR count should be greater than 0\r\n"},
          {"LMOVEM l d LEFT RIGHT COUNT 2", kSyntaxError},
          {"LMOVEM l d LEFT RIGHT COUNT 2 OBO x", kSyntaxError},
          {"LMOVEM l d LEFT RIGHT COUNT 2 SOME", kSyntaxError},
          {"LMOVEM l d LEFT RIGHT MANY 2 OBO", kSyntaxError},
          {"LMOVEM l d LEFT UP COUNT 2 OBO", kSyntaxError},
          {"LMOVEM l d LEFT", WrongArity("lmovem")},
          {"LMOVEM s d LEFT LEFT", kWrongType},
          {"LMOVEM l s LEFT LEFT COUNT 2 OBO", kWrongType},
          {"LLEN l", Int(2)}},
         kLarderOnly},
    });

}  // namespace
}  // namespace larder
