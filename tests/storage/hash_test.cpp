#include "storage/hash.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "storage/lazy_free.h"
#include "storage/member_table.h"
#include "storage/shard.h"
#include "storage/snapshot.h"
#include <gtest/gtest.h>

namespace larder {
namespace {

constexpr UnixMillis kNow = 1'700'000'000'000;

// Owns the value of a handle.
class OwnedHash {
 public:
  explicit OwnedHash(const EncodingLimits& limits = {}) : limits_(limits) {}
  ~OwnedHash() { Destroy(hash_.object()); }

  Hash* operator->() { return &hash_; }
  Hash& operator*() { return hash_; }

  bool Set(std::string_view name, std::string_view value, UnixMillis expiry = kNoExpiry,
           UnixMillis now = kNow) {
    return hash_.Set(name, value, {.now = now, .limits = limits_, .expiry = expiry});
  }
  std::optional<std::string> Get(std::string_view name, UnixMillis now = kNow) const {
    HashField field;
    if (!hash_.Find(name, now, field)) return std::nullopt;
    return field.value.Text();
  }
  // "none" if there is no such field.
  std::string ExpiryOf(std::string_view name, UnixMillis now = kNow) const {
    HashField field;
    return hash_.Find(name, now, field) ? std::to_string(field.expiry) : "none";
  }
  std::string All(UnixMillis now = kNow) const {
    std::map<std::string, std::string> fields;
    hash_.ForEach(now, [&](const HashField& field) {
      fields[field.name.Text()] = field.value.Text();
      return true;
    });
    std::string text;
    for (const auto& [name, value] : fields) text += name + "=" + value + " ";
    return text;
  }
  // In the order in which they are held.
  std::string Order() const {
    std::string text;
    hash_.ForEach(Hash::kBeforeAllTime, [&](const HashField& field) {
      text += field.name.Text() + " ";
      return true;
    });
    return text;
  }
  std::string_view encoding() const { return EncodingName(hash_.object()); }
  size_t EraseExpired(UnixMillis now) {
    size_t buckets = 1000;
    return hash_.EraseExpired(now, buckets);
  }

 private:
  EncodingLimits limits_;
  Hash hash_ = Hash::Create();
};

TEST(HashTest, IsTheListpackThatRedisWrites) {
  OwnedHash hash;
  EXPECT_TRUE(hash.Set("a", "text"));
  EXPECT_TRUE(hash.Set("7", "-5"));
  EXPECT_FALSE(hash.Set("a", "12"));
  const std::string_view bytes = hash->listpack().bytes();
  const char kExpected[] =
      "\x14\0\0\0\x04\0"
      "\x81"
      "a\x02\x0c\x01"
      "\x07\x01\xdf\xfb\x02"
      "\xff";
  // As Redis 7.0.15 holds it after the same three HSETs: DUMP shows these bytes.
  EXPECT_EQ(bytes.substr(6), std::string_view(kExpected + 6, sizeof(kExpected) - 7));
  EXPECT_EQ(hash->size(), 2u);
}

TEST(HashTest, ConvertsWhereTheLimitsSay) {
  const EncodingLimits limits = {.hash_max_listpack_entries = 3, .hash_max_listpack_value = 4};
  OwnedHash many(limits);
  for (const char* name : {"a", "b", "c", "c"}) many.Set(name, "1");
  EXPECT_EQ(many.encoding(), "listpack");
  many.Set("d", "1");
  EXPECT_EQ(many.encoding(), "hashtable");
  EXPECT_EQ(many.All(), "a=1 b=1 c=1 d=1 ");
  OwnedHash long_value(limits);
  long_value.Set("a", "1234");
  EXPECT_EQ(long_value.encoding(), "listpack");
  long_value.Set("a", "12345");
  EXPECT_EQ(long_value.encoding(), "hashtable");
  OwnedHash long_name(limits);
  long_name.Set("names", "");
  EXPECT_EQ(long_name.encoding(), "hashtable");
  many->Erase("d", kNow);
  EXPECT_EQ(many.encoding(), "hashtable");  // It never goes back.
}

TEST(HashTest, AListpackWithExpiriesIsOrderedByThem) {
  OwnedHash hash;
  for (const char* name : {"a", "b", "c", "d"}) hash.Set(name, name);
  EXPECT_EQ(hash->due_tick(), kNoTick);
  hash->SetExpiry("c", kNow + 200);
  EXPECT_EQ(hash.encoding(), "listpackex");
  hash->SetExpiry("d", kNow + 100);
  EXPECT_EQ(hash.Order(), "d c a b ");
  EXPECT_EQ(hash->due_tick(), TickOf(kNow + 100));
  hash.Set("e", "e", kNow + 150);
  EXPECT_EQ(hash.Order(), "d e c a b ");
  hash->SetExpiry("d", kNoExpiry);
  EXPECT_EQ(hash.Order(), "e c a b d ");
  hash.Set("c", "new");  // HSET takes the expiry away.
  EXPECT_EQ(hash.Order(), "e a b d c ");
  hash.Set("e", "new", Hash::kKeepExpiry);
  EXPECT_EQ(hash.Order(), "e a b d c ");
  EXPECT_EQ(hash.ExpiryOf("e"), std::to_string(kNow + 150));
  EXPECT_EQ(hash.ExpiryOf("a"), "-1");
  EXPECT_EQ(hash.All(), "a=a b=b c=new d=d e=new ");
  EXPECT_TRUE(IsHashListpack(hash->listpack().bytes(), /*timed=*/true));
  hash->SetExpiry("e", kNoExpiry);
  EXPECT_EQ(hash->due_tick(), kNoTick);
  EXPECT_EQ(hash.encoding(), "listpackex");
}

// Both encodings behave alike; the limits choose.
class HashEncodingTest : public testing::TestWithParam<size_t> {
 protected:
  EncodingLimits Limits() const { return {.hash_max_listpack_entries = GetParam()}; }
};

TEST_P(HashEncodingTest, AnExpiredFieldIsNotSeen) {
  OwnedHash hash(Limits());
  hash.Set("a", "1", kNow + 10);
  hash.Set("b", "2");
  EXPECT_EQ(hash.Get("a", kNow + 10), "1");  // Still there at the very millisecond.
  EXPECT_EQ(hash.Get("a", kNow + 11), std::nullopt);
  EXPECT_EQ(hash.All(kNow + 11), "b=2 ");
  EXPECT_FALSE(hash->Erase("a", kNow + 11));
  EXPECT_EQ(hash->size(), 2u);
  Random random(1);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(hash->RandomField(random, kNow + 11)->name.Text(), "b");
  }
  EXPECT_TRUE(hash.Set("a", "3", Hash::kKeepExpiry, kNow + 11));  // New, with nothing to keep.
  EXPECT_EQ(hash.ExpiryOf("a", kNow + 11), "-1");
  EXPECT_EQ(hash.All(kNow + 11), "a=3 b=2 ");
}

TEST_P(HashEncodingTest, ExpiredFieldsAreErasedWhenTheirTimeHasCome) {
  OwnedHash hash(Limits());
  for (int i = 0; i < 100; ++i) {
    hash.Set("f" + std::to_string(i), "v", i < 90 ? kNow + i : kNoExpiry);
  }
  EXPECT_EQ(hash.EraseExpired(kNow), 0u);
  EXPECT_EQ(hash.EraseExpired(kNow + 10), 10u);
  EXPECT_EQ(hash->size(), 90u);
  EXPECT_EQ(hash.EraseExpired(kNow + 1000), 80u);
  EXPECT_EQ(hash->size(), 10u);
  EXPECT_EQ(hash->due_tick(), kNoTick);
}

TEST_P(HashEncodingTest, ACopyIsIndependent) {
  OwnedHash hash(Limits());
  hash.Set("a", "1", kNow + 10);
  hash.Set("large", std::string(10'000, 'x'));
  Hash copy(Clone(hash->object()));
  hash.Set("a", "2");
  HashField field;
  ASSERT_TRUE(copy.Find("a", kNow, field));
  EXPECT_EQ(field.value.Text(), "1");
  EXPECT_EQ(field.expiry, kNow + 10);
  ASSERT_TRUE(copy.Find("large", kNow, field));
  EXPECT_EQ(field.blob->size(), 10'000u);
  EXPECT_EQ(copy.due_tick(), TickOf(kNow + 10));
  Destroy(copy.object());
}

// Random changes against a map that does the same the simple way.
TEST_P(HashEncodingTest, DoesWhatTheModelDoes) {
  struct Item {
    std::string value;
    UnixMillis expiry;
  };
  for (uint64_t seed = 0; seed < 30; ++seed) {
    Random random(seed);
    OwnedHash hash(Limits());
    std::map<std::string, Item> model;
    UnixMillis now = kNow;
    const auto live = [&](const std::string& name) {
      const auto found = model.find(name);
      return found != model.end() &&
             (found->second.expiry == kNoExpiry || now <= found->second.expiry);
    };
    for (int step = 0; step < 600; ++step) {
      const std::string name = random.Uniform(3) == 0
                                   ? std::to_string(random.Uniform(20))
                                   : "field" + std::to_string(random.Uniform(40));
      const uint64_t kind = random.Uniform(10);
      const UnixMillis later = now + static_cast<UnixMillis>(1 + random.Uniform(300));
      now += static_cast<UnixMillis>(random.Uniform(3));
      if (kind < 5) {
        const std::string value = random.Uniform(2) == 0
                                      ? std::to_string(static_cast<int64_t>(random.Next()))
                                      : std::string(random.Uniform(60), 'v');
        UnixMillis expiry = kNoExpiry;
        if (random.Uniform(3) == 0) expiry = later;
        if (random.Uniform(5) == 0) expiry = Hash::kKeepExpiry;
        const bool is_new = !live(name);
        EXPECT_EQ(hash.Set(name, value, expiry, now), is_new);
        if (expiry == Hash::kKeepExpiry) expiry = is_new ? kNoExpiry : model[name].expiry;
        model[name] = {value, expiry};
      } else if (kind < 7) {
        const bool there = live(name);
        EXPECT_EQ(hash->Erase(name, now), there);
        if (there) model.erase(name);
      } else if (kind < 8) {
        if (!live(name)) continue;
        const UnixMillis expiry = random.Uniform(3) == 0 ? kNoExpiry : later;
        hash->SetExpiry(name, expiry);
        model[name].expiry = expiry;
      } else if (kind < 9) {
        const size_t gone = std::erase_if(model, [&](const auto& item) {
          return item.second.expiry != kNoExpiry && now > item.second.expiry;
        });
        EXPECT_EQ(hash.EraseExpired(now), gone);
      }
      ASSERT_EQ(hash->size(), model.size());
      const std::optional<std::string> value = hash.Get(name, now);
      ASSERT_EQ(value.has_value(), live(name));
      if (value) {
        ASSERT_EQ(*value, model[name].value);
        ASSERT_EQ(hash.ExpiryOf(name, now), std::to_string(model[name].expiry));
      }
      const Object object = hash->object();
      if (hash->is_listpack()) {
        ASSERT_TRUE(hash->empty() || IsHashListpack(hash->listpack().bytes(), hash->timed()));
      } else if (step % 50 == 0) {
        static_cast<MemberTable*>(object.data)->table().CheckInvariants();
      }
    }
    std::string expected;
    for (const auto& [name, item] : model) {
      if (live(name)) expected += name + "=" + item.value + " ";
    }
    EXPECT_EQ(hash.All(now), expected);
  }
}

TEST_P(HashEncodingTest, ScanVisitsEveryFieldOnce) {
  OwnedHash hash(Limits());
  for (int i = 0; i < 300; ++i) hash.Set(std::to_string(i), "v");
  std::map<std::string, int> visits;
  uint64_t cursor = 0;
  do {
    cursor = hash->Scan(cursor, kNow, [&](const HashField& field) { ++visits[field.name.Text()]; });
  } while (cursor != 0);
  EXPECT_EQ(visits.size(), 300u);
  for (const auto& [name, count] : visits) EXPECT_EQ(count, 1) << name;
}

TEST_P(HashEncodingTest, RandomFieldsAreFair) {
  OwnedHash hash(Limits());
  for (int i = 0; i < 10; ++i) hash.Set(std::to_string(i), "v");
  Random random(7);
  std::map<std::string, int> drawn;
  for (int i = 0; i < 10'000; ++i) ++drawn[hash->RandomField(random, kNow)->name.Text()];
  for (const auto& [name, count] : drawn) EXPECT_NEAR(count, 1000, 150) << name;
}

INSTANTIATE_TEST_SUITE_P(Encodings, HashEncodingTest, testing::Values(0, 40, 512),
                         [](const auto& entries) {
                           return "Entries" + std::to_string(entries.param);
                         });

TEST(HashTest, AdoptsWhatIsValidAndConvertsWhatIsTooLarge) {
  Listpack listpack = Listpack::Create();
  for (const char* text : {"a", "1", "b", "2"}) listpack.Append(std::string_view(text));
  EXPECT_TRUE(IsHashListpack(listpack.bytes(), /*timed=*/false));
  EXPECT_FALSE(IsHashListpack(listpack.bytes(), /*timed=*/true));
  Hash small = Hash::Adopt(Listpack::CopyOf(listpack.bytes()), /*timed=*/false, {});
  EXPECT_EQ(EncodingName(small.object()), "listpack");
  Destroy(small.object());
  Hash large = Hash::Adopt(Listpack::CopyOf(listpack.bytes()), /*timed=*/false,
                           {.hash_max_listpack_entries = 1});
  EXPECT_EQ(EncodingName(large.object()), "hashtable");
  EXPECT_EQ(large.size(), 2u);
  Destroy(large.object());

  listpack.Append(std::string_view("a"));
  EXPECT_FALSE(IsHashListpack(listpack.bytes(), /*timed=*/false));  // No value.
  listpack.Append(std::string_view("3"));
  EXPECT_FALSE(IsHashListpack(listpack.bytes(), /*timed=*/false));  // "a" twice.
  listpack.Free();
  Listpack empty = Listpack::Create();
  EXPECT_FALSE(IsHashListpack(empty.bytes(), /*timed=*/false));
  empty.Free();

  const struct {
    std::vector<const char*> elements;
    bool valid;
  } kTimed[] = {{{"a", "1", "5", "b", "2", "0"}, true},
                {{"a", "1", "0", "b", "2", "5"}, false},
                {{"a", "1", "6", "b", "2", "5"}, false},
                {{"a", "1", "-5"}, false},
                {{"a", "1", "soon"}, false},
                {{"a", "1", "0"}, true}};
  for (const auto& row : kTimed) {
    Listpack timed = Listpack::Create();
    for (const char* text : row.elements) timed.Append(std::string_view(text));
    EXPECT_EQ(IsHashListpack(timed.bytes(), /*timed=*/true), row.valid) << row.elements.back();
    timed.Free();
  }
}

TEST(HashTest, ALargeValueIsSharedAndNotCopied) {
  OwnedHash hash;
  BlobRef blob = BlobRef::CopyOf(std::string(100'000, 'x'));
  const EncodingLimits limits;
  hash->Set("f", blob->view(), {.now = kNow, .limits = limits}, blob);
  HashField field;
  ASSERT_TRUE(hash->Find("f", kNow, field));
  EXPECT_EQ(field.blob, blob.get());
  hash->SetExpiry("f", kNow + 5);
  ASSERT_TRUE(hash->Find("f", kNow, field));
  EXPECT_EQ(field.blob, blob.get());
  hash.Set("f", "small");
  EXPECT_TRUE(blob.unique());
}

// ---- In a shard.

class HashInShardTest : public testing::Test {
 protected:
  class Observer : public ShardObserver {
   public:
    void OnKeyChanging(Shard&, int, std::string_view key, KeyChange) override {
      log += "changing:" + std::string(key) + " ";
    }
    void OnKeyExpired(Shard&, int, std::string_view key) override {
      log += "expired:" + std::string(key) + " ";
    }
    void OnFieldsExpired(Shard&, int db, std::string_view key, size_t fields,
                         bool key_removed) override {
      log += std::to_string(db) + ":" + std::string(key) + ":" + std::to_string(fields) +
             (key_removed ? ":gone " : " ");
    }
    std::string log;
  };

  // Creates or changes the hash at `key`.
  void Set(const char* key, std::string_view name, UnixMillis expiry)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard_.mu()) {
    const HashedKey hashed = HashedKey::Of(key);
    Entry* entry = shard_.Find(0, hashed, kNow);
    const Hash::Write write = {.now = kNow, .limits = limits_, .expiry = expiry};
    if (entry == nullptr) {
      Hash hash = Hash::Create();
      hash.Set(name, "value", write);
      shard_.SetObject(0, hashed, hash.object(), kNoExpiry);
      return;
    }
    const size_t bytes = AllocatedBytes(entry->object());
    shard_.BeginEdit(0, hashed, entry);
    Hash hash(entry->object());
    hash.Set(name, "value", write);
    shard_.EndEdit(0, hashed, entry, hash.object(), bytes, /*changed=*/true);
  }
  size_t Size(const char* key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard_.mu()) {
    const Entry* entry = shard_.Find(0, HashedKey::Of(key), kNow);
    return entry == nullptr ? 0 : Hash(entry->object()).size();
  }

  Observer observer_;
  EncodingLimits limits_;
  Shard shard_{0, {.observer = &observer_}};
};

TEST_F(HashInShardTest, TheActiveCycleRemovesFieldsAndEmptiedKeys) {
  MutexLock lock(shard_.mu());
  for (const size_t entries : {512u, 0u}) {
    limits_.hash_max_listpack_entries = entries;
    observer_.log.clear();
    for (int i = 0; i < 50; ++i) {
      Set("some", "f" + std::to_string(i), i < 20 ? kNow + 500 : kNoExpiry);
      Set("all", "f" + std::to_string(i), kNow + 500);
    }
    EXPECT_EQ(shard_.volatile_size(0), 0u);
    shard_.ExpireSome(kNow + 500, 1000);
    EXPECT_EQ(Size("all"), 50u);
    shard_.CheckInvariants();
    for (int i = 0; i < 1000 && shard_.ExpireSome(kNow + 601, 8).more; ++i) {
    }
    EXPECT_EQ(shard_.Find(0, HashedKey::Of("all"), kNow), nullptr);
    EXPECT_EQ(Size("some"), 30u);
    EXPECT_NE(observer_.log.find(":gone"), std::string::npos);
    EXPECT_FALSE(shard_.ExpireSome(kNow + 10'000, 8).more);
    shard_.CheckInvariants();
    shard_.Erase(0, HashedKey::Of("some"), Shard::Reclaim::kNow);
    EXPECT_EQ(shard_.memory_bytes(), 0u);
  }
}

TEST_F(HashInShardTest, AFieldOfALargeHashIsFoundAmongManyKeys) {
  MutexLock lock(shard_.mu());
  limits_.hash_max_listpack_entries = 0;
  for (int i = 0; i < 5000; ++i) {
    shard_.SetInteger(0, HashedKey::Of("other" + std::to_string(i)), i, kNoExpiry);
    Set("large", "f" + std::to_string(i), i == 2500 ? kNow + 100 : kNow + 1'000'000'000);
  }
  int calls = 0;
  while (shard_.ExpireSome(kNow + 200, 8).more) ++calls;
  EXPECT_EQ(Size("large"), 4999u);
  EXPECT_LT(calls, 50);
  EXPECT_EQ(observer_.log, "0:large:1 ");
  shard_.CheckInvariants();
}

TEST_F(HashInShardTest, ALookupRemovesWhatHasExpired) {
  MutexLock lock(shard_.mu());
  shard_.set_observed(true);
  Set("k", "a", kNow + 10);
  Set("k", "b", kNow + 20);
  observer_.log.clear();
  const HashedKey key = HashedKey::Of("k");
  Entry* entry = shard_.Find(0, key, kNow);
  EXPECT_EQ(shard_.ExpireFields(0, key, entry, kNow + 10), entry);
  EXPECT_EQ(observer_.log, "");
  EXPECT_EQ(shard_.ExpireFields(0, key, entry, kNow + 15), entry);
  EXPECT_EQ(observer_.log, "changing:k 0:k:1 ");
  shard_.set_lazy_expiry(false);
  EXPECT_EQ(shard_.ExpireFields(0, key, entry, kNow + 100), entry);
  shard_.set_lazy_expiry(true);
  EXPECT_EQ(shard_.ExpireFields(0, key, entry, kNow + 100), nullptr);
  EXPECT_EQ(observer_.log, "changing:k 0:k:1 changing:k 0:k:1:gone ");
  EXPECT_EQ(shard_.memory_bytes(), 0u);
}

TEST(HashSnapshotTest, SeesTheFieldsThatThereWereAtItsBeginning) {
  class Sizes : public SnapshotSink {
   public:
    void OnEntry(uint32_t, int, const Entry& entry) override {
      by_key[std::string(entry.key())] = Hash(entry.object()).size();
    }
    std::map<std::string, size_t> by_key;
  };
  Keyspace keyspace({.shards = 1});
  Shard& shard = keyspace.shard(0);
  const EncodingLimits limits;
  for (const char* key : {"some", "all"}) {
    MutexLock lock(shard.mu());
    Hash hash = Hash::Create();
    hash.Set("a", "1", {.now = kNow, .limits = limits, .expiry = kNow + 10});
    const UnixMillis other = key == std::string("all") ? kNow + 10 : kNoExpiry;
    hash.Set("b", "2", {.now = kNow, .limits = limits, .expiry = other});
    shard.SetObject(0, HashedKey::Of(key), hash.object(), kNoExpiry);
  }
  Sizes sizes;
  const auto snapshot = *Snapshot::Begin(keyspace, sizes);
  {
    MutexLock lock(shard.mu());
    shard.ExpireSome(kNow + 1000, 100);
    EXPECT_EQ(shard.size(0), 1u);
  }
  while (!snapshot->Step(0, 16)) {
  }
  const std::map<std::string, size_t> expected = {{"all", 2}, {"some", 2}};
  EXPECT_EQ(sizes.by_key, expected);
}

TEST_F(HashInShardTest, LookingAheadNeedsNothingToBeThere) {
  MutexLock lock(shard_.mu());
  const auto look = [&](const char* key) {
    shard_.mu().AssertHeld();
    for (const int db : {0, 1}) shard_.PrefetchValue(db, HashedKey::Of(key).hash);
  };
  look("none");
  Set("k", "a", kNoExpiry);
  shard_.SetInteger(0, HashedKey::Of("string"), 1, kNoExpiry);
  for (const char* key : {"k", "string", "none"}) look(key);
  EXPECT_EQ(Size("k"), 1u);
}

TEST_F(HashInShardTest, OnlyLargeCollectionsHaveMembersToLookUpAhead) {
  MutexLock lock(shard_.mu());
  const auto members_of = [&](const char* key) {
    shard_.mu().AssertHeld();
    return shard_.LikelyMembers(0, HashedKey::Of(key).hash);
  };
  EXPECT_EQ(members_of("k"), nullptr);
  shard_.SetInteger(0, HashedKey::Of("string"), 1, kNoExpiry);
  EXPECT_EQ(members_of("string"), nullptr);
  Set("k", "a", kNoExpiry);
  EXPECT_EQ(members_of("k"), nullptr);
  Set("k", std::string(100, 'b'), kNoExpiry);  // Too long for a listpack.
  ASSERT_NE(members_of("k"), nullptr);
  EXPECT_EQ(members_of("k")->size(), 2u);
  EXPECT_EQ(shard_.LikelyMembers(1, HashedKey::Of("k").hash), nullptr);
}

TEST_F(HashInShardTest, FieldTimesTravelWithTheKey) {
  MutexLock lock(shard_.mu());
  Set("k", "a", kNow + 10);
  Set("k", "b", kNoExpiry);
  const HashedKey key = HashedKey::Of("k");
  Entry* entry = shard_.Find(0, key, kNow);
  shard_.Attach(0, HashedKey::Of("copy"), shard_.Clone(*entry));
  shard_.Attach(0, HashedKey::Of("moved"), shard_.Extract(0, key, entry));
  while (shard_.ExpireSome(kNow + 1000, 8).more) {
  }
  EXPECT_EQ(Size("copy"), 1u);
  EXPECT_EQ(Size("moved"), 1u);
  shard_.CheckInvariants();
}

}  // namespace
}  // namespace larder
