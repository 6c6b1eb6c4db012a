#include "storage/hyperloglog.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace larder::hyperloglog {
namespace {

constexpr size_t kEncodingAt = 4;
constexpr size_t kCardinalityAt = 8;
constexpr uint8_t kOutOfDate = 0x80;  // In the last byte of the cardinality.

constexpr unsigned kIndexBits = 14;
constexpr unsigned kRankBits = 64 - kIndexBits;
constexpr uint8_t kMaxRegister = 63;
constexpr uint64_t kHashSeed = 0xadc83b19;

uint8_t ByteAt(std::string_view bytes, size_t index) { return static_cast<uint8_t>(bytes[index]); }

// MurmurHash64A by Austin Appleby (public domain): registers of different servers can be merged
// only if all use this hash.
uint64_t MurmurHash64A(std::string_view text, uint64_t seed) {
  constexpr uint64_t kFactor = 0xc6a4a7935bd1e995;
  constexpr int kShift = 47;
  // Redis's length is an int, which matters to none but elements of 2 GiB.
  uint64_t hash = seed ^ (static_cast<uint64_t>(static_cast<int>(text.size())) * kFactor);
  const char* bytes = text.data();
  size_t left = text.size();
  for (; left >= 8; left -= 8, bytes += 8) {
    uint64_t word;
    std::memcpy(&word, bytes, 8);
    word *= kFactor;
    word ^= word >> kShift;
    word *= kFactor;
    hash ^= word;
    hash *= kFactor;
  }
  if (left != 0) {
    uint64_t word = 0;
    std::memcpy(&word, bytes, left);
    hash ^= word;
    hash *= kFactor;
  }
  hash ^= hash >> kShift;
  hash *= kFactor;
  return hash ^ (hash >> kShift);
}

// ---- Dense

// Register `index` lies in the two bytes from here on; of the last one, all six bits are in the
// first byte and the second need not exist.
struct DensePlace {
  size_t byte;
  unsigned shift;
  bool straddles() const { return shift > 2; }
};

DensePlace PlaceOf(size_t index) {
  return {kHeaderBytes + index * 6 / 8, static_cast<unsigned>(index * 6 % 8)};
}

uint8_t DenseRegister(std::string_view bytes, size_t index) {
  const DensePlace place = PlaceOf(index);
  unsigned value = static_cast<unsigned>(ByteAt(bytes, place.byte)) >> place.shift;
  if (place.straddles()) {
    value |= static_cast<unsigned>(ByteAt(bytes, place.byte + 1)) << (8 - place.shift);
  }
  return static_cast<uint8_t>(value & kMaxRegister);
}

void SetDenseRegister(std::span<char> bytes, size_t index, uint8_t value) {
  const DensePlace place = PlaceOf(index);
  const auto write = [&](size_t byte, unsigned mask, unsigned bits) {
    const unsigned kept = static_cast<uint8_t>(bytes[byte]) & ~mask;
    bytes[byte] = static_cast<char>(static_cast<uint8_t>(kept | (bits & mask)));
  };
  write(place.byte, (unsigned{kMaxRegister} << place.shift) & 0xff, unsigned{value} << place.shift);
  if (!place.straddles()) return;
  const unsigned rest = 8 - place.shift;
  write(place.byte + 1, unsigned{kMaxRegister} >> rest, unsigned{value} >> rest);
}

// Calls visit(index, value) for all registers: four of them are three bytes.
template <typename Visit>
void ForEachDenseRegister(std::string_view bytes, Visit visit) {
  for (size_t index = 0, byte = kHeaderBytes; index < kRegisters; index += 4, byte += 3) {
    const uint32_t four = uint32_t{ByteAt(bytes, byte)} | uint32_t{ByteAt(bytes, byte + 1)} << 8 |
                          uint32_t{ByteAt(bytes, byte + 2)} << 16;
    for (unsigned i = 0; i < 4; ++i) {
      visit(index + i, static_cast<uint8_t>((four >> (6 * i)) & kMaxRegister));
    }
  }
}

// ---- Sparse

constexpr size_t kMaxShortZeros = 64;
constexpr uint8_t kMaxRunValue = 32;
constexpr size_t kMaxRunLength = 4;

struct Run {
  uint8_t value;    // 0 .. 32
  uint8_t bytes;    // 1 or 2
  uint16_t length;  // 1 .. 16384
};

// What stands at `position`. A run whose second byte is missing counts as if that were zero, which
// is what Redis reads behind the end of a string.
Run RunAt(std::string_view bytes, size_t position) {
  const uint8_t first = ByteAt(bytes, position);
  if ((first & 0x80) != 0) {
    return {static_cast<uint8_t>(((first >> 2) & 0x1f) + 1), 1,
            static_cast<uint16_t>((first & 3) + 1)};
  }
  if ((first & 0x40) == 0) return {0, 1, static_cast<uint16_t>(first + 1)};
  const unsigned low = position + 1 < bytes.size() ? ByteAt(bytes, position + 1) : 0;
  return {0, 2, static_cast<uint16_t>(((unsigned{first} & 0x3f) << 8 | low) + 1)};
}

// Calls visit(first index, run) for each. False if the runs are not exactly kRegisters long.
template <typename Visit>
bool ForEachRun(std::string_view bytes, Visit visit) {
  size_t index = 0;
  for (size_t position = kHeaderBytes; position < bytes.size();) {
    const Run run = RunAt(bytes, position);
    if (index + run.length > kRegisters) return false;
    visit(index, run);
    index += run.length;
    position += run.bytes;
  }
  return index == kRegisters;
}

// The run in which a register lies.
struct RunPlace {
  size_t previous = 0;  // Where the run before it stands; 0 if it is the first.
  size_t position = 0;  // Where it stands; 0: no run covers the register, the form is corrupt.
  size_t first = 0;     // The first register in it.
  Run run{};
};

RunPlace FindRun(std::string_view bytes, size_t index) {
  RunPlace place;
  size_t first = 0;
  for (size_t position = kHeaderBytes; position < bytes.size();) {
    const Run run = RunAt(bytes, position);
    if (index < first + run.length) {
      place.position = position;
      place.first = first;
      place.run = run;
      return place;
    }
    place.previous = position;
    first += run.length;
    position += run.bytes;
  }
  return place;
}

char ValueRun(uint8_t value, size_t length) {
  return static_cast<char>(0x80 | ((value - 1) << 2) | static_cast<int>(length - 1));
}

// Up to five bytes that take the place of one run.
class RunWriter {
 public:
  void Value(uint8_t value, size_t length) {
    if (length != 0) bytes_[size_++] = ValueRun(value, length);
  }
  void Zeros(size_t length) {
    if (length == 0) return;
    if (length <= kMaxShortZeros) {
      bytes_[size_++] = static_cast<char>(length - 1);
      return;
    }
    bytes_[size_++] = static_cast<char>(0x40 | ((length - 1) >> 8));
    bytes_[size_++] = static_cast<char>((length - 1) & 0xff);
  }
  std::string_view view() const { return {bytes_, size_}; }

 private:
  char bytes_[5];
  size_t size_ = 0;
};

// The run with its register `index` raised to `rank`.
RunWriter Split(const RunPlace& place, size_t index, uint8_t rank) {
  const size_t before = index - place.first;
  const size_t behind = place.run.length - before - 1;
  RunWriter writer;
  const auto rest = [&](size_t length) {
    place.run.value == 0 ? writer.Zeros(length) : writer.Value(place.run.value, length);
  };
  rest(before);
  writer.Value(rank, 1);
  rest(behind);
  return writer;
}

// Joins neighbours of one value. Like Redis it looks at five runs from `position` on: where all it
// could join was there before, the bytes would differ.
void JoinRuns(std::string& bytes, size_t position) {
  for (int looks = 5; looks > 0 && position < bytes.size(); --looks) {
    const Run run = RunAt(bytes, position);
    if (run.value != 0 && position + 1 < bytes.size()) {
      const Run next = RunAt(bytes, position + 1);
      const size_t joined = size_t{run.length} + next.length;
      if (next.value == run.value && joined <= kMaxRunLength) {
        bytes[position + 1] = ValueRun(run.value, joined);
        bytes.erase(position, 1);
        continue;
      }
    }
    position += run.bytes;
  }
}

Effect MakeDenseAndRaise(std::string& bytes, Observation observation) {
  return MakeDense(bytes) ? RaiseDense(bytes, observation) : Effect::kCorrupt;
}

Effect RaiseSparse(std::string& bytes, Observation observation, size_t sparse_max_bytes) {
  if (observation.rank > kMaxRunValue) return MakeDenseAndRaise(bytes, observation);
  const RunPlace place = FindRun(bytes, observation.index);
  if (place.position == 0) return Effect::kCorrupt;
  if (place.run.value >= observation.rank) return Effect::kNone;

  const RunWriter writer = Split(place, observation.index, observation.rank);
  const std::string_view runs = writer.view();
  if (runs.size() > place.run.bytes &&
      bytes.size() + runs.size() - place.run.bytes > sparse_max_bytes) {
    return MakeDenseAndRaise(bytes, observation);
  }
  // A run of zeros whose second byte is missing ends before it.
  const size_t replaced = std::min<size_t>(place.run.bytes, bytes.size() - place.position);
  bytes.replace(place.position, replaced, runs);
  JoinRuns(bytes, place.previous != 0 ? place.previous : kHeaderBytes);
  ForgetCachedCardinality(bytes);
  return Effect::kRaised;
}

// ---- The estimate

// How many registers have each value.
using Histogram = std::array<uint32_t, kMaxRegister + 1>;

double Sigma(double x) {
  if (x == 1.0) return HUGE_VAL;
  double previous;
  double y = 1;
  double z = x;
  do {
    x *= x;
    previous = z;
    z += x * y;
    y += y;
  } while (previous != z);
  return z;
}

double Tau(double x) {
  if (x == 0.0 || x == 1.0) return 0.0;
  double previous;
  double y = 1;
  double z = 1 - x;
  do {
    x = std::sqrt(x);
    previous = z;
    y *= 0.5;
    z -= (1 - x) * (1 - x) * y;
  } while (previous != z);
  return z / 3;
}

uint64_t Estimate(const Histogram& histogram) {
  constexpr double kAlpha = 0.721347520444481703680;  // 0.5 / ln 2
  constexpr double kCount = kRegisters;
  double z = kCount * Tau((kCount - histogram[kRankBits + 1]) / kCount);
  for (unsigned rank = kRankBits; rank >= 1; --rank) {
    z += histogram[rank];
    z *= 0.5;
  }
  z += kCount * Sigma(histogram[0] / kCount);
  return static_cast<uint64_t>(std::llround(kAlpha * kCount * kCount / z));
}

}  // namespace

bool HasForm(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes || !bytes.starts_with("HYLL")) return false;
  switch (ByteAt(bytes, kEncodingAt)) {
    case static_cast<uint8_t>(Encoding::kDense):
      return bytes.size() == kDenseBytes;
    case static_cast<uint8_t>(Encoding::kSparse):
      return true;
    default:
      return false;
  }
}

std::string Empty() {
  std::string bytes(kHeaderBytes + 2, '\0');
  std::memcpy(bytes.data(), "HYLL", 4);
  bytes[kEncodingAt] = static_cast<char>(Encoding::kSparse);
  RunWriter zeros;
  zeros.Zeros(kRegisters);
  std::memcpy(bytes.data() + kHeaderBytes, zeros.view().data(), 2);
  return bytes;
}

Observation Observe(std::string_view element) {
  const uint64_t hash = MurmurHash64A(element, kHashSeed);
  // The bit above the last one ends every run.
  const uint64_t rest = hash >> kIndexBits | uint64_t{1} << kRankBits;
  return {.index = static_cast<uint32_t>(hash & (kRegisters - 1)),
          .rank = static_cast<uint8_t>(std::countr_zero(rest) + 1)};
}

Effect Probe(std::string_view bytes, Observation observation) {
  uint8_t value;
  if (EncodingOf(bytes) == Encoding::kDense) {
    value = DenseRegister(bytes, observation.index);
  } else {
    const RunPlace place = FindRun(bytes, observation.index);
    if (place.position == 0) return Effect::kCorrupt;
    value = place.run.value;
  }
  return value >= observation.rank ? Effect::kNone : Effect::kRaised;
}

Effect Raise(std::string& bytes, Observation observation, size_t sparse_max_bytes) {
  return EncodingOf(bytes) == Encoding::kDense ? RaiseDense(bytes, observation)
                                               : RaiseSparse(bytes, observation, sparse_max_bytes);
}

Effect RaiseDense(std::span<char> bytes, Observation observation) {
  const std::string_view view(bytes.data(), bytes.size());
  if (DenseRegister(view, observation.index) >= observation.rank) return Effect::kNone;
  SetDenseRegister(bytes, observation.index, observation.rank);
  ForgetCachedCardinality(bytes);
  return Effect::kRaised;
}

bool MakeDense(std::string& bytes) {
  if (EncodingOf(bytes) == Encoding::kDense) return true;
  std::string dense(kDenseBytes, '\0');
  std::memcpy(dense.data(), bytes.data(), kHeaderBytes);
  dense[kEncodingAt] = static_cast<char>(Encoding::kDense);
  const bool valid = ForEachRun(bytes, [&](size_t index, const Run& run) {
    if (run.value == 0) return;
    for (size_t i = 0; i < run.length; ++i) SetDenseRegister(dense, index + i, run.value);
  });
  if (valid) bytes = std::move(dense);
  return valid;
}

std::optional<uint64_t> CachedCardinality(std::string_view bytes) {
  if ((ByteAt(bytes, kHeaderBytes - 1) & kOutOfDate) != 0) return std::nullopt;
  uint64_t cardinality;
  static_assert(std::endian::native == std::endian::little);
  std::memcpy(&cardinality, bytes.data() + kCardinalityAt, sizeof(cardinality));
  return cardinality;
}

void SetCachedCardinality(std::span<char> bytes, uint64_t cardinality) {
  std::memcpy(bytes.data() + kCardinalityAt, &cardinality, sizeof(cardinality));
}

void ForgetCachedCardinality(std::span<char> bytes) {
  bytes[kHeaderBytes - 1] =
      static_cast<char>(static_cast<uint8_t>(bytes[kHeaderBytes - 1]) | kOutOfDate);
}

std::optional<uint64_t> EstimateCardinality(std::string_view bytes) {
  Histogram histogram{};
  if (EncodingOf(bytes) == Encoding::kDense) {
    ForEachDenseRegister(bytes, [&](size_t, uint8_t value) { ++histogram[value]; });
  } else if (!ForEachRun(bytes,
                         [&](size_t, const Run& run) { histogram[run.value] += run.length; })) {
    return std::nullopt;
  }
  return Estimate(histogram);
}

bool MergeInto(Registers& registers, std::string_view bytes) {
  if (EncodingOf(bytes) == Encoding::kDense) {
    ForEachDenseRegister(bytes, [&](size_t index, uint8_t value) {
      registers[index] = std::max(registers[index], value);
    });
    return true;
  }
  return ForEachRun(bytes, [&](size_t index, const Run& run) {
    if (run.value == 0) return;
    for (size_t i = 0; i < run.length; ++i) {
      registers[index + i] = std::max(registers[index + i], run.value);
    }
  });
}

uint64_t EstimateCardinality(const Registers& registers) {
  Histogram histogram{};
  for (const uint8_t value : registers) ++histogram[value & kMaxRegister];
  return Estimate(histogram);
}

std::string DescribeRuns(std::string_view bytes) {
  std::string text;
  for (size_t position = kHeaderBytes; position < bytes.size();) {
    const Run run = RunAt(bytes, position);
    if (!text.empty()) text += ' ';
    if (run.value != 0) {
      text += "v:" + std::to_string(run.value) + "," + std::to_string(run.length);
    } else {
      text += (run.bytes == 1 ? "z:" : "Z:") + std::to_string(run.length);
    }
    position += run.bytes;
  }
  return text;
}

}  // namespace larder::hyperloglog
