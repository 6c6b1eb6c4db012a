#include "commands/authentication.h"

#include "gtest/gtest.h"

namespace larder {
namespace {

struct AuthenticationTest : testing::Test {
  bool Try(const char* password, const char* user = "default") {
    client.Set(kClientAuthenticated, false);
    return Authenticate(client, settings, user, password);
  }

  Client client{std::make_shared<ClientRecord>()};
  Settings settings;
};

TEST_F(AuthenticationTest, WithoutAPasswordAnyWillDo) {
  EXPECT_TRUE(Try("whatever"));
  EXPECT_TRUE(client.Is(kClientAuthenticated));
  EXPECT_FALSE(Try("whatever", "somebody"));
}

TEST_F(AuthenticationTest, OnlyThePasswordWillDo) {
  settings.requirepass = "secret";
  EXPECT_TRUE(Try("secret"));
  for (const char* wrong : {"", "s", "secre", "secrets", "secretsecret", "Secret", "terces"}) {
    EXPECT_FALSE(Try(wrong)) << wrong;
    EXPECT_FALSE(client.Is(kClientAuthenticated));
  }
}

TEST_F(AuthenticationTest, AFailureTakesNothingAway) {
  settings.requirepass = "secret";
  ASSERT_TRUE(Try("secret"));
  EXPECT_FALSE(Authenticate(client, settings, "default", "wrong"));
  EXPECT_TRUE(client.Is(kClientAuthenticated));
}

TEST_F(AuthenticationTest, ResetGoesBackToTheDefaultUser) {
  ResetAuthentication(client, settings);
  EXPECT_TRUE(client.Is(kClientAuthenticated));
  settings.requirepass = "secret";
  ResetAuthentication(client, settings);
  EXPECT_FALSE(client.Is(kClientAuthenticated));
}

}  // namespace
}  // namespace larder
