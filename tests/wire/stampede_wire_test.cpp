// CACHE.GET and its family: one caller loads, everyone else is served.
#include <chrono>
#include <csignal>
#include <exception>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/background.h"
#include "tests/support/resp_client.h"
#include "tests/support/server_process.h"
#include "tests/support/wire_replies.h"
#include "tests/wire/stampede_case.h"

namespace larder {
namespace {

using std::chrono::milliseconds;

// A reply of CACHE.GET.
struct Answer {
  std::string state;
  std::optional<std::string> value;
  std::optional<std::string> token;
  int64_t ttl = 0;
  std::optional<int64_t> fresh;
  int64_t retry = 0;

  static Answer Of(const RespValue& reply) {
    EXPECT_EQ(reply.elements.size(), 12u) << reply.text;
    if (reply.elements.size() != 12) return {};
    size_t place = 0;
    for (const char* name : {"state", "value", "token", "ttl", "fresh", "retry"}) {
      EXPECT_EQ(reply.elements[place].text, name);
      place += 2;
    }
    const auto text = [&](const std::string& name) {
      const RespValue field = Field(reply, name);
      return field.is_null ? std::nullopt : std::optional(field.text);
    };
    const RespValue fresh = Field(reply, "fresh");
    return {.state = Field(reply, "state").text,
            .value = text("value"),
            .token = text("token"),
            .ttl = Field(reply, "ttl").integer,
            .fresh = fresh.is_null ? std::nullopt : std::optional(fresh.integer),
            .retry = Field(reply, "retry").integer};
  }
};

class StampedeTest : public StampedeCase {
 protected:
  static Answer Get(RespClient& client, const std::string& options) {
    return Answer::Of(client.Call(SplitCommandLine("CACHE.GET " + options)));
  }
  // A client that waits for `key`, behind those who do already.
  RespClient Waiter(const std::string& key, const std::string& options = "LEASE 60000 WAIT 60000") {
    return StampedeCase::Waiter(key, "CACHE.GET " + key + " " + options);
  }
};

TEST_F(StampedeTest, OneCallerLoadsAndItsValueIsFresh) {
  RespClient loader = Connect();
  const Answer load = Get(loader, "key LEASE 5000");
  EXPECT_EQ(load.state, "load");
  EXPECT_EQ(load.value, std::nullopt);
  ASSERT_TRUE(load.token.has_value());
  EXPECT_EQ(load.ttl, -2);
  EXPECT_EQ(load.fresh, std::nullopt);
  EXPECT_EQ(State("key"), "filling");

  RespClient other = Connect();
  const Answer none = Get(other, "key LEASE 5000");
  EXPECT_EQ(none.state, "none");
  EXPECT_EQ(none.token, std::nullopt);
  EXPECT_GT(none.retry, 0);

  EXPECT_EQ(loader.Raw({"CACHE.SET", "key", "value", "TOKEN", *load.token, "SOFT", "60000"}), kOk);
  const Answer fresh = Get(other, "key LEASE 5000");
  EXPECT_EQ(fresh.state, "fresh");
  EXPECT_EQ(fresh.value, "value");
  EXPECT_EQ(fresh.token, std::nullopt);
  EXPECT_GT(fresh.ttl, 50'000);
  EXPECT_EQ(fresh.fresh, fresh.ttl);
  EXPECT_EQ(Run("GET key"), "$5\r\nvalue\r\n");
  EXPECT_EQ(State("key"), "fresh");
}

TEST_F(StampedeTest, WhoIsNotReadyToLoadIsNotElected) {
  EXPECT_EQ(Get(control_, "key").state, "none");
  EXPECT_EQ(Get(control_, "key WAIT 1000").state, "none");  // There is nobody to wait for.
  EXPECT_EQ(State("key"), "absent");
}

TEST_F(StampedeTest, Resp3GetsAMap) {
  control_.Raw({"HELLO", "3"});
  const RespValue reply = control_.Call({"CACHE.GET", "key"});
  EXPECT_EQ(reply.type, '%');
  EXPECT_EQ(Answer::Of(reply).state, "none");
}

TEST_F(StampedeTest, ATokenIsGoodOnce) {
  const Answer load = Get(control_, "key LEASE 5000");
  const std::vector<std::string> fill = {"CACHE.SET", "key", "value", "TOKEN", *load.token};
  EXPECT_EQ(control_.Raw(fill), kOk);
  EXPECT_EQ(control_.Raw(fill), kNil);
  EXPECT_EQ(control_.Raw({"CACHE.RELEASE", "key", "TOKEN", *load.token}), ":0\r\n");
}

TEST_F(StampedeTest, NonsenseIsNoToken) {
  const Answer load = Get(control_, "key LEASE 5000");
  std::string other_process = *load.token;
  other_process[0] = other_process[0] == '0' ? '1' : '0';
  std::string upper = *load.token;
  upper.insert(upper.find('-') + 1, "0");
  for (const std::string& token : {other_process, upper, *load.token + " ", std::string("-1"),
                                   std::string("0"), std::string("x")}) {
    EXPECT_EQ(control_.Raw({"CACHE.SET", "key", "value", "TOKEN", token}), kNil) << token;
  }
  EXPECT_EQ(Run("EXISTS key"), ":0\r\n");
  EXPECT_EQ(control_.Raw({"CACHE.SET", "key", "value", "TOKEN", *load.token}), kOk);
}

// Whatever else happens to the key, a value read before it is not stored after it.
TEST_F(StampedeTest, AnyOtherMutationMakesTheTokenVoid) {
  for (const std::string mutation :
       {"SET key x",
        "SET key x EX 100",
        "SETRANGE key 0 x",
        "APPEND key x",
        "INCR number",
        "DEL key",
        "UNLINK key",
        "EXPIRE key 100",
        "PERSIST volatile",
        "RENAME key other",
        "RENAME other key",
        "COPY other key REPLACE",
        "RESTORE key 0 \"\\x00\\xc0\\x01\\t\\x00\\xf6\\x8a\\xb6z\\x85\\x87rM\" REPLACE",
        "FLUSHDB",
        "FLUSHALL ASYNC",
        "SWAPDB 0 1",
        "MOVE key 1",
        "GETDEL key",
        "GETEX key EX 50",
        "MSET key x",
        "CACHE.SET key x",
        "CACHE.INVALIDATE key",
        "LPUSH list x"}) {
    const std::string key = mutation.find("number") != std::string::npos     ? "number"
                            : mutation.find("volatile") != std::string::npos ? "volatile"
                            : mutation.find("list") != std::string::npos     ? "list"
                                                                             : "key";
    Run("FLUSHALL");
    Run("SET other x");
    if (key != "list") Run("CACHE.SET " + key + " 1 SOFT 1 GRACE 60000");
    std::this_thread::sleep_for(milliseconds(3));
    const Answer load = Get(control_, key + " LEASE 60000");
    ASSERT_TRUE(load.token.has_value()) << mutation << " " << load.state;
    const std::string reply = Run(mutation);
    ASSERT_NE(reply[0], '-') << mutation << reply;
    EXPECT_EQ(control_.Raw({"CACHE.SET", key, "late", "TOKEN", *load.token}), kNil) << mutation;
    EXPECT_NE(Run("GET " + key), "$4\r\nlate\r\n");
  }
}

TEST_F(StampedeTest, WhatChangesNothingLeavesTheToken) {
  const Answer load = Get(control_, "key LEASE 60000");
  for (const std::string command :
       {"GET key", "EXISTS key", "TTL key", "SET other x", "EXPIRE key 10", "CACHE.GET key",
        "CACHE.INFO key", "OBJECT FREQ key", "SELECT 1", "SET key x", "SELECT 0"}) {
    Run(command);
  }
  EXPECT_EQ(control_.Raw({"CACHE.SET", "key", "value", "TOKEN", *load.token}), kOk);
}

// The origin has changed, whether or not the cache had the value: also while nobody has stored it
// yet, or when the origin had no such thing before.
TEST_F(StampedeTest, RemovingWhatIsNotThereMakesTheTokenVoid) {
  for (const std::string removal : {"DEL key", "UNLINK other key", "GETDEL key"}) {
    const Answer load = Get(control_, "key LEASE 60000");
    ASSERT_EQ(load.state, "load");
    RespClient waiter = Waiter("key");
    Run(removal);
    EXPECT_EQ(control_.Raw({"CACHE.SET", "key", "late", "TOKEN", *load.token}), kNil);
    const Answer next = Answer::Of(waiter.ReadValue());
    EXPECT_EQ(next.state, "load") << removal;
    EXPECT_EQ(
        waiter.Raw({"CACHE.SET", "key", "", "NEGATIVE", "TOKEN", *next.token, "SOFT", "60000"}),
        kOk);
    EXPECT_EQ(State("key"), "negative");
    Run(removal);
    EXPECT_EQ(State("key"), "absent") << removal;
  }
}

// The value's own end makes nothing untrue.
TEST_F(StampedeTest, ExpiryOfTheValueLeavesTheToken) {
  Run("CACHE.SET key old SOFT 1 GRACE 20");
  std::this_thread::sleep_for(milliseconds(3));
  const Answer refresh = Get(control_, "key LEASE 60000");
  ASSERT_TRUE(refresh.token.has_value()) << refresh.state;
  ASSERT_TRUE(Eventually([&] { return Run("EXISTS key") == ":0\r\n"; }));
  EXPECT_EQ(State("key"), "filling");
  EXPECT_EQ(control_.Raw({"CACHE.SET", "key", "value", "TOKEN", *refresh.token}), kOk);
}

TEST_F(StampedeTest, OneFillWakesEverybody) {
  RespClient loader = Connect();
  const Answer load = Get(loader, "key LEASE 60000");
  std::vector<RespClient> waiters;
  for (int i = 0; i < 20; ++i) waiters.push_back(Waiter("key"));
  const std::string value(100'000, 'v');
  EXPECT_EQ(loader.Raw({"CACHE.SET", "key", value, "TOKEN", *load.token, "SOFT", "60000"}), kOk);
  for (RespClient& waiter : waiters) {
    const Answer answer = Answer::Of(waiter.ReadValue());
    EXPECT_EQ(answer.state, "fresh");
    EXPECT_EQ(answer.value, value);
  }
  EXPECT_EQ(Waiters("key"), 0);
}

TEST_F(StampedeTest, APlainWriteWakesThemToo) {
  RespClient loader = Connect();
  Get(loader, "key LEASE 60000");
  RespClient waiter = Waiter("key");
  EXPECT_EQ(Run("SET key value"), kOk);
  EXPECT_EQ(Answer::Of(waiter.ReadValue()).value, "value");
}

// However a lease ends without a value, the one who has waited longest gets the next, alone.
TEST_F(StampedeTest, TheNextInLineLoads) {
  struct Case {
    std::string name;
    std::string lease_options;
    void (*end)(StampedeTest&, RespClient& loader, const std::string& token);
  };
  const Case cases[] = {
      {"release", "60000",
       [](StampedeTest&, RespClient& loader, const std::string& token) {
         EXPECT_EQ(loader.Raw({"CACHE.RELEASE", "key", "TOKEN", token}), ":1\r\n");
       }},
      {"disconnect", "60000",
       [](StampedeTest&, RespClient& loader, const std::string&) { loader.Close(); }},
      {"deadline", "200", [](StampedeTest&, RespClient&, const std::string&) {}},
      {"kept until its deadline", "200 KEEP",
       [](StampedeTest&, RespClient& loader, const std::string&) { loader.Close(); }},
      {"invalidation", "60000",
       [](StampedeTest& test, RespClient&, const std::string&) {
         EXPECT_EQ(test.Run("CACHE.INVALIDATE key"), ":1\r\n");
       }},
      {"kill", "60000",
       [](StampedeTest& test, RespClient& loader, const std::string&) {
         loader.Send({"CLIENT", "ID"});
         const std::string id = loader.ReadReply().substr(1);
         test.Run("CLIENT KILL ID " + id.substr(0, id.find('\r')));
       }},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.name);
    RespClient loader = Connect();
    const Answer load = Get(loader, "key LEASE " + test.lease_options);
    ASSERT_EQ(load.state, "load");
    RespClient first = Waiter("key");
    RespClient second = Waiter("key");
    test.end(*this, loader, *load.token);
    const Answer elected = Answer::Of(first.ReadValue());
    ASSERT_EQ(elected.state, "load");
    EXPECT_NE(elected.token, load.token);
    EXPECT_TRUE(second.StaysSilent(milliseconds(50)));
    EXPECT_EQ(first.Raw({"CACHE.SET", "key", "v", "TOKEN", *elected.token}), kOk);
    EXPECT_EQ(Answer::Of(second.ReadValue()).value, "v");
    Run("DEL key");
  }
}

TEST_F(StampedeTest, AHolderWhoLostItsWaitForTheLeaseDoesNotKeepIt) {
  RespClient loader = Connect();
  Get(loader, "key LEASE 60000");
  RespClient next = Waiter("key");
  RespClient last = Waiter("key");
  loader.Close();
  ASSERT_EQ(Answer::Of(next.ReadValue()).state, "load");
  next.Close();
  EXPECT_EQ(Answer::Of(last.ReadValue()).state, "load");
}

TEST_F(StampedeTest, AKeptLeaseOutlivesItsConnection) {
  std::optional<std::string> token;
  {
    RespClient loader = Connect();
    token = Get(loader, "key LEASE 60000 KEEP").token;
  }
  RespClient other = Connect();
  EXPECT_EQ(Get(other, "key LEASE 60000").state, "none");
  EXPECT_EQ(other.Raw({"CACHE.SET", "key", "v", "TOKEN", *token}), kOk);
}

TEST_F(StampedeTest, WhoWaitsInVainIsTold) {
  RespClient loader = Connect();
  Get(loader, "key LEASE 60000");
  EXPECT_EQ(Get(control_, "key LEASE 60000 WAIT 30").state, "none");
}

// With many callers on one connection it would wait for itself.
TEST_F(StampedeTest, AConnectionThatHoldsALeaseNeverWaits) {
  RespClient loader = Connect();
  const Answer own = Get(loader, "own LEASE 60000");
  EXPECT_EQ(Get(loader, "own LEASE 60000 WAIT 60000").state, "none");
  Get(control_, "others LEASE 60000");
  EXPECT_EQ(Get(loader, "others LEASE 60000 WAIT 60000").state, "none");
  EXPECT_EQ(loader.Raw({"CACHE.SET", "own", "v", "TOKEN", *own.token}), kOk);
  loader.Send(SplitCommandLine("CACHE.GET others LEASE 60000 WAIT 60000"));
  EXPECT_TRUE(HasWaiters("others", 1));
}

TEST_F(StampedeTest, NothingWaitsInATransaction) {
  RespClient loader = Connect();
  Get(loader, "key LEASE 60000");
  Run("MULTI");
  Run("CACHE.GET key LEASE 60000 WAIT 60000");
  const RespValue replies = control_.Call({"EXEC"});
  ASSERT_EQ(replies.elements.size(), 1u);
  EXPECT_EQ(Answer::Of(replies.elements[0]).state, "none");
}

TEST_F(StampedeTest, AStaleValueIsServedWhileOneLoads) {
  Run("CACHE.SET key old SOFT 1 GRACE 60000");
  std::this_thread::sleep_for(milliseconds(5));
  EXPECT_EQ(State("key"), "stale");
  EXPECT_EQ(Get(control_, "key").state, "stale");
  RespClient loader = Connect();
  const Answer refresh = Get(loader, "key LEASE 60000");
  EXPECT_EQ(refresh.state, "refresh");
  EXPECT_EQ(refresh.value, "old");
  EXPECT_LT(refresh.fresh.value(), 0);
  EXPECT_GT(refresh.ttl, 50'000);
  EXPECT_EQ(State("key"), "stale-filling");
  const Answer stale = Get(control_, "key LEASE 60000 WAIT 60000");
  EXPECT_EQ(stale.state, "stale");
  EXPECT_EQ(stale.value, "old");
  EXPECT_EQ(Run("GET key"), "$3\r\nold\r\n");
  EXPECT_EQ(loader.Raw({"CACHE.SET", "key", "new", "TOKEN", *refresh.token, "SOFT", "60000"}), kOk);
  EXPECT_EQ(Get(control_, "key").value, "new");
}

TEST_F(StampedeTest, AStaleValueThatIsRefusedIsAsGoodAsNone) {
  Run("CACHE.SET key old SOFT 1 GRACE 60000");
  std::this_thread::sleep_for(milliseconds(5));
  EXPECT_EQ(Get(control_, "key MAXSTALE 0").state, "none");
  EXPECT_EQ(Get(control_, "key MAXSTALE 30000").state, "stale");
  RespClient loader = Connect();
  const Answer load = Get(loader, "key LEASE 60000 MAXSTALE 0");
  EXPECT_EQ(load.state, "load");
  EXPECT_EQ(load.value, std::nullopt);
  RespClient waiter = Waiter("key", "LEASE 60000 WAIT 60000 MAXSTALE 0");
  EXPECT_EQ(loader.Raw({"CACHE.SET", "key", "new", "TOKEN", *load.token, "SOFT", "60000"}), kOk);
  EXPECT_EQ(Answer::Of(waiter.ReadValue()).value, "new");
}

TEST_F(StampedeTest, DeadlinesAreTheHardOneForRedis) {
  Run("CACHE.SET key v SOFT 10000 GRACE 90000");
  const int64_t ttl = control_.Call({"PTTL", "key"}).integer;
  EXPECT_GT(ttl, 90'000);
  EXPECT_LE(ttl, 100'000);
  Run("CACHE.SET key v SOFT 10000 HARD 20000");
  EXPECT_LE(control_.Call({"PTTL", "key"}).integer, 20'000);
  const Answer fresh = Get(control_, "key");
  EXPECT_LE(fresh.fresh.value(), 10'000);
  EXPECT_GT(fresh.ttl, 10'000);
  Run("CACHE.SET key v");
  EXPECT_EQ(control_.Call({"PTTL", "key"}).integer, -1);
  EXPECT_EQ(Get(control_, "key").fresh, std::nullopt);
  EXPECT_TRUE(Info("key", "fresh").is_null);
  // What is written otherwise is fresh until it is gone.
  Run("CACHE.SET key v SOFT 10000 GRACE 90000");
  Run("SET key v EX 50");
  EXPECT_GT(Get(control_, "key").fresh.value(), 40'000);
}

TEST_F(StampedeTest, JitterOnlyEverShortens) {
  bool differ = false;
  for (int i = 0; i < 50; ++i) {
    Run("CACHE.SET key v SOFT 100000 GRACE 50000 JITTER 20");
    const Answer answer = Get(control_, "key");
    const int64_t fresh = answer.fresh.value();
    EXPECT_LE(fresh, 100'000);
    EXPECT_GE(fresh, 80'000 - 5000);
    EXPECT_EQ(answer.ttl - fresh, 50'000);
    differ |= fresh < 95'000;
  }
  EXPECT_TRUE(differ);
}

TEST_F(StampedeTest, InvalidationMakesAValueStaleAndKeepsIt) {
  Run("SET eternal v");
  Run("CACHE.SET timed v SOFT 60000 GRACE 60000");
  EXPECT_EQ(Run("CACHE.INVALIDATE eternal timed missing"), ":2\r\n");
  EXPECT_EQ(Run("CACHE.INVALIDATE eternal timed missing"), ":0\r\n");
  for (const std::string key : {"eternal", "timed"}) {
    EXPECT_EQ(State(key), "stale");
    EXPECT_EQ(Run("GET " + key), "$1\r\nv\r\n");
    EXPECT_EQ(Get(control_, key + " LEASE 60000").state, "refresh");
  }
  EXPECT_EQ(control_.Call({"PTTL", "eternal"}).integer, -1);
  EXPECT_GT(control_.Call({"PTTL", "timed"}).integer, 100'000);
  Run("LPUSH list x");
  EXPECT_EQ(Run("CACHE.INVALIDATE eternal list").substr(0, 10), "-WRONGTYPE");
}

TEST_F(StampedeTest, ANegativeResultIsRememberedAndNotThere) {
  RespClient loader = Connect();
  const Answer load = Get(loader, "key LEASE 60000");
  RespClient waiter = Waiter("key");
  EXPECT_EQ(loader.Raw({"CACHE.SET", "key", "", "NEGATIVE", "TOKEN", *load.token, "SOFT", "60000"}),
            kOk);
  const Answer told = Answer::Of(waiter.ReadValue());
  EXPECT_EQ(told.state, "fresh");
  EXPECT_EQ(told.value, std::nullopt);
  EXPECT_EQ(Get(control_, "key LEASE 60000").state, "fresh");
  EXPECT_EQ(State("key"), "negative");
  EXPECT_EQ(Run("GET key"), kNil);
  EXPECT_EQ(Run("EXISTS key"), ":0\r\n");
  EXPECT_EQ(Run("SET key v"), kOk);
  EXPECT_EQ(Get(control_, "key").value, "v");
  EXPECT_EQ(Run("CACHE.SET key \"\" NEGATIVE SOFT 60000"), kOk);
  EXPECT_EQ(Run("EXISTS key"), ":0\r\n");
  EXPECT_EQ(Run("CACHE.INVALIDATE key"), ":1\r\n");
  EXPECT_EQ(Get(control_, "key LEASE 60000").state, "load");
}

TEST_F(StampedeTest, AfterAFailureTheOriginIsLeftAlone) {
  RespClient loader = Connect();
  const Answer load = Get(loader, "key LEASE 60000");
  RespClient waiter = Waiter("key");
  EXPECT_EQ(loader.Raw({"CACHE.RELEASE", "key", "TOKEN", *load.token, "RETRY", "300"}), ":1\r\n");
  const Answer none = Answer::Of(waiter.ReadValue());
  EXPECT_EQ(none.state, "none");
  EXPECT_GT(none.retry, 0);
  EXPECT_LE(none.retry, 300);
  EXPECT_EQ(Get(control_, "key LEASE 60000 WAIT 60000").state, "none");
  Answer answer;
  EXPECT_TRUE(Eventually([&] {
    answer = Get(control_, "key LEASE 60000");
    return answer.state != "none";
  }));
  EXPECT_EQ(answer.state, "load");
}

TEST_F(StampedeTest, AFailureLeavesTheStaleValue) {
  Run("CACHE.SET key old SOFT 1 GRACE 60000");
  std::this_thread::sleep_for(milliseconds(5));
  const Answer refresh = Get(control_, "key LEASE 60000");
  ASSERT_EQ(refresh.state, "refresh");
  EXPECT_EQ(control_.Raw({"CACHE.RELEASE", "key", "TOKEN", *refresh.token, "RETRY", "60000"}),
            ":1\r\n");
  const Answer stale = Get(control_, "key LEASE 60000");
  EXPECT_EQ(stale.state, "stale");
  EXPECT_EQ(stale.value, "old");
  EXPECT_GT(Info("key", "retry").integer, 50'000);
}

// The longer it took to load, the earlier somebody is to refresh.
TEST_F(StampedeTest, ASlowLoadIsRefreshedEarly) {
  RespClient loader = Connect();
  const Answer load = Get(loader, "key LEASE 60000");
  std::this_thread::sleep_for(milliseconds(100));
  loader.Raw({"CACHE.SET", "key", "v", "TOKEN", *load.token, "SOFT", "600"});
  const int64_t load_time = Info("key", "load-time").integer;
  EXPECT_GE(load_time, 100);
  EXPECT_EQ(Get(control_, "key LEASE 60000 BETA 0").state, "fresh");
  // Of a thousand readers with 6 load times to go, all but e^(-6/10) are before any that must.
  Answer answer;
  for (int i = 0; i < 1000 && answer.state != "refresh"; ++i) {
    answer = Get(control_, "key LEASE 60000 BETA 10");
  }
  ASSERT_EQ(answer.state, "refresh");
  EXPECT_GT(answer.fresh, 0);
  EXPECT_EQ(answer.value, "v");
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Get(loader, "key LEASE 60000 BETA 10").state, "fresh");
}

TEST_F(StampedeTest, InfoTellsWhoLoadsAndWho) {
  RespClient loader = Connect();
  const int64_t id = loader.Call({"CLIENT", "ID"}).integer;
  EXPECT_EQ(Info("key", "lease").integer, -1);
  Get(loader, "key LEASE 60000");
  EXPECT_EQ(Info("key", "holder").integer, id);
  EXPECT_GT(Info("key", "lease").integer, 50'000);
  EXPECT_TRUE(Info("key", "rule").is_null);
  const RespClient waiter = Waiter("key");
  EXPECT_EQ(Waiters("key"), 1);
}

TEST_F(StampedeTest, WhereThereAreTooManyNobodyIsHeldUp) {
  Run("CONFIG SET stampede-max-leases 1");
  RespClient loader = Connect();
  ASSERT_EQ(Get(loader, "one LEASE 60000").state, "load");
  const Answer unprotected = Get(control_, "two LEASE 60000");
  EXPECT_EQ(unprotected.state, "load");
  EXPECT_EQ(unprotected.token, "");
  EXPECT_EQ(Run("CACHE.SET two v TOKEN \"\""), kOk);
  EXPECT_EQ(Get(control_, "two").value, "v");

  Run("CONFIG SET stampede-max-waiters-per-key 1");
  const RespClient waiter = Waiter("one");
  EXPECT_EQ(Get(control_, "one LEASE 60000 WAIT 60000").state, "none");
  Run("CONFIG SET stampede-max-waiters-per-key 100 stampede-max-waiters 1");
  EXPECT_EQ(Get(control_, "one LEASE 60000 WAIT 60000").state, "none");
}

TEST_F(StampedeTest, AHolderThatIsKilledIsReplacedAtOnce) {
  RespClient loader = Connect();
  Get(loader, "key LEASE 60000");
  RespClient waiter = Waiter("key");
  // As the kernel ends the connections of a process that is killed.
  const linger reset{.l_onoff = 1, .l_linger = 0};
  setsockopt(loader.fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  loader.Close();
  EXPECT_EQ(Answer::Of(waiter.ReadValue()).state, "load");
}

// A process of its own that is told to load over a connection of its own, and then sleeps.
class LoadingProcess {
 public:
  LoadingProcess(int port, const std::vector<std::string>& request) : process_(fork()) {
    if (process_ != 0) return;
    try {
      RespClient loader(port);
      loader.Call(request);
      while (true) pause();
    } catch (const std::exception&) {
      _exit(1);
    }
  }
  ~LoadingProcess() {
    if (process_ > 0) Kill();
  }
  LoadingProcess(const LoadingProcess&) = delete;
  LoadingProcess& operator=(const LoadingProcess&) = delete;

  void Kill() {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
    process_ = -1;
  }

 private:
  pid_t process_;
};

TEST_F(StampedeTest, AHoldersProcessIsKilledAndTheNextInLineLoads) {
  LoadingProcess loader(server_.port(), {"CACHE.GET", "key", "LEASE", "60000"});
  ASSERT_TRUE(Eventually([&] { return State("key") == "filling"; }));
  RespClient first = Waiter("key");
  const RespClient second = Waiter("key");
  loader.Kill();
  const Answer elected = Answer::Of(first.ReadValue());
  EXPECT_EQ(elected.state, "load");
  EXPECT_TRUE(elected.token.has_value());
  EXPECT_EQ(Waiters("key"), 1);
  EXPECT_EQ(InfoNumber(control_, "keys_loading_or_held"), 1);
  EXPECT_EQ(InfoNumber(control_, "leases"), 2);
  EXPECT_EQ(InfoNumber(control_, "leases_lost"), 1);
}

TEST_F(StampedeTest, UnderARuleThatSaysSoTheNextInLineLoadsToo) {
  Run("CONFIG SET stampede-rule \"key* lease 60s wait 60s disconnect release\"");
  LoadingProcess loader(server_.port(), {"GET", "key"});
  ASSERT_TRUE(Eventually([&] { return State("key") == "filling"; }));
  RespClient waiter = Connect();
  waiter.Send({"GET", "key"});
  ASSERT_TRUE(HasWaiters("key", 1));
  loader.Kill();
  EXPECT_EQ(waiter.ReadReply(), kNil);
  EXPECT_EQ(State("key"), "filling");
  EXPECT_EQ(InfoNumber(control_, "keys_loading_or_held"), 1);
  EXPECT_EQ(InfoNumber(control_, "leases_lost"), 1);
}

TEST_F(StampedeTest, WrongArgumentsAreRefused) {
  Run("LPUSH list x");
  const struct {
    std::string line;
    std::string error;
  } cases[] = {
      {"CACHE.GET", WrongArity("cache.get")},
      {"CACHE.GET key LEASE", kSyntaxError},
      {"CACHE.GET key LEASE x", kNotAnInteger},
      {"CACHE.GET key LEASE 0", "-ERR lease is out of range\r\n"},
      {"CACHE.GET key LEASE 3600001", "-ERR lease is out of range\r\n"},
      {"CACHE.GET key LEASE 1 LEASE 1", kSyntaxError},
      {"CACHE.GET key WAIT -1", "-ERR wait is out of range\r\n"},
      {"CACHE.GET key BETA nan", kNotAFloat},
      {"CACHE.GET key BETA 11", "-ERR beta is out of range\r\n"},
      {"CACHE.GET key KEEP KEEP", kSyntaxError},
      {"CACHE.GET key NOSUCH", kSyntaxError},
      {"CACHE.GET list", kWrongType},
      {"CACHE.SET key", WrongArity("cache.set")},
      {"CACHE.SET key v GRACE 1", kSyntaxError},
      {"CACHE.SET key v SOFT 1 HARD 1 GRACE 1", kSyntaxError},
      {"CACHE.SET key v SOFT 2 HARD 1", "-ERR the hard deadline is before the soft one\r\n"},
      {"CACHE.SET key v SOFT 0", "-ERR soft is out of range\r\n"},
      {"CACHE.SET key v SOFT 9223372036854775807", "-ERR soft is out of range\r\n"},
      {"CACHE.SET key v JITTER 51", "-ERR jitter is out of range\r\n"},
      {"CACHE.SET key v NEGATIVE SOFT 1",
       "-ERR a negative result has no value, and a time for which it holds\r\n"},
      {"CACHE.SET key \"\" NEGATIVE",
       "-ERR a negative result has no value, and a time for which it holds\r\n"},
      {"CACHE.RELEASE key TOKEN", WrongArity("cache.release")},
      {"CACHE.RELEASE key RETRY 1", kSyntaxError},
      {"CACHE.INFO list", kWrongType},
  };
  for (const auto& [line, error] : cases) EXPECT_EQ(Run(line), error) << line;
  EXPECT_EQ(Run("EXISTS key"), ":0\r\n");
}

TEST_F(StampedeTest, TokensOfAnotherProcessAreVoid) {
  const Answer load = Get(control_, "key LEASE 60000");
  ServerProcess restarted = ServerProcess::StartLarder();
  RespClient client(restarted.port());
  ASSERT_EQ(Get(client, "key LEASE 60000").state, "load");
  EXPECT_EQ(client.Raw({"CACHE.SET", "key", "late", "TOKEN", *load.token}), kNil);
}

}  // namespace
}  // namespace larder
