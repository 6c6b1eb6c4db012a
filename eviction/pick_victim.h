// Asks queues for candidates until they give one up: for owners whose entries are at hand, behind
// no lock of their own.
#pragma once

#include <optional>

#include "eviction/eviction_queues.h"

namespace larder {

struct CandidateEntry {
  uint8_t* state = nullptr;  // Null: there is none.
  EntryWorth worth;
};

// The entry to erase, which the queues have forgotten; nothing if they know none. `find` makes a
// CandidateEntry of a KeyId.
template <typename Queues, typename Find>
std::optional<KeyId> PickVictim(Queues& queues, Find find) {
  while (const std::optional<KeyId> id = queues.Candidate()) {
    const CandidateEntry entry = find(*id);
    if (queues.Judge(*id, entry.state, entry.worth) == Verdict::kEvict) return id;
  }
  return std::nullopt;
}

}  // namespace larder
