#include "server/monitor_feed.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/clock.h"
#include "base/text.h"

namespace larder {
namespace {

// As Redis quotes: printable characters as they are, the usual escapes, the rest in hexadecimal.
void AppendQuoted(std::string& line, std::string_view text) {
  line += '"';
  for (const char c : text) {
    switch (c) {
      case '\\':
      case '"':
        line += '\\';
        line += c;
        break;
      case '\n':
        line += "\\n";
        break;
      case '\r':
        line += "\\r";
        break;
      case '\t':
        line += "\\t";
        break;
      case '\a':
        line += "\\a";
        break;
      case '\b':
        line += "\\b";
        break;
      default:
        if (c >= ' ' && c <= '~') {
          line += c;
        } else {
          absl::StrAppendFormat(&line, "\\x%02x", static_cast<unsigned char>(c));
        }
    }
  }
  line += '"';
}

std::string LineFor(const Client& sender, std::span<const std::string_view> args) {
  const int64_t micros = UnixMicrosNow();
  const bool unix_socket = sender.Is(kClientUnixSocket);
  std::string line = absl::StrFormat("+%d.%06d [%d %s]", micros / 1000000, micros % 1000000,
                                     sender.db, unix_socket ? "unix:" : "");
  line.pop_back();
  absl::StrAppend(&line, sender.record->address, "]");
  for (const std::string_view arg : args) {
    line += ' ';
    AppendQuoted(line, arg);
  }
  line += "\r\n";
  return line;
}

}  // namespace

void MonitorFeed::Add(const std::shared_ptr<ClientRecord>& client) {
  MutexLock lock(mu_);
  for (const auto& monitor : monitors_) {
    if (monitor->id == client->id) return;
  }
  monitors_.push_back(client);
  active_.store(true, std::memory_order_relaxed);
}

void MonitorFeed::Remove(uint64_t client_id) {
  MutexLock lock(mu_);
  std::erase_if(monitors_, [&](const auto& monitor) { return monitor->id == client_id; });
  active_.store(!monitors_.empty(), std::memory_order_relaxed);
}

void MonitorFeed::Feed(const Client& sender, std::span<const std::string_view> args) {
  const BlobRef line = BlobRef::CopyOf(LineFor(sender, args));
  MutexLock lock(mu_);
  for (const auto& monitor : monitors_) clients_.Deliver(*monitor, line, line);
}

size_t MonitorFeed::size() const {
  MutexLock lock(mu_);
  return monitors_.size();
}

}  // namespace larder
