#include "commands/partial_quicksort.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"

namespace larder {
namespace {

int CompareFirst(const std::pair<uint64_t, int>& a, const std::pair<uint64_t, int>& b) {
  return a.first < b.first ? -1 : a.first > b.first ? 1 : 0;
}

TEST(PartialQuicksortTest, PutsTheLeastItemsFirst) {
  Random random(1);
  for (const size_t size : {0, 1, 2, 6, 7, 8, 39, 40, 41, 42, 100, 1000}) {
    for (const uint64_t values : {1, 3, 1'000'000}) {
      for (const size_t wanted : {size_t{0}, size_t{1}, size / 2, size}) {
        std::vector<std::pair<uint64_t, int>> items;
        for (size_t i = 0; i < size; ++i) {
          items.emplace_back(random.Uniform(values), static_cast<int>(i));
        }
        std::vector<std::pair<uint64_t, int>> all = items;
        PartialQuicksort<std::pair<uint64_t, int>, decltype(&CompareFirst)>::Run(items, wanted,
                                                                                 &CompareFirst);
        std::sort(all.begin(), all.end());
        const size_t first = std::min(wanted, size);
        for (size_t i = 0; i < first; ++i) ASSERT_EQ(items[i].first, all[i].first) << size;
        std::sort(items.begin(), items.end());
        ASSERT_EQ(items, all) << "something is lost";
      }
    }
  }
}

}  // namespace
}  // namespace larder
