#include "storage/shard.h"

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/random.h"
#include "storage/hash.h"
#include "storage/key_hash.h"
#include "storage/lazy_free.h"
#include "storage/serialized_value.h"
#include <gtest/gtest.h>

namespace larder {
namespace {

constexpr UnixMillis kNow = 1'700'000'000'000;

std::string TextOf(const Entry& entry) {
  StringValue value;
  entry.ReadString(value);
  return std::string(value.view());
}

TEST(ShardTest, FindsWhatWasSetAndNothingElse) {
  Shard shard(0, {});
  MutexLock lock(shard.mu());
  EXPECT_EQ(shard.Find(0, HashedKey::Of("a"), kNow), nullptr);
  shard.SetString(0, HashedKey::Of("a"), "value", kNoExpiry);
  ASSERT_NE(shard.Find(0, HashedKey::Of("a"), kNow), nullptr);
  EXPECT_EQ(TextOf(*shard.Find(0, HashedKey::Of("a"), kNow)), "value");
  EXPECT_EQ(shard.Find(0, HashedKey::Of("b"), kNow), nullptr);
  EXPECT_EQ(shard.Find(1, HashedKey::Of("a"), kNow), nullptr);
  EXPECT_EQ(shard.size(0), 1u);
}

TEST(ShardTest, HoldsStringsAsRedisWouldNameThem) {
  const struct {
    std::string value;
    const char* name;
  } kRows[] = {{"0", "int"},
               {"-9223372036854775808", "int"},
               {"9223372036854775807", "int"},
               {"9223372036854775808", "embstr"},
               {"-0", "embstr"},
               {"007", "embstr"},
               {"+1", "embstr"},
               {"", "embstr"},
               {std::string(44, 'x'), "embstr"},
               {std::string(45, 'x'), "raw"},
               {std::string(100'000, 'x'), "raw"}};
  Shard shard(0, {});
  MutexLock lock(shard.mu());
  for (const auto& row : kRows) {
    const Entry* entry = shard.SetString(0, HashedKey::Of("k"), row.value, kNoExpiry);
    EXPECT_EQ(entry->EncodingName(), row.name) << row.value;
    EXPECT_EQ(TextOf(*entry), row.value);
  }
}

TEST(ShardTest, AShortBlobIsHeldInline) {
  Shard shard(0, {});
  MutexLock lock(shard.mu());
  EXPECT_EQ(shard.SetBlob(0, HashedKey::Of("k"), BlobRef::CopyOf("12"), kNoExpiry)->EncodingName(),
            "int");
  const BlobRef large = BlobRef::CopyOf(std::string(40'000, 'x'));
  StringValue value;
  shard.SetBlob(0, HashedKey::Of("k"), large, kNoExpiry)->ReadString(value);
  EXPECT_EQ(value.blob(), large.get());  // Not copied.
}

std::string Letters(size_t size) {
  std::string text(size, ' ');
  for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i % 26);
  return text;
}

TEST(ShardTest, ALargeTextStandsInTwoPiecesWhereThatIsSmaller) {
  Shard shard(0, {});
  MutexLock lock(shard.mu());
  const HashedKey key = HashedKey::Of("k");
  for (const size_t size : {1030u, 4096u, 8775u, 16'384u}) {
    const std::string text = Letters(size);
    for (const bool has_blob : {false, true}) {
      Entry* entry = has_blob ? shard.SetBlob(0, key, BlobRef::CopyOf(text), kNow)
                              : shard.SetString(0, key, text, kNow);
      StringValue value;
      entry->ReadString(value);
      ASSERT_NE(value.blob(), nullptr);
      EXPECT_FALSE(value.rest().empty());
      EXPECT_EQ(value.view(), text);
      EXPECT_LT(entry->allocated_bytes(), size + size / 16);
      const std::unique_ptr<Shard::Detached> copy = shard.Clone(*entry);
      shard.CheckInvariants();
      // Over another that is cut as well.
      entry = shard.SetString(0, key, text.substr(1), kNow);
      EXPECT_EQ(TextOf(*entry), text.substr(1));
      shard.EditString(0, key, entry, size + 1);
      EXPECT_EQ(TextOf(*entry), text.substr(1) + std::string(2, '\0'));
      shard.CheckInvariants();
    }
  }
}

TEST(ShardTest, OverwritingKeepsTheAccessBits) {
  Shard shard(0, {});
  MutexLock lock(shard.mu());
  const HashedKey key = HashedKey::Of("k");
  Entry* entry = shard.SetString(0, key, "short", kNoExpiry);
  EXPECT_EQ(entry->access(), 0u);
  entry->set_access(99);
  EXPECT_EQ(shard.SetString(0, key, std::string(300, 'x'), kNow)->access(), 99u);
  EXPECT_EQ(shard.SetInteger(0, key, 5, kNoExpiry)->access(), 99u);
}

TEST(ShardTest, EditingGrowsEveryEncoding) {
  Shard shard(0, {});
  MutexLock lock(shard.mu());
  const HashedKey key = HashedKey::Of("k");
  // 1,050, 4,096 and 20,000 bytes are cut.
  std::vector<std::string> starts = {"", "12345", "text"};
  for (const size_t size : {900, 1050, 4096, 20'000, 100'000}) starts.emplace_back(size, 'x');
  for (const std::string& start : starts) {
    for (const size_t size : {0u, 5u, 20u, 300u, 4096u, 4097u, 200'000u}) {
      Entry* entry = shard.SetString(0, key, start, kNow + 5);
      const std::span<char> bytes = shard.EditString(0, key, entry, size);
      std::string expected = start;
      expected.resize(std::max(size, start.size()));
      ASSERT_EQ(std::string(bytes.data(), bytes.size()), expected) << start.size() << " " << size;
      EXPECT_EQ(entry, shard.Find(0, key, kNow));
      if (!bytes.empty()) {
        bytes[0] = '!';
        EXPECT_EQ(TextOf(*entry)[0], '!');
      }
      EXPECT_EQ(entry->EncodingName(), "raw");
      EXPECT_EQ(entry->expiry(), kNow + 5);
      shard.CheckInvariants();
    }
  }
}

TEST(ShardTest, EditingASharedBlobLeavesTheOtherOwnersBytesAlone) {
  Shard shard(0, {});
  MutexLock lock(shard.mu());
  const HashedKey key = HashedKey::Of("k");
  const BlobRef reply = BlobRef::CopyOf(std::string(40'000, 'x'));
  Entry* entry = shard.SetBlob(0, key, reply, kNoExpiry);
  shard.EditString(0, key, entry, 0)[0] = '!';
  EXPECT_EQ(reply->view(), std::string(40'000, 'x'));
  EXPECT_EQ(TextOf(*entry)[0], '!');
}

TEST(ShardTest, AppendingByteByByteMovesTheValueRarely) {
  Shard shard(0, {});
  MutexLock lock(shard.mu());
  const HashedKey key = HashedKey::Of("k");
  Entry* entry = shard.SetString(0, key, std::string(10'000, 'x'), kNoExpiry);
  int moves = 0;
  const char* last = nullptr;
  for (size_t size = 10'001; size < 200'000; ++size) {
    const char* bytes = shard.EditString(0, key, entry, size).data();
    moves += bytes != last;
    last = bytes;
  }
  EXPECT_LE(moves, 6);
  shard.CheckInvariants();
}

TEST(ShardTest, ExpiredKeysAreGoneAndObserved) {
  class Observer : public ShardObserver {
   public:
    void OnKeyChanging(Shard&, int, std::string_view key, KeyChange) override {
      changing.push_back(std::string(key));
    }
    void OnKeyExpired(Shard&, int db, std::string_view key) override {
      expired.push_back(std::to_string(db) + ":" + std::string(key));
    }
    std::vector<std::string> changing;
    std::vector<std::string> expired;
  };
  Observer observer;
  Shard shard(0, {.observer = &observer});
  MutexLock lock(shard.mu());
  shard.SetString(3, HashedKey::Of("a"), "1", kNow);
  EXPECT_EQ(shard.volatile_size(3), 1u);
  EXPECT_NE(shard.Find(3, HashedKey::Of("a"), kNow), nullptr);
  shard.set_lazy_expiry(false);
  EXPECT_EQ(shard.Find(3, HashedKey::Of("a"), kNow + 1), nullptr);
  EXPECT_EQ(shard.size(3), 1u);
  EXPECT_TRUE(observer.expired.empty());
  shard.set_lazy_expiry(true);
  EXPECT_EQ(shard.Find(3, HashedKey::Of("a"), kNow + 1), nullptr);
  EXPECT_EQ(shard.size(3), 0u);
  EXPECT_EQ(observer.expired, std::vector<std::string>{"3:a"});
  EXPECT_TRUE(observer.changing.empty());  // Nobody asked.
  EXPECT_EQ(shard.memory_bytes(), 0u);
}

TEST(ShardTest, EveryChangeIsObservedOnceAskedFor) {
  class Observer : public ShardObserver {
   public:
    void OnKeyChanging(Shard&, int, std::string_view key, KeyChange) override { log += key; }
    void OnKeyExpired(Shard&, int, std::string_view) override {}
    std::string log;
  };
  Observer observer;
  Shard shard(0, {.observer = &observer});
  MutexLock lock(shard.mu());
  const auto of = [](const char* key) { return HashedKey::Of(key); };
  shard.set_observed(true);
  Entry* entry = shard.SetString(0, of("a"), "1", kNoExpiry);
  shard.SetInteger(0, of("b"), 1, kNoExpiry);
  entry = shard.SetExpiry(0, of("a"), entry, kNow);
  EXPECT_EQ(observer.log, "aba");
  shard.EditString(0, of("a"), entry, 10);
  shard.Attach(0, of("c"), shard.Extract(0, of("a"), entry));
  shard.Erase(0, of("none"), Shard::Reclaim::kNow);
  shard.Erase(0, of("b"), Shard::Reclaim::kNow);
  EXPECT_EQ(observer.log, "abaaacb");
  EXPECT_EQ(shard.Find(0, of("c"), kNow + 1), nullptr);
  EXPECT_EQ(observer.log, "abaaacbc");
  shard.set_observed(false);
  shard.SetInteger(0, of("b"), 1, kNoExpiry);
  EXPECT_EQ(observer.log, "abaaacbc");
}

TEST(ShardTest, TheObserverIsToldWhyAKeyGoes) {
  class Observer : public ShardObserver {
   public:
    void OnKeyChanging(Shard&, int, std::string_view key, KeyChange change) override {
      changes[std::string(key)] = change;
    }
    void OnKeyExpired(Shard&, int, std::string_view) override {}
    std::map<std::string, KeyChange> changes;
  };
  Observer observer;
  Shard shard(0, {.observer = &observer});
  MutexLock lock(shard.mu());
  const char* const keys[] = {"deleted", "evicted", "looked-up", "cycled", "moved"};
  for (const char* key : keys) shard.SetString(0, HashedKey::Of(key), "1", kNow);
  shard.set_observed(true);
  shard.Erase(0, HashedKey::Of("deleted"), Shard::Reclaim::kNow);
  shard.Erase(0, HashedKey::Of("evicted"), Shard::Reclaim::kNow, KeyChange::kEvicted);
  const HashedKey moved = HashedKey::Of("moved");
  shard.Extract(0, moved, shard.Find(0, moved, kNow));
  EXPECT_EQ(shard.Find(0, HashedKey::Of("looked-up"), kNow + 1), nullptr);
  EXPECT_EQ(shard.ExpireSome(kNow + 1, 100).expired, 1u);
  shard.SetString(0, HashedKey::Of("created"), "1", kNoExpiry);
  const std::map<std::string, KeyChange> expected = {
      {"deleted", KeyChange::kWritten},   {"evicted", KeyChange::kEvicted},
      {"looked-up", KeyChange::kExpired}, {"cycled", KeyChange::kExpired},
      {"moved", KeyChange::kWritten},     {"created", KeyChange::kWritten}};
  EXPECT_EQ(observer.changes, expected);
}

TEST(ShardTest, MovesAndCopiesCarryEverything) {
  Shard from(0, {});
  Shard to(1, {});
  const HashedKey old_key = HashedKey::Of("old");
  const HashedKey new_key = HashedKey::Of("a-longer-new-key");
  for (const size_t size : {3u, 300u, 50'000u}) {
    const std::string text(size, 'x');
    std::unique_ptr<Shard::Detached> moved;
    {
      MutexLock lock(from.mu());
      Entry* entry = from.SetString(2, old_key, text, kNow);
      entry->set_access(1234);
      std::unique_ptr<Shard::Detached> copy = from.Clone(*entry);
      moved = from.Extract(2, old_key, entry);
      EXPECT_EQ(from.size(2), 0u);
      EXPECT_EQ(TextOf(copy->entry()), text);
    }
    MutexLock lock(to.mu());
    const Entry* entry = to.Attach(0, new_key, std::move(moved));
    EXPECT_EQ(entry->key(), new_key.text);
    EXPECT_EQ(TextOf(*entry), text);
    EXPECT_EQ(entry->expiry(), kNow);
    EXPECT_EQ(entry->access(), 1234u);
    EXPECT_EQ(to.size(0), 1u);
    to.CheckInvariants();
  }
}

TEST(ShardTest, DatabasesThatNobodyUsedMayBeReadSwappedAndFlushed) {
  Shard shard(0, {});
  MutexLock lock(shard.mu());
  EXPECT_EQ(shard.size(15), 0u);
  EXPECT_EQ(shard.Find(15, HashedKey::Of("a"), kNow), nullptr);
  shard.Flush(15, Shard::Reclaim::kNow);
  shard.SwapDatabases(3, 15);
  shard.SetInteger(2, HashedKey::Of("a"), 1, kNoExpiry);
  shard.SwapDatabases(2, 15);
  EXPECT_EQ(shard.size(2), 0u);
  EXPECT_EQ(shard.size(15), 1u);
  shard.SwapDatabases(15, 0);
  EXPECT_NE(shard.Find(0, HashedKey::Of("a"), kNow), nullptr);
  shard.CheckInvariants();
}

TEST(ShardTest, FlushAndSwapTakeWholeDatabases) {
  LazyFree lazy_free;
  Shard shard(0, {.lazy_free = &lazy_free});
  MutexLock lock(shard.mu());
  for (int i = 0; i < 1000; ++i) {
    shard.SetInteger(0, HashedKey::Of("a" + std::to_string(i)), i, kNoExpiry);
    shard.SetInteger(5, HashedKey::Of("b" + std::to_string(i)), i, kNow);
  }
  shard.SwapDatabases(5, 0);
  EXPECT_NE(shard.Find(0, HashedKey::Of("b7"), kNow), nullptr);
  EXPECT_NE(shard.Find(5, HashedKey::Of("a7"), kNow), nullptr);
  shard.SwapDatabases(0, 9);
  EXPECT_EQ(shard.size(0), 0u);
  EXPECT_EQ(shard.volatile_size(9), 1000u);
  shard.Flush(9, Shard::Reclaim::kBackground);
  shard.Flush(5, Shard::Reclaim::kNow);
  EXPECT_EQ(shard.memory_bytes(), 0u);
  lazy_free.Drain();
  EXPECT_EQ(lazy_free.pending(), 0u);
  EXPECT_EQ(lazy_free.freed(), 2000u);
}

TEST(ShardTest, AnOverwriteWithAnotherTypeMovesTheUsage) {
  Shard shard(0, {});
  MutexLock lock(shard.mu());
  const HashedKey key = HashedKey::Of("k");
  shard.SetObject(0, key, Hash::Create().object(), kNoExpiry);
  shard.SetString(0, key, "text", kNoExpiry);
  shard.SetObject(1, key, Hash::Create().object(), kNoExpiry);
  UsageByType usage;
  shard.AddUsageTo(usage);
  EXPECT_EQ(UsageOf(usage, ValueType::kString).keys, 1u);
  EXPECT_EQ(UsageOf(usage, ValueType::kHash).keys, 1u);
  shard.CheckInvariants();
}

// With strings of every encoding and of lengths that fill a class or the short header.
class ShardFreshnessTest : public testing::TestWithParam<std::string> {
 protected:
  static constexpr Freshness kFresh = {.fresh_until = kNow + 60'000,
                                       .load_time = std::chrono::milliseconds(80)};

  const std::string& text() const { return GetParam(); }
  Entry* SetFresh(UnixMillis expiry = kNow) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard_.mu()) {
    return shard_.SetString(0, key_, text(), expiry, &kFresh);
  }
  // And no byte is lost or counted twice.
  void Expect(const Entry* entry, std::string_view value, bool fresh, const HashedKey& key)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard_.mu()) {
    ASSERT_EQ(entry, shard_.Find(0, key, kNow));
    EXPECT_EQ(TextOf(*entry), value);
    ASSERT_EQ(entry->has_freshness(), fresh);
    if (fresh) {
      EXPECT_EQ(entry->freshness(), kFresh);
    }
    shard_.CheckInvariants();
  }
  void Expect(const Entry* entry, bool fresh) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard_.mu()) {
    Expect(entry, text(), fresh, key_);
  }

  const HashedKey key_ = HashedKey::Of("key");
  Shard shard_{0, {}};
};

TEST_P(ShardFreshnessTest, ComesWithTheValueAndGoesWithIt) {
  MutexLock lock(shard_.mu());
  Expect(SetFresh(), true);
  Expect(SetFresh(), true);
  Expect(shard_.SetString(0, key_, text(), kNow), false);
  Expect(shard_.SetBlob(0, key_, BlobRef::CopyOf(text()), kNoExpiry, &kFresh), true);
  Expect(shard_.SetText(0, key_, text(), kNoExpiry), false);
  SetFresh();
  Expect(shard_.SetRawString(0, key_, text(), kNow), false);
  SetFresh();
  Expect(shard_.SetInteger(0, key_, 5, kNow), "5", false, key_);
  SetFresh();
  shard_.SetObject(0, key_, Hash::Create().object(), kNoExpiry);
  EXPECT_FALSE(shard_.Find(0, key_, kNow)->has_freshness());
  shard_.CheckInvariants();
}

TEST_P(ShardFreshnessTest, IsSetAndRemovedByItselfAndOutlivesTheExpiry) {
  MutexLock lock(shard_.mu());
  Entry* entry = shard_.SetString(0, key_, text(), kNoExpiry);
  const size_t bytes = shard_.memory_bytes();
  entry = shard_.SetFreshness(0, key_, entry, &kFresh);
  Expect(entry, true);
  entry = shard_.SetExpiry(0, key_, entry, kNow + 5);
  Expect(entry, true);
  entry = shard_.SetExpiry(0, key_, entry, kNoExpiry);
  Expect(entry, true);
  entry = shard_.SetFreshness(0, key_, entry, nullptr);
  Expect(entry, false);
  EXPECT_EQ(shard_.memory_bytes(), bytes);
}

TEST_P(ShardFreshnessTest, AnEditInPlaceDropsIt) {
  MutexLock lock(shard_.mu());
  Entry* entry = SetFresh();
  shard_.EditString(0, key_, entry, 0);
  Expect(entry, false);
  entry = shard_.SetFreshness(0, key_, entry, &kFresh);  // Held as it is to be edited by now.
  shard_.EditString(0, key_, entry, text().size() + 1);
  Expect(entry, text() + '\0', false, key_);
}

TEST_P(ShardFreshnessTest, HoldingTheValueOtherwiseKeepsIt) {
  MutexLock lock(shard_.mu());
  Entry* entry = shard_.MakeRaw(0, key_, SetFresh());
  EXPECT_EQ(entry->EncodingName(), "raw");
  Expect(entry, true);
}

TEST_P(ShardFreshnessTest, FollowsTheValueToAnotherKey) {
  MutexLock lock(shard_.mu());
  const std::string long_name(300, 'k');
  const HashedKey other = HashedKey::Of(long_name);
  Expect(shard_.Attach(0, other, shard_.Clone(*SetFresh())), text(), true, other);
  Entry* entry = shard_.Find(0, key_, kNow);
  Expect(entry, true);
  Expect(shard_.Attach(0, other, shard_.Extract(0, key_, entry)), text(), true, other);
  EXPECT_EQ(shard_.size(0), 1u);
}

TEST_P(ShardFreshnessTest, IsNoPartOfTheSerializedValue) {
  MutexLock lock(shard_.mu());
  const std::string payload = DumpPayload(*SetFresh(), SerialWriter::Compress::kYes);
  const Entry* plain = shard_.SetString(0, key_, text(), kNoExpiry);
  EXPECT_EQ(payload, DumpPayload(*plain, SerialWriter::Compress::kYes));
}

TEST_P(ShardFreshnessTest, ChangingItIsAChangeOfTheKey) {
  class Observer : public ShardObserver {
   public:
    void OnKeyChanging(Shard&, int, std::string_view, KeyChange) override { ++changes; }
    void OnKeyExpired(Shard&, int, std::string_view) override {}
    int changes = 0;
  };
  Observer observer;
  Shard shard(0, {.observer = &observer});
  MutexLock lock(shard.mu());
  Entry* entry = shard.SetString(0, key_, text(), kNoExpiry);
  shard.set_observed(true);
  shard.SetFreshness(0, key_, entry, &kFresh);
  EXPECT_EQ(observer.changes, 1);
}

INSTANTIATE_TEST_SUITE_P(Values, ShardFreshnessTest,
                         testing::Values("", "12345", "1234567890123", "text",
                                         std::string(240, 'x'), std::string(252, 'x'),
                                         std::string(4096, 'x'), std::string(4097, 'x')));

class ShardPinTest : public testing::Test {
 protected:
  static constexpr int64_t kMost = 2;

  void Set(int db, const char* key, UnixMillis expiry = kNoExpiry) {
    MutexLock lock(shard_.mu());
    shard_.SetString(db, HashedKey::Of(key), "value", expiry);
  }
  bool Pin(int db, const char* key) {
    MutexLock lock(shard_.mu());
    return shard_.Pin(db, HashedKey::Of(key), kMost);
  }
  bool IsPinned(int db, const char* key) {
    MutexLock lock(shard_.mu());
    shard_.CheckInvariants();
    return shard_.IsPinned(db, key);
  }
  std::unique_ptr<Shard::Detached> Extract(int db, const char* name) {
    MutexLock lock(shard_.mu());
    const HashedKey key = HashedKey::Of(name);
    return shard_.Extract(db, key, shard_.Find(db, key, kNow));
  }
  void Attach(int db, const char* name, std::unique_ptr<Shard::Detached> value) {
    MutexLock lock(shard_.mu());
    shard_.Attach(db, HashedKey::Of(name), std::move(value));
  }

  std::atomic<int64_t> total_{0};
  Shard shard_{0, {.pinned_keys = &total_}};
};

TEST_F(ShardPinTest, APinStaysWhateverTheKeyIsSetToAndGoesWithIt) {
  Set(0, "k");
  EXPECT_TRUE(Pin(0, "k"));
  EXPECT_TRUE(Pin(0, "k"));
  EXPECT_EQ(total_, 1);
  Set(0, "k");
  EXPECT_TRUE(IsPinned(0, "k"));
  EXPECT_FALSE(IsPinned(1, "k"));
  {
    MutexLock lock(shard_.mu());
    EXPECT_TRUE(shard_.Erase(0, HashedKey::Of("k"), Shard::Reclaim::kNow));
  }
  Set(0, "k");
  EXPECT_FALSE(IsPinned(0, "k"));
  EXPECT_EQ(total_, 0);
}

TEST_F(ShardPinTest, NoMoreKeysArePinnedThanMayBe) {
  for (const char* key : {"a", "b", "c"}) Set(0, key);
  EXPECT_TRUE(Pin(0, "a"));
  EXPECT_TRUE(Pin(0, "b"));
  EXPECT_FALSE(Pin(0, "c"));
  EXPECT_TRUE(Pin(0, "a"));  // It is already.
  MutexLock lock(shard_.mu());
  EXPECT_TRUE(shard_.Unpin(0, HashedKey::Of("a")));
  EXPECT_FALSE(shard_.Unpin(0, HashedKey::Of("a")));
  EXPECT_TRUE(shard_.Pin(0, HashedKey::Of("c"), kMost));
}

TEST_F(ShardPinTest, FollowsTheValueToAnotherNameAndDatabase) {
  Set(0, "old");
  Set(3, "new");
  Pin(0, "old");
  Attach(3, "new", Extract(0, "old"));
  EXPECT_FALSE(IsPinned(0, "old"));
  EXPECT_TRUE(IsPinned(3, "new"));
  EXPECT_EQ(total_, 1);
  Extract(3, "new");
  EXPECT_EQ(total_, 0);
}

TEST_F(ShardPinTest, FollowsADatabaseThatIsSwappedAndGoesWithOneThatIsFlushed) {
  Set(0, "a");
  Set(2, "b");
  Pin(0, "a");
  Pin(2, "b");
  {
    MutexLock lock(shard_.mu());
    shard_.SwapDatabases(0, 2);
  }
  EXPECT_TRUE(IsPinned(2, "a"));
  EXPECT_TRUE(IsPinned(0, "b"));
  {
    MutexLock lock(shard_.mu());
    shard_.Flush(0, Shard::Reclaim::kNow);
  }
  EXPECT_FALSE(IsPinned(0, "b"));
  EXPECT_EQ(total_, 1);
}

TEST_F(ShardPinTest, DoesNotKeepAKeyFromExpiring) {
  Set(0, "k", kNow - 1);
  Pin(0, "k");
  MutexLock lock(shard_.mu());
  EXPECT_EQ(shard_.Find(0, HashedKey::Of("k"), kNow), nullptr);
  EXPECT_FALSE(shard_.IsPinned(0, "k"));
  EXPECT_EQ(total_, 0);
}

TEST(ShardTest, LargeValuesAreFreedInTheBackgroundWhenAsked) {
  LazyFree lazy_free;
  Shard shard(0, {.lazy_free = &lazy_free});
  MutexLock lock(shard.mu());
  const HashedKey key = HashedKey::Of("k");
  shard.SetString(0, key, std::string(1 << 20, 'x'), kNoExpiry);
  EXPECT_TRUE(shard.Erase(0, key, Shard::Reclaim::kBackground));
  shard.SetString(0, key, "small", kNoExpiry);
  EXPECT_TRUE(shard.Erase(0, key, Shard::Reclaim::kBackground));
  lazy_free.Drain();
  EXPECT_EQ(lazy_free.freed(), 1u);
}

// Random operations against a map that does the same the simple way.
class ShardModelTest : public testing::TestWithParam<uint64_t> {
 protected:
  struct Item {
    std::string value;
    UnixMillis expiry;
    std::optional<Freshness> freshness = {};
  };
  using Model = std::map<std::pair<int, std::string>, Item>;
  static constexpr int kDatabases = 3;

  ShardModelTest() : random_(GetParam()), keys_(1 + random_.Uniform(3000)) {}

  bool Live(const Item& item) const { return item.expiry == kNoExpiry || now_ <= item.expiry; }
  bool Chance(uint64_t one_in) { return random_.Uniform(one_in) == 0; }

  std::string RandomKey() {
    return (Chance(50) ? std::string(300, 'k') : "key:") + std::to_string(random_.Uniform(keys_));
  }
  std::string RandomValue() {
    if (Chance(3)) return std::to_string(static_cast<int64_t>(random_.Next()));
    const uint64_t size = Chance(50) ? 3500 + random_.Uniform(2000) : random_.Uniform(300);
    return std::string(size, static_cast<char>('a' + random_.Uniform(26)));
  }
  UnixMillis RandomExpiry() {
    return Chance(2) ? kNoExpiry : now_ - 10 + static_cast<int64_t>(random_.Uniform(5000));
  }

  std::optional<Freshness> RandomFreshness() {
    if (Chance(2)) return std::nullopt;
    return Freshness{.fresh_until = now_ + static_cast<int64_t>(random_.Uniform(5000)),
                     .load_time = std::chrono::milliseconds(random_.Uniform(1000))};
  }
  static std::optional<Freshness> FreshnessOf(const Entry& entry) {
    return entry.has_freshness() ? std::optional(entry.freshness()) : std::nullopt;
  }

  void Step() ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard_.mu()) {
    const int db = static_cast<int>(random_.Uniform(kDatabases));
    const std::string name = RandomKey();
    const HashedKey key = HashedKey::Of(name);
    const auto at = std::make_pair(db, name);
    if (Chance(5)) now_ += static_cast<int64_t>(random_.Uniform(20));
    if (Chance(20'000)) return Whole(db);
    Entry* entry = shard_.Find(db, key, now_);
    const auto found = model_.find(at);
    const bool live = found != model_.end() && Live(found->second);
    ASSERT_EQ(entry != nullptr, live) << name;
    if (entry != nullptr) {
      ASSERT_EQ(TextOf(*entry), found->second.value);
      ASSERT_EQ(entry->expiry(), found->second.expiry);
      ASSERT_EQ(FreshnessOf(*entry), found->second.freshness);
    } else {
      model_.erase(at);
    }
    // Phases of growth and of shrinking take turns.
    const bool shrinking = steps_++ % 20'000 > 10'000;
    const uint64_t choice = random_.Uniform(shrinking ? 17 : 11);
    if (choice >= 11 || choice == 0) {
      EXPECT_EQ(shard_.Erase(db, key, Shard::Reclaim::kNow), live);
      model_.erase(at);
    } else if (choice == 1 && live) {
      const UnixMillis expiry = RandomExpiry();
      shard_.SetExpiry(db, key, entry, expiry);
      found->second.expiry = expiry;
    } else if (choice == 2 && live) {
      std::string& value = found->second.value;
      value.resize(value.size() + random_.Uniform(100));
      const std::span<char> bytes = shard_.EditString(db, key, entry, value.size());
      ASSERT_EQ(std::string(bytes.data(), bytes.size()), value);
      found->second.freshness.reset();
    } else if (choice == 10 && live) {
      std::optional<Freshness>& freshness = found->second.freshness;
      freshness = RandomFreshness();
      shard_.SetFreshness(db, key, entry, freshness ? &*freshness : nullptr);
    } else if (choice == 3 && live) {
      const int new_db = static_cast<int>(random_.Uniform(kDatabases));
      const std::string new_name = RandomKey();
      shard_.Attach(new_db, HashedKey::Of(new_name),
                    Chance(2) ? shard_.Clone(*entry) : shard_.Extract(db, key, entry));
      const Item item = found->second;
      if (shard_.Find(db, key, kNow) == nullptr) model_.erase(at);
      model_[{new_db, new_name}] = item;
    } else if (choice == 4) {
      shard_.ExpireSome(now_, 1 + random_.Uniform(20));
    } else {
      const std::string value = RandomValue();
      const UnixMillis expiry = RandomExpiry();
      const std::optional<Freshness> freshness = RandomFreshness();
      shard_.SetString(db, key, value, expiry, freshness ? &*freshness : nullptr);
      model_[at] = {value, expiry, freshness};
    }
  }

  void Whole(int db) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard_.mu()) {
    if (Chance(2)) {
      shard_.Flush(db, Chance(2) ? Shard::Reclaim::kNow : Shard::Reclaim::kBackground);
      std::erase_if(model_, [&](const auto& item) { return item.first.first == db; });
      return;
    }
    const int other = static_cast<int>(random_.Uniform(kDatabases));
    shard_.SwapDatabases(db, other);
    Model swapped;
    for (auto& [at, item] : model_) {
      const int to = at.first == db ? other : at.first == other ? db : at.first;
      swapped[{to, at.second}] = std::move(item);
    }
    model_ = std::move(swapped);
  }

  void ExpectSame() ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard_.mu()) {
    shard_.CheckInvariants();
    Shard::ExpireResult result;
    do {
      result = shard_.ExpireSome(now_, 1 + random_.Uniform(50));
    } while (result.more || result.expired != 0);
    shard_.CheckInvariants();
    std::erase_if(model_, [&](const auto& item) { return !Live(item.second); });
    Model scanned;
    size_t sizes = 0;
    for (int db = 0; db < kDatabases; ++db) {
      sizes += shard_.size(db);
      uint64_t cursor = 0;
      do {
        cursor = shard_.Scan(db, cursor, [&](Entry& entry) {
          scanned[{db, std::string(entry.key())}] = {TextOf(entry), entry.expiry(),
                                                     FreshnessOf(entry)};
        });
      } while (cursor != 0);
    }
    ASSERT_EQ(sizes, model_.size());
    ASSERT_EQ(scanned.size(), model_.size());
    for (const auto& [at, item] : model_) {
      ASSERT_EQ(scanned[at].value, item.value);
      ASSERT_EQ(scanned[at].expiry, item.expiry);
      ASSERT_EQ(scanned[at].freshness, item.freshness);
    }
  }

  Random random_;
  uint64_t keys_;
  uint64_t steps_ = 0;
  UnixMillis now_ = kNow;
  LazyFree lazy_free_;
  Shard shard_{0, {.databases = kDatabases, .lazy_free = &lazy_free_}};
  Model model_;
};

TEST_P(ShardModelTest, BehavesAsAMap) {
  SetHashSeedForTests(GetParam());
  MutexLock lock(shard_.mu());
  for (int i = 0; i < 40'000; ++i) {
    Step();
    if (HasFatalFailure()) return;
    if (i % 4000 == 3999) ExpectSame();
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, ShardModelTest, testing::Range<uint64_t>(1, 13));

}  // namespace
}  // namespace larder
