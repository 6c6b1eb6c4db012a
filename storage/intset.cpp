#include "storage/intset.h"

#include <bit>
#include <limits>

#include "base/allocator.h"
#include "base/check.h"

namespace larder {
namespace {

static_assert(std::endian::native == std::endian::little);

template <typename T>
T Load(const uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

template <typename T>
constexpr bool Fits(int64_t value) {
  return value >= std::numeric_limits<T>::min() && value <= std::numeric_limits<T>::max();
}

constexpr uint32_t WidthOf(int64_t value) {
  return Fits<int16_t>(value) ? 2 : Fits<int32_t>(value) ? 4 : 8;
}

int64_t LoadWide(const uint8_t* at, uint32_t width) {
  switch (width) {
    case 2:
      return Load<int16_t>(at);
    case 4:
      return Load<int32_t>(at);
    default:
      return Load<int64_t>(at);
  }
}

void StoreWide(uint8_t* at, uint32_t width, int64_t value) {
  std::memcpy(at, &value, width);  // The low bytes come first.
}

// A binary search without a branch to guess: the comparison only chooses the half.
template <typename T>
size_t RankOf(const uint8_t* values, size_t size, T value) {
  size_t below = 0;
  while (size > 0) {
    const size_t half = (size + 1) / 2;
    below += Load<T>(values + (below + half - 1) * sizeof(T)) < value ? half : 0;
    size -= half;
  }
  return below;
}

}  // namespace

Intset Intset::Create() {
  Intset set(Allocate(SizeClass(kHeaderBytes)));
  set.SetHeader(0, 2);
  set.SetHeader(4, 0);
  return set;
}

Intset Intset::CopyOf(std::string_view bytes) {
  Intset set(Allocate(SizeClass(bytes.size())));
  std::memcpy(set.bytes_, bytes.data(), bytes.size());
  return set;
}

void Intset::Free() { Deallocate(bytes_, allocated_bytes()); }

int64_t Intset::At(size_t index) const {
  LARDER_DCHECK(index < size());
  return LoadWide(At(width(), index), width());
}

void Intset::Set(size_t index, int64_t value) { StoreWide(At(width(), index), width(), value); }

size_t Intset::Rank(int64_t value) const {
  const uint8_t* values = bytes_ + kHeaderBytes;
  const size_t size = this->size();
  if (WidthOf(value) > width()) return value < 0 ? 0 : size;
  switch (width()) {
    case 2:
      return RankOf(values, size, static_cast<int16_t>(value));
    case 4:
      return RankOf(values, size, static_cast<int32_t>(value));
    default:
      return RankOf(values, size, value);
  }
}

bool Intset::Contains(int64_t value) const {
  const size_t rank = Rank(value);
  return rank < size() && At(rank) == value;
}

bool Intset::Add(int64_t value) {
  const size_t size = this->size();
  LARDER_DCHECK(size < kMaxSize);
  const uint32_t needed = WidthOf(value);
  if (needed > width()) {
    Widen(needed, value);
    return true;
  }
  // Numbers often come in order.
  const size_t rank = size == 0 || At(size - 1) < value ? size : Rank(value);
  if (rank < size && At(rank) == value) return false;
  Resize(size, size + 1);
  uint8_t* const at = At(width(), rank);
  std::memmove(at + width(), at, (size - rank) * width());
  Set(rank, value);
  return true;
}

bool Intset::Remove(int64_t value) {
  const size_t size = this->size();
  const size_t rank = Rank(value);
  if (rank == size || At(rank) != value) return false;
  uint8_t* const at = At(width(), rank);
  std::memmove(at, at + width(), (size - rank - 1) * width());
  Resize(size, size - 1);
  return true;
}

void Intset::Filter(absl::FunctionRef<bool(int64_t)> keep) {
  const size_t size = this->size();
  size_t kept = 0;
  for (size_t i = 0; i < size; ++i) {
    const int64_t value = At(i);
    if (keep(value)) Set(kept++, value);
  }
  Resize(size, kept);
}

void Intset::Resize(size_t old_size, size_t new_size) {
  const size_t old_class = SizeClass(BytesFor(width(), old_size));
  const size_t new_class = SizeClass(BytesFor(width(), new_size));
  if (new_class != old_class) bytes_ = static_cast<uint8_t*>(Reallocate(bytes_, new_class));
  SetHeader(4, new_size);
}

void Intset::Widen(uint32_t width, int64_t added) {
  const size_t size = this->size();
  Intset wide(Allocate(SizeClass(BytesFor(width, size + 1))));
  wide.SetHeader(0, width);
  wide.SetHeader(4, size + 1);
  // What did not fit is below all the others or above them.
  const size_t first = added < 0 ? 1 : 0;
  for (size_t i = 0; i < size; ++i) wide.Set(i + first, At(i));
  wide.Set(first == 1 ? 0 : size, added);
  Free();
  *this = wide;
}

bool Intset::Validate(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes) return false;
  const auto* raw = reinterpret_cast<const uint8_t*>(bytes.data());
  const auto width = Load<uint32_t>(raw);
  const auto size = Load<uint32_t>(raw + 4);
  if (width != 2 && width != 4 && width != 8) return false;
  if (size == 0 || size > kMaxSize || BytesFor(width, size) != bytes.size()) return false;
  for (size_t i = 1; i < size; ++i) {
    const uint8_t* const at = raw + BytesFor(width, i);
    if (LoadWide(at - width, width) >= LoadWide(at, width)) return false;
  }
  return true;
}

}  // namespace larder
