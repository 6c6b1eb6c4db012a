#include "server/shard_locks.h"

#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace larder {
namespace {

bool IsHeld(Keyspace& keyspace, uint32_t id) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  // Of another thread: a lock must not be tried by who holds it.
  bool held = true;
  std::thread([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    if (!keyspace.shard(id).mu().TryLock()) return;
    keyspace.shard(id).mu().Unlock();
    held = false;
  }).join();
  return held;
}

TEST(ShardLocksTest, HoldsWhatWasAddedOnceAndNothingElse) {
  Keyspace keyspace({.shards = 8});
  ShardLocks locks(keyspace);
  for (const uint32_t id : {5u, 1u, 5u, 5u}) locks.Add(id);
  locks.Lock();
  for (uint32_t id = 0; id < 8; ++id) EXPECT_EQ(IsHeld(keyspace, id), id == 1 || id == 5) << id;
  EXPECT_FALSE(locks.holds_all());
  locks.Unlock();
  for (uint32_t id = 0; id < 8; ++id) EXPECT_FALSE(IsHeld(keyspace, id)) << id;
}

TEST(ShardLocksTest, AllIncludesWhatWasAddedBefore) {
  Keyspace keyspace({.shards = 4});
  ShardLocks locks(keyspace);
  locks.Add(2);
  locks.AddAll();
  locks.Lock();
  EXPECT_TRUE(locks.holds_all());
  locks.Unlock();
  EXPECT_FALSE(locks.holds_all());
}

TEST(ShardLocksTest, NextSetDoesNotRememberTheLast) {
  Keyspace keyspace({.shards = 4});
  ShardLocks locks(keyspace);
  locks.Add(1);
  locks.Lock();
  locks.Unlock();
  locks.Add(2);
  locks.Lock();
  EXPECT_FALSE(IsHeld(keyspace, 1));
  EXPECT_TRUE(IsHeld(keyspace, 2));
}

TEST(ShardLocksTest, EmptySetLocksNothing) {
  Keyspace keyspace({.shards = 4});
  ShardLocks locks(keyspace);
  locks.Lock();
  EXPECT_FALSE(locks.holds_all());
  locks.Unlock();
}

TEST(ShardLocksTest, EndOfItsLifeFreesTheLocks) {
  Keyspace keyspace({.shards = 4});
  {
    ShardLocks locks(keyspace);
    locks.Add(3);
    locks.Lock();
  }
  EXPECT_FALSE(IsHeld(keyspace, 3));
}

// Were they taken in the order of the calls, these threads would stand still.
TEST(ShardLocksTest, OppositeOrdersDoNotDeadlock) {
  Keyspace keyspace({.shards = 4});
  std::vector<std::thread> threads;
  int counter = 0;
  for (const bool ascending : {true, false}) {
    threads.emplace_back([&, ascending] {
      ShardLocks locks(keyspace);
      for (int i = 0; i < 20'000; ++i) {
        locks.Add(ascending ? 0 : 3);
        locks.Add(ascending ? 3 : 0);
        locks.Lock();
        ++counter;
        locks.Unlock();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter, 40'000);
}

}  // namespace
}  // namespace larder
