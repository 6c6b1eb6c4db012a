// What many clients saw of one key under stampede protection, and whether a server that keeps its
// promises (docs/stampede.md) can have shown it to them.
//
// Nobody knows when within a request's span, from before it was sent until its reply was there, the
// server ran it. So the check says only what is certain: one request came before another if its
// reply was there before the other was sent.
//
// Concurrency: thread-confined.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace larder {

// On a steady clock that all clients share.
using Nanoseconds = int64_t;

struct RequestSpan {
  static constexpr Nanoseconds kNever = std::numeric_limits<Nanoseconds>::max();

  Nanoseconds sent = 0;
  Nanoseconds received = kNever;  // kNever: the connection ended before; perhaps it never ran.
};

struct KeyHistory {
  // Somebody was elected to load.
  struct Grant {
    RequestSpan span{};
    std::string token{};
    Nanoseconds lease = 0;
    // When the holder's connection was about to be closed.
    Nanoseconds closed = RequestSpan::kNever;  // Or the lease was to outlive it.
  };
  // A token was given back, with a value or without.
  struct Use {
    enum class Outcome : uint8_t { kAccepted, kRefused, kUnknown };

    RequestSpan span{};
    std::string token{};
    Outcome outcome = Outcome::kUnknown;
    uint64_t fill = 0;  // The number of the value that came with it; 0 if none did.
  };
  // Something else that makes tokens void.
  struct Mutation {
    RequestSpan span{};
    uint64_t version = 0;  // What the origin had before it was sent: older values are outdated.
    bool removes = false;  // The value is gone, not only stale.
  };
  // A value that came with a token was seen.
  struct Read {
    RequestSpan span{};
    uint64_t version = 0;
    uint64_t fill = 0;
    bool fresh = false;
  };
  // Somebody who would have loaded was sent away when its time was up.
  struct VainWait {
    RequestSpan span{};
  };

  std::vector<Grant> grants;
  std::vector<Use> uses;
  std::vector<Mutation> mutations;
  std::vector<Read> reads;
  std::vector<VainWait> vain_waits;
};

// What must not have been, one sentence each; empty if all is well. Nobody is left behind if
// somebody else can have been loading no longer than `slack` before the wait ended.
std::vector<std::string> Violations(const KeyHistory& history, Nanoseconds slack);

}  // namespace larder
