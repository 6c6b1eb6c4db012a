#include "benchmarks/eviction/reference_policies.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "benchmarks/eviction/frequency_sketch.h"
#include "benchmarks/eviction/lru_list.h"
#include "eviction/key_mix.h"

namespace larder {
namespace {

class LruCache final : public SimulatedCache {
 public:
  explicit LruCache(CacheShape shape) : capacity_(shape.capacity), keys_(shape.keys) {}

  bool Access(uint32_t key, uint32_t size, size_t /*time*/) override {
    if (keys_.Contains(key)) {
      keys_.MoveToNewest(key);
      return true;
    }
    if (size > capacity_) return false;
    keys_.PushNewest(key, size);
    while (keys_.size() > capacity_) keys_.Remove(keys_.Oldest());
    return false;
  }

 private:
  const uint64_t capacity_;
  LruList keys_;
};

// With the names of the paper: T1 and T2 are in the cache, B1 and B2 were evicted from them, p is
// what T1 should have.
class ArcCache final : public SimulatedCache {
 public:
  explicit ArcCache(CacheShape shape)
      : c_(shape.capacity), t1_(shape.keys), t2_(shape.keys), b1_(shape.keys), b2_(shape.keys) {}

  bool Access(uint32_t key, uint32_t size, size_t /*time*/) override {
    if (t1_.Contains(key) || t2_.Contains(key)) {
      (t1_.Contains(key) ? t1_ : t2_).Remove(key);
      t2_.PushNewest(key, size);
      return true;
    }
    if (size > c_) return false;
    if (b1_.Contains(key)) {
      p_ = std::min(c_, p_ + size * std::max<uint64_t>(1, b2_.size() / b1_.size()));
      Replace(size, false);
      b1_.Remove(key);
      t2_.PushNewest(key, size);
    } else if (b2_.Contains(key)) {
      p_ -= std::min(p_, size * std::max<uint64_t>(1, b1_.size() / b2_.size()));
      Replace(size, true);
      b2_.Remove(key);
      t2_.PushNewest(key, size);
    } else {
      MakeRoomForNew(size);
      t1_.PushNewest(key, size);
    }
    return false;
  }

 private:
  void MakeRoomForNew(uint32_t size) {
    while (t1_.size() + b1_.size() + size > c_) {
      if (b1_.empty()) {
        t1_.Remove(t1_.Oldest());
      } else {
        b1_.Remove(b1_.Oldest());
      }
    }
    while (t1_.size() + t2_.size() + b1_.size() + b2_.size() + size > 2 * c_ && !b2_.empty()) {
      b2_.Remove(b2_.Oldest());
    }
    Replace(size, false);
  }

  void Replace(uint32_t size, bool came_back_to_t2) {
    while (t1_.size() + t2_.size() + size > c_) {
      const bool from_t1 =
          !t1_.empty() && (t1_.size() > p_ || t2_.empty() || (came_back_to_t2 && t1_.size() == p_));
      if (from_t1) {
        t1_.MoveOldestTo(b1_);
      } else {
        t2_.MoveOldestTo(b2_);
      }
    }
  }

  const uint64_t c_;
  uint64_t p_ = 0;
  LruList t1_, t2_, b1_, b2_;
};

class WTinyLfuCache final : public SimulatedCache {
 public:
  explicit WTinyLfuCache(CacheShape shape)
      : window_capacity_(std::max<uint64_t>(1, shape.capacity / 100)),
        main_capacity_(shape.capacity - std::min(shape.capacity, window_capacity_)),
        window_(shape.keys),
        probation_(shape.keys),
        protected_(shape.keys) {
    sketch_.Reserve(std::min<uint64_t>(shape.capacity, shape.keys));
  }

  bool Access(uint32_t key, uint32_t size, size_t /*time*/) override {
    sketch_.Add(MixKeyId(key));
    if (window_.Contains(key)) {
      window_.MoveToNewest(key);
      return true;
    }
    if (protected_.Contains(key)) {
      protected_.MoveToNewest(key);
      return true;
    }
    if (probation_.Contains(key)) {
      protected_.PushNewest(key, probation_.Remove(key));
      while (protected_.size() > main_capacity_ * 8 / 10) protected_.MoveOldestTo(probation_);
      return true;
    }
    if (size > window_capacity_ + main_capacity_) return false;
    window_.PushNewest(key, size);
    while (window_.size() > window_capacity_) Admit(window_.MoveOldestTo(probation_));
    return false;
  }

 private:
  // The candidate stands in probation already, and either it goes or who is less asked for.
  void Admit(uint32_t candidate) {
    while (probation_.size() + protected_.size() > main_capacity_) {
      LruList& victims = probation_.Oldest() != candidate ? probation_ : protected_;
      if (victims.empty() || CountOf(candidate) <= CountOf(victims.Oldest())) {
        probation_.Remove(candidate);
        return;
      }
      victims.Remove(victims.Oldest());
    }
  }
  uint32_t CountOf(uint32_t key) const { return sketch_.Estimate(MixKeyId(key)); }

  const uint64_t window_capacity_;
  const uint64_t main_capacity_;
  LruList window_, probation_, protected_;
  FrequencySketch sketch_;
};

class BeladyCache final : public SimulatedCache {
 public:
  BeladyCache(CacheShape shape, const std::vector<uint32_t>& requests)
      : capacity_(shape.capacity),
        next_(requests.size()),
        expected_(shape.keys, kNotResident),
        sizes_(shape.keys) {
    std::vector<size_t> later(shape.keys, kNever);
    for (size_t time = requests.size(); time-- > 0;) {
      next_[time] = later[requests[time]];
      later[requests[time]] = time;
    }
  }

  bool Access(uint32_t key, uint32_t size, size_t time) override {
    const bool hit = expected_[key] != kNotResident;
    if (hit) {
      order_.erase({expected_[key], key});
    } else {
      if (size > capacity_) return false;
      used_ += size;
    }
    expected_[key] = next_[time];
    sizes_[key] = size;
    order_.emplace(expected_[key], key);
    while (used_ > capacity_) EvictLatest();
    return hit;
  }

 private:
  static constexpr size_t kNever = std::numeric_limits<size_t>::max() - 1;
  static constexpr size_t kNotResident = std::numeric_limits<size_t>::max();

  void EvictLatest() {
    const uint32_t key = std::prev(order_.end())->second;
    order_.erase(std::prev(order_.end()));
    expected_[key] = kNotResident;
    used_ -= sizes_[key];
  }

  const uint64_t capacity_;
  uint64_t used_ = 0;
  std::vector<size_t> next_;      // For each request: when its key is asked for again.
  std::vector<size_t> expected_;  // For each key that is there: when that is.
  std::vector<uint32_t> sizes_;
  std::set<std::pair<size_t, uint32_t>> order_;
};

}  // namespace

std::unique_ptr<SimulatedCache> MakeLruCache(CacheShape shape) {
  return std::make_unique<LruCache>(shape);
}

std::unique_ptr<SimulatedCache> MakeArcCache(CacheShape shape) {
  return std::make_unique<ArcCache>(shape);
}

std::unique_ptr<SimulatedCache> MakeWTinyLfuCache(CacheShape shape) {
  return std::make_unique<WTinyLfuCache>(shape);
}

std::unique_ptr<SimulatedCache> MakeBeladyCache(CacheShape shape,
                                                const std::vector<uint32_t>& requests) {
  return std::make_unique<BeladyCache>(shape, requests);
}

}  // namespace larder
