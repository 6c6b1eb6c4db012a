// Bytes that Intset::Validate takes must be an intset in every respect, and stay one while it is
// edited.
//
// The first byte says how many edits of nine bytes follow (what to do and with which integer); the
// rest is the intset.

#include "storage/intset.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <set>
#include <string_view>

#include "base/check.h"

namespace larder {
namespace {

constexpr size_t kEditBytes = 9;

std::set<int64_t> ValuesOf(const Intset& set) {
  std::set<int64_t> values;
  for (size_t i = 0; i < set.size(); ++i) {
    LARDER_CHECK(i == 0 || set.At(i - 1) < set.At(i));
    LARDER_CHECK(set.Contains(set.At(i)));
    values.insert(set.At(i));
  }
  return values;
}

void Edit(Intset& set, std::set<int64_t>& model, const uint8_t* edit) {
  int64_t value;
  std::memcpy(&value, edit + 1, sizeof(value));
  LARDER_CHECK(set.Contains(value) == model.contains(value));
  switch (edit[0] % 3) {
    case 0:
      LARDER_CHECK(set.Add(value) == model.insert(value).second);
      break;
    case 1:
      LARDER_CHECK(set.Remove(value) == (model.erase(value) == 1));
      break;
    default:
      set.Filter([&](int64_t kept) { return kept <= value; });
      model.erase(model.upper_bound(value), model.end());
      break;
  }
}

void Run(const uint8_t* data, size_t size) {
  if (size == 0) return;
  const size_t edits = std::min<size_t>(data[0], (size - 1) / kEditBytes);
  const uint8_t* const edit = data + 1;
  const size_t used = 1 + edits * kEditBytes;
  const std::string_view bytes(reinterpret_cast<const char*>(data + used), size - used);
  if (!Intset::Validate(bytes)) return;

  Intset set = Intset::CopyOf(bytes);
  LARDER_CHECK(set.bytes() == bytes);
  std::set<int64_t> model = ValuesOf(set);
  LARDER_CHECK(model.size() == set.size());
  for (size_t i = 0; i < edits; ++i) Edit(set, model, edit + i * kEditBytes);
  LARDER_CHECK(ValuesOf(set) == model);
  LARDER_CHECK(set.empty() || Intset::Validate(set.bytes()));
  set.Free();
}

}  // namespace
}  // namespace larder

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  larder::Run(data, size);
  return 0;
}
