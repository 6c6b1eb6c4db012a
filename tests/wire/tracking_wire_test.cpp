// Client-side caching as clients see it: CLIENT TRACKING and the invalidations that follow.
#include <chrono>

#include "tests/support/resp_client.h"
#include "tests/support/server_process.h"
#include "tests/support/wire_case.h"
#include "tests/support/wire_replies.h"

namespace larder {
namespace {

constexpr char kSwitchBroadcast[] =
    "-ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then "
    "re-enabling it with a different mode.\r\n";
constexpr char kSwitchOpt[] =
    "-ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then "
    "re-enabling it with a different mode.\r\n";
constexpr char kCachingWithoutTracking[] =
    "-ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or "
    "OPTOUT mode enabled\r\n";
constexpr char kCachingYes[] =
    "-ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.\r\n";
constexpr char kCachingNo[] =
    "-ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.\r\n";
constexpr char kNoSuchRedirect[] = "-ERR The client ID you want redirect to does not exist\r\n";
const std::string kEverything = ">2\r\n$10\r\ninvalidate\r\n_\r\n";

std::string Overlaps(const std::string& prefix, const std::string& which,
                     const std::string& other) {
  return "-ERR Prefix '" + prefix + "' overlaps with " + which + " prefix '" + other +
         "'. Prefixes for a single client must not overlap.\r\n";
}

// What CLIENT TRACKINGINFO answers in RESP2.
std::string Info(const std::vector<std::string>& flags, const std::string& redirect,
                 const std::vector<std::string>& prefixes) {
  std::vector<std::string> flag_bulks;
  for (const std::string& flag : flags) flag_bulks.push_back(Bulk(flag));
  std::vector<std::string> prefix_bulks;
  for (const std::string& prefix : prefixes) prefix_bulks.push_back(Bulk(prefix));
  return "*6\r\n" + Bulk("flags") + Array(flag_bulks) + Bulk("redirect") + ":" + redirect + "\r\n" +
         Bulk("prefixes") + Array(prefix_bulks);
}

// The push of one invalidation.
std::string Invalid(const std::vector<std::string>& keys) {
  std::vector<std::string> bulks;
  for (const std::string& key : keys) bulks.push_back(Bulk(key));
  return ">2\r\n" + Bulk("invalidate") + Array(bulks);
}

// Connection 0 speaks RESP3 and tracks with `options`.
std::vector<WireStep> Tracking(const std::string& options, std::vector<WireStep> steps) {
  steps.insert(steps.begin(), {{"HELLO 3", Anything()}, {"CLIENT TRACKING ON" + options, kOk}});
  return steps;
}

class TrackingWireTest : public WireTest {};

TEST_P(TrackingWireTest, AnswersLikeRedis) { Run(); }

LARDER_INSTANTIATE_CASES(
    Options, TrackingWireTest,
    {
        {"Arity",
         {{"CLIENT TRACKING", WrongArity("client|tracking")},
          {"CLIENT CACHING", WrongArity("client|caching")},
          {"CLIENT TRACKINGINFO x", WrongArity("client|trackinginfo")},
          {"CLIENT GETREDIR x", WrongArity("client|getredir")}}},
        {"Syntax",
         {{"CLIENT TRACKING FOO", kSyntaxError},
          {"CLIENT TRACKING ON FOO", kSyntaxError},
          {"CLIENT TRACKING ON REDIRECT", kSyntaxError},
          {"CLIENT TRACKING ON PREFIX", kSyntaxError},
          {"CLIENT TRACKING OFF FOO", kSyntaxError},
          {"CLIENT TRACKING FOO FOO", kSyntaxError}}},
        {"Redirect",
         {{"CLIENT TRACKING ON REDIRECT a", kNotAnInteger},
          {"CLIENT TRACKING ON REDIRECT 999999999", kNoSuchRedirect},
          {"CLIENT TRACKING ON REDIRECT 0", kNoSuchRedirect},
          {"CLIENT TRACKING ON REDIRECT -1", kNoSuchRedirect},
          {"CLIENT TRACKING FOO REDIRECT 999999999", kNoSuchRedirect},
          {"CLIENT GETREDIR", ":-1\r\n"}}},
        {"Contradictions",
         {{"CLIENT TRACKING ON BCAST OPTIN",
           "-ERR OPTIN and OPTOUT are not compatible with BCAST\r\n"},
          {"CLIENT TRACKING ON OPTIN OPTOUT",
           "-ERR You can't specify both OPTIN mode and OPTOUT mode\r\n"},
          {"CLIENT TRACKING ON PREFIX a",
           "-ERR PREFIX option requires BCAST mode to be enabled\r\n"},
          {"CLIENT TRACKING ON BCAST PREFIX a PREFIX ab", Overlaps("a", "another provided", "ab")},
          {"CLIENT TRACKINGINFO", Info({"off"}, "-1", {})},
          // To switch off, contradictions do not matter.
          {"CLIENT TRACKING OFF BCAST OPTIN", kOk}}},
        {"Broadcast",
         {{"CLIENT TRACKING ON BCAST PREFIX b PREFIX a", kOk},
          {"CLIENT TRACKINGINFO", Info({"on", "bcast"}, "0", {"a", "b"})},
          {"CLIENT TRACKING ON BCAST PREFIX ab", Overlaps("ab", "an existing", "a")},
          {"CLIENT TRACKING ON BCAST PREFIX a", Overlaps("a", "an existing", "a")},
          {"CLIENT TRACKING ON BCAST PREFIX c NOLOOP", kOk},
          {"CLIENT TRACKINGINFO", Info({"on", "bcast", "noloop"}, "0", {"a", "b", "c"})},
          {"CLIENT TRACKING ON", kSwitchBroadcast},
          {"CLIENT TRACKING OFF", kOk},
          {"CLIENT TRACKING ON BCAST", kOk},
          {"CLIENT TRACKING ON BCAST", kOk},
          {"CLIENT TRACKINGINFO", Info({"on", "bcast"}, "0", {""})},
          {"CLIENT TRACKING ON BCAST PREFIX x", Overlaps("x", "an existing", "")},
          {"CLIENT CACHING yes", kCachingYes}}},
        {"OptIn",
         {{"CLIENT TRACKING ON OPTIN", kOk},
          {"CLIENT TRACKING ON OPTOUT", kSwitchOpt},
          {"CLIENT TRACKING ON BCAST", kSwitchBroadcast},
          {"CLIENT CACHING NO", kCachingNo},
          {"CLIENT CACHING x", kSyntaxError},
          {"CLIENT TRACKINGINFO", Info({"on", "optin"}, "0", {})},
          {"CLIENT CACHING YES", kOk},
          {"CLIENT TRACKINGINFO", Info({"on", "optin", "caching-yes"}, "0", {})},
          {"PING", "+PONG\r\n"},
          {"CLIENT TRACKINGINFO", Info({"on", "optin"}, "0", {})},
          {"CLIENT GETREDIR", ":0\r\n"}}},
        {"OptOut",
         {{"CLIENT TRACKING ON OPTOUT", kOk},
          {"CLIENT CACHING YES", kCachingYes},
          {"CLIENT CACHING NO", kOk},
          {"CLIENT TRACKINGINFO", Info({"on", "optout", "caching-no"}, "0", {})},
          // A plain ON forgets the options.
          {"CLIENT TRACKING ON NOLOOP", kOk},
          {"CLIENT TRACKINGINFO", Info({"on", "noloop"}, "0", {})},
          {"CLIENT CACHING YES", kCachingYes},
          {"CLIENT TRACKING OFF", kOk},
          {"CLIENT CACHING YES", kCachingWithoutTracking},
          {"CLIENT CACHING x", kCachingWithoutTracking}}},
        {"InfoInResp3",
         Tracking("", {{"CLIENT TRACKINGINFO",
                        "%3\r\n$5\r\nflags\r\n~1\r\n$2\r\non\r\n$8\r\nredirect\r\n:0\r\n$8\r\n"
                        "prefixes\r\n*0\r\n"}})},
    });

LARDER_INSTANTIATE_CASES(
    Invalidation, TrackingWireTest,
    {
        {"OncePerRead", Tracking("", {{"GET k", "_\r\n"},
                                      On(1, {"SET k 1", kOk}),
                                      Receive(0, Invalid({"k"})),
                                      On(1, {"SET k 2", kOk}),
                                      {"GET k", "$1\r\n2\r\n"},
                                      On(1, {"DEL k", ":1\r\n"}),
                                      Receive(0, Invalid({"k"})),
                                      {"PING", "+PONG\r\n"}})},
        {"BehindTheReplyOfOnesOwnCommand",
         Tracking("", {{"GET k", "_\r\n"},
                       {"SET k 5", kOk + Invalid({"k"})},
                       {"GET k", "$1\r\n5\r\n"},
                       {"INCR k", ":6\r\n" + Invalid({"k"})},
                       {"MGET k a b", "*3\r\n$1\r\n6\r\n_\r\n_\r\n"},
                       {"MSET k 1 a 2 b 3", kOk + Invalid({"k"}) + Invalid({"a"}) + Invalid({"b"})},
                       {"PING", "+PONG\r\n"}})},
        {"BehindTheReplyOfExec", Tracking("", {{"GET k", "_\r\n"},
                                               {"MULTI", kOk},
                                               {"SET k 1", kQueued},
                                               {"GET k", kQueued},
                                               {"SET k 2", kQueued},
                                               {"EXEC", "*3\r\n+OK\r\n$1\r\n1\r\n+OK\r\n" +
                                                            Invalid({"k"}) + Invalid({"k"})}})},
        {"BetweenTheRepliesOfAPipeline",
         Tracking("", {{Bytes{"GET k\r\nSET k 1\r\nPING\r\n"},
                        "_\r\n+OK\r\n" + Invalid({"k"}) + "+PONG\r\n"}})},
        {"NoLoop",
         Tracking(" NOLOOP", {{"GET k", "_\r\n"},
                              {"SET k 1", kOk},
                              On(1, {"SET k 2", kOk}),  // Forgotten by the client's own SET.
                              {"GET k", "$1\r\n2\r\n"},
                              On(1, {"SET k 3", kOk}),
                              Receive(0, Invalid({"k"}))})},
        {"Flush", Tracking("", {{"GET k", "_\r\n"},
                                On(1, {"FLUSHALL", kOk}),
                                Receive(0, kEverything),
                                {"FLUSHALL", kOk + kEverything},
                                {"GET k", "_\r\n"},
                                On(1, {"SELECT 5", kOk}),
                                On(1, {"FLUSHDB", kOk}),
                                Receive(0, kEverything),
                                {"CLIENT TRACKING ON NOLOOP", kOk},
                                {"FLUSHDB", kOk + kEverything}})},
        {"KeysHaveNoDatabase", Tracking("", {{"SELECT 3", kOk},
                                             {"GET k", "_\r\n"},
                                             On(1, {"SET k 1", kOk}),
                                             Receive(0, Invalid({"k"}))})},
        {"Expiry", Tracking("", {On(1, {"SET k 1 PX 300", kOk}),
                                 {"GET k", "$1\r\n1\r\n"},
                                 Receive(0, Invalid({"k"}))})},
        {"ChangesOfTheTtl", Tracking("", {On(1, {"SET k 1", kOk}),
                                          {"GET k", "$1\r\n1\r\n"},
                                          On(1, {"PEXPIRE k 100000", ":1\r\n"}),
                                          Receive(0, Invalid({"k"})),
                                          {"GET k", "$1\r\n1\r\n"},
                                          {"PEXPIRE k -1", ":1\r\n" + Invalid({"k"})}})},
        {"OptInRemembersWhatItIsTold", Tracking(" OPTIN", {{"GET k", "_\r\n"},
                                                           On(1, {"SET k 1", kOk}),
                                                           {"CLIENT CACHING YES", kOk},
                                                           {"GET k", "$1\r\n1\r\n"},
                                                           {"GET other", "_\r\n"},
                                                           On(1, {"MSET other 1 k 2", kOk}),
                                                           Receive(0, Invalid({"k"})),
                                                           {"CLIENT CACHING YES", kOk},
                                                           {"GET", WrongArity("get")},
                                                           {"GET k", "$1\r\n2\r\n"},
                                                           On(1, {"SET k 1", kOk}),
                                                           {"CLIENT CACHING YES", kOk},
                                                           {"CLIENT ID", Anything()},
                                                           {"GET k", "$1\r\n1\r\n"},
                                                           On(1, {"SET k 2", kOk}),
                                                           Receive(0, Invalid({"k"}))})},
        {"OptInForATransaction", Tracking(" OPTIN", {{"CLIENT CACHING YES", kOk},
                                                     {"MULTI", kOk},
                                                     {"GET a", kQueued},
                                                     {"GET b", kQueued},
                                                     {"EXEC", "*2\r\n_\r\n_\r\n"},
                                                     {"GET c", "_\r\n"},
                                                     On(1, {"MSET a 1 b 2 c 3", kOk}),
                                                     Receive(0, Invalid({"a"}) + Invalid({"b"})),
                                                     {"MULTI", kOk},
                                                     {"CLIENT CACHING YES", kQueued},
                                                     {"GET a", kQueued},
                                                     {"EXEC", "*2\r\n+OK\r\n$1\r\n1\r\n"},
                                                     {"SET a 2", kOk + Invalid({"a"})}})},
        {"OptOutForgetsWhatItIsTold", Tracking(" OPTOUT", {{"CLIENT CACHING NO", kOk},
                                                           {"GET k", "_\r\n"},
                                                           {"GET other", "_\r\n"},
                                                           On(1, {"MSET k 1 other 2", kOk}),
                                                           Receive(0, Invalid({"other"})),
                                                           {"PING", "+PONG\r\n"}})},
        {"BroadcastTellsOfEveryChange",
         Tracking(" BCAST PREFIX x PREFIX k",
                  {On(1, {"MSET k 1 x1 2 x2 3 y 4", kOk}),
                   Receive(0, Invalid({"k"}) + Invalid({"x1", "x2"})),
                   On(1, {"SET k 2", kOk}),
                   Receive(0, Invalid({"k"})),
                   {"SET k 5", kOk + Invalid({"k"})},
                   On(1, {"DEL k none", ":1\r\n"}),
                   Receive(0, Invalid({"k"})),
                   On(1, {"FLUSHALL", kOk}),
                   Receive(0, kEverything),
                   {"MULTI", kOk},
                   {"SET k 1", kQueued},
                   {"SET k 2", kQueued},
                   {"SET x 1", kQueued},
                   {"EXEC", "*3\r\n+OK\r\n+OK\r\n+OK\r\n" + Invalid({"k"}) + Invalid({"x"})},
                   {"PING", "+PONG\r\n"}})},
        {"BroadcastOfExpiry",
         Tracking(" BCAST", {On(1, {"SET k 1 PX 100", kOk}), Receive(0, Invalid({"k"})),
                             Receive(0, Invalid({"k"}))})},
        {"BroadcastWithoutLoop",
         Tracking(" BCAST NOLOOP",
                  {{"SET k 1", kOk},
                   On(1, {"SET k 2", kOk}),
                   Receive(0, Invalid({"k"})),
                   On(1, {Bytes{"SET k 3\r\nSET k2 3\r\nSET k 4\r\n"}, kOk + kOk + kOk}),
                   Receive(0, Invalid({"k", "k2"})),
                   {Bytes{"SET k 3\r\nSET k2 3\r\nPING\r\n"}, kOk + kOk + "+PONG\r\n"}})},
        {"BroadcastAtTheEndOfThePipeline",
         Tracking(" BCAST", {{Bytes{"SET k 3\r\nSET k2 3\r\nPING\r\n"},
                              kOk + kOk + "+PONG\r\n" + Invalid({"k", "k2"})}})},
        {"NothingAfterOff", Tracking("", {{"GET k", "_\r\n"},
                                          {"CLIENT TRACKING OFF", kOk},
                                          On(1, {"SET k 1", kOk}),
                                          {"PING", "+PONG\r\n"}})},
        {"Resp2WithoutRedirectHearsNothing",
         {{"CLIENT TRACKING ON", kOk},
          {"GET k", kNil},
          On(1, {"SET k 1", kOk}),
          {"PING", "+PONG\r\n"},  // By now it would have heard.
          {"HELLO 3", Anything()},
          {"GET k", "$1\r\n1\r\n"},
          On(1, {"SET k 2", kOk}),
          Receive(0, Invalid({"k"}))}},
        {"WhatInspectsCountsAsRead",
         Tracking("", {{"EXISTS a", ":0\r\n"},
                       {"TTL b", ":-2\r\n"},
                       {"TYPE c", "+none\r\n"},
                       {"STRLEN d", ":0\r\n"},
                       {"GETEX e", "_\r\n"},  // A write, for it may change the TTL.
                       {"MGET f f", "*2\r\n_\r\n_\r\n"},
                       On(1, {"MSET a 1 b 1 c 1 d 1 e 1 f 1", kOk}),
                       Receive(0, Invalid({"a"}) + Invalid({"b"}) + Invalid({"c"}) +
                                      Invalid({"d"}) + Invalid({"f"})),
                       {"PING", "+PONG\r\n"}})},
        {"SwapDbTellsNobody", Tracking("", {{"GET k", "_\r\n"},
                                            On(1, {"SWAPDB 0 1", kOk}),
                                            On(1, {"SWAPDB 0 1", kOk}),
                                            {"PING", "+PONG\r\n"}})},
    });

// ---- With ids, which no row can know.

class TrackingTest : public testing::TestWithParam<bool> {
 protected:
  TrackingTest()
      : server_(GetParam() ? ServerProcess::StartLarder({"--threads", "2"})
                           : ServerProcess::StartRedis()) {}

  RespClient Connect() { return RespClient(server_.port()); }
  static std::string IdOf(RespClient& client) {
    return std::to_string(client.Call({"CLIENT", "ID"}).integer);
  }

  ServerProcess server_;
};

TEST_P(TrackingTest, RedirectsToASubscriberInResp2) {
  RespClient client = Connect();
  RespClient target = Connect();
  RespClient writer = Connect();
  const std::string id = IdOf(target);
  EXPECT_EQ(client.Raw({"CLIENT", "TRACKING", "ON", "REDIRECT", id}), kOk);
  EXPECT_EQ(client.Raw({"CLIENT", "GETREDIR"}), ":" + id + "\r\n");

  client.Raw({"GET", "k"});
  writer.Raw({"SET", "k", "1"});
  EXPECT_EQ(target.Raw({"PING"}), "+PONG\r\n");  // Not subscribed: nothing was sent.

  target.Raw({"SUBSCRIBE", "__redis__:invalidate"});
  const std::string head = "*3\r\n" + Bulk("message") + Bulk("__redis__:invalidate");
  client.Raw({"GET", "k"});
  writer.Raw({"SET", "k", "1"});
  EXPECT_EQ(target.ReadReply(), head + Array({Bulk("k")}));
  writer.Raw({"FLUSHALL"});
  EXPECT_EQ(target.ReadReply(), head + kNil);
  client.Raw({"MGET", "a", "b"});
  client.Raw({"MSET", "a", "1", "b", "2"});
  EXPECT_EQ(target.ReadReply(), head + Array({Bulk("a")}));
  EXPECT_EQ(target.ReadReply(), head + Array({Bulk("b")}));
}

TEST_P(TrackingTest, RedirectsToResp3ByPush) {
  RespClient client = Connect();
  RespClient target = Connect();
  target.Raw({"HELLO", "3"});
  client.Raw({"CLIENT", "TRACKING", "ON", "REDIRECT", IdOf(target)});
  client.Raw({"GET", "k"});
  client.Raw({"SET", "k", "1"});
  EXPECT_EQ(target.ReadReply(), Invalid({"k"}));
}

TEST_P(TrackingTest, TellsOfABrokenRedirection) {
  RespClient client = Connect();
  RespClient writer = Connect();
  client.Raw({"HELLO", "3"});
  std::string id;
  {
    RespClient target = Connect();
    id = IdOf(target);
    client.Raw({"CLIENT", "TRACKING", "ON", "REDIRECT", id});
    client.Raw({"GET", "k"});
    target.Raw({"QUIT"});
    EXPECT_TRUE(target.ReadsEnd());
  }
  for (int round = 0; round < 2; ++round) {
    writer.Raw({"SET", "k", "1"});
    EXPECT_EQ(client.ReadReply(), ">2\r\n$21\r\ntracking-redir-broken\r\n:" + id + "\r\n");
    client.Raw({"GET", "k"});
  }
  EXPECT_EQ(client.Raw({"CLIENT", "TRACKINGINFO"}),
            "%3\r\n$5\r\nflags\r\n~2\r\n$2\r\non\r\n$15\r\nbroken_redirect\r\n$8\r\nredirect\r\n:" +
                id + "\r\n$8\r\nprefixes\r\n*0\r\n");
  client.Raw({"CLIENT", "TRACKING", "ON"});
  EXPECT_EQ(
      client.Raw({"CLIENT", "TRACKINGINFO"}),
      "%3\r\n$5\r\nflags\r\n~1\r\n$2\r\non\r\n$8\r\nredirect\r\n:0\r\n$8\r\nprefixes\r\n*0\r\n");
}

TEST_P(TrackingTest, OnlyOneRedirection) {
  RespClient client = Connect();
  const std::string id = IdOf(client);
  EXPECT_EQ(client.Raw({"CLIENT", "TRACKING", "ON", "REDIRECT", id, "REDIRECT", id}),
            "-ERR A client can only redirect to a single other client\r\n");
}

TEST_P(TrackingTest, TheTableIsBounded) {
  RespClient client = Connect();
  client.Raw({"CONFIG", "SET", "tracking-table-max-keys", "10"});
  client.Raw({"HELLO", "3"});
  client.Raw({"CLIENT", "TRACKING", "ON"});
  // 100 reads: each key is either remembered, or its reader has been told to forget it.
  for (int i = 0; i < 100; ++i) client.Send({"GET", "k" + std::to_string(i)});
  int replies = 0;
  int forgotten = 0;
  while (replies < 100 || forgotten < 90) {
    const RespValue value = client.ReadValue();
    value.type == '>' ? ++forgotten : ++replies;
  }
  RespClient writer = Connect();
  for (int i = 0; i < 100; ++i) writer.Raw({"SET", "k" + std::to_string(i), "1"});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(client.ReadValue().type, '>');
  EXPECT_EQ(client.Raw({"PING"}), "+PONG\r\n");
}

TEST_P(TrackingTest, ALowerLimitOfTheTableForgetsAtOnce) {
  RespClient client = Connect();
  client.Raw({"HELLO", "3"});
  client.Raw({"CLIENT", "TRACKING", "ON"});
  client.Raw({"MGET", "a", "b", "c"});
  RespClient other = Connect();
  other.Raw({"CONFIG", "SET", "tracking-table-max-keys", "1"});
  for (int i = 0; i < 2; ++i) EXPECT_EQ(client.ReadValue().type, '>');
  EXPECT_EQ(client.Raw({"PING"}), "+PONG\r\n");
}

// The change was answered before the tracking client asked: its news comes before that reply.
TEST_P(TrackingTest, AnInvalidationComesBeforeWhatIsAskedLater) {
  RespClient client = Connect();
  RespClient writer = Connect();
  client.Raw({"HELLO", "3"});
  client.Raw({"CLIENT", "TRACKING", "ON", "BCAST"});
  for (int i = 0; i < 300; ++i) {
    writer.Raw({"INCR", "k"});
    client.Send({"PING"});
    ASSERT_EQ(client.ReadValue().type, '>') << i;
    ASSERT_EQ(client.ReadReply(), "+PONG\r\n");
  }
}

TEST_P(TrackingTest, ListShowsTheMode) {
  RespClient client = Connect();
  client.Raw({"CLIENT", "TRACKING", "ON", "BCAST"});
  const std::string line = client.Call({"CLIENT", "INFO"}).text;
  EXPECT_NE(line.find(" flags=tB "), std::string::npos) << line;
  EXPECT_NE(line.find(" redir=0 "), std::string::npos) << line;
}

INSTANTIATE_TEST_SUITE_P(Servers, TrackingTest, testing::Bool(),
                         [](const auto& server) { return server.param ? "Larder" : "Redis"; });

}  // namespace
}  // namespace larder
