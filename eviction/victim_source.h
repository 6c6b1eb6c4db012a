// Who names the next key to evict. One implementation a family of policies.
//
// Concurrency: thread-confined; every thread has its own. Locks shards one at a time.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "eviction/eviction_policy.h"

namespace larder {

struct Victim {
  uint32_t shard = 0;
  int db = 0;
  std::string key;
};

class VictimSource {
 public:
  struct Request {
    AccessOptions access;
    int samples = 5;  // maxmemory-samples.
    UnixMillis now = 0;
  };

  virtual ~VictimSource() = default;
  // Names a key that was there a moment ago. False if there is none that may be evicted.
  // REQUIRES: the caller holds no shard's lock.
  virtual bool Next(const Request& request, Random& random, Victim& victim) = 0;
};

}  // namespace larder
