#include "storage/crc64.h"

#include <string>

#include "gtest/gtest.h"

namespace larder {
namespace {

TEST(Crc64Test, HasTheCheckValueOfItsDefinition) {
  EXPECT_EQ(Crc64("123456789"), 0xe9c6d914c4b8d9caU);
  EXPECT_EQ(Crc64(""), 0u);
}

TEST(Crc64Test, GoesOnWhereItEnded) {
  const std::string text =
      "This is a test of what the checksum of two parts is: that of the whole.";
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    EXPECT_EQ(Crc64(text.substr(cut), Crc64(text.substr(0, cut))), Crc64(text)) << cut;
  }
}

}  // namespace
}  // namespace larder
