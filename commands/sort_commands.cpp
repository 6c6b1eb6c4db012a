// SORT and SORT_RO: the elements of a list, set or sorted set in order, or what they name.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/numbers.h"
#include "base/text.h"
#include "commands/argument_parsers.h"
#include "commands/command_context.h"
#include "commands/families.h"
#include "commands/list_elements.h"
#include "commands/sort_order.h"
#include "commands/sort_pattern.h"
#include "protocol/error_text.h"
#include "storage/bucket.h"
#include "storage/hash.h"
#include "storage/list.h"
#include "storage/set.h"
#include "storage/sorted_set.h"

namespace larder {
namespace {

// ---- Options

// Two words that options of SORT have in common: their name and how many arguments follow it.
size_t ArgumentsOf(std::string_view word) {
  if (EqualsIgnoreCase(word, "LIMIT")) return 2;
  const bool takes_one = EqualsIgnoreCase(word, "GET") || EqualsIgnoreCase(word, "BY") ||
                         EqualsIgnoreCase(word, "STORE");
  return takes_one ? 1 : 0;
}

// Calls `visit` with the number of each option's argument.
template <typename Visit>
void ForEachOption(std::span<const std::string_view> args, Visit visit) {
  for (size_t i = 2; i < args.size(); ++i) {
    visit(i);
    i += ArgumentsOf(args[i]);
  }
}

size_t LocateDestination(std::span<const std::string_view> args) {
  size_t destination = 0;
  ForEachOption(args, [&](size_t i) {
    // The last one counts.
    if (EqualsIgnoreCase(args[i], "STORE") && i + 1 < args.size()) destination = i + 1;
  });
  return destination;
}

// Whether keys are made up of elements: they may be in any shard.
bool NamesKeys(std::span<const std::string_view> args) {
  bool names = false;
  ForEachOption(args, [&](size_t i) {
    const bool has_pattern = EqualsIgnoreCase(args[i], "BY") || EqualsIgnoreCase(args[i], "GET");
    if (has_pattern && i + 1 < args.size()) names |= SortPattern(args[i + 1]).names_keys();
  });
  return names;
}

enum class MayStore : bool { kNo, kYes };

struct SortOptions {
  bool sorts = true;  // False: BY a pattern that names nothing keeps the elements' own order.
  bool alphabetical = false;
  SortDirection direction = SortDirection::kAscending;
  int64_t first = 0;
  int64_t count = -1;  // Negative: all.
  std::optional<SortPattern> by;
  std::vector<SortPattern> get;
  bool stores = false;
};

bool ParseOptions(CommandContext& ctx, MayStore may_store, SortOptions& options) {
  for (size_t i = 2; i < ctx.argc(); ++i) {
    const std::string_view word = ctx.arg(i);
    const size_t left = ctx.argc() - i - 1;
    if (EqualsIgnoreCase(word, "ASC")) {
      options.direction = SortDirection::kAscending;
    } else if (EqualsIgnoreCase(word, "DESC")) {
      options.direction = SortDirection::kDescending;
    } else if (EqualsIgnoreCase(word, "ALPHA")) {
      options.alphabetical = true;
    } else if (EqualsIgnoreCase(word, "LIMIT") && left >= 2) {
      if (!ParseInteger(ctx, i + 1, options.first)) return false;
      if (!ParseInteger(ctx, i + 2, options.count)) return false;
      i += 2;
    } else if (EqualsIgnoreCase(word, "STORE") && left >= 1 && may_store == MayStore::kYes) {
      options.stores = true;
      ++i;
    } else if (EqualsIgnoreCase(word, "BY") && left >= 1) {
      options.by.emplace(ctx.arg(++i));
      // Once it names nothing, no later BY brings the order back.
      options.sorts &= options.by->names_keys();
    } else if (EqualsIgnoreCase(word, "GET") && left >= 1) {
      options.get.emplace_back(ctx.arg(++i));
    } else {
      ctx.reply().Error(error_text::kSyntax);
      return false;
    }
  }
  return true;
}

// ---- Elements

struct Elements {
  std::vector<ListpackValue> values;
  TextArena texts;  // Behind those that do not stay where they were found.

  void Add(const ListpackValue& value) {
    ListpackValue& added = values.emplace_back(value);
    if (!value.is_integer) added.text = texts.Copy(value.text);
  }
};

size_t SizeOf(const Object& object) {
  switch (object.type) {
    case ValueType::kList:
      return List(object).size();
    case ValueType::kSet:
      return Set(object).size();
    case ValueType::kSortedSet:
      return SortedSet(object).size();
    default:
      return 0;
  }
}

void LoadAll(const Object& object, Elements& elements) {
  switch (object.type) {
    case ValueType::kList:
      List(object).ForEach(ListEnd::kHead, 0, [&](const ListpackValue& value) {
        elements.Add(value);
        return true;
      });
      break;
    case ValueType::kSet:
      Set(object).ForEach([&](const SetMember& member) {
        elements.values.push_back(member);
        return true;
      });
      break;
    default:
      SortedSet(object).ForEach(
          [&](std::string_view member, double) { elements.Add({.text = member}); });
      break;
  }
}

// The window alone, in the order that the value has by itself.
void LoadWindow(const Object& object, SortDirection direction, SortWindow window,
                Elements& elements) {
  const bool descending = direction == SortDirection::kDescending;
  if (window.count == 0) return;
  if (object.type == ValueType::kList) {
    size_t left = window.count;
    List(object).ForEach(descending ? ListEnd::kTail : ListEnd::kHead, window.first,
                         [&](const ListpackValue& value) {
                           elements.Add(value);
                           return --left != 0;
                         });
    return;
  }
  if (object.type == ValueType::kSortedSet) {
    const SortedSet set(object);
    const size_t end = descending ? set.size() - window.first : window.first + window.count;
    set.ForEach({end - window.count, end},
                descending ? RankOrder::kDescending : RankOrder::kAscending,
                [&](std::string_view member, double) { elements.Add({.text = member}); });
    return;
  }
  // A set has no order, nor then a direction.
  size_t skipped = 0;
  Set(object).ForEach([&](const SetMember& member) {
    if (skipped++ < window.first) return true;
    elements.values.push_back(member);
    return elements.values.size() < window.count;
  });
}

// LIMIT as Redis understands it: whatever is out of range is moved into it.
SortWindow WindowOf(const SortOptions& options, size_t size) {
  SortWindow window;
  window.first = std::min(static_cast<size_t>(std::max<int64_t>(options.first, 0)), size);
  window.count = size - window.first;
  if (options.count >= 0) {
    window.count = std::min(window.count, static_cast<size_t>(options.count));
  }
  return window;
}

// ---- What patterns name

// Calls `visit` with what `pattern` names for `element`, if that is there.
template <typename Visit>
void VisitNamed(CommandContext& ctx, const SortPattern& pattern, const ListpackValue& element,
                std::string& buffer, Visit visit) {
  if (pattern.is_element()) return visit(element, nullptr);
  if (!pattern.names_keys()) return;
  char digits[kMaxIntegerText];
  const std::string_view name = pattern.KeyOf(element.View(digits), buffer);
  const Entry* entry = ctx.FindNamed(HashedKey::Of(name));
  if (entry == nullptr) return;
  if (!pattern.field().empty()) {
    HashField field;
    if (entry->type() != ValueType::kHash) return;
    if (!Hash(entry->object()).Find(pattern.field(), ctx.now(), field)) return;
    return visit(field.value, field.blob);
  }
  if (entry->type() != ValueType::kString) return;
  StringValue value;
  entry->ReadString(value);
  if (value.is_integer()) {
    return visit(ListpackValue{.integer = value.integer(), .is_integer = true}, nullptr);
  }
  Blob* const whole = value.blob() != nullptr && value.rest().empty() ? value.blob() : nullptr;
  visit(ListpackValue{.text = value.view()}, whole);
}

// ---- Sorting

std::optional<double> ScoreOfValue(const ListpackValue& value) {
  if (value.is_integer) return static_cast<double>(value.integer);
  return SortScore(value.text);
}

int CompareText(const ListpackValue& a, const ListpackValue& b) {
  char a_digits[kMaxIntegerText];
  char b_digits[kMaxIntegerText];
  return a.View(a_digits).compare(b.View(b_digits));
}

class Sorter {
 public:
  Sorter(CommandContext& ctx, const SortOptions& options, const Elements& elements)
      : ctx_(ctx), options_(options), values_(elements.values) {}

  // Nothing if an element or what it names is not a number.
  std::optional<std::vector<uint32_t>> ByScore(SortWindow window) {
    std::vector<double> scores(values_.size(), 0.0);
    bool all_numbers = true;
    for (size_t i = 0; i < values_.size() && all_numbers; ++i) {
      VisitWeight(values_[i], [&](const ListpackValue& weight) {
        const std::optional<double> score = ScoreOfValue(weight);
        all_numbers = score.has_value();
        scores[i] = score.value_or(0);
      });
    }
    if (!all_numbers) return std::nullopt;
    return OrderByScore(scores, options_.direction, window, [this](uint32_t a, uint32_t b) {
      return CompareText(values_[a], values_[b]);
    });
  }

  std::vector<uint32_t> ByText(SortWindow window) {
    TextArena arena;
    std::vector<std::string_view> texts(values_.size());
    for (size_t i = 0; i < values_.size(); ++i) {
      VisitWeight(values_[i],
                  [&](const ListpackValue& weight) { texts[i] = Comparable(weight, arena); });
    }
    return OrderByText(texts, options_.direction, window);
  }

 private:
  template <typename Visit>
  void VisitWeight(const ListpackValue& element, Visit visit) {
    if (!options_.by) return visit(element);
    VisitNamed(ctx_, *options_.by, element, buffer_,
               [&](const ListpackValue& weight, const Blob*) { visit(weight); });
  }

  // Valid while the arena and what the value was read from are. What is stored must not depend on
  // the locale.
  std::string_view Comparable(const ListpackValue& value, TextArena& arena) const {
    if (value.is_integer) {
      char digits[kMaxIntegerText];
      return arena.Copy(value.View(digits));
    }
    // No text must look like none at all.
    const std::string_view text = value.text.data() != nullptr ? value.text : "";
    return options_.stores ? text : Collated(text, arena);
  }

  CommandContext& ctx_;
  const SortOptions& options_;
  const std::vector<ListpackValue>& values_;
  std::string buffer_;
};

// ---- Results

// The elements that are the result: by their numbers in `values`.
struct Sorted {
  const std::vector<ListpackValue>& values;
  std::vector<uint32_t> order;
};

// What GET names for the element, in turn; the element itself without GET.
template <typename Visit>
void ForEachResult(CommandContext& ctx, const SortOptions& options, const Sorted& sorted,
                   Visit visit) {
  // The order jumps about in memory: first an element is fetched ahead, later its text.
  constexpr size_t kAhead = 24;
  const std::vector<uint32_t>& order = sorted.order;
  std::string buffer;
  const ListpackValue* const nothing = nullptr;
  for (size_t i = 0; i < order.size(); ++i) {
    if (i + kAhead < order.size()) {
      Prefetch(&sorted.values[order[i + kAhead]]);
      Prefetch(sorted.values[order[i + kAhead / 2]].text.data());
    }
    const ListpackValue& element = sorted.values[order[i]];
    if (options.get.empty()) visit(&element, nullptr);
    for (const SortPattern& pattern : options.get) {
      bool found = false;
      VisitNamed(ctx, pattern, element, buffer, [&](const ListpackValue& value, Blob* blob) {
        found = true;
        visit(&value, blob);
      });
      if (!found) visit(nothing, nullptr);
    }
  }
}

size_t ResultSize(const SortOptions& options, const Sorted& sorted) {
  return sorted.order.size() * std::max<size_t>(options.get.size(), 1);
}

void Reply(CommandContext& ctx, const SortOptions& options, const Sorted& sorted) {
  ReplyWriter& reply = ctx.reply();
  reply.Array(ResultSize(options, sorted));
  ForEachResult(ctx, options, sorted, [&](const ListpackValue* value, Blob* blob) {
    if (value == nullptr) return reply.Null();
    if (blob == nullptr) return ReplyElement(reply, *value);
    BlobRef borrowed = BlobRef::Adopt(blob);
    reply.BulkBlob(borrowed);
    borrowed.Detach();
  });
}

// As a list at key number 1.
void Store(CommandContext& ctx, const SortOptions& options, const Sorted& sorted) {
  const size_t size = ResultSize(options, sorted);
  if (size == 0) {
    if (ctx.Erase(1, Shard::Reclaim::kNow)) ctx.Notify(kNotifyGeneric, "del", 1);
    return ctx.reply().Integer(0);
  }
  List list = List::Create();
  // As in Redis by the defaults, whatever is configured.
  const ListPacking packing = ListPacking::Of(EncodingLimits{});
  ForEachResult(ctx, options, sorted, [&](const ListpackValue* value, const Blob*) {
    list.Push(ListEnd::kTail, value != nullptr ? *value : ListpackValue{.text = ""}, packing);
  });
  ctx.SetObject(1, list.object(), kNoExpiry);
  ctx.MarkDirty(static_cast<int64_t>(size));
  ctx.Notify(kNotifyList, "sortstore", 1);
  ctx.reply().Integer(static_cast<int64_t>(size));
}

void Finish(CommandContext& ctx, const SortOptions& options, const Sorted& sorted) {
  options.stores ? Store(ctx, options, sorted) : Reply(ctx, options, sorted);
}

bool IsSortable(const Entry& entry) {
  return entry.type() == ValueType::kList || entry.type() == ValueType::kSet ||
         entry.type() == ValueType::kSortedSet;
}

void SortGeneric(CommandContext& ctx, MayStore may_store) {
  SortOptions options;
  if (!ParseOptions(ctx, may_store, options)) return;
  const Entry* entry = ctx.Find(0);
  if (entry != nullptr && !IsSortable(*entry)) return ctx.reply().Error(error_text::kWrongType);
  Elements elements;
  if (entry == nullptr) return Finish(ctx, options, {elements.values, {}});

  const Object object = entry->object();
  const size_t size = SizeOf(object);
  const SortWindow window = WindowOf(options, size);
  if (!options.sorts && object.type == ValueType::kSet && options.stores) {
    // What is stored must not depend on the accidental order of a set.
    options.sorts = true;
    options.alphabetical = true;
    options.by.reset();
  }
  Sorted sorted{elements.values, {}};
  if (!options.sorts) {
    LoadWindow(object, options.direction, window, elements);
    sorted.order.resize(elements.values.size());
    std::iota(sorted.order.begin(), sorted.order.end(), 0u);
    return Finish(ctx, options, sorted);
  }
  elements.values.reserve(size);
  LoadAll(object, elements);
  Sorter sorter(ctx, options, elements);
  if (options.alphabetical) {
    sorted.order = sorter.ByText(window);
  } else if (std::optional<std::vector<uint32_t>> order = sorter.ByScore(window)) {
    sorted.order = *std::move(order);
  } else {
    return ctx.reply().Error(error_text::kScoresNotNumbers);
  }
  Finish(ctx, options, sorted);
}

void Sort(CommandContext& ctx) { SortGeneric(ctx, MayStore::kYes); }
void SortRo(CommandContext& ctx) { SortGeneric(ctx, MayStore::kNo); }

constexpr KeySpecs kSource = Keys(1, 1, 1, kKeyRo | kKeyAccess);
constexpr KeySpecs kNamed =
    UnknownKeys(kKeyRo | kKeyAccess)
        .WithNotes(
            "For the optional BY/GET keyword. It is marked 'unknown' because the key names "
            "derive from the content of the key we sort");
constexpr KeySpecs kDestination =
    UnknownKeys(kKeyOw | kKeyUpdate)
        .WithNotes(
            "For the optional STORE keyword. It is marked 'unknown' because the keyword can "
            "appear anywhere in the argument array")
        .LocatedBy(&LocateDestination);
constexpr uint32_t kSortAcl = kAclSet | kAclSortedSet | kAclList | kAclDangerous;
constexpr std::string_view kCost =
    "O(N+M*log(M)) for N elements of which M are returned, O(N) where nothing is sorted";

// clang-format off
constexpr CommandSpec kSortCommands[] = {
    {"sort", -2, kWrite | kDenyOom, kSource + kNamed + kDestination, kSortAcl, &Sort, "1.0.0", kCost,
     "Returns or stores the elements of a list, set or sorted set in order.",
     "key [BY pattern] [LIMIT offset:integer count:integer] [GET pattern [GET pattern ...]] [ASC|DESC] [ALPHA] [STORE destination:key]",
     {.needs_all_shards = &NamesKeys}},
    {"sort_ro", -2, kReadOnly, kSource + kNamed, kSortAcl, &SortRo, "7.0.0", kCost,
     "Returns the elements of a list, set or sorted set in order.",
     "key [BY pattern] [LIMIT offset:integer count:integer] [GET pattern [GET pattern ...]] [ASC|DESC] [ALPHA]",
     {.needs_all_shards = &NamesKeys}},
};
// clang-format on
static_assert(IsWellFormed(kSortCommands));

}  // namespace

constinit const CommandFamily kSortFamily = {"generic", kSortCommands};

}  // namespace larder
