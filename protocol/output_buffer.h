// The bytes of replies on their way to one socket: a row of segments, each either bytes of its own
// or a reference to a blob, so that a large value leaves without a copy.
//
// Concurrency: thread-confined.
//
//   char* out = buffer.Reserve(n); ... buffer.Commit(written);
//   iovec parts[64];
//   size_t count = buffer.Gather(parts, 64);
//   buffer.Consume(bytes_written);
//
// Own bytes stand in chunks, which come from a small stock that the thread keeps; an empty buffer
// owns no chunk. While everything fits into one chunk, which is nearly always, there is no list of
// segments at all: the bytes are [begin_, end_).
#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <sys/uio.h>
#include <vector>

#include "base/blob.h"

namespace larder {

class OutputBuffer {
 public:
  // The largest of jemalloc's small classes; the next one up, 16 KiB, costs a page more.
  static constexpr size_t kChunkBytes = 14 * 1024;

  OutputBuffer() = default;
  ~OutputBuffer() { Clear(); }
  OutputBuffer(const OutputBuffer&) = delete;
  OutputBuffer& operator=(const OutputBuffer&) = delete;
  OutputBuffer(OutputBuffer&& other) noexcept { Swap(other); }
  OutputBuffer& operator=(OutputBuffer&& other) noexcept;

  // At least `bytes` of writable memory in one piece, valid until the next call of any other
  // method but Commit.
  char* Reserve(size_t bytes) {
    if (room() < bytes) [[unlikely]]
      Grow(bytes);
    return end_;
  }
  // Appends the first `bytes` of what Reserve returned.
  void Commit(size_t bytes) { end_ += bytes; }

  void Append(std::string_view bytes) {
    if (room() < bytes.size()) [[unlikely]]
      return AppendAcrossChunks(bytes);
    if (bytes.empty()) return;  // memcpy must not see the null pointers of an empty buffer.
    std::memcpy(end_, bytes.data(), bytes.size());
    end_ += bytes.size();
  }
  // Appends the bytes blob[offset, offset + length) by reference.
  void AppendBlob(BlobRef blob, size_t offset, size_t length);
  // Moves everything from `other` behind what is here.
  void AppendBuffer(OutputBuffer&& other);
  // Puts `bytes` before the byte at `position`, counted as size() counts. Cheap near the end.
  // REQUIRES: position <= size().
  void Insert(size_t position, std::string_view bytes);

  // Bytes not yet consumed.
  size_t size() const { return closed_bytes_ + open_bytes(); }
  bool empty() const { return size() == 0; }
  // What this buffer occupies: chunks, not the blobs that it shares.
  size_t memory_bytes() const;

  // What this thread keeps for buffers to come.
  static size_t StockBytes();

  // Fills `parts` with the next bytes to write; returns how many of them it filled.
  size_t Gather(iovec* parts, size_t max_parts) const;
  // REQUIRES: bytes <= size(). Memory is freed as it is consumed; an emptied buffer owns none.
  void Consume(size_t bytes);
  void Clear();

  // Drops what was appended since size() was `size`; for a reply that must be taken back.
  // REQUIRES: size <= size(), nothing consumed since.
  void Truncate(size_t size);

  // All bytes as parts of blobs, to be appended to another thread's buffer: what is here by
  // reference is shared, the rest is copied.
  struct Piece {
    BlobRef blob;
    size_t offset;
    size_t size;
  };
  std::vector<Piece> Pieces() const;

  // All bytes in one string; for tests and for replies that are inspected (scripts).
  std::string ToString() const;

 private:
  struct Chunk;
  struct ChunkStock;
  // Bytes that nothing is appended to any more. Never empty.
  struct Segment {
    const char* data;
    size_t size;
    Blob* blob;    // The reference that this segment holds; null when the bytes are in a chunk.
    Chunk* chunk;  // To be freed with this segment, which is the last to need it; or null.
  };

  size_t room() const { return static_cast<size_t>(limit_ - end_); }
  size_t open_bytes() const { return static_cast<size_t>(end_ - begin_); }
  void Swap(OutputBuffer& other) noexcept;

  void Grow(size_t bytes);
  void AppendAcrossChunks(std::string_view bytes);
  void InsertIntoClosed(size_t position, std::string_view bytes);
  void UseChunk(Chunk* chunk);
  void CloseOpenBytes();
  void CloseChunk();
  void FreeChunk(Chunk* chunk);
  void FreeSegment(const Segment& segment);
  void ShortenLastSegment(size_t bytes);

  char* end_ = nullptr;     // Where the next byte goes.
  char* limit_ = nullptr;   // End of chunk_.
  char* begin_ = nullptr;   // The open bytes, the last in line, are [begin_, end_) of chunk_.
  Chunk* chunk_ = nullptr;  // Segments before the open bytes may lie in it too.
  size_t chunk_bytes_ = 0;  // Allocated for chunks.
  size_t closed_bytes_ = 0;
  std::vector<Segment> closed_;
  size_t first_ = 0;  // Segments of closed_ before this one have been consumed.
};

}  // namespace larder
