// `leases N` of a rule: no more than so many of its keys are loaded at a time, and the others get
// their turn in the order in which somebody began to wait for them.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"
#include "tests/support/background.h"
#include "tests/support/process_figures.h"
#include "tests/support/resp_client.h"
#include "tests/support/wire_replies.h"
#include "tests/wire/stampede_case.h"

namespace larder {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

class StampedeLeaseCapTest : public StampedeCase {
 protected:
  StampedeLeaseCapTest() : StampedeCase({"--stampede-rule", "p:* lease 60s wait 60s leases 1"}) {}

  int64_t Figure(const std::string& name) {
    return Field(Field(control_.Call({"CACHE.STATS"}), "p:*"), name).integer;
  }
  void SetRule(const std::string& options) {
    EXPECT_EQ(Run("CACHE.RULES SET p:* " + options), kOk);
  }

  RespClient Reader(const std::string& key) { return Waiter(key, "GET " + key); }
  // One who has been elected.
  RespClient Loader(const std::string& key) {
    RespClient client = Connect();
    EXPECT_EQ(client.Raw({"GET", key}), kNil);
    EXPECT_EQ(State(key), "filling");
    return client;
  }
};

TEST_F(StampedeLeaseCapTest, KeysGetTheirTurnInOrder) {
  RespClient first = Loader("p:1");
  RespClient second = Reader("p:2");
  RespClient also_second = Reader("p:2");
  RespClient third = Reader("p:3");
  EXPECT_EQ(State("p:2"), "absent");
  EXPECT_TRUE(second.StaysSilent(milliseconds(30)));
  EXPECT_EQ(first.Raw({"SET", "p:1", "v"}), kOk);
  EXPECT_EQ(second.ReadReply(), kNil);  // Elected.
  EXPECT_TRUE(third.StaysSilent(milliseconds(30)));
  EXPECT_TRUE(also_second.StaysSilent(milliseconds(30)));
  EXPECT_EQ(State("p:2"), "filling");
  EXPECT_EQ(second.Raw({"SET", "p:2", "w"}), kOk);
  EXPECT_EQ(also_second.ReadReply(), "$1\r\nw\r\n");
  EXPECT_EQ(third.ReadReply(), kNil);
  EXPECT_EQ(Figure("leases"), 3);
  EXPECT_EQ(Figure("held-back"), 2);
  EXPECT_EQ(Figure("waits"), 3);
  EXPECT_EQ(Figure("waits-served"), 3);
}

TEST_F(StampedeLeaseCapTest, OtherKeysAreNotHeldBack) {
  RespClient first = Loader("p:1");
  RespClient other = Connect();
  EXPECT_EQ(other.Raw({"GET", "q:1"}), kNil);
  EXPECT_EQ(Field(other.Call({"CACHE.GET", "q:2", "LEASE", "1000"}), "state").text, "load");
}

TEST_F(StampedeLeaseCapTest, HoweverALeaseEnds) {
  SetRule("lease 60s wait 60s disconnect release leases 1");
  using End = std::function<void(RespClient&)>;
  const End ends[] = {
      [](RespClient& loader) { loader.Raw({"SET", "p:1", "v"}); },
      [](RespClient& loader) { loader.Close(); },
      [&](RespClient&) { Run("DEL p:1"); },
      [&](RespClient&) { Run("CACHE.INVALIDATE p:1"); },
      [&](RespClient&) { Run("FLUSHALL"); },
      [&](RespClient&) { Run("SWAPDB 0 1"); },
      [&](RespClient&) { Run("CACHE.SET p:1 \"\" NEGATIVE SOFT 1000"); },
      [&](RespClient&) { Run("RENAME p:other p:1"); },
  };
  for (size_t i = 0; i < std::size(ends); ++i) {
    Run("FLUSHALL");
    Run("SET p:other v");
    RespClient first = Loader("p:1");
    RespClient second = Reader("p:2");
    ends[i](first);
    EXPECT_EQ(second.ReadReply(), kNil) << i;
    EXPECT_EQ(Run("SET p:2 v"), kOk);
    Run("DEL p:1");
  }
}

TEST_F(StampedeLeaseCapTest, AReleaseAndAFillWithTokensToo) {
  RespClient first = Connect();
  const RespValue load = first.Call({"CACHE.GET", "p:1", "LEASE", "60000"});
  EXPECT_EQ(Field(load, "state").text, "load");
  RespClient second = Waiter("p:2", "CACHE.GET p:2 LEASE 60000 WAIT 60000");
  RespClient third = Waiter("p:3", "CACHE.GET p:3 LEASE 60000 WAIT 60000");
  first.Call({"CACHE.RELEASE", "p:1", "TOKEN", Field(load, "token").text, "RETRY", "1000"});
  const RespValue turn = second.ReadValue();
  EXPECT_EQ(Field(turn, "state").text, "load");
  EXPECT_TRUE(third.StaysSilent(milliseconds(30)));
  EXPECT_EQ(second.Raw({"CACHE.SET", "p:2", "v", "TOKEN", Field(turn, "token").text}), kOk);
  EXPECT_EQ(Field(third.ReadValue(), "state").text, "load");
}

TEST_F(StampedeLeaseCapTest, ADeadlineEndsALeaseAtOnce) {
  SetRule("lease 300ms wait 60s leases 2");
  RespClient one = Loader("p:1");
  const auto one_began = Clock::now();
  std::this_thread::sleep_for(milliseconds(100));
  RespClient two = Loader("p:2");
  RespClient three = Reader("p:3");
  RespClient four = Reader("p:4");
  RespClient five = Reader("p:5");
  EXPECT_EQ(three.ReadReply(), kNil);
  const auto took = Clock::now() - one_began;
  EXPECT_GE(took, milliseconds(290));
  EXPECT_LT(took, milliseconds(kSanitized ? 3000 : 600));
  EXPECT_EQ(four.ReadReply(), kNil);
  EXPECT_EQ(five.ReadReply(), kNil);  // When that of p:3 ends.
  EXPECT_GE(Clock::now() - one_began, milliseconds(590));
}

TEST_F(StampedeLeaseCapTest, WhoWaitsInVainSeesAMiss) {
  SetRule("lease 60s wait 30ms leases 1");
  RespClient first = Loader("p:1");
  EXPECT_EQ(Run("GET p:2"), kNil);
  EXPECT_EQ(State("p:2"), "absent");
  RespClient caller = Connect();
  const RespValue none = caller.Call({"CACHE.GET", "p:2", "LEASE", "1000", "WAIT", "30"});
  EXPECT_EQ(Field(none, "state").text, "none");
  const RespValue at_once = caller.Call({"CACHE.GET", "p:2", "LEASE", "1000"});
  EXPECT_EQ(Field(at_once, "state").text, "none");
  EXPECT_GT(Field(at_once, "retry").integer, 0);
  EXPECT_EQ(Figure("wait-timeouts"), 2);
  EXPECT_EQ(Figure("held-back"), 3);
}

TEST_F(StampedeLeaseCapTest, AKeyThatNobodyWaitsForAnyMorePassesItsTurn) {
  RespClient first = Loader("p:1");
  RespClient gone = Reader("p:2");
  RespClient unblocked = Reader("p:3");
  RespClient in_time = Waiter("p:4", "CACHE.GET p:4 LEASE 60000 WAIT 300");
  RespClient last = Reader("p:5");
  gone.Close();
  EXPECT_TRUE(Eventually([&] { return Waiters("p:2") == 0; }));
  const RespValue clients = control_.Call({"CLIENT", "LIST"});
  const std::string port = ":" + std::to_string(unblocked.LocalPort()) + " ";
  const size_t line = clients.text.rfind("id=", clients.text.find(port));
  const std::string id = clients.text.substr(line + 3, clients.text.find(' ', line) - line - 3);
  EXPECT_EQ(Run("CLIENT UNBLOCK " + id), ":1\r\n");
  EXPECT_EQ(unblocked.ReadReply(), kNil);
  EXPECT_EQ(Field(in_time.ReadValue(), "state").text, "none");
  EXPECT_EQ(first.Raw({"SET", "p:1", "v"}), kOk);
  EXPECT_EQ(last.ReadReply(), kNil);
  EXPECT_EQ(State("p:5"), "filling");
  EXPECT_EQ(Run("SET p:5 v"), kOk);
  RespClient next = Loader("p:6");  // No place has been lost.
}

TEST_F(StampedeLeaseCapTest, ATurnThatNobodyInTheLineTakesPassesOn) {
  RespClient first = Loader("p:1");
  RespClient ready = Waiter("p:2", "CACHE.GET p:2 LEASE 1000 WAIT 60000");
  RespClient only_reads = Waiter("p:2", "CACHE.GET p:2 WAIT 60000");
  RespClient list = Waiter("p:2", "BLPOP p:2 0");
  RespClient last = Reader("p:3");
  ready.Close();
  EXPECT_TRUE(Eventually([&] { return Waiters("p:2") == 2; }));
  EXPECT_EQ(first.Raw({"SET", "p:1", "v"}), kOk);
  EXPECT_EQ(Field(only_reads.ReadValue(), "state").text, "none");
  EXPECT_EQ(last.ReadReply(), kNil);
  EXPECT_EQ(State("p:3"), "filling");
  EXPECT_TRUE(list.StaysSilent(milliseconds(30)));
}

TEST_F(StampedeLeaseCapTest, AValueThatComesMeanwhileEndsTheWait) {
  RespClient first = Loader("p:1");
  RespClient second = Reader("p:2");
  RespClient third = Reader("p:3");
  EXPECT_EQ(Run("SET p:2 v"), kOk);
  EXPECT_EQ(second.ReadReply(), "$1\r\nv\r\n");
  EXPECT_TRUE(third.StaysSilent(milliseconds(30)));
  EXPECT_EQ(first.Raw({"SET", "p:1", "v"}), kOk);
  EXPECT_EQ(third.ReadReply(), kNil);
}

TEST_F(StampedeLeaseCapTest, AnOldValueIsServed) {
  SetRule("lease 60s wait 60s grace 60s leases 1");
  Run("SET p:2 old PX 1");
  std::this_thread::sleep_for(milliseconds(5));
  RespClient first = Loader("p:1");
  EXPECT_EQ(Run("GET p:2"), "$3\r\nold\r\n");
  EXPECT_EQ(Field(control_.Call({"CACHE.GET", "p:2", "LEASE", "1000"}), "state").text, "stale");
  EXPECT_EQ(Figure("stale-served"), 2);
  EXPECT_EQ(Figure("held-back"), 2);
  EXPECT_EQ(first.Raw({"SET", "p:1", "v"}), kOk);
  EXPECT_EQ(Run("GET p:2"), kNil);  // Now it is loaded.
}

TEST_F(StampedeLeaseCapTest, WhoCannotWaitSeesAMiss) {
  RespClient first = Loader("p:1");
  EXPECT_EQ(first.Raw({"GET", "p:2"}), kNil);  // It holds a lease.
  Run("MULTI");
  Run("GET p:2");
  EXPECT_EQ(Run("EXEC"), "*1\r\n" + kNil);
  EXPECT_EQ(State("p:2"), "absent");
  EXPECT_EQ(Figure("leases"), 1);
}

TEST_F(StampedeLeaseCapTest, AnotherNumberTakesEffectAtOnce) {
  RespClient first = Loader("p:1");
  std::deque<RespClient> readers;
  for (int i = 2; i <= 6; ++i) readers.push_back(Reader("p:" + std::to_string(i)));
  SetRule("lease 60s wait 60s leases 3");
  EXPECT_EQ(readers[0].ReadReply(), kNil);
  EXPECT_EQ(readers[1].ReadReply(), kNil);
  EXPECT_TRUE(readers[2].StaysSilent(milliseconds(30)));
  EXPECT_EQ(Run("CONFIG SET stampede-rule \"p:* lease 60s wait 60s leases 1\""), kOk);
  EXPECT_EQ(first.Raw({"SET", "p:1", "v"}), kOk);
  EXPECT_EQ(readers[0].Raw({"SET", "p:2", "v"}), kOk);
  EXPECT_TRUE(readers[2].StaysSilent(milliseconds(30)));
  EXPECT_EQ(readers[1].Raw({"SET", "p:3", "v"}), kOk);
  EXPECT_EQ(readers[2].ReadReply(), kNil);
  EXPECT_TRUE(readers[3].StaysSilent(milliseconds(30)));
  SetRule("lease 60s wait 60s");
  EXPECT_EQ(readers[3].ReadReply(), kNil);
  EXPECT_EQ(readers[4].ReadReply(), kNil);
  EXPECT_EQ(State("p:6"), "filling");
}

TEST_F(StampedeLeaseCapTest, WithoutItsRuleNobodyWaitsForATurn) {
  RespClient first = Loader("p:1");
  RespClient second = Reader("p:2");
  EXPECT_EQ(Run("CACHE.RULES DEL p:*"), ":1\r\n");
  EXPECT_EQ(second.ReadReply(), kNil);
}

TEST_F(StampedeLeaseCapTest, IsShown) {
  const std::string rule =
      "p:* lease 1m wait 1m grace 0ms beta 1 jitter 0% disconnect keep leases ";
  EXPECT_EQ(control_.Call({"CONFIG", "GET", "stampede-rule"}).elements[1].text, rule + "1");
  EXPECT_EQ(Field(control_.Call({"CACHE.RULES", "LIST"}).elements[0], "leases").integer, 1);
  RespClient first = Loader("p:1");
  const auto explained = [&](const std::string& key) {
    return Field(control_.Call({"CACHE.EXPLAIN", key}), "get").text;
  };
  EXPECT_EQ(explained("p:2"), "waits up to 60000ms: the rule has all its leases out");
  RespClient second = Reader("p:2");
  EXPECT_EQ(explained("p:2"), "waits up to 60000ms: the rule has all its leases out");
  const RespValue info = control_.Call({"CACHE.INFO", "p:2"});
  EXPECT_EQ(Field(info, "retry").integer, 0);
  EXPECT_EQ(Field(info, "lease").integer, -1);
  SetRule("lease 1m wait 1m leases 7");
  EXPECT_EQ(control_.Call({"CONFIG", "GET", "stampede-rule"}).elements[1].text, rule + "7");
  EXPECT_EQ(Run("CACHE.RULES SET p:* leases x"), "-ERR 'leases' wants a number up to 1000000\r\n");
}

constexpr uint64_t kKeys = 20;

std::string NameOf(uint64_t key) { return "p:" + std::to_string(key); }

// Perhaps it waits: then it is gone.
void AskAndLeave(RespClient& client, const std::string& key, Random& random) {
  client.Send({"GET", key});
  std::this_thread::sleep_for(milliseconds(random.Uniform(3)));
}

// Fills, gives up, fills for a moment, or leaves the lease to the end of the connection.
void EndLease(RespClient& client, const std::string& key, const std::string& token,
              Random& random) {
  switch (random.Uniform(4)) {
    case 0:
      break;  // It dies.
    case 1:
      client.Raw({"CACHE.RELEASE", key, "TOKEN", token});
      break;
    case 2:
      client.Raw({"CACHE.SET", key, "v", "TOKEN", token, "HARD", "5"});
      break;
    default:
      client.Raw({"CACHE.SET", key, "v", "TOKEN", token});
  }
}

// Loads the key if it is not there, and else perhaps deletes it.
void LoadOrDelete(RespClient& client, const std::string& key, Random& random) {
  const RespValue reply =
      client.Call({"CACHE.GET", key, "LEASE", "60000", "WAIT", "60000", "BETA", "0"});
  const std::string state = Field(reply, "state").text;
  if (state == "fresh") {
    if (random.Uniform(2) == 0) client.Raw({"DEL", key});
    return;
  }
  ASSERT_EQ(state, "load") << key;
  std::this_thread::sleep_for(std::chrono::microseconds(random.Uniform(2000)));
  EndLease(client, key, Field(reply, "token").text, random);
}

// How many keys are being loaded: all looked at in one instant.
int64_t CountFilling(RespClient& client) {
  client.Raw({"MULTI"});
  for (uint64_t key = 0; key < kKeys; ++key) client.Raw({"CACHE.INFO", NameOf(key)});
  const std::vector<RespValue> infos = client.Call({"EXEC"}).elements;
  return std::count_if(infos.begin(), infos.end(), [](const RespValue& info) {
    return Field(info, "state").text == "filling";
  });
}

// Loaders that fill, die, give up or are late, on many keys and connections: never more loads than
// the rule allows, and in the end nobody waits and no place is lost.
TEST_F(StampedeLeaseCapTest, UnderEverythingAtOnceTheCapHoldsAndNobodyIsLeftBehind) {
  constexpr int kMost = 3;
  constexpr size_t kThreads = 12;
  constexpr int kRequests = kSanitized ? 150 : 600;
  SetRule("lease 60s wait 60s disconnect release leases " + std::to_string(kMost));
  std::atomic<size_t> calling{kThreads};
  int64_t most = 0;
  std::vector<std::function<void()>> tasks = {[&] {
    RespClient client = Connect();
    while (calling > 0) most = std::max(most, CountFilling(client));
  }};
  for (size_t seed = 1; seed <= kThreads; ++seed) {
    tasks.push_back([&, seed] {
      Random random(seed);
      for (int i = 0; i < kRequests && !HasFatalFailure(); ++i) {
        RespClient client = Connect();
        const std::string key = NameOf(random.Uniform(kKeys));
        if (random.Uniform(8) == 0) {
          AskAndLeave(client, key, random);
        } else {
          LoadOrDelete(client, key, random);
        }
      }
      --calling;
    });
  }
  RunAll(tasks);
  EXPECT_EQ(most, kMost);
  EXPECT_GT(Figure("held-back"), 0);
  EXPECT_TRUE(Eventually([&] { return InfoNumber(control_, "blocked_clients") == 0; }));
  EXPECT_TRUE(Eventually([&] { return CountFilling(control_) == 0; }));
  // All places are free again.
  Run("FLUSHALL");
  std::deque<RespClient> loaders;
  for (uint64_t key = 0; key < kMost; ++key) loaders.push_back(Loader(NameOf(key)));
  RespClient waiter = Reader("p:last");
  EXPECT_TRUE(waiter.StaysSilent(milliseconds(30)));
}

}  // namespace
}  // namespace larder
