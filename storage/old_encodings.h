// Compact encodings that Redis gave up and that only old files and payloads still have: ziplists
// (before Redis 7) and zipmaps (before 2.6). They are read, never written.
//
// Concurrency: safe from any thread.
#pragma once

#include <string_view>

#include "absl/functional/function_ref.h"
#include "storage/listpack.h"

namespace larder {

// Visits each element; false if the bytes are not a whole ziplist without fault, or the visitor
// refused one. Elements before the fault have been visited by then.
bool ReadZiplist(std::string_view bytes, absl::FunctionRef<bool(const ListpackValue&)> visit);

// The same for the keys and values of a zipmap.
bool ReadZipmap(std::string_view bytes,
                absl::FunctionRef<bool(std::string_view key, std::string_view value)> visit);

}  // namespace larder
