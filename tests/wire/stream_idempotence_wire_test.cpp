// Messages that producers name (XADD IDMP, XCFGSET, XIDMPRECORD), which Redis 7.0 does not have:
// the replies are those that its documentation and the tests of later versions tell.
//
// Where a row needs to know the IDs that XADD makes up, the stream's last one is of the far future:
// they are the ones that follow it, and never too old.
#include <string>
#include <vector>

#include "tests/support/wire_case.h"

namespace larder {
namespace {

class StreamIdempotenceWireTest : public WireTest {};

TEST_P(StreamIdempotenceWireTest, AnswersLikeRedis) { Run(); }

const std::string kTwice = "-ERR IDMP/IDMPAUTO specified multiple times\r\n";
const std::string kNeedsNewId = "-ERR IDMP/IDMPAUTO can be used only with auto-generated IDs\r\n";
const std::string kInvalidId = "-ERR Invalid stream ID specified as stream command argument\r\n";
const std::string kNoSuchKey = "-ERR no such key\r\n";
const std::string kBadDuration = "-ERR IDMP-DURATION must be between 1 and 86400 seconds\r\n";
const std::string kBadMaxSize = "-ERR IDMP-MAXSIZE must be between 1 and 10000 entries\r\n";

// The entry with this number in a stream that begins in the far future.
std::string Id(int number) { return "99999999999999-" + std::to_string(number); }

// [id, [a, b]]
std::string Entry(const std::string& id) {
  return Array({Bulk(id), Array({Bulk("a"), Bulk("b")})});
}

WireStep Begin() { return {"XADD s " + Id(0) + " a b", Bulk(Id(0))}; }

// Gives entry `number` of the stream.
WireStep Add(const std::string& options, int number) {
  return {"XADD s " + options + " * a b", Bulk(Id(number))};
}

std::vector<WireStep> Given(std::vector<WireStep> steps) {
  steps.insert(steps.begin(), Begin());
  return steps;
}

std::vector<std::string> Figures(const std::vector<int>& figures) {
  const std::vector<std::string> names = {"idmp-duration", "idmp-maxsize", "pids-tracked",
                                          "iids-tracked",  "iids-added",   "iids-duplicates"};
  std::vector<std::string> replies;
  for (size_t i = 0; i < names.size(); ++i) {
    replies.push_back(Bulk(names[i]));
    replies.push_back(Int(figures[i]));
  }
  return replies;
}

// What XINFO STREAM tells of a stream of so many entries, the fields that follow left to the
// caller.
std::vector<std::string> Info(int length, const std::vector<int>& figures) {
  std::vector<std::string> fields = {Bulk("length"),
                                     Int(length),
                                     Bulk("radix-tree-keys"),
                                     Int(1),
                                     Bulk("radix-tree-nodes"),
                                     Int(2),
                                     Bulk("last-generated-id"),
                                     Bulk(Id(length - 1)),
                                     Bulk("max-deleted-entry-id"),
                                     Bulk("0-0"),
                                     Bulk("entries-added"),
                                     Int(length),
                                     Bulk("recorded-first-entry-id"),
                                     Bulk(Id(0))};
  const std::vector<std::string> more = Figures(figures);
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

WireStep InfoStep(int length, const std::vector<int>& figures) {
  std::vector<std::string> fields = Info(length, figures);
  const std::vector<std::string> more = {Bulk("groups"),      Int(0),
                                         Bulk("first-entry"), Entry(Id(0)),
                                         Bulk("last-entry"),  Entry(Id(length - 1))};
  fields.insert(fields.end(), more.begin(), more.end());
  return {"XINFO STREAM s", Array(fields), Map(fields)};
}

WireStep FullInfoStep(int length, const std::vector<int>& figures) {
  std::vector<std::string> entries;
  for (int i = 0; i < length; ++i) entries.push_back(Entry(Id(i)));
  std::vector<std::string> fields = Info(length, figures);
  const std::vector<std::string> more = {Bulk("entries"), Array(entries), Bulk("groups"),
                                         Array({})};
  fields.insert(fields.end(), more.begin(), more.end());
  return {"XINFO STREAM s FULL", Array(fields), Map(fields)};
}

INSTANTIATE_TEST_SUITE_P(
    XAdd, StreamIdempotenceWireTest,
    testing::ValuesIn(std::vector<WireCase>{
        {"AMessageIsAddedOnce",
         Given({Add("IDMP p i", 1),
                {"XADD s IDMP p i * c other", Bulk(Id(1))},
                Add("idmp p j", 2),
                {"XLEN s", Int(3)},
                {"XRANGE s (" + Id(0) + " " + Id(1), Array({Entry(Id(1))})}}),
         kLarderOnly},
        {"ProducersDoNotShareNames",
         Given({Add("IDMP p i", 1), Add("IDMP q i", 2), Add("IDMP p i", 1), Add("IDMP q i", 2)}),
         kLarderOnly},
        {"ContentIsTheNameInAnyOrder",
         Given({{"XADD s IDMPAUTO p * a 1 b 2", Bulk(Id(1))},
                {"XADD s IDMPAUTO p * b 2 a 1", Bulk(Id(1))},
                {"XADD s IDMPAUTO p * a 2 b 1", Bulk(Id(2))},
                {"XADD s IDMPAUTO q * a 1 b 2", Bulk(Id(3))},
                {"XADD s IDMPAUTO p * a 1 b 2", Bulk(Id(1))},
                {"XADD s IDMPAUTO p * a ''", Bulk(Id(4))},
                {"XADD s IDMPAUTO p * a ''", Bulk(Id(4))},
                {"XLEN s", Int(5)}}),
         kLarderOnly},
        {"ANameMayBeAnything",
         Given({Add("IDMP p *", 1), Add("IDMP p IDMP", 2), Add("IDMP p MAXLEN", 3),
                Add("IDMP IDMPAUTO 1-1", 4), Add("IDMP p \"\\x00\\xff\"", 5), Add("IDMP p *", 1),
                Add("IDMP p IDMP", 2), Add("IDMP p \"\\x00\\xff\"", 5)}),
         kLarderOnly},
        {"OptionsComeInAnyOrder",
         Given({Add("IDMP p i MAXLEN ~ 100", 1),
                Add("MAXLEN 100 IDMP p j", 2),
                Add("NOMKSTREAM IDMPAUTO p KEEPREF", 3),
                Add("IDMP p i MAXLEN ~ 100 LIMIT 5", 1),
                {"XLEN s", Int(4)}}),
         kLarderOnly},
        {"ADuplicateTrimsNothing",
         Given({Add("IDMP p i", 1), Add("IDMP p i MAXLEN 1", 1), {"XLEN s", Int(2)}}), kLarderOnly},
        {"WhatWasDeletedIsNotAddedAgain",
         Given({Add("IDMP p i", 1),
                Add("IDMP p j", 2),
                {"XDEL s " + Id(2), Int(1)},
                Add("IDMP p j", 2),
                {"XTRIM s MAXLEN 0", Int(2)},
                Add("IDMP p i", 1),
                {"XLEN s", Int(0)}}),
         kLarderOnly},
        {"AMissingStreamIsMadeOrNot",
         {{"XADD s NOMKSTREAM IDMP p i * a b", kNil},
          {"EXISTS s", Int(0)},
          {"XADD s IDMP p i * a b", Like("<bulk>")},
          {"XLEN s", Int(1)}},
         kLarderOnly},
        {"WhatIsTooOldIsForgotten",
         {{"XADD s 1-1 a b", Bulk("1-1")},
          {"XIDMPRECORD s p i 1-1", kOk},
          {"XADD s IDMP p i * a b", Like("<bulk>")},
          {"XLEN s", Int(2)},
          {"XADD s IDMP p i * a b", Like("<bulk>")},
          {"XLEN s", Int(2)}},
         kLarderOnly},
        {"TheOldestOfTooManyIsForgotten",
         Given({{"XCFGSET s IDMP-MAXSIZE 2", kOk},
                Add("IDMP p 1", 1),
                Add("IDMP q 1", 2),
                Add("IDMP p 2", 3),
                Add("IDMP p 3", 4),
                Add("IDMP p 2", 3),
                Add("IDMP p 3", 4),
                Add("IDMP q 1", 2),
                Add("IDMP p 1", 5),
                Add("IDMP p 2", 6)}),
         kLarderOnly},
        {"WithinATransaction",
         Given({{"MULTI", kOk},
                {"XADD s IDMP p i * a b", kQueued},
                {"XADD s IDMP p j * a b", kQueued},
                {"XADD s IDMP p i * a b", kQueued},
                {"EXEC", Array({Bulk(Id(1)), Bulk(Id(2)), Bulk(Id(1))})}}),
         kLarderOnly},
        {"ADuplicateChangesTheKeyButIsNoEvent",
         Given({Add("IDMP p i", 1),
                {"CONFIG SET notify-keyspace-events KEA", kOk},
                On(1, {"SUBSCRIBE __keyspace@0__:s", Anything()}),
                {"WATCH s", kOk},
                Add("IDMP p i", 1),
                {"MULTI", kOk},
                {"PING", kQueued},
                {"EXEC", "*-1\r\n"},
                {"XADD s * a b", Bulk(Id(2))},
                Receive(1, Array({Bulk("message"), Bulk("__keyspace@0__:s"), Bulk("xadd")}),
                        Array({Bulk("message"), Bulk("__keyspace@0__:s"), Bulk("xadd")}, '>')),
                {"CONFIG SET notify-keyspace-events ''", kOk}}),
         kLarderOnly},
        {"ADuplicateServesNobody",
         Given({Add("IDMP p i", 1), Waits(1, "XREAD BLOCK 0 STREAMS s " + Id(1)),
                On(1, {"PING", Nothing()}), Add("IDMP p i", 1), Add("IDMP p j", 2),
                Receive(1, Array({Array({Bulk("s"), Array({Entry(Id(2))})})}),
                        Map({Bulk("s"), Array({Entry(Id(2))})})),
                Receive(1, "+PONG\r\n")}),
         kLarderOnly},
        {"ACopyKnowsWhatTheStreamKnew",
         Given({Add("IDMP p i", 1),
                {"COPY s t", Int(1)},
                {"XADD t IDMP p i * a b", Bulk(Id(1))},
                {"XADD t IDMP p j * a b", Bulk(Id(2))},
                Add("IDMP p k", 2),
                {"RENAME t s", kOk},
                Add("IDMP p j", 2),
                {"DEL s", Int(1)},
                Begin(),
                Add("IDMP p j", 1)}),
         kLarderOnly},
        {"Errors",
         Given({{"XADD s IDMP p * a b", kInvalidId},
                {"XADD s IDMP p i 1-1 a b", kNeedsNewId},
                {"XADD s IDMP p i 1-* a b", kNeedsNewId},
                {"XADD s IDMPAUTO p 1-1 a b", kNeedsNewId},
                {"XADD s IDMP p i IDMP q i * a b", kTwice},
                {"XADD s IDMPAUTO p IDMP q i * a b", kTwice},
                {"XADD s IDMP p i IDMPAUTO q * a b", kTwice},
                {"XADD s IDMPAUTO p IDMPAUTO q * a b", kTwice},
                {"XADD s IDMP '' i * a b", "-ERR IDMP requires a non-empty producer ID\r\n"},
                {"XADD s IDMP p '' * a b", "-ERR IDMP requires a non-empty idempotent ID\r\n"},
                {"XADD s IDMPAUTO '' * a b", "-ERR IDMPAUTO requires a non-empty producer ID\r\n"},
                {"XADD s IDMP p i *", WrongArity("xadd")},
                {"XADD s IDMP p i * a", WrongArity("xadd")},
                {"XADD s IDMP p i", WrongArity("xadd")},
                {"XADD s IDMP p", WrongArity("xadd")},
                {"XTRIM s IDMP p i", kSyntaxError},
                {"SET str v", kOk},
                {"XADD str IDMP p i * a b", kWrongType},
                {"XLEN s", Int(1)}}),
         kLarderOnly},
    }),
    WireCaseName);

INSTANTIATE_TEST_SUITE_P(
    XCfgSet, StreamIdempotenceWireTest,
    testing::ValuesIn(std::vector<WireCase>{
        {"SetsWhatIsGiven",
         Given({{"XCFGSET s IDMP-DURATION 3", kOk},
                InfoStep(1, {3, 100, 0, 0, 0, 0}),
                {"XCFGSET s idmp-maxsize 10000", kOk},
                InfoStep(1, {3, 10000, 0, 0, 0, 0}),
                {"XCFGSET s IDMP-MAXSIZE 1 IDMP-DURATION 86400", kOk},
                InfoStep(1, {86400, 1, 0, 0, 0, 0})}),
         kLarderOnly},
        {"AnotherLimitForgetsAndTheSameDoesNot",
         Given({Add("IDMP p i", 1),
                {"XCFGSET s IDMP-DURATION 100 IDMP-MAXSIZE 100", kOk},
                Add("IDMP p i", 1),
                InfoStep(2, {100, 100, 1, 1, 1, 1}),
                {"XCFGSET s IDMP-DURATION 99", kOk},
                InfoStep(2, {99, 100, 0, 0, 1, 1}),
                Add("IDMP p i", 2),
                InfoStep(3, {99, 100, 1, 1, 2, 1})}),
         kLarderOnly},
        {"Errors",
         Given({{"XCFGSET", WrongArity("xcfgset")},
                {"XCFGSET s", "-ERR At least one parameter must be specified\r\n"},
                {"XCFGSET s FOO", kSyntaxError},
                {"XCFGSET s IDMP-DURATION", kSyntaxError},
                {"XCFGSET s IDMP-MAXSIZE", kSyntaxError},
                {"XCFGSET s IDMP-DURATION 5 FOO", kSyntaxError},
                {"XCFGSET s IDMP-DURATION x", kNotAnInteger},
                {"XCFGSET s IDMP-DURATION x IDMP-MAXSIZE", kNotAnInteger},
                {"XCFGSET s IDMP-MAXSIZE 3.14", kNotAnInteger},
                {"XCFGSET s IDMP-DURATION 0", kBadDuration},
                {"XCFGSET s IDMP-DURATION -1", kBadDuration},
                {"XCFGSET s IDMP-DURATION 86401", kBadDuration},
                {"XCFGSET s IDMP-MAXSIZE 0", kBadMaxSize},
                {"XCFGSET s IDMP-DURATION 5 IDMP-MAXSIZE 10001", kBadMaxSize},
                {"XCFGSET none IDMP-DURATION 5", kNoSuchKey},
                {"EXISTS none", Int(0)},
                {"SET str v", kOk},
                {"XCFGSET str IDMP-DURATION 5", kWrongType},
                {"XCFGSET s IDMP-DURATION 1", kOk}}),
         kLarderOnly},
    }),
    WireCaseName);

INSTANTIATE_TEST_SUITE_P(
    XIdmpRecord, StreamIdempotenceWireTest,
    testing::ValuesIn(std::vector<WireCase>{
        {"NamesAnEntry",
         Given({{"XADD s * a b", Bulk(Id(1))},
                {"XIDMPRECORD s p i " + Id(0), kOk},
                {"XIDMPRECORD s p i " + Id(0), kOk},
                {"XIDMPRECORD s p j " + Id(0), kOk},
                {"XIDMPRECORD s q i " + Id(1), kOk},
                Add("IDMP p i", 0),
                Add("IDMP p j", 0),
                Add("IDMP q i", 1),
                Add("IDMP q j", 2)}),
         kLarderOnly},
        {"Errors",
         Given({{"XADD s * a b", Bulk(Id(1))},
                {"XIDMPRECORD s p i " + Id(0), kOk},
                {"XIDMPRECORD s p i " + Id(1),
                 "-ERR The specified IDMP producer-id/idempotent-id pair maps to a different "
                 "stream ID\r\n"},
                {"XIDMPRECORD s p j 5-5",
                 "-ERR The specified stream ID was deleted or doesn't exist\r\n"},
                {"XDEL s " + Id(1), Int(1)},
                {"XIDMPRECORD s p j " + Id(1),
                 "-ERR The specified stream ID was deleted or doesn't exist\r\n"},
                {"XIDMPRECORD s p j x", kInvalidId},
                {"XIDMPRECORD s '' j " + Id(0),
                 "-ERR XIDMPRECORD requires a non-empty producer ID\r\n"},
                {"XIDMPRECORD s p '' " + Id(0),
                 "-ERR XIDMPRECORD requires a non-empty idempotent ID\r\n"},
                {"XIDMPRECORD none p i 1-1", kNoSuchKey},
                {"SET str v", kOk},
                {"XIDMPRECORD str p i 1-1", kWrongType},
                {"XIDMPRECORD s p i", WrongArity("xidmprecord")}}),
         kLarderOnly},
    }),
    WireCaseName);

INSTANTIATE_TEST_SUITE_P(
    Told, StreamIdempotenceWireTest,
    testing::ValuesIn(std::vector<WireCase>{
        {"XInfoCounts",
         Given({Add("IDMP p i", 1), Add("IDMP p j", 2), Add("IDMP q i", 3), Add("IDMP p i", 1),
                InfoStep(4, {100, 100, 2, 3, 3, 1}), FullInfoStep(4, {100, 100, 2, 3, 3, 1})}),
         kLarderOnly},
        {"XInfoDoesNotCountWhatIsTooOld",
         {{"XADD s 1-1 a b", Bulk("1-1")},
          {"XIDMPRECORD s p i 1-1", kOk},
          {"XADD s " + Id(0) + " a b", Bulk(Id(0))},
          {"XIDMPRECORD s q i " + Id(0), kOk},
          {"XDEL s 1-1", Int(1)},
          {"XINFO STREAM s",
           Like("*32\r\n<bulk>:1\r\n<bulk>:1\r\n<bulk>:2\r\n<bulk><bulk><bulk><bulk><bulk>:2\r\n"
                "<bulk><bulk><bulk>:100\r\n<bulk>:100\r\n<bulk>:1\r\n<bulk>:1\r\n<bulk>:2\r\n"
                "<bulk>:0\r\n<bulk>:0\r\n<bulk>" +
                Entry(Id(0)) + "<bulk>" + Entry(Id(0)))}},
         kLarderOnly},
        {"MemoryUsageCountsIt",
         Given({{"MEMORY USAGE s", IntegerBetween(150, 300)},
                Add("IDMP p " + std::string(1000, 'x'), 1),
                {"MEMORY USAGE s", IntegerBetween(1500, 2500)},
                {"XCFGSET s IDMP-MAXSIZE 5", kOk},
                {"MEMORY USAGE s", IntegerBetween(150, 700)}}),
         kLarderOnly},
    }),
    WireCaseName);

}  // namespace
}  // namespace larder
