#include "commands/keyspace_digest.h"

#include <string_view>

#include "gtest/gtest.h"
#include "storage/entry.h"

namespace larder {
namespace {

std::string DigestOf(std::string_view value, UnixMillis expiry = kNoExpiry) {
  Entry* entry = Entry::Create("key", Entry::Value::Text(value), expiry, 0);
  const std::string hex = KeyspaceDigest::OfValue(*entry).Hex();
  Entry::Destroy(entry);
  return hex;
}

// The expected figures are Redis 7.0.15's, of SET and DEBUG DIGEST-VALUE.
TEST(KeyspaceDigestTest, ValuesHaveRedissDigests) {
  EXPECT_EQ(DigestOf("abc"), "21ffcd2d36aebffca02995acb412bcb827d4c1db");
  EXPECT_EQ(DigestOf("12345"), "e1cf90774e995ae03de66e8109dc5cb9d9c2dc83");
}

TEST(KeyspaceDigestTest, ThatAValueExpiresCountsButNotWhen) {
  EXPECT_EQ(DigestOf("abc", 1000), "c77a33d2ea9755a8613f7e54f17873233d7a8058");
  EXPECT_EQ(DigestOf("abc", 2000), "c77a33d2ea9755a8613f7e54f17873233d7a8058");
}

TEST(KeyspaceDigestTest, ANumberHasTheDigestOfItsText) {
  const int64_t number = 12345;
  Entry* entry = Entry::Create("key", Entry::Value::Integer(number), kNoExpiry, 0);
  EXPECT_EQ(KeyspaceDigest::OfValue(*entry).Hex(), DigestOf("12345"));
  Entry::Destroy(entry);
}

TEST(KeyspaceDigestTest, NothingHasZeros) {
  EXPECT_EQ(KeyspaceDigest().Hex(), std::string(40, '0'));
}

TEST(KeyspaceDigestTest, TheOrderOfKeysDoesNotMatter) {
  Entry* a = Entry::Create("a", Entry::Value::Text("1"), kNoExpiry, 0);
  Entry* b = Entry::Create("b", Entry::Value::Text("2"), kNoExpiry, 0);
  KeyspaceDigest ab;
  ab.AddKey(*a);
  ab.AddKey(*b);
  KeyspaceDigest ba;
  ba.AddKey(*b);
  ba.AddKey(*a);
  EXPECT_EQ(ab, ba);
  EXPECT_FALSE(ab.empty());
  Entry::Destroy(a);
  Entry::Destroy(b);
}

}  // namespace
}  // namespace larder
