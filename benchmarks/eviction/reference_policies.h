// What the policies of eviction/ are measured by, as simple as can be and at any cost in memory.
//
//   LRU
//   ARC        Megiddo and Modha, "ARC: A Self-Tuning, Low Overhead Replacement Cache", FAST 2003
//   W-TinyLFU  Einziger, Friedman and Manes, ACM TOS 2017; window of 1 %, 80 % of main protected
//   Belady     evicts what is asked for again last: a bound if all keys have one size, else merely
//              a good reference
#pragma once

#include <memory>
#include <vector>

#include "benchmarks/eviction/simulated_cache.h"

namespace larder {

std::unique_ptr<SimulatedCache> MakeLruCache(CacheShape shape);
std::unique_ptr<SimulatedCache> MakeArcCache(CacheShape shape);
std::unique_ptr<SimulatedCache> MakeWTinyLfuCache(CacheShape shape);
std::unique_ptr<SimulatedCache> MakeBeladyCache(CacheShape shape,
                                                const std::vector<uint32_t>& requests);

}  // namespace larder
