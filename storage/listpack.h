// A listpack: a list of strings and integers in one run of bytes, Redis's serialized compact form
// byte for byte (https://github.com/antirez/listpack/blob/master/listpack.md), so that DUMP,
// RESTORE and RDB copy it as it is.
//
//   total bytes (4, little endian), number of elements (2; 65535: unknown, count them), elements,
//   0xff
//   an element: encoding and payload, then its own length in 1-5 bytes readable from the back
//
// A string that is the canonical text of an int64_t is held as an integer.
//
// Listpack is a handle, as small as a pointer, that does not own: Free ends the bytes. A change may
// move them, which the handle follows; copies of it and every Position and view are void then.
//
// Concurrency: shard-guarded, as the value that it is part of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"

namespace larder {

// An element, or a value that is to become one. `text` is meaningful unless is_integer.
struct ListpackValue {
  std::string_view text;
  int64_t integer = 0;
  bool is_integer = false;

  // The text, of an integer made in `buffer` (of kMaxIntegerText bytes).
  std::string_view View(char* buffer) const;
  std::string Text() const;
  size_t TextSize() const;
};

class Listpack {
 public:
  // Where an element stands; kNone is behind the last and before the first. Void after a change.
  using Position = uint32_t;
  static constexpr Position kNone = 0;

  // The most that all the elements may take together, as in Redis.
  static constexpr size_t kMaxBytes = size_t{1} << 30;

  // Empty, with room for so many bytes of elements.
  static Listpack Create(size_t reserve = 0);
  // Copies bytes that Validate has found good, or that a listpack has.
  static Listpack CopyOf(std::string_view bytes);
  explicit Listpack(void* bytes) : bytes_(static_cast<uint8_t*>(bytes)) {}
  void Free();

  void* data() const { return bytes_; }
  // The whole serialized form.
  std::string_view bytes() const;
  size_t total_bytes() const;
  size_t allocated_bytes() const;
  // Number of elements. Constant below 65535, else counts.
  size_t size() const;
  bool empty() const;
  // Whether `more` bytes of elements still fit below kMaxBytes.
  bool MayGrowBy(size_t more) const { return total_bytes() + more < kMaxBytes; }

  // ---- Walking.
  Position First() const;
  Position Last() const;
  Position Next(Position position) const;
  Position Previous(Position position) const;
  // The index-th element, negative from the back (-1 is the last); kNone if there is no such one.
  Position Seek(int64_t index) const;
  ListpackValue At(Position position) const;
  bool Equals(Position position, std::string_view text) const;
  // The first element from `from` on that equals `text`, looking at one in 1 + `skip` of them.
  Position Find(Position from, std::string_view text, unsigned skip = 0) const;

  // ---- Changing. Each finds the shortest encoding for `value`.
  void Append(std::string_view value);
  void Append(int64_t value);
  void Append(const ListpackValue& value);
  void Prepend(std::string_view value);
  // Return where the new element stands.
  Position InsertBefore(Position position, std::string_view value);
  Position InsertAfter(Position position, std::string_view value);
  // Returns where the element stands now.
  Position Replace(Position position, std::string_view value);
  Position Replace(Position position, int64_t value);
  // Removes `count` elements from `position` on; returns where the one behind them stands now.
  Position Erase(Position position, size_t count = 1);
  // Appends all elements of `other`.
  void AppendAll(const Listpack& other);
  // Gives back what growth has allocated ahead.
  void ShrinkToFit();

  // Whether `bytes` are a listpack that nothing in this file stumbles over, each element included.
  // `visit`, if given, sees each element and may refuse it.
  static bool Validate(std::string_view bytes, absl::FunctionRef<bool(const ListpackValue&)> visit);
  static bool Validate(std::string_view bytes) {
    return Validate(bytes, [](const ListpackValue&) { return true; });
  }

  friend bool operator==(const Listpack&, const Listpack&) = default;

 private:
  uint8_t* bytes_;
};

}  // namespace larder
