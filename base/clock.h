// The two kinds of time, which never convert silently, and the cycle counter for statistics.
//
//   MonoTime    steady; for elapsed time, timeouts and deadlines inside the process.
//   UnixMillis  calendar; for what users see and disks keep: TTL, LASTSAVE.
//
// The path of a request reads the clock once a batch; handlers get the time as an argument.
#pragma once

#include <chrono>
#include <cstdint>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace larder {

using MonoTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;

// Milliseconds since the Unix epoch. An integer type of its own would be nicer to the compiler, but
// every expiry computation of Redis is 64-bit arithmetic with overflow checks on these.
using UnixMillis = int64_t;

inline MonoTime MonoNow() { return std::chrono::steady_clock::now(); }

inline int64_t UnixMicrosNow() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

inline UnixMillis UnixMillisNow() { return UnixMicrosNow() / 1000; }

// A counter that runs at a constant rate and costs a few nanoseconds: durations of single commands.
inline uint64_t CycleCount() {
#if defined(__x86_64__)
  return __rdtsc();
#elif defined(__aarch64__)
  uint64_t ticks;
  asm volatile("mrs %0, cntvct_el0" : "=r"(ticks));
  return ticks;
#else
  return static_cast<uint64_t>(MonoNow().time_since_epoch().count());
#endif
}

// Nanoseconds per cycle, measured once (a few milliseconds) at the first call. Thread-safe.
double NanosPerCycle();

}  // namespace larder
