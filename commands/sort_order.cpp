#include "commands/sort_order.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <clocale>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <locale.h>
#include <string>

#include "base/check.h"

namespace larder {
namespace {

// What is moved about while sorting: small, and enough to tell most elements apart.
template <typename Key>
struct Record {
  Key key;
  uint32_t index;
};

// `compare` says of two records how they stand in ascending order, as memcmp does.
template <typename Key, typename Compare>
std::vector<uint32_t> Order(std::vector<Record<Key>>& records, SortDirection direction,
                            SortWindow window, Compare compare) {
  LARDER_DCHECK(window.first + window.count <= records.size());
  const bool descending = direction == SortDirection::kDescending;
  const auto less = [&](const Record<Key>& a, const Record<Key>& b) {
    const int order = compare(a, b);
    if (order != 0) return descending ? order > 0 : order < 0;
    return a.index < b.index;
  };
  // Only what is wanted is sorted; the rest is parted from it in linear time.
  const auto first = records.begin() + static_cast<ptrdiff_t>(window.first);
  const auto last = first + static_cast<ptrdiff_t>(window.count);
  if (window.count != 0) {
    if (first != records.begin()) std::nth_element(records.begin(), first, records.end(), less);
    if (last != records.end()) std::nth_element(first, last, records.end(), less);
    std::sort(first, last, less);
  }
  std::vector<uint32_t> order;
  order.reserve(window.count);
  std::for_each(first, last, [&](const Record<Key>& record) { order.push_back(record.index); });
  return order;
}

// The first eight bytes as a number that compares as they do.
uint64_t PrefixOf(std::string_view text) {
  uint64_t prefix = 0;
  if (!text.empty()) std::memcpy(&prefix, text.data(), std::min(text.size(), sizeof(prefix)));
  return __builtin_bswap64(prefix);
}

// How many bytes all texts begin with alike: often many, and then the first eight tell nothing.
size_t CommonPrefixOf(std::span<const std::string_view> texts) {
  const std::string_view* first = nullptr;
  size_t common = 0;
  for (const std::string_view& text : texts) {
    if (text.data() == nullptr) continue;
    if (first == nullptr) {
      first = &text;
      common = text.size();
    }
    common = std::min(common, text.size());
    const auto end = text.begin() + static_cast<ptrdiff_t>(common);
    common =
        static_cast<size_t>(std::mismatch(text.begin(), end, first->begin()).first - text.begin());
    if (common == 0) break;
  }
  return common;
}

// The locale that the environment asks for, unless it compares bytes anyway.
locale_t EnvironmentLocale() {
  const locale_t locale = newlocale(LC_COLLATE_MASK, "", nullptr);
  if (locale == nullptr) return nullptr;
  // A locale that puts capitals and small letters as bytes do is taken to be one of bytes.
  const bool is_bytes = strcoll_l("B", "a", locale) < 0 && strcoll_l("a-b", "aa", locale) < 0;
  if (!is_bytes) return locale;
  freelocale(locale);
  return nullptr;
}

}  // namespace

std::string_view TextArena::Copy(std::string_view text) {
  if (text.size() > left_) {
    const size_t size = std::max(kChunkBytes, text.size());
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(size));
    next_ = chunks_.back().get();
    left_ = size;
  }
  char* const copy = next_;
  if (!text.empty()) std::memcpy(copy, text.data(), text.size());
  next_ += text.size();
  left_ -= text.size();
  return {copy, text.size()};
}

std::optional<double> SortScore(std::string_view text) {
  double score = 0;
  const char* const end = text.data() + text.size();
  const auto [parsed_to, error] = std::from_chars(text.data(), end, score);
  if (error == std::errc() && parsed_to == end && std::isnormal(score)) return score;
  // What is left are spellings that only strtod knows, and what it may call an underflow.
  const std::string terminated(text);
  char* stopped_at = nullptr;
  errno = 0;
  score = std::strtod(terminated.c_str(), &stopped_at);
  if (*stopped_at != '\0' || errno == ERANGE || std::isnan(score)) return std::nullopt;
  return score;
}

std::string_view Collated(std::string_view text, TextArena& arena) {
  static const locale_t locale = EnvironmentLocale();
  text = text.substr(0, text.find('\0'));
  if (locale == nullptr) return text;
  const std::string terminated(text);
  std::string key(terminated.size() * 4 + 16, '\0');
  size_t size = strxfrm_l(key.data(), terminated.c_str(), key.size(), locale);
  if (size >= key.size()) {
    key.resize(size + 1);
    size = strxfrm_l(key.data(), terminated.c_str(), key.size(), locale);
  }
  return arena.Copy({key.data(), size});
}

std::vector<uint32_t> OrderByScore(std::span<const double> scores, SortDirection direction,
                                   SortWindow window,
                                   absl::FunctionRef<int(uint32_t, uint32_t)> compare) {
  std::vector<Record<double>> records;
  records.reserve(scores.size());
  for (uint32_t i = 0; i < scores.size(); ++i) records.push_back({scores[i], i});
  return Order(records, direction, window,
               [&](const Record<double>& a, const Record<double>& b) -> int {
                 if (a.key != b.key) return a.key < b.key ? -1 : 1;
                 return a.index == b.index ? 0 : compare(a.index, b.index);
               });
}

std::vector<uint32_t> OrderByText(std::span<const std::string_view> texts, SortDirection direction,
                                  SortWindow window) {
  const size_t common = CommonPrefixOf(texts);
  std::vector<Record<uint64_t>> records;
  records.reserve(texts.size());
  for (uint32_t i = 0; i < texts.size(); ++i) {
    const bool has_text = texts[i].data() != nullptr;
    records.push_back({has_text ? PrefixOf(texts[i].substr(common)) : 0, i});
  }
  return Order(records, direction, window,
               [&](const Record<uint64_t>& a, const Record<uint64_t>& b) -> int {
                 if (a.key != b.key) return a.key < b.key ? -1 : 1;
                 const std::string_view x = texts[a.index];
                 const std::string_view y = texts[b.index];
                 const bool has_x = x.data() != nullptr;
                 const bool has_y = y.data() != nullptr;
                 return has_x && has_y ? x.compare(y) : has_x - has_y;
               });
}

}  // namespace larder
