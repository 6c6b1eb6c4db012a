// What the process has allocated, at the price of a few loads.
//
// jemalloc counts for each thread, in words of that thread's own, what it allocated and what it
// freed. Adding up those words gives the exact total without asking the allocator to merge its
// statistics, and nothing shared is written by those who allocate. Threads that never came here are
// covered by calibration against the allocator's own figure.
//
// Concurrency: every function is safe from any thread. ProcessBytes and Calibrate lock a leaf
// mutex.
#pragma once

#include <cstdint>

namespace larder {

class MemoryMeter {
 public:
  // Whether the allocator counts for threads: false where jemalloc is not (sanitizers). Then there
  // are no figures below, only zeros.
  static bool available();

  // What the calling thread has allocated minus what it has freed; a thread that frees for others
  // goes below zero. The first call enters the thread into the sum.
  static int64_t ThreadBytes();

  // The sum over all threads. Those that never called ThreadBytes count as of the last calibration.
  static int64_t ProcessBytes();
  // Takes the allocator's own figure as the truth. Tens of microseconds.
  static void Calibrate();

  // How many threads are in the sum.
  static int threads();
};

}  // namespace larder
