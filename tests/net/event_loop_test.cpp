#include "net/event_loop.h"

#include <array>
#include <atomic>
#include <chrono>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "gtest/gtest.h"

namespace larder {
namespace {

using namespace std::chrono_literals;

// Two ends of a stream, non-blocking.
class SocketPair {
 public:
  SocketPair() { socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends_.data()); }
  ~SocketPair() {
    for (const int end : ends_) close(end);
  }
  SocketPair(const SocketPair&) = delete;
  SocketPair& operator=(const SocketPair&) = delete;

  int near() const { return ends_[0]; }
  int far() const { return ends_[1]; }
  void WriteFromFar(std::string_view bytes) const {
    ASSERT_EQ(write(far(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

// Notes what it is told, and ends the loop after `most` events.
class Notes : public EventLoop::Handler {
 public:
  Notes(EventLoop& loop, size_t most) : loop_(loop), most_(most) {}

  void OnEvents(uint32_t events) override {
    seen.push_back(events);
    if (seen.size() == most_) loop_.Stop();
  }

  std::vector<uint32_t> seen;

 private:
  EventLoop& loop_;
  const size_t most_;
};

// Runs the loop until nothing has happened for a while.
void RunFor(EventLoop& loop, std::chrono::milliseconds time) {
  loop.RunAt(MonoNow() + time, [&] { loop.Stop(); });
  loop.Run();
}

TEST(EventLoopTest, WhatWasPostedBeforeTheStartRuns) {
  EventLoop loop;
  std::vector<int> order;
  loop.Post([&] { order.push_back(1); });
  loop.Post([&] { order.push_back(2); });
  loop.Post([&] { loop.Stop(); });
  loop.Run();
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST(EventLoopTest, StopBeforeTheStartEndsAtOnceAndStillRunsWhatWasPosted) {
  EventLoop loop;
  bool ran = false;
  loop.Post([&] { ran = true; });
  loop.Stop();
  loop.Run();
  EXPECT_TRUE(ran);
}

TEST(EventLoopTest, TaskMayPostAnother) {
  EventLoop loop;
  bool ran = false;
  loop.Post([&] {
    loop.Post([&] {
      ran = true;
      loop.Stop();
    });
  });
  loop.Run();
  EXPECT_TRUE(ran);
}

// A wake-up that is lost shows as a test that takes a second a task, the longest wait of the loop.
TEST(EventLoopTest, NoWakeUpIsLost) {
  EventLoop loop;
  std::thread running([&] { loop.Run(); });
  constexpr int kThreads = 3;
  constexpr int kTasks = 2000;
  std::atomic<int> ran{0};
  const auto begin = MonoNow();
  std::vector<std::thread> posting;
  for (int i = 0; i < kThreads; ++i) {
    posting.emplace_back([&] {
      for (int task = 0; task < kTasks; ++task) {
        std::atomic<bool> done{false};
        loop.Post([&] {
          ran.fetch_add(1, std::memory_order_relaxed);
          done.store(true);
          done.notify_one();
        });
        done.wait(false);  // The loop is about to sleep again when the next one comes.
      }
    });
  }
  for (std::thread& thread : posting) thread.join();
  EXPECT_EQ(ran.load(), kThreads * kTasks);
  EXPECT_LT(MonoNow() - begin, 20s);
  loop.Stop();
  running.join();
}

TEST(EventLoopTest, BytesThatCameBeforeTheWatchAreReported) {
  EventLoop loop;
  SocketPair sockets;
  sockets.WriteFromFar("early");
  Notes notes(loop, 1);
  ASSERT_TRUE(loop.Watch(sockets.near(), EventLoop::kReadable, notes));
  loop.Run();
  EXPECT_EQ(notes.seen, (std::vector<uint32_t>{EventLoop::kReadable}));
}

TEST(EventLoopTest, EachChangeIsReportedOnce) {
  EventLoop loop;
  SocketPair sockets;
  Notes notes(loop, 100);
  ASSERT_TRUE(loop.Watch(sockets.near(), EventLoop::kReadable, notes));
  sockets.WriteFromFar("a");
  RunFor(loop, 20ms);
  EXPECT_EQ(notes.seen.size(), 1u);  // Although nobody has read it.
}

TEST(EventLoopTest, MoreBytesBehindUnreadOnesAreReportedAgain) {
  EventLoop loop;
  SocketPair sockets;
  Notes notes(loop, 2);
  ASSERT_TRUE(loop.Watch(sockets.near(), EventLoop::kReadable, notes));
  sockets.WriteFromFar("a");
  loop.RunAt(MonoNow() + 5ms, [&] { sockets.WriteFromFar("b"); });
  loop.Run();
  EXPECT_EQ(notes.seen.size(), 2u);
}

TEST(EventLoopTest, RewatchReportsAnewWhatIsReady) {
  EventLoop loop;
  SocketPair sockets;
  Notes notes(loop, 3);
  ASSERT_TRUE(loop.Watch(sockets.near(), EventLoop::kReadable, notes));
  sockets.WriteFromFar("a");
  // Once with other events, once with the same: a pause in reading, a pause in writing. The second
  // is only set when the first has run: on a busy machine both would be due in one round.
  loop.RunAt(MonoNow() + 5ms, [&] {
    loop.Rewatch(sockets.near(), EventLoop::kReadable | EventLoop::kWritable, notes);
    loop.RunAt(MonoNow() + 5ms, [&] {
      loop.Rewatch(sockets.near(), EventLoop::kReadable | EventLoop::kWritable, notes);
    });
  });
  loop.Run();
  const uint32_t both = EventLoop::kReadable | EventLoop::kWritable;
  EXPECT_EQ(notes.seen, (std::vector<uint32_t>{EventLoop::kReadable, both, both}));
}

TEST(EventLoopTest, EndOfThePeerIsReportedUnasked) {
  EventLoop loop;
  SocketPair sockets;
  Notes notes(loop, 1);
  ASSERT_TRUE(loop.Watch(sockets.near(), 0, notes));
  shutdown(sockets.far(), SHUT_WR);
  loop.Run();
  EXPECT_EQ(notes.seen, (std::vector<uint32_t>{EventLoop::kHangUp}));
}

TEST(EventLoopTest, UnwatchedSocketIsSilent) {
  EventLoop loop;
  SocketPair sockets;
  Notes notes(loop, 1);
  ASSERT_TRUE(loop.Watch(sockets.near(), EventLoop::kReadable, notes));
  loop.Unwatch(sockets.near());
  sockets.WriteFromFar("a");
  RunFor(loop, 10ms);
  EXPECT_TRUE(notes.seen.empty());
}

TEST(EventLoopTest, WatchOfABadDescriptorFails) {
  EventLoop loop;
  Notes notes(loop, 1);
  EXPECT_FALSE(loop.Watch(-1, EventLoop::kReadable, notes));
}

TEST(EventLoopTest, TimersRunInOrderOfTheirTime) {
  EventLoop loop;
  const MonoTime now = MonoNow();
  std::vector<int> order;
  loop.RunAt(now + 3ms, [&] {
    order.push_back(3);
    loop.Stop();
  });
  loop.RunAt(now + 1ms, [&] { order.push_back(1); });
  loop.RunAt(now + 1ms, [&] { order.push_back(2); });  // Equal times in order of asking.
  loop.Run();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST(EventLoopTest, TimerIsNeverEarly) {
  EventLoop loop;
  const MonoTime due = MonoNow() + 1500us;
  loop.RunAt(due, [&] { loop.Stop(); });
  loop.Run();
  EXPECT_GE(MonoNow(), due);
}

TEST(EventLoopTest, CancelledTimerDoesNotRun) {
  EventLoop loop;
  bool ran = false;
  const EventLoop::TimerId timer = loop.RunAt(MonoNow() + 1ms, [&] { ran = true; });
  loop.Cancel(timer);
  loop.Cancel(timer);  // As harmless as cancelling one that has run.
  RunFor(loop, 5ms);
  EXPECT_FALSE(ran);
}

TEST(EventLoopTest, HooksRunInEveryRound) {
  EventLoop loop;
  SocketPair sockets;
  Notes notes(loop, 1);
  std::vector<std::string> order;
  loop.set_before_wait([&](MonoTime) {
    order.push_back("before");
    return 1s;
  });
  loop.set_after_events([&] { order.push_back("after"); });
  ASSERT_TRUE(loop.Watch(sockets.near(), EventLoop::kReadable, notes));
  sockets.WriteFromFar("a");
  loop.Run();
  EXPECT_EQ(order, (std::vector<std::string>{"before", "after"}));
}

}  // namespace
}  // namespace larder
