#include "tests/support/resp_client.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace larder {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void ThrowErrno(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

int64_t ToInteger(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw std::runtime_error("not RESP: bad number '" + std::string(text) + "'");
  }
  return value;
}

// Takes replies apart; every step returns false when bytes are missing.
class ReplyParser {
 public:
  explicit ReplyParser(std::string_view bytes) : bytes_(bytes) {}

  size_t position() const { return position_; }

  bool Parse(RespValue& value) {
    std::string_view line;
    if (!TakeLine(line)) return false;
    if (line.empty()) throw std::runtime_error("not RESP: an empty line");
    value.type = line[0];
    line.remove_prefix(1);
    switch (value.type) {
      case '+':
      case '-':
      case ',':
      case '(':
      case '#':
        value.text = line;
        return true;
      case ':':
        value.text = line;
        value.integer = ToInteger(line);
        return true;
      case '_':
        value.is_null = true;
        return true;
      case '$':
      case '=':
      case '!':
        return ParseBulk(line, value);
      case '*':
      case '~':
      case '>':
        return ParseElements(ToInteger(line), value);
      case '%':
        return ParseElements(2 * ToInteger(line), value);
      case '|':
        return ParseAttribute(2 * ToInteger(line), value);
      default:
        throw std::runtime_error("not RESP: type '" + std::string(1, value.type) + "'");
    }
  }

 private:
  bool TakeLine(std::string_view& line) {
    const size_t end = bytes_.find("\r\n", position_);
    if (end == std::string_view::npos) return false;
    line = bytes_.substr(position_, end - position_);
    position_ = end + 2;
    return true;
  }

  bool ParseBulk(std::string_view length_text, RespValue& value) {
    const int64_t length = ToInteger(length_text);
    if (length < 0) {
      value.is_null = true;
      return true;
    }
    const size_t size = static_cast<size_t>(length);
    if (bytes_.size() - position_ < size + 2) return false;
    value.text = bytes_.substr(position_, size);
    position_ += size;
    if (bytes_.substr(position_, 2) != "\r\n") throw std::runtime_error("not RESP: bulk too long");
    position_ += 2;
    return true;
  }

  bool ParseElements(int64_t count, RespValue& value) {
    value.is_null = count < 0;
    for (int64_t i = 0; i < count; ++i) {
      if (!Parse(value.elements.emplace_back())) return false;
    }
    return true;
  }

  // Attributes belong to the reply that follows; their content is dropped.
  bool ParseAttribute(int64_t count, RespValue& value) {
    RespValue attribute;
    if (!ParseElements(count, attribute)) return false;
    return Parse(value);
  }

  std::string_view bytes_;
  size_t position_ = 0;
};

// One word of a command line in double quotes, `at` behind the opening one.
std::string TakeDoubleQuoted(std::string_view line, size_t& at) {
  std::string word;
  for (; at < line.size() && line[at] != '"'; ++at) {
    if (line[at] != '\\' || at + 1 == line.size()) {
      word += line[at];
      continue;
    }
    ++at;
    constexpr std::string_view kNames = "nrtba";
    constexpr std::string_view kBytes = "\n\r\t\b\a";
    if (line[at] == 'x' && at + 2 < line.size()) {
      int byte = 0;
      std::from_chars(line.data() + at + 1, line.data() + at + 3, byte, 16);
      word += static_cast<char>(byte);
      at += 2;
    } else if (const size_t name = kNames.find(line[at]); name != std::string_view::npos) {
      word += kBytes[name];
    } else {
      word += line[at];
    }
  }
  if (at == line.size()) throw std::runtime_error("unbalanced quotes: " + std::string(line));
  ++at;
  return word;
}

std::string TakeSingleQuoted(std::string_view line, size_t& at) {
  std::string word;
  for (; at < line.size() && line[at] != '\''; ++at) {
    if (line[at] == '\\' && at + 1 < line.size() && line[at + 1] == '\'') ++at;
    word += line[at];
  }
  if (at == line.size()) throw std::runtime_error("unbalanced quotes: " + std::string(line));
  ++at;
  return word;
}

int ConnectTo(int family, const sockaddr* address, socklen_t size) {
  const int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) ThrowErrno("socket");
  if (connect(fd, address, size) == 0) return fd;
  const int reason = errno;
  close(fd);
  errno = reason;
  ThrowErrno("connect");
}

}  // namespace

size_t ParseReply(std::string_view bytes, RespValue* value) {
  ReplyParser parser(bytes);
  RespValue parsed;
  if (!parser.Parse(parsed)) return 0;
  if (value != nullptr) *value = std::move(parsed);
  return parser.position();
}

std::vector<std::string> SplitCommandLine(std::string_view line) {
  std::vector<std::string> words;
  size_t at = 0;
  while (true) {
    while (at < line.size() && line[at] == ' ') ++at;
    if (at == line.size()) return words;
    std::string& word = words.emplace_back();
    while (at < line.size() && line[at] != ' ') {
      if (line[at] == '"') {
        word += TakeDoubleQuoted(line, ++at);
      } else if (line[at] == '\'') {
        word += TakeSingleQuoted(line, ++at);
      } else {
        word += line[at++];
      }
    }
  }
}

std::string EncodeRequest(const std::vector<std::string>& args) {
  std::string bytes = "*" + std::to_string(args.size()) + "\r\n";
  for (const std::string& arg : args) {
    bytes += "$" + std::to_string(arg.size()) + "\r\n" + arg + "\r\n";
  }
  return bytes;
}

RespClient::RespClient(int port, std::chrono::milliseconds timeout) : timeout_(timeout) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  fd_ = ConnectTo(AF_INET, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

RespClient::RespClient(const std::string& unix_socket_path, std::chrono::milliseconds timeout)
    : timeout_(timeout) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  unix_socket_path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  fd_ = ConnectTo(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
}

RespClient::RespClient(RespClient&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      timeout_(other.timeout_),
      received_(std::move(other.received_)),
      given_out_(other.given_out_) {}

RespClient::~RespClient() { Close(); }

int RespClient::LocalPort() const {
  sockaddr_in own{};
  socklen_t size = sizeof(own);
  if (getsockname(fd_, reinterpret_cast<sockaddr*>(&own), &size) != 0) ThrowErrno("getsockname");
  return ntohs(own.sin_port);
}

void RespClient::Close() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

void RespClient::SendBytes(std::string_view bytes) {
  const auto deadline = Clock::now() + timeout_;
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
      continue;
    }
    if (errno != EAGAIN && errno != EINTR) ThrowErrno("send");
    if (Clock::now() >= deadline) throw std::runtime_error("the server does not read");
    // A server that waits for us to read before it reads on must not stop the test.
    Receive(std::chrono::milliseconds(0));
    pollfd waiting{.fd = fd_, .events = POLLOUT, .revents = 0};
    poll(&waiting, 1, 10);
  }
}

bool RespClient::Receive(std::chrono::milliseconds timeout) {
  pollfd waiting{.fd = fd_, .events = POLLIN, .revents = 0};
  const int ready = poll(&waiting, 1, static_cast<int>(timeout.count()));
  if (ready < 0 && errno != EINTR) ThrowErrno("poll");
  if (ready <= 0) return false;
  char bytes[64 * 1024];
  const ssize_t got = recv(fd_, bytes, sizeof(bytes), 0);
  if (got < 0) ThrowErrno("recv");
  if (got == 0) throw std::runtime_error("the server closed the connection");
  received_.erase(0, std::exchange(given_out_, 0));
  received_.append(bytes, static_cast<size_t>(got));
  return true;
}

std::optional<std::string> RespClient::ReadReplyWithin(std::chrono::milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  while (true) {
    const std::string_view pending = std::string_view(received_).substr(given_out_);
    if (const size_t size = ParseReply(pending); size > 0) {
      given_out_ += size;
      return std::string(pending.substr(0, size));
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (!Receive(std::max(left, std::chrono::milliseconds(0))) && left.count() <= 0) {
      return std::nullopt;
    }
  }
}

std::string RespClient::ReadReply() {
  std::optional<std::string> reply = ReadReplyWithin(timeout_);
  if (!reply)
    throw std::runtime_error("no reply in time; so far: '" + received_.substr(given_out_) + "'");
  return *std::move(reply);
}

RespValue RespClient::ReadValue() {
  RespValue value;
  ParseReply(ReadReply(), &value);
  return value;
}

bool RespClient::ReadsEnd() {
  const auto deadline = Clock::now() + timeout_;
  try {
    while (Clock::now() < deadline) Receive(std::chrono::milliseconds(50));
  } catch (const std::runtime_error&) {
    return true;  // Also a reset: the server closed with bytes of ours unread.
  }
  return false;
}

bool RespClient::StaysSilent(std::chrono::milliseconds time) {
  return received_.size() == given_out_ && !Receive(time);
}

std::string RespClient::Raw(const std::vector<std::string>& args) {
  Send(args);
  return ReadReply();
}

RespValue RespClient::Call(const std::vector<std::string>& args) {
  Send(args);
  return ReadValue();
}

int64_t InfoNumber(RespClient& client, const std::string& field) {
  const std::string info = client.Call({"INFO", "everything"}).text;
  const size_t at = info.find("\n" + field + ":");
  return at == std::string::npos ? -1 : std::stoll(info.substr(at + field.size() + 2));
}

}  // namespace larder
