#include "storage/entry.h"

#include <optional>
#include <string>

#include "base/allocator.h"
#include "base/numbers.h"
#include <gtest/gtest.h>

namespace larder {
namespace {

std::string TextOf(const Entry& entry) {
  StringValue value;
  entry.ReadString(value);
  EXPECT_EQ(value.size(), entry.StringSize());
  return std::string(value.view());
}

TEST(EntryTest, SmallEntriesFitTheClassesTheyWereMadeFor) {
  EXPECT_EQ(Entry::SizeFor(16, 8, false), 30u);
  EXPECT_EQ(Entry::SizeFor(16, 64, false), 86u);
  EXPECT_EQ(Entry::SizeFor(16, 64, true), 94u);
  EXPECT_EQ(SizeClass(30), 32u);
  EXPECT_EQ(SizeClass(94), 96u);
}

TEST(EntryTest, KeepsKeyValueExpiryAndAccessBitsAtEveryLength) {
  for (const size_t key_size : {0u, 1u, 3u, 7u, 16u, 33u, 255u, 256u, 70000u}) {
    for (const size_t value_size : {0u, 1u, 64u, 255u, 256u, 4096u}) {
      for (const UnixMillis expiry : {kNoExpiry, UnixMillis{0}, UnixMillis{1} << 60}) {
        const std::string key(key_size, 'k');
        const std::string text(value_size, 'v');
        Entry* entry = Entry::Create(key, Entry::Value::Text(text), expiry, 0xabcdef);
        EXPECT_EQ(entry->type(), ValueType::kString);
        EXPECT_EQ(entry->key(), key);
        EXPECT_TRUE(entry->KeyEquals(key));
        EXPECT_FALSE(entry->KeyEquals(key + "x"));
        EXPECT_EQ(TextOf(*entry), text);
        EXPECT_EQ(entry->expiry(), expiry);
        EXPECT_EQ(entry->access(), 0xabcdefu);
        EXPECT_EQ(entry->size(), Entry::SizeFor(key_size, value_size, expiry != kNoExpiry));
        Entry::Destroy(entry);
      }
    }
  }
}

TEST(EntryTest, KeysThatDifferInOneByteAreDifferent) {
  for (size_t size = 1; size < 70; ++size) {
    const std::string key(size, 'a');
    Entry* entry = Entry::Create(key, Entry::Value::Text(""), kNoExpiry, 0);
    for (size_t i = 0; i < size; ++i) {
      std::string other = key;
      other[i] = 'b';
      EXPECT_FALSE(entry->KeyEquals(other)) << size << " " << i;
    }
    EXPECT_TRUE(entry->KeyEquals(key));
    Entry::Destroy(entry);
  }
}

TEST(EntryTest, RewriteKeepsTheKeyWhateverMovesAroundIt) {
  const size_t sizes[] = {0, 8, 12, 200, 255, 256, 257, 300, 1000};
  for (const size_t from : sizes) {
    for (const size_t to : sizes) {
      for (const UnixMillis old_expiry : {kNoExpiry, UnixMillis{5}}) {
        for (const UnixMillis new_expiry : {kNoExpiry, UnixMillis{6}}) {
          Entry* entry =
              Entry::Create("some-key", Entry::Value::Text(std::string(from, 'a')), old_expiry, 77);
          const std::string text(to, 'b');
          entry = Entry::Rewrite(entry, Entry::Value::Text(text), new_expiry);
          EXPECT_EQ(entry->key(), "some-key");
          EXPECT_EQ(TextOf(*entry), text);
          EXPECT_EQ(entry->expiry(), new_expiry);
          EXPECT_EQ(entry->access(), 77u);
          entry = Entry::ChangeExpiry(entry, old_expiry);
          EXPECT_EQ(entry->key(), "some-key");
          EXPECT_EQ(TextOf(*entry), text);
          EXPECT_EQ(entry->expiry(), old_expiry);
          Entry::Destroy(entry);
        }
      }
    }
  }
}

TEST(EntryTest, RewriteStaysInPlaceWithinTheClass) {
  Entry* entry = Entry::Create("key", Entry::Value::Text("12345678"), kNoExpiry, 0);  // 17 of 32.
  EXPECT_EQ(Entry::Rewrite(entry, Entry::Value::Text("12345678901"), 1), entry);      // 28 of 32.
  Entry::Destroy(entry);
}

TEST(EntryTest, RewriteTakesAPartOfItsOwnValue) {
  Entry* entry = Entry::Create("key", Entry::Value::Text("abcdefgh"), kNoExpiry, 0);
  StringValue value;
  entry->ReadString(value);
  entry = Entry::Rewrite(entry, Entry::Value::Text(value.view().substr(2)), kNoExpiry);
  EXPECT_EQ(TextOf(*entry), "cdefgh");
  Entry::Destroy(entry);
}

TEST(EntryTest, NamesEncodingsAsRedisDoes) {
  const struct {
    size_t size;
    StringEncoding encoding;
    const char* name;
  } kRows[] = {{0, StringEncoding::kInline, "embstr"},
               {44, StringEncoding::kInline, "embstr"},
               {45, StringEncoding::kInline, "raw"},
               {3, StringEncoding::kInlineRaw, "raw"}};
  for (const auto& row : kRows) {
    const std::string text(row.size, 'x');
    Entry* entry = Entry::Create("k", Entry::Value::Text(text, row.encoding), kNoExpiry, 0);
    EXPECT_EQ(entry->EncodingName(), row.name) << row.size;
    Entry::Destroy(entry);
  }
  const int64_t number = -42;
  Entry* entry = Entry::Create("k", Entry::Value::Integer(number), kNoExpiry, 0);
  EXPECT_EQ(entry->EncodingName(), "int");
  EXPECT_EQ(TextOf(*entry), "-42");
  Entry::Destroy(entry);
}

TEST(EntryTest, ExpiresTheMillisecondAfterItsExpiry) {
  Entry* entry = Entry::Create("k", Entry::Value::Text("v"), 1000, 0);
  EXPECT_FALSE(entry->ExpiredAt(1000));
  EXPECT_TRUE(entry->ExpiredAt(1001));
  Entry::Destroy(entry);
}

// ---- Freshness

constexpr uint64_t kWord = 0x0123'4567'89ab'cdef;

TEST(EntryTest, AFreshnessCostsEightBytesAndNothingWithoutIt) {
  EXPECT_EQ(Entry::SizeFor(16, 8, false, true), 38u);
  EXPECT_EQ(Entry::SizeFor(16, 8, true, true), 46u);
  EXPECT_EQ(Entry::SizeFor(300, 8, true, true), 338u);
  Entry* entry = Entry::Create("key", Entry::Value::Text("v").With(kWord), kNoExpiry, 0);
  EXPECT_EQ(entry->size(), 18u);
  EXPECT_EQ(entry->allocated_bytes(), SizeClass(18));
  Entry::Destroy(entry);
}

TEST(EntryTest, FreshnessLeavesNameAndTextOfEveryEncodingAsTheyAre) {
  const int64_t number = -42;
  const std::string large(5000, 'x');
  const struct {
    Entry::Value value;
    std::string text;
    const char* name;
  } kRows[] = {
      {Entry::Value::Text("text"), "text", "embstr"},
      {Entry::Value::Text("text", StringEncoding::kInlineRaw), "text", "raw"},
      {Entry::Value::Integer(number), "-42", "int"},
  };
  for (const auto& row : kRows) {
    Entry* entry = Entry::Create("k", row.value.With(kWord), 5, 0);
    EXPECT_EQ(entry->type(), ValueType::kString);
    EXPECT_EQ(entry->encoding(), row.value.encoding);
    EXPECT_EQ(entry->EncodingName(), row.name);
    EXPECT_EQ(TextOf(*entry), row.text);
    EXPECT_EQ(entry->value().size, row.value.size);
    EXPECT_FALSE(entry->IsBlob());
    EXPECT_EQ(entry->freshness(), Freshness::Unpack(kWord));
    Entry::Destroy(entry);
  }
  Blob* blob = BlobRef::CopyOf(large).Detach();
  Entry* entry = Entry::Create("k", Entry::Value::OfBlob(blob).With(kWord), kNoExpiry, 0);
  EXPECT_TRUE(entry->IsBlob());
  EXPECT_EQ(entry->EncodingName(), "raw");
  EXPECT_EQ(TextOf(*entry), large);
  EXPECT_EQ(entry->allocated_bytes(), SizeClass(entry->size()) + blob->allocated_bytes());
  EXPECT_EQ(entry->freshness(), Freshness::Unpack(kWord));
  Entry::Destroy(entry);
}

TEST(EntryTest, FreshnessComesStaysAndGoesWhateverTheSizes) {
  for (const size_t key_size : {1u, 16u, 255u, 256u}) {
    for (size_t value_size = 0; value_size < 300; ++value_size) {
      for (const UnixMillis expiry : {kNoExpiry, UnixMillis{7}}) {
        const std::string key(key_size, 'k');
        const std::string text(value_size, 'v');
        const auto expect = [&](const Entry& entry, UnixMillis expected_expiry, bool fresh) {
          ASSERT_EQ(entry.key(), key);
          ASSERT_EQ(TextOf(entry), text);
          ASSERT_EQ(entry.expiry(), expected_expiry);
          ASSERT_EQ(entry.access(), 9u);
          ASSERT_EQ(entry.has_freshness(), fresh);
          if (fresh) {
            ASSERT_EQ(entry.freshness(), Freshness::Unpack(kWord));
          }
          ASSERT_EQ(entry.size(),
                    Entry::SizeFor(key_size, value_size, expected_expiry != kNoExpiry, fresh));
        };
        Entry* entry = Entry::Create(key, Entry::Value::Text(text), expiry, 9);
        entry = Entry::ChangeFreshness(entry, kWord + 1);
        entry = Entry::ChangeFreshness(entry, kWord);
        expect(*entry, expiry, true);
        entry = Entry::ChangeExpiry(entry, 8);
        expect(*entry, 8, true);
        entry = Entry::ChangeExpiry(entry, kNoExpiry);
        expect(*entry, kNoExpiry, true);
        entry = Entry::Rewrite(entry, entry->value(), expiry);
        expect(*entry, expiry, true);
        entry = Entry::ChangeFreshness(entry, std::nullopt);
        expect(*entry, expiry, false);
        entry = Entry::Rewrite(entry, Entry::Value::Text(text).With(kWord), expiry);
        expect(*entry, expiry, true);
        entry = Entry::Rewrite(entry, Entry::Value::Text(text), expiry);
        expect(*entry, expiry, false);
        Entry::Destroy(entry);
      }
    }
  }
}

TEST(EntryTest, AFreshnessThatFitsTheClassMovesNothing) {
  Entry* entry = Entry::Create("key", Entry::Value::Text("12345678"), kNoExpiry, 0);  // 17 of 32.
  EXPECT_EQ(Entry::ChangeFreshness(entry, kWord), entry);                             // 25 of 32.
  EXPECT_EQ(Entry::ChangeFreshness(entry, std::nullopt), entry);
  Entry::Destroy(entry);
}

// What an entry of this key takes with a text in two pieces, or in one.
size_t BytesWith(size_t key_size, const Entry::Cut& cut) {
  if (cut.in_blob == 0) return ResidentBytes(Entry::SizeFor(key_size, cut.in_entry, false));
  return ResidentBytes(sizeof(Blob) + cut.in_blob) +
         ResidentBytes(Entry::SizeFor(key_size, 8 + cut.in_entry, false));
}

TEST(EntryTest, ATextIsCutWhereThatSavesASixteenth) {
  for (const size_t key_size : {1u, 16u, 300u}) {
    for (size_t size = 0; size < 500'000; size += 1 + size / 999) {
      const Entry::Cut cut = Entry::CutText(key_size, size, false, false);
      ASSERT_EQ(cut.in_blob + cut.in_entry, size);
      const bool is_inline = size <= Entry::kMaxInlineBytes;
      const Entry::Cut whole{is_inline ? 0 : size, is_inline ? size : 0};
      const bool is_cut = cut.in_blob != 0 && cut.in_entry != 0;
      if (is_cut) {
        ASSERT_LE(BytesWith(key_size, cut) * 16, BytesWith(key_size, whole) * 15) << size;
      } else {
        ASSERT_EQ(cut.in_blob, whole.in_blob) << size;
      }
    }
  }
}

TEST(EntryTest, SizesThatAreUsualTakeLittleMoreThanTheirBytes) {
  for (const size_t size : {1024u, 2048u, 4096u, 8192u, 10'000u, 16'384u, 20'000u, 24'000u}) {
    const size_t bytes = BytesWith(16, Entry::CutText(16, size, false, false));
    EXPECT_LE(bytes, size + size / 20 + 24) << size;
  }
  EXPECT_EQ(Entry::CutText(16, 30'000, false, false).in_entry, 0u);
}

TEST(EntryTest, ACutTextIsReadAsOneAndInItsPieces) {
  const std::string front(5000, 'f');
  for (const size_t size : {1u, 240u, 300u, 9000u}) {
    const std::string rest(size, 'r');
    Blob* blob = BlobRef::CopyOf(front).Detach();
    Entry* entry = Entry::Create("key", Entry::Value::OfBlob(blob, rest).With(kWord), 5, 7);
    const auto check = [&] {
      StringValue value;
      entry->ReadString(value);
      EXPECT_EQ(value.blob(), blob);
      EXPECT_EQ(value.rest(), rest);
      EXPECT_EQ(value.size(), front.size() + size);
      EXPECT_EQ(value.view(), front + rest);
      EXPECT_EQ(entry->StringSize(), front.size() + size);
      EXPECT_EQ(entry->key(), "key");
      EXPECT_EQ(entry->allocated_bytes(), SizeClass(entry->size()) + blob->allocated_bytes());
    };
    check();
    EXPECT_EQ(entry->freshness(), Freshness::Unpack(kWord));
    entry = Entry::ChangeFreshness(entry, std::nullopt);
    check();
    entry = Entry::ChangeExpiry(entry, kNoExpiry);
    check();
    entry = Entry::ChangeFreshness(entry, kWord);
    check();
    EXPECT_EQ(entry->freshness(), Freshness::Unpack(kWord));
    Entry::Destroy(entry);
  }
}

TEST(SizeClassTest, IsWhatTheAllocatorGives) {
  if (AllocatorName() == "libc") GTEST_SKIP() << "only jemalloc has these classes";
  for (size_t bytes = 1; bytes < 70000; ++bytes) ASSERT_EQ(SizeClass(bytes), RoundedSize(bytes));
  for (size_t bytes = 70000; bytes < (size_t{1} << 33); bytes += bytes / 37) {
    ASSERT_EQ(SizeClass(bytes), RoundedSize(bytes)) << bytes;
  }
}

TEST(SizeClassTest, TheClassBelowIsTheLargestThatIsFilled) {
  for (size_t bytes = 8; bytes < 70000; ++bytes) {
    const size_t below = SizeClassBelow(bytes);
    ASSERT_LE(below, bytes);
    ASSERT_EQ(SizeClass(below), below) << bytes;
    ASSERT_GT(SizeClass(below + 1), bytes) << bytes;
  }
}

}  // namespace
}  // namespace larder
