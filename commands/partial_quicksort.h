// The first items of a sequence in order, for what need not be sorted to its end.
//
// The quicksort of Bentley and McIlroy ("Engineering a sort function", Software: Practice and
// Experience 23, 1993), which leaves alone what lies behind the wanted items. Redis sorts so too;
// std::partial_sort would give items that compare equal another order than clients are used to, and
// another choice where they are cut off.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

namespace larder {

// Afterwards items[0 .. wanted) are those that a sort would put there, in order. `compare(a, b)` is
// negative, zero or positive.
template <typename T, typename Compare>
class PartialQuicksort {
 public:
  static void Run(std::span<T> items, size_t wanted, Compare compare) {
    if (wanted != 0) PartialQuicksort(items, wanted, compare).Sort(0, items.size());
  }

 private:
  PartialQuicksort(std::span<T> items, size_t wanted, Compare compare)
      : items_(items), wanted_(wanted), compare_(compare) {}

  int At(size_t a, size_t b) const { return compare_(items_[a], items_[b]); }
  void Swap(size_t a, size_t b) { std::swap(items_[a], items_[b]); }
  void SwapRuns(size_t a, size_t b, size_t n) {
    for (; n > 0; --n) Swap(a++, b++);
  }

  void InsertionSort(size_t begin, size_t end) {
    for (size_t next = begin + 1; next < end; ++next) {
      for (size_t at = next; at > begin && At(at - 1, at) > 0; --at) Swap(at, at - 1);
    }
  }

  size_t Median(size_t a, size_t b, size_t c) const {
    if (At(a, b) < 0) return At(b, c) < 0 ? b : At(a, c) < 0 ? c : a;
    return At(b, c) > 0 ? b : At(a, c) < 0 ? a : c;
  }

  // The middle of three, or of three middles.
  size_t ChoosePivot(size_t begin, size_t size) const {
    size_t low = begin;
    size_t middle = begin + size / 2;
    size_t high = begin + size - 1;
    if (size == 7) return middle;
    if (size > 40) {
      const size_t step = size / 8;
      low = Median(low, low + step, low + 2 * step);
      middle = Median(middle - step, middle, middle + step);
      high = Median(high - 2 * step, high - step, high);
    }
    return Median(low, middle, high);
  }

  // Divides by the item at `begin` into smaller, equal and greater ones; returns how many are
  // smaller and greater. Equal ones gather at both ends first.
  std::pair<size_t, size_t> Divide(size_t begin, size_t end) {
    size_t left_equal = begin + 1;
    size_t right_equal = end - 1;
    size_t left = left_equal;
    size_t right = right_equal;
    while (true) {
      for (; left <= right; ++left) {
        const int order = At(left, begin);
        if (order > 0) break;
        if (order == 0) Swap(left_equal++, left);
      }
      for (; left <= right; --right) {
        const int order = At(right, begin);
        if (order < 0) break;
        if (order == 0) Swap(right, right_equal--);
      }
      if (left > right) break;
      Swap(left++, right--);
    }
    const size_t smaller = left - left_equal;
    const size_t greater = right_equal - right;
    size_t moved = std::min(left_equal - begin, smaller);
    SwapRuns(begin, left - moved, moved);
    moved = std::min(greater, end - right_equal - 1);
    SwapRuns(left, end - moved, moved);
    return {smaller, greater};
  }

  void Sort(size_t begin, size_t end) {
    while (true) {
      if (end - begin < 7) return InsertionSort(begin, end);
      Swap(begin, ChoosePivot(begin, end - begin));
      const auto [smaller, greater] = Divide(begin, end);
      if (smaller > 1) Sort(begin, begin + smaller);
      begin = end - greater;
      if (greater <= 1 || begin >= wanted_) return;
    }
  }

  const std::span<T> items_;
  const size_t wanted_;
  const Compare compare_;
};

}  // namespace larder
