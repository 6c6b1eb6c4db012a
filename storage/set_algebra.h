// Intersection, difference and union of sets, without copying one, wherever they are read from a
// table with many members' cache misses overlapping.
//
// Each member of the result is visited once; `visit` returns false to stop. The sets may be the
// same one several times.
//
// Concurrency: shard-guarded, as the sets.
#pragma once

#include <cstddef>
#include <span>

#include "absl/functional/function_ref.h"
#include "storage/encoding_limits.h"
#include "storage/set.h"

namespace larder {

using SetVisitor = absl::FunctionRef<bool(const SetMember&)>;

// What is in all of them: O(smallest * number of sets). REQUIRES: there is at least one.
void IntersectSets(std::span<const Set> sets, SetVisitor visit);
// What is in `from` and in none of `others`: O(all sizes), or O(from * number of sets) if that is
// less.
void SubtractSets(const Set& from, std::span<const Set> others, SetVisitor visit);
// What is in any of them: O(all sizes).
void UniteSets(std::span<const Set> sets, SetVisitor visit);

// The same as a set of its own, which the caller owns.
Set Intersection(std::span<const Set> sets, const EncodingLimits& limits);
Set Difference(const Set& from, std::span<const Set> others, const EncodingLimits& limits);
Set Union(std::span<const Set> sets, const EncodingLimits& limits);

}  // namespace larder
