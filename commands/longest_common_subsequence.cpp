#include "commands/longest_common_subsequence.h"

#include <algorithm>

namespace larder {
namespace {

// The usual recurrence over prefixes, row by row: L(i, j) is the length for the first i bytes of
// `a` and the first j of `b`. Calls visit(i, j, from_above) for every pair of unequal bytes, where
// from_above says that L(i - 1, j) > L(i, j - 1).
template <typename Visit>
size_t FillLengths(std::string_view a, std::string_view b, Visit visit) {
  std::vector<uint32_t> row(b.size() + 1, 0);  // L(i - 1, .) on the right of j, L(i, .) left of it.
  for (size_t i = 1; i <= a.size(); ++i) {
    uint32_t diagonal = 0;  // L(i - 1, j - 1)
    for (size_t j = 1; j <= b.size(); ++j) {
      const uint32_t above = row[j];
      if (a[i - 1] == b[j - 1]) {
        row[j] = diagonal + 1;
      } else {
        const uint32_t left = row[j - 1];
        visit(i, j, above > left);
        row[j] = std::max(above, left);
      }
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

size_t LongestCommonLength(std::string_view a, std::string_view b) {
  return FillLengths(a, b, [](size_t, size_t, bool) {});
}

std::vector<CommonRun> LongestCommonSubsequence(std::string_view a, std::string_view b) {
  // Walking back asks each pair only which neighbour is longer, so one bit is all that is kept.
  const size_t stride = b.size() + 1;
  std::vector<bool> from_above((a.size() + 1) * stride);
  FillLengths(a, b, [&](size_t i, size_t j, bool above) {
    if (above) from_above[i * stride + j] = true;
  });

  std::vector<CommonRun> runs;
  size_t i = a.size();
  size_t j = b.size();
  bool extends = false;  // The pair before this one, on the diagonal, was part of the last run.
  while (i > 0 && j > 0) {
    if (a[i - 1] == b[j - 1]) {
      --i;
      --j;
      if (extends) {
        runs.back() = {i, j, runs.back().size + 1};
      } else {
        runs.push_back({i, j, 1});
      }
      extends = true;
      continue;
    }
    extends = false;
    from_above[i * stride + j] ? --i : --j;
  }
  return runs;
}

}  // namespace larder
