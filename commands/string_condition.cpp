#include "commands/string_condition.h"

#define XXH_INLINE_ALL
#include "base/text.h"
#include <xxhash.h>

namespace larder {

std::array<char, kDigestDigits> DigestOf(std::string_view value) {
  constexpr char kDigits[] = "0123456789abcdef";
  XXH64_hash_t hash = XXH3_64bits(value.data(), value.size());
  std::array<char, kDigestDigits> text;
  for (size_t i = kDigestDigits; i-- > 0; hash >>= 4) text[i] = kDigits[hash & 15];
  return text;
}

std::optional<StringComparison::Kind> StringComparison::KindNamed(std::string_view word) {
  if (!StartsWithIgnoreCase(word, "IF")) return std::nullopt;
  word.remove_prefix(2);
  if (EqualsIgnoreCase(word, "EQ")) return Kind::kEqual;
  if (EqualsIgnoreCase(word, "NE")) return Kind::kNotEqual;
  if (EqualsIgnoreCase(word, "DEQ")) return Kind::kDigestEqual;
  if (EqualsIgnoreCase(word, "DNE")) return Kind::kDigestNotEqual;
  return std::nullopt;
}

StringComparison::Result StringComparison::Apply(std::string_view value) const {
  bool equal;
  if (kind == Kind::kEqual || kind == Kind::kNotEqual) {
    equal = value == operand;
  } else {
    if (operand.size() != kDigestDigits) return Result::kMalformed;
    const std::array<char, kDigestDigits> digest = DigestOf(value);
    equal = EqualsIgnoreCase({digest.data(), digest.size()}, operand);
  }
  const bool wants_equal = kind == Kind::kEqual || kind == Kind::kDigestEqual;
  return equal == wants_equal ? Result::kMet : Result::kNotMet;
}

StringComparison::Result StringComparison::ApplyToMissing() const {
  const bool wants_equal = kind == Kind::kEqual || kind == Kind::kDigestEqual;
  return wants_equal ? Result::kNotMet : Result::kMet;
}

}  // namespace larder
