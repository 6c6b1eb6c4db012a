// When to refresh a value that is still fresh: XFetch (Vattani, Chierichetti, Lowenstein: Optimal
// Probabilistic Cache Stampede Prevention, VLDB 2015). A caller refreshes if
//
//   now - load_time * beta * ln(random) > fresh_until
//
// (>= in the paper, where a value is stale at the very end of its time; here it is still fresh
// then, and who asks for no early refresh gets none.) So the more often a value is read and the
// longer it takes to load, the earlier somebody does.
//
// Concurrency: every function is safe from any thread.
#pragma once

#include <chrono>
#include <cmath>

namespace larder {

// -ln of the smallest number that 1 - Random::UniformDouble() gives: no caller is earlier.
inline constexpr double kEarliestRefresh = 36.8;

// Whether a caller who draws `unit` refreshes a value that stays fresh for `fresh_for`.
// REQUIRES: 0 < unit <= 1.
inline bool RefreshesEarly(std::chrono::milliseconds fresh_for, std::chrono::milliseconds load_time,
                           double beta, double unit) {
  const double lead_ms = static_cast<double>(load_time.count()) * beta * -std::log(unit);
  return lead_ms > static_cast<double>(fresh_for.count());
}

// Whether any caller could: what most reads of a fresh value stop at.
inline bool MayRefreshEarly(std::chrono::milliseconds fresh_for,
                            std::chrono::milliseconds load_time, double beta) {
  return static_cast<double>(load_time.count()) * beta * kEarliestRefresh >
         static_cast<double>(fresh_for.count());
}

}  // namespace larder
