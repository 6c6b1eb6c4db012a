#include "storage/entry.h"

#include <algorithm>
#include <functional>

#include "base/allocator.h"
#include "base/check.h"
#include "base/numbers.h"
#include "storage/tags.h"

namespace larder {
namespace {

// The longest string that Redis would call "embstr"; clients' tests look at it.
constexpr size_t kMaxEmbeddedBytes = 44;

template <typename T>
T LoadFrom(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

// Shorter strings would not save what a second allocation and a look at it cost.
constexpr size_t kMinCutBytes = 1000;

// memcmp's call costs more than the comparison of a usual key.
bool SameBytes(const char* a, const char* b, size_t size) {
  if (size > 32) return std::memcmp(a, b, size) == 0;
  if (size >= 16) {
    const uint64_t differ =
        (LoadFrom<uint64_t>(a) ^ LoadFrom<uint64_t>(b)) |
        (LoadFrom<uint64_t>(a + 8) ^ LoadFrom<uint64_t>(b + 8)) |
        (LoadFrom<uint64_t>(a + size - 16) ^ LoadFrom<uint64_t>(b + size - 16)) |
        (LoadFrom<uint64_t>(a + size - 8) ^ LoadFrom<uint64_t>(b + size - 8));
    return differ == 0;
  }
  if (size >= 8) {
    return LoadFrom<uint64_t>(a) == LoadFrom<uint64_t>(b) &&
           LoadFrom<uint64_t>(a + size - 8) == LoadFrom<uint64_t>(b + size - 8);
  }
  if (size >= 4) {
    return LoadFrom<uint32_t>(a) == LoadFrom<uint32_t>(b) &&
           LoadFrom<uint32_t>(a + size - 4) == LoadFrom<uint32_t>(b + size - 4);
  }
  for (size_t i = 0; i < size; ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

}  // namespace

std::string_view StringValue::Whole() const {
  const std::string_view front = blob_->view();
  if (whole_ == nullptr) {
    whole_ = std::make_unique_for_overwrite<char[]>(size());
    std::memcpy(whole_.get(), front.data(), front.size());
    std::memcpy(whole_.get() + front.size(), view_.data(), view_.size());
  }
  return {whole_.get(), size()};
}

Entry::Cut Entry::CutText(size_t key_size, size_t text_size, bool has_expiry, bool has_freshness) {
  const auto entry_bytes = [&](size_t value_size) {
    return ResidentBytes(SizeFor(key_size, value_size, has_expiry, has_freshness));
  };
  const bool fits_entry = text_size <= kMaxInlineBytes;
  const Cut whole = fits_entry ? Cut{0, text_size} : Cut{text_size, 0};
  if (text_size < kMinCutBytes) [[likely]]
    return whole;
  const size_t whole_bytes = fits_entry ? entry_bytes(text_size)
                                        : entry_bytes(8) + ResidentBytes(sizeof(Blob) + text_size);
  const size_t block = SizeClassBelow(std::min(sizeof(Blob) + text_size, kMaxSharingClass));
  const size_t front = block - sizeof(Blob);
  const size_t rest = text_size - front;
  if (rest == 0) return whole;
  const size_t cut_bytes = block + entry_bytes(8 + rest);
  return cut_bytes + whole_bytes / 16 <= whole_bytes ? Cut{front, rest} : whole;
}

bool Entry::KeyEquals(std::string_view text) const {
  return key_size() == text.size() && SameBytes(Bytes() + key_offset(), text.data(), text.size());
}

void Entry::ReadString(StringValue& value) const {
  LARDER_DCHECK(type() == ValueType::kString);
  value.blob_ = nullptr;
  value.is_integer_ = false;
  value.whole_.reset();
  switch (string_encoding()) {
    case StringEncoding::kInline:
    case StringEncoding::kInlineRaw:
      value.view_ = {Bytes() + value_offset(), value_size()};
      return;
    case StringEncoding::kInteger:
      value.is_integer_ = true;
      value.integer_ = Load<int64_t>(value_offset());
      value.view_ = {value.digits_, FormatInt64(value.integer_, value.digits_)};
      return;
    case StringEncoding::kBlob:
      value.blob_ = blob();
      value.view_ = rest();
      return;
  }
}

size_t Entry::StringSize() const {
  LARDER_DCHECK(type() == ValueType::kString);
  switch (string_encoding()) {
    case StringEncoding::kInteger:
      return Int64TextSize(Load<int64_t>(value_offset()));
    case StringEncoding::kBlob:
      return blob()->size() + rest().size();
    default:
      return value_size();
  }
}

std::string_view Entry::EncodingName() const {
  if (type() != ValueType::kString) return larder::EncodingName(object());
  switch (string_encoding()) {
    case StringEncoding::kInteger:
      return "int";
    case StringEncoding::kInline:
      return value_size() <= kMaxEmbeddedBytes ? "embstr" : "raw";
    default:
      return "raw";
  }
}

void Entry::WriteHeader(size_t key_size, const Value& value, UnixMillis expiry) {
  const size_t value_size = value.whole_size();
  const bool has_long_lengths = key_size > 255 || value_size > 255;
  const bool expires = expiry != kNoExpiry;
  kind_ = static_cast<uint8_t>(KindOf(value.type, value.encoding) |
                               (value.freshness ? kFreshnessBit : 0) | (expires ? kHasExpiry : 0) |
                               (has_long_lengths ? kLong : 0));
  if (has_long_lengths) {
    short_key_size_ = 0;
    short_value_size_ = 0;
    Store(6, static_cast<uint32_t>(key_size));
    Store(10, static_cast<uint32_t>(value_size));
  } else {
    short_key_size_ = static_cast<uint8_t>(key_size);
    short_value_size_ = static_cast<uint8_t>(value_size);
  }
  if (expires) Store(has_long_lengths ? 14 : 6, expiry);
}

void Entry::WriteValue(char* to, const Value& value) {
  if (value.size != 0) std::memcpy(to, value.bytes, value.size);
  to += value.size;
  if (!value.rest.empty()) [[unlikely]] {
    std::memcpy(to, value.rest.data(), value.rest.size());
    to += value.rest.size();
  }
  if (value.freshness) [[unlikely]]
    std::memcpy(to, &*value.freshness, sizeof(*value.freshness));
}

Entry* Entry::Create(std::string_view key, const Value& value, UnixMillis expiry, uint32_t access) {
  LARDER_DCHECK(key.size() <= UINT32_MAX);
  const size_t size = SizeWith(key.size(), value, expiry);
  auto* entry = static_cast<Entry*>(Allocate(SizeClass(size)));
  entry->set_access(access);
  entry->WriteHeader(key.size(), value, expiry);
  char* key_bytes = entry->Bytes() + entry->key_offset();
  std::memcpy(key_bytes, key.data(), key.size());
  WriteValue(key_bytes + key.size(), value);
  return entry;
}

Entry* Entry::Rewrite(Entry* entry, const Value& value, UnixMillis expiry) {
  const std::string_view key = entry->key();
  const size_t old_class = SizeClass(entry->size());
  const size_t new_class = SizeClass(SizeWith(key.size(), value, expiry));
  const std::less<const char*> before;
  const auto stands_in_entry = [&](const char* bytes) {
    return !before(bytes, entry->Bytes()) && before(bytes, entry->Bytes() + old_class);
  };
  if (old_class != new_class || stands_in_entry(static_cast<const char*>(value.bytes)) ||
      stands_in_entry(value.rest.data())) {
    Entry* moved = Create(key, value, expiry, entry->access());
    Deallocate(entry, old_class);
    return moved;
  }
  const char* old_key = key.data();
  // The longer lengths and the expiry stand before the key, so the key moves first.
  const bool has_long_lengths = key.size() > 255 || value.whole_size() > 255;
  char* new_key = entry->Bytes() + 6 + (has_long_lengths ? 8 : 0) + (expiry != kNoExpiry ? 8 : 0);
  if (new_key != old_key) std::memmove(new_key, old_key, key.size());
  entry->WriteHeader(key.size(), value, expiry);
  WriteValue(new_key + key.size(), value);
  return entry;
}

Entry* Entry::ChangeExpiry(Entry* entry, UnixMillis expiry) {
  const bool expires = expiry != kNoExpiry;
  const size_t old_class = SizeClass(entry->size());
  const Value value = entry->value();
  const size_t key_size = entry->key_size();
  if (SizeClass(SizeWith(key_size, value, expiry)) != old_class) {
    return Rewrite(entry, value, expiry);
  }
  // Key, value and freshness move as one.
  if (entry->has_expiry() != expires) {
    char* key = entry->Bytes() + entry->key_offset();
    std::memmove(expires ? key + 8 : key - 8, key, entry->size() - entry->key_offset());
  }
  entry->WriteHeader(key_size, value, expiry);
  return entry;
}

Entry* Entry::ChangeFreshness(Entry* entry, std::optional<uint64_t> packed) {
  LARDER_DCHECK(entry->type() == ValueType::kString);
  const size_t offset = entry->freshness_offset();
  if (SizeClass(offset + (packed ? 8 : 0)) != SizeClass(entry->size())) {
    return Rewrite(entry, entry->value().With(packed), entry->expiry());
  }
  entry->kind_ =
      static_cast<uint8_t>((entry->kind_ & ~kFreshnessBit) | (packed ? kFreshnessBit : 0));
  if (packed) entry->Store(offset, *packed);
  return entry;
}

void Entry::ReleaseValue() {
  if (type() != ValueType::kString) {
    larder::Destroy(object());
    return;
  }
  if (IsBlob()) BlobRef::Adopt(blob());
  TagStampPtr(tags()).reset();
}

Freshness Entry::FreshnessOf(const TagStamp& tags) { return tags.freshness(); }

size_t Entry::BytesOf(const TagStamp& tags) { return tags.allocated_bytes(); }

void Entry::DestroyShell(Entry* entry) { Deallocate(entry, SizeClass(entry->size())); }

void Entry::Destroy(Entry* entry) {
  entry->ReleaseValue();
  DestroyShell(entry);
}

}  // namespace larder
