// Union, intersection and difference of sorted sets, and of sets, whose members score 1 each.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "base/numbers.h"
#include "base/text.h"
#include "commands/argument_parsers.h"
#include "commands/command_context.h"
#include "commands/edit.h"
#include "commands/families.h"
#include "commands/sorted_set_arguments.h"
#include "commands/sorted_set_store.h"
#include "protocol/error_text.h"
#include "storage/set.h"
#include "storage/sorted_set.h"

namespace larder {
namespace {

enum class Operation : uint8_t { kUnion, kIntersection, kDifference };
enum class Aggregate : uint8_t { kSum, kMin, kMax };

// ---- Inputs.

// A sorted set, a set, or nothing at all.
class Input {
 public:
  // False if the entry holds neither.
  static bool Make(const Entry* entry, Input& input) {
    if (entry == nullptr) return true;
    input.object_ = entry->object();
    if (entry->type() == ValueType::kSortedSet) {
      const SortedSet set(input.object_);
      input.size_ = set.size();
      if (!set.is_compact()) input.table_ = &set.table();
      return true;
    }
    if (entry->type() != ValueType::kSet) return false;
    const Set set(input.object_);
    input.size_ = set.size();
    if (set.encoding() == Set::Encoding::kTable) input.table_ = &set.table();
    return true;
  }

  size_t size() const { return size_; }
  double weight = 1;

  bool IsSameAs(const Input& other) const { return object_.data == other.object_.data; }

  // Every member, hashed, with its score, in no order that means anything. Large inputs are walked
  // bucket by bucket: then what is looked up in, or put into, another table lies side by side
  // there, too. `visit` returns false to stop.
  template <typename Visit>
  void ForEach(Visit visit) const {
    if (size_ == 0) return;
    if (table_ != nullptr) {
      return table_->ForEach([&](const Entry& entry) {
        return visit(HashedMember(entry.key()), is_sorted() ? ScoreOf(entry) : 1.0);
      });
    }
    bool go_on = true;
    if (is_sorted()) {
      return SortedSet(object_).ForEach([&](std::string_view member, double score) {
        go_on = go_on && visit(HashedMember(member), score);
      });
    }
    char digits[kMaxIntegerText];
    Set(object_).ForEach(
        [&](const SetMember& member) { return visit(HashedMember(member.View(digits)), 1.0); });
  }

  std::optional<double> Score(const HashedKey& member) const {
    if (size_ == 0) return std::nullopt;
    if (table_ != nullptr) {
      const Entry* entry = table_->Find(member);
      if (entry == nullptr) return std::nullopt;
      return is_sorted() ? ScoreOf(*entry) : 1.0;
    }
    if (is_sorted()) return SortedSet(object_).Score(member.text);
    return Set(object_).Contains(member.text) ? std::optional<double>(1.0) : std::nullopt;
  }

 private:
  bool is_sorted() const { return object_.type == ValueType::kSortedSet; }

  Object object_;
  const MemberTable* table_ = nullptr;  // Of a large one.
  size_t size_ = 0;
};

using Inputs = absl::InlinedVector<Input, 8>;

// ---- Arguments.

struct Arguments {
  Inputs inputs;
  Aggregate aggregate = Aggregate::kSum;
  bool with_scores = false;
  uint64_t limit = 0;  // 0: none.
};

// Which options a command takes.
struct Syntax {
  size_t numkeys_arg = 1;
  size_t first_key = 0;  // Number of the first input among the request's keys.
  bool combines_scores = true;
  bool takes_scores = true;
  bool takes_limit = false;
};

bool FailSyntax(CommandContext& ctx) {
  ctx.reply().Error(error_text::kSyntax);
  return false;
}

// numkeys key [key ...]; `arg` becomes the argument behind.
bool ParseInputs(CommandContext& ctx, const Syntax& syntax, size_t& arg, Inputs& inputs) {
  int64_t count = 0;
  if (!ParseInteger(ctx, syntax.numkeys_arg, count)) return false;
  if (count < 1) {
    ctx.reply().Error(error_text::NoInputKey(ctx.command().full_name()));
    return false;
  }
  arg = syntax.numkeys_arg + 1;
  if (static_cast<uint64_t>(count) > ctx.argc() - arg) return FailSyntax(ctx);
  inputs.resize(static_cast<size_t>(count));
  for (size_t i = 0; i < inputs.size(); ++i) {
    // A wrong type comes before any error in the options.
    if (Input::Make(ctx.Find(syntax.first_key + i), inputs[i])) continue;
    ctx.reply().Error(error_text::kWrongType);
    return false;
  }
  arg += inputs.size();
  return true;
}

bool ParseWeights(CommandContext& ctx, size_t& arg, Inputs& inputs) {
  for (Input& input : inputs) {
    const std::optional<double> weight = ParseDouble(ctx.arg(++arg));
    if (!weight) {
      ctx.reply().Error(error_text::kWeightNotAFloat);
      return false;
    }
    input.weight = *weight;
  }
  return true;
}

bool ParseAggregate(CommandContext& ctx, size_t arg, Aggregate& aggregate) {
  if (EqualsIgnoreCase(ctx.arg(arg), "SUM")) {
    aggregate = Aggregate::kSum;
  } else if (EqualsIgnoreCase(ctx.arg(arg), "MIN")) {
    aggregate = Aggregate::kMin;
  } else if (EqualsIgnoreCase(ctx.arg(arg), "MAX")) {
    aggregate = Aggregate::kMax;
  } else {
    return FailSyntax(ctx);
  }
  return true;
}

bool ParseLimit(CommandContext& ctx, size_t arg, uint64_t& limit) {
  int64_t number = 0;
  if (!ParseInteger(ctx, arg, number, error_text::kNegativeLimit)) return false;
  if (number < 0) {
    ctx.reply().Error(error_text::kNegativeLimit);
    return false;
  }
  limit = static_cast<uint64_t>(number);
  return true;
}

// Takes the option that starts at argument `arg`, which moves to its last argument.
bool TakeOption(CommandContext& ctx, const Syntax& syntax, size_t& arg, Arguments& arguments) {
  const std::string_view word = ctx.arg(arg);
  const size_t values = ctx.argc() - arg - 1;
  if (syntax.combines_scores && values >= arguments.inputs.size() &&
      EqualsIgnoreCase(word, "WEIGHTS")) {
    return ParseWeights(ctx, arg, arguments.inputs);
  }
  if (syntax.combines_scores && values >= 1 && EqualsIgnoreCase(word, "AGGREGATE")) {
    return ParseAggregate(ctx, ++arg, arguments.aggregate);
  }
  if (syntax.takes_scores && EqualsIgnoreCase(word, "WITHSCORES")) {
    arguments.with_scores = true;
    return true;
  }
  if (syntax.takes_limit && values >= 1 && EqualsIgnoreCase(word, "LIMIT")) {
    return ParseLimit(ctx, ++arg, arguments.limit);
  }
  return FailSyntax(ctx);
}

bool Parse(CommandContext& ctx, const Syntax& syntax, Arguments& arguments) {
  size_t arg = 0;
  if (!ParseInputs(ctx, syntax, arg, arguments.inputs)) return false;
  for (; arg < ctx.argc(); ++arg) {
    if (!TakeOption(ctx, syntax, arg, arguments)) return false;
  }
  return true;
}

// ---- Computing.

// Infinity times zero counts as zero, and so does infinity minus infinity.
double OrZero(double score) { return std::isnan(score) ? 0 : score; }

double Combine(double a, double b, Aggregate aggregate) {
  switch (aggregate) {
    case Aggregate::kSum:
      return OrZero(a + b);
    case Aggregate::kMin:
      return b < a ? b : a;
    case Aggregate::kMax:
      return b > a ? b : a;
  }
  return a;
}

// The smallest first. The order of summands shows in the last digit of a sum, so inputs of one size
// stay in the order in which they were given.
void SortBySize(Inputs& inputs) {
  std::stable_sort(inputs.begin(), inputs.end(),
                   [](const Input& a, const Input& b) { return a.size() < b.size(); });
}

MemberTable Union(Inputs inputs, Aggregate aggregate) {
  SortBySize(inputs);
  MemberTable members;
  members.Reserve(inputs.back().size());
  for (const Input& input : inputs) {
    input.ForEach([&](const HashedKey& member, double unweighted) {
      const double score = OrZero(input.weight * unweighted);
      if (Entry* entry = members.Find(member)) {
        SetScoreOf(*entry, Combine(ScoreOf(*entry), score, aggregate));
      } else {
        members.Insert(member, NewScore(score));
      }
      return true;
    });
  }
  return members;
}

// Calls `visit` with every member that all inputs have and its score, until that returns false.
template <typename Visit>
void Intersect(Inputs inputs, Aggregate aggregate, Visit visit) {
  SortBySize(inputs);
  const Input& smallest = inputs.front();
  smallest.ForEach([&](const HashedKey& member, double unweighted) {
    double score = OrZero(smallest.weight * unweighted);
    for (const Input& input : std::span(inputs).subspan(1)) {
      const std::optional<double> other =
          input.IsSameAs(smallest) ? unweighted : input.Score(member);
      if (!other) return true;
      score = Combine(score, *other * input.weight, aggregate);
    }
    return visit(member, score);
  });
}

MemberTable Intersection(const Inputs& inputs, Aggregate aggregate) {
  MemberTable members;
  Intersect(inputs, aggregate, [&](const HashedKey& member, double score) {
    members.Insert(member, NewScore(score));
    return true;
  });
  return members;
}

// Looks each member of the first up in the others, of which the largest come first: there it is
// found most likely.
MemberTable DifferenceByLookup(const Input& first, Inputs others) {
  std::stable_sort(others.begin(), others.end(),
                   [](const Input& a, const Input& b) { return a.size() > b.size(); });
  MemberTable members;
  first.ForEach([&](const HashedKey& member, double score) {
    const bool found = std::any_of(others.begin(), others.end(), [&](const Input& other) {
      return other.Score(member).has_value();
    });
    if (!found) members.Insert(member, NewScore(score));
    return true;
  });
  return members;
}

// Removes each member of the others from a copy of the first.
MemberTable DifferenceByRemoval(const Input& first, const Inputs& others) {
  MemberTable members;
  members.Reserve(first.size());
  first.ForEach([&](const HashedKey& member, double score) {
    members.Insert(member, NewScore(score));
    return true;
  });
  for (const Input& other : others) {
    other.ForEach([&](const HashedKey& member, double) {
      members.Erase(member);
      return members.size() > 0;
    });
  }
  return members;
}

MemberTable Difference(const Inputs& inputs) {
  const Input& first = inputs.front();
  const Inputs others(inputs.begin() + 1, inputs.end());
  if (first.size() == 0) return {};
  uint64_t in_others = 0;
  for (const Input& other : others) {
    if (other.IsSameAs(first)) return {};
    in_others += other.size();
  }
  // Most lookups end early, at the largest input.
  const uint64_t lookups = first.size() * others.size() / 2;
  return lookups <= first.size() + in_others ? DifferenceByLookup(first, others)
                                             : DifferenceByRemoval(first, others);
}

MemberTable Compute(Operation operation, const Arguments& arguments) {
  switch (operation) {
    case Operation::kUnion:
      return Union(arguments.inputs, arguments.aggregate);
    case Operation::kIntersection:
      return Intersection(arguments.inputs, arguments.aggregate);
    case Operation::kDifference:
      return Difference(arguments.inputs);
  }
  return {};
}

// ---- Commands.

void ReplyWith(CommandContext& ctx, Operation operation) {
  Arguments arguments;
  const bool combines_scores = operation != Operation::kDifference;
  if (!Parse(ctx, {.combines_scores = combines_scores}, arguments)) return;
  const MemberTable members = Compute(operation, arguments);
  MemberReply reply(ctx.reply(), arguments.with_scores);
  reply.Header(members.size());
  for (const auto& [score, entry] : SortedByScore(members)) reply(entry->key(), score);
}

void Store(CommandContext& ctx, Operation operation, std::string_view event) {
  constexpr size_t kDestination = 0;
  Arguments arguments;
  const Syntax syntax = {.numkeys_arg = 2,
                         .first_key = 1,
                         .combines_scores = operation != Operation::kDifference,
                         .takes_scores = false};
  if (!Parse(ctx, syntax, arguments)) return;
  const SortedSet result = SortedSet::Build(Compute(operation, arguments), ctx.settings().encoding);
  StoreSortedSet(ctx, kDestination, result, event);
}

void ZUnion(CommandContext& ctx) { ReplyWith(ctx, Operation::kUnion); }
void ZInter(CommandContext& ctx) { ReplyWith(ctx, Operation::kIntersection); }
void ZDiff(CommandContext& ctx) { ReplyWith(ctx, Operation::kDifference); }
void ZUnionStore(CommandContext& ctx) { Store(ctx, Operation::kUnion, "zunionstore"); }
void ZInterStore(CommandContext& ctx) { Store(ctx, Operation::kIntersection, "zinterstore"); }
void ZDiffStore(CommandContext& ctx) { Store(ctx, Operation::kDifference, "zdiffstore"); }

void ZInterCard(CommandContext& ctx) {
  Arguments arguments;
  const Syntax syntax = {.combines_scores = false, .takes_scores = false, .takes_limit = true};
  if (!Parse(ctx, syntax, arguments)) return;
  uint64_t count = 0;
  Intersect(arguments.inputs, arguments.aggregate,
            [&](const HashedKey&, double) { return ++count != arguments.limit; });
  ctx.reply().Integer(static_cast<int64_t>(count));
}

constexpr uint32_t kOwUpdate = kKeyOw | kKeyUpdate;
constexpr KeySpecs kInputKeys = CountedKeysAt(1);
constexpr KeySpecs kStoreKeys = Keys(1, 1, 1, kOwUpdate) + CountedKeysAt(2, kKeyRo | kKeyAccess);

constexpr std::string_view kUnionCost =
    "O(N)+O(M*log(M)) with N being the sum of the sizes of the input sorted sets, and M being the "
    "number of elements in the resulting sorted set.";
constexpr std::string_view kIntersectionCost =
    "O(N*K)+O(M*log(M)) worst case with N being the smallest input sorted set, K being the number "
    "of input sorted sets and M being the number of elements in the resulting sorted set.";
constexpr std::string_view kDifferenceCost =
    "O(L + (N-K)log(N)) worst case where L is the total number of elements in all the sets, N is "
    "the size of the first set, and K is the size of the result set.";

// clang-format off
constexpr CommandSpec kCommands[] = {
    {"zdiff", -3, kReadOnly, kInputKeys, kAclSortedSet, &ZDiff, "6.2.0", kDifferenceCost,
     "Returns what the first sorted set has and the others have not.",
     "numkeys key [key ...] [WITHSCORES]"},
    {"zdiffstore", -4, kWrite | kDenyOom, kStoreKeys, kAclSortedSet, &ZDiffStore, "6.2.0",
     kDifferenceCost, "Stores what the first sorted set has and the others have not.",
     "destination numkeys key [key ...]"},
    {"zinter", -3, kReadOnly, kInputKeys, kAclSortedSet, &ZInter, "6.2.0", kIntersectionCost,
     "Returns what all of the sorted sets have.",
     "numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM|MIN|MAX] [WITHSCORES]"},
    {"zintercard", -3, kReadOnly, kInputKeys, kAclSortedSet, &ZInterCard, "7.0.0",
     "O(N*K) worst case with N being the smallest input sorted set, K being the number of input "
     "sorted sets.",
     "Returns how many members all of the sorted sets have.",
     "numkeys key [key ...] [LIMIT limit]"},
    {"zinterstore", -4, kWrite | kDenyOom, kStoreKeys, kAclSortedSet, &ZInterStore, "2.0.0",
     kIntersectionCost, "Stores what all of the sorted sets have.",
     "destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM|MIN|MAX]"},
    {"zunion", -3, kReadOnly, kInputKeys, kAclSortedSet, &ZUnion, "6.2.0", kUnionCost,
     "Returns what any of the sorted sets has.",
     "numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM|MIN|MAX] [WITHSCORES]"},
    {"zunionstore", -4, kWrite | kDenyOom, kStoreKeys, kAclSortedSet, &ZUnionStore, "2.0.0",
     kUnionCost, "Stores what any of the sorted sets has.",
     "destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM|MIN|MAX]"},
};
// clang-format on
static_assert(IsWellFormed(kCommands));

}  // namespace

const CommandFamily kSortedSetAlgebraFamily = {"sorted-set", kCommands};

}  // namespace larder
