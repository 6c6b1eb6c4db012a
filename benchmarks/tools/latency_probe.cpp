// How long one client waits for its replies while something else happens to the server: sends one
// request at a time at a fixed rate until SIGINT, then prints percentiles as JSON.
//
//   larder_latency_probe PORT ping|get REQUESTS_PER_SECOND FIRST_KEY KEYS
//
// The latency of a request counts from the time at which it was due, not from when it was sent: a
// server that stands still for a second delays all the requests of that second, not one.
#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <random>
#include <string>
#include <string_view>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <vector>

namespace {

volatile std::sig_atomic_t interrupted = 0;

void Interrupt(int /*signal*/) { interrupted = 1; }

int64_t NowNanos() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

void SleepUntil(int64_t nanos) {
  const timespec until{nanos / 1'000'000'000, nanos % 1'000'000'000};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
}

int Connect(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) return -1;
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return fd;
}

std::string Get(uint64_t key) {
  std::array<char, 64> text;
  const int length =
      std::snprintf(text.data(), text.size(), "*2\r\n$3\r\nGET\r\n$16\r\nkey:%012llu\r\n",
                    static_cast<unsigned long long>(key));
  return {text.data(), static_cast<size_t>(length)};
}

// Whether `reply` is a whole reply to PING or GET.
bool IsWhole(std::string_view reply) {
  const size_t line = reply.find("\r\n");
  if (line == std::string_view::npos) return false;
  if (reply[0] != '$' || reply[1] == '-') return true;
  return reply.size() == line + 2 + std::strtoull(reply.data() + 1, nullptr, 10) + 2;
}

// False if the connection broke.
bool Exchange(int fd, std::string_view request, std::string& reply) {
  if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    return false;
  }
  reply.clear();
  std::array<char, 16384> buffer;
  while (!IsWhole(reply)) {
    const ssize_t received = recv(fd, buffer.data(), buffer.size(), 0);
    if (received < 0 && errno == EINTR) continue;
    if (received <= 0) return false;
    reply.append(buffer.data(), static_cast<size_t>(received));
  }
  return true;
}

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
  prctl(PR_SET_TIMERSLACK, 1);  // The default of 50 microseconds would be most of the result.
  const int fd = Connect(std::atoi(argv[1]));
  if (fd < 0) {
    std::perror("connect");
    return 1;
  }
  std::vector<int64_t> nanos;
  nanos.reserve(1'000'000);
  std::minstd_rand random(1);
  std::string reply;
  int64_t due = NowNanos();
  while (interrupted == 0) {
    const std::string request = ping ? "*1\r\n$4\r\nPING\r\n" : Get(first_key + random() % keys);
    due += interval;
    SleepUntil(due);
    if (!Exchange(fd, request, reply)) return 1;
    nanos.push_back(NowNanos() - due);
  }
  close(fd);
  if (nanos.empty()) return 1;
  Print(nanos);
  return 0;
}
