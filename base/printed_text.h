#pragma once

#include <string_view>

#include "absl/strings/string_view.h"
#include "base/text.h"

namespace larder {

// As much of `text` as %s prints, which ends at a NUL. Redis quotes clients in its errors like
// that.
inline absl::string_view AsPrinted(std::string_view text) {
  return AsAbsl(text.substr(0, text.find('\0')));
}

}  // namespace larder
