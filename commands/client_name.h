// The texts that clients give themselves: name, library, version.
//
// Concurrency: ClientName and SetClientName are safe from any thread.
#pragma once

#include <string>
#include <string_view>

#include "commands/client.h"

namespace larder {

// Only printable ASCII without blanks, so that a line of CLIENT LIST stays one. Empty is fine.
bool IsClientText(std::string_view text);

std::string ClientName(const ClientRecord& record);
// Empty: the client has none any more. REQUIRES: IsClientText(name).
void SetClientName(ClientRecord& record, std::string_view name);

}  // namespace larder
