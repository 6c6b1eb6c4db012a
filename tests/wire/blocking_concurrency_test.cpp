// Clients that wait for keys on a server with several threads: whoever waited first is served
// first, and nothing that was pushed is lost or given out twice, whatever the interleaving.
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/background.h"
#include "tests/support/resp_client.h"
#include "tests/support/server_process.h"

namespace larder {
namespace {

using namespace std::chrono_literals;

class BlockingConcurrencyTest : public testing::Test {
 protected:
  BlockingConcurrencyTest()
      : server_(ServerProcess::StartLarder({"--threads", "4", "--enable-debug-command", "local"})) {
  }

  RespClient Connect() { return RespClient(server_.port(), 30s); }

  void AwaitBlocked(RespClient& client, int64_t count) {
    ASSERT_TRUE(Eventually([&] { return InfoNumber(client, "blocked_clients") == count; }));
  }

  ServerProcess server_;
};

// What a consumer may ask, each answered with one element that begins with "item:" somewhere.
const std::vector<std::vector<std::string>> kPops = {
    {"BLPOP", "q:1", "q:2", "q:3", "0.004"},
    {"BRPOP", "q:3", "q:1", "0.004"},
    {"BLMPOP", "0.004", "2", "q:2", "q:1", "LEFT"},
    {"BLMOVE", "q:1", "done", "LEFT", "RIGHT", "0.004"},
    {"BRPOPLPUSH", "q:2", "done", "0.004"},
    {"BZPOPMIN", "z:1", "z:2", "0.004"},
    {"BZPOPMAX", "z:2", "0.004"},
    {"BZMPOP", "0.004", "2", "z:1", "z:2", "MIN"},
    {"LPOP", "q:1"},
    {"ZPOPMIN", "z:1"},
};

void CountItems(const RespValue& reply, std::map<std::string, int>& counts) {
  if (reply.text.starts_with("item:")) ++counts[reply.text];
  for (const RespValue& element : reply.elements) CountItems(element, counts);
}

TEST_F(BlockingConcurrencyTest, EveryElementIsGivenOutOnce) {
  constexpr int kProducers = 3;
  constexpr int kConsumers = 8;
  constexpr int kItems = 1500;
  std::atomic<int> producing{kProducers};
  std::vector<std::map<std::string, int>> taken(kConsumers);
  std::vector<std::function<void()>> tasks;
  for (int number = 0; number < kProducers; ++number) {
    tasks.emplace_back([&, number] {
      RespClient client = Connect();
      std::mt19937 random(static_cast<unsigned>(number));
      for (int i = 0; i < kItems; ++i) {
        const std::string item = "item:" + std::to_string(number) + ":" + std::to_string(i);
        const std::string key = std::to_string(1 + random() % 3);
        switch (random() % 4) {
          case 0:
            client.Call({"ZADD", "z:" + std::to_string(1 + random() % 2),
                         std::to_string(random() % 10), item});
            break;
          case 1:
            client.SendBytes(EncodeRequest({"MULTI"}) + EncodeRequest({"RPUSH", "q:" + key, item}) +
                             EncodeRequest({"GET", "nothing"}) + EncodeRequest({"EXEC"}));
            for (int reply = 0; reply < 4; ++reply) client.ReadReply();
            break;
          case 2:
            client.Call({"LPUSH", "staging:" + std::to_string(number), item});
            client.Call({"LMOVE", "staging:" + std::to_string(number), "q:" + key, "LEFT", "LEFT"});
            break;
          default:
            client.Call({"LPUSH", "q:" + key, item});
        }
        // Not faster than it is taken away, so that there is somebody who waits.
        if (i % 8 == 0) std::this_thread::sleep_for(1ms);
      }
      --producing;
    });
  }
  for (int number = 0; number < kConsumers; ++number) {
    tasks.emplace_back([&, number] {
      RespClient client = Connect();
      std::mt19937 random(static_cast<unsigned>(100 + number));
      int empty = 0;
      while (producing > 0 || empty < 20) {
        const auto& pop = kPops[random() % kPops.size()];
        const RespValue reply = client.Call(pop);
        // What BLMOVE took is in `done`, where it is counted in the end.
        const bool moved = pop[0] == "BLMOVE" || pop[0] == "BRPOPLPUSH";
        if (!moved) CountItems(reply, taken[static_cast<size_t>(number)]);
        empty = reply.is_null ? empty + 1 : 0;
      }
    });
  }
  // Others come, wait and leave without a word, or are sent away.
  tasks.emplace_back([&] {
    std::mt19937 random(7);
    RespClient admin = Connect();
    while (producing > 0) {
      RespClient client = Connect();
      const int64_t id = client.Call({"CLIENT", "ID"}).integer;
      client.Send({"BLPOP", "never:" + std::to_string(random() % 3), "q:none", "0"});
      if (random() % 2 == 0) {
        admin.Call({"CLIENT", "UNBLOCK", std::to_string(id), random() % 2 ? "ERROR" : "TIMEOUT"});
      }
    }
  });
  RunAll(tasks);

  RespClient client = Connect();
  std::map<std::string, int> all;
  for (const auto& counts : taken) {
    for (const auto& [item, count] : counts) all[item] += count;
  }
  for (const char* key : {"q:1", "q:2", "q:3", "done"}) {
    CountItems(client.Call({"LRANGE", key, "0", "-1"}), all);
  }
  for (const char* key : {"z:1", "z:2"}) CountItems(client.Call({"ZRANGE", key, "0", "-1"}), all);
  EXPECT_EQ(all.size(), static_cast<size_t>(kProducers * kItems));
  for (const auto& [item, count] : all) EXPECT_EQ(count, 1) << item;
  AwaitBlocked(client, 0);
}

TEST_F(BlockingConcurrencyTest, WhoWaitedFirstIsServedFirst) {
  RespClient pusher = Connect();
  std::vector<RespClient> waiting;
  for (int i = 0; i < 12; ++i) {
    waiting.push_back(Connect());
    switch (i % 3) {
      case 0:
        waiting.back().Send({"BLPOP", "line", "0"});
        break;
      case 1:
        waiting.back().Send({"BLPOP", "elsewhere", "line", "0"});
        break;
      default:
        waiting.back().Send({"BLMPOP", "0", "2", "line", "elsewhere", "LEFT"});
    }
    AwaitBlocked(pusher, i + 1);
  }
  for (int i = 0; i < 12; ++i) {
    ASSERT_EQ(pusher.Call({"RPUSH", "line", std::to_string(i)}).integer, 1);
    const RespValue reply = waiting[static_cast<size_t>(i)].ReadValue();
    ASSERT_EQ(reply.elements.size(), 2u);
    EXPECT_EQ(reply.elements[0].text, "line");
    const RespValue& second = reply.elements[1];
    EXPECT_EQ(second.elements.empty() ? second.text : second.elements[0].text, std::to_string(i));
  }
  EXPECT_EQ(pusher.Call({"EXISTS", "line"}).integer, 0);
}

TEST_F(BlockingConcurrencyTest, NobodyComesBetweenAPushAndWhoWaitedForIt) {
  // The thief asks all the time; it may only get what nobody waits for.
  std::atomic<bool> done{false};
  std::atomic<int> stolen{0};
  RespClient pusher = Connect();
  std::thread thief([&] {
    RespClient client = Connect();
    while (!done) {
      if (!client.Call({"LPOP", "guarded"}).is_null) ++stolen;
    }
  });
  RespClient waiter = Connect();
  for (int i = 0; i < 300; ++i) {
    // Its destination lies in another shard, so that more locks are needed than the push takes.
    waiter.Send({"BLMOVE", "guarded", "safe:" + std::to_string(i), "LEFT", "RIGHT", "0"});
    AwaitBlocked(pusher, 1);
    ASSERT_EQ(pusher.Call({"RPUSH", "guarded", "v"}).integer, 1);
    ASSERT_EQ(waiter.ReadReply(), "$1\r\nv\r\n");
  }
  done = true;
  thief.join();
  EXPECT_EQ(stolen, 0);
}

TEST_F(BlockingConcurrencyTest, MovesThatWaitForEachOtherFormAChain) {
  RespClient admin = Connect();
  constexpr int kLinks = 20;
  std::vector<RespClient> links;
  for (int i = 0; i < kLinks; ++i) {
    links.push_back(Connect());
    links.back().Send({"BLMOVE", "chain:" + std::to_string(i), "chain:" + std::to_string(i + 1),
                       "LEFT", "RIGHT", "0"});
    AwaitBlocked(admin, i + 1);
  }
  ASSERT_EQ(admin.Call({"RPUSH", "chain:0", "treasure"}).integer, 1);
  for (RespClient& link : links) ASSERT_EQ(link.ReadReply(), "$8\r\ntreasure\r\n");
  EXPECT_EQ(admin.Raw({"LRANGE", "chain:" + std::to_string(kLinks), "0", "-1"}),
            "*1\r\n$8\r\ntreasure\r\n");
  for (int i = 0; i < kLinks; ++i) {
    EXPECT_EQ(admin.Call({"EXISTS", "chain:" + std::to_string(i)}).integer, 0);
  }
}

TEST_F(BlockingConcurrencyTest, ReadersOfAStreamAllHearOfIt) {
  constexpr int kReaders = 10;
  constexpr int kEntries = 200;
  std::vector<std::function<void()>> tasks;
  std::vector<int> heard(kReaders, 0);
  for (int number = 0; number < kReaders; ++number) {
    tasks.emplace_back([&, number] {
      RespClient client = Connect();
      std::string last = "0-0";
      while (heard[static_cast<size_t>(number)] < kEntries) {
        const RespValue reply =
            client.Call({"XREAD", "BLOCK", "20000", "STREAMS", "feed", "other", last, "$"});
        ASSERT_EQ(reply.elements.size(), 1u);
        const RespValue& entries = reply.elements[0].elements.at(1);
        heard[static_cast<size_t>(number)] += static_cast<int>(entries.elements.size());
        last = entries.elements.back().elements.at(0).text;
      }
    });
  }
  tasks.emplace_back([&] {
    RespClient client = Connect();
    for (int i = 0; i < kEntries; ++i) {
      ASSERT_FALSE(client.Call({"XADD", "feed", "*", "n", std::to_string(i)}).is_error());
    }
  });
  RunAll(tasks);
  for (const int count : heard) EXPECT_EQ(count, kEntries);
}

TEST_F(BlockingConcurrencyTest, MembersOfAGroupShareAStream) {
  constexpr int kMembers = 6;
  constexpr int kEntries = 600;
  Connect().Call({"XGROUP", "CREATE", "jobs", "workers", "$", "MKSTREAM"});
  std::vector<std::function<void()>> tasks;
  std::vector<std::map<std::string, int>> taken(kMembers);
  std::atomic<int> total{0};
  for (int number = 0; number < kMembers; ++number) {
    tasks.emplace_back([&, number] {
      RespClient client = Connect();
      while (total < kEntries) {
        const RespValue reply =
            client.Call({"XREADGROUP", "GROUP", "workers", "w" + std::to_string(number), "COUNT",
                         "2", "BLOCK", "50", "STREAMS", "jobs", ">"});
        if (reply.is_null) continue;
        for (const RespValue& entry : reply.elements.at(0).elements.at(1).elements) {
          ++taken[static_cast<size_t>(number)][entry.elements.at(0).text];
          ++total;
        }
      }
    });
  }
  tasks.emplace_back([&] {
    RespClient client = Connect();
    for (int i = 0; i < kEntries; ++i) client.Call({"XADD", "jobs", "*", "n", std::to_string(i)});
  });
  RunAll(tasks);
  std::map<std::string, int> all;
  for (const auto& ids : taken) {
    for (const auto& [id, count] : ids) all[id] += count;
  }
  EXPECT_EQ(all.size(), static_cast<size_t>(kEntries));
  for (const auto& [id, count] : all) EXPECT_EQ(count, 1) << id;
}

// ---- What else may happen to a key that somebody waits for.

TEST_F(BlockingConcurrencyTest, WhateverBringsAListIntoBeingServesWhoWaits) {
  RespClient client = Connect();
  const std::vector<std::vector<std::vector<std::string>>> ways = {
      {{"RPUSH", "other", "v"}, {"RENAME", "other", "list"}},
      {{"RPUSH", "other", "v"}, {"COPY", "other", "list"}, {"DEL", "other"}},
      {{"RPUSH", "other", "v"}, {"SORT", "other", "ALPHA", "STORE", "list"}, {"DEL", "other"}},
      {{"RPUSH", "other", "v"}, {"LMOVE", "other", "list", "LEFT", "LEFT"}},
      {{"SELECT", "1"}, {"RPUSH", "list", "v"}, {"MOVE", "list", "0"}, {"SELECT", "0"}},
      {{"SELECT", "1"}, {"RPUSH", "list", "v"}, {"SWAPDB", "0", "1"}, {"SELECT", "0"}},
      {{"SET", "list", "text"}, {"DEL", "list"}, {"RPUSH", "list", "v"}},
  };
  for (const auto& way : ways) {
    RespClient waiter = Connect();
    waiter.Send({"BLPOP", "list", "0"});
    AwaitBlocked(client, 1);
    for (const auto& command : way) ASSERT_FALSE(client.Call(command).is_error()) << command[0];
    EXPECT_EQ(waiter.ReadReply(), "*2\r\n$4\r\nlist\r\n$1\r\nv\r\n") << way.back()[0];
    EXPECT_EQ(client.Call({"EXISTS", "list"}).integer, 0);
  }
}

TEST_F(BlockingConcurrencyTest, RequestsBehindTheOneThatWaitsAreHeldBack) {
  RespClient client = Connect();
  RespClient waiter = Connect();
  waiter.SendBytes(EncodeRequest({"SET", "k", "1"}) + EncodeRequest({"BLPOP", "list", "0"}) +
                   EncodeRequest({"INCR", "k"}) + EncodeRequest({"BLPOP", "list", "0"}) +
                   EncodeRequest({"INCR", "k"}));
  EXPECT_EQ(waiter.ReadReply(), "+OK\r\n");
  AwaitBlocked(client, 1);
  EXPECT_EQ(client.Call({"GET", "k"}).text, "1");
  ASSERT_EQ(client.Call({"RPUSH", "list", "a"}).integer, 1);
  EXPECT_EQ(waiter.ReadReply(), "*2\r\n$4\r\nlist\r\n$1\r\na\r\n");
  EXPECT_EQ(waiter.ReadReply(), ":2\r\n");
  AwaitBlocked(client, 1);
  ASSERT_EQ(client.Call({"RPUSH", "list", "b"}).integer, 1);
  EXPECT_EQ(waiter.ReadReply(), "*2\r\n$4\r\nlist\r\n$1\r\nb\r\n");
  EXPECT_EQ(waiter.ReadReply(), ":3\r\n");
}

TEST_F(BlockingConcurrencyTest, ThousandsWhoWaitCostOthersNothing) {
  constexpr int kWaiting = 500;
  RespClient client = Connect();
  std::vector<RespClient> waiting;
  for (int i = 0; i < kWaiting; ++i) {
    waiting.push_back(Connect());
    waiting.back().Send({"BLPOP", "queue", "30"});
  }
  AwaitBlocked(client, kWaiting);
  // All at once, from one push.
  std::vector<std::string> push = {"RPUSH", "queue"};
  for (int i = 0; i < kWaiting; ++i) push.push_back(std::to_string(i));
  EXPECT_EQ(client.Call(push).integer, kWaiting);
  std::map<std::string, int> got;
  for (RespClient& waiter : waiting) ++got[waiter.ReadValue().elements.at(1).text];
  EXPECT_EQ(got.size(), static_cast<size_t>(kWaiting));
  EXPECT_EQ(client.Call({"EXISTS", "queue"}).integer, 0);
}

TEST_F(BlockingConcurrencyTest, WhoGoesOnWaitingLeavesNoTraceInOthersCommands) {
  RespClient client = Connect();
  RespClient waiter = Connect();
  waiter.Send({"BLPOP", "a", "b", "c", "0"});
  AwaitBlocked(client, 1);
  // Of a type that BLPOP does not want: it is tried and goes on waiting. What the same thread does
  // next waits for no key, or for others.
  for (int i = 0; i < 8; ++i) {
    RespClient other = Connect();  // On each of the threads in turn.
    ASSERT_EQ(other.Raw({"SET", "c", "text"}), "+OK\r\n");
    ASSERT_EQ(other.Raw({"WAIT", "1", "5"}), ":0\r\n");
    ASSERT_EQ(other.Raw({"SET", "c", "text"}), "+OK\r\n");
    ASSERT_EQ(other.Raw({"BLPOP", "d", "0.01"}), "*-1\r\n");
  }
  ASSERT_EQ(client.Call({"DEL", "c"}).integer, 1);
  ASSERT_EQ(client.Call({"RPUSH", "b", "v"}).integer, 1);
  EXPECT_EQ(waiter.ReadReply(), "*2\r\n$1\r\nb\r\n$1\r\nv\r\n");
}

TEST_F(BlockingConcurrencyTest, WhoFindsAKeyExpiredWaitsBesideWhoWaitedForIt) {
  RespClient client = Connect();
  ASSERT_EQ(client.Call({"DEBUG", "SET-ACTIVE-EXPIRE", "0"}).text, "OK");
  for (int i = 0; i < 20; ++i) {
    RespClient first = Connect();
    first.Send({"BLPOP", "list", "0"});
    AwaitBlocked(client, 1);
    ASSERT_EQ(client.Raw({"SET", "list", "text", "PX", "1"}), "+OK\r\n");
    std::this_thread::sleep_for(5ms);
    // Its own look removes the key, which the first one is waiting for.
    RespClient second = Connect();
    second.Send({"BLPOP", "list", "0"});
    AwaitBlocked(client, 2);
    ASSERT_EQ(client.Call({"RPUSH", "list", "1", "2"}).integer, 2);
    EXPECT_EQ(first.ReadReply(), "*2\r\n$4\r\nlist\r\n$1\r\n1\r\n");
    EXPECT_EQ(second.ReadReply(), "*2\r\n$4\r\nlist\r\n$1\r\n2\r\n");
  }
}

TEST_F(BlockingConcurrencyTest, AStreamThatExpiresUnseenEndsTheWaitOfItsGroup) {
  // The thread whose turn it is to expire the key may never have run a command.
  RespClient client = Connect();
  for (int i = 0; i < 16; ++i) {
    const std::string key = "jobs:" + std::to_string(i);
    client.Call({"XGROUP", "CREATE", key, "g", "$", "MKSTREAM"});
    RespClient member = Connect();
    member.Send({"XREADGROUP", "GROUP", "g", "m", "BLOCK", "0", "STREAMS", key, ">"});
    AwaitBlocked(client, 1);
    ASSERT_EQ(client.Call({"PEXPIRE", key, "1"}).integer, 1);
    EXPECT_TRUE(member.ReadReply().starts_with("-"));
  }
}

}  // namespace
}  // namespace larder
