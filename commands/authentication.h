// The one place that decides whether a name and a password are good. There is one user, "default",
// whose password is `requirepass`; while that is empty, any password will do.
//
// Concurrency: called on the client's own thread.
#pragma once

#include <string_view>

#include "commands/client.h"
#include "commands/settings.h"

namespace larder {

inline constexpr std::string_view kDefaultUser = "default";

// Whether there is such a user.
bool UserExists(std::string_view user);

// Makes `client` that user's; false, and nothing changed, if name or password are wrong.
[[nodiscard]] bool Authenticate(Client& client, const Settings& settings, std::string_view user,
                                std::string_view password);

// What a client is before it authenticates, and after RESET: the default user, let in at once when
// that has no password.
void ResetAuthentication(Client& client, const Settings& settings);

}  // namespace larder
