#include "server/push_message.h"

#include <cstring>

#include "base/numbers.h"

namespace larder {

void AppendHeader(std::string& out, char kind, int64_t count) {
  char digits[kMaxIntegerText];
  out.push_back(kind);
  out.append(digits, FormatInt64(count, digits));
  out.append("\r\n");
}

void AppendBulk(std::string& out, std::string_view bytes) {
  AppendHeader(out, '$', static_cast<int64_t>(bytes.size()));
  out.append(bytes);
  out.append("\r\n");
}

PushMessage MakePushMessage(std::span<const std::string_view> elements) {
  constexpr size_t kMostFraming = 1 + kMaxIntegerText + 2 + 2;
  size_t size = kMostFraming;
  for (const std::string_view element : elements) size += element.size() + kMostFraming;
  std::string bytes;
  bytes.reserve(size);
  AppendHeader(bytes, '*', static_cast<int64_t>(elements.size()));
  for (const std::string_view element : elements) AppendBulk(bytes, element);
  PushMessage message{.resp2 = BlobRef::CopyOf(bytes)};
  bytes[0] = '>';
  message.resp3 = BlobRef::CopyOf(bytes);
  return message;
}

}  // namespace larder
