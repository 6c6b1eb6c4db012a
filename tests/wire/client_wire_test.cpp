// CLIENT as clients see it, but for client-side caching (tracking_wire_test.cpp).
#include <chrono>
#include <stdexcept>
#include <sys/socket.h>

#include "gmock/gmock.h"
#include "tests/support/background.h"
#include "tests/support/resp_client.h"
#include "tests/support/server_process.h"
#include "tests/support/wire_case.h"
#include "tests/support/wire_replies.h"

namespace larder {
namespace {

using std::chrono::milliseconds;

constexpr char kBadName[] =
    "-ERR Client names cannot contain spaces, newlines or special characters.\r\n";
constexpr char kNoSuchClient[] = "-ERR No such client\r\n";
constexpr char kIdNotPositive[] = "-ERR client-id should be greater than 0\r\n";
constexpr char kInvalidId[] = "-ERR Invalid client ID\r\n";
constexpr char kNoClients[] = "$0\r\n\r\n";

class ClientWireTest : public WireTest {};

TEST_P(ClientWireTest, AnswersLikeRedis) { Run(); }

LARDER_INSTANTIATE_CASES(
    Client, ClientWireTest,
    {
        {"Arity",
         {{"CLIENT", WrongArity("client")},
          {"CLIENT FOO", "-ERR unknown subcommand 'FOO'. Try CLIENT HELP.\r\n"},
          {"CLIENT foo bar", "-ERR unknown subcommand 'foo'. Try CLIENT HELP.\r\n"},
          {"CLIENT INFO x", WrongArity("client|info")},
          {"CLIENT HELP x", WrongArity("client|help")},
          {"CLIENT KILL", WrongArity("client|kill")},
          {"CLIENT NO-EVICT", WrongArity("client|no-evict")},
          {"CLIENT PAUSE", WrongArity("client|pause")},
          {"CLIENT REPLY", WrongArity("client|reply")},
          {"CLIENT SETNAME", WrongArity("client|setname")},
          {"CLIENT UNBLOCK", WrongArity("client|unblock")},
          {"CLIENT UNPAUSE x", WrongArity("client|unpause")}}},
        {"Id", {{"CLIENT ID", Like(":<int>\r\n")}}},
        {"Name",
         {{"CLIENT GETNAME", "$-1\r\n", "_\r\n"},
          {"CLIENT SETNAME me", kOk},
          {"CLIENT GETNAME", "$2\r\nme\r\n"},
          {"CLIENT SETNAME 'a b'", kBadName},
          {"CLIENT SETNAME \"a\\n\"", kBadName},
          {"CLIENT SETNAME \"a\\xc3\"", kBadName},
          {"CLIENT GETNAME", "$2\r\nme\r\n"},
          {"CLIENT SETNAME ~!", kOk},
          {"CLIENT SETNAME ''", kOk},
          {"CLIENT GETNAME", "$-1\r\n", "_\r\n"}}},
        {"ListErrors",
         {{"CLIENT LIST TYPE", kSyntaxError},
          {"CLIENT LIST TYPE foo", "-ERR Unknown client type 'foo'\r\n"},
          {"CLIENT LIST ID", kSyntaxError},
          {"CLIENT LIST ID a", kInvalidId},
          {"CLIENT LIST ID 3 a", kInvalidId},
          {"CLIENT LIST FOO", kSyntaxError},
          {"CLIENT LIST FOO BAR", kSyntaxError}}},
        {"ListOfNobody",
         {{"CLIENT LIST TYPE pubsub", kNoClients},
          {"CLIENT LIST TYPE master", kNoClients},
          {"CLIENT LIST TYPE replica", kNoClients},
          {"CLIENT LIST TYPE slave", kNoClients},
          {"CLIENT LIST ID 0", kNoClients},
          {"CLIENT LIST ID -1", kNoClients},
          {"CLIENT LIST ID 999999999 999999998", kNoClients}}},
        {"KillErrors",
         {{"CLIENT KILL foo", kNoSuchClient},
          {"CLIENT KILL 127.0.0.1:1", kNoSuchClient},
          {"CLIENT KILL ID", kNoSuchClient},
          {"CLIENT KILL ID a", kIdNotPositive},
          {"CLIENT KILL ID 0", kIdNotPositive},
          {"CLIENT KILL ID -1", kIdNotPositive},
          {"CLIENT KILL ID 999999999 FOO", kSyntaxError},
          {"CLIENT KILL ID 999999999 ADDR", kSyntaxError},
          {"CLIENT KILL FOO BAR", kSyntaxError},
          {"CLIENT KILL TYPE foo", "-ERR Unknown client type 'foo'\r\n"},
          {"CLIENT KILL USER foo", "-ERR No such user 'foo'\r\n"},
          {"CLIENT KILL SKIPME foo", kSyntaxError},
          {"CLIENT KILL ID 999999999", ":0\r\n"},
          {"CLIENT KILL TYPE master", ":0\r\n"},
          {"CLIENT KILL ADDR 1.2.3.4:5", ":0\r\n"},
          {"CLIENT KILL LADDR 1.2.3.4:5", ":0\r\n"},
          {"PING", "+PONG\r\n"}}},
        {"KillByType",
         {{"SUBSCRIBE c", Anything()},
          On(1, {"CLIENT KILL TYPE pubsub", ":1\r\n"}),
          On(1, {"CLIENT LIST TYPE pubsub", kNoClients})}},
        {"NoEvict",
         {{"CLIENT NO-EVICT on", kOk},
          {"CLIENT NO-EVICT off", kOk},
          {"CLIENT NO-EVICT x", kSyntaxError}}},
        {"PauseErrors",
         {{"CLIENT PAUSE a", "-ERR timeout is not an integer or out of range\r\n"},
          {"CLIENT PAUSE 1.5", "-ERR timeout is not an integer or out of range\r\n"},
          {"CLIENT PAUSE -1", "-ERR timeout is negative\r\n"},
          {"CLIENT PAUSE 1 foo", "-ERR CLIENT PAUSE mode must be WRITE or ALL\r\n"},
          {"CLIENT PAUSE a foo", "-ERR CLIENT PAUSE mode must be WRITE or ALL\r\n"},
          {"CLIENT PAUSE 1 ALL x",
           "-ERR unknown subcommand or wrong number of arguments for 'PAUSE'. Try CLIENT "
           "HELP.\r\n"},
          {"CLIENT UNPAUSE", kOk}}},
        {"PauseWriteHoldsBackWrites",
         {{"CLIENT PAUSE 60000 WRITE", kOk},
          On(1, {"GET k", "$-1\r\n"}),
          On(1, {"SET k 1", Nothing()}),
          On(1, {"PING", Nothing()}),
          On(2, {"PUBLISH c x", Nothing()}),
          On(3, {"MULTI", kOk}),
          On(3, {"GET k", kQueued}),
          On(3, {"EXEC", "*1\r\n$-1\r\n"}),
          // A shorter pause does not end a longer one.
          {"CLIENT PAUSE 1 WRITE", kOk},
          After(milliseconds(50), {"GET k", "$-1\r\n"}),
          {"CLIENT UNPAUSE", kOk},
          Receive(1, kOk + "+PONG\r\n"),
          Receive(2, ":0\r\n")}},
        {"PauseAllEndsByItself",
         {{"CLIENT PAUSE 100", kOk}, On(1, {"PING", "+PONG\r\n"}), {"CLIENT UNPAUSE", kOk}}},
        {"Reply",
         {{"CLIENT REPLY x", kSyntaxError},
          {"CLIENT REPLY ON", kOk},
          {"CLIENT REPLY SKIP", Nothing()},
          {"ECHO skipped", Nothing()},
          {"ECHO 1", "$1\r\n1\r\n"},
          {"CLIENT REPLY OFF", Nothing()},
          {"ECHO silent", Nothing()},
          {"CLIENT FOO", Nothing()},
          {"CLIENT REPLY SKIP", Nothing()},
          {"ECHO silent", Nothing()},
          {"CLIENT REPLY ON", kOk},
          {"CLIENT REPLY SKIP", Nothing()},
          {"CLIENT REPLY SKIP", Nothing()},
          {"ECHO skipped", Nothing()},
          {"ECHO 2", "$1\r\n2\r\n"},
          {"CLIENT REPLY SKIP", Nothing()},
          {"CLIENT REPLY ON", kOk}}},
        {"UnblockErrors",
         {{"CLIENT UNBLOCK a", kNotAnInteger},
          {"CLIENT UNBLOCK 999999999", ":0\r\n"},
          {"CLIENT UNBLOCK -1", ":0\r\n"},
          {"CLIENT UNBLOCK 999999999 TIMEOUT", ":0\r\n"},
          {"CLIENT UNBLOCK a foo", "-ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR\r\n"},
          {"CLIENT UNBLOCK 1 ERROR x",
           "-ERR unknown subcommand or wrong number of arguments for 'UNBLOCK'. Try CLIENT "
           "HELP.\r\n"}}},
        {"Help", {{"CLIENT HELP", Anything()}}},
        {"SetInfo",
         {{"CLIENT SETINFO LIB-NAME larder.py", kOk},
          {"CLIENT SETINFO lib-ver 1.2.3", kOk},
          {"CLIENT SETINFO lib-name 'a b'",
           "-ERR lib-name cannot contain spaces, newlines or special characters.\r\n"},
          {"CLIENT SETINFO LIB-VER \"1\\n\"",
           "-ERR LIB-VER cannot contain spaces, newlines or special characters.\r\n"},
          {"CLIENT SETINFO badger hamster", "-ERR Unrecognized option 'badger'\r\n"},
          {"CLIENT SETINFO lib-name", WrongArity("client|setinfo")},
          {"CLIENT SETINFO lib-name ''", kOk}},
         kLarderOnly},
        {"NewerSubcommands",
         {{"CLIENT NO-TOUCH on", kOk},
          {"CLIENT NO-TOUCH off", kOk},
          {"CLIENT NO-TOUCH x", kSyntaxError},
          {"CLIENT CAPA redirect", kOk},
          {"CLIENT CAPA", WrongArity("client|capa")},
          {"CLIENT IMPORT-SOURCE ON", "-ERR Server is not in import mode\r\n"},
          {"CLIENT IMPORT-SOURCE OFF", kOk},
          // What a library that would like them takes for no.
          {"CLIENT MAINT_NOTIFICATIONS ON",
           "-ERR unknown subcommand 'MAINT_NOTIFICATIONS'. Try CLIENT HELP.\r\n"}},
         kLarderOnly},
        {"NewerFilters",
         {{"CLIENT KILL MAXAGE a", "-ERR maxage is not an integer or out of range\r\n"},
          {"CLIENT KILL MAXAGE 0", "-ERR maxage should be greater than 0\r\n"},
          {"CLIENT KILL MAXAGE 100000", ":0\r\n"},
          {"CLIENT LIST IDLE x", "-ERR idle is not an integer or out of range\r\n"},
          {"CLIENT LIST IDLE 100000", kNoClients},
          {"CLIENT LIST IDLE 9223372036854775807", kNoClients},
          {"CLIENT LIST DB 16", "-ERR DB number should be between 0 and 15\r\n"},
          {"CLIENT LIST DB 9", kNoClients},
          {"CLIENT LIST FLAGS ?", "-ERR Unknown flags found in the provided filter: ?\r\n"},
          {"CLIENT LIST FLAGS bO", kNoClients},
          {"CLIENT LIST NAME nobody", kNoClients},
          {"CLIENT LIST LIB-NAME nobody", kNoClients},
          {"CLIENT LIST LIB-VER 0", kNoClients},
          {"CLIENT LIST IP 1.2.3.4", kNoClients},
          {"CLIENT LIST NOT-IP 127.0.0.1", kNoClients},
          {"CLIENT LIST NOT-USER default", kNoClients},
          {"CLIENT LIST NOT-DB 0 TYPE normal", kNoClients},
          {"CLIENT LIST NOT-MAXAGE 1", kSyntaxError},
          {"CLIENT LIST ID 999999999 TYPE normal", kNoClients},
          {"CLIENT LIST TYPE normal ID 999999999 999999998 USER default", kNoClients},
          {"CLIENT KILL NAME nobody NOT-TYPE normal", ":0\r\n"}},
         kLarderOnly},
    });

// ---- What rows cannot say: lines of CLIENT LIST, and the ends of other connections.

class ClientTest : public testing::Test {
 protected:
  ClientTest() : server_(ServerProcess::StartLarder({"--threads", "2"})) {}

  RespClient Connect() { return RespClient(server_.port()); }
  static std::string IdOf(RespClient& client) {
    return std::to_string(client.Call({"CLIENT", "ID"}).integer);
  }
  static std::string List(RespClient& client, std::vector<std::string> filter) {
    filter.insert(filter.begin(), {"CLIENT", "LIST"});
    return client.Call(filter).text;
  }
  // The value of "field=" in a line.
  static std::string Field(const std::string& line, const std::string& field) {
    const size_t at = (" " + line).find(" " + field + "=");
    if (at == std::string::npos) return "(none)";
    const size_t begin = at + field.size() + 1;
    return line.substr(begin, line.find_first_of(" \n", begin) - begin);
  }

  ServerProcess server_;
};

TEST_F(ClientTest, LineHasTheFieldsOfRedisInItsOrder) {
  RespClient client = Connect();
  const std::string line = client.Call({"CLIENT", "INFO"}).text;
  std::string names;
  size_t at = 0;
  while (at < line.size()) {
    names += line.substr(at, line.find('=', at) - at) + " ";
    at = line.find_first_of(" \n", at) + 1;
  }
  EXPECT_EQ(names,
            "id addr laddr fd name age idle flags db sub psub ssub multi qbuf qbuf-free argv-mem "
            "multi-mem rbs rbp obl oll omem tot-mem events cmd user redir resp lib-name lib-ver "
            "watch tot-net-in tot-net-out tot-cmds ");
  EXPECT_EQ(line.back(), '\n');
  EXPECT_EQ(Field(line, "qbuf"), "26");
  EXPECT_EQ(Field(line, "argv-mem"), "10");
  EXPECT_EQ(Field(line, "cmd"), "client|info");
  EXPECT_EQ(Field(line, "user"), "default");
  EXPECT_EQ(Field(line, "flags"), "N");
}

TEST_F(ClientTest, ListShowsWhatOthersDo) {
  RespClient other = Connect();
  const std::string id = IdOf(other);
  other.Raw({"CLIENT", "SETNAME", "worker"});
  other.Raw({"CLIENT", "SETINFO", "LIB-NAME", "lib"});
  other.Raw({"CLIENT", "SETINFO", "LIB-VER", "3"});
  other.Raw({"SELECT", "5"});
  other.Raw({"HELLO", "3"});
  other.Raw({"SUBSCRIBE", "c"});
  other.Raw({"CLIENT", "NO-EVICT", "on"});
  RespClient client = Connect();
  const std::string line = List(client, {"ID", id});
  EXPECT_EQ(Field(line, "id"), id);
  EXPECT_EQ(Field(line, "name"), "worker");
  EXPECT_EQ(Field(line, "lib-name"), "lib");
  EXPECT_EQ(Field(line, "lib-ver"), "3");
  EXPECT_EQ(Field(line, "db"), "5");
  EXPECT_EQ(Field(line, "resp"), "3");
  EXPECT_EQ(Field(line, "sub"), "1");
  EXPECT_EQ(Field(line, "flags"), "Pe");
  EXPECT_EQ(Field(line, "cmd"), "client|no-evict");
  // The id in the only line. (Counts of bytes follow a little later.)
  const auto found = [&](const std::vector<std::string>& filter) {
    return Field(List(client, filter), "id");
  };
  EXPECT_EQ(found({"TYPE", "pubsub"}), id);
  EXPECT_EQ(found({"NAME", "worker", "DB", "5", "LIB-VER", "3", "FLAGS", "eP"}), id);
  EXPECT_EQ(found({"NOT-ID", IdOf(client)}), id);
  EXPECT_EQ(found({"SKIPME", "yes"}), id);
  EXPECT_EQ(found({"ADDR", Field(line, "addr")}), id);
  EXPECT_EQ(List(client, {"NOT-NAME", "worker", "SKIPME", "yes"}), "");
}

TEST_F(ClientTest, KilledConnectionsEnd) {
  RespClient victim = Connect();
  RespClient client = Connect();
  EXPECT_EQ(client.Raw({"CLIENT", "KILL", "ID", IdOf(victim)}), ":1\r\n");
  EXPECT_TRUE(victim.ReadsEnd());

  RespClient by_address = Connect();
  const std::string address = Field(by_address.Call({"CLIENT", "INFO"}).text, "addr");
  EXPECT_EQ(client.Raw({"CLIENT", "KILL", address}), "+OK\r\n");
  EXPECT_TRUE(by_address.ReadsEnd());

  RespClient one = Connect();
  RespClient two = Connect();
  EXPECT_EQ(client.Raw({"CLIENT", "KILL", "ID", IdOf(one), IdOf(two)}), ":2\r\n");
  EXPECT_TRUE(one.ReadsEnd());
  EXPECT_TRUE(two.ReadsEnd());
}

TEST_F(ClientTest, NothingThatAKilledClientAsksHappens) {
  RespClient client = Connect();
  for (int round = 0; round < 300; ++round) {
    RespClient victim = Connect();
    ASSERT_EQ(client.Raw({"CLIENT", "KILL", "ID", IdOf(victim)}), ":1\r\n");
    try {
      victim.Send({"SET", "written", "x"});
    } catch (const std::runtime_error&) {
      // Closed already.
    }
    ASSERT_TRUE(victim.ReadsEnd());
    ASSERT_EQ(client.Raw({"EXISTS", "written"}), ":0\r\n") << round;
  }
}

TEST_F(ClientTest, WhoKillsItselfIsToldFirst) {
  RespClient other = Connect();
  other.Raw({"PING"});
  RespClient client = Connect();
  EXPECT_EQ(client.Raw({"CLIENT", "KILL", "SKIPME", "no"}), ":2\r\n");
  EXPECT_TRUE(client.ReadsEnd());
  EXPECT_TRUE(other.ReadsEnd());

  RespClient again = Connect();
  const std::string address = Field(again.Call({"CLIENT", "INFO"}).text, "addr");
  EXPECT_EQ(again.Raw({"CLIENT", "KILL", address}), "+OK\r\n");
  EXPECT_TRUE(again.ReadsEnd());

  RespClient skipped = Connect();
  const std::string own = Field(skipped.Call({"CLIENT", "INFO"}).text, "addr");
  EXPECT_EQ(skipped.Raw({"CLIENT", "KILL", "ADDR", own}), ":0\r\n");
}

// A library that looks at its socket before it sends must not find it open once CLIENT KILL has
// answered, whichever thread the connection lives on.
TEST_F(ClientTest, WhoWasKilledIsCutOffBeforeTheKillerHasItsReply) {
  RespClient killer = Connect();
  for (int i = 0; i < 50; ++i) {
    RespClient victim = Connect();
    std::string id = victim.Raw({"CLIENT", "ID"}).substr(1);
    id.resize(id.size() - 2);  // Without the end of the line.
    EXPECT_EQ(killer.Raw({"CLIENT", "KILL", "ID", id}), ":1\r\n");
    char byte;
    EXPECT_EQ(recv(victim.fd(), &byte, 1, MSG_DONTWAIT), 0) << "round " << i;
  }
}

TEST_F(ClientTest, WhoIsHeldBackByAPauseCountsAsBlocked) {
  RespClient client = Connect();
  RespClient other = Connect();
  client.Raw({"CLIENT", "PAUSE", "60000", "WRITE"});
  other.Send({"SET", "k", "1"});
  EXPECT_TRUE(Eventually([&] { return InfoNumber(client, "blocked_clients") == 1; }));
  client.Raw({"CLIENT", "UNPAUSE"});
  EXPECT_EQ(other.ReadReply(), "+OK\r\n");
  EXPECT_EQ(InfoNumber(client, "blocked_clients"), 0);
}

TEST_F(ClientTest, AWaitIsAccountedForWhenItEnds) {
  RespClient client = Connect();
  RespClient other = Connect();
  std::string id = other.Raw({"CLIENT", "ID"}).substr(1);
  id.resize(id.size() - 2);
  const auto wait = [&] {
    other.Send({"BLPOP", "l", "0"});
    EXPECT_TRUE(Eventually([&] { return InfoNumber(client, "blocked_clients") == 1; }));
  };
  wait();
  EXPECT_EQ(client.Raw({"CLIENT", "UNBLOCK", id, "ERROR"}), ":1\r\n");
  other.ReadReply();
  EXPECT_THAT(client.Call({"INFO", "errorstats"}).text,
              testing::HasSubstr("errorstat_UNBLOCKED:count=1"));
  EXPECT_THAT(client.Call({"INFO", "commandstats"}).text,
              testing::ContainsRegex("cmdstat_blpop:calls=1,.*failed_calls=1"));

  client.Raw({"CONFIG", "SET", "slowlog-log-slower-than", "0"});
  wait();
  client.Raw({"SLOWLOG", "RESET"});
  client.Raw({"RPUSH", "l", "x"});
  other.ReadReply();
  client.Raw({"CONFIG", "SET", "slowlog-log-slower-than", "-1"});
  EXPECT_THAT(client.Raw({"SLOWLOG", "GET"}), testing::HasSubstr("$5\r\nBLPOP\r\n$1\r\nl\r\n"));
}

// Also of a client that gets messages only, and asks nothing.
TEST_F(ClientTest, OmemShowsWhatASubscriberHasNotRead) {
  RespClient client = Connect();
  RespClient subscriber = Connect();
  subscriber.Raw({"CLIENT", "SETNAME", "slow"});
  subscriber.Raw({"SUBSCRIBE", "c"});
  const auto omem = [&] {
    const std::string list = client.Call({"CLIENT", "LIST", "TYPE", "pubsub"}).text;
    const size_t at = list.find(" omem=");
    return at == list.npos ? 0 : std::stoll(list.substr(at + 6));
  };
  const std::string message(100000, 'x');
  // Far more than the socket may still take.
  for (int i = 0; i < 300 && omem() < 8'000'000; ++i) client.Raw({"PUBLISH", "c", message});
  EXPECT_GE(omem(), 100000);
}

// The data stands still, so that it can be handed over as it is.
TEST_F(ClientTest, NothingExpiresDuringAPause) {
  RespClient client = Connect();
  // At once, so that the pause begins before they expire.
  client.SendBytes(EncodeRequest({"SET", "read", "1", "PX", "100"}) +
                   EncodeRequest({"SET", "unread", "1", "PX", "100"}) +
                   EncodeRequest({"CLIENT", "PAUSE", "60000", "WRITE"}));
  for (int reply = 0; reply < 3; ++reply) ASSERT_EQ(client.ReadReply(), "+OK\r\n");
  std::this_thread::sleep_for(std::chrono::milliseconds(500));  // Rounds of active expiry.
  EXPECT_EQ(client.Raw({"GET", "read"}), "$-1\r\n");
  EXPECT_EQ(client.Raw({"DBSIZE"}), ":2\r\n");
  client.Raw({"CLIENT", "UNPAUSE"});
  EXPECT_TRUE(Eventually([&] { return client.Raw({"DBSIZE"}) == ":0\r\n"; }));
}

TEST_F(ClientTest, PauseAllHoldsBackEverybody) {
  RespClient client = Connect();
  RespClient other = Connect();
  other.Raw({"PING"});
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(client.Raw({"CLIENT", "PAUSE", "300", "ALL"}), "+OK\r\n");
  EXPECT_EQ(other.Raw({"PING"}), "+PONG\r\n");
  EXPECT_GE(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(300));
}

}  // namespace
}  // namespace larder
