// LZF, the compression that Redis uses in its serialized values and for the inner nodes of long
// lists.
//
// Concurrency: every function is safe from any thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace larder {

// Writes the compressed form of `bytes` to `out` and returns its length; 0 if it would be longer
// than `room`.
size_t LzfCompress(std::string_view bytes, char* out, size_t room);

// Writes what `compressed` stands for to `out`. False if that is not exactly `size` bytes: then
// `compressed` is corrupt, and what stands in `out` is of no use.
bool LzfDecompress(std::string_view compressed, char* out, size_t size);

}  // namespace larder
