// The grammar of larder.conf below its directives: words, quotes and amounts of memory.
//
// Concurrency: every function is safe from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace larder {

// Without blanks and carriage returns at both ends.
std::string_view TrimConfigLine(std::string_view line);

// Whether a trimmed line says nothing.
bool IsCommentOrBlank(std::string_view trimmed_line);

// The words of a line, unquoted as protocol/inline_command.h describes; nothing if quotes do not
// balance.
std::optional<std::vector<std::string>> SplitConfigLine(std::string_view line);

// The words of a value that came as one, as CONFIG SET gives it: divided by single blanks, so that
// two in a row give an empty word, which no list accepts.
std::vector<std::string> SplitConfigWords(std::string_view value);

// In double quotes, with everything escaped that SplitConfigLine would not give back.
std::string QuoteConfigValue(std::string_view value);

// 5, 5k (5000), 5kb (5120), m, mb, g, gb in any case; empty is zero, as for Redis. Nothing for
// anything else and for what int64_t cannot hold.
std::optional<int64_t> ParseMemory(std::string_view text);

// In the largest unit that leaves no fraction: 1572864 is 1536kb.
std::string FormatMemory(int64_t bytes);

}  // namespace larder
