#include "storage/stream_idempotence.h"

#include <optional>
#include <string>

#include "gtest/gtest.h"
#include "storage/stream.h"

namespace larder {
namespace {

using namespace std::chrono_literals;

constexpr UnixMillis kStart = 1'000'000;
constexpr UnixMillis kDuration = 100'000;  // The default.

class StreamIdempotenceTest : public testing::Test {
 protected:
  StreamIdempotenceTest() : known_(StreamIdempotence::Create(&bytes_)) {}
  ~StreamIdempotenceTest() override {
    StreamIdempotence::Destroy(known_);
    EXPECT_EQ(bytes_, 0U);
  }

  // A message that becomes an entry of this millisecond.
  void Record(const std::string& producer, const std::string& name, UnixMillis now) {
    known_->Record(producer, name, {static_cast<uint64_t>(now), 0}, now);
  }
  bool Knows(const std::string& producer, const std::string& name, UnixMillis now) const {
    return known_->Find(producer, name, now).has_value();
  }

  size_t bytes_ = 0;
  StreamIdempotence* known_;
};

TEST_F(StreamIdempotenceTest, FindsTheEntryByProducerAndName) {
  known_->Record("p", "a", {7, 1}, 7);
  known_->Record("p", "b", {7, 2}, 7);
  known_->Record("q", "a", {7, 3}, 7);
  EXPECT_EQ(known_->Find("p", "a", 7), (StreamId{7, 1}));
  EXPECT_EQ(known_->Find("p", "b", 7), (StreamId{7, 2}));
  EXPECT_EQ(known_->Find("q", "a", 7), (StreamId{7, 3}));
  EXPECT_EQ(known_->Find("q", "b", 7), std::nullopt);
  EXPECT_EQ(known_->Find("r", "a", 7), std::nullopt);
}

TEST_F(StreamIdempotenceTest, NamesAreBytes) {
  const std::string zeros(3, '\0');
  Record(zeros, zeros, kStart);
  EXPECT_TRUE(Knows(zeros, zeros, kStart));
  EXPECT_FALSE(Knows(zeros, zeros.substr(1), kStart));
}

TEST_F(StreamIdempotenceTest, ForgetsOnceTheEntryIsTooOld) {
  Record("p", "a", kStart);
  EXPECT_TRUE(Knows("p", "a", kStart + kDuration));
  EXPECT_FALSE(Knows("p", "a", kStart + kDuration + 1));
  const StreamIdempotence::Tracked tracked = known_->CountTracked(kStart + kDuration + 1);
  EXPECT_EQ(tracked.producers, 0U);
  EXPECT_EQ(tracked.messages, 0U);
}

TEST_F(StreamIdempotenceTest, WhatHasExpiredMayBeNamedAnew) {
  Record("p", "a", kStart);
  const UnixMillis later = kStart + kDuration + 1;
  Record("p", "a", later);
  EXPECT_EQ(known_->Find("p", "a", later), (StreamId{static_cast<uint64_t>(later), 0}));
  EXPECT_EQ(known_->size(), 1U);
  EXPECT_EQ(known_->added(), 2U);
}

TEST_F(StreamIdempotenceTest, AnEntryOfTheFutureIsNotOld) {
  known_->Record("p", "a", StreamId::Max(), kStart);
  EXPECT_TRUE(Knows("p", "a", kStart));
}

TEST_F(StreamIdempotenceTest, ForgetsTheOldestOfAProducerThatHasTooMany) {
  known_->SetLimits({.max_size = 3});
  Record("q", "a", kStart);
  for (int i = 0; i < 5; ++i) Record("p", std::to_string(i), kStart + i);
  EXPECT_FALSE(Knows("p", "1", kStart));
  EXPECT_TRUE(Knows("p", "2", kStart));
  EXPECT_TRUE(Knows("p", "4", kStart));
  EXPECT_TRUE(Knows("q", "a", kStart));
  EXPECT_EQ(known_->CountTracked(kStart).messages, 4U);
  EXPECT_EQ(known_->CountTracked(kStart).producers, 2U);
}

TEST_F(StreamIdempotenceTest, OtherLimitsMakeItForgetAndTheSameDoNot) {
  Record("p", "a", kStart);
  known_->CountDuplicate();
  known_->SetLimits({.duration = 100s, .max_size = 100});
  EXPECT_TRUE(Knows("p", "a", kStart));
  known_->SetLimits({.duration = 100s, .max_size = 99});
  EXPECT_FALSE(Knows("p", "a", kStart));
  EXPECT_EQ(known_->size(), 0U);
  EXPECT_EQ(known_->added(), 1U);
  EXPECT_EQ(known_->duplicates(), 1U);
}

TEST_F(StreamIdempotenceTest, FreesWhatExpiredOfProducersThatAreSilent) {
  constexpr int kProducers = 1000;
  for (int i = 0; i < kProducers; ++i) Record("p" + std::to_string(i), "a", kStart);
  const size_t full_bytes = bytes_;
  const UnixMillis later = kStart + kDuration + 1;
  Record("q", "0", later);
  EXPECT_GT(known_->size(), size_t{kProducers / 2});  // Not all at once.
  EXPECT_EQ(known_->CountTracked(later).messages, 1U);
  EXPECT_EQ(known_->CountTracked(later).producers, 1U);
  for (int i = 1; i < kProducers / 8 + 1; ++i) Record("q", std::to_string(i), later);
  EXPECT_EQ(known_->CountTracked(later).producers, 1U);
  EXPECT_LE(known_->size(), 100U);
  EXPECT_LT(bytes_, full_bytes / 4);
}

TEST_F(StreamIdempotenceTest, AnEntryMayHaveSeveralNames) {
  known_->Record("p", "a", {7, 1}, 7);
  known_->Record("p", "b", {7, 1}, 7);
  EXPECT_EQ(known_->Find("p", "a", 7), known_->Find("p", "b", 7));
  known_->SetLimits({.max_size = 1});
  EXPECT_EQ(known_->size(), 0U);
}

TEST(StreamWithIdempotenceTest, CountsItsMemoryAndCopiesIt) {
  Stream stream = Stream::Create();
  const size_t bytes = stream.allocated_bytes();
  EXPECT_EQ(stream.idempotence(), nullptr);
  for (int i = 0; i < 10; ++i) {
    stream.UsableIdempotence().Record("p", std::to_string(i), {1, 0}, kStart);
  }
  stream.UsableIdempotence().Record("p", "a", {kStart, 1}, kStart);
  EXPECT_GT(stream.allocated_bytes(), bytes);

  Stream copy = stream.Clone();
  EXPECT_EQ(copy.idempotence()->Find("p", "a", kStart), (StreamId{kStart, 1}));
  EXPECT_EQ(copy.idempotence()->size(), stream.idempotence()->size());
  EXPECT_EQ(copy.idempotence()->added(), 11U);
  stream.Destroy();
  copy.UsableIdempotence().SetLimits({.max_size = 1});
  EXPECT_EQ(copy.idempotence()->size(), 0U);
  copy.Destroy();
}

}  // namespace
}  // namespace larder
