#include "storage/lzf.h"

#include <limits>

extern "C" {
#include <lzf.h>
}

namespace larder {
namespace {

bool FitsTheLibrary(size_t size) { return size <= std::numeric_limits<unsigned>::max(); }

}  // namespace

size_t LzfCompress(std::string_view bytes, char* out, size_t room) {
  if (bytes.empty() || room == 0 || !FitsTheLibrary(bytes.size()) || !FitsTheLibrary(room)) {
    return 0;
  }
  return lzf_compress(bytes.data(), static_cast<unsigned>(bytes.size()), out,
                      static_cast<unsigned>(room));
}

bool LzfDecompress(std::string_view compressed, char* out, size_t size) {
  if (compressed.empty() || size == 0 || !FitsTheLibrary(compressed.size()) ||
      !FitsTheLibrary(size)) {
    return false;
  }
  return lzf_decompress(compressed.data(), static_cast<unsigned>(compressed.size()), out,
                        static_cast<unsigned>(size)) == size;
}

}  // namespace larder
