#include "storage/hyperloglog.h"

#include <cmath>
#include <string>

#include "base/random.h"
#include "gtest/gtest.h"

namespace larder::hyperloglog {
namespace {

constexpr size_t kSparseMaxBytes = 3000;

std::string WithElements(int count) {
  std::string bytes = Empty();
  for (int i = 0; i < count; ++i) Raise(bytes, Observe(std::to_string(i)), kSparseMaxBytes);
  return bytes;
}

TEST(HyperLogLogTest, EmptyIsOneRunOfZeros) {
  const std::string bytes = Empty();
  ASSERT_TRUE(HasForm(bytes));
  EXPECT_EQ(EncodingOf(bytes), Encoding::kSparse);
  EXPECT_EQ(DescribeRuns(bytes), "Z:16384");
  EXPECT_EQ(CachedCardinality(bytes), 0u);
  EXPECT_EQ(EstimateCardinality(bytes), 0u);
}

TEST(HyperLogLogTest, ARaisedRegisterSplitsItsRun) {
  std::string bytes = Empty();
  EXPECT_EQ(Raise(bytes, {.index = 100, .rank = 3}, kSparseMaxBytes), Effect::kRaised);
  EXPECT_EQ(DescribeRuns(bytes), "Z:100 v:3,1 Z:16283");
  EXPECT_EQ(Raise(bytes, {.index = 100, .rank = 2}, kSparseMaxBytes), Effect::kNone);
  Raise(bytes, {.index = 102, .rank = 3}, kSparseMaxBytes);
  EXPECT_EQ(DescribeRuns(bytes), "Z:100 v:3,1 z:1 v:3,1 Z:16281");
  Raise(bytes, {.index = 101, .rank = 3}, kSparseMaxBytes);
  EXPECT_EQ(DescribeRuns(bytes), "Z:100 v:3,3 Z:16281");
  Raise(bytes, {.index = 101, .rank = 4}, kSparseMaxBytes);
  EXPECT_EQ(DescribeRuns(bytes), "Z:100 v:3,1 v:4,1 v:3,1 Z:16281");
  EXPECT_FALSE(CachedCardinality(bytes));
}

TEST(HyperLogLogTest, BecomesDenseWhenSparseIsTooLongOrTooNarrow) {
  std::string narrow = Empty();
  Raise(narrow, {.index = 7, .rank = 33}, kSparseMaxBytes);
  EXPECT_EQ(EncodingOf(narrow), Encoding::kDense);
  EXPECT_EQ(narrow.size(), kDenseBytes);

  std::string longer = Empty();
  for (uint32_t i = 0; i < 100; ++i) Raise(longer, {.index = i * 100, .rank = 1}, 200);
  EXPECT_EQ(EncodingOf(longer), Encoding::kDense);
}

TEST(HyperLogLogTest, BothEncodingsAndTheUnionEstimateTheSame) {
  for (const int count : {1, 10, 100, 1000, 20'000}) {
    const std::string bytes = WithElements(count);
    std::string dense = bytes;
    ASSERT_TRUE(MakeDense(dense));
    Registers registers{};
    ASSERT_TRUE(MergeInto(registers, bytes));
    const auto estimate = static_cast<double>(*EstimateCardinality(bytes));
    EXPECT_EQ(EstimateCardinality(dense), EstimateCardinality(bytes));
    EXPECT_EQ(EstimateCardinality(registers), EstimateCardinality(bytes));
    EXPECT_NEAR(estimate, count, 0.03 * count + 1);
  }
}

TEST(HyperLogLogTest, ProbeSaysWhatRaiseWouldDo) {
  std::string bytes = Empty();
  Random random(1);
  for (int i = 0; i < 3000; ++i) {
    const Observation observation = {.index = static_cast<uint32_t>(random.Uniform(300)),
                                     .rank = static_cast<uint8_t>(1 + random.Uniform(40))};
    const Effect expected = Probe(bytes, observation);
    EXPECT_EQ(Raise(bytes, observation, 400), expected);
  }
}

TEST(HyperLogLogTest, WhatIsNotOneHasNoForm) {
  std::string bytes = WithElements(5);
  EXPECT_FALSE(HasForm(bytes.substr(0, 15)));
  EXPECT_TRUE(HasForm(bytes.substr(0, 16)));
  bytes[4] = 2;
  EXPECT_FALSE(HasForm(bytes));
  bytes[4] = 0;
  EXPECT_FALSE(HasForm(bytes));  // Dense, but too short.
  EXPECT_FALSE(HasForm("HYLM and so on, long enough"));
}

// Any bytes behind a good header: nothing is read or written outside of them (the sanitizers look),
// and what does not describe all registers is said to be corrupt.
TEST(HyperLogLogTest, SurvivesCorruptRuns) {
  Random random(2);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes = Empty().substr(0, kHeaderBytes);
    for (uint64_t left = random.Uniform(40); left > 0; --left) {
      bytes += static_cast<char>(random.Next());
    }
    const bool valid = EstimateCardinality(bytes).has_value();
    std::string dense = bytes;
    EXPECT_EQ(MakeDense(dense), valid);
    Registers registers{};
    EXPECT_EQ(MergeInto(registers, bytes), valid);
    for (int i = 0; i < 20; ++i) {
      const Observation observation = {.index = static_cast<uint32_t>(random.Uniform(kRegisters)),
                                       .rank = static_cast<uint8_t>(1 + random.Uniform(51))};
      Raise(bytes, observation, 100);
    }
    DescribeRuns(bytes);
  }
}

}  // namespace
}  // namespace larder::hyperloglog
