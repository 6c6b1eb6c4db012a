// One cache line of the hash table: up to eight entries, each with one byte of its hash.
//
//   bytes 0-7    fingerprints; 0 is an empty slot. Slots are filled from the front, without holes.
//   bytes 8-55   eight addresses of six bytes: user space ends below 2^48 on x86-64 and aarch64
//   bytes 56-63  36 bits tick: lower bound of the expiries in the whole chain (see TickOf)
//                24 bits version: the snapshot that has seen the chain last
//                 4 bits flags
//
// A full bucket gives up its last slot for the address of an overflow bucket of the same shape.
// Tick and version of overflow buckets mean nothing.
//
// Concurrency: shard-guarded.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/check.h"
#include "base/clock.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace larder {

class Entry;

// Expiries are kept coarsely in buckets: steps of 64 ms, so that 36 bits last until the year 2109.
inline constexpr uint64_t kNoTick = (uint64_t{1} << 36) - 1;

constexpr uint64_t TickOf(UnixMillis time) {
  if (time < 0) return 0;
  const uint64_t tick = static_cast<uint64_t>(time) >> 6;
  return tick < kNoTick ? tick : kNoTick - 1;
}

// A hint to bring a cache line in. The empty assembly is for GCC, which takes a function that does
// nothing but prefetch for one without effect, and drops its calls (seen with GCC 12).
inline void Prefetch(const void* address) {
  __builtin_prefetch(address);
  asm volatile("");
}

class alignas(64) Bucket {
 public:
  static constexpr unsigned kSlots = 8;
  static constexpr unsigned kOverflowSlot = kSlots - 1;

  static uint8_t FingerprintOf(uint64_t hash) {
    const auto top = static_cast<uint8_t>(hash >> 56);
    return top != 0 ? top : 1;
  }

  // One bit for each slot with this fingerprint.
  unsigned Match(uint8_t fingerprint) const {
#if defined(__SSE2__)
    const __m128i all = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(fingerprints_));
    const __m128i wanted = _mm_set1_epi8(static_cast<char>(fingerprint));
    return static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(all, wanted))) & 0xff;
#else
    constexpr uint64_t kLow7 = 0x7f7f7f7f7f7f7f7f;
    const uint64_t differ = Fingerprints() ^ (0x0101010101010101 * fingerprint);
    const uint64_t equal = ~(((differ & kLow7) + kLow7) | differ | kLow7);
    // Gathers the top bit of each byte into one byte.
    return static_cast<unsigned>(((equal >> 7) * 0x0102040810204080) >> 56);
#endif
  }

  // How many slots hold entries: they are 0 .. count()-1.
  unsigned count() const {
    const uint64_t all = Fingerprints();
    return all == 0 ? 0 : (71 - static_cast<unsigned>(std::countl_zero(all))) / 8;
  }
  unsigned capacity() const { return has_overflow() ? kSlots - 1 : kSlots; }

  uint8_t fingerprint(unsigned slot) const { return fingerprints_[slot]; }
  Entry* entry(unsigned slot) const { return static_cast<Entry*>(Pointer(slot)); }

  void Set(unsigned slot, uint8_t fingerprint, Entry* entry) {
    fingerprints_[slot] = fingerprint;
    SetPointer(slot, entry);
  }
  void SetEntry(unsigned slot, Entry* entry) { SetPointer(slot, entry); }
  void Clear(unsigned slot) { fingerprints_[slot] = 0; }

  bool has_overflow() const { return (meta_ & kOverflowFlag) != 0; }
  Bucket* overflow() const {
    return has_overflow() ? static_cast<Bucket*>(Pointer(kOverflowSlot)) : nullptr;
  }
  // REQUIRES: the last slot is empty.
  void set_overflow(Bucket* overflow) {
    LARDER_DCHECK(fingerprints_[kOverflowSlot] == 0);
    SetPointer(kOverflowSlot, overflow);
    meta_ |= kOverflowFlag;
  }
  void clear_overflow() { meta_ &= ~kOverflowFlag; }

  uint64_t tick() const { return meta_ >> 28; }
  void set_tick(uint64_t tick) { meta_ = (meta_ & ((uint64_t{1} << 28) - 1)) | (tick << 28); }

  uint32_t version() const { return static_cast<uint32_t>(meta_ >> 4) & kVersionMask; }
  void set_version(uint32_t version) {
    meta_ = (meta_ & ~(uint64_t{kVersionMask} << 4)) | (uint64_t{version & kVersionMask} << 4);
  }

  static constexpr uint32_t kVersionMask = (1u << 24) - 1;

 private:
  static constexpr uint64_t kOverflowFlag = 1;
  static constexpr uint64_t kPointerMask = (uint64_t{1} << 48) - 1;

  uint64_t Fingerprints() const {
    static_assert(std::endian::native == std::endian::little);
    uint64_t all;
    std::memcpy(&all, fingerprints_, sizeof(all));
    return all;
  }
  void* Pointer(unsigned slot) const {
    uint64_t address;  // Two bytes too many, which are still of this bucket.
    std::memcpy(&address, reinterpret_cast<const char*>(this) + 8 + 6 * slot, sizeof(address));
    return reinterpret_cast<void*>(address & kPointerMask);
  }
  void SetPointer(unsigned slot, const void* pointer) {
    const auto address = reinterpret_cast<uint64_t>(pointer);
    LARDER_DCHECK((address & ~kPointerMask) == 0);
    std::memcpy(pointers_ + 6 * slot, &address, 6);
  }

  uint8_t fingerprints_[kSlots] = {};
  uint8_t pointers_[6 * kSlots] = {};
  uint64_t meta_ = kNoTick << 28;
};
static_assert(sizeof(Bucket) == 64);

}  // namespace larder
