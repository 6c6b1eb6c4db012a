// The longest common subsequence of two strings: what LCS computes.
//
// Concurrency: safe from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace larder {

// A run of bytes that stands in both strings: a[a_begin, a_begin + size) equals
// b[b_begin, b_begin + size).
struct CommonRun {
  size_t a_begin;
  size_t b_begin;
  size_t size;

  bool operator==(const CommonRun&) const = default;
};

// The length alone: O(|a| * |b|) time, O(|b|) memory.
size_t LongestCommonLength(std::string_view a, std::string_view b);

// The runs that the subsequence consists of, from the last to the first, and among the equally long
// subsequences the one that Redis chooses. O(|a| * |b|) time and as many bits of memory.
std::vector<CommonRun> LongestCommonSubsequence(std::string_view a, std::string_view b);

}  // namespace larder
