// Several clients at once against a server with several threads: whatever the interleaving, what
// they see must be what one command after the other could have shown them.
//
// Each test runs a fixed number of commands, and keys are chosen so that they lie in different
// shards; the histories are judged afterwards.
#include <functional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/background.h"
#include "tests/support/linearizability.h"
#include "tests/support/resp_client.h"
#include "tests/support/server_process.h"

namespace larder {
namespace {

using Kind = RegisterOperation::Kind;

constexpr int kClients = 4;

class ConcurrencyTest : public testing::Test {
 protected:
  ConcurrencyTest() : server_(ServerProcess::StartLarder({"--threads", "4"})) {}

  // Runs `work(client, number)` on a thread and a connection of its own for each number.
  void RunClients(int clients, const std::function<void(RespClient&, int)>& work) {
    std::vector<std::function<void()>> tasks;
    for (int number = 0; number < clients; ++number) {
      tasks.emplace_back([&, number] {
        RespClient client(server_.port());
        work(client, number);
      });
    }
    RunAll(tasks);
  }

  RespValue Ask(const std::vector<std::string>& args) {
    return RespClient(server_.port()).Call(args);
  }

  // MULTI, the commands and EXEC in one write; the reply to EXEC.
  static RespValue Transact(RespClient& client,
                            const std::vector<std::vector<std::string>>& commands) {
    std::string bytes = EncodeRequest({"MULTI"});
    for (const auto& command : commands) bytes += EncodeRequest(command);
    client.SendBytes(bytes + EncodeRequest({"EXEC"}));
    for (size_t i = 0; i <= commands.size(); ++i) client.ReadReply();
    return client.ReadValue();
  }

  ServerProcess server_;
};

std::optional<int64_t> NumberOf(const RespValue& bulk) {
  if (bulk.is_null) return std::nullopt;
  return std::stoll(bulk.text);
}

// Sends the operation's command and notes what it answered.
void Perform(RespClient& client, const std::string& key, RegisterOperation& operation) {
  switch (operation.kind) {
    case Kind::kRead:
      operation.result = NumberOf(client.Call({"GET", key}));
      break;
    case Kind::kWrite:
      client.Call({"SET", key, std::to_string(operation.argument)});
      break;
    case Kind::kIncrement:
      operation.result = client.Call({"INCR", key}).integer;
      break;
    case Kind::kSetIfAbsent:
      if (!client.Call({"SET", key, std::to_string(operation.argument), "NX"}).is_null) {
        operation.result = operation.argument;
      }
      break;
    case Kind::kDelete:
      if (client.Call({"DEL", key}).integer == 1) operation.result = 1;
      break;
  }
}

TEST_F(ConcurrencyTest, IncrementsOfOneKeyAreLinearizable) {
  std::vector<RegisterHistory> histories(kClients);
  RunClients(kClients, [&](RespClient& client, int number) {
    for (int i = 0; i < 1000; ++i) {
      histories[static_cast<size_t>(number)].Record(
          {.kind = Kind::kIncrement},
          [&](RegisterOperation& operation) { Perform(client, "counter", operation); });
    }
  });
  RegisterHistory all;
  for (const RegisterHistory& history : histories) all.Append(history);
  EXPECT_TRUE(IsLinearizableCounter(all.operations()));
  EXPECT_EQ(Ask({"GET", "counter"}).text, "4000");
}

TEST_F(ConcurrencyTest, IncrementsInPipelinesLoseNothing) {
  RunClients(kClients, [&](RespClient& client, int) {
    for (int round = 0; round < 50; ++round) {
      std::string batch;
      for (int i = 0; i < 64; ++i)
        batch += EncodeRequest({"INCR", "counter" + std::to_string(i % 4)});
      client.SendBytes(batch);
      for (int i = 0; i < 64; ++i) client.ReadReply();
    }
  });
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(Ask({"GET", "counter" + std::to_string(i)}).text, "3200");
  }
}

TEST_F(ConcurrencyTest, MixedCommandsOnAFewKeysAreLinearizable) {
  constexpr size_t kKeys = 3;
  std::vector<std::vector<RegisterHistory>> histories(kClients,
                                                      std::vector<RegisterHistory>(kKeys));
  RunClients(kClients, [&](RespClient& client, int number) {
    std::mt19937 random(static_cast<uint32_t>(number));
    for (int i = 0; i < 600; ++i) {
      const size_t key = random() % kKeys;
      // Few different values, so that a wrong one is often another client's right one.
      RegisterOperation operation{.kind = static_cast<Kind>(random() % 5),
                                  .argument = static_cast<int64_t>(random() % 1000)};
      histories[static_cast<size_t>(number)][key].Record(
          operation, [&](RegisterOperation& performed) {
            Perform(client, "key" + std::to_string(key), performed);
          });
    }
  });
  // What is linearizable key by key is so as a whole (Herlihy and Wing, 1990).
  for (size_t key = 0; key < kKeys; ++key) {
    RegisterHistory all;
    for (const auto& of_client : histories) all.Append(of_client[key]);
    EXPECT_TRUE(IsLinearizable(all.operations())) << "key" << key;
  }
}

TEST_F(ConcurrencyTest, SetNxIsALock) {
  std::vector<RegisterHistory> histories(kClients);
  std::vector<int> entered(kClients, 0);
  RunClients(kClients, [&](RespClient& client, int number) {
    const auto mine = static_cast<size_t>(number);
    for (int i = 0; i < 300; ++i) {
      bool locked = false;
      histories[mine].Record({.kind = Kind::kSetIfAbsent, .argument = number},
                             [&](RegisterOperation& operation) {
                               Perform(client, "lock", operation);
                               locked = operation.result.has_value();
                             });
      if (!locked) continue;
      // Not atomic, so it counts right only if the lock has one holder at a time.
      const int64_t seen = NumberOf(client.Call({"GET", "guarded"})).value_or(0);
      client.Call({"SET", "guarded", std::to_string(seen + 1)});
      ++entered[mine];
      histories[mine].Record({.kind = Kind::kDelete}, [&](RegisterOperation& operation) {
        Perform(client, "lock", operation);
      });
    }
  });
  RegisterHistory all;
  int total = 0;
  for (size_t i = 0; i < kClients; ++i) {
    all.Append(histories[i]);
    total += entered[i];
  }
  EXPECT_TRUE(IsLinearizable(all.operations()));
  EXPECT_EQ(Ask({"GET", "guarded"}).text, std::to_string(total));
}

// Eight accounts in eight slots, a hundred in each.
class TransferTest : public ConcurrencyTest {
 protected:
  static constexpr int kAccounts = 8;
  static constexpr int64_t kTotal = kAccounts * 100;
  static constexpr int kTransfers = 400;

  TransferTest() {
    for (const std::string& account : Accounts()) Ask({"SET", account, "100"});
  }

  static std::string Account(uint32_t number) { return "account" + std::to_string(number); }
  static std::vector<std::string> Accounts() {
    std::vector<std::string> accounts;
    for (uint32_t i = 0; i < kAccounts; ++i) accounts.push_back(Account(i));
    return accounts;
  }
  static std::vector<std::string> ReadAll() {
    std::vector<std::string> command = {"MGET"};
    for (const std::string& account : Accounts()) command.push_back(account);
    return command;
  }
  static int64_t SumOf(const RespValue& balances) {
    int64_t sum = 0;
    for (const RespValue& balance : balances.elements) sum += std::stoll(balance.text);
    return sum;
  }
  static std::pair<std::string, std::string> TwoAccounts(std::mt19937& random) {
    const uint32_t from = random() % kAccounts;
    const uint32_t to = (from + 1 + random() % (kAccounts - 1)) % kAccounts;
    return {Account(from), Account(to)};
  }
};

TEST_F(TransferTest, NobodySeesMoneyOnItsWay) {
  RunClients(2 * kClients, [&](RespClient& client, int number) {
    std::mt19937 random(static_cast<uint32_t>(number));
    for (int i = 0; i < kTransfers; ++i) {
      if (number % 2 == 0) {
        const auto [from, to] = TwoAccounts(random);
        const std::string amount = std::to_string(random() % 50);
        Transact(client, {{"DECRBY", from, amount}, {"INCRBY", to, amount}});
      } else if (i % 2 == 0) {
        ASSERT_EQ(SumOf(client.Call(ReadAll())), kTotal);
      } else {
        const RespValue result = Transact(client, {{"PING"}, ReadAll(), {"GET", Account(0)}});
        ASSERT_EQ(SumOf(result.elements.at(1)), kTotal);
        ASSERT_EQ(result.elements.at(1).elements.at(0), result.elements.at(2));
      }
    }
  });
  EXPECT_EQ(SumOf(Ask(ReadAll())), kTotal);
}

TEST_F(TransferTest, OptimisticTransfersLoseNothing) {
  RunClients(kClients, [&](RespClient& client, int number) {
    std::mt19937 random(static_cast<uint32_t>(number));
    for (int done = 0; done < kTransfers / 4;) {
      const auto [from, to] = TwoAccounts(random);
      client.Call({"WATCH", from, to});
      const int64_t from_balance = std::stoll(client.Call({"GET", from}).text);
      const int64_t to_balance = std::stoll(client.Call({"GET", to}).text);
      const auto amount = static_cast<int64_t>(random() % 50);
      const RespValue result =
          Transact(client, {{"SET", from, std::to_string(from_balance - amount)},
                            {"SET", to, std::to_string(to_balance + amount)}});
      done += result.is_null ? 0 : 1;
    }
  });
  EXPECT_EQ(SumOf(Ask(ReadAll())), kTotal);
}

TEST_F(ConcurrencyTest, OptimisticIncrementsAreLinearizable) {
  std::vector<RegisterHistory> histories(kClients);
  RunClients(kClients, [&](RespClient& client, int number) {
    for (int i = 0; i < 100; ++i) {
      // One increment is however many attempts it takes.
      histories[static_cast<size_t>(number)].Record(
          {.kind = Kind::kIncrement}, [&](RegisterOperation& operation) {
            while (true) {
              client.Call({"WATCH", "counter"});
              const int64_t next = NumberOf(client.Call({"GET", "counter"})).value_or(0) + 1;
              if (Transact(client, {{"SET", "counter", std::to_string(next)}}).is_null) continue;
              operation.result = next;
              return;
            }
          });
    }
  });
  RegisterHistory all;
  for (const RegisterHistory& history : histories) all.Append(history);
  EXPECT_TRUE(IsLinearizableCounter(all.operations()));
}

TEST_F(ConcurrencyTest, ARenamedKeyIsAlwaysSomewhere) {
  const std::vector<std::string> names = {"here", "there", "elsewhere"};
  Ask({"SET", "here", "value"});
  RunClients(2 * kClients, [&](RespClient& client, int number) {
    std::mt19937 random(static_cast<uint32_t>(number));
    for (int i = 0; i < 500; ++i) {
      if (number % 2 == 0) {
        client.Call({"RENAME", names[random() % 3], names[random() % 3]});
      } else {
        ASSERT_EQ(client.Call({"EXISTS", "here", "there", "elsewhere"}).integer, 1);
      }
    }
  });
}

TEST_F(ConcurrencyTest, ManyKeysAreWrittenAndFlushedAtOnce) {
  RunClients(2 * kClients, [&](RespClient& client, int number) {
    for (int i = 0; i < 300; ++i) {
      const std::string value = std::to_string(number * 1000 + i);
      if (number == 0) {
        client.Call({i % 2 == 0 ? "FLUSHALL" : "FLUSHDB"});
      } else if (number % 2 == 0) {
        client.Call({"MSET", "a", value, "b", value, "c", value, "d", value});
      } else {
        const RespValue values = client.Call({"MGET", "a", "b", "c", "d"});
        for (const RespValue& one : values.elements) ASSERT_EQ(one, values.elements[0]);
      }
    }
  });
}

TEST_F(ConcurrencyTest, DatabasesAreSwappedAtOnce) {
  const std::vector<std::string> keys = {"a", "b", "c", "d"};
  RespClient setup(server_.port());
  for (const std::string& key : keys) setup.Call({"SET", key, "0"});
  setup.Call({"SELECT", "1"});
  for (const std::string& key : keys) setup.Call({"SET", key, "1"});
  RunClients(kClients, [&](RespClient& client, int number) {
    for (int i = 0; i < 300; ++i) {
      if (number == 0) {
        client.Call({"SWAPDB", "0", "1"});
        continue;
      }
      const RespValue values = client.Call({"MGET", "a", "b", "c", "d"});
      for (const RespValue& one : values.elements) ASSERT_EQ(one, values.elements[0]);
      ASSERT_EQ(client.Call({"DBSIZE"}).integer, 4);
    }
  });
}

TEST_F(ConcurrencyTest, WatchesOfClosedConnectionsAreForgotten) {
  RunClients(kClients, [&](RespClient&, int number) {
    for (int i = 0; i < 50; ++i) {
      RespClient client(server_.port());
      client.Call({"WATCH", "watched" + std::to_string(i % 5), "key" + std::to_string(number)});
      client.Call({"MULTI"});
      // Half of them go with a transaction open, the others after it.
      if (i % 2 == 0) client.Call({"EXEC"});
      Ask({"SET", "watched" + std::to_string(i % 5), "1"});
    }
  });
  RespClient last(server_.port());
  last.Call({"WATCH", "watched0"});
  EXPECT_FALSE(Transact(last, {{"PING"}}).is_null);
}

// Commands over several keys in every order, against commands over everything: if locks were taken
// in different orders, this would stand still, and the client's timeout would say so.
TEST_F(ConcurrencyTest, NoOrderOfKeysDeadlocks) {
  RunClients(2 * kClients, [&](RespClient& client, int number) {
    std::mt19937 random(static_cast<uint32_t>(number));
    const auto key = [&] { return "key" + std::to_string(random() % 50); };
    for (int i = 0; i < 300; ++i) {
      switch (random() % 8) {
        case 0:
          client.Call({"DBSIZE"});
          break;
        case 1:
          client.Call({"FLUSHALL", "ASYNC"});
          break;
        case 2:
          client.Call({"KEYS", "*"});
          break;
        case 3:
          client.Call({"RANDOMKEY"});
          break;
        case 4:
          Transact(client, {{"SET", key(), "1"}, {"DBSIZE"}, {"DEL", key(), key()}});
          break;
        case 5:
          client.Call({"WATCH", key(), key()});
          Transact(client, {{"RENAME", key(), key()}, {"UNWATCH"}});
          break;
        default:
          client.Call({"MSET", key(), "1", key(), "2", key(), "3"});
      }
    }
  });
  EXPECT_EQ(Ask({"PING"}).text, "PONG");
}

}  // namespace
}  // namespace larder
