// Why clients' sockets wait in an EventLoop and not in Asio's reactor: the CPU time that a server
// spends on a request when there is nothing to do but to read it and to write "+PONG".
//
// Fifty connections over loopback; in each round every one of them sends a request and reads the
// reply. The server has a thread (and a core, where there are two) of its own; its user and system
// time stand in the counters, in microseconds a request. Wall time is the load's and says nothing.
#include "net/event_loop.h"

#include <array>
#include <future>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <string_view>
#include <sys/resource.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "base/check.h"
#include "benchmark/benchmark.h"
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>

namespace larder {
namespace {

constexpr size_t kConnections = 50;
constexpr size_t kBufferBytes = 16384;
constexpr std::string_view kRequest = "*1\r\n$4\r\nPING\r\n";
constexpr std::string_view kReply = "+PONG\r\n";

void PinTo(size_t core) {
  if (std::thread::hardware_concurrency() <= core) return;
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(core, &cores);
  pthread_setaffinity_np(pthread_self(), sizeof(cores), &cores);
}

struct CpuTime {
  double user_us = 0;
  double system_us = 0;
};

CpuTime OfThisThread() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  const auto micros = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
  };
  return {micros(usage.ru_utime), micros(usage.ru_stime)};
}

// A connected pair of TCP sockets on loopback.
struct Pair {
  int client = -1;
  int server = -1;
};

Pair ConnectedPair() {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  LARDER_CHECK(bind(listener, generic, length) == 0 && listen(listener, 1) == 0);
  LARDER_CHECK(getsockname(listener, generic, &length) == 0);
  Pair pair;
  pair.client = socket(AF_INET, SOCK_STREAM, 0);
  LARDER_CHECK(connect(pair.client, generic, length) == 0);
  pair.server = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
  LARDER_CHECK(pair.server >= 0);
  close(listener);
  const int on = 1;
  setsockopt(pair.client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  setsockopt(pair.server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return pair;
}

// Answers on our loop, as server/connection.cpp does: one read a round, the reply at once.
class LoopServer {
 public:
  explicit LoopServer(const std::vector<int>& sockets) {
    for (const int fd : sockets) {
      connections_.push_back(std::make_unique<Connection>(fd, *this));
      loop_.Watch(fd, EventLoop::kReadable, *connections_.back());
    }
  }
  ~LoopServer() {
    for (const auto& connection : connections_) close(connection->fd);
  }
  LoopServer(const LoopServer&) = delete;
  LoopServer& operator=(const LoopServer&) = delete;

  void Run() { loop_.Run(); }
  void Stop() { loop_.Stop(); }
  void Post(std::function<void()> task) { loop_.Post(std::move(task)); }

 private:
  struct Connection : EventLoop::Handler {
    Connection(int socket, LoopServer& owner) : fd(socket), server(owner) {}
    void OnEvents(uint32_t /*events*/) override {
      const ssize_t received = recv(fd, server.buffer_.data(), server.buffer_.size(), 0);
      if (received <= 0) return server.loop_.Unwatch(fd);
      send(fd, kReply.data(), kReply.size(), MSG_NOSIGNAL);
    }
    int fd;
    LoopServer& server;
  };

  EventLoop loop_;
  std::array<char, kBufferBytes> buffer_;  // One for all: nothing is kept between two rounds.
  std::vector<std::unique_ptr<Connection>> connections_;
};

// Answers in completion handlers of Asio's reactor, the cheapest way to use it.
class AsioServer {
 public:
  explicit AsioServer(const std::vector<int>& sockets) : work_(context_.get_executor()) {
    for (const int fd : sockets) {
      auto& connection = connections_.emplace_back(std::make_unique<Connection>(context_, fd));
      connection->Read();
    }
  }

  void Run() { context_.run(); }
  void Stop() { context_.stop(); }
  void Post(std::function<void()> task) { boost::asio::post(context_, std::move(task)); }

 private:
  struct Connection {
    Connection(boost::asio::io_context& context, int fd)
        : socket(context, boost::asio::ip::tcp::v4(), fd) {
      boost::system::error_code ignored;
      socket.non_blocking(true, ignored);
    }
    void Read() {
      socket.async_read_some(boost::asio::buffer(buffer),
                             [this](const boost::system::error_code& error, size_t) {
                               if (error) return;
                               boost::system::error_code failed;
                               socket.write_some(boost::asio::buffer(kReply), failed);
                               if (!failed) Read();
                             });
    }
    boost::asio::ip::tcp::socket socket;
    std::array<char, kBufferBytes> buffer;
  };

  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::vector<std::unique_ptr<Connection>> connections_;
};

// One round of the load: all send, then all read.
bool RunRound(const std::vector<int>& clients) {
  for (const int fd : clients) {
    if (send(fd, kRequest.data(), kRequest.size(), MSG_NOSIGNAL) < 0) return false;
  }
  std::array<char, kReply.size()> reply;
  for (const int fd : clients) {
    if (recv(fd, reply.data(), reply.size(), MSG_WAITALL) != static_cast<ssize_t>(reply.size())) {
      return false;
    }
  }
  return true;
}

template <typename EchoServer>
void RunEcho(benchmark::State& state) {
  std::vector<int> clients;
  std::vector<int> accepted;
  for (size_t i = 0; i < kConnections; ++i) {
    const Pair pair = ConnectedPair();
    clients.push_back(pair.client);
    accepted.push_back(pair.server);
  }
  EchoServer server(accepted);
  std::thread thread([&] {
    PinTo(0);
    server.Run();
  });
  const auto server_time = [&] {
    std::promise<CpuTime> time;
    server.Post([&] { time.set_value(OfThisThread()); });
    return time.get_future().get();
  };

  cpu_set_t before;
  pthread_getaffinity_np(pthread_self(), sizeof(before), &before);
  PinTo(1);
  const CpuTime start = server_time();
  for (auto _ : state) {
    if (!RunRound(clients)) {
      state.SkipWithError("a connection broke");
      break;
    }
  }
  const CpuTime end = server_time();
  pthread_setaffinity_np(pthread_self(), sizeof(before), &before);

  server.Stop();
  thread.join();
  for (const int fd : clients) close(fd);
  const auto requests = static_cast<double>(state.iterations()) * kConnections;
  state.SetItemsProcessed(static_cast<int64_t>(requests));
  state.counters["user_us"] = (end.user_us - start.user_us) / requests;
  state.counters["system_us"] = (end.system_us - start.system_us) / requests;
  state.counters["cpu_us"] =
      (end.user_us - start.user_us + end.system_us - start.system_us) / requests;
}

void BM_EchoOnEventLoop(benchmark::State& state) { RunEcho<LoopServer>(state); }
void BM_EchoOnAsioHandlers(benchmark::State& state) { RunEcho<AsioServer>(state); }
BENCHMARK(BM_EchoOnEventLoop)->UseRealTime();
BENCHMARK(BM_EchoOnAsioHandlers)->UseRealTime();

}  // namespace
}  // namespace larder
