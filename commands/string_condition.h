// Compare-and-set and compare-and-delete: SET and DELEX with IFEQ, IFNE, IFDEQ and IFDNE.
//
// Concurrency: every function is safe from any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace larder {

inline constexpr size_t kDigestDigits = 16;

// XXH3 (64 bits) of `value` in lower-case hexadecimal, as DIGEST shows it. Clients compute the same
// themselves, so it must never change.
std::array<char, kDigestDigits> DigestOf(std::string_view value);

struct StringComparison {
  enum class Kind : uint8_t { kEqual, kNotEqual, kDigestEqual, kDigestNotEqual };
  enum class Result : uint8_t { kMet, kNotMet, kMalformed };

  // The kind that an option word names, in any case.
  static std::optional<Kind> KindNamed(std::string_view word);

  // kMalformed: a digest is asked for, and the operand cannot be one.
  Result Apply(std::string_view value) const;
  // What it means for a key that does not exist: nothing equals it. Redis does not look at the
  // operand then.
  Result ApplyToMissing() const;

  Kind kind;
  std::string_view operand;
};

}  // namespace larder
