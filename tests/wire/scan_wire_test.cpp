// SCAN, KEYS and RANDOMKEY as clients see them.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/support/wire_case.h"

namespace larder {
namespace {

constexpr char kNotAnInteger[] = "-ERR value is not an integer or out of range\r\n";
constexpr char kInvalidCursor[] = "-ERR invalid cursor\r\n";
constexpr char kSyntax[] = "-ERR syntax error\r\n";

std::string WholeScan(const std::vector<std::string>& keys) {
  std::vector<std::string> bulks;
  for (const std::string& key : keys) bulks.push_back(Bulk(key));
  return "*2\r\n" + Bulk("0") + Array(bulks);
}

class ScanWireTest : public WireTest {};

TEST_P(ScanWireTest, AnswersLikeRedis) { Run(); }

LARDER_INSTANTIATE_CASES(
    Scan, ScanWireTest,
    {
        {"Arity", {{"SCAN", "-ERR wrong number of arguments for 'scan' command\r\n"}}},
        {"EmptyDatabase", {{"SCAN 0", WholeScan({})}}},
        {"Cursors",
         {{"SCAN foo", kInvalidCursor},
          {"SCAN ' 0'", kInvalidCursor},
          {"SCAN 0x", kInvalidCursor},
          {"SCAN -", kInvalidCursor},
          {"SCAN 18446744073709551616", kInvalidCursor},
          {"SCAN foo FOO", kInvalidCursor},
          {"SCAN ''", WholeScan({})},
          {"SCAN +0", WholeScan({})},
          {{"SCAN", {"0\0x", 3}}, WholeScan({})},
          {{"SCAN", {"\0x", 2}}, WholeScan({})},
          {"SCAN 00", WholeScan({})}}},
        {"OutlandishCursorsAreHarmless",
         {{"SCAN -1", Anything()},
          {"SCAN 18446744073709551615", Anything()},
          {"MSET a 1 b 2", "+OK\r\n"},
          {"SCAN -1", Anything()},
          {"SCAN 18446744073709551615", Anything()},
          {"SCAN 9223372036854775808", Anything()}}},
        {"Options",
         {{"SCAN 0 COUNT 0", kSyntax},
          {"SCAN 0 COUNT -1", kSyntax},
          {"SCAN 0 COUNT foo", kNotAnInteger},
          {"SCAN 0 COUNT", kSyntax},
          {"SCAN 0 MATCH", kSyntax},
          {"SCAN 0 TYPE", kSyntax},
          {"SCAN 0 FOO", kSyntax},
          {"SCAN 0 FOO bar", kSyntax},
          {"SCAN 0 COUNT foo FOO bar", kNotAnInteger},
          {"SCAN 0 FOO bar COUNT foo", kSyntax},
          {"SCAN 0 COUNT 9223372036854775807", WholeScan({})}}},
        {"OneKey", {{"SET a 1", "+OK\r\n"}, {"SCAN 0 COUNT 1000", WholeScan({"a"})}}},
        {"AFewKeysComeAtOnce",
         {{"MSET a 1 b 2 c 3 d 4 e 5", "+OK\r\n"},
          {"SCAN 0", Like("*2\r\n$1\r\n0\r\n*5\r\n<bulk><bulk><bulk><bulk><bulk>")}}},
        {"OtherDatabasesAreNotSeen",
         {{"SET a 1", "+OK\r\n"}, {"SELECT 1", "+OK\r\n"}, {"SCAN 0", WholeScan({})}}},
        {"Match",
         {{"MSET ab 1 ac 2 b 3", "+OK\r\n"},
          {"SCAN 0 MATCH b COUNT 100", WholeScan({"b"})},
          {"SCAN 0 match a[b] COUNT 100", WholeScan({"ab"})},
          {"SCAN 0 MATCH ac MATCH b COUNT 100", WholeScan({"b"})},
          {"SCAN 0 MATCH z* COUNT 100", WholeScan({})}}},
        {"Type",
         {{"SET a 1", "+OK\r\n"},
          {"SCAN 0 TYPE string", WholeScan({"a"})},
          {"SCAN 0 TYPE STRING", WholeScan({"a"})},
          {"SCAN 0 TYPE hash", WholeScan({})},
          {"SCAN 0 TYPE nothing", WholeScan({})}}},
        {"ExpiredKeysAreNotSeen",
         {{"DEBUG SET-ACTIVE-EXPIRE 0", "+OK\r\n"},
          {"SET a 1 PX 1", "+OK\r\n"},
          {"SET b 1", "+OK\r\n"},
          After(std::chrono::milliseconds(20), {"SCAN 0", WholeScan({"b"})}),
          {"KEYS *", Array({Bulk("b")})},
          {"DEBUG SET-ACTIVE-EXPIRE 1", "+OK\r\n"}}},
    });

LARDER_INSTANTIATE_CASES(
    Keys, ScanWireTest,
    {
        {"Arity", {{"KEYS", "-ERR wrong number of arguments for 'keys' command\r\n"}}},
        {"EmptyDatabase", {{"KEYS *", "*0\r\n"}}},
        {"All",
         {{"MSET a 1 b 2 c 3", "+OK\r\n"},
          {"KEYS *", AnyOrder({Bulk("a"), Bulk("b"), Bulk("c")})}}},
        {"Patterns",
         {{"MSET one 1 two 2 three 3 four 4", "+OK\r\n"},
          {"KEYS *o*", AnyOrder({Bulk("one"), Bulk("two"), Bulk("four")})},
          {"KEYS t??", Array({Bulk("two")})},
          {"KEYS [^t]*", AnyOrder({Bulk("one"), Bulk("four")})},
          {"KEYS one", Array({Bulk("one")})},
          {"KEYS on", "*0\r\n"},
          {"KEYS ''", "*0\r\n"}}},
        {"TheEmptyNameMatchesNoPatternButOneStar",
         {{"SET '' 1", "+OK\r\n"},
          {"KEYS *", Array({Bulk("")})},
          {"KEYS ''", Array({Bulk("")})},
          {"KEYS **", "*0\r\n"}}},
        {"EscapedWildcards",
         {{"MSET a* 1 ab 2", "+OK\r\n"}, {{"KEYS", "a\\*"}, Array({Bulk("a*")})}}},
    });

LARDER_INSTANTIATE_CASES(
    RandomKey, ScanWireTest,
    {
        {"Arity", {{"RANDOMKEY x", "-ERR wrong number of arguments for 'randomkey' command\r\n"}}},
        {"EmptyDatabase", {{"RANDOMKEY", "$-1\r\n", "_\r\n"}}},
        {"OneKey", {{"SET a 1", "+OK\r\n"}, {"RANDOMKEY", Bulk("a")}}},
        {"NeverAnExpiredOne",
         {{"DEBUG SET-ACTIVE-EXPIRE 0", "+OK\r\n"},
          {"MSET a 1 b 2", "+OK\r\n"},
          {"PEXPIRE a 1", ":1\r\n"},
          After(std::chrono::milliseconds(20), {"RANDOMKEY", Bulk("b")}),
          {"PEXPIRE b 1", ":1\r\n"},
          After(std::chrono::milliseconds(20), {"RANDOMKEY", "$-1\r\n"}),
          {"DEBUG SET-ACTIVE-EXPIRE 1", "+OK\r\n"}}},
    });

// What a single reply cannot show.
class WholeKeyspaceTest : public testing::Test {
 protected:
  WholeKeyspaceTest() : server_(ServerProcess::StartLarder()), client_(server_.port()) {}

  void SetKeys(int from, int to, const std::string& prefix = "key") {
    std::string batch;
    for (int i = from; i < to; ++i) {
      batch += EncodeRequest({"SET", prefix + std::to_string(i), "value"});
    }
    client_.SendBytes(batch);
    for (int i = from; i < to; ++i) ASSERT_EQ(client_.ReadReply(), "+OK\r\n");
  }

  struct Iteration {
    std::map<std::string, int> seen;
    int calls = 0;
  };
  // A whole SCAN; `between` runs after each call.
  Iteration ScanAll(
      const std::vector<std::string>& options,
      const std::function<void(int)>& between = [](int) {}) {
    Iteration iteration;
    std::string cursor = "0";
    do {
      std::vector<std::string> args = {"SCAN", cursor};
      args.insert(args.end(), options.begin(), options.end());
      const RespValue reply = client_.Call(args);
      cursor = reply.elements.at(0).text;
      for (const RespValue& key : reply.elements.at(1).elements) ++iteration.seen[key.text];
      between(++iteration.calls);
    } while (cursor != "0");
    return iteration;
  }

  ServerProcess server_;
  RespClient client_;
};

TEST_F(WholeKeyspaceTest, ScanSeesEveryKeyOnceInAQuietDatabase) {
  SetKeys(0, 20'000);
  for (const char* count : {"10", "100", "5000"}) {
    const Iteration iteration = ScanAll({"COUNT", count});
    EXPECT_EQ(iteration.seen.size(), 20'000u);
    for (const auto& [key, times] : iteration.seen) EXPECT_EQ(times, 1) << key;
    // Not a round trip more than COUNT asks for, however the keys are spread.
    EXPECT_LE(iteration.calls, 20'000 / std::stoi(count) + 1);
  }
}

TEST_F(WholeKeyspaceTest, ScanOfASparseDatabaseTakesOneCall) {
  SetKeys(0, 3);
  EXPECT_EQ(ScanAll({}).calls, 1);
}

TEST_F(WholeKeyspaceTest, ScanSeesWhatStaysThroughGrowthAndShrinking) {
  SetKeys(0, 2000, "stays");
  int added = 0;
  const Iteration iteration = ScanAll({"COUNT", "20"}, [&](int call) {
    if (call <= 30) {
      SetKeys(added, added + 500, "comes");
      added += 500;
    } else if (added > 0) {
      std::vector<std::string> unlink = {"UNLINK"};
      for (int i = std::max(0, added - 500); i < added; ++i) {
        unlink.push_back("comes" + std::to_string(i));
      }
      client_.Raw(unlink);
      added = std::max(0, added - 500);
    }
  });
  int stayed = 0;
  for (const auto& [key, times] : iteration.seen) stayed += key.starts_with("stays") ? 1 : 0;
  EXPECT_EQ(stayed, 2000);
}

TEST_F(WholeKeyspaceTest, KeysSeesEachKeyOnce) {
  SetKeys(0, 20'000);
  std::set<std::string> seen;
  const RespValue reply = client_.Call({"KEYS", "key*"});
  for (const RespValue& key : reply.elements) seen.insert(key.text);
  EXPECT_EQ(reply.elements.size(), 20'000u);
  EXPECT_EQ(seen.size(), 20'000u);
}

TEST_F(WholeKeyspaceTest, RandomKeyIsFairAlsoWhenShardsAreNot) {
  // Fifty keys with one hash tag share a shard; fifty more are spread.
  SetKeys(0, 50, "{tag}");
  SetKeys(0, 50, "spread");
  constexpr int kDraws = 20'000;
  std::string batch;
  for (int i = 0; i < kDraws; ++i) batch += EncodeRequest({"RANDOMKEY"});
  client_.SendBytes(batch);
  std::map<std::string, int> drawn;
  for (int i = 0; i < kDraws; ++i) ++drawn[client_.ReadValue().text];
  ASSERT_EQ(drawn.size(), 100u);
  // 200 each expected with a standard deviation of 14: six of them on either side.
  for (const auto& [key, times] : drawn) EXPECT_NEAR(times, 200, 85) << key;
}

}  // namespace
}  // namespace larder
