// A cache whose values come and go in all sizes: what benchmarks/churn.py runs against a server.
//
//   larder_churn_load PORT SECONDS WARM_UP_SECONDS BYTES
//
// The time is divided into twelve phases in turn of values of any size (16 bytes to 1 MB), small
// ones (to 4 KB) and large ones (from 64 KB), each size as likely as another on a logarithmic
// scale: what one phase leaves behind lies in the way of the next. Each kind has keys of its own,
// enough for three quarters of BYTES, so that a server with twice BYTES need not evict. Of the
// requests 60 % set, 8 % set with a TTL of 1 to 10 seconds, 25 % get and 7 % delete.
//
// Requests are sent at a fixed pace, on eight connections in turn, whether or not those before have
// been answered, and their latency counts from when they were due: what holds up the server counts
// for all that it holds up. Prints percentiles as JSON, of what was due after the warm-up.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <poll.h>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include <vector>

#include "benchmarks/tools/client.h"

namespace {

using larder::Connect;
using larder::NowNanos;

constexpr double kMegabyte = 1 << 20;
constexpr int kPhases = 12;
constexpr int kConnections = 8;

struct Kind {
  char name;  // Keys begin with it.
  double least_bytes;
  double most_bytes;
  double requests_per_second;

  double mean_bytes() const {
    return (most_bytes - least_bytes) / std::log(most_bytes / least_bytes);
  }
};

// At these paces about 100 MB/s are set, but for small values, where requests are what costs.
constexpr std::array<Kind, 3> kKinds = {{
    {.name = 'a', .least_bytes = 16, .most_bytes = kMegabyte, .requests_per_second = 1600},
    {.name = 's', .least_bytes = 16, .most_bytes = 4096, .requests_per_second = 20'000},
    {.name = 'l', .least_bytes = 65536, .most_bytes = kMegabyte, .requests_per_second = 420},
}};

// Counts the replies in a stream of bytes, whatever their values are.
class Replies {
 public:
  // How many replies ended within `bytes`; refusals are counted beside.
  int Take(std::string_view bytes) {
    int ended = 0;
    while (!bytes.empty()) {
      if (left_of_value_ > 0) {
        const size_t here = std::min(left_of_value_, bytes.size());
        left_of_value_ -= here;
        bytes.remove_prefix(here);
        ended += left_of_value_ == 0 ? 1 : 0;
        continue;
      }
      const size_t end = bytes.find('\n');
      line_.append(bytes.substr(0, end));
      if (end == std::string_view::npos) break;
      bytes.remove_prefix(end + 1);
      if (line_[0] == '-') ++refused_;
      if (line_[0] == '$' && line_[1] != '-') {
        left_of_value_ = std::strtoull(line_.data() + 1, nullptr, 10) + 2;
      } else {
        ++ended;
      }
      line_.clear();
    }
    return ended;
  }
  int refused() const { return refused_; }

 private:
  std::string line_;
  size_t left_of_value_ = 0;  // Of the value under way, its line end included.
  int refused_ = 0;
};

struct Request {
  std::string head;
  size_t value_bytes = 0;  // That follow it, if any, and then `tail`.
  std::string tail;
};

std::string Bulk(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

class Load {
 public:
  explicit Load(double bytes) : bytes_(bytes) {}

  Request Next(const Kind& kind) {
    const auto keys = static_cast<uint64_t>(0.75 * bytes_ / kind.mean_bytes()) + 1;
    const std::string key = Bulk(kind.name + std::to_string(random_() % keys));
    const uint64_t dice = random_() % 100;
    if (dice < 25) return {.head = "*2\r\n$3\r\nGET\r\n" + key, .tail = {}};
    if (dice < 32) return {.head = "*2\r\n$3\r\nDEL\r\n" + key, .tail = {}};
    const auto size = static_cast<size_t>(
        kind.least_bytes * std::pow(kind.most_bytes / kind.least_bytes, uniform_(random_)));
    const std::string length = "$" + std::to_string(size) + "\r\n";
    if (dice < 40) {
      return {.head = "*5\r\n$3\r\nSET\r\n" + key + length,
              .value_bytes = size,
              .tail = "\r\n$2\r\nEX\r\n" + Bulk(std::to_string(1 + random_() % 10))};
    }
    return {.head = "*3\r\n$3\r\nSET\r\n" + key + length, .value_bytes = size, .tail = "\r\n"};
  }

 private:
  const double bytes_;
  std::mt19937_64 random_{1};
  std::uniform_real_distribution<double> uniform_{0, 1};
};

class Connection {
 public:
  explicit Connection(int fd) : fd_(fd) {}

  void Send(Request request, int64_t due, std::string_view pool) {
    out_.push_back(std::move(request));
    due_.push_back(due);
    Write(pool);
  }

  // False if the server has gone.
  bool Read(int64_t warm_at, std::span<char> buffer, std::vector<int64_t>& latencies) {
    const ssize_t received = recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (received <= 0) return received < 0 && errno == EAGAIN;
    int ended = replies_.Take({buffer.data(), static_cast<size_t>(received)});
    for (const int64_t now = NowNanos(); ended > 0; --ended) {
      if (due_.front() >= warm_at) latencies.push_back(now - due_.front());
      due_.pop_front();
    }
    return true;
  }

  // As much as the socket takes of what waits.
  void Write(std::string_view pool) {
    while (!out_.empty()) {
      const Request& request = out_.front();
      std::array<std::string_view, 3> parts = {request.head, pool.substr(0, request.value_bytes),
                                               request.tail};
      std::array<iovec, 3> vectors;
      size_t skip = sent_;
      size_t left = 0;
      for (size_t i = 0; i < parts.size(); ++i) {
        const size_t here = std::min(skip, parts[i].size());
        skip -= here;
        vectors[i] = {.iov_base = const_cast<char*>(parts[i].data()) + here,
                      .iov_len = parts[i].size() - here};
        left += vectors[i].iov_len;
      }
      msghdr message{};
      message.msg_iov = vectors.data();
      message.msg_iovlen = vectors.size();
      const ssize_t written = sendmsg(fd_, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (written < 0) return;
      sent_ += static_cast<size_t>(written);
      if (static_cast<size_t>(written) < left) return;
      out_.pop_front();
      sent_ = 0;
    }
  }

  pollfd Wanted() const {
    return {.fd = fd_,
            .events = static_cast<short>(out_.empty() ? POLLIN : POLLIN | POLLOUT),
            .revents = 0};
  }
  bool idle() const { return due_.empty(); }
  int refused() const { return replies_.refused(); }

 private:
  const int fd_;
  std::deque<Request> out_;
  size_t sent_ = 0;  // Of the first of them.
  std::deque<int64_t> due_;
  Replies replies_;
};

std::string RandomBytes(size_t count) {
  std::mt19937_64 random(2);
  std::string bytes(count, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

void Print(std::vector<int64_t>& nanos, int refused) {
  std::sort(nanos.begin(), nanos.end());
  const auto micros = [&](double quantile) {
    const auto index = static_cast<size_t>(quantile * static_cast<double>(nanos.size() - 1));
    return static_cast<double>(nanos[index]) / 1000;
  };
  std::printf(
      "{\"requests\": %zu, \"refused\": %d, \"p50\": %.1f, \"p99\": %.1f, \"p999\": %.1f, "
      "\"max\": %.1f}\n",
      nanos.size(), refused, micros(0.5), micros(0.99), micros(0.999), micros(1));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: %s PORT SECONDS WARM_UP_SECONDS BYTES\n", argv[0]);
    return 2;
  }
  const double seconds = std::atof(argv[2]);
  const int64_t start = NowNanos();
  const int64_t warm_at = start + static_cast<int64_t>(std::atof(argv[3]) * 1e9);
  prctl(PR_SET_TIMERSLACK, 1);
  Load load(std::atof(argv[4]));
  std::vector<Connection> connections;
  for (int i = 0; i < kConnections; ++i) {
    const int fd = Connect(std::atoi(argv[1]));
    if (fd < 0) {
      std::perror("connect");
      return 1;
    }
    connections.emplace_back(fd);
  }
  const std::string pool = RandomBytes(static_cast<size_t>(kMegabyte));
  std::vector<char> buffer(256 * 1024);
  std::vector<int64_t> latencies;
  std::array<pollfd, kConnections> events;
  int64_t due = start;
  const auto phase_nanos = static_cast<int64_t>(seconds * 1e9 / kPhases);
  const auto all_idle = [&] {
    return std::all_of(connections.begin(), connections.end(),
                       [](const Connection& connection) { return connection.idle(); });
  };
  for (uint64_t sent = 0; due < start + kPhases * phase_nanos || !all_idle();) {
    for (const int64_t now = NowNanos(); due <= now && due < start + kPhases * phase_nanos;) {
      const auto phase = static_cast<size_t>((due - start) / phase_nanos);
      const Kind& kind = kKinds[phase % kKinds.size()];
      connections[sent++ % kConnections].Send(load.Next(kind), due, pool);
      due += static_cast<int64_t>(1e9 / kind.requests_per_second);
    }
    for (int i = 0; i < kConnections; ++i) events[i] = connections[i].Wanted();
    const timespec timeout{0, std::clamp<int64_t>(due - NowNanos(), 0, 999'999'999)};
    if (ppoll(events.data(), events.size(), &timeout, nullptr) <= 0) continue;
    for (int i = 0; i < kConnections; ++i) {
      if ((events[i].revents & POLLOUT) != 0) connections[i].Write(pool);
      if ((events[i].revents & ~POLLOUT) == 0) continue;
      if (!connections[i].Read(warm_at, buffer, latencies)) return 1;
    }
  }
  int refused = 0;
  for (const Connection& connection : connections) refused += connection.refused();
  if (latencies.empty()) return 1;
  Print(latencies, refused);
  return 0;
}
