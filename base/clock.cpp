#include "base/clock.h"

#include <thread>

namespace larder {
namespace {

double Calibrate() {
  const MonoTime start_time = MonoNow();
  const uint64_t start_cycles = CycleCount();
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const auto elapsed = MonoNow() - start_time;
  const uint64_t cycles = CycleCount() - start_cycles;
  return cycles == 0 ? 1.0 : static_cast<double>(elapsed.count()) / static_cast<double>(cycles);
}

}  // namespace

double NanosPerCycle() {
  static const double nanos_per_cycle = Calibrate();
  return nanos_per_cycle;
}

}  // namespace larder
