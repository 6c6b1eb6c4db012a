// DUMP and RESTORE, and that what they carry moves between Larder and Redis in both directions.
#include <set>
#include <string>
#include <vector>

#include "storage/crc64.h"
#include "tests/support/serialized_bytes.h"
#include "tests/support/wire_case.h"

namespace larder {
namespace {

// Of SET k hello, by redis-server 7.0.15.
const std::string kHello = {"\x00\x05hello\x0a\x00\x63\x72\xdf\x76\x65\x34\x20\x0a", 17};

std::vector<std::string> RestoreOf(std::string key, std::string ttl,
                                   const std::vector<std::string>& options = {}) {
  std::vector<std::string> args = {"RESTORE", std::move(key), std::move(ttl), kHello};
  args.insert(args.end(), options.begin(), options.end());
  return args;
}

class DumpWireTest : public WireTest {};

TEST_P(DumpWireTest, AnswersLikeRedis) { Run(); }

LARDER_INSTANTIATE_CASES(
    Dump, DumpWireTest,
    {
        {"DumpOfMissingKey", {{"DUMP none", kNil, kNilInResp3}}},
        {"DumpOfString", {{"SET k hello", kOk}, {"DUMP k", Bulk(kHello)}}},
        {"CompressionCanBeSwitchedOff",
         {{{"SET", "k", std::string(30, 'a')}, kOk},
          {"DUMP k", Like("<bulk>")},
          {"CONFIG SET rdbcompression no", kOk},
          {"DUMP k", WireReply("not compressed", 1,
                               [](std::string_view bytes) {
                                 return bytes.find(std::string(30, 'a')) != bytes.npos;
                               })},
          {"CONFIG SET rdbcompression yes", kOk}}},
        {"Restore",
         {{RestoreOf("k", "0"), kOk},
          {"GET k", Bulk("hello")},
          {"TTL k", ":-1\r\n"},
          {RestoreOf("k", "0"), "-BUSYKEY Target key name already exists.\r\n"},
          {RestoreOf("k", "100000", {"replace"}), kOk},
          {"PTTL k", IntegerBetween(99000, 100000)}}},
        {"RestoreOfAbsoluteTime",
         {{RestoreOf("k", "4102444800000", {"ABSTTL"}), kOk},
          {"PEXPIRETIME k", ":4102444800000\r\n"},
          {"SET other x", kOk},
          {RestoreOf("other", "1", {"ABSTTL", "REPLACE"}), kOk},
          {"EXISTS other", ":0\r\n"},
          {RestoreOf("never", "9223372036854775807"), kOk},
          {"EXISTS never", ":0\r\n"}}},
        {"RestoreErrorsInOrder",
         {{"SET k x", kOk},
          {"RESTORE k x y FOO", kSyntaxError},
          {"RESTORE k x y IDLETIME", kSyntaxError},
          {"RESTORE k x y IDLETIME 1 FREQ 1", kSyntaxError},
          {"RESTORE k x y IDLETIME -1", "-ERR Invalid IDLETIME value, must be >= 0\r\n"},
          {"RESTORE k x y FREQ 256", "-ERR Invalid FREQ value, must be >= 0 and <= 255\r\n"},
          {"RESTORE k x y", "-BUSYKEY Target key name already exists.\r\n"},
          {"RESTORE k x y REPLACE", kNotAnInteger},
          {"RESTORE k -1 y REPLACE", "-ERR Invalid TTL value, must be >= 0\r\n"},
          {"RESTORE k 0 y REPLACE", "-ERR DUMP payload version or checksum are wrong\r\n"},
          {"RESTORE k 0 0123456789abcdef REPLACE",
           "-ERR DUMP payload version or checksum are wrong\r\n"},
          {"GET k", Bulk("x")}}},
        {"RestoreWithIdleTime",
         {{RestoreOf("k", "0", {"IDLETIME", "1000"}), kOk},
          {"OBJECT IDLETIME k", IntegerBetween(999, 1001)}}},
        {"RestoreWithFrequency",
         {{"CONFIG SET maxmemory-policy allkeys-lfu", kOk},
          {RestoreOf("k", "0", {"FREQ", "100"}), kOk},
          {"OBJECT FREQ k", ":100\r\n"},
          {"CONFIG SET maxmemory-policy noeviction", kOk}}},
        {"RestoreNotifies",
         {{"CONFIG SET notify-keyspace-events KEA", kOk},
          On(1, {"SUBSCRIBE __keyevent@0__:restore __keyevent@0__:del", Anything()}),
          Receive(1, Anything()),
          {RestoreOf("k", "0"), kOk},
          Receive(1, Array({Bulk("message"), Bulk("__keyevent@0__:restore"), Bulk("k")})),
          {RestoreOf("k", "1", {"ABSTTL", "REPLACE"}), kOk},
          Receive(1, Array({Bulk("message"), Bulk("__keyevent@0__:del"), Bulk("k")})),
          {"CONFIG SET notify-keyspace-events ''", kOk}}},
    });

// ---- Values of all types and encodings.

std::string Repeated(std::string_view text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

using Command = std::vector<std::string>;

void AddStrings(std::vector<Command>& commands) {
  const std::vector<std::string> values = {"",
                                           "hello",
                                           "12",
                                           "-128",
                                           "12345",
                                           "-32769",
                                           "2147483647",
                                           "12345678901",
                                           "007",
                                           "-0",
                                           "9223372036854775807",
                                           std::string(20, 'x'),
                                           std::string(21, 'x'),
                                           std::string(70'000, 'x'),
                                           Repeated("abc\x01\xff", 3000)};
  for (size_t i = 0; i < values.size(); ++i) {
    commands.push_back({"SET", "string" + std::to_string(i), values[i]});
  }
}

// One command that adds `count` elements; `element` says which arguments make one.
template <typename Element>
Command Adding(std::string name, std::string key, int count, Element element) {
  Command command = {std::move(name), std::move(key)};
  for (int i = 0; i < count; ++i) {
    for (std::string& part : element(i)) command.push_back(std::move(part));
  }
  return command;
}

void AddCollections(std::vector<Command>& commands) {
  const auto number = [](int i) { return Command{std::to_string(i)}; };
  const auto text = [](int i) { return Command{Repeated("e" + std::to_string(i), 10)}; };
  const auto field = [](int i) {
    return Command{"field" + std::to_string(i), "value" + std::to_string(i)};
  };
  const auto scored = [](int i) {
    return Command{std::to_string(i * 1.1), "member" + std::to_string(i)};
  };
  commands.push_back({"RPUSH", "list-small", "a", "1", "-500", "100000", "9999999999", ""});
  commands.push_back(Adding("RPUSH", "list-long", 2000, text));
  commands.push_back(Adding("LPUSH", "list-numbers", 3000, number));
  commands.push_back({"RPUSH", "list-large", std::string(9000, 'a'), "b", std::string(9000, 'c')});
  commands.push_back({"SADD", "set-2", "1", "2", "-3"});
  commands.push_back({"SADD", "set-4", "1", "70000"});
  commands.push_back({"SADD", "set-8", "1", "1099511627776"});
  commands.push_back({"SADD", "set-text", "a", "b", "3"});
  commands.push_back(Adding("SADD", "set-numbers", 1000, number));
  commands.push_back(Adding("SADD", "set-long", 1000, text));
  commands.push_back({"ZADD", "zset-small", "1", "a", "2.5", "b", "-1e300", "c", "inf", "5"});
  commands.push_back(Adding("ZADD", "zset-long", 1000, scored));
  commands.push_back({"HSET", "hash-small", "a", "1", "b", "two", "3", std::string(64, 'x')});
  commands.push_back({"HSET", "hash-large-value", "a", std::string(65, 'x')});
  commands.push_back(Adding("HSET", "hash-long", 1000, field));
}

void AddStreams(std::vector<Command>& commands) {
  for (int i = 1; i <= 250; ++i) {
    commands.push_back({"XADD", "stream", std::to_string(1000 + i) + "-1", "f", std::to_string(i),
                        i % 3 == 0 ? "other" : "g", "value"});
  }
  commands.push_back({"XDEL", "stream", "1003-1", "1100-1"});
  commands.push_back({"XGROUP", "CREATE", "stream", "group", "0"});
  commands.push_back({"XGROUP", "CREATE", "stream", "idle", "$"});
  commands.push_back(
      {"XREADGROUP", "GROUP", "group", "alice", "COUNT", "30", "STREAMS", "stream", ">"});
  commands.push_back(
      {"XREADGROUP", "GROUP", "group", "bob", "COUNT", "5", "STREAMS", "stream", ">"});
  commands.push_back({"XACK", "stream", "group", "1005-1"});
  commands.push_back({"XGROUP", "CREATECONSUMER", "stream", "group", "carol"});
  commands.push_back({"XADD", "stream-emptied", "5-5", "a", "b"});
  commands.push_back({"XDEL", "stream-emptied", "5-5"});
  commands.push_back({"XGROUP", "CREATE", "stream-new", "group", "$", "MKSTREAM"});
}

std::vector<std::string> FillWithAllTypes(RespClient& client) {
  std::vector<Command> commands;
  AddStrings(commands);
  AddCollections(commands);
  AddStreams(commands);
  std::set<std::string> keys;
  client.Raw({"FLUSHALL"});
  for (const Command& command : commands) {
    const RespValue reply = client.Call(command);
    EXPECT_FALSE(reply.is_error()) << command[0] << ' ' << command[1] << ": " << reply.text;
    keys.insert(command[0].starts_with("XG") ? command[2] : command[1]);
  }
  keys.erase("GROUP");
  return {keys.begin(), keys.end()};
}

// A hash table's order is each server's own.
bool HasOrder(RespClient& redis, const std::string& key) {
  return redis.Call({"OBJECT", "ENCODING", key}).text != "hashtable";
}

TEST(DumpTest, WhatRedisDumpsComesBackFromLarderByteForByte) {
  RespClient redis(SharedRedis().port());
  RespClient larder(SharedLarder().port());
  larder.Raw({"FLUSHALL"});
  for (const std::string& key : FillWithAllTypes(redis)) {
    const std::string payload = redis.Call({"DUMP", key}).text;
    EXPECT_EQ(larder.Raw({"RESTORE", key, "0", payload}), kOk) << key;
    EXPECT_EQ(larder.Raw({"OBJECT", "ENCODING", key}), redis.Raw({"OBJECT", "ENCODING", key}));
    const std::string returned = larder.Call({"DUMP", key}).text;
    EXPECT_TRUE(returned == payload || !HasOrder(redis, key)) << key;
    EXPECT_EQ(redis.Raw({"RESTORE", "returned", "0", returned, "REPLACE"}), kOk) << key;
    EXPECT_EQ(redis.Raw({"DEBUG", "DIGEST-VALUE", "returned"}),
              redis.Raw({"DEBUG", "DIGEST-VALUE", key}))
        << key;
  }
}

// The same commands make the same bytes: encodings and the places where a list is cut included.
TEST(DumpTest, WhatLarderBuildsIsWhatRedisBuilds) {
  RespClient redis(SharedRedis().port());
  RespClient larder(SharedLarder().port());
  const std::vector<std::string> keys = FillWithAllTypes(redis);
  ASSERT_EQ(FillWithAllTypes(larder), keys);
  for (const std::string& key : keys) {
    const std::string payload = larder.Call({"DUMP", key}).text;
    const bool has_times = key == "stream";  // Of the deliveries.
    if (HasOrder(redis, key) && !has_times) {
      EXPECT_TRUE(payload == redis.Call({"DUMP", key}).text) << key;
    }
    EXPECT_EQ(redis.Raw({"RESTORE", "moved", "0", payload, "REPLACE"}), kOk) << key;
    EXPECT_EQ(redis.Raw({"DEBUG", "DIGEST-VALUE", "moved"}),
              redis.Raw({"DEBUG", "DIGEST-VALUE", key}))
        << key;
    EXPECT_EQ(larder.Raw({"DEBUG", "DIGEST-VALUE", key}), redis.Raw({"DEBUG", "DIGEST-VALUE", key}))
        << key;
    EXPECT_EQ(larder.Raw({"COPY", key, "copied", "REPLACE"}), Int(1));
    EXPECT_EQ(larder.Raw({"DEBUG", "DIGEST-VALUE", "copied"}),
              larder.Raw({"DEBUG", "DIGEST-VALUE", key}))
        << key;
  }
}

// ---- Forms that only older servers wrote.

struct OldForm {
  const char* name;
  std::string payload;
};

std::vector<OldForm> OldForms() {
  const std::vector<std::string> elements = {"a",
                                             "#5",
                                             "#-7",
                                             "#300",
                                             "b",
                                             "#-40000",
                                             "#9000000",
                                             "#-2000000000",
                                             "#12345678901",
                                             std::string(100, 'x'),
                                             "#0",
                                             "#12",
                                             "#13",
                                             std::string(300, 'y'),
                                             "",
                                             "z"};
  const std::vector<std::string> scored = {"a", "#1", "b", "2.5", "#7", "#8"};
  const std::string doubles = SerialString("a") +
                              "\x03"
                              "1.5" +
                              SerialString("b") + "\xfe";
  const std::string text = SerialString(Ziplist(elements));
  return {
      {"list", Payload(1, SerialLength(3) + SerialString("a") + SerialString("") + "\xc0\x05")},
      {"zset", Payload(3, SerialLength(2) + doubles, 1)},
      {"hash_zipmap", Payload(9, SerialString(Zipmap({"a", "1", "b", "two", "", "c"})), 1)},
      {"hash_zipmap_unused", Payload(9, SerialString(Zipmap({"a", "1", "b", "two"}, 3)), 1)},
      {"list_ziplist", Payload(10, text, 6)},
      {"zset_ziplist", Payload(12, SerialString(Ziplist(scored)), 6)},
      {"hash_ziplist", Payload(13, text, 6)},
      {"list_quicklist", Payload(14, SerialLength(2) + text + text, 7)},
      {"list_quicklist_with_empty_node",
       Payload(14, SerialLength(2) + SerialString(Ziplist({})) + text, 7)},
  };
}

TEST(DumpTest, OldFormsAreReadAsRedisReadsThem) {
  RespClient redis(SharedRedis().port());
  RespClient larder(SharedLarder().port());
  for (const OldForm& form : OldForms()) {
    const std::vector<std::string> restore = {"RESTORE", "k", "0", form.payload, "REPLACE"};
    EXPECT_EQ(redis.Raw(restore), kOk) << form.name;
    EXPECT_EQ(larder.Raw(restore), kOk) << form.name;
    EXPECT_TRUE(larder.Call({"DUMP", "k"}).text == redis.Call({"DUMP", "k"}).text) << form.name;
  }
}

TEST(DumpTest, FaultyPayloadsAreRefused) {
  const std::string pair = SerialString("a") + SerialString("b");
  const std::string duplicates = SerialString(Ziplist({"a", "1", "a", "2"}));
  std::string wrong_tail = Ziplist({"a", "b"});
  wrong_tail[4] = 11;
  const std::vector<OldForm> faulty = {
      {"no_type", Payload(99, "")},
      {"module", Payload(6, SerialString("x"))},
      {"nothing", Payload(0, "")},
      {"bad_length", Payload(0, "\x82")},
      {"bad_encoding", Payload(0, "\xc4")},
      {"bad_compression", Payload(0, "\xc3\x02\x30zz")},
      {"huge_claim", Payload(0, "\xc3\x02\x81" + BigEndian(1ull << 50, 8) + "zz")},
      {"huge_count", Payload(1, "\x81" + BigEndian(1ull << 60, 8) + "zz")},
      {"empty_list", Payload(1, SerialLength(0))},
      {"empty_quicklist", Payload(14, SerialLength(1) + SerialString(Ziplist({})))},
      {"empty_ziplist", Payload(10, SerialString(Ziplist({})))},
      {"empty_set", Payload(2, SerialLength(0))},
      {"set_twice", Payload(2, SerialLength(2) + SerialString("a") + SerialString("a"))},
      {"hash_twice", Payload(4, SerialLength(2) + pair + pair)},
      {"hash_ziplist_twice", Payload(13, duplicates)},
      {"zset_ziplist_twice", Payload(12, duplicates)},
      {"hash_ziplist_odd", Payload(13, SerialString(Ziplist({"a"})))},
      {"zset_nan",
       Payload(5, SerialLength(1) + SerialString("a") + LittleEndian(0x7ff8000000000000, 8))},
      {"ziplist_tail", Payload(10, SerialString(wrong_tail))},
      {"zipmap_end", Payload(9, SerialString("\x01\x01"))},
      {"intset_length", Payload(11, SerialString(LittleEndian(2, 4) + LittleEndian(3, 4) + "aa"))},
      {"intset_order", Payload(11, SerialString(LittleEndian(2, 4) + LittleEndian(2, 4) +
                                                LittleEndian(5, 2) + LittleEndian(4, 2)))},
      {"listpack", Payload(16, SerialString("nonsense"))},
      {"container", Payload(18, SerialLength(1) + SerialLength(3) + SerialString("x"))},
      {"stream_without_nodes",
       Payload(19, SerialLength(0) + SerialLength(5) + std::string(9, '\0'))},
  };
  RespClient redis(SharedRedis().port());
  RespClient larder(SharedLarder().port());
  redis.Raw({"CONFIG", "SET", "sanitize-dump-payload", "yes"});
  for (const OldForm& form : faulty) {
    const std::vector<std::string> restore = {"RESTORE", "faulty", "0", form.payload};
    EXPECT_EQ(larder.Raw(restore), "-ERR Bad data format\r\n") << form.name;
    EXPECT_EQ(redis.Raw(restore), "-ERR Bad data format\r\n") << form.name;
    redis.Raw({"DEL", "faulty"});
  }
  redis.Raw({"CONFIG", "SET", "sanitize-dump-payload", "no"});

  // Redis reads on into the checksum and takes it for text; and does not mind what is too much.
  for (const char* value : {"\x05hell", "\x05hello!"}) {
    EXPECT_EQ(larder.Raw({"RESTORE", "faulty", "0", Payload(0, value)}),
              "-ERR Bad data format\r\n");
  }
}

// What Redis 7.2 and 7.4 added.
TEST(DumpTest, NewerFormsAreRead) {
  RespClient larder(SharedLarder().port());
  const auto restore = [&](const std::string& payload) {
    return larder.Raw({"RESTORE", "k", "0", payload, "REPLACE"});
  };
  const std::string listpack = std::string(
      "\x0d\x00\x00\x00\x02\x00\x81"
      "a\x02\x81"
      "b\x02\xff",
      13);
  EXPECT_EQ(restore(Payload(20, SerialString(listpack), 11)), kOk);
  EXPECT_EQ(larder.Call({"SCARD", "k"}).integer, 2);

  const uint64_t first = 4102444800000;
  const std::string fields = SerialLength(0) + SerialString("a") + SerialString("1") +
                             SerialLength(1) + SerialString("b") + SerialString("2") +
                             SerialLength(11) + SerialString("c") + SerialString("3");
  EXPECT_EQ(restore(Payload(24, LittleEndian(first, 8) + SerialLength(3) + fields, 12)), kOk);
  EXPECT_EQ(
      larder.Raw({"HPEXPIRETIME", "k", "FIELDS", "3", "a", "b", "c"}),
      Array({Int(-1), Int(static_cast<int64_t>(first)), Int(static_cast<int64_t>(first + 10))}));
  // And what Larder makes of it says the same.
  const std::string payload = larder.Call({"DUMP", "k"}).text;
  EXPECT_EQ(restore(payload), kOk);
  EXPECT_EQ(larder.Call({"DUMP", "k"}).text, payload);
}

TEST(DumpTest, ReloadChangesNothing) {
  RespClient redis(SharedRedis().port());
  RespClient larder(SharedLarder().port());
  larder.Raw({"FLUSHALL"});
  for (const std::string& key : FillWithAllTypes(redis)) {
    const std::string payload = redis.Call({"DUMP", key}).text;
    ASSERT_EQ(larder.Raw({"RESTORE", key, "0", payload}), kOk) << key;
  }
  const std::string digest = larder.Raw({"DEBUG", "DIGEST"});
  const std::string size = larder.Raw({"DBSIZE"});
  for (const char* how : {"RELOAD", "LOADAOF"}) {
    EXPECT_EQ(larder.Raw({"DEBUG", how}), kOk);
    EXPECT_EQ(larder.Raw({"DEBUG", "DIGEST"}), digest);
    EXPECT_EQ(larder.Raw({"DBSIZE"}), size);
  }
}

TEST(DumpTest, NoByteOfAPayloadMayChange) {
  RespClient larder(SharedLarder().port());
  for (size_t i = 0; i < kHello.size(); ++i) {
    std::string payload = kHello;
    payload[i] = static_cast<char>(payload[i] ^ 1);
    EXPECT_EQ(larder.Raw({"RESTORE", "k", "0", payload}),
              "-ERR DUMP payload version or checksum are wrong\r\n");
    EXPECT_EQ(larder.Raw({"RESTORE", "k", "0", kHello.substr(0, i)}),
              "-ERR DUMP payload version or checksum are wrong\r\n");
  }
}

}  // namespace
}  // namespace larder
