// How long a client waits for its replies while something else happens to the server: sends
// requests at a fixed rate until SIGINT, then prints percentiles as JSON.
//
//   larder_latency_probe PORT ping|get REQUESTS_PER_SECOND FIRST_KEY KEYS
//
// Requests are sent when they are due, whether or not those before have been answered, and their
// latency counts from that time: a server that stands still for a second delays all the requests of
// that second, not one, and one that is merely slow does not look as if it stood still.
//
// Where it may, it runs before everybody else on its processor: what loads the server beside it
// would otherwise delay it, and the server would be blamed.
#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <poll.h>
#include <random>
#include <sched.h>
#include <string>
#include <string_view>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include "benchmarks/tools/client.h"

namespace {

using larder::Connect;
using larder::NowNanos;

volatile std::sig_atomic_t interrupted = 0;

void Interrupt(int /*signal*/) { interrupted = 1; }

std::string Get(uint64_t key) {
  std::array<char, 64> text;
  const int length =
      std::snprintf(text.data(), text.size(), "*2\r\n$3\r\nGET\r\n$16\r\nkey:%012llu\r\n",
                    static_cast<unsigned long long>(key));
  return {text.data(), static_cast<size_t>(length)};
}

// The length of the reply to PING or GET that `bytes` begin with; 0 if it is not wholly there.
size_t ReplyLength(std::string_view bytes) {
  const size_t line = bytes.find("\r\n");
  if (line == std::string_view::npos) return 0;
  if (bytes[0] != '$' || bytes[1] == '-') return line + 2;
  const size_t length = line + 2 + std::strtoull(bytes.data() + 1, nullptr, 10) + 2;
  return length <= bytes.size() ? length : 0;
}

// The requests that wait for their replies, which come in the same order.
class Outstanding {
 public:
  void Sent(int64_t due) { due_.push_back(due); }

  void Received(std::string_view bytes, int64_t now) {
    unread_.append(bytes);
    std::string_view rest = unread_;
    while (const size_t length = ReplyLength(rest)) {
      rest.remove_prefix(length);
      latencies_.push_back(now - due_.front());
      due_.pop_front();
    }
    unread_.erase(0, unread_.size() - rest.size());
  }

  // Those without a reply have waited at least so long, and would be missed if they were dropped.
  std::vector<int64_t>& Finish(int64_t now) {
    for (const int64_t due : due_) latencies_.push_back(now - due);
    due_.clear();
    return latencies_;
  }

 private:
  std::deque<int64_t> due_;
  std::string unread_;
  std::vector<int64_t> latencies_;  // Nanoseconds.
};

void Print(std::vector<int64_t>& nanos) {
  std::sort(nanos.begin(), nanos.end());
  const auto micros = [&](double quantile) {
    const auto index = static_cast<size_t>(quantile * static_cast<double>(nanos.size() - 1));
    return static_cast<double>(nanos[index]) / 1000;
  };
  std::printf("{\"requests\": %zu, \"p50\": %.1f, \"p99\": %.1f, \"p999\": %.1f, \"max\": %.1f}\n",
              nanos.size(), micros(0.5), micros(0.99), micros(0.999), micros(1));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: %s PORT ping|get REQUESTS_PER_SECOND FIRST_KEY KEYS\n", argv[0]);
    return 2;
  }
  const bool ping = std::string_view(argv[2]) == "ping";
  const int64_t interval = 1'000'000'000 / std::max(1LL, std::atoll(argv[3]));
  const auto first_key = static_cast<uint64_t>(std::atoll(argv[4]));
  const auto keys = static_cast<uint64_t>(std::max(1LL, std::atoll(argv[5])));

  std::signal(SIGINT, Interrupt);
  const sched_param first_in_line{.sched_priority = 1};
  sched_setscheduler(0, SCHED_FIFO, &first_in_line);  // Only for who is allowed to: best effort.
  prctl(PR_SET_TIMERSLACK, 1);  // The default of 50 microseconds would be most of the result.
  const int fd = Connect(std::atoi(argv[1]));
  if (fd < 0) {
    std::perror("connect");
    return 1;
  }
  Outstanding outstanding;
  std::minstd_rand random(1);
  std::array<char, 65536> buffer;
  int64_t due = NowNanos();
  while (interrupted == 0) {
    const int64_t now = NowNanos();
    for (; due <= now; due += interval) {
      const std::string request = ping ? "*1\r\n$4\r\nPING\r\n" : Get(first_key + random() % keys);
      if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) return 1;
      outstanding.Sent(due);
    }
    pollfd readable{.fd = fd, .events = POLLIN, .revents = 0};
    const timespec timeout{0, std::clamp<int64_t>(due - NowNanos(), 0, 999'999'999)};
    if (ppoll(&readable, 1, &timeout, nullptr) <= 0) continue;
    const ssize_t received = recv(fd, buffer.data(), buffer.size(), 0);
    if (received <= 0) return 1;
    outstanding.Received({buffer.data(), static_cast<size_t>(received)}, NowNanos());
  }
  close(fd);
  std::vector<int64_t>& latencies = outstanding.Finish(NowNanos());
  if (latencies.empty()) return 1;
  Print(latencies);
  return 0;
}
