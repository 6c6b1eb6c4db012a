// DEBUG as tests of clients and servers use it.
#include "tests/support/wire_case.h"
#include "tests/wire/same_as_redis.h"

namespace larder {
namespace {

class DebugWireTest : public WireTest {};

TEST_P(DebugWireTest, AnswersLikeRedis) { Run(); }

// DEBUG OBJECT's line, with an address in front and figures behind.
WireReply ValueAt(const std::string& middle) {
  return WireReply("+Value at:0x..." + middle, 1, [middle](std::string_view bytes) {
    return bytes.starts_with("+Value at:0x") && bytes.find(middle) != bytes.npos;
  });
}

constexpr char kZeros[] = "+0000000000000000000000000000000000000000\r\n";

LARDER_INSTANTIATE_CASES(
    Debug, DebugWireTest,
    {
        {"DigestOfValues",
         {{"SET a abc", "+OK\r\n"},
          {"SET i 12345", "+OK\r\n"},
          {"DEBUG DIGEST-VALUE a i none",
           Array({"+21ffcd2d36aebffca02995acb412bcb827d4c1db\r\n",
                  "+e1cf90774e995ae03de66e8109dc5cb9d9c2dc83\r\n", kZeros})},
          {"PEXPIRE a 100000", ":1\r\n"},
          {"DEBUG DIGEST-VALUE a", Array({"+c77a33d2ea9755a8613f7e54f17873233d7a8058\r\n"})},
          {"DEBUG DIGEST-VALUE", "*0\r\n"}}},
        {"DigestOfEverything",
         {{"DEBUG DIGEST", kZeros},
          {"DEBUG POPULATE 3", "+OK\r\n"},
          {"DEBUG DIGEST", "+f25db52166a7d712fb7362fd197165342e2b7442\r\n"},
          {"FLUSHALL", "+OK\r\n"},
          {"DEBUG DIGEST", kZeros}}},
        {"Populate",
         {{"DEBUG POPULATE 3", "+OK\r\n"},
          {"DBSIZE", ":3\r\n"},
          {"MGET key:0 key:2", Array({Bulk("value:0"), Bulk("value:2")})},
          {"SET foo:1 kept", "+OK\r\n"},
          {"DEBUG POPULATE 2 foo 3", "+OK\r\n"},
          {"MGET foo:0 foo:1", Array({Bulk("val"), Bulk("kept")})},
          {"DEBUG POPULATE 1 bar 10", "+OK\r\n"},
          {"GET bar:0", std::string("$10\r\nvalue:0\0\0\0\r\n", 17)},
          {"DEBUG POPULATE x", "-ERR value is out of range, must be positive\r\n"},
          {"DEBUG POPULATE -1", "-ERR value is out of range, must be positive\r\n"},
          {"DEBUG POPULATE 2 bar -2", "-ERR value is out of range, must be positive\r\n"}}},
        {"Object",
         {{"SET a abc", "+OK\r\n"},
          {"SET i 12345", "+OK\r\n"},
          {"DEBUG OBJECT none", "-ERR no such key\r\n"},
          {"DEBUG OBJECT a", ValueAt(" refcount:1 encoding:embstr serializedlength:4 lru:")},
          {"DEBUG OBJECT i", ValueAt(" refcount:1 encoding:int serializedlength:3 lru:")}}},
        {"ErrorIsSentAsItIs", {{"DEBUG ERROR \"MYCODE my text\"", "-MYCODE my text\r\n"}}},
        {"PushNeedsResp3",
         {{"DEBUG PROTOCOL push", "-ERR RESP2 is not supported by this command\r\n",
           Like(">2\r\n$16\r\nserver-cpu-usage\r\n:42\r\n$40\r\nSome real reply following the push "
                "reply\r\n",
                2)}}},
        {"ReloadKeepsWhatIsThere",
         {{"SET k v PX 100000", "+OK\r\n"},
          {"APPEND k w", ":2\r\n"},
          {"SELECT 3", "+OK\r\n"},
          {"SETBIT b 100 1", ":0\r\n"},
          {"DEBUG RELOAD", "+OK\r\n"},
          {"STRLEN b", ":13\r\n"},
          {"SELECT 0", "+OK\r\n"},
          {"GET k", "$2\r\nvw\r\n"},
          {"PTTL k", IntegerBetween(90000, 100000)},
          {"OBJECT ENCODING k", "$6\r\nembstr\r\n"},
          {"DEBUG RELOAD NOFLUSH MERGE", "+OK\r\n"},
          {"DBSIZE", ":1\r\n"},
          {"DEBUG RELOAD FOO",
           "-ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.\r\n"}}},
        {"ReloadConcernsWhoWatches",
         {{"SET k v", "+OK\r\n"},
          {"WATCH k", "+OK\r\n"},
          {"DEBUG RELOAD", "+OK\r\n"},
          {"MULTI", "+OK\r\n"},
          {"EXEC", "*-1\r\n"}}},
        {"LoadAof",
         {{"SET k v", "+OK\r\n"}, {"DEBUG LOADAOF", "+OK\r\n"}, {"GET k", "$1\r\nv\r\n"}},
         kLarderOnly},
    });

TEST_F(DebugWireTest, RepliesAreRediss) {
  EXPECT_EQ(DifferencesFromRedis(Larder().port(), Redis().port(),
                                 {"FLUSHALL",
                                  "DEBUG",
                                  "DEBUG x",
                                  "DEBUG OBJECT",
                                  "DEBUG OBJECT a b",
                                  "DEBUG DIGEST x",
                                  "DEBUG POPULATE",
                                  "DEBUG POPULATE 2 bar 2 1",
                                  "DEBUG SET-ACTIVE-EXPIRE",
                                  "DEBUG SET-ACTIVE-EXPIRE x",
                                  "DEBUG SET-ACTIVE-EXPIRE 1",
                                  "DEBUG SLEEP",
                                  "DEBUG SLEEP x",
                                  "DEBUG SLEEP 0",
                                  "DEBUG PAUSE-CRON",
                                  "DEBUG PAUSE-CRON 1",
                                  "DEBUG PAUSE-CRON 0",
                                  "DEBUG LOG",
                                  "DEBUG LOG hello",
                                  "DEBUG ERROR",
                                  "DEBUG HTSTATS",
                                  "DEBUG HTSTATS x",
                                  "DEBUG HTSTATS 99",
                                  "DEBUG REPLYBUFFER",
                                  "DEBUG REPLYBUFFER PEAK-RESET-TIME 100",
                                  "DEBUG REPLYBUFFER PEAK-RESET-TIME x",
                                  "DEBUG REPLYBUFFER PEAK-RESET-TIME never",
                                  "DEBUG REPLYBUFFER PEAK-RESET-TIME RESET",
                                  "DEBUG REPLYBUFFER RESIZING 0",
                                  "DEBUG REPLYBUFFER RESIZING 1",
                                  "DEBUG REPLYBUFFER x 1",
                                  "DEBUG QUICKLIST-PACKED-THRESHOLD 200",
                                  "DEBUG QUICKLIST-PACKED-THRESHOLD 1b",
                                  "DEBUG QUICKLIST-PACKED-THRESHOLD x",
                                  "DEBUG QUICKLIST-PACKED-THRESHOLD 5gb",
                                  "DEBUG QUICKLIST-PACKED-THRESHOLD 0",
                                  "DEBUG SET-DISABLE-DENY-SCRIPTS 1",
                                  "DEBUG SET-DISABLE-DENY-SCRIPTS 0",
                                  "DEBUG PROTOCOL",
                                  "DEBUG PROTOCOL x",
                                  "DEBUG PROTOCOL string",
                                  "DEBUG PROTOCOL INTEGER",
                                  "DEBUG PROTOCOL double",
                                  "DEBUG PROTOCOL null",
                                  "DEBUG PROTOCOL array",
                                  "DEBUG PROTOCOL set",
                                  "DEBUG PROTOCOL map",
                                  "DEBUG PROTOCOL attrib",
                                  "DEBUG PROTOCOL verbatim",
                                  "DEBUG PROTOCOL true",
                                  "DEBUG PROTOCOL false",
                                  "DEBUG PROTOCOL bignum"}),
            "");
}

TEST_F(DebugWireTest, IsRefusedUnlessEnabled) {
  ServerProcess server = ServerProcess::StartLarder({"--enable-debug-command", "no"});
  ServerProcess redis = ServerProcess::StartRedis({"--enable-debug-command", "no"});
  EXPECT_EQ(DifferencesFromRedis(server.port(), redis.port(), {"DEBUG SLEEP 0", "DEBUG"}), "");
  RespClient client(server.port());
  EXPECT_TRUE(client.Call({"DEBUG", "SLEEP", "0"}).is_error());
}

TEST_F(DebugWireTest, LocalClientsMayIfTheSettingSaysLocal) {
  ServerProcess server = ServerProcess::StartLarder({"--enable-debug-command", "local"});
  RespClient client(server.port());
  EXPECT_EQ(client.Raw({"DEBUG", "SLEEP", "0"}), "+OK\r\n");
}

}  // namespace
}  // namespace larder
