// What the adaptive policy would miss in a server whose memory is limited in bytes, beside what
// real servers missed: Redis 7.0.15 (allkeys-lru, allkeys-lfu) and memcached 1.6.18, measured with
// each trace spread over 100 s, values of one size (but for the trace that has sizes of its own),
// and limits at which Redis held 5 and 25 % of the trace's keys.
//
// Entries are charged as an allocator with four size classes a doubling would, with 60 bytes beside
// the value. The mean of three seeds.
#pragma once

#include <string>

namespace larder {

// Prints a row for each trace of the table that `folder` has, and then the geometric mean and the
// worst of the ratios to the better of Redis's policies. Returns an exit code.
int ReplayByteCells(const std::string& folder);

}  // namespace larder
