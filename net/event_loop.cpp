#include "net/event_loop.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/check.h"
#include "base/scheduling.h"

namespace larder {
namespace {

constexpr int kEventsPerRound = 256;
constexpr std::chrono::nanoseconds kLongestWait = std::chrono::seconds(1);

uint32_t ToEpoll(uint32_t events) {
  uint32_t mask = EPOLLRDHUP | EPOLLET;
  if ((events & EventLoop::kReadable) != 0) mask |= EPOLLIN;
  if ((events & EventLoop::kWritable) != 0) mask |= EPOLLOUT;
  return mask;
}

uint32_t FromEpoll(uint32_t mask) {
  uint32_t events = 0;
  if ((mask & EPOLLIN) != 0) events |= EventLoop::kReadable;
  if ((mask & EPOLLOUT) != 0) events |= EventLoop::kWritable;
  if ((mask & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) != 0) events |= EventLoop::kHangUp;
  return events;
}

}  // namespace

EventLoop::EventLoop()
    : epoll_fd_(epoll_create1(EPOLL_CLOEXEC)),
      wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      now_(MonoNow()) {
  LARDER_CHECK(epoll_fd_ >= 0 && wake_fd_ >= 0);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;  // The wake-up has no handler.
  LARDER_CHECK(epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, wake_fd_, &event) == 0);
}

EventLoop::~EventLoop() {
  close(epoll_fd_);
  close(wake_fd_);
}

bool EventLoop::Watch(int fd, uint32_t events, Handler& handler) {
  epoll_event event{};
  event.events = ToEpoll(events);
  event.data.ptr = &handler;
  return epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) == 0;
}

void EventLoop::Rewatch(int fd, uint32_t events, Handler& handler) {
  epoll_event event{};
  event.events = ToEpoll(events);
  event.data.ptr = &handler;
  LARDER_CHECK(epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, fd, &event) == 0);
}

void EventLoop::Unwatch(int fd) { epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr); }

void EventLoop::Post(std::function<void()> task) {
  bool first;
  {
    MutexLock lock(posted_mu_);
    first = posted_.empty();
    posted_.push_back(std::move(task));
  }
  if (first) Wake();  // Later ones are seen when the loop takes the first.
}

EventLoop::TimerId EventLoop::RunAt(MonoTime time, std::function<void()> task) {
  const TimerId id{time, next_timer_++};
  timers_.emplace(id, std::move(task));
  return id;
}

void EventLoop::Cancel(const TimerId& timer) { timers_.erase(timer); }

void EventLoop::Run() {
  // The kernel may end a sleep late by this much; its default is longer than requests gather.
  prctl(PR_SET_TIMERSLACK, 1000UL, 0UL, 0UL, 0UL);
  AskForShortTurns();
  std::array<epoll_event, kEventsPerRound> events;
  while (!stopping_.load(std::memory_order_acquire)) {
    std::chrono::nanoseconds longest = kLongestWait;
    if (before_wait_) longest = std::min(longest, before_wait_(now_));
    if (longest.count() > 0 && gather_.Worthwhile()) LetRequestsGather();
    const int count = epoll_wait(epoll_fd_, events.data(), kEventsPerRound, WaitMillis(longest));
    now_ = MonoNow();
    bool woken = false;
    for (int i = 0; i < count; ++i) {
      auto* handler = static_cast<Handler*>(events[static_cast<size_t>(i)].data.ptr);
      if (handler == nullptr) {
        woken = true;
      } else {
        gather_.NoteEvent(handler);
        handler->OnEvents(FromEpoll(events[static_cast<size_t>(i)].events));
      }
    }
    if (after_events_) after_events_();
    gather_.EndRound(now_, static_cast<size_t>(count < 0 ? 0 : count));
    if (woken) RunPosted();
    if (!timers_.empty() && timers_.begin()->first.first <= now_) RunTimers();
  }
  RunPosted();
}

void EventLoop::Stop() {
  stopping_.store(true, std::memory_order_release);
  Wake();
}

void EventLoop::LetRequestsGather() {
  if (gather_time_.count() <= 0) return;
  const timespec nap{0, static_cast<long>(std::chrono::nanoseconds(gather_time_).count())};
  nanosleep(&nap, nullptr);
}

int EventLoop::WaitMillis(std::chrono::nanoseconds longest) const {
  if (!timers_.empty()) longest = std::min(longest, timers_.begin()->first.first - now_);
  if (longest.count() <= 0) return 0;
  // Rounded up, so that the loop does not spin through the last fraction of a millisecond.
  return static_cast<int>((longest.count() + 999'999) / 1'000'000);
}

void EventLoop::RunTimers() {
  while (!timers_.empty() && timers_.begin()->first.first <= now_) {
    auto task = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    task();
  }
}

void EventLoop::RunPosted() {
  uint64_t wakes;
  [[maybe_unused]] const ssize_t taken = read(wake_fd_, &wakes, sizeof(wakes));
  std::vector<std::function<void()>> tasks;
  {
    MutexLock lock(posted_mu_);
    tasks.swap(posted_);
  }
  for (auto& task : tasks) task();
}

void EventLoop::Wake() {
  const uint64_t one = 1;
  // A full counter means that a wake-up is under way already.
  [[maybe_unused]] const ssize_t written = write(wake_fd_, &one, sizeof(one));
}

}  // namespace larder
