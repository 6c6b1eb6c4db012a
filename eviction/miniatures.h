// What each of a few rules would have kept: the rules over small caches of keys without values,
// which see a sample of the keys and have room for the same share of what the real cache holds.
// Their hits foretell those of a real cache under each rule (Waldspurger, Saemundsson, Ahmad and
// Park, "Cache Modeling and Optimization using Miniature Simulations", USENIX ATC 2017).
//
// Room is counted in bytes. The share of bytes is found by counting which keys of the sample the
// real cache holds, for their mean size; so it does not matter that nobody tells the size of what
// goes. One large object by chance in the sample would fill a miniature: it counts for less there.
//
// The caches share one table, so that a request takes one lookup, whatever the number of rules.
//
// Concurrency: as its owner's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "eviction/coarse_size.h"
#include "eviction/window_and_main.h"

namespace larder {

class Miniatures {
 public:
  static constexpr size_t kMaxRules = 4;

  // REQUIRES: rules.size() <= kMaxRules.
  explicit Miniatures(std::span<const AdmissionRule> rules);

  // The key comes into the real cache, which means that it is asked for too: Access() is next.
  void OnInsert(KeyId id);
  // The key is asked for, and comes in where it is missing; there others go until there is room for
  // `capacity` keys of mean size. Calls hit(i) for each rule i whose cache had it.
  void Access(KeyId id, size_t bytes, size_t capacity, absl::FunctionRef<void(size_t)> hit);
  // The real cache has evicted the key. The others may hold it still.
  void OnEvict(KeyId id);
  // The key has been deleted from the real cache, and so from all.
  void Erase(KeyId id);
  // Drops every key for which keep(id) is false.
  void Thin(absl::FunctionRef<bool(KeyId)> keep);
  void Clear();

  // Of the sampled keys that the real cache holds; 0 if there are none.
  double mean_bytes() const;
  size_t memory_bytes() const;

 private:
  // Is in the table as long as one of the caches has it, the real one included.
  class Key {
   public:
    bool IsNowhere() const { return states_ == 0 && !in_real_; }
    uint8_t StateIn(size_t cache) const { return states_ >> kStateBits * cache & kStateMask; }
    void SetStateIn(size_t cache, uint8_t state) {
      const size_t shift = kStateBits * cache;
      states_ = (states_ & ~(kStateMask << shift)) | uint32_t{state} << shift;
    }
    bool in_real() const { return in_real_ != 0; }
    void set_in_real(bool in_real) { in_real_ = in_real ? 1 : 0; }
    uint64_t bytes() const { return CoarseSize::FromCode(size_).bytes(); }
    void set_size(CoarseSize size) { size_ = size.code(); }

   private:
    static constexpr uint32_t kStateBits = 4;
    static constexpr uint32_t kStateMask = 0xf;

    uint32_t states_ : kStateBits* kMaxRules = 0;
    uint32_t in_real_ : 1 = 0;
    uint32_t size_ : CoarseSize::kBits = 0;
  };
  static_assert(sizeof(Key) == sizeof(uint32_t));
  using Keys = absl::flat_hash_map<KeyId, Key>;
  struct Cache {
    WindowAndMain queues;
    uint64_t bytes = 0;
  };

  // As much of `bytes` as counts in a cache with room for so many keys.
  CoarseSize Counted(size_t bytes, size_t capacity) const;
  void SetSize(Key& key, CoarseSize size);
  void SetInReal(Key& key, bool is_there);
  void Insert(size_t cache, KeyId id, Key& key, double room);
  void JudgeOne(size_t cache, KeyId newest);
  void Forget(KeyId id, Key& key);

  Keys keys_;
  std::vector<Cache> caches_;
  size_t real_keys_ = 0;
  uint64_t real_bytes_ = 0;
};

}  // namespace larder
