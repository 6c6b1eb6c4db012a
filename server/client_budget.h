// The budget of all clients' buffers (`maxmemory-clients`), and who must go when it is overdrawn:
// the largest client of all threads. Each thread closes its own connections, so a thread that finds
// the budget overdrawn either gets a client of its own to close, or is told whose turn it is.
//
// Concurrency: every call is safe from any thread once all threads are registered. mu_ is taken
// with no other lock held, and none is taken under it.
#pragma once

#include <cstdint>
#include <vector>

#include "base/mutex.h"
#include "server/client_memory.h"
#include "server/config.h"

namespace larder {

class ClientBudget {
 public:
  struct Limit {
    int64_t bytes = 0;  // 0: none.
    // Buffers come on top of maxmemory. Otherwise they count against it.
    bool beside_data = false;
    // Near the limit, who has much output to read gets no more until it has read.
    bool holds_back = false;
  };
  // What `maxmemory-clients` means beside this `maxmemory`.
  static Limit LimitOf(const Config& config);

  // The next thread's clients; `memory` outlives this.
  void Register(ClientMemory& memory) { threads_.push_back(&memory); }

  int64_t TotalBytes() const;

  struct Decision {
    enum class Kind : uint8_t {
      kNobody,     // Within the limit, or nobody may be evicted.
      kOwnClient,  // Close `client_id`: it does not count any more.
      kOther,      // The largest client is thread `thread`'s.
    };
    Kind kind = Kind::kNobody;
    uint64_t client_id = 0;
    int64_t bytes = 0;  // What that client holds.
    uint32_t thread = 0;
  };
  // By the thread that is registered as number `thread`.
  Decision Decide(uint32_t thread, int64_t limit_bytes);

 private:
  // One decision at a time: the next must see what this one has taken out, or two threads would
  // close a client each where one is enough.
  Mutex mu_;
  std::vector<ClientMemory*> threads_;  // Fixed once clients connect.
};

}  // namespace larder
