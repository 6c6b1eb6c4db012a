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
#include <cstring>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "storage/size_class.h"

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

  // Empty.
  static Listpack Create();
  // Copies bytes that Validate has found good, or that a listpack has.
  static Listpack CopyOf(std::string_view bytes);
  explicit Listpack(void* bytes) : bytes_(static_cast<uint8_t*>(bytes)) {}
  void Free();

  void* data() const { return bytes_; }
  // The whole serialized form.
  std::string_view bytes() const { return {reinterpret_cast<const char*>(bytes_), total_bytes()}; }
  size_t total_bytes() const {
    uint32_t total;
    std::memcpy(&total, bytes_, sizeof(total));
    return total;
  }
  // What it occupies: always the allocator's class for its size and no more, so that this needs no
  // question to the allocator.
  size_t allocated_bytes() const { return SizeClass(total_bytes()); }
  // Number of elements. Constant below 65535, else counts.
  size_t size() const {
    const size_t stored = StoredSize();
    return stored != kUnknownSize ? stored : CountElements();
  }
  bool empty() const { return bytes_[kHeaderBytes] == kEnd; }
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
  void Prepend(const ListpackValue& value);
  // Return where the new element stands.
  Position InsertBefore(Position position, std::string_view value);
  Position InsertBefore(Position position, const ListpackValue& value);
  Position InsertAfter(Position position, std::string_view value);
  // Returns where the element stands now.
  Position Replace(Position position, std::string_view value);
  Position Replace(Position position, int64_t value);
  Position Replace(Position position, const ListpackValue& value);
  // Removes `count` elements from `position` on; returns where the one behind them stands now.
  Position Erase(Position position, size_t count = 1);
  // Removes all from `position` on and returns them as a listpack of their own.
  Listpack Split(Position position);
  // Appends all elements of `other`.
  void AppendAll(const Listpack& other);

  // ---- At the head, without moving the rest: for whoever keeps a listpack inside a larger block
  // of his own and knows that there is room in front of it.
  // The listpack then begins so many bytes earlier; 0 if there is not enough room, and nothing has
  // changed.
  size_t PrependInFront(std::string_view value, size_t room);
  // The listpack then begins so many bytes later. REQUIRES: not empty.
  size_t EraseFirstInFront();

  // Whether `bytes` are a listpack that nothing in this file stumbles over, each element included.
  // `visit`, if given, sees each element and may refuse it.
  static bool Validate(std::string_view bytes, absl::FunctionRef<bool(const ListpackValue&)> visit);
  static bool Validate(std::string_view bytes) {
    return Validate(bytes, [](const ListpackValue&) { return true; });
  }

  friend bool operator==(const Listpack&, const Listpack&) = default;

 private:
  static constexpr size_t kHeaderBytes = 6;
  static constexpr size_t kUnknownSize = 0xffff;
  static constexpr uint8_t kEnd = 0xff;

  size_t StoredSize() const {
    uint16_t stored;
    std::memcpy(&stored, bytes_ + 4, sizeof(stored));
    return stored;
  }
  void SetHeader(size_t total_bytes, size_t stored_size);
  size_t CountElements() const;
  // After so many elements more, or fewer.
  void AddToStoredSize(int64_t change);
  // Where the terminator stands.
  Position End() const { return static_cast<Position>(total_bytes() - 1); }
  // `offset`, unless the terminator stands there.
  Position OrNone(Position offset) const { return bytes_[offset] == kEnd ? kNone : offset; }
  // Where the element behind this one, or the terminator, begins.
  Position Skip(Position position) const;
  // Makes `old_bytes` at `offset` `new_bytes` long, moving what follows.
  void Resize(Position offset, size_t old_bytes, size_t new_bytes);
  template <typename Value>
  void Put(Position offset, size_t old_bytes, const Value& value);

  uint8_t* bytes_;
};

}  // namespace larder
