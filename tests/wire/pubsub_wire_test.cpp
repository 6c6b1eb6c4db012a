// Publish and subscribe, sharded too, as clients see it.
#include <thread>

#include "tests/support/resp_client.h"
#include "tests/support/server_process.h"
#include "tests/support/wire_case.h"
#include "tests/support/wire_replies.h"

namespace larder {
namespace {

std::string NotWhileSubscribed(const std::string& command) {
  return "-ERR Can't execute '" + command +
         "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this "
         "context\r\n";
}

// [kind, name, count], a confirmation; as RESP2 and RESP3 spell it.
std::string Confirm(const std::string& kind, const std::string& name, int count, char type = '*') {
  return type + ("3\r\n" + Bulk(kind)) + Bulk(name) + ":" + std::to_string(count) + "\r\n";
}
std::string Confirm3(const std::string& kind, const std::string& name, int count) {
  return Confirm(kind, name, count, '>');
}
// A message of so many texts.
std::string Message(const std::vector<std::string>& parts, char type = '*') {
  std::string bytes = type + std::to_string(parts.size()) + "\r\n";
  for (const std::string& part : parts) bytes += Bulk(part);
  return bytes;
}
std::string Message3(const std::vector<std::string>& parts) { return Message(parts, '>'); }

class PubSubWireTest : public WireTest {};

TEST_P(PubSubWireTest, AnswersLikeRedis) { Run(); }

LARDER_INSTANTIATE_CASES(
    PubSub, PubSubWireTest,
    {
        {"Arity",
         {{"SUBSCRIBE", WrongArity("subscribe")},
          {"PSUBSCRIBE", WrongArity("psubscribe")},
          {"SSUBSCRIBE", WrongArity("ssubscribe")},
          {"PUBLISH a", WrongArity("publish")},
          {"PUBLISH a b c", WrongArity("publish")},
          {"SPUBLISH a", WrongArity("spublish")},
          {"PUBSUB", WrongArity("pubsub")},
          {"PUBSUB NUMPAT x", WrongArity("pubsub|numpat")},
          {"PUBSUB FOO", "-ERR unknown subcommand 'FOO'. Try PUBSUB HELP.\r\n"},
          {"PUBSUB CHANNELS a b",
           "-ERR unknown subcommand or wrong number of arguments for 'CHANNELS'. Try PUBSUB "
           "HELP.\r\n"},
          {"PUBSUB SHARDCHANNELS a b",
           "-ERR unknown subcommand or wrong number of arguments for 'SHARDCHANNELS'. Try PUBSUB "
           "HELP.\r\n"}}},
        {"ConfirmsEachName",
         {{"SUBSCRIBE a b a",
           Confirm("subscribe", "a", 1) + Confirm("subscribe", "b", 2) +
               Confirm("subscribe", "a", 2),
           Confirm3("subscribe", "a", 1) + Confirm3("subscribe", "b", 2) +
               Confirm3("subscribe", "a", 2)},
          {"PSUBSCRIBE p* p*", Confirm("psubscribe", "p*", 3) + Confirm("psubscribe", "p*", 3),
           Confirm3("psubscribe", "p*", 3) + Confirm3("psubscribe", "p*", 3)},
          {"SSUBSCRIBE s", Confirm("ssubscribe", "s", 1), Confirm3("ssubscribe", "s", 1)},
          {"UNSUBSCRIBE a x", Confirm("unsubscribe", "a", 2) + Confirm("unsubscribe", "x", 2),
           Confirm3("unsubscribe", "a", 2) + Confirm3("unsubscribe", "x", 2)},
          {"UNSUBSCRIBE", Confirm("unsubscribe", "b", 1), Confirm3("unsubscribe", "b", 1)},
          {"PUNSUBSCRIBE", Confirm("punsubscribe", "p*", 0), Confirm3("punsubscribe", "p*", 0)},
          {"SUNSUBSCRIBE s t", Confirm("sunsubscribe", "s", 0) + Confirm("sunsubscribe", "t", 0),
           Confirm3("sunsubscribe", "s", 0) + Confirm3("sunsubscribe", "t", 0)},
          {"PING", "+PONG\r\n"}}},
        {"UnsubscribeFromNothing",
         {{"UNSUBSCRIBE", "*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n",
           ">3\r\n$11\r\nunsubscribe\r\n_\r\n:0\r\n"},
          {"PUNSUBSCRIBE", "*3\r\n$12\r\npunsubscribe\r\n$-1\r\n:0\r\n",
           ">3\r\n$12\r\npunsubscribe\r\n_\r\n:0\r\n"},
          {"SUNSUBSCRIBE", "*3\r\n$12\r\nsunsubscribe\r\n$-1\r\n:0\r\n",
           ">3\r\n$12\r\nsunsubscribe\r\n_\r\n:0\r\n"},
          {"UNSUBSCRIBE x", Confirm("unsubscribe", "x", 0), Confirm3("unsubscribe", "x", 0)}}},
        {"DeliversMessages",
         {{"SUBSCRIBE a b", Confirm("subscribe", "a", 1) + Confirm("subscribe", "b", 2),
           Confirm3("subscribe", "a", 1) + Confirm3("subscribe", "b", 2)},
          {"PSUBSCRIBE a*", Confirm("psubscribe", "a*", 3), Confirm3("psubscribe", "a*", 3)},
          On(1, {"PUBLISH a hello", ":2\r\n"}),
          Receive(0, Message({"message", "a", "hello"}) + Message({"pmessage", "a*", "a", "hello"}),
                  Message3({"message", "a", "hello"}) + Message3({"pmessage", "a*", "a", "hello"})),
          On(1, {"PUBLISH b ''", ":1\r\n"}),
          Receive(0, Message({"message", "b", ""}), Message3({"message", "b", ""})),
          On(1, {"PUBLISH c x", ":0\r\n"}),
          On(1, {"SPUBLISH a x", ":0\r\n"})}},
        {"ShardChannelsAreTheirOwn",
         {{"SSUBSCRIBE a", Confirm("ssubscribe", "a", 1), Confirm3("ssubscribe", "a", 1)},
          On(1, {"PUBLISH a x", ":0\r\n"}),
          On(1, {"SPUBLISH a x", ":1\r\n"}),
          Receive(0, Message({"smessage", "a", "x"}), Message3({"smessage", "a", "x"})),
          {"SUNSUBSCRIBE a", Confirm("sunsubscribe", "a", 0), Confirm3("sunsubscribe", "a", 0)},
          On(1, {"SPUBLISH a x", ":0\r\n"})}},
        {"OnlySomeCommandsInSubscribedState",
         {{"SUBSCRIBE a", Confirm("subscribe", "a", 1)},
          {"PING", "*2\r\n$4\r\npong\r\n$0\r\n\r\n"},
          {"PING x", "*2\r\n$4\r\npong\r\n$1\r\nx\r\n"},
          {"GET x", NotWhileSubscribed("get")},
          {"MULTI", NotWhileSubscribed("multi")},
          {"HELLO 3", NotWhileSubscribed("hello")},
          {"CLIENT INFO", NotWhileSubscribed("client|info")},
          {"PUBLISH a x", NotWhileSubscribed("publish")},
          {"FOO", "-ERR unknown command 'FOO', with args beginning with: \r\n"},
          {"RESET", "+RESET\r\n"},
          {"GET x", "$-1\r\n"},
          {"SSUBSCRIBE s", Confirm("ssubscribe", "s", 1)},
          {"GET x", NotWhileSubscribed("get")},
          {"QUIT", ThenEnd(kOk)}}},
        {"InResp3AllCommandsRun",
         {{"HELLO 3", Anything()},
          {"SUBSCRIBE a", Confirm3("subscribe", "a", 1)},
          {"PING", "+PONG\r\n"},
          {"PING x", "$1\r\nx\r\n"},
          {"GET x", "_\r\n"},
          {"PUBLISH a self", Message3({"message", "a", "self"}) + ":1\r\n"},
          // Back in RESP2 the connection is in subscribed state.
          {"HELLO 2", Anything()},
          {"GET x", NotWhileSubscribed("get")}}},
        {"InsideMulti",
         {{"MULTI", kOk},
          {"SUBSCRIBE a", kQueued},
          {"PING", kQueued},
          {"PUBLISH a x", kQueued},
          {"EXEC", "*3\r\n" + Confirm("subscribe", "a", 1) + "*2\r\n$4\r\npong\r\n$0\r\n\r\n" +
                       Message({"message", "a", "x"})},
          {Bytes{""}, ":1\r\n"},
          {"GET x", NotWhileSubscribed("get")}}},
        {"MessagesAreNotSilenced",
         {{"CLIENT REPLY OFF", Nothing()},
          {"SUBSCRIBE a", Confirm("subscribe", "a", 1)},
          {"PING", Nothing()},
          On(1, {"PUBLISH a x", ":1\r\n"}),
          Receive(0, Message({"message", "a", "x"})),
          {"UNSUBSCRIBE a", Confirm("unsubscribe", "a", 0)},
          {"CLIENT REPLY ON", kOk},
          {"CLIENT REPLY SKIP", Nothing()},
          {"SUBSCRIBE a", Confirm("subscribe", "a", 1)},
          {"PING", "*2\r\n$4\r\npong\r\n$0\r\n\r\n"}}},
        {"Introspection",
         {{"SUBSCRIBE a b", Confirm("subscribe", "a", 1) + Confirm("subscribe", "b", 2)},
          {"PSUBSCRIBE a* b*", Confirm("psubscribe", "a*", 3) + Confirm("psubscribe", "b*", 4)},
          {"SSUBSCRIBE s1 s2", Confirm("ssubscribe", "s1", 1) + Confirm("ssubscribe", "s2", 2)},
          On(1, {"SUBSCRIBE a", Confirm("subscribe", "a", 1)}),
          On(1, {"PSUBSCRIBE a*", Confirm("psubscribe", "a*", 2)}),
          On(2, {"PUBSUB CHANNELS", AnyOrder({Bulk("a"), Bulk("b")})}),
          On(2, {"PUBSUB CHANNELS b*", "*1\r\n$1\r\nb\r\n"}),
          On(2, {"PUBSUB NUMSUB", "*0\r\n"}),
          On(2, {"PUBSUB NUMSUB a b s1",
                 "*6\r\n$1\r\na\r\n:2\r\n$1\r\nb\r\n:1\r\n$2\r\ns1\r\n:0\r\n"}),
          On(2, {"PUBSUB NUMPAT", ":2\r\n"}),
          On(2, {"PUBSUB SHARDCHANNELS", AnyOrder({Bulk("s1"), Bulk("s2")})}),
          On(2, {"PUBSUB SHARDCHANNELS *2", "*1\r\n$2\r\ns2\r\n"}),
          On(2, {"PUBSUB SHARDNUMSUB s1 a", "*4\r\n$2\r\ns1\r\n:1\r\n$1\r\na\r\n:0\r\n"}),
          On(2, {"PUBLISH a x", ":4\r\n"})}},
        {"AConnectionThatEndsUnsubscribes",
         // A name of its own: clients of other cases may still be leaving.
         {{"SUBSCRIBE leaving", Confirm("subscribe", "leaving", 1)},
          {"QUIT", ThenEnd(kOk)},
          On(1, {"PUBLISH leaving x", ":0\r\n"}),
          On(1, {"PUBSUB CHANNELS leaving", "*0\r\n"})}},
        {"KeyspaceEvents",
         {{"CONFIG SET notify-keyspace-events KEA", kOk},
          On(1, {"PSUBSCRIBE __key*@0__:*", Confirm("psubscribe", "__key*@0__:*", 1)}),
          {"SET k 1", kOk},
          Receive(1, Message({"pmessage", "__key*@0__:*", "__keyspace@0__:k", "set"}) +
                         Message({"pmessage", "__key*@0__:*", "__keyevent@0__:set", "k"})),
          {"DEL k", ":1\r\n"},
          Receive(1, Message({"pmessage", "__key*@0__:*", "__keyspace@0__:k", "del"}) +
                         Message({"pmessage", "__key*@0__:*", "__keyevent@0__:del", "k"})),
          {"CONFIG SET notify-keyspace-events ''", kOk}}},
        {"EventsOfNewKeys",
         {{"CONFIG SET notify-keyspace-events En", kOk},
          On(1, {"PSUBSCRIBE *", Confirm("psubscribe", "*", 1)}),
          {"MSET a 1 b 2", kOk},
          Receive(1, Message({"pmessage", "*", "__keyevent@0__:new", "a"}) +
                         Message({"pmessage", "*", "__keyevent@0__:new", "b"})),
          {"SET a 2", kOk},
          {"INCR c", ":1\r\n"},
          Receive(1, Message({"pmessage", "*", "__keyevent@0__:new", "c"})),
          {"SETRANGE d 1 x", ":2\r\n"},
          Receive(1, Message({"pmessage", "*", "__keyevent@0__:new", "d"})),
          {"APPEND d x", ":3\r\n"},
          {"APPEND e x", ":1\r\n"},
          Receive(1, Message({"pmessage", "*", "__keyevent@0__:new", "e"})),
          {"RENAME a b", kOk},
          Receive(1, Message({"pmessage", "*", "__keyevent@0__:new", "b"})),
          {"COPY b a DB 1", ":1\r\n"},
          Receive(1, Message({"pmessage", "*", "__keyevent@1__:new", "a"})),
          {"MOVE b 1", ":1\r\n"},
          Receive(1, Message({"pmessage", "*", "__keyevent@1__:new", "b"})),
          {"CONFIG SET notify-keyspace-events ''", kOk}}},
        {"Help", {{"PUBSUB HELP", Anything()}, {"PUBSUB HELP x", WrongArity("pubsub|help")}}},
    });

// What one publisher says on one channel arrives in its order, at every subscriber, on any thread.
TEST(PubSubTest, AllSubscribersSeeOneOrder) {
  const ServerProcess server = ServerProcess::StartLarder({"--threads", "4"});
  constexpr int kSubscribers = 8;
  constexpr int kPublishers = 4;
  constexpr int kMessages = 500;
  std::vector<RespClient> subscribers;
  for (int i = 0; i < kSubscribers; ++i) {
    subscribers.emplace_back(server.port());
    subscribers.back().Raw({"SUBSCRIBE", "c"});
  }
  std::vector<std::thread> publishers;
  for (int p = 0; p < kPublishers; ++p) {
    publishers.emplace_back([&, p] {
      RespClient client(server.port());
      for (int i = 0; i < kMessages; ++i) {
        client.Call({"PUBLISH", "c", std::to_string(p) + ":" + std::to_string(i)});
      }
    });
  }
  for (std::thread& publisher : publishers) publisher.join();
  std::vector<std::string> first;
  for (RespClient& subscriber : subscribers) {
    std::vector<std::string> seen;
    for (int i = 0; i < kPublishers * kMessages; ++i) {
      seen.push_back(subscriber.ReadValue().elements.at(2).text);
    }
    if (first.empty()) first = seen;
    ASSERT_EQ(seen, first);
  }
}

// After the confirmation of UNSUBSCRIBE a RESP2 client reads replies again: no message may follow.
TEST(PubSubTest, NoMessageComesAfterTheLastConfirmation) {
  const ServerProcess server = ServerProcess::StartLarder({"--threads", "2"});
  std::atomic<bool> stop{false};
  std::thread publisher([&] {
    RespClient client(server.port());
    while (!stop) client.Call({"PUBLISH", "c", "x"});
  });
  RespClient subscriber(server.port());
  for (int round = 0; round < 300; ++round) {
    subscriber.Raw({"SUBSCRIBE", "c"});
    subscriber.Send({"UNSUBSCRIBE", "c"});
    RespValue value;
    do value = subscriber.ReadValue();
    while (value.elements.at(0).text != "unsubscribe");
    const std::string echo = subscriber.Raw({"ECHO", "reply"});
    if (echo != "$5\r\nreply\r\n") ADD_FAILURE() << "round " << round << ": " << echo;
  }
  stop = true;
  publisher.join();
}

}  // namespace
}  // namespace larder
