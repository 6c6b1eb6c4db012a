#include "storage/sorted_pairs.h"

#include <vector>

#include "absl/container/flat_hash_set.h"
#include "base/numbers.h"
#include "base/text.h"

namespace larder {
namespace {

double ScoreFrom(const ListpackValue& value) {
  if (value.is_integer) return static_cast<double>(value.integer);
  // Bytes from outside may hold any text; Redis reads what is no number as zero, too.
  return ParseDouble(value.text).value_or(0);
}

}  // namespace

ScoreText::ScoreText(double score) {
  constexpr double kMost = 4611686018427387904.0;  // Half of the largest integer, in Redis's words.
  if (score >= -kMost && score <= kMost) {
    const auto integer = static_cast<int64_t>(score);
    if (static_cast<double>(integer) == score) {  // A negative zero loses its sign here.
      value_ = {.integer = integer, .is_integer = true};
      return;
    }
  }
  value_ = {.text = {text_, FormatDouble(score, text_)}};
}

// ---- Reading

double SortedPairs::ScoreAt(Position member) const {
  return ScoreFrom(pairs_.At(pairs_.Next(member)));
}

SortedPairs::Position SortedPairs::Next(Position member) const {
  return pairs_.Next(pairs_.Next(member));
}

SortedPairs::Position SortedPairs::Previous(Position member) const {
  const Position score = pairs_.Previous(member);
  return score == kNone ? kNone : pairs_.Previous(score);
}

size_t SortedPairs::RankAt(Position member) const {
  size_t rank = 0;
  for (Position at = pairs_.First(); at != member; at = Next(at)) ++rank;
  return rank;
}

void SortedPairs::VisitAt(size_t rank, Visitor visit) const {
  char digits[kMaxIntegerText];
  const Position at = Seek(rank);
  visit(MemberAt(at, digits), ScoreAt(at));
}

void SortedPairs::ForEach(RankRange range, RankOrder order, Visitor visit) const {
  if (range.empty()) return;
  char digits[kMaxIntegerText];
  size_t left = range.size();
  if (order == RankOrder::kDescending) {
    for (Position at = Seek(range.end - 1); left > 0; --left) {
      visit(MemberAt(at, digits), ScoreAt(at));
      at = Previous(at);
    }
    return;
  }
  for (Position at = Seek(range.begin); left > 0; --left) {
    const Position score = pairs_.Next(at);
    visit(MemberAt(at, digits), ScoreFrom(pairs_.At(score)));
    at = pairs_.Next(score);
  }
}

RankRange SortedPairs::InScores(const ScoreRange& range) const {
  RankRange found;
  if (range.empty()) return found;
  Position at = pairs_.First();
  while (at != kNone && range.IsBelow(ScoreAt(at))) {
    ++found.begin;
    at = Next(at);
  }
  found.end = found.begin;
  while (at != kNone && !range.IsAbove(ScoreAt(at))) {
    ++found.end;
    at = Next(at);
  }
  return found;
}

RankRange SortedPairs::InMembers(const LexRange& range, RankOrder order) const {
  char digits[kMaxIntegerText];
  const auto above_min = [&](Position at) { return range.min.AdmitsAbove(MemberAt(at, digits)); };
  const auto below_max = [&](Position at) { return range.max.AdmitsBelow(MemberAt(at, digits)); };
  if (range.empty() || pairs_.empty()) return {};
  const Position last = pairs_.Previous(pairs_.Last());
  if (!above_min(last) || !below_max(pairs_.First())) return {};
  if (order == RankOrder::kDescending) {
    size_t end = size();
    Position at = last;
    for (; at != kNone && !below_max(at); at = Previous(at)) --end;
    size_t begin = end;
    for (; at != kNone && above_min(at); at = Previous(at)) --begin;
    return {begin, end};
  }
  size_t begin = 0;
  Position at = pairs_.First();
  for (; at != kNone && !above_min(at); at = Next(at)) ++begin;
  size_t end = begin;
  for (; at != kNone && below_max(at); at = Next(at)) ++end;
  return {begin, end};
}

bool SortedPairs::IsBefore(Position position, std::string_view member, double score) const {
  const double other = ScoreAt(position);
  if (other != score) return other < score;
  char digits[kMaxIntegerText];
  return MemberAt(position, digits) < member;
}

// ---- Changing

void SortedPairs::Append(std::string_view member, double score) {
  const ScoreText text(score);
  pairs_.Append(member);
  pairs_.Append(text.value());
}

void SortedPairs::Insert(std::string_view member, double score) {
  if (pairs_.empty()) return Append(member, score);
  // Often scores grow, as times do.
  if (IsBefore(pairs_.Previous(pairs_.Last()), member, score)) return Append(member, score);
  Position at = pairs_.First();
  while (IsBefore(at, member, score)) at = Next(at);
  const ScoreText text(score);
  pairs_.InsertBefore(at, text.value());
  pairs_.InsertBefore(at, member);
}

void SortedPairs::EraseRange(RankRange range) {
  if (!range.empty()) pairs_.Erase(Seek(range.begin), range.size() * 2);
}

void SortedPairs::Rescore(Position member, double score) {
  char digits[kMaxIntegerText];
  const std::string_view name = MemberAt(member, digits);
  const Position previous = Previous(member);
  const Position next = Next(member);
  if ((previous == kNone || IsBefore(previous, name, score)) &&
      (next == kNone || !IsBefore(next, name, score))) {
    const ScoreText text(score);
    pairs_.Replace(pairs_.Next(member), text.value());
    return;
  }
  const std::string copy(name);
  Erase(member);
  Insert(copy, score);
}

// ---- Bytes from outside

bool SortedPairs::IsValid(std::string_view bytes) {
  absl::flat_hash_set<std::string, TextHash, TextEqual> members;
  bool is_member = true;
  const bool valid = Listpack::Validate(bytes, [&](const ListpackValue& value) {
    const bool good = !is_member || members.insert(value.Text()).second;
    is_member = !is_member;
    return good;
  });
  return valid && is_member;
}

}  // namespace larder
