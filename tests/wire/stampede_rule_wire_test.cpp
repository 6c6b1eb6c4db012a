// What a rule makes of plain GET and SET: programs that know nothing of stampede protection have
// it.
#include <chrono>
#include <exception>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/resp_client.h"
#include "tests/support/server_process.h"
#include "tests/support/wire_replies.h"
#include "tests/wire/stampede_case.h"

namespace larder {
namespace {

using std::chrono::milliseconds;

class StampedeRuleTest : public StampedeCase {
 protected:
  StampedeRuleTest() : StampedeCase({"--stampede-rule", "p:* lease 60s wait 60s grace 30s"}) {}

  RespClient Reader(const std::string& line) { return Waiter("p:1", line); }
};

TEST_F(StampedeRuleTest, OneReaderMissesAndTheOthersGetItsValue) {
  RespClient loader = Connect();
  EXPECT_EQ(loader.Raw({"GET", "p:1"}), kNil);
  RespClient first = Reader("GET p:1");
  RespClient second = Reader("GETEX p:1 EX 100");
  EXPECT_EQ(loader.Raw({"SET", "p:1", "value", "EX", "60"}), kOk);
  EXPECT_EQ(first.ReadReply(), "$5\r\nvalue\r\n");
  EXPECT_EQ(second.ReadReply(), "$5\r\nvalue\r\n");
}

TEST_F(StampedeRuleTest, OtherKeysAreAsEver) {
  RespClient other = Connect();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(control_.Raw({"GET", "q:1"}), kNil);
    EXPECT_EQ(other.Raw({"GET", "q:1"}), kNil);
  }
  Run("SET q:1 v EX 60");
  EXPECT_LE(control_.Call({"TTL", "q:1"}).integer, 60);
  EXPECT_EQ(State("q:1"), "fresh");
}

TEST_F(StampedeRuleTest, EveryPlainWriteThatExpiresHasGrace) {
  for (const std::string line :
       {"SET p:1 v EX 60", "SET p:1 v PX 60000", "SETEX p:1 60 v", "PSETEX p:1 60000 v"}) {
    Run("DEL p:1");
    EXPECT_EQ(Run(line), kOk);
    const int64_t ttl = control_.Call({"TTL", "p:1"}).integer;
    EXPECT_GT(ttl, 80) << line;
    EXPECT_LE(ttl, 90) << line;
    const int64_t fresh = Info("p:1", "fresh").integer;
    EXPECT_LE(fresh, 60'000) << line;
    EXPECT_GT(fresh, 50'000) << line;
  }
  Run("SET p:1 v2 KEEPTTL");
  EXPECT_LE(control_.Call({"TTL", "p:1"}).integer, 90);
  EXPECT_LE(Info("p:1", "fresh").integer, 60'000);
  Run("SET p:1 v");
  EXPECT_EQ(control_.Call({"TTL", "p:1"}).integer, -1);
}

TEST_F(StampedeRuleTest, AnOldValueIsServedWhileOneReaderLoads) {
  Run("SET p:1 old PX 1");
  std::this_thread::sleep_for(milliseconds(5));
  RespClient loader = Connect();
  EXPECT_EQ(loader.Raw({"GET", "p:1"}), kNil);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Run("GET p:1"), "$3\r\nold\r\n");
  EXPECT_EQ(loader.Raw({"SET", "p:1", "new", "EX", "60"}), kOk);
  EXPECT_EQ(Run("GET p:1"), "$3\r\nnew\r\n");
}

TEST_F(StampedeRuleTest, ADeletedKeyElectsAnew) {
  RespClient loader = Connect();
  EXPECT_EQ(loader.Raw({"GET", "p:1"}), kNil);
  RespClient first = Reader("GET p:1");
  RespClient second = Reader("GET p:1");
  EXPECT_EQ(Run("CACHE.INVALIDATE p:1"), ":1\r\n");
  EXPECT_EQ(first.ReadReply(), kNil);
  EXPECT_TRUE(second.StaysSilent(milliseconds(50)));
  EXPECT_EQ(first.Raw({"SET", "p:1", "v"}), kOk);
  EXPECT_EQ(second.ReadReply(), "$1\r\nv\r\n");
}

TEST_F(StampedeRuleTest, WhoWaitsInVainSeesAMiss) {
  Run("CONFIG SET stampede-rule \"p:* lease 60s wait 30ms\"");
  RespClient loader = Connect();
  EXPECT_EQ(loader.Raw({"GET", "p:1"}), kNil);
  EXPECT_EQ(Run("GET p:1"), kNil);
}

TEST_F(StampedeRuleTest, AManyCallersConnectionIsNeverHeldUp) {
  RespClient client = Connect();
  std::string requests;
  for (int i = 0; i < 1000; ++i) requests += EncodeRequest({"GET", "p:" + std::to_string(i % 10)});
  client.SendBytes(requests);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(client.ReadReply(), kNil) << i;
}

TEST_F(StampedeRuleTest, WithoutARuleNothingChanges) {
  Run("CONFIG SET stampede-rule \"\"");
  EXPECT_EQ(Run("GET p:1"), kNil);
  RespClient other = Connect();
  EXPECT_EQ(other.Raw({"GET", "p:1"}), kNil);
  Run("SET p:1 v EX 60");
  EXPECT_LE(control_.Call({"TTL", "p:1"}).integer, 60);
}

TEST_F(StampedeRuleTest, AMultiNeitherWaitsNorHangs) {
  RespClient loader = Connect();
  EXPECT_EQ(loader.Raw({"GET", "p:1"}), kNil);
  Run("MULTI");
  Run("GET p:1");
  EXPECT_EQ(Run("EXEC"), Array({kNil}));
}

TEST_F(StampedeRuleTest, JitterShortensTheTimeToLive) {
  Run("CONFIG SET stampede-rule \"p:* jitter 50%\"");
  bool differ = false;
  for (int i = 0; i < 50; ++i) {
    Run("SET p:1 v PX 100000");
    const int64_t ttl = control_.Call({"PTTL", "p:1"}).integer;
    EXPECT_LE(ttl, 100'000);
    EXPECT_GE(ttl, 50'000 - 5000);
    differ |= ttl < 90'000;
  }
  EXPECT_TRUE(differ);
}

TEST_F(StampedeRuleTest, RulesAreChangedWhileTheServerRuns) {
  const std::string p = "p:* lease 1m wait 1m grace 30s beta 1 jitter 0% disconnect keep leases 0";
  const auto configured = [&] {
    return control_.Call({"CONFIG", "GET", "stampede-rule"}).elements[1].text;
  };
  EXPECT_EQ(configured(), p);
  EXPECT_EQ(Run("CACHE.RULES SET q:* wait 1s"), kOk);
  const std::string q = "q:* lease 5s wait 1s grace 0ms beta 1 jitter 0% disconnect keep leases 0";
  EXPECT_EQ(configured(), p + "; " + q);
  EXPECT_EQ(Run("CACHE.RULES SET p:* lease 1s"), kOk);
  EXPECT_EQ(configured(),
            "p:* lease 1s wait 500ms grace 0ms beta 1 jitter 0% disconnect keep leases 0; " + q);
  EXPECT_EQ(Run("CACHE.RULES DEL p:*"), ":1\r\n");
  EXPECT_EQ(Run("CACHE.RULES DEL p:*"), ":0\r\n");
  EXPECT_EQ(configured(), q);
  const RespValue list = control_.Call({"CACHE.RULES", "LIST"});
  ASSERT_EQ(list.elements.size(), 1u);
  EXPECT_EQ(list.elements[0].elements[1].text, "q:*");
  EXPECT_EQ(list.elements[0].elements[5].integer, 1000);
  EXPECT_EQ(Run("CACHE.RULES SET r:* lease 0"), "-ERR 'lease' wants a time from 1ms to 1h\r\n");
  EXPECT_EQ(Run("CONFIG SET stampede-rule \"a:*; a:*\"").substr(0, 5), "-ERR ");
  EXPECT_EQ(configured(), q);
  EXPECT_EQ(Run("CONFIG SET stampede-rule \"" + p + "; " + q + "\""), kOk);
  EXPECT_EQ(configured(), p + "; " + q);
}

TEST_F(StampedeRuleTest, FiguresTellWhatTheRuleDid) {
  const auto figure = [&](const std::string& name) -> int64_t {
    const RespValue stats = control_.Call({"CACHE.STATS"});
    EXPECT_EQ(stats.elements[0].text, "p:*");
    return Field(stats.elements[1], name).integer;
  };
  RespClient loader = Connect();
  EXPECT_EQ(loader.Raw({"GET", "p:1"}), kNil);
  RespClient first = Reader("GET p:1");
  RespClient second = Reader("GET p:1");
  loader.Raw({"SET", "p:1", "old", "EX", "60"});
  first.ReadReply();
  second.ReadReply();
  Run("CACHE.INVALIDATE p:1");
  EXPECT_EQ(loader.Raw({"GET", "p:1"}), kNil);
  EXPECT_EQ(Run("GET p:1"), "$3\r\nold\r\n");
  EXPECT_EQ(figure("leases"), 2);
  EXPECT_EQ(figure("fills"), 1);
  EXPECT_EQ(figure("waits"), 2);
  EXPECT_EQ(figure("waits-served"), 2);
  EXPECT_EQ(figure("stale-served"), 1);
  EXPECT_EQ(figure("origin-loads-saved"), 3);
  // A rule that changes goes on counting.
  Run("CACHE.RULES SET p:* lease 1s");
  EXPECT_EQ(figure("leases"), 2);
  // INFO adds up what each rule did, and what commands did without one.
  EXPECT_EQ(Field(control_.Call({"CACHE.GET", "q:1", "LEASE", "60000"}), "state").text, "load");
  EXPECT_EQ(InfoNumber(control_, "stampede_rules"), 1);
  EXPECT_EQ(InfoNumber(control_, "leases"), 3);
  EXPECT_EQ(InfoNumber(control_, "waits_served"), 2);
  EXPECT_EQ(InfoNumber(control_, "origin_loads_saved"), 3);
  EXPECT_EQ(Run("CACHE.STATS RESET"), kOk);
  EXPECT_EQ(figure("leases"), 0);
  EXPECT_EQ(InfoNumber(control_, "leases"), 0);
}

TEST_F(StampedeRuleTest, InfoTellsWhatIsUnderWay) {
  EXPECT_EQ(InfoNumber(control_, "keys_loading_or_held"), 0);
  RespClient loader = Connect();
  loader.Raw({"GET", "p:1"});
  const RespClient waiter = Reader("GET p:1");
  EXPECT_EQ(InfoNumber(control_, "keys_loading_or_held"), 1);
  EXPECT_EQ(InfoNumber(control_, "waiting_clients"), 1);
  EXPECT_EQ(InfoNumber(control_, "leases"), 1);
  // Counting begins anew, what is under way goes on.
  EXPECT_EQ(Run("CONFIG RESETSTAT"), kOk);
  EXPECT_EQ(InfoNumber(control_, "leases"), 0);
  EXPECT_EQ(InfoNumber(control_, "waits"), 0);
  EXPECT_EQ(InfoNumber(control_, "keys_loading_or_held"), 1);
  EXPECT_EQ(InfoNumber(control_, "waiting_clients"), 1);
}

TEST_F(StampedeRuleTest, ExplainSaysWhatARuleDoesToAKey) {
  const auto explain = [&](const std::string& key, size_t field) {
    const RespValue reply = control_.Call({"CACHE.EXPLAIN", key});
    return reply.elements[field].is_null ? "none" : reply.elements[field].text;
  };
  EXPECT_EQ(explain("q:1", 1), "none");
  EXPECT_EQ(explain("q:1", 3), "misses");
  EXPECT_EQ(explain("q:1", 5), "stores the value as ever");
  EXPECT_EQ(explain("p:1", 1),
            "p:* lease 1m wait 1m grace 30s beta 1 jitter 0% disconnect keep leases 0");
  EXPECT_EQ(explain("p:1", 3), "misses: the caller is to load");
  RespClient loader = Connect();
  loader.Raw({"GET", "p:1"});
  const std::string id = std::to_string(loader.Call({"CLIENT", "ID"}).integer);
  EXPECT_EQ(explain("p:1", 3), "waits up to 60000ms: client " + id + " loads");
  EXPECT_EQ(explain("p:1", 5),
            "stores the value, ends a lease and wakes those who wait; keeps it 30000ms longer as "
            "an old value");
  Run("SET p:1 v EX 60");
  EXPECT_EQ(explain("p:1", 3), "returns the value, or misses to have it loaded early");
}

TEST_F(StampedeRuleTest, AFileHasALineForEachRule) {
  TemporaryDirectory directory;
  const std::string path = directory.path() / "larder.conf";
  std::ofstream(path) << "stampede-rule a:* lease 1s\nstampede-rule b:* grace 1m\n";
  const int port = FreePort();
  ServerProcess server(LarderServerPath(), {path, "--port", std::to_string(port)});
  const auto connect = [&] {
    for (int i = 0; i < 1000; ++i) {
      try {
        return RespClient(port);
      } catch (const std::exception&) {
        std::this_thread::sleep_for(milliseconds(10));
      }
    }
    return RespClient(port);
  };
  RespClient client = connect();
  EXPECT_EQ(client.Raw({"CACHE.RULES", "SET", "c:*"}), kOk);
  EXPECT_EQ(client.Raw({"CONFIG", "REWRITE"}), kOk);
  std::ifstream file(path);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  for (const std::string glob : {"a:*", "b:*", "c:*"}) {
    EXPECT_NE(text.find("stampede-rule " + glob + " lease "), std::string::npos) << text;
  }
}

TEST_F(StampedeRuleTest, ABadLineStopsTheStart) {
  ServerProcess server(LarderServerPath(), {"--port", std::to_string(FreePort()), "--stampede-rule",
                                            "p:* lease never"});
  EXPECT_EQ(server.WaitForExit(std::chrono::seconds(10)), 1);
  EXPECT_NE(server.Log().find("'lease' wants a time from 1ms to 1h"), std::string::npos)
      << server.Log();
}

TEST_F(StampedeRuleTest, AnotherTypeIsAnErrorAsEver) {
  Run("LPUSH p:list x");
  EXPECT_EQ(Run("GET p:list"), kWrongType);
}

}  // namespace
}  // namespace larder
