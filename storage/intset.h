// A sorted array of integers, Redis's intset byte for byte, so that DUMP, RESTORE and RDB copy it
// as it is:
//
//   width of an integer in bytes: 2, 4 or 8 (4 bytes, little endian), number of integers (4 bytes),
//   the integers in ascending order, little endian, all of that width
//
// An integer that does not fit widens all of them; they never become narrower again.
//
// Intset is a handle, as small as a pointer, that does not own: Free ends the bytes. A change may
// move them, which the handle follows; copies of it are void then.
//
// Concurrency: shard-guarded, as the value that it is part of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "storage/size_class.h"

namespace larder {

class Intset {
 public:
  // What the bytes can count; as in Redis, whatever the configuration says.
  static constexpr size_t kMaxSize = size_t{1} << 30;

  static Intset Create();
  // Copies bytes that Validate has found good, or that an intset has.
  static Intset CopyOf(std::string_view bytes);
  explicit Intset(void* bytes) : bytes_(static_cast<uint8_t*>(bytes)) {}
  void Free();

  void* data() const { return bytes_; }
  // The whole serialized form.
  std::string_view bytes() const {
    return {reinterpret_cast<const char*>(bytes_), BytesFor(width(), size())};
  }
  // What it occupies: always the allocator's class for its size and no more.
  size_t allocated_bytes() const { return SizeClass(BytesFor(width(), size())); }
  size_t size() const { return Header(4); }
  bool empty() const { return size() == 0; }

  // The index-th smallest. REQUIRES: index < size().
  int64_t At(size_t index) const;
  bool Contains(int64_t value) const;

  // ---- Changing. False if it was, or was not, there already. REQUIRES: size() < kMaxSize.
  bool Add(int64_t value);
  bool Remove(int64_t value);
  // Keeps those for which `keep` answers true; asks in ascending order.
  void Filter(absl::FunctionRef<bool(int64_t)> keep);

  // Whether `bytes` are an intset that has something in it, each integer looked at.
  static bool Validate(std::string_view bytes);

 private:
  static constexpr size_t kHeaderBytes = 8;
  static constexpr size_t BytesFor(uint32_t width, size_t size) {
    return kHeaderBytes + width * size;
  }

  uint32_t Header(size_t offset) const {
    uint32_t value;
    std::memcpy(&value, bytes_ + offset, sizeof(value));
    return value;
  }
  void SetHeader(size_t offset, size_t value) {
    const auto stored = static_cast<uint32_t>(value);
    std::memcpy(bytes_ + offset, &stored, sizeof(stored));
  }
  uint32_t width() const { return Header(0); }
  uint8_t* At(uint32_t width, size_t index) const { return bytes_ + BytesFor(width, index); }

  // The number of integers below `value`.
  size_t Rank(int64_t value) const;
  void Set(size_t index, int64_t value);
  // Moves to the allocation that so many integers of the present width need.
  void Resize(size_t old_size, size_t new_size);
  void Widen(uint32_t width, int64_t added);

  uint8_t* bytes_;
};

}  // namespace larder
