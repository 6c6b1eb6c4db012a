// Keys in order of use, most recent first, with the sum of their sizes. Lists over the same keys
// are kept in arrays of links of their own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <vector>

namespace larder {

class LruList {
 public:
  explicit LruList(size_t keys) : places_(keys) {}

  bool Contains(uint32_t key) const { return places_[key].listed; }
  bool empty() const { return order_.empty(); }
  uint64_t size() const { return size_; }
  uint32_t Oldest() const { return order_.back().key; }

  void PushNewest(uint32_t key, uint32_t size) {
    order_.push_front({key, size});
    places_[key] = {order_.begin(), true};
    size_ += size;
  }
  // Returns the size of the key. REQUIRES: Contains(key).
  uint32_t Remove(uint32_t key) {
    const uint32_t size = places_[key].item->size;
    order_.erase(places_[key].item);
    places_[key].listed = false;
    size_ -= size;
    return size;
  }
  void MoveToNewest(uint32_t key) { order_.splice(order_.begin(), order_, places_[key].item); }
  // The oldest becomes the newest of `to`.
  uint32_t MoveOldestTo(LruList& to) {
    const uint32_t key = Oldest();
    to.PushNewest(key, Remove(key));
    return key;
  }

 private:
  struct Item {
    uint32_t key;
    uint32_t size;
  };
  struct Place {
    std::list<Item>::iterator item;
    bool listed = false;
  };

  std::list<Item> order_;
  std::vector<Place> places_;
  uint64_t size_ = 0;
};

}  // namespace larder
