// Decides whether a loop lets requests gather for a moment before it looks at its sockets again.
//
// A thread that serves many clients and is not busy all the time wakes up for one or two of them at
// a time, and each of those wake-ups costs as much as the request. As a network card moderates its
// interrupts, it is cheaper to wait some microseconds and to serve those who have come by then
// together, and their replies wake a client's thread once instead of several times. One client, or
// a few, must never wait for others: they are always served at once.
//
// Concurrency: thread-confined.
//
//   gather.Note(now, handlers of this round's events...);
//   if (gather.Worthwhile()) nap;
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace larder {

class Gather {
 public:
  // An event of connection `who` in the round under way.
  void NoteEvent(const void* who) {
    ++events_;
    // Connections are told apart by six bits of their address: enough to tell many from few.
    const auto address = reinterpret_cast<uintptr_t>(who);
    connections_ |= uint64_t{1} << (address * kFibonacci >> 58);
  }

  // The round's events have all been noted; `now` is when it began.
  void EndRound(MonoTime now, size_t events_of_round) {
    round_was_full_ = events_of_round >= kFullRound;
    if (now - window_began_ < kWindow) return;
    const auto windows = static_cast<double>((now - window_began_).count()) / kWindow.count();
    many_clients_ = std::popcount(connections_) >= kManyClients &&
                    static_cast<double>(events_) >= kBusyEvents * windows;
    window_began_ = now;
    events_ = 0;
    connections_ = 0;
  }

  // Whether to wait before the next round.
  bool Worthwhile() const { return many_clients_ && !round_was_full_; }

 private:
  static constexpr uint64_t kFibonacci = 0x9E3779B97F4A7C15ULL;
  static constexpr std::chrono::nanoseconds kWindow{std::chrono::milliseconds(1)};
  // In a window: this many different clients, and events enough that some come within one nap.
  static constexpr int kManyClients = 12;
  static constexpr double kBusyEvents = 30;
  // A round of this many events gains nothing from more.
  static constexpr size_t kFullRound = 16;

  MonoTime window_began_{};
  size_t events_ = 0;
  uint64_t connections_ = 0;
  bool many_clients_ = false;
  bool round_was_full_ = false;
};

}  // namespace larder
