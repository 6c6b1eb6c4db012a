#include "protocol/error_text.h"

#include <string>

#include <gtest/gtest.h>

namespace larder {
namespace {

// The answers of redis-server 7.0.15 to: GET; CONFIG GET; SETEX a 0 b; CONFIG FOO; CONFIG zzz...
TEST(ErrorTextTest, TextsWithNamesAreThoseOfRedis) {
  EXPECT_EQ(error_text::WrongArity("get"), "ERR wrong number of arguments for 'get' command");
  EXPECT_EQ(error_text::WrongArity("config|get"),
            "ERR wrong number of arguments for 'config|get' command");
  EXPECT_EQ(error_text::InvalidExpire("setex"), "ERR invalid expire time in 'setex' command");
  EXPECT_EQ(error_text::UnknownSubcommand("foo", "config"),
            "ERR unknown subcommand 'foo'. Try CONFIG HELP.");
}

TEST(ErrorTextTest, LongNamesFromClientsAreCut) {
  EXPECT_EQ(error_text::UnknownSubcommand(std::string(200, 'z'), "config"),
            "ERR unknown subcommand '" + std::string(128, 'z') + "'. Try CONFIG HELP.");
}

}  // namespace
}  // namespace larder
