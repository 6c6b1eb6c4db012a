#include "protocol/output_buffer.h"

#include <algorithm>
#include <new>
#include <utility>

#include "base/allocator.h"
#include "base/check.h"

namespace larder {

// The head of an allocation whose remainder holds the bytes.
struct OutputBuffer::Chunk {
  size_t allocated_bytes;
  union {
    char* used_end;  // Where its bytes ended when it was closed, for Truncate to go on from.
    Chunk* next;     // In the stock.
  };

  char* begin() { return reinterpret_cast<char*>(this + 1); }
  char* limit() { return reinterpret_cast<char*>(this) + allocated_bytes; }
};

// Chunks that the thread keeps: replies come in batches, one connection after the other, and each
// batch wants a chunk for the time until its write.
struct OutputBuffer::ChunkStock {
  static constexpr size_t kMaxChunks = 2;

  ~ChunkStock();

  // Plain data beside the object, so that a buffer which outlives it (a static one, destroyed after
  // the thread's locals) finds an empty stock instead of a dead one.
  static thread_local Chunk* first;
  static thread_local size_t count;
  static thread_local bool closed;
  static thread_local ChunkStock closer;
};

constinit thread_local OutputBuffer::Chunk* OutputBuffer::ChunkStock::first = nullptr;
constinit thread_local size_t OutputBuffer::ChunkStock::count = 0;
constinit thread_local bool OutputBuffer::ChunkStock::closed = false;
thread_local OutputBuffer::ChunkStock OutputBuffer::ChunkStock::closer;

OutputBuffer::ChunkStock::~ChunkStock() {
  closed = true;
  while (first != nullptr) {
    Chunk* const chunk = std::exchange(first, first->next);
    Deallocate(chunk, chunk->allocated_bytes);
  }
}

OutputBuffer& OutputBuffer::operator=(OutputBuffer&& other) noexcept {
  if (this != &other) {
    Clear();
    Swap(other);
  }
  return *this;
}

void OutputBuffer::Swap(OutputBuffer& other) noexcept {
  std::swap(end_, other.end_);
  std::swap(limit_, other.limit_);
  std::swap(begin_, other.begin_);
  std::swap(chunk_, other.chunk_);
  std::swap(chunk_bytes_, other.chunk_bytes_);
  std::swap(closed_bytes_, other.closed_bytes_);
  std::swap(closed_, other.closed_);
  std::swap(first_, other.first_);
}

void OutputBuffer::Grow(size_t bytes) {
  CloseChunk();
  Chunk* chunk = ChunkStock::first;
  const size_t needed = std::max(kChunkBytes, bytes + sizeof(Chunk));
  if (chunk != nullptr && needed == kChunkBytes) {
    ChunkStock::first = chunk->next;
    --ChunkStock::count;
  } else {
    const size_t allocated = RoundedSize(needed);
    chunk = new (Allocate(allocated)) Chunk{.allocated_bytes = allocated, .used_end = nullptr};
  }
  chunk_bytes_ += chunk->allocated_bytes;
  UseChunk(chunk);
  begin_ = end_ = chunk->begin();
}

void OutputBuffer::UseChunk(Chunk* chunk) {
  chunk_ = chunk;
  limit_ = chunk->limit();
}

// Ends the segment under way; what comes next may still go into the same chunk.
void OutputBuffer::CloseOpenBytes() {
  if (open_bytes() == 0) return;
  closed_.push_back({.data = begin_, .size = open_bytes(), .blob = nullptr, .chunk = nullptr});
  closed_bytes_ += open_bytes();
  begin_ = end_;
}

// Leaves the chunk to the last segment. A later segment than its own may take it, and then holds it
// a little longer than needed.
void OutputBuffer::CloseChunk() {
  if (chunk_ == nullptr) return;
  CloseOpenBytes();
  chunk_->used_end = end_;
  if (closed_.empty() || closed_.back().chunk != nullptr) {
    FreeChunk(chunk_);  // Nothing was written to it.
  } else {
    closed_.back().chunk = chunk_;
  }
  chunk_ = nullptr;
  begin_ = end_ = limit_ = nullptr;
}

void OutputBuffer::FreeChunk(Chunk* chunk) {
  chunk_bytes_ -= chunk->allocated_bytes;
  const bool keep = chunk->allocated_bytes == kChunkBytes && !ChunkStock::closed &&
                    ChunkStock::count < ChunkStock::kMaxChunks;
  if (!keep) return Deallocate(chunk, chunk->allocated_bytes);
  if (ChunkStock::count == 0) {
    // Naming the object registers its destructor with the thread.
    [[maybe_unused]] ChunkStock* const registered = &ChunkStock::closer;
  }
  chunk->next = ChunkStock::first;
  ChunkStock::first = chunk;
  ++ChunkStock::count;
}

void OutputBuffer::FreeSegment(const Segment& segment) {
  if (segment.blob != nullptr) BlobRef::Adopt(segment.blob);  // Drops the reference.
  if (segment.chunk != nullptr) FreeChunk(segment.chunk);
}

void OutputBuffer::AppendAcrossChunks(std::string_view bytes) {
  const size_t here = room();
  if (here > 0) {
    std::memcpy(end_, bytes.data(), here);
    end_ += here;
    bytes.remove_prefix(here);
  }
  Grow(bytes.size());
  std::memcpy(end_, bytes.data(), bytes.size());
  end_ += bytes.size();
}

void OutputBuffer::AppendBlob(BlobRef blob, size_t offset, size_t length) {
  LARDER_DCHECK(offset <= blob->size() && length <= blob->size() - offset);
  if (length == 0) return;
  CloseOpenBytes();
  const char* const data = std::as_const(*blob).data() + offset;
  closed_.push_back({.data = data, .size = length, .blob = blob.Detach(), .chunk = nullptr});
  closed_bytes_ += length;
}

void OutputBuffer::AppendBuffer(OutputBuffer&& other) {
  LARDER_DCHECK(this != &other);
  if (other.closed_bytes_ == 0 && other.size() <= room()) {
    Append({other.begin_, other.open_bytes()});
  } else if (empty()) {
    Clear();
    Swap(other);
  } else {
    CloseChunk();
    const auto first = other.closed_.begin() + static_cast<std::ptrdiff_t>(other.first_);
    closed_.insert(closed_.end(), first, other.closed_.end());
    closed_bytes_ += std::exchange(other.closed_bytes_, 0);
    other.closed_.clear();
    other.first_ = 0;
    chunk_bytes_ += std::exchange(other.chunk_bytes_, 0);
    chunk_ = std::exchange(other.chunk_, nullptr);
    begin_ = std::exchange(other.begin_, nullptr);
    end_ = std::exchange(other.end_, nullptr);
    limit_ = std::exchange(other.limit_, nullptr);
  }
  other.Clear();
}

void OutputBuffer::Insert(size_t position, std::string_view bytes) {
  LARDER_DCHECK(position <= size());
  if (bytes.empty()) return;
  if (position == size()) return Append(bytes);
  if (position < closed_bytes_) return InsertIntoClosed(position, bytes);
  char* const at = begin_ + (position - closed_bytes_);
  if (bytes.size() <= room()) {
    std::memmove(at + bytes.size(), at, static_cast<size_t>(end_ - at));
    std::memcpy(at, bytes.data(), bytes.size());
    end_ += bytes.size();
    return;
  }
  // No room to move up: the bytes become a segment between the two halves of the open one.
  char* const end = std::exchange(end_, at);
  AppendBlob(BlobRef::CopyOf(bytes), 0, bytes.size());
  CloseOpenBytes();
  begin_ = at;
  end_ = end;
}

void OutputBuffer::InsertIntoClosed(size_t position, std::string_view bytes) {
  size_t index = closed_.size();
  size_t start = closed_bytes_;
  while (start > position) start -= closed_[--index].size;
  if (start < position) {
    // In the middle of this segment: cut it in two. The second half keeps the chunk.
    Segment& second = closed_[index];
    Segment first = second;
    first.size = position - start;
    first.chunk = nullptr;
    if (first.blob != nullptr) {
      BlobRef owner = BlobRef::Adopt(first.blob);
      BlobRef copy = owner;
      first.blob = copy.Detach();
      owner.Detach();
    }
    second.data += first.size;
    second.size -= first.size;
    closed_.insert(closed_.begin() + static_cast<std::ptrdiff_t>(index), first);
    ++index;
  }
  BlobRef blob = BlobRef::CopyOf(bytes);
  const char* const data = std::as_const(*blob).data();
  closed_.insert(closed_.begin() + static_cast<std::ptrdiff_t>(index),
                 {.data = data, .size = bytes.size(), .blob = blob.Detach(), .chunk = nullptr});
  closed_bytes_ += bytes.size();
}

size_t OutputBuffer::memory_bytes() const {
  return chunk_bytes_ + closed_.capacity() * sizeof(Segment);
}

size_t OutputBuffer::StockBytes() { return ChunkStock::count * kChunkBytes; }

size_t OutputBuffer::Gather(iovec* parts, size_t max_parts) const {
  size_t count = 0;
  for (size_t i = first_; i < closed_.size() && count < max_parts; ++i) {
    // writev takes its bytes as const, which iovec cannot say.
    parts[count++] = {const_cast<char*>(closed_[i].data), closed_[i].size};
  }
  if (open_bytes() > 0 && count < max_parts) parts[count++] = {begin_, open_bytes()};
  return count;
}

void OutputBuffer::Consume(size_t bytes) {
  LARDER_DCHECK(bytes <= size());
  if (bytes == size()) return Clear();
  while (bytes > 0 && first_ < closed_.size()) {
    Segment& segment = closed_[first_];
    if (bytes < segment.size) {
      segment.data += bytes;
      segment.size -= bytes;
      closed_bytes_ -= bytes;
      return;
    }
    bytes -= segment.size;
    closed_bytes_ -= segment.size;
    FreeSegment(segment);
    ++first_;
  }
  begin_ += bytes;
  // Consumed segments are dropped when they are the larger half, so that each is moved once.
  if (first_ > closed_.size() / 2) {
    closed_.erase(closed_.begin(), closed_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
}

void OutputBuffer::Clear() {
  if (chunk_ != nullptr) {
    FreeChunk(chunk_);
    chunk_ = nullptr;
    begin_ = end_ = limit_ = nullptr;
  }
  if (closed_.capacity() == 0) [[likely]]
    return;
  for (size_t i = first_; i < closed_.size(); ++i) FreeSegment(closed_[i]);
  std::vector<Segment>().swap(closed_);
  first_ = 0;
  closed_bytes_ = 0;
}

void OutputBuffer::Truncate(size_t size) {
  LARDER_DCHECK(size <= this->size());
  if (size == 0) return Clear();
  while (closed_bytes_ > size) ShortenLastSegment(closed_bytes_ - size);
  end_ = begin_ + (size - closed_bytes_);  // The cut may be in a segment that was opened again.
}

// Takes up to `bytes` off the last segment, and all that is open behind it. What lies behind the
// segment in its chunk is free again, so a closed chunk is opened again, and so is the segment,
// unless it is a blob.
void OutputBuffer::ShortenLastSegment(size_t bytes) {
  Segment& last = closed_.back();
  if (last.chunk != nullptr) {
    if (chunk_ != nullptr) FreeChunk(chunk_);
    UseChunk(std::exchange(last.chunk, nullptr));
    begin_ = end_ = chunk_->used_end;
  }
  if (last.blob != nullptr && bytes < last.size) {
    last.size -= bytes;
    closed_bytes_ -= bytes;
    return;
  }
  closed_bytes_ -= last.size;
  if (last.blob == nullptr) begin_ = end_ = const_cast<char*>(last.data);
  FreeSegment(last);
  closed_.pop_back();
}

std::vector<OutputBuffer::Piece> OutputBuffer::Pieces() const {
  std::vector<Piece> pieces;
  std::string text;
  const auto end_text = [&] {
    if (!text.empty()) pieces.push_back({BlobRef::CopyOf(text), 0, text.size()});
    text.clear();
  };
  for (size_t i = first_; i < closed_.size(); ++i) {
    const Segment& segment = closed_[i];
    if (segment.blob == nullptr) {
      text.append(segment.data, segment.size);
      continue;
    }
    end_text();
    BlobRef borrowed = BlobRef::Adopt(segment.blob);
    const auto offset = static_cast<size_t>(segment.data - std::as_const(*borrowed).data());
    pieces.push_back({borrowed, offset, segment.size});
    borrowed.Detach();
  }
  text.append(begin_, open_bytes());
  end_text();
  return pieces;
}

std::string OutputBuffer::ToString() const {
  std::string all;
  all.reserve(size());
  for (size_t i = first_; i < closed_.size(); ++i) all.append(closed_[i].data, closed_[i].size);
  all.append(begin_, open_bytes());
  return all;
}

}  // namespace larder
