#include "protocol/output_buffer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <sys/uio.h>
#include <thread>
#include <utility>

#include "base/allocator.h"
#include "base/blob.h"
#include "base/random.h"
#include <gtest/gtest.h>

namespace larder {
namespace {

std::string Letters(size_t size, char first = 'a') {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + (first - 'a' + i) % 26);
  return text;
}

std::string GatherAll(const OutputBuffer& buffer) {
  std::array<iovec, 1000> parts;
  const size_t count = buffer.Gather(parts.data(), parts.size());
  std::string all;
  for (size_t i = 0; i < count; ++i) {
    EXPECT_GT(parts[i].iov_len, 0);
    all.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
  }
  return all;
}

TEST(OutputBufferTest, AnEmptyBufferOwnsNothing) {
  OutputBuffer buffer;
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.memory_bytes(), 0);
  iovec part;
  EXPECT_EQ(buffer.Gather(&part, 1), 0);
  buffer.Append("");
  EXPECT_EQ(buffer.memory_bytes(), 0);
}

TEST(OutputBufferTest, AnEmptiedBufferOwnsNothing) {
  OutputBuffer buffer;
  buffer.Append(Letters(100000));
  buffer.AppendBlob(BlobRef::CopyOf("blob"), 0, 4);
  buffer.Append("tail");
  EXPECT_GE(buffer.memory_bytes(), 100000);
  buffer.Consume(buffer.size());
  EXPECT_EQ(buffer.memory_bytes(), 0);
  buffer.Append("again");
  EXPECT_EQ(buffer.ToString(), "again");
}

TEST(OutputBufferTest, ReserveGivesOnePieceOfAnySize) {
  OutputBuffer buffer;
  std::string expected;
  for (const size_t size : {size_t{10}, OutputBuffer::kChunkBytes, size_t{1000000}, size_t{1}}) {
    const std::string text = Letters(size);
    std::memcpy(buffer.Reserve(size), text.data(), size);
    buffer.Commit(size);
    expected += text;
  }
  EXPECT_EQ(buffer.ToString(), expected);
}

TEST(OutputBufferTest, CommitMayTakeLessThanWasReserved) {
  OutputBuffer buffer;
  std::memcpy(buffer.Reserve(1000), "abc", 3);
  buffer.Commit(3);
  buffer.Append("def");
  EXPECT_EQ(buffer.ToString(), "abcdef");
}

TEST(OutputBufferTest, BlobsAreSharedAndReleasedWhenConsumed) {
  const BlobRef blob = BlobRef::CopyOf(Letters(100));
  OutputBuffer buffer;
  buffer.Append("<");
  buffer.AppendBlob(blob, 10, 20);
  buffer.Append(">");
  EXPECT_FALSE(blob.unique());
  EXPECT_EQ(buffer.ToString(), "<" + Letters(100).substr(10, 20) + ">");
  std::array<iovec, 3> parts;
  ASSERT_EQ(buffer.Gather(parts.data(), parts.size()), 3);
  EXPECT_EQ(parts[1].iov_base, std::as_const(*blob).data() + 10);
  buffer.Consume(20);
  EXPECT_FALSE(blob.unique());
  buffer.Consume(1);
  EXPECT_TRUE(blob.unique());
  EXPECT_EQ(buffer.ToString(), ">");
}

TEST(OutputBufferTest, BytesAroundBlobsShareAChunk) {
  OutputBuffer buffer;
  const BlobRef blob = BlobRef::CopyOf("blob");
  for (int i = 0; i < 100; ++i) {
    buffer.Append("header");
    buffer.AppendBlob(blob, 0, 4);
  }
  EXPECT_LT(buffer.memory_bytes(), 2 * OutputBuffer::kChunkBytes);
}

TEST(OutputBufferTest, GatherFillsNoMoreThanItMay) {
  OutputBuffer buffer;
  const BlobRef blob = BlobRef::CopyOf("blob");
  for (int i = 0; i < 10; ++i) {
    buffer.Append("x");
    buffer.AppendBlob(blob, 0, 4);
  }
  std::array<iovec, 5> parts;
  EXPECT_EQ(buffer.Gather(parts.data(), parts.size()), 5);
  EXPECT_EQ(buffer.Gather(parts.data(), 0), 0);
}

TEST(OutputBufferTest, MovingLeavesTheSourceEmpty) {
  OutputBuffer source;
  source.Append(Letters(20000));
  OutputBuffer target(std::move(source));
  EXPECT_EQ(target.size(), 20000);
  EXPECT_TRUE(source.empty());  // NOLINT(bugprone-use-after-move): what is tested.
  EXPECT_EQ(source.memory_bytes(), 0);
  source.Append("usable");
  target = std::move(source);
  EXPECT_EQ(target.ToString(), "usable");
}

TEST(OutputBufferTest, InsertWorksInAFullChunk) {
  OutputBuffer buffer;
  buffer.Append("head");
  const size_t position = buffer.size();
  const std::string fill = Letters(OutputBuffer::kChunkBytes - 16 - 4);  // To its last byte.
  buffer.Append(fill);
  buffer.Insert(position, "<inserted>");
  buffer.Append("tail");
  EXPECT_EQ(buffer.ToString(), "head<inserted>" + fill + "tail");
}

TEST(OutputBufferTest, TruncateIntoABlobKeepsItsFirstPart) {
  OutputBuffer buffer;
  const BlobRef blob = BlobRef::CopyOf("0123456789");
  buffer.Append("ab");
  buffer.AppendBlob(blob, 0, 10);
  buffer.Append(Letters(50000));
  buffer.Truncate(7);
  EXPECT_EQ(buffer.ToString(), "ab01234");
  buffer.Append("z");
  EXPECT_EQ(buffer.ToString(), "ab01234z");
  buffer.Truncate(2);
  EXPECT_TRUE(blob.unique());
}

TEST(OutputBufferTest, ATruncatedBufferGoesOnInTheChunkItHad) {
  OutputBuffer buffer;
  buffer.Append("start");
  const size_t before = buffer.memory_bytes();
  for (int i = 0; i < 100; ++i) {
    const size_t size = buffer.size();
    buffer.Append(Letters(100000));
    buffer.Truncate(size);
    buffer.Append(".");
  }
  EXPECT_EQ(buffer.ToString(), "start" + std::string(100, '.'));
  EXPECT_LE(buffer.memory_bytes(), before + 1024);
}

// Keeps a string beside the buffer and does the same to both.
class OutputBufferPair {
 public:
  explicit OutputBufferPair(uint64_t seed) : random_(seed) {}

  void Step() {
    switch (random_.Uniform(12)) {
      case 0:
      case 1:
        return Append(RandomText(20));
      case 2:
        return Append(RandomText(6000));
      case 3:
        return random_.Uniform(20) == 0 ? Append(RandomText(60000)) : Append(RandomText(100));
      case 4:
        return Reserve();
      case 5:
      case 6:
        return AppendBlob();
      case 7:
        return AppendBuffer();
      case 8:
        return Insert();
      case 9:
        return Truncate();
      default:
        return Consume();
    }
  }

  void Check() {
    ASSERT_EQ(buffer_.size(), expected_.size());
    ASSERT_EQ(buffer_.ToString(), expected_);
    ASSERT_EQ(GatherAll(buffer_), expected_.substr(0, GatherAll(buffer_).size()));
  }

 private:
  std::string RandomText(size_t max_size) {
    return Letters(random_.Uniform(max_size + 1), static_cast<char>('a' + random_.Uniform(26)));
  }

  void Append(const std::string& text) {
    buffer_.Append(text);
    expected_ += text;
  }

  void Reserve() {
    const std::string text = RandomText(3000);
    char* const out = buffer_.Reserve(text.size() + random_.Uniform(20000));
    std::copy(text.begin(), text.end(), out);
    buffer_.Commit(text.size());
    expected_ += text;
  }

  void AppendBlob() {
    const std::string text = RandomText(500);
    const size_t offset = random_.Uniform(text.size() + 1);
    const size_t length = random_.Uniform(text.size() - offset + 1);
    buffer_.AppendBlob(BlobRef::CopyOf(text), offset, length);
    expected_ += text.substr(offset, length);
  }

  void AppendBuffer() {
    OutputBuffer other;
    std::string text;
    for (uint64_t parts = random_.Uniform(4); parts > 0; --parts) {
      const std::string part = RandomText(random_.Uniform(2) == 0 ? 30 : 9000);
      if (random_.Uniform(3) == 0) {
        other.AppendBlob(BlobRef::CopyOf(part), 0, part.size());
      } else {
        other.Append(part);
      }
      text += part;
    }
    buffer_.AppendBuffer(std::move(other));
    expected_ += text;
  }

  void Insert() {
    const size_t back = std::min<size_t>(expected_.size(), random_.Uniform(40000));
    const size_t position = expected_.size() - back;
    const std::string text = RandomText(25);
    buffer_.Insert(position, text);
    expected_.insert(position, text);
  }

  void Truncate() {
    const size_t size =
        expected_.size() - std::min<size_t>(expected_.size(), random_.Uniform(20000));
    buffer_.Truncate(size);
    expected_.resize(size);
  }

  void Consume() {
    const size_t bytes = std::min<size_t>(expected_.size(), random_.Uniform(20000));
    buffer_.Consume(bytes);
    expected_.erase(0, bytes);
    if (expected_.empty()) {
      EXPECT_EQ(buffer_.memory_bytes(), 0);
    }
  }

  Random random_;
  OutputBuffer buffer_;
  std::string expected_;
};

TEST(OutputBufferTest, BehavesAsOneStringUnderRandomOperations) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    OutputBufferPair pair(seed);
    for (int step = 0; step < 300; ++step) {
      pair.Step();
      ASSERT_NO_FATAL_FAILURE(pair.Check()) << "seed " << seed << ", step " << step;
    }
  }
}

TEST(OutputBufferTest, AThreadTakesItsStockOfChunksWithIt) {
  const size_t before = AllocatedBytes();
  std::thread([] {
    std::array<OutputBuffer, 20> buffers;
    for (OutputBuffer& buffer : buffers) buffer.Append("x");
  }).join();
  EXPECT_LT(AllocatedBytes(), before + OutputBuffer::kChunkBytes);
}

TEST(OutputBufferTest, ABufferMayEndOnAnotherThreadThanItBegan) {
  OutputBuffer buffer;
  buffer.Append(Letters(50000));
  size_t left = 0;
  std::thread([moved = std::move(buffer), &left]() mutable {
    moved.Consume(40000);
    left = moved.size();
  }).join();
  EXPECT_EQ(left, 10000u);
}

}  // namespace
}  // namespace larder
