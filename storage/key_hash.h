// How a key becomes a hash: the process's seed, which makes hash flooding guesswork.
//
// Concurrency: the seed is drawn before main() and changed by tests alone, before any thread
// hashes.
#pragma once

#include <cstdint>

namespace larder {

// Makes hashes, and with them SCAN's order, repeatable. REQUIRES: no keyspace exists.
void SetHashSeedForTests(uint64_t seed);

}  // namespace larder
