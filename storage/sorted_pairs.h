// The compact encoding of a sorted set: a listpack of member, score, member, score, in order.
//
// A score that is an integer of up to 62 bits is held as one, any other as text.
//
// A handle over the listpack's bytes, which a change may move.
//
// Concurrency: shard-guarded, as the value that it is part of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "base/numbers.h"
#include "storage/listpack.h"
#include "storage/score_range.h"

namespace larder {

// A score as the listpack holds it.
class ScoreText {
 public:
  explicit ScoreText(double score);
  ScoreText(const ScoreText&) = delete;  // The value may be a view of the object itself.
  ScoreText& operator=(const ScoreText&) = delete;

  const ListpackValue& value() const { return value_; }

 private:
  char text_[kMaxDoubleText];
  ListpackValue value_;
};

class SortedPairs {
 public:
  using Position = Listpack::Position;  // Of a member; its score stands behind it.
  using Visitor = absl::FunctionRef<void(std::string_view member, double score)>;
  static constexpr Position kNone = Listpack::kNone;

  explicit SortedPairs(Listpack pairs) : pairs_(pairs) {}
  Listpack listpack() const { return pairs_; }

  size_t size() const { return pairs_.size() / 2; }

  Position Find(std::string_view member) const {
    return pairs_.Find(pairs_.First(), member, /*skip=*/1);
  }
  double ScoreAt(Position member) const;
  size_t RankAt(Position member) const;
  void VisitAt(size_t rank, Visitor visit) const;
  void ForEach(RankRange range, RankOrder order, Visitor visit) const;

  RankRange InScores(const ScoreRange& range) const;
  RankRange InMembers(const LexRange& range, RankOrder order) const;

  // REQUIRES: it is not a member.
  void Insert(std::string_view member, double score);
  // REQUIRES: it stands behind all that are there.
  void Append(std::string_view member, double score);
  void Erase(Position member) { pairs_.Erase(member, 2); }
  void EraseRange(RankRange range);
  void Rescore(Position member, double score);

  // Whether bytes from outside are such a listpack, but perhaps not in order.
  static bool IsValid(std::string_view bytes);

 private:
  Position Next(Position member) const;
  Position Previous(Position member) const;
  Position Seek(size_t rank) const { return pairs_.Seek(static_cast<int64_t>(rank) * 2); }
  std::string_view MemberAt(Position member, char* buffer) const {
    return pairs_.At(member).View(buffer);
  }
  // Whether the pair at `position` comes before this one.
  bool IsBefore(Position position, std::string_view member, double score) const;

  Listpack pairs_;
};

}  // namespace larder
