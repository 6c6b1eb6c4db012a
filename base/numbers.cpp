#include "base/numbers.h"

#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>

namespace larder {
namespace {

// Redis refuses longer floats unseen; it also bounds the copy that strtold needs.
constexpr size_t kMaxFloatText = 5 * 1024 - 1;

constexpr auto kDigitPairs = [] {
  std::array<char, 200> pairs{};
  for (size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}();

constexpr auto kPowersOfTen = [] {
  std::array<uint64_t, 20> powers{};
  uint64_t power = 1;
  for (uint64_t& p : powers) {
    p = power;
    power *= 10;  // Wraps behind the last one, which nobody reads.
  }
  return powers;
}();

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// The digits of a canonical number: not empty, a zero only by itself.
std::optional<uint64_t> ParseDigits(std::string_view digits) {
  if (digits.empty() || digits.size() > kMaxIntegerText) return std::nullopt;
  if (digits[0] == '0') return digits.size() == 1 ? std::optional<uint64_t>(0) : std::nullopt;
  uint64_t value = 0;
  // 19 digits always fit; only a twentieth can overflow.
  const size_t safe = digits.size() < 20 ? digits.size() : 19;
  for (size_t i = 0; i < safe; ++i) {
    const unsigned digit = static_cast<unsigned char>(digits[i]) - unsigned{'0'};
    if (digit > 9) return std::nullopt;
    value = value * 10 + digit;
  }
  if (digits.size() < 20) return value;
  const unsigned digit = static_cast<unsigned char>(digits[19]) - unsigned{'0'};
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  if (digit > 9 || value > kMax / 10) return std::nullopt;
  value *= 10;
  if (value > kMax - digit) return std::nullopt;
  return value + digit;
}

// strtod or strtold over a terminated copy, with Redis's rules of what to refuse.
template <typename Float>
std::optional<Float> ParseWithLibc(std::string_view text, Float (*parse)(const char*, char**)) {
  if (text.empty() || text.size() > kMaxFloatText || IsSpace(text[0])) return std::nullopt;
  char copy[kMaxFloatText + 1];
  std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  char* end = nullptr;
  const int saved_errno = errno;
  errno = 0;
  const Float value = parse(copy, &end);
  const bool out_of_range = errno == ERANGE && (std::isinf(value) || value == 0);
  errno = saved_errno;
  if (end != copy + text.size() || out_of_range || std::isnan(value)) return std::nullopt;
  return value;
}

size_t FormatWithLibc(double value, char* out) {
  char text[kMaxDoubleText + 1];
  const int size = std::snprintf(text, sizeof(text), "%.17g", value);
  std::memcpy(out, text, static_cast<size_t>(size));
  return static_cast<size_t>(size);
}

size_t CopyTo(char* out, std::string_view text) {
  std::memcpy(out, text.data(), text.size());
  return text.size();
}

}  // namespace

std::optional<int64_t> ParseInt64(std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (text[0] != '-') {
    const auto value = ParseDigits(text);
    if (!value || *value > uint64_t{INT64_MAX}) return std::nullopt;
    return static_cast<int64_t>(*value);
  }
  const auto value = ParseDigits(text.substr(1));
  if (!value || *value == 0 || *value > uint64_t{INT64_MAX} + 1) return std::nullopt;
  return static_cast<int64_t>(0 - *value);
}

std::optional<uint64_t> ParseUint64(std::string_view text) { return ParseDigits(text); }

std::optional<double> ParseDouble(std::string_view text) {
  // from_chars is several times faster and agrees with strtod on what it takes entirely; the rest
  // (plus sign, hexadecimal, out of range) is left to strtod.
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && std::isfinite(value)) {
    return value;
  }
  return ParseWithLibc<double>(text, &std::strtod);
}

std::optional<long double> ParseLongDouble(std::string_view text) {
  return ParseWithLibc<long double>(text, &std::strtold);
}

size_t Uint64TextSize(uint64_t value) {
  // log10 from log2 (1233 / 4096 is a little less than log10(2)), then corrected by one compare.
  const size_t guess = static_cast<size_t>(std::bit_width(value | 1)) * 1233 >> 12;
  return guess + (value >= kPowersOfTen[guess] || value == 0);
}

size_t Int64TextSize(int64_t value) {
  if (value >= 0) return Uint64TextSize(static_cast<uint64_t>(value));
  return 1 + Uint64TextSize(0 - static_cast<uint64_t>(value));
}

size_t FormatUint64(uint64_t value, char* out) {
  const size_t size = Uint64TextSize(value);
  char* end = out + size;
  while (value >= 100) {
    end -= 2;
    std::memcpy(end, &kDigitPairs[value % 100 * 2], 2);
    value /= 100;
  }
  if (value >= 10) {
    std::memcpy(out, &kDigitPairs[value * 2], 2);
  } else {
    *out = static_cast<char>('0' + value);
  }
  return size;
}

size_t FormatInt64(int64_t value, char* out) {
  if (value >= 0) return FormatUint64(static_cast<uint64_t>(value), out);
  *out = '-';
  return 1 + FormatUint64(0 - static_cast<uint64_t>(value), out + 1);
}

size_t FormatDouble(double value, char* out) {
  // Integers, the usual scores and counters, need no printf. 2^53 bounds what is exact, and it has
  // 16 digits: "%.17g" prints it without an exponent. Negative zero keeps its sign.
  constexpr double kExact = 9007199254740992.0;
  if (std::fabs(value) <= kExact && std::trunc(value) == value &&
      (value != 0 || !std::signbit(value))) {
    return FormatInt64(static_cast<int64_t>(value), out);
  }
  if (std::isnan(value)) return CopyTo(out, "nan");
  if (std::isinf(value)) return CopyTo(out, value > 0 ? "inf" : "-inf");
  return FormatWithLibc(value, out);
}

std::string FormatDouble(double value) {
  char text[kMaxDoubleText];
  return {text, FormatDouble(value, text)};
}

std::string FormatLongDouble(long double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char text[kMaxFloatText + 1];
  size_t size = static_cast<size_t>(std::snprintf(text, sizeof(text), "%.17Lf", value));
  while (text[size - 1] == '0') --size;  // Stops at the point at the latest: 17 digits follow it.
  if (text[size - 1] == '.') --size;
  if (size == 2 && text[0] == '-' && text[1] == '0') return "0";
  return {text, size};
}

}  // namespace larder
