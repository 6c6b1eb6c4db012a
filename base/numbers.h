// Numbers from text and back, by Redis's rules: what counts as an integer or a float in a command,
// and how one is printed, is visible to clients down to the byte.
//
// Concurrency: every function is safe from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace larder {

// The longest text of an int64_t ("-9223372036854775808") or uint64_t.
inline constexpr size_t kMaxIntegerText = 20;
// The longest text of a double ("-2.2250738585072014e-308").
inline constexpr size_t kMaxDoubleText = 24;

// Only the one canonical spelling of a number is one: no plus, space, leading zero or "-0", so that
// a string which is stored as an integer reads back byte for byte.
std::optional<int64_t> ParseInt64(std::string_view text);
std::optional<uint64_t> ParseUint64(std::string_view text);

// Whatever strtod takes and nothing around it: no spaces, no nan, no result that over- or
// underflowed. "inf", hexadecimal and exponents are numbers.
std::optional<double> ParseDouble(std::string_view text);
std::optional<long double> ParseLongDouble(std::string_view text);

// Write the decimal text to `out` and return its length. REQUIRES: room for kMaxIntegerText.
size_t FormatInt64(int64_t value, char* out);
size_t FormatUint64(uint64_t value, char* out);

// How many bytes FormatInt64 and FormatUint64 write.
size_t Int64TextSize(int64_t value);
size_t Uint64TextSize(uint64_t value);

// A double in a reply, as Redis 7.0 prints it: 17 significant digits (3.1 is 3.1000000000000001),
// "inf", "-inf", "nan". REQUIRES: room for kMaxDoubleText.
size_t FormatDouble(double value, char* out);
std::string FormatDouble(double value);

// The result of INCRBYFLOAT and HINCRBYFLOAT: never an exponent, up to 17 digits behind the point
// without trailing zeros. Up to 5 KB long for the largest values.
std::string FormatLongDouble(long double value);

}  // namespace larder
