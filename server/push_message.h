// The bytes of a message that is sent out of turn, in both protocol versions at once: an array for
// RESP2, a push for RESP3. Built once, shared by all receivers.
//
// Concurrency: thread-confined; the blobs may then be handed to any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/blob.h"

namespace larder {

struct PushMessage {
  BlobRef resp2;
  BlobRef resp3;
};

// All elements bulk strings: ["message", channel, payload].
PushMessage MakePushMessage(std::span<const std::string_view> elements);

// Appends "$3\r\nabc\r\n".
void AppendBulk(std::string& out, std::string_view bytes);
// Appends a header such as "*2\r\n".
void AppendHeader(std::string& out, char kind, int64_t count);

}  // namespace larder
