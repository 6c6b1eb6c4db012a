// A listpack may come from a client (RESTORE) or a file: whatever passes Validate must be walked,
// searched, changed and split without harm, and be a listpack still.
//
// The first byte seeds what is done to it; the rest are its bytes, which are tried as they are and
// with the length and number of elements in the header made right.
#include "storage/listpack.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/random.h"

namespace larder {
namespace {

std::vector<std::string> Forwards(const Listpack& listpack) {
  std::vector<std::string> texts;
  for (auto at = listpack.First(); at != Listpack::kNone; at = listpack.Next(at)) {
    texts.push_back(listpack.At(at).Text());
    LARDER_CHECK(listpack.At(at).TextSize() == texts.back().size());
  }
  return texts;
}

void CheckBackwardsIsTheReverse(const Listpack& listpack) {
  const std::vector<std::string> texts = Forwards(listpack);
  LARDER_CHECK(texts.size() == listpack.size());
  size_t left = texts.size();
  for (auto at = listpack.Last(); at != Listpack::kNone; at = listpack.Previous(at)) {
    LARDER_CHECK(left > 0 && listpack.At(at).Text() == texts[--left]);
  }
  LARDER_CHECK(left == 0);
}

void CheckSearch(const Listpack& listpack) {
  for (auto at = listpack.First(); at != Listpack::kNone; at = listpack.Next(at)) {
    const std::string text = listpack.At(at).Text();
    LARDER_CHECK(listpack.Equals(at, text));
    const auto found = listpack.Find(listpack.First(), text);
    LARDER_CHECK(found != Listpack::kNone && found <= at && listpack.Equals(found, text));
  }
}

void ChangeAtRandom(Listpack& listpack, Random& random) {
  const std::string text = random.Uniform(2) == 0
                               ? std::to_string(static_cast<int32_t>(random.Next()))
                               : std::string(random.Uniform(200), 'x');
  const size_t size = listpack.size();
  if (size == 0) return listpack.Append(text);
  const auto at = listpack.Seek(static_cast<int64_t>(random.Uniform(size)));
  switch (random.Uniform(6)) {
    case 0:
      return listpack.Append(text);
    case 1:
      return listpack.Prepend(text);
    case 2:
      listpack.InsertAfter(at, text);
      return;
    case 3:
      listpack.Replace(at, text);
      return;
    case 4:
      listpack.Erase(at, random.Uniform(3));
      return;
    default: {
      Listpack tail = listpack.Split(at);
      LARDER_CHECK(Listpack::Validate(tail.bytes()));
      listpack.AppendAll(tail);
      tail.Free();
      return;
    }
  }
}

// In a larger block, with room in front: what is put there and taken away leaves it as it was.
void CheckTheHeadInPlace(const Listpack& listpack, Random& random) {
  const std::string_view bytes = listpack.bytes();
  const std::string text(random.Uniform(100), 'y');
  const size_t room = random.Uniform(120);
  std::string block(room, '#');
  block += bytes;
  Listpack inside(block.data() + room);
  const size_t added = inside.PrependInFront(text, room);
  LARDER_CHECK(Listpack::Validate(inside.bytes()));
  LARDER_CHECK(added <= room && inside.size() == listpack.size() + (added > 0 ? 1 : 0));
  if (added > 0) LARDER_CHECK(inside.EraseFirstInFront() == added);
  LARDER_CHECK(inside.bytes().substr(6) == bytes.substr(6));
}

void CheckListpack(std::string_view bytes, uint8_t seed) {
  if (!Listpack::Validate(bytes)) return;
  Listpack listpack = Listpack::CopyOf(bytes);
  LARDER_CHECK(listpack.bytes() == bytes);
  CheckBackwardsIsTheReverse(listpack);
  CheckSearch(listpack);
  Random random(seed);
  for (int i = 0; i < 16; ++i) ChangeAtRandom(listpack, random);
  LARDER_CHECK(Listpack::Validate(listpack.bytes()));
  CheckBackwardsIsTheReverse(listpack);
  CheckTheHeadInPlace(listpack, random);
  listpack.Free();
}

// A fuzzer rarely hits upon a header that fits.
void CheckWithRightHeader(std::string_view bytes, uint8_t seed) {
  if (bytes.size() < 7) return;
  std::string repaired(bytes);
  const auto total = static_cast<uint32_t>(repaired.size());
  std::memcpy(repaired.data(), &total, sizeof(total));
  repaired[4] = repaired[5] = '\xff';  // Number unknown.
  repaired.back() = '\xff';
  CheckListpack(repaired, seed);
}

}  // namespace
}  // namespace larder

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  larder::CheckListpack(bytes, data[0]);
  larder::CheckWithRightHeader(bytes, data[0]);
  return 0;
}
