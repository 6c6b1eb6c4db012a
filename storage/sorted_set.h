// A sorted set: members with a score each, in the order of score and then member.
//
// A small one is a listpack of members and scores in that order, as Redis has it; a large one finds
// members in a MemberTable, where each entry's value is its score, and keeps their order in a
// RankTree. It grows out of the compact encoding by the limits that Add is given and never returns;
// Build chooses anew.
//
// A handle: as small as the Object that it is made of; it does not own. Scores are never NaN.
//
// Concurrency: shard-guarded, as the entry that holds it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "base/random.h"
#include "storage/encoding_limits.h"
#include "storage/listpack.h"
#include "storage/member_table.h"
#include "storage/object.h"
#include "storage/rank_tree.h"
#include "storage/score_range.h"

namespace larder {

enum class SortedSetEncoding : uint8_t { kListpack = 0, kSkiplist = 1 };

// When an addition is made (ZADD's options).
struct AddRules {
  bool only_new = false;      // NX
  bool only_present = false;  // XX
  bool only_greater = false;  // GT: a present member's score only grows.
  bool only_less = false;     // LT
  bool increment = false;     // INCR: the score is added to a present member's.
};

enum class AddOutcome : uint8_t {
  kAdded,
  kRescored,
  kUnchanged,   // It has this score already.
  kRefused,     // The rules forbid it.
  kNotANumber,  // The sum would be infinity minus infinity.
};

struct AddResult {
  AddOutcome outcome;
  double score = 0;  // The member's from now on; meaningless if refused or not a number.
};

struct RankedScore {
  size_t rank;
  double score;
};

class SortedSet {
 public:
  static constexpr ValueType kType = ValueType::kSortedSet;
  static constexpr bool kMayBeEmpty = false;

  // Gets a member and its score. The text is valid during the call.
  using Visitor = absl::FunctionRef<void(std::string_view member, double score)>;

  static SortedSet Create();
  // Takes over a listpack that IsValid. Becomes large if it has more members than the limits allow;
  // as in Redis, their length does not matter.
  static SortedSet Adopt(Listpack pairs, const EncodingLimits& limits);
  // Whether bytes from outside are a listpack of members, each once, with a score each.
  static bool IsValid(std::string_view listpack_bytes);
  // Sorts members whose values are their scores, as NewScore makes them; compact if it fits.
  static SortedSet Build(MemberTable&& members, const EncodingLimits& limits);

  explicit SortedSet(const Object& object)
      : data_(object.data), encoding_(static_cast<SortedSetEncoding>(object.encoding)) {}
  Object object() const { return {kType, static_cast<uint8_t>(encoding_), data_}; }

  size_t size() const;
  bool empty() const { return size() == 0; }
  bool is_compact() const { return encoding_ == SortedSetEncoding::kListpack; }
  // REQUIRES: is_compact().
  Listpack listpack() const { return Listpack(data_); }
  // The members of a large set, in no order, with their scores as values. REQUIRES: !is_compact().
  const MemberTable& table() const { return large().members; }

  // ---- Looking up.
  std::optional<double> Score(std::string_view member) const;
  std::optional<double> Score(const HashedKey& member) const;
  std::optional<RankedScore> Rank(std::string_view member) const;
  // Hints that this member is about to be looked for: all buckets first, then all entries.
  void PrefetchBucket(uint64_t hash) const;
  void PrefetchEntry(uint64_t hash) const;

  // ---- Ranges.
  RankRange InScores(const ScoreRange& range) const;
  // Where scores differ, `order` says from which end the range is looked for.
  RankRange InMembers(const LexRange& range, RankOrder order) const;
  // REQUIRES: range.end <= size().
  void ForEach(RankRange range, RankOrder order, Visitor visit) const;
  void ForEach(Visitor visit) const { ForEach({0, size()}, RankOrder::kAscending, visit); }
  // Uniform over all members. REQUIRES: !empty().
  void VisitRandom(Random& random, Visitor visit) const;
  // As Shard::Scan; a compact set is visited whole.
  uint64_t Scan(uint64_t cursor, Visitor visit) const;

  // ---- Changing.
  AddResult Add(std::string_view member, double score, const AddRules& rules,
                const EncodingLimits& limits);
  // False if it is not a member.
  bool Erase(std::string_view member);
  // REQUIRES: range.end <= size().
  void EraseRange(RankRange range);

  // Aborts if anything is not as this file says. For tests.
  void CheckInvariants() const;

 private:
  friend struct SortedSetOperations;

  struct Large {
    MemberTable members;
    RankTree order;
  };

  explicit SortedSet(Listpack pairs)
      : data_(pairs.data()), encoding_(SortedSetEncoding::kListpack) {}
  explicit SortedSet(Large* large) : data_(large), encoding_(SortedSetEncoding::kSkiplist) {}

  Large& large() const { return *static_cast<Large*>(data_); }
  void BecomeLarge();

  AddResult AddToLarge(std::string_view member, double score, const AddRules& rules);

  void* data_;
  SortedSetEncoding encoding_;
};

// The score that a member of a large sorted set, or of a table that Build gets, has.
inline double ScoreOf(const Entry& entry) {
  double score;
  std::memcpy(&score, entry.value().bytes, sizeof(score));
  return score;
}
inline void SetScoreOf(Entry& entry, double score) {
  std::memcpy(entry.value_bytes(), &score, sizeof(score));
}
// The value of a new such member. `score` outlives it.
inline Entry::Value NewScore(const double& score) {
  return Entry::Value::Text({reinterpret_cast<const char*>(&score), sizeof(score)});
}

// The members of such a table in order.
std::vector<RankTree::Element> SortedByScore(const MemberTable& members);

extern const ObjectOperations kSortedSetOperations;

}  // namespace larder
