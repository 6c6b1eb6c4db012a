// Which part of a sorted set is meant: by score, by member, or by rank.
//
// Concurrency: plain data; views are of whoever made them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace larder {

// Neither bound is a NaN.
struct ScoreRange {
  double min = 0;
  double max = 0;
  bool excludes_min = false;
  bool excludes_max = false;

  bool IsBelow(double score) const { return excludes_min ? score <= min : score < min; }
  bool IsAbove(double score) const { return excludes_max ? score >= max : score > max; }
  bool empty() const { return min > max || (min == max && (excludes_min || excludes_max)); }
};

struct LexBound {
  enum class Kind : uint8_t { kBeforeAll, kIncluded, kExcluded, kBehindAll };

  Kind kind = Kind::kBeforeAll;
  std::string_view member;

  // Whether it lets `other` in as the lower or as the upper bound of a range.
  bool AdmitsAbove(std::string_view other) const {
    if (kind == Kind::kIncluded) return other >= member;
    if (kind == Kind::kExcluded) return other > member;
    return kind == Kind::kBeforeAll;
  }
  bool AdmitsBelow(std::string_view other) const {
    if (kind == Kind::kIncluded) return other <= member;
    if (kind == Kind::kExcluded) return other < member;
    return kind == Kind::kBehindAll;
  }
};

// Only of use where all scores are equal. Elsewhere the answer is some range, the one that Redis
// gives as long as the set is in its compact encoding.
struct LexRange {
  LexBound min;
  LexBound max;

  // As far as the bounds tell.
  bool empty() const;
};

// Ranks count from 0; `end` is behind the last.
struct RankRange {
  size_t begin = 0;
  size_t end = 0;

  size_t size() const { return end - begin; }
  bool empty() const { return begin == end; }
};

enum class RankOrder : uint8_t { kAscending, kDescending };

inline bool LexRange::empty() const {
  using Kind = LexBound::Kind;
  if (min.kind == Kind::kBehindAll || max.kind == Kind::kBeforeAll) return true;
  if (min.kind == Kind::kBeforeAll || max.kind == Kind::kBehindAll) return false;
  if (min.member != max.member) return min.member > max.member;
  return min.kind == Kind::kExcluded || max.kind == Kind::kExcluded;
}

}  // namespace larder
