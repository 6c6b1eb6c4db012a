#include "commands/message_digest.h"

#include <set>
#include <vector>

#include "gtest/gtest.h"

namespace larder {
namespace {

MessageDigest Digest(const std::vector<std::string_view>& fields) {
  return DigestOfMessage(fields);
}

TEST(MessageDigestTest, TheOrderOfPairsMakesNoDifference) {
  EXPECT_EQ(Digest({"a", "1", "b", "2", "c", "3"}), Digest({"c", "3", "a", "1", "b", "2"}));
}

TEST(MessageDigestTest, AllElseDoes) {
  const std::set<MessageDigest> digests = {
      Digest({"a", "1"}),           Digest({"1", "a"}),           Digest({"a", "2"}),
      Digest({"a1", ""}),           Digest({"", "a1"}),           Digest({"a", "1", "a", "1"}),
      Digest({"b", "1"}),           Digest({"b", "1", "b", "1"}), Digest({"a", "1", "b", "2"}),
      Digest({"a", "2", "b", "1"}), Digest({"a1b", "2"}),
  };
  EXPECT_EQ(digests.size(), 11U);
}

}  // namespace
}  // namespace larder
