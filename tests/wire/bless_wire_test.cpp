// BLESS as Redis 8.12 has it: the reference server here is older, so these rows are Larder's alone.
#include <set>
#include <string>

#include "tests/support/background.h"
#include "tests/support/wire_case.h"

namespace larder {
namespace {

class BlessWireTest : public WireTest {};

TEST_P(BlessWireTest, KeepsAKeysProtection) { Run(); }

constexpr char kNoSuchKey[] = "-ERR no such key\r\n";
constexpr char kSyntax[] = "-ERR syntax error\r\n";
constexpr char kBlessed[] = "*1\r\n$8\r\nNO-EVICT\r\n";
constexpr char kNotBlessed[] = "*0\r\n";

LARDER_INSTANTIATE_CASES(
    Bless, BlessWireTest,
    {
        {"SetGetClear",
         {{"SET k v", "+OK\r\n"},
          {"BLESS GET k", kNotBlessed},
          {"BLESS SET k NO-EVICT", ":1\r\n"},
          {"BLESS SET k no-evict", ":0\r\n"},
          {"BLESS GET k", kBlessed},
          {"BLESS CLEAR k NO-EVICT", ":1\r\n"},
          {"BLESS CLEAR k NO-EVICT", ":0\r\n"},
          {"BLESS GET k", kNotBlessed}},
         kLarderOnly},
        {"MissingKey",
         {{"BLESS SET none NO-EVICT", kNoSuchKey},
          {"BLESS CLEAR none NO-EVICT", kNoSuchKey},
          {"BLESS GET none", kNoSuchKey}},
         kLarderOnly},
        {"Errors",
         {{"BLESS", "-ERR wrong number of arguments for 'bless' command\r\n"},
          {"BLESS SET k", "-ERR wrong number of arguments for 'bless|set' command\r\n"},
          {"BLESS SET k NO-EVICT NO-EVICT",
           "-ERR wrong number of arguments for 'bless|set' command\r\n"},
          {"BLESS SET k NONE", kSyntax},
          {"BLESS CLEAR k bogus", kSyntax},
          {"BLESS SCAN x NO-EVICT", "-ERR invalid cursor\r\n"},
          {"BLESS SCAN 0 bogus", kSyntax},
          {"BLESS SCAN 0 NO-EVICT COUNT", kSyntax},
          {"BLESS SCAN 0 NO-EVICT COUNT 0", kSyntax},
          {"BLESS SCAN 0 NO-EVICT COUNT x", "-ERR value is not an integer or out of range\r\n"},
          {"BLESS LIST", "-ERR unknown subcommand 'LIST'. Try BLESS HELP.\r\n"}},
         kLarderOnly},
        {"StaysWhateverTheKeyIsSetTo",
         {{"HSET k f v", ":1\r\n"},
          {"BLESS SET k NO-EVICT", ":1\r\n"},
          {"SET k v", "+OK\r\n"},
          {"BLESS GET k", kBlessed},
          {"SADD s a", ":1\r\n"},
          {"SUNIONSTORE k s", ":1\r\n"},
          {"BLESS GET k", kBlessed},
          {"DEL k", ":1\r\n"},
          {"SET k v", "+OK\r\n"},
          {"BLESS GET k", kNotBlessed}},
         kLarderOnly},
        {"FollowsRenameAndMove",
         {{"MSET a 1 b 2", "+OK\r\n"},
          {"BLESS SET a NO-EVICT", ":1\r\n"},
          {"RENAME a b", "+OK\r\n"},
          {"BLESS GET b", kBlessed},
          {"SET a 1", "+OK\r\n"},
          {"BLESS GET a", kNotBlessed},
          {"RENAME a b", "+OK\r\n"},
          {"BLESS GET b", kNotBlessed},
          {"BLESS SET b NO-EVICT", ":1\r\n"},
          {"MOVE b 1", ":1\r\n"},
          {"BLESS SCAN 0 NO-EVICT", "*2\r\n$1\r\n0\r\n*0\r\n"},
          {"SELECT 1", "+OK\r\n"},
          {"BLESS GET b", kBlessed}},
         kLarderOnly},
        {"CopiesAreBlessedToo",
         {{"MSET {t}a 1 {t}b 2", "+OK\r\n"},
          {"BLESS SET {t}a NO-EVICT", ":1\r\n"},
          {"COPY {t}a {t}c", ":1\r\n"},
          {"BLESS GET {t}c", kBlessed},
          {"COPY {t}b {t}a REPLACE", ":1\r\n"},
          {"BLESS GET {t}a", kNotBlessed}},
         kLarderOnly},
        {"DebugReloadKeepsIt",
         {{"SET k 1", "+OK\r\n"},
          {"BLESS SET k NO-EVICT", ":1\r\n"},
          {"DEBUG RELOAD", "+OK\r\n"},
          {"BLESS GET k", kBlessed}},
         kLarderOnly},
        {"GoesWithItsDatabase",
         {{"SET k 1", "+OK\r\n"},
          {"BLESS SET k NO-EVICT", ":1\r\n"},
          {"SWAPDB 0 1", "+OK\r\n"},
          {"BLESS SCAN 0 NO-EVICT", "*2\r\n$1\r\n0\r\n*0\r\n"},
          {"SELECT 1", "+OK\r\n"},
          {"BLESS GET k", kBlessed},
          {"FLUSHDB", "+OK\r\n"},
          {"SET k 1", "+OK\r\n"},
          {"BLESS GET k", kNotBlessed}},
         kLarderOnly},
        {"AnEndedTimeToLiveEndsItToo",
         {{"SET k 1", "+OK\r\n"},
          {"BLESS SET k NO-EVICT", ":1\r\n"},
          {"PEXPIRE k 1", ":1\r\n"},
          {"DEBUG SLEEP 0.01", "+OK\r\n"},
          {"BLESS GET k", kNoSuchKey},
          {"BLESS SCAN 0 NO-EVICT", "*2\r\n$1\r\n0\r\n*0\r\n"}},
         kLarderOnly},
        {"NoMoreThanMayBe",
         {{"MSET a 1 b 2", "+OK\r\n"},
          {"CONFIG SET bless-max-keys 1", "+OK\r\n"},
          {"BLESS SET a NO-EVICT", ":1\r\n"},
          {"BLESS SET b NO-EVICT", "-ERR too many blessed keys, see 'bless-max-keys'\r\n"},
          {"BLESS SET a NO-EVICT", ":0\r\n"},
          {"BLESS CLEAR a NO-EVICT", ":1\r\n"},
          {"BLESS SET b NO-EVICT", ":1\r\n"},
          {"CONFIG SET bless-max-keys 10000", "+OK\r\n"}},
         kLarderOnly},
        {"IsAChangeOfTheKey",
         {{"SET k 1", "+OK\r\n"},
          {"WATCH k", "+OK\r\n"},
          {"BLESS SET k NO-EVICT", ":1\r\n"},
          {"MULTI", "+OK\r\n"},
          {"EXEC", "*-1\r\n", "_\r\n"}},
         kLarderOnly},
        {"InsideMulti",
         {{"MULTI", "+OK\r\n"},
          {"SET k 1", "+QUEUED\r\n"},
          {"BLESS SET k NO-EVICT", "+QUEUED\r\n"},
          {"BLESS SCAN 0 NO-EVICT", "+QUEUED\r\n"},
          {"EXEC", "*3\r\n+OK\r\n:1\r\n*2\r\n$1\r\n0\r\n*1\r\n$1\r\nk\r\n"}},
         kLarderOnly},
    });

TEST_F(BlessWireTest, RestoreKeepsTheProtectionOfTheKeyAndBringsNone) {
  RespClient client(Larder().port());
  client.Call({"FLUSHALL"});
  client.Call({"SET", "k", "v"});
  client.Call({"BLESS", "SET", "k", "NO-EVICT"});
  const std::string dump = client.Call({"DUMP", "k"}).text;
  EXPECT_EQ(client.Raw({"RESTORE", "k", "0", dump, "REPLACE"}), "+OK\r\n");
  EXPECT_EQ(client.Raw({"BLESS", "GET", "k"}), kBlessed);
  EXPECT_EQ(client.Raw({"RESTORE", "other", "0", dump}), "+OK\r\n");
  EXPECT_EQ(client.Raw({"BLESS", "GET", "other"}), kNotBlessed);
}

TEST_F(BlessWireTest, ScanListsEachKeyOnce) {
  RespClient client(Larder().port());
  client.Call({"FLUSHALL"});
  std::set<std::string> expected;
  for (int i = 0; i < 100; ++i) {
    const std::string key = "key" + std::to_string(i);
    client.Call({"SET", key, "v"});
    if (i % 2 == 0) continue;
    client.Call({"BLESS", "SET", key, "NO-EVICT"});
    expected.insert(key);
  }
  std::multiset<std::string> found;
  std::string cursor = "0";
  do {
    const RespValue reply = client.Call({"BLESS", "SCAN", cursor, "NO-EVICT", "COUNT", "7"});
    cursor = reply.elements[0].text;
    for (const RespValue& key : reply.elements[1].elements) found.insert(key.text);
  } while (cursor != "0");
  EXPECT_EQ(found, std::multiset<std::string>(expected.begin(), expected.end()));
}

class BlessEvictionTest : public testing::TestWithParam<std::string> {};

TEST_P(BlessEvictionTest, BlessedKeysStayAndWritesAreRefusedWhenNothingElseIsLeft) {
  ServerProcess server = ServerProcess::StartLarder({"--maxmemory-policy", GetParam()});
  RespClient client(server.port());
  for (int i = 0; i < 50; ++i) {
    client.Call({"SET", "blessed" + std::to_string(i), "v"});
    client.Call({"BLESS", "SET", "blessed" + std::to_string(i), "NO-EVICT"});
    client.Call({"SET", "plain" + std::to_string(i), "v"});
  }
  client.Call({"CONFIG", "SET", "maxmemory", "1"});
  EXPECT_TRUE(Eventually([&] { return client.Call({"DBSIZE"}).integer <= 50; }));
  EXPECT_EQ(client.Raw({"BLESS", "SET", "blessed0", "NO-EVICT"}).substr(0, 4), "-OOM");
  EXPECT_EQ(client.Raw({"SET", "more", "v"}).substr(0, 4), "-OOM");
  EXPECT_EQ(client.Call({"DBSIZE"}).integer, 50);
  // Whoever takes protection away makes room, at once.
  EXPECT_EQ(client.Raw({"BLESS", "CLEAR", "blessed0", "NO-EVICT"}), ":1\r\n");
  EXPECT_EQ(client.Raw({"GET", "blessed0"}), "$-1\r\n");
  EXPECT_EQ(client.Call({"DBSIZE"}).integer, 49);
}

INSTANTIATE_TEST_SUITE_P(Policies, BlessEvictionTest,
                         testing::Values("allkeys-lru", "allkeys-random", "allkeys-fifo",
                                         "allkeys-s3fifo", "allkeys-adaptive"),
                         [](const auto& policy) {
                           return policy.param.substr(policy.param.find('-') + 1);
                         });

TEST(BlessEventTest, BothAreAnnounced) {
  ServerProcess server = ServerProcess::StartLarder({"--notify-keyspace-events", "Eg"});
  RespClient listener(server.port());
  listener.Call({"PSUBSCRIBE", "__keyevent@0__:*"});
  RespClient client(server.port());
  client.Call({"SET", "k", "v"});
  client.Call({"BLESS", "SET", "k", "NO-EVICT"});
  client.Call({"BLESS", "SET", "k", "NO-EVICT"});
  client.Call({"BLESS", "CLEAR", "k", "NO-EVICT"});
  for (const char* event : {"bless", "unbless"}) {
    EXPECT_EQ(listener.ReadReply(),
              Array({Bulk("pmessage"), Bulk("__keyevent@0__:*"),
                     Bulk(std::string("__keyevent@0__:") + event), Bulk("k")}));
  }
}

}  // namespace
}  // namespace larder
