// One thread's loop over its sockets: readiness, timers, and work posted by other threads.
//
// Sockets are opened and accepted through Boost.Asio (net/listener.h), but the sockets of clients
// wait for readiness here: Asio's reactor tries a receive that finds nothing after every request.
// This loop reports a change of readiness once (edge-triggered), and who has read less than there
// was room for knows that nothing is left. The difference is measured by
// benchmarks/net/event_loop_bench.cpp.
//
// Concurrency: thread-confined to the thread in Run(), but for Post and Stop.
//
//   EventLoop loop;
//   loop.Watch(fd, EventLoop::kReadable, handler);
//   loop.Run();
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "net/gather.h"

namespace larder {

class EventLoop {
 public:
  static constexpr uint32_t kReadable = 1u << 0;
  static constexpr uint32_t kWritable = 1u << 1;
  static constexpr uint32_t kHangUp = 1u << 2;  // Reported whether asked for or not.

  // Stays alive until it is unwatched and the round of events under way is over.
  class Handler {
   public:
    virtual ~Handler() = default;
    // Each event comes once: a handler that leaves something unread or unwritten must come back to
    // it by itself, or Rewatch, which reports anew what is ready.
    virtual void OnEvents(uint32_t events) = 0;
  };

  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // False if the kernel refuses (out of memory or watches).
  bool Watch(int fd, uint32_t events, Handler& handler);
  void Rewatch(int fd, uint32_t events, Handler& handler);
  void Unwatch(int fd);

  // Runs `task` on the loop's thread in its next round. Any thread.
  void Post(std::function<void()> task);

  using TimerId = std::pair<MonoTime, uint64_t>;
  TimerId RunAt(MonoTime time, std::function<void()> task);
  void Cancel(const TimerId& timer);

  // Called in every round when all its events have been handed out.
  void set_after_events(std::function<void()> hook) { after_events_ = std::move(hook); }
  // Called in every round before the loop waits; returns how long it may wait at most.
  void set_before_wait(std::function<std::chrono::nanoseconds(MonoTime now)> hook) {
    before_wait_ = std::move(hook);
  }

  // How long requests of many clients may gather (net/gather.h); zero: not at all.
  void set_gather_time(std::chrono::microseconds time) { gather_time_ = time; }

  // The time at the start of this round.
  MonoTime now() const { return now_; }

  // Until Stop.
  void Run();
  // Any thread.
  void Stop();

 private:
  void LetRequestsGather();
  int WaitMillis(std::chrono::nanoseconds longest) const;
  void RunTimers();
  void RunPosted();
  void Wake();

  const int epoll_fd_;
  const int wake_fd_;
  MonoTime now_;
  std::map<TimerId, std::function<void()>> timers_;
  uint64_t next_timer_ = 0;
  Gather gather_;
  std::chrono::microseconds gather_time_{0};
  std::function<void()> after_events_;
  std::function<std::chrono::nanoseconds(MonoTime)> before_wait_;

  std::atomic<bool> stopping_{false};  // Set once by any thread, seen at the next round.
  Mutex posted_mu_;                    // A leaf lock.
  std::vector<std::function<void()>> posted_ ABSL_GUARDED_BY(posted_mu_);
};

}  // namespace larder
