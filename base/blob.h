// Bytes too large to copy about: one allocation with a reference count, shared by the value that
// holds them and the replies on their way out.
//
// Concurrency: the count is atomic, the bytes are not. Only a sole owner (unique()) may write the
// bytes; whoever finds them shared copies first.
//
//   BlobRef blob = BlobRef::Create(capacity);
//   blob->Append(...);   // while unique
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "absl/functional/function_ref.h"
#include "base/check.h"

namespace larder {

class Blob {
 public:
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  const char* data() const { return reinterpret_cast<const char*>(this + 1); }
  char* data() { return reinterpret_cast<char*>(this + 1); }
  std::string_view view() const { return {data(), size_}; }

  // REQUIRES: size <= capacity(). New bytes are left as they are.
  void set_size(size_t size) {
    LARDER_DCHECK(size <= capacity_);
    size_ = size;
  }

  // What the allocation occupies, header and rounding included.
  size_t allocated_bytes() const;

 private:
  friend class BlobRef;
  explicit Blob(size_t capacity) : capacity_(capacity) {}

  std::atomic<uint32_t> references_{1};  // Release on the way down, acquire before the free.
  size_t size_ = 0;
  size_t capacity_;
};

class BlobRef {
 public:
  BlobRef() = default;
  ~BlobRef() { Release(); }
  BlobRef(const BlobRef& other) : blob_(other.blob_) {
    if (blob_ != nullptr) blob_->references_.fetch_add(1, std::memory_order_relaxed);
  }
  BlobRef(BlobRef&& other) noexcept : blob_(std::exchange(other.blob_, nullptr)) {}
  BlobRef& operator=(BlobRef other) noexcept {
    std::swap(blob_, other.blob_);
    return *this;
  }

  // Empty, with room for at least `capacity` bytes.
  static BlobRef Create(size_t capacity);
  static BlobRef CopyOf(std::string_view bytes);

  // Takes over the reference that Detach gave up.
  static BlobRef Adopt(Blob* blob) {
    BlobRef ref;
    ref.blob_ = blob;
    return ref;
  }
  // Gives up the reference without dropping it, for storage in a packed entry.
  Blob* Detach() { return std::exchange(blob_, nullptr); }

  // Makes room for `capacity` bytes, keeping size and bytes; may move the blob.
  // REQUIRES: unique().
  void Reserve(size_t capacity);

  // Offers move(memory, bytes) the allocation; it returns where that is now. REQUIRES: unique().
  void Relocate(absl::FunctionRef<void*(void*, size_t)> move);

  bool unique() const {
    return blob_ != nullptr && blob_->references_.load(std::memory_order_acquire) == 1;
  }
  explicit operator bool() const { return blob_ != nullptr; }
  Blob* operator->() const { return blob_; }
  Blob& operator*() const { return *blob_; }
  Blob* get() const { return blob_; }

 private:
  void Release() {
    if (blob_ != nullptr && blob_->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      Free(blob_);
    }
  }
  static void Free(Blob* blob);

  Blob* blob_ = nullptr;
};

}  // namespace larder
