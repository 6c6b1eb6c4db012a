#include "storage/sorted_set.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/allocator.h"
#include "base/check.h"
#include "storage/size_class.h"
#include "storage/sorted_pairs.h"

namespace larder {
namespace {

// What becomes of a member that has `old_score`.
AddResult Judge(double old_score, double score, const AddRules& rules) {
  if (rules.only_new) return {AddOutcome::kRefused};
  if (rules.increment) {
    score += old_score;
    if (std::isnan(score)) return {AddOutcome::kNotANumber};
  }
  if ((rules.only_greater && score <= old_score) || (rules.only_less && score >= old_score)) {
    return {AddOutcome::kRefused};
  }
  return {score == old_score ? AddOutcome::kUnchanged : AddOutcome::kRescored, score};
}

bool FitsCompact(const MemberTable& members, const EncodingLimits& limits) {
  if (members.size() > limits.zset_max_listpack_entries) return false;
  size_t total = 0;
  bool fits = true;
  members.ForEach([&](const Entry& entry) {
    const size_t size = entry.key().size();
    total += size;
    fits = size <= limits.zset_max_listpack_value && total < Listpack::kMaxBytes;
    return fits;
  });
  return fits;
}

}  // namespace

// ---- Making one

SortedSet SortedSet::Create() { return SortedSet(Listpack::Create()); }

SortedSet SortedSet::Adopt(Listpack pairs, const EncodingLimits& limits) {
  SortedSet set(pairs);
  if (set.size() > limits.zset_max_listpack_entries) set.BecomeLarge();
  return set;
}

bool SortedSet::IsValid(std::string_view listpack_bytes) {
  return SortedPairs::IsValid(listpack_bytes);
}

SortedSet SortedSet::Build(MemberTable&& members, const EncodingLimits& limits) {
  const std::vector<RankTree::Element> sorted = SortedByScore(members);
  if (FitsCompact(members, limits)) {
    SortedPairs pairs(Listpack::Create());
    for (const auto& [score, entry] : sorted) pairs.Append(entry->key(), score);
    return SortedSet(pairs.listpack());
  }
  auto* large = new Large{.members = std::move(members), .order = {}};
  large->order.Build(sorted);
  return SortedSet(large);
}

std::vector<RankTree::Element> SortedByScore(const MemberTable& members) {
  std::vector<RankTree::Element> sorted;
  sorted.reserve(members.size());
  members.ForEach([&](Entry& entry) {
    sorted.push_back({ScoreOf(entry), &entry});
    return true;
  });
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return a.score < b.score || (a.score == b.score && a.entry->key() < b.entry->key());
  });
  return sorted;
}

void SortedSet::BecomeLarge() {
  LARDER_DCHECK(is_compact());
  MemberTable members;
  members.Reserve(size() + 1);
  ForEach([&](std::string_view member, double score) { members.Insert(member, NewScore(score)); });
  auto* large = new Large{.members = std::move(members), .order = {}};
  // Bytes that came from outside may be out of order.
  large->order.Build(SortedByScore(large->members));
  listpack().Free();
  *this = SortedSet(large);
}

// ---- Looking up

size_t SortedSet::size() const {
  return is_compact() ? listpack().size() / 2 : large().members.size();
}

std::optional<double> SortedSet::Score(std::string_view member) const {
  if (!is_compact()) return Score(HashedMember(member));
  const SortedPairs pairs(listpack());
  const SortedPairs::Position at = pairs.Find(member);
  if (at == SortedPairs::kNone) return std::nullopt;
  return pairs.ScoreAt(at);
}

std::optional<double> SortedSet::Score(const HashedKey& member) const {
  if (is_compact()) return Score(member.text);
  const Entry* entry = large().members.Find(member);
  if (entry == nullptr) return std::nullopt;
  return ScoreOf(*entry);
}

std::optional<RankedScore> SortedSet::Rank(std::string_view member) const {
  if (is_compact()) {
    const SortedPairs pairs(listpack());
    const SortedPairs::Position at = pairs.Find(member);
    if (at == SortedPairs::kNone) return std::nullopt;
    return RankedScore{pairs.RankAt(at), pairs.ScoreAt(at)};
  }
  const Entry* entry = large().members.Find(member);
  if (entry == nullptr) return std::nullopt;
  const double score = ScoreOf(*entry);
  return RankedScore{large().order.RankOf(score, *entry), score};
}

void SortedSet::PrefetchBucket(uint64_t hash) const {
  if (!is_compact()) large().members.PrefetchBucket(hash);
}

void SortedSet::PrefetchEntry(uint64_t hash) const {
  if (!is_compact()) large().members.PrefetchEntry(hash);
}

// ---- Ranges

RankRange SortedSet::InScores(const ScoreRange& range) const {
  if (is_compact()) return SortedPairs(listpack()).InScores(range);
  if (range.empty()) return {};
  const RankTree& order = large().order;
  return {order.CountWhile([&](double score, const Entry&) { return range.IsBelow(score); }),
          order.CountWhile([&](double score, const Entry&) { return !range.IsAbove(score); })};
}

RankRange SortedSet::InMembers(const LexRange& range, RankOrder order) const {
  if (is_compact()) return SortedPairs(listpack()).InMembers(range, order);
  if (range.empty()) return {};
  const RankTree& tree = large().order;
  const size_t begin = tree.CountWhile(
      [&](double, const Entry& entry) { return !range.min.AdmitsAbove(entry.key()); });
  const size_t end = tree.CountWhile(
      [&](double, const Entry& entry) { return range.max.AdmitsBelow(entry.key()); });
  return {begin, std::max(begin, end)};
}

void SortedSet::ForEach(RankRange range, RankOrder order, Visitor visit) const {
  LARDER_DCHECK(range.begin <= range.end && range.end <= size());
  if (is_compact()) return SortedPairs(listpack()).ForEach(range, order, visit);
  if (range.empty()) return;
  constexpr unsigned kAhead = 8;
  const bool descending = order == RankOrder::kDescending;
  RankTree::Position at = large().order.At(descending ? range.end - 1 : range.begin);
  for (size_t left = range.size(); left > 0; --left) {
    if (descending) {
      at.PrefetchBehind(kAhead);
    } else {
      at.PrefetchAhead(kAhead);
    }
    visit(at.entry()->key(), at.score());
    descending ? at.StepBack() : at.StepForward();
  }
}

void SortedSet::VisitRandom(Random& random, Visitor visit) const {
  if (is_compact()) return SortedPairs(listpack()).VisitAt(random.Uniform(size()), visit);
  const Entry& entry = *large().members.RandomMember(random);
  visit(entry.key(), ScoreOf(entry));
}

uint64_t SortedSet::Scan(uint64_t cursor, Visitor visit) const {
  if (is_compact()) {
    ForEach(visit);
    return 0;
  }
  return large().members.Scan(cursor,
                              [&](const Entry& entry) { visit(entry.key(), ScoreOf(entry)); });
}

// ---- Changing

AddResult SortedSet::Add(std::string_view member, double score, const AddRules& rules,
                         const EncodingLimits& limits) {
  LARDER_DCHECK(!std::isnan(score));
  if (!is_compact()) return AddToLarge(member, score, rules);
  SortedPairs pairs(listpack());
  const SortedPairs::Position at = pairs.Find(member);
  if (at != SortedPairs::kNone) {
    const AddResult result = Judge(pairs.ScoreAt(at), score, rules);
    if (result.outcome == AddOutcome::kRescored) {
      pairs.Rescore(at, result.score);
      data_ = pairs.listpack().data();
    }
    return result;
  }
  if (rules.only_present) return {AddOutcome::kRefused};
  // The bytes that a member and a score take beyond their text.
  constexpr size_t kOverhead = 64;
  if (pairs.size() >= limits.zset_max_listpack_entries ||
      member.size() > limits.zset_max_listpack_value ||
      !listpack().MayGrowBy(member.size() + kOverhead)) {
    BecomeLarge();
    return AddToLarge(member, score, rules);
  }
  pairs.Insert(member, score);
  data_ = pairs.listpack().data();
  return {AddOutcome::kAdded, score};
}

AddResult SortedSet::AddToLarge(std::string_view member, double score, const AddRules& rules) {
  const HashedKey hashed = HashedMember(member);
  auto& [members, order] = large();
  if (Entry* entry = members.Find(hashed)) {
    const double old_score = ScoreOf(*entry);
    const AddResult result = Judge(old_score, score, rules);
    if (result.outcome == AddOutcome::kRescored) {
      order.Rescore(old_score, result.score, entry);
      SetScoreOf(*entry, result.score);
    }
    return result;
  }
  if (rules.only_present) return {AddOutcome::kRefused};
  order.Insert(score, members.Insert(hashed, NewScore(score)));
  return {AddOutcome::kAdded, score};
}

bool SortedSet::Erase(std::string_view member) {
  if (is_compact()) {
    SortedPairs pairs(listpack());
    const SortedPairs::Position at = pairs.Find(member);
    if (at == SortedPairs::kNone) return false;
    pairs.Erase(at);
    data_ = pairs.listpack().data();
    return true;
  }
  Entry* entry = large().members.Extract(member);
  if (entry == nullptr) return false;
  large().order.Erase(ScoreOf(*entry), *entry);
  Entry::Destroy(entry);
  return true;
}

void SortedSet::EraseRange(RankRange range) {
  LARDER_DCHECK(range.begin <= range.end && range.end <= size());
  if (is_compact()) {
    SortedPairs pairs(listpack());
    pairs.EraseRange(range);
    data_ = pairs.listpack().data();
    return;
  }
  large().order.EraseRange(range.begin, range.size(),
                           [&](Entry* entry) { large().members.Erase(entry->key()); });
}

void SortedSet::CheckInvariants() const {
  if (is_compact()) {
    LARDER_CHECK(IsValid(listpack().bytes()));
    double last_score = 0;
    std::string last_member;
    bool first = true;
    ForEach([&](std::string_view member, double score) {
      LARDER_CHECK(first || last_score < score || (last_score == score && last_member < member));
      first = false;
      last_score = score;
      last_member = member;
    });
    return;
  }
  large().members.table().CheckInvariants();
  large().order.CheckInvariants();
  LARDER_CHECK(large().members.size() == large().order.size());
  ForEach([&](std::string_view member, double score) {
    const Entry* entry = large().members.Find(member);
    LARDER_CHECK(entry != nullptr && ScoreOf(*entry) == score);
  });
}

// ---- As an object

struct SortedSetOperations {
  static size_t AllocatedBytes(const Object& object) {
    const SortedSet set(object);
    if (set.is_compact()) return set.listpack().allocated_bytes();
    return SizeClass(sizeof(SortedSet::Large)) + set.large().members.bytes() +
           set.large().order.bytes();
  }

  static void Destroy(const Object& object) {
    const SortedSet set(object);
    if (set.is_compact()) return set.listpack().Free();
    delete &set.large();
  }

  static Object Clone(const Object& object) {
    const SortedSet set(object);
    if (set.is_compact()) return SortedSet(Listpack::CopyOf(set.listpack().bytes())).object();
    auto* copy = new SortedSet::Large{
        .members = set.large().members.Clone(MemberTable::CopyOfEntry), .order = {}};
    std::vector<RankTree::Element> elements;
    elements.reserve(set.size());
    set.ForEach([&](std::string_view member, double score) {
      elements.push_back({score, copy->members.Find(member)});
    });
    copy->order.Build(elements);
    return SortedSet(copy).object();
  }

  static size_t FreeEffort(const Object& object) {
    const SortedSet set(object);
    if (set.is_compact()) return 1;
    return set.large().members.free_effort() + set.large().order.node_count();
  }

  static const MemberTable* Members(const Object& object) {
    const SortedSet set(object);
    return set.is_compact() ? nullptr : &set.table();
  }

  static std::string_view EncodingName(const Object& object) {
    return SortedSet(object).is_compact() ? "listpack" : "skiplist";
  }
};

const ObjectOperations kSortedSetOperations = {
    .allocated_bytes = &SortedSetOperations::AllocatedBytes,
    .destroy = &SortedSetOperations::Destroy,
    .clone = &SortedSetOperations::Clone,
    .free_effort = &SortedSetOperations::FreeEffort,
    .encoding_name = &SortedSetOperations::EncodingName,
    .members = &SortedSetOperations::Members,
};

}  // namespace larder
