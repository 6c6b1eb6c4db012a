#include "storage/resident_listener.h"

#include <map>
#include <set>
#include <string>

#include "base/random.h"
#include "storage/shard.h"
#include <gtest/gtest.h>

namespace larder {
namespace {

constexpr UnixMillis kNow = 1'700'000'000'000;

// Keeps its own list of what is in a shard, and a mark in each entry.
class Roll : public ResidentListener {
 public:
  static constexpr uint8_t kMark = 0xa;

  void OnInserted(const Shard& /*shard*/, uint64_t hash, Entry& entry) override {
    EXPECT_EQ(entry.access(), 0u);
    EXPECT_EQ(hash, HashKeyText(entry.key()));
    EXPECT_TRUE(volatile_.emplace(hash, entry.has_expiry()).second) << entry.key();
    entry.queue_state() = kMark;
  }
  void OnErasing(const Shard& /*shard*/, uint64_t hash, Entry& entry) override {
    EXPECT_EQ(entry.queue_state() & 0xf, kMark) << entry.key();
    EXPECT_EQ(volatile_.erase(hash), 1u) << entry.key();
  }
  void OnVolatilityChanged(const Shard& /*shard*/, uint64_t hash, Entry& entry) override {
    EXPECT_NE(volatile_.at(hash), entry.has_expiry()) << entry.key();
    volatile_.at(hash) = entry.has_expiry();
  }
  void OnFlushed(const Shard& /*shard*/, size_t entries, size_t volatile_entries) override {
    EXPECT_EQ(entries, volatile_.size());
    EXPECT_EQ(volatile_entries, volatile_count());
    volatile_.clear();
  }

  size_t size() const { return volatile_.size(); }
  size_t volatile_count() const {
    size_t count = 0;
    for (const auto& [hash, is_volatile] : volatile_) count += is_volatile ? 1 : 0;
    return count;
  }

 private:
  std::map<uint64_t, bool> volatile_;  // By hash.
};

class ResidentListenerTest : public testing::Test {
 protected:
  ResidentListenerTest() {
    MutexLock lock(shard_.mu());
    shard_.set_access_bits(Shard::AccessBits::kQueues, &roll_);
  }

  void ExpectAgreement() ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard_.mu()) {
    EXPECT_EQ(roll_.size(), shard_.size(0));
    EXPECT_EQ(roll_.volatile_count(), shard_.volatile_size(0));
  }

  Roll roll_;
  Shard shard_{0, {}};
};

TEST_F(ResidentListenerTest, IsToldOfEveryEntryThatComesOrGoes) {
  MutexLock lock(shard_.mu());
  Random random(7);
  UnixMillis now = kNow;
  for (int step = 0; step < 20'000; ++step) {
    const std::string text = std::to_string(random.Uniform(300));
    const HashedKey key = HashedKey::Of(text);
    const UnixMillis expiry =
        random.Uniform(2) == 0 ? kNoExpiry : now + static_cast<UnixMillis>(random.Uniform(500));
    Entry* entry = shard_.Find(0, key, now);
    switch (random.Uniform(6)) {
      case 0:
        shard_.SetString(0, key, std::string(random.Uniform(600), 'x'), expiry);
        break;
      case 1:
        shard_.Erase(0, key, Shard::Reclaim::kNow);
        break;
      case 2:
        if (entry != nullptr) shard_.SetExpiry(0, key, entry, expiry);
        break;
      case 3:
        if (entry != nullptr) {
          const std::string other = text + "'";
          shard_.Attach(0, HashedKey::Of(other), shard_.Extract(0, key, entry));
        }
        break;
      case 4:
        now += static_cast<UnixMillis>(random.Uniform(20));
        shard_.ExpireSome(now, 4);
        break;
      case 5:
        if (random.Uniform(500) == 0) shard_.Flush(0, Shard::Reclaim::kNow);
        break;
    }
    ExpectAgreement();
  }
}

TEST_F(ResidentListenerTest, WhatItKnowsOfAnEntryIsItsOwn) {
  MutexLock lock(shard_.mu());
  const HashedKey from = HashedKey::Of("from");
  const HashedKey to = HashedKey::Of("to");
  Entry* entry = shard_.SetString(0, from, "value", kNoExpiry);
  shard_.InheritAccess(*entry, 0x123456);
  EXPECT_EQ(entry->access(), 0x123450u | Roll::kMark);
  Entry* moved = shard_.Attach(0, to, shard_.Extract(0, from, entry));
  EXPECT_EQ(moved->access(), 0x123450u | Roll::kMark);
}

class ShardFindLikeTest : public testing::TestWithParam<int> {};

TEST_P(ShardFindLikeTest, FindsByTheBitsOfAHash) {
  // With few bits a table of this size has several homes for them, with many it has fewer buckets.
  const int bits = GetParam();
  const uint64_t known = (1u << bits) - 1;
  Shard shard(0, {.databases = 3});
  MutexLock lock(shard.mu());
  for (int i = 0; i < 2000; ++i) {
    shard.SetString(i % 3, HashedKey::Of("key" + std::to_string(i)), "value", kNoExpiry);
  }
  for (int i = 0; i < 2000; ++i) {
    const std::string text = "key" + std::to_string(i);
    const HashedKey key = HashedKey::Of(text);
    const uint64_t like = (key.hash & known) | (key.hash >> 56 << 56);
    std::set<std::string> met;
    int db = -1;
    const Entry* entry = shard.FindLike(
        like, bits,
        [&](Entry& candidate) {
          met.emplace(candidate.key());
          return candidate.key() == key.text;
        },
        db);
    ASSERT_NE(entry, nullptr) << key.text;
    EXPECT_EQ(entry->key(), key.text);
    EXPECT_EQ(db, i % 3);
    for (const std::string& other : met) EXPECT_EQ(HashKeyText(other) & known, key.hash & known);
  }
  int db = -1;
  EXPECT_EQ(shard.FindLike(HashKeyText("key1"), bits, [](Entry&) { return false; }, db), nullptr);
}

INSTANTIATE_TEST_SUITE_P(Bits, ShardFindLikeTest, testing::Values(4, 20));

}  // namespace
}  // namespace larder
