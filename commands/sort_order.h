// The order that SORT puts elements in: by a number or by a text each, only as far as it is asked
// for. What is equal stays in the order in which it came.
//
// Concurrency: every function is safe from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"

namespace larder {

// Texts that live as long as it does, and stay where they are.
class TextArena {
 public:
  std::string_view Copy(std::string_view text);

 private:
  static constexpr size_t kChunkBytes = 64 << 10;

  std::vector<std::unique_ptr<char[]>> chunks_;
  char* next_ = nullptr;
  size_t left_ = 0;
};

enum class SortDirection : uint8_t { kAscending, kDescending };

// The part of the sorted elements that is wanted. REQUIRES: it is within them.
struct SortWindow {
  size_t first = 0;
  size_t count = 0;
};

// The number that a text is for SORT: all that strtod reads, spaces before it and the empty text
// included; nothing if it is none.
std::optional<double> SortScore(std::string_view text);

// A text for comparison by the locale of the process (LC_COLLATE), as texts made of others compare
// byte by byte. It stops at a zero byte. What is not a part of `text` is kept in `arena`.
std::string_view Collated(std::string_view text, TextArena& arena);

// The numbers of the elements in the window, in order. Equal scores are told apart by `compare`,
// which is given two numbers of elements and returns what memcmp would.
std::vector<uint32_t> OrderByScore(std::span<const double> scores, SortDirection direction,
                                   SortWindow window,
                                   absl::FunctionRef<int(uint32_t, uint32_t)> compare);

// The same by bytes; a view whose data is null is no text at all, which is less than any.
std::vector<uint32_t> OrderByText(std::span<const std::string_view> texts, SortDirection direction,
                                  SortWindow window);

}  // namespace larder
