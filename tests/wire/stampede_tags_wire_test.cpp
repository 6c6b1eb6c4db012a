// CACHE.SET with TAG and CACHE.INVALIDATE TAG: all values under a name become stale at once, and
// nothing that was read from the origin before an invalidation is seen as fresh after it.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
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

class StampedeTagsTest : public StampedeCase {
 protected:
  std::vector<std::string> Tags(const std::string& key) {
    std::vector<std::string> tags;
    for (const RespValue& tag : Info(key, "tags").elements) {
      tags.push_back(tag.text);
    }
    return tags;
  }
  // Asks for `key`, ready to load; its token.
  static std::string Lease(RespClient& client, const std::string& key) {
    const RespValue reply = client.Call({"CACHE.GET", key, "LEASE", "60000"});
    EXPECT_FALSE(Field(reply, "token").is_null);
    return Field(reply, "token").text;
  }
  static std::string Fill(RespClient& client, const std::string& key, const std::string& token,
                          const std::vector<std::string>& options = {}) {
    std::vector<std::string> words = {"CACHE.SET", key, "loaded", "TOKEN", token};
    words.insert(words.end(), options.begin(), options.end());
    return client.Raw(words);
  }
};

TEST_F(StampedeTagsTest, AllValuesUnderATagBecomeStale) {
  Run("CACHE.SET a 1 SOFT 60000 GRACE 60000 TAG x TAG y");
  Run("CACHE.SET b 2 SOFT 60000 GRACE 60000 TAG x");
  Run("CACHE.SET c 3 TAG y");
  Run("CACHE.SET d 4 SOFT 60000");
  EXPECT_EQ(Tags("a"), (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(Tags("d"), std::vector<std::string>{});
  EXPECT_EQ(Run("CACHE.INVALIDATE TAG x"), ":1\r\n");
  EXPECT_EQ(State("a"), "stale");
  EXPECT_EQ(State("b"), "stale");
  EXPECT_EQ(State("c"), "fresh");
  EXPECT_EQ(State("d"), "fresh");
  EXPECT_EQ(Run("GET a"), "$1\r\n1\r\n");  // Softly.
  EXPECT_EQ(Run("CACHE.INVALIDATE tag x Tag y TAG none"), ":2\r\n");
  EXPECT_EQ(State("c"), "stale");
}

TEST_F(StampedeTagsTest, AStaleValueIsAsAfterAnInvalidationOfItsKey) {
  Run("CACHE.SET key old TAG t");
  const RespValue before = control_.Call({"CACHE.GET", "key"});
  EXPECT_EQ(Field(before, "state").text, "fresh");
  EXPECT_EQ(Field(before, "ttl").integer, -1);
  EXPECT_TRUE(Field(before, "fresh").is_null);
  Run("CACHE.INVALIDATE TAG t");
  const RespValue stale = control_.Call({"CACHE.GET", "key"});
  EXPECT_EQ(Field(stale, "state").text, "stale");
  EXPECT_EQ(Field(stale, "value").text, "old");
  EXPECT_EQ(Field(stale, "ttl").integer, -1);  // It has no hard deadline, as before.
  EXPECT_LE(Field(stale, "fresh").integer, -1000);
  EXPECT_EQ(Field(control_.Call({"CACHE.GET", "key", "MAXSTALE", "500"}), "state").text, "none");
  EXPECT_EQ(Field(control_.Call({"CACHE.GET", "key", "MAXSTALE", "60000"}), "state").text, "stale");
  RespClient loader = Connect();
  const RespValue elected = loader.Call({"CACHE.GET", "key", "LEASE", "60000"});
  EXPECT_EQ(Field(elected, "state").text, "refresh");
  EXPECT_EQ(State("key"), "stale-filling");
  EXPECT_EQ(Fill(loader, "key", Field(elected, "token").text, {"TAG", "t"}), kOk);
  EXPECT_EQ(State("key"), "fresh");
}

TEST_F(StampedeTagsTest, AFillFromBeforeTheInvalidationIsRefused) {
  const std::string fill = Lease(control_, "key");
  EXPECT_EQ(Fill(control_, "key", fill, {"TAG", "t"}), kOk);
  Run("CACHE.INVALIDATE key");
  RespClient late = Connect();
  const std::string token = Lease(late, "key");
  EXPECT_EQ(Run("CACHE.INVALIDATE TAG t"), ":1\r\n");
  // Whatever it is tagged with: what it replaces was.
  EXPECT_EQ(Fill(late, "key", token, {"TAG", "other"}), kNil);
  EXPECT_EQ(Run("GET key"), "$6\r\nloaded\r\n");
  EXPECT_EQ(State("key"), "stale");
  EXPECT_EQ(Fill(late, "key", token, {"TAG", "other"}), kNil);
  const std::string next = Lease(late, "key");
  EXPECT_EQ(Fill(late, "key", next, {"TAG", "other"}), kOk);
  EXPECT_EQ(Tags("key"), std::vector<std::string>{"other"});
}

TEST_F(StampedeTagsTest, AFillUnderATagThatNobodyKnewIsRefusedToo) {
  RespClient late = Connect();
  const std::string token = Lease(late, "key");
  EXPECT_EQ(Run("CACHE.INVALIDATE TAG unknown"), ":0\r\n");
  EXPECT_EQ(Fill(late, "key", token, {"TAG", "known", "TAG", "unknown"}), kNil);
  EXPECT_EQ(State("key"), "absent");  // The lease has ended.
  const std::string untouched = Lease(late, "key");
  EXPECT_EQ(Fill(late, "key", untouched, {"TAG", "known", "TAG", "unknown"}), kOk);
  EXPECT_EQ(State("key"), "fresh");
}

TEST_F(StampedeTagsTest, ATagOfAValueThatIsGoneStillFences) {
  Run("CACHE.SET other v TAG t");
  RespClient late = Connect();
  const std::string token = Lease(late, "key");
  EXPECT_EQ(Run("CACHE.INVALIDATE TAG t"), ":1\r\n");
  Run("DEL other");
  EXPECT_EQ(Fill(late, "key", token, {"TAG", "t"}), kNil);
}

TEST_F(StampedeTagsTest, ThousandsOfForgottenTagsRefuseAndDoNotAccept) {
  RespClient late = Connect();
  const std::string token = Lease(late, "key");
  Run("CACHE.INVALIDATE TAG first");
  std::string requests;
  constexpr int kMany = 30'000;
  for (int i = 0; i < kMany; ++i) {
    requests += EncodeRequest({"CACHE.INVALIDATE", "TAG", "tag" + std::to_string(i)});
  }
  control_.SendBytes(requests);
  for (int i = 0; i < kMany; ++i) ASSERT_EQ(control_.ReadReply(), ":0\r\n");
  EXPECT_EQ(Fill(late, "key", token, {"TAG", "first"}), kNil);
  const std::string next = Lease(late, "key");
  EXPECT_EQ(Fill(late, "key", next, {"TAG", "first"}), kOk);
}

TEST_F(StampedeTagsTest, ARefusedFillPassesTheLeaseOn) {
  RespClient late = Connect();
  const std::string token = Lease(late, "key");
  RespClient waiter = Connect();
  waiter.Send({"CACHE.GET", "key", "LEASE", "60000", "WAIT", "60000"});
  ASSERT_TRUE(HasWaiters("key", 1));
  Run("CACHE.INVALIDATE TAG t");
  EXPECT_TRUE(waiter.StaysSilent(milliseconds(30)));
  EXPECT_EQ(Fill(late, "key", token, {"TAG", "t"}), kNil);
  const RespValue elected = waiter.ReadValue();
  EXPECT_EQ(Field(elected, "state").text, "load");
  EXPECT_EQ(Fill(waiter, "key", Field(elected, "token").text, {"TAG", "t"}), kOk);
  EXPECT_EQ(State("key"), "fresh");
}

TEST_F(StampedeTagsTest, WhoSeesTheInvalidationIsElectedInPlaceOfWhoBeganBefore) {
  Run("CACHE.SET key old TAG t");
  Run("CACHE.INVALIDATE key");
  RespClient late = Connect();
  const std::string token = Lease(late, "key");
  Run("CACHE.INVALIDATE TAG t");
  RespClient reader = Connect();
  const RespValue elected = reader.Call({"CACHE.GET", "key", "LEASE", "60000"});
  EXPECT_EQ(Field(elected, "state").text, "refresh");
  EXPECT_EQ(Fill(late, "key", token), kNil);
  EXPECT_EQ(Fill(reader, "key", Field(elected, "token").text), kOk);
}

TEST_F(StampedeTagsTest, WhoWaitsForAVoidLeaseIsElectedWhenSomebodyLooks) {
  Run("CACHE.SET key old TAG t");
  Run("CACHE.INVALIDATE key");
  RespClient late = Connect();
  Lease(late, "key");
  RespClient waiter = Connect();
  waiter.Send({"CACHE.GET", "key", "LEASE", "60000", "WAIT", "60000", "MAXSTALE", "0"});
  ASSERT_TRUE(HasWaiters("key", 1));
  Run("CACHE.INVALIDATE TAG t");
  Run("CACHE.GET key");
  EXPECT_EQ(Field(waiter.ReadValue(), "state").text, "load");
}

TEST_F(StampedeTagsTest, AWriteWithoutATokenIsAlwaysStored) {
  Run("CACHE.INVALIDATE TAG t");
  EXPECT_EQ(Run("CACHE.SET key v TAG t"), kOk);
  EXPECT_EQ(State("key"), "fresh");
  RespClient loader = Connect();
  EXPECT_EQ(loader.Raw({"CACHE.SET", "key", "v2", "TOKEN", "", "TAG", "t"}), kOk);
  EXPECT_EQ(State("key"), "fresh");
}

TEST_F(StampedeTagsTest, TagsMoveWithTheValueAndAreCopiedWithIt) {
  Run("CACHE.SET key 12 TAG t");
  Run("RENAME key moved");
  EXPECT_EQ(Tags("moved"), std::vector<std::string>{"t"});
  Run("COPY moved copy");
  Run("COPY moved copy2 DB 1");
  Run("EXPIRE moved 100");
  Run("DEL moved");
  EXPECT_EQ(State("copy"), "fresh");
  EXPECT_EQ(Run("CACHE.INVALIDATE TAG t"), ":1\r\n");
  EXPECT_EQ(State("copy"), "stale");
  Run("COPY copy again");
  EXPECT_EQ(State("again"), "stale");  // No fresher than what it was copied from.
  Run("MOVE again 1");
  Run("SELECT 1");
  EXPECT_EQ(State("again"), "stale");
  EXPECT_EQ(State("copy2"), "stale");
}

TEST_F(StampedeTagsTest, WhateverElseWritesOrRemovesAValueDropsItsTags) {
  for (const std::string line :
       {"SET key v", "CACHE.SET key v", "CACHE.SET key v SOFT 1000", "APPEND key x",
        "SETRANGE key 0 x", "SET key v EX 100", "SET key v KEEPTTL", "DEL key", "GETDEL key",
        "UNLINK key", "FLUSHALL", "FLUSHALL ASYNC", "PEXPIRE key 0", "CACHE.SET key v TAG other",
        "CACHE.SET key \"\" NEGATIVE SOFT 1000"}) {
    for (const std::string& value : {std::string("small"), std::string(100'000, 'x')}) {
      EXPECT_EQ(control_.Raw({"CACHE.SET", "key", value, "SOFT", "60000", "TAG", "t"}), kOk);
      Run(line);
      EXPECT_TRUE(Eventually([&] { return Run("CACHE.INVALIDATE TAG t") == ":0\r\n"; })) << line;
      Run("DEL key");
    }
  }
  Run("CACHE.SET key v TAG t");
  Run("INCR n");
  Run("RPUSH list a");
  Run("RENAME list key");
  EXPECT_EQ(Run("CACHE.INVALIDATE TAG t"), ":0\r\n");
}

TEST_F(StampedeTagsTest, WhatChangesTheDeadlineKeepsThem) {
  for (const std::string line :
       {"EXPIRE key 100", "PERSIST key", "CACHE.INVALIDATE key", "GETEX key EX 50", "TOUCH key"}) {
    Run("CACHE.SET key v SOFT 60000 GRACE 1000 TAG t");
    Run(line);
    EXPECT_EQ(Tags("key"), std::vector<std::string>{"t"}) << line;
  }
}

TEST_F(StampedeTagsTest, ADumpHasNoTags) {
  Run("CACHE.SET key value TAG t");
  const RespValue dump = control_.Call({"DUMP", "key"});
  EXPECT_EQ(control_.Raw({"RESTORE", "copy", "0", dump.text}), kOk);
  EXPECT_EQ(Tags("copy"), std::vector<std::string>{});
  Run("CACHE.INVALIDATE TAG t");
  EXPECT_EQ(State("copy"), "fresh");
}

TEST_F(StampedeTagsTest, ExpiryEndsThem) {
  Run("CACHE.SET key v HARD 1 TAG t");
  EXPECT_TRUE(Eventually([&] { return Run("CACHE.INVALIDATE TAG t") == ":0\r\n"; }));
}

TEST_F(StampedeTagsTest, ANegativeResultHasTagsToo) {
  Run("CACHE.SET key \"\" NEGATIVE SOFT 60000 TAG t");
  EXPECT_EQ(State("key"), "negative");
  EXPECT_EQ(Tags("key"), std::vector<std::string>{"t"});
  EXPECT_EQ(Run("CACHE.INVALIDATE TAG t"), ":1\r\n");
  EXPECT_EQ(State("key"), "absent");
  RespClient loader = Connect();
  EXPECT_EQ(Field(loader.Call({"CACHE.GET", "key", "LEASE", "1000"}), "state").text, "load");
}

TEST_F(StampedeTagsTest, AValueHasAtMostSixteen) {
  std::vector<std::string> words = {"CACHE.SET", "key", "v"};
  std::vector<std::string> tags;
  for (int i = 0; i < 16; ++i) {
    tags.push_back("tag " + std::to_string(i));
    words.insert(words.end(), {"TAG", tags.back()});
  }
  words.insert(words.end(), {"TAG", "tag 0"});  // That is one.
  EXPECT_EQ(control_.Raw(words), kOk);
  EXPECT_EQ(Tags("key"), tags);
  Run("CACHE.INVALIDATE TAG \"tag 15\"");
  EXPECT_EQ(State("key"), "stale");
  words.insert(words.end(), {"TAG", "one more"});
  EXPECT_EQ(control_.Raw(words), "-ERR a value has at most 16 tags\r\n");
}

TEST_F(StampedeTagsTest, WrongSyntax) {
  const std::string arity = "-ERR wrong number of arguments for 'cache.invalidate' command\r\n";
  EXPECT_EQ(Run("CACHE.INVALIDATE"), arity);
  for (const std::string line :
       {"CACHE.SET key v TAG", "CACHE.SET key v TAG a TAG", "CACHE.SET key v TAGS a",
        "CACHE.INVALIDATE TAG a b", "CACHE.INVALIDATE TAG a TAG", "CACHE.INVALIDATE TAG a b c"}) {
    EXPECT_EQ(Run(line), kSyntaxError) << line;
  }
  // By itself, or behind another key, it is a key.
  Run("CACHE.SET TAG v");
  EXPECT_EQ(Run("CACHE.INVALIDATE TAG"), ":1\r\n");
  EXPECT_EQ(State("TAG"), "stale");
  Run("CACHE.SET TAG v");
  EXPECT_EQ(Run("CACHE.INVALIDATE other TAG"), ":1\r\n");
  EXPECT_EQ(State("TAG"), "stale");
}

TEST_F(StampedeTagsTest, ATransactionInvalidatesToo) {
  Run("CACHE.SET key v TAG t");
  Run("MULTI");
  Run("CACHE.INVALIDATE TAG t");
  Run("CACHE.INFO key");
  const RespValue replies = control_.Call({"EXEC"});
  EXPECT_EQ(replies.elements[0].integer, 1);
  EXPECT_EQ(Field(replies.elements[1], "state").text, "stale");
}

TEST_F(StampedeTagsTest, MemoryComesBackWithTheLastValues) {
  constexpr int kKeys = 100'000;
  const auto fill = [&] {
    for (int begin = 0; begin < kKeys; begin += 1000) {
      std::string requests;
      for (int i = begin; i < begin + 1000; ++i) {
        const std::string number = std::to_string(i);
        requests += EncodeRequest({"CACHE.SET", "key" + number, "v", "TAG", "tag " + number, "TAG",
                                   "tags of hundreds " + std::to_string(i % 300)});
      }
      control_.SendBytes(requests);
      for (int i = 0; i < 1000; ++i) ASSERT_EQ(control_.ReadReply(), kOk);
    }
  };
  const auto used = [&] { return InfoNumber(control_, "used_memory"); };
  const int64_t before = used();
  fill();
  EXPECT_GT(used(), before + kKeys * int64_t{100});
  EXPECT_EQ(Run("CACHE.INVALIDATE TAG \"tags of hundreds 7\""), ":1\r\n");
  EXPECT_EQ(State("key307"), "stale");
  Run("FLUSHALL");
  EXPECT_TRUE(Eventually([&] { return used() < before + (2 << 20); })) << used() - before;
  fill();
  for (int i = 0; i < kKeys; ++i) control_.Send({"UNLINK", "key" + std::to_string(i)});
  for (int i = 0; i < kKeys; ++i) ASSERT_EQ(control_.ReadReply(), ":1\r\n");
  EXPECT_TRUE(Eventually([&] { return used() < before + (2 << 20); })) << used() - before;
}

TEST_F(StampedeTagsTest, EvictionTakesTheTagsAlong) {
  Run("CONFIG SET maxmemory-policy allkeys-lru");
  const int64_t before = InfoNumber(control_, "used_memory");
  const int64_t limit = before + (8 << 20);
  Run("CONFIG SET maxmemory " + std::to_string(limit));
  for (int i = 0; i < 100'000; ++i) {
    const std::string number = std::to_string(i);
    control_.Send({"CACHE.SET", "key" + number, std::string(200, 'x'), "TAG", "tag " + number});
    if (i % 1000 == 999) {
      for (int reply = 0; reply < 1000; ++reply) ASSERT_EQ(control_.ReadReply(), kOk);
    }
  }
  EXPECT_GT(InfoNumber(control_, "evicted_keys"), 50'000);
  // Under sanitizers only what shards hold counts against the limit, and no tag.
  if (!kSanitized) {
    EXPECT_LT(InfoNumber(control_, "used_memory"), limit + (2 << 20));
  }
  Run("FLUSHALL");
  EXPECT_TRUE(Eventually([&] { return InfoNumber(control_, "used_memory") < before + (2 << 20); }))
      << InfoNumber(control_, "used_memory") - before;
}

// Several threads fill, read and invalidate. The origin's value of a tag is a number that grows
// before each invalidation; a value holds its tags' numbers as its loader read them. Whoever sees a
// fresh value must find no number in it that is older than the last whose invalidation had been
// answered before it asked.
TEST_F(StampedeTagsTest, NothingOlderThanTheLastInvalidationIsEverFresh) {
  constexpr size_t kTags = 6;
  constexpr uint64_t kKeys = 8;
  constexpr int kRequests = kSanitized ? 3'000 : 30'000;
  std::vector<std::atomic<uint64_t>> origin(kTags);
  std::vector<std::atomic<uint64_t>> invalidated(kTags);  // Up to this one.
  const auto tags_of = [](uint64_t key) {
    return std::vector<size_t>{static_cast<size_t>(key % kTags),
                               static_cast<size_t>((key * 5 + 1) % kTags)};
  };
  std::atomic<int> fresh_seen{0};
  std::atomic<int> refused{0};

  const auto invalidate = [&](uint64_t seed) {
    RespClient client = Connect();
    Random random(seed);
    for (int i = 0; i < kRequests / 4; ++i) {
      const size_t tag = random.Uniform(kTags);
      const uint64_t version = ++origin[tag];
      client.Raw({"CACHE.INVALIDATE", "TAG", "tag" + std::to_string(tag)});
      uint64_t known = invalidated[tag].load();
      while (known < version && !invalidated[tag].compare_exchange_weak(known, version)) {
      }
    }
  };
  const auto use = [&](uint64_t seed) {
    RespClient client = Connect();
    Random random(seed);
    for (int i = 0; i < kRequests; ++i) {
      const uint64_t key = random.Uniform(kKeys);
      const std::vector<size_t> tags = tags_of(key);
      std::vector<uint64_t> least;
      for (const size_t tag : tags) least.push_back(invalidated[tag].load());
      const std::string name = "key" + std::to_string(key);
      const RespValue reply = client.Call({"CACHE.GET", name, "LEASE", "1000", "BETA", "0"});
      const std::string state = Field(reply, "state").text;
      if (state == "fresh") {
        ++fresh_seen;
        const std::string value = Field(reply, "value").text;
        ASSERT_GE(std::stoull(value), least[0]) << name;
        ASSERT_GE(std::stoull(value.substr(value.find(' '))), least[1]) << name;
      }
      if (state != "load" && state != "refresh") continue;
      const std::string loaded =
          std::to_string(origin[tags[0]].load()) + " " + std::to_string(origin[tags[1]].load());
      std::vector<std::string> fill = {"CACHE.SET",
                                       name,
                                       loaded,
                                       "TOKEN",
                                       Field(reply, "token").text,
                                       "SOFT",
                                       "50",
                                       "GRACE",
                                       std::to_string(random.Uniform(100))};
      for (const size_t tag : tags) fill.insert(fill.end(), {"TAG", "tag" + std::to_string(tag)});
      if (client.Raw(fill) == kNil) ++refused;
    }
  };
  RunAll({[&] { invalidate(1); }, [&] { invalidate(2); }, [&] { use(3); }, [&] { use(4); },
          [&] { use(5); }});
  EXPECT_GT(fresh_seen, 0);
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace larder
