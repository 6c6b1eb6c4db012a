// AUTH, ECHO, HELLO, PING, QUIT, RESET and SELECT as clients see them.
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/resp_client.h"
#include "tests/support/server_process.h"
#include "tests/support/wire_case.h"
#include "tests/support/wire_replies.h"

namespace larder {
namespace {

constexpr char kNoAuth[] = "-NOAUTH Authentication required.\r\n";
constexpr char kWrongPass[] = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
constexpr char kNoPassword[] =
    "-ERR AUTH <password> called without any password configured for the default user. Are you "
    "sure your configuration is correct?\r\n";
constexpr char kBadName[] =
    "-ERR Client names cannot contain spaces, newlines or special characters.\r\n";
constexpr char kHelloNeedsAuth[] =
    "-NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH "
    "<user> <pass> option can be used to authenticate the client and select the RESP protocol "
    "version at the same time\r\n";

std::string HelloReply(const std::string& header, int proto) {
  return header + "$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n" +
         "$5\r\nproto\r\n:" + std::to_string(proto) +
         "\r\n$2\r\nid\r\n:<int>\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n" +
         "$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n";
}

WireReply Hello2() { return Like(HelloReply("*14\r\n", 2)); }
WireReply Hello3() { return Like(HelloReply("%7\r\n", 3)); }

class ConnectionWireTest : public WireTest {};

TEST_P(ConnectionWireTest, AnswersLikeRedis) { Run(); }

LARDER_INSTANTIATE_CASES(
    Connection, ConnectionWireTest,
    {
        {"AuthWithoutPasswordSet",
         {{"AUTH x", kNoPassword},
          {"AUTH default x", kOk},
          {"AUTH default ''", kOk},
          {"AUTH foo bar", kWrongPass},
          {"AUTH a b c", "-ERR syntax error\r\n"},
          {"AUTH", WrongArity("auth")}}},
        {"Echo", {{"ECHO hi", "$2\r\nhi\r\n"}, {"ECHO", WrongArity("echo")}}},
        {"Ping",
         {{"PING", "+PONG\r\n"},
          {"PING a", "$1\r\na\r\n"},
          {"PING a b", WrongArity("ping")},
          {"PING ''", "$0\r\n\r\n"}}},
        {"HelloDescribesTheConnection", {{"HELLO", Hello2(), Hello3()}}},
        {"HelloChoosesTheVersion",
         {{"HELLO 3", Hello3()},
          {"GET none", "_\r\n"},
          {"HELLO 2", Hello2()},
          {"GET none", "$-1\r\n"}}},
        {"HelloVersions",
         {{"HELLO 1", "-NOPROTO unsupported protocol version\r\n"},
          {"HELLO 4", "-NOPROTO unsupported protocol version\r\n"},
          {"HELLO -1", "-NOPROTO unsupported protocol version\r\n"},
          {"HELLO x", "-ERR Protocol version is not an integer or out of range\r\n"},
          {"HELLO 03", "-ERR Protocol version is not an integer or out of range\r\n"},
          {"HELLO 9223372036854775808",
           "-ERR Protocol version is not an integer or out of range\r\n"}}},
        {"HelloOptions",
         {{"HELLO 2 AUTH", "-ERR Syntax error in HELLO option 'AUTH'\r\n"},
          {"HELLO 2 AUTH default", "-ERR Syntax error in HELLO option 'AUTH'\r\n"},
          {"HELLO 2 AUTH default x", Hello2()},
          {"HELLO 2 AUTH foo bar", kWrongPass},
          {"HELLO 2 SETNAME", "-ERR Syntax error in HELLO option 'SETNAME'\r\n"},
          {"HELLO 2 SETNAME 'a b'", kBadName},
          {"HELLO 2 FOO", "-ERR Syntax error in HELLO option 'FOO'\r\n"},
          {"HELLO 2 SETNAME one SETNAME two", Hello2()},
          {"CLIENT GETNAME", "$3\r\ntwo\r\n"},
          {"HELLO 2 SETNAME ''", Hello2()},
          {"CLIENT GETNAME", "$-1\r\n"}}},
        {"HelloIsAllOrNothing",
         {{"HELLO 3 SETNAME 'a b' AUTH foo bar", kBadName},
          {"HELLO 3 AUTH foo bar SETNAME me", kWrongPass},
          {"CLIENT GETNAME", "$-1\r\n"}}},
        {"Select",
         {{"SELECT 15", kOk},
          {"SET k 1", kOk},
          {"SELECT 0", kOk},
          {"GET k", "$-1\r\n"},
          {"SELECT 16", "-ERR DB index is out of range\r\n"},
          {"SELECT -1", "-ERR DB index is out of range\r\n"},
          {"SELECT a", "-ERR value is not an integer or out of range\r\n"},
          {"SELECT 3000000000",
           "-ERR value is out of range, value must between -2147483648 and 2147483647\r\n"},
          {"SELECT", WrongArity("select")},
          {"SELECT 1 2", WrongArity("select")}}},
        {"SelectInMulti",
         {{"MULTI", kOk},
          {"SELECT 99", kQueued},
          {"SELECT 1", kQueued},
          {"SET k v", kQueued},
          {"EXEC", "*3\r\n-ERR DB index is out of range\r\n+OK\r\n+OK\r\n"},
          {"GET k", "$1\r\nv\r\n"}}},
        {"QuitEndsTheConnection", {{"QUIT", ThenEnd(kOk)}}},
        {"QuitTakesAnything", {{"QUIT x y", ThenEnd(kOk)}}},
        {"QuitInMulti", {{"MULTI", kOk}, {"QUIT", ThenEnd(kOk)}}},
        {"QuitVoidsWhatFollows",
         {{Bytes{"QUIT\r\nSET k 1\r\n"}, ThenEnd(kOk)}, On(1, {"EXISTS k", ":0\r\n"})}},
        {"ResetRestoresTheDefaults",
         {{"HELLO 3 SETNAME me", Hello3()},
          {"SELECT 3", kOk},
          {"SUBSCRIBE c", ">3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n"},
          {"CLIENT TRACKING ON", kOk},
          {"RESET", "+RESET\r\n"},
          {"CLIENT GETNAME", "$-1\r\n"},
          {"CLIENT GETREDIR", ":-1\r\n"},
          {"SET k 1", kOk},
          On(1, {"GET k", "$1\r\n1\r\n"}),
          On(1, {"PUBLISH c x", ":0\r\n"}),
          {"RESET x", WrongArity("reset")}}},
        {"ResetEndsMultiAndWatch",
         {{"WATCH k", kOk},
          {"MULTI", kOk},
          {"SET k 1", kQueued},
          {"RESET", "+RESET\r\n"},
          {"EXEC", "-ERR EXEC without MULTI\r\n"},
          On(1, {"SET k 2", kOk}),
          {"MULTI", kOk},
          {"GET k", kQueued},
          {"EXEC", "*1\r\n$1\r\n2\r\n"}}},
        {"ResetOfASilentClientIsAnswered",
         {{"CLIENT REPLY OFF", Nothing()}, {"RESET", "+RESET\r\n"}, {"PING", "+PONG\r\n"}}},
        {"RequirePass",
         {{"CONFIG SET requirepass secret", kOk},
          On(1, {"PING", kNoAuth}),
          On(1, {"GET", WrongArity("get")}),
          On(1, {"HELLO", kHelloNeedsAuth}),
          On(1, {"HELLO 3", kHelloNeedsAuth}),
          On(1, {"HELLO 4", "-NOPROTO unsupported protocol version\r\n"}),
          On(1, {"HELLO 3 FOO", "-ERR Syntax error in HELLO option 'FOO'\r\n"}),
          On(1, {"HELLO 3 SETNAME 'a b'", kBadName}),
          On(1, {"HELLO 3 AUTH default bad", kWrongPass}),
          On(1, {"AUTH bad", kWrongPass}),
          On(1, {"AUTH secre", kWrongPass}),
          On(1, {"AUTH secretsecret", kWrongPass}),
          On(1, {"AUTH ''", kWrongPass}),
          On(1, {"AUTH default bad", kWrongPass}),
          On(1, {"AUTH foo secret", kWrongPass}),
          On(1, {"AUTH secret", kOk}),
          On(1, {"PING", "+PONG\r\n"}),
          // A failed attempt does not take away what the client has.
          On(1, {"AUTH bad", kWrongPass}),
          On(1, {"PING", "+PONG\r\n"}),
          On(1, {"RESET", "+RESET\r\n"}),
          On(1, {"PING", kNoAuth}),
          On(1, {"HELLO 3 AUTH default secret SETNAME me", Hello3()}),
          On(1, {"CLIENT GETNAME", "$2\r\nme\r\n"}),
          // Who was there before the password stays.
          {"PING", "+PONG\r\n"},
          On(2, {"QUIT", ThenEnd(kOk)}),
          {"CONFIG SET requirepass ''", kOk},
          On(3, {"PING", "+PONG\r\n"})}},
    });

// Each piece comes with a receive of its own and completes nothing; together they are many times
// what a thread reads in a round.
TEST_F(ConnectionWireTest, ARequestMayArriveInVeryManyPieces) {
  RespClient client(Larder().port());
  const std::string value(20000, 'x');
  const std::string request = EncodeRequest({"SET", "pieces", value});
  constexpr size_t kPiece = 100;
  for (size_t at = 0; at < request.size(); at += kPiece) {
    client.SendBytes(request.substr(at, kPiece));
    std::this_thread::sleep_for(std::chrono::microseconds(300));
  }
  EXPECT_EQ(client.ReadReply(), kOk);
  EXPECT_EQ(client.Call({"GET", "pieces"}).text, value);
  client.Raw({"DEL", "pieces"});
}

}  // namespace
}  // namespace larder
