#include "commands/authentication.h"

#include <cstddef>

namespace larder {
namespace {

// Takes the same time wherever the two differ, and for every length of the secret.
bool EqualInConstantTime(std::string_view secret, std::string_view offered) {
  size_t difference = secret.size() ^ offered.size();
  for (size_t i = 0; i < offered.size(); ++i) {
    const char expected = secret.empty() ? '\0' : secret[i % secret.size()];
    difference |= static_cast<unsigned char>(expected ^ offered[i]);
  }
  return difference == 0;
}

void Become(Client& client, std::string_view user, bool authenticated) {
  client.Set(kClientAuthenticated, authenticated);
  MutexLock lock(client.record->text_mu);
  client.record->user.assign(user);
}

}  // namespace

bool UserExists(std::string_view user) { return user == kDefaultUser; }

bool Authenticate(Client& client, const Settings& settings, std::string_view user,
                  std::string_view password) {
  if (!UserExists(user)) return false;
  const bool any_password = settings.requirepass.empty();
  if (!any_password && !EqualInConstantTime(settings.requirepass, password)) return false;
  Become(client, user, true);
  return true;
}

void ResetAuthentication(Client& client, const Settings& settings) {
  Become(client, kDefaultUser, settings.requirepass.empty());
}

}  // namespace larder
