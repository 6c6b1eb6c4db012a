// Spreads the bits of an id over 64, for tables that take their place and their fingerprint from
// different bits of it.
#pragma once

#include <cstdint>

#include "eviction/eviction_queues.h"

namespace larder {

// The finaliser of MurmurHash3 (Appleby, public domain), which has no fixed points of note but 0.
inline uint64_t MixKeyId(KeyId id) {
  uint64_t mixed = id + 0x9e3779b97f4a7c15;
  mixed = (mixed ^ mixed >> 33) * 0xff51afd7ed558ccd;
  mixed = (mixed ^ mixed >> 33) * 0xc4ceb9fe1a85ec53;
  return mixed ^ mixed >> 33;
}

}  // namespace larder
