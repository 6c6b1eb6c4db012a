// The name of a message that was given none: what it says.
//
// Concurrency: plain functions.
#pragma once

#include <array>
#include <span>
#include <string_view>

namespace larder {

using MessageDigest = std::array<char, 16>;

// `fields` has fields and values in turn, whose order (of the pairs) makes no difference. A
// cryptographic digest, so that nobody whose words a producer passes on can make up two messages
// that are taken for one.
MessageDigest DigestOfMessage(std::span<const std::string_view> fields);

}  // namespace larder
