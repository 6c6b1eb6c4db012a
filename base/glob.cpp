#include "base/glob.h"

#include <cstddef>
#include <utility>

#include "base/text.h"

namespace larder {
namespace {

// Where one element of a pattern ends, and whether it accepts the byte in question.
struct Step {
  bool matches;
  size_t next;
};

class Matcher {
 public:
  Matcher(std::string_view pattern, std::string_view text, GlobCase glob_case)
      : pattern_(pattern), text_(text), ignore_case_(glob_case == GlobCase::kIgnore) {}

  bool Run() const;

 private:
  Step MatchOne(size_t at, char c) const;
  Step MatchClass(size_t at, char c) const;
  bool Same(char a, char b) const { return ignore_case_ ? AsciiLower(a) == AsciiLower(b) : a == b; }
  bool InRange(char from, char to, char c) const;

  std::string_view pattern_;
  std::string_view text_;
  bool ignore_case_;
};

// Every element but a star takes exactly one byte, so when a run of them fails behind a star, only
// the latest star needs to give way: had an earlier one taken more, the run behind it would start
// later still. This keeps the work at pattern * text where plain recursion is exponential.
bool Matcher::Run() const {
  // Redis looks at no wildcard when there is no text: "**" does not match it.
  if (text_.empty()) return pattern_.empty();
  constexpr size_t kNoStar = std::string_view::npos;
  size_t at = 0;        // In the pattern.
  size_t position = 0;  // In the text.
  size_t behind_star = kNoStar;
  size_t star_position = 0;  // Where the text behind the star is assumed to begin.
  while (position < text_.size()) {
    if (at < pattern_.size() && pattern_[at] == '*') {
      behind_star = ++at;
      star_position = position;
      if (at == pattern_.size()) return true;
      continue;
    }
    if (at < pattern_.size()) {
      const Step step = MatchOne(at, text_[position]);
      if (step.matches) {
        at = step.next;
        ++position;
        continue;
      }
    }
    if (behind_star == kNoStar) return false;
    at = behind_star;
    position = ++star_position;
  }
  while (at < pattern_.size() && pattern_[at] == '*') ++at;
  return at == pattern_.size();
}

Step Matcher::MatchOne(size_t at, char c) const {
  switch (pattern_[at]) {
    case '?':
      return {true, at + 1};
    case '[':
      return MatchClass(at + 1, c);
    case '\\':
      if (at + 1 < pattern_.size()) ++at;  // A backslash at the very end means itself.
      [[fallthrough]];
    default:
      return {Same(pattern_[at], c), at + 1};
  }
}

// `at` is behind the bracket. A class that is never closed ends with the pattern.
Step Matcher::MatchClass(size_t at, char c) const {
  const bool negated = at < pattern_.size() && pattern_[at] == '^';
  if (negated) ++at;
  bool found = false;
  for (; at < pattern_.size() && pattern_[at] != ']'; ++at) {
    const size_t left = pattern_.size() - at;
    if (pattern_[at] == '\\' && left >= 2) {
      ++at;
      found |= pattern_[at] == c;  // Redis heeds the case here even where it ignores it.
    } else if (left >= 3 && pattern_[at + 1] == '-') {
      found |= InRange(pattern_[at], pattern_[at + 2], c);
      at += 2;
    } else {
      found |= Same(pattern_[at], c);
    }
  }
  return {found != negated, at < pattern_.size() ? at + 1 : at};
}

// Bounds in the wrong order are swapped; bytes compare as signed characters, as in Redis on x86.
bool Matcher::InRange(char from, char to, char c) const {
  if (static_cast<signed char>(from) > static_cast<signed char>(to)) std::swap(from, to);
  if (ignore_case_) {
    from = AsciiLower(from);
    to = AsciiLower(to);
    c = AsciiLower(c);
  }
  return static_cast<signed char>(c) >= static_cast<signed char>(from) &&
         static_cast<signed char>(c) <= static_cast<signed char>(to);
}

}  // namespace

bool GlobMatch(std::string_view pattern, std::string_view text, GlobCase glob_case) {
  return Matcher(pattern, text, glob_case).Run();
}

bool GlobIsLiteral(std::string_view pattern) {
  return pattern.find_first_of("*?[\\") == std::string_view::npos;
}

}  // namespace larder
