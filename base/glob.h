// Redis's glob patterns, as KEYS, SCAN, PSUBSCRIBE and CONFIG GET take them.
//
//   *  any bytes     ?  one byte     [abc] [a-z] [^a]  one byte of a class     \x  x itself
//
// Concurrency: every function is safe from any thread.
#pragma once

#include <string_view>

namespace larder {

enum class GlobCase { kSensitive, kIgnore };  // Ignoring: of ASCII letters.

// Whether `pattern` matches all of `text`. Takes at most pattern.size() * text.size() steps,
// whatever the pattern: a client must not be able to stop the server with a*a*a*a*b.
bool GlobMatch(std::string_view pattern, std::string_view text,
               GlobCase glob_case = GlobCase::kSensitive);

// Whether `pattern` matches only texts that equal it: no character of it is special.
bool GlobIsLiteral(std::string_view pattern);

}  // namespace larder
