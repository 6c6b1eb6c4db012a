#include "base/blob.h"

#include <cstring>
#include <new>

#include "base/allocator.h"

namespace larder {

size_t Blob::allocated_bytes() const { return UsableSize(this); }

BlobRef BlobRef::Create(size_t capacity) {
  // Room that the allocator would round up to anyway is given to the bytes.
  const size_t bytes = RoundedSize(sizeof(Blob) + capacity);
  return Adopt(new (Allocate(bytes)) Blob(bytes - sizeof(Blob)));
}

BlobRef BlobRef::CopyOf(std::string_view bytes) {
  BlobRef blob = Create(bytes.size());
  std::memcpy(blob->data(), bytes.data(), bytes.size());
  blob->set_size(bytes.size());
  return blob;
}

void BlobRef::Reserve(size_t capacity) {
  LARDER_DCHECK(unique());
  if (capacity <= blob_->capacity_) return;
  const size_t bytes = RoundedSize(sizeof(Blob) + capacity);
  blob_ = static_cast<Blob*>(Reallocate(blob_, bytes));
  blob_->capacity_ = bytes - sizeof(Blob);
}

void BlobRef::Relocate(absl::FunctionRef<void*(void*, size_t)> move) {
  LARDER_DCHECK(unique());
  blob_ = static_cast<Blob*>(move(blob_, sizeof(Blob) + blob_->capacity_));
}

void BlobRef::Free(Blob* blob) {
  const size_t bytes = sizeof(Blob) + blob->capacity_;
  blob->~Blob();
  Deallocate(blob, bytes);
}

}  // namespace larder
