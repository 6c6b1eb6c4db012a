// The judge of the concurrency tests must itself tell right from wrong.
#include "tests/support/linearizability.h"

#include <random>

namespace larder {
namespace {

using Kind = RegisterOperation::Kind;

// Operations with the interval in which they ran.
RegisterOperation Read(std::optional<int64_t> result, int64_t from, int64_t to) {
  return {Kind::kRead, 0, result, from, to};
}
RegisterOperation Write(int64_t value, int64_t from, int64_t to) {
  return {Kind::kWrite, value, std::nullopt, from, to};
}
RegisterOperation Increment(int64_t result, int64_t from, int64_t to) {
  return {Kind::kIncrement, 0, result, from, to};
}
RegisterOperation SetIfAbsent(int64_t value, bool done, int64_t from, int64_t to) {
  return {Kind::kSetIfAbsent, value, done ? std::optional(value) : std::nullopt, from, to};
}
RegisterOperation Delete(bool done, int64_t from, int64_t to) {
  return {Kind::kDelete, 0, done ? std::optional<int64_t>(1) : std::nullopt, from, to};
}

TEST(LinearizabilityTest, AcceptsNothing) { EXPECT_TRUE(IsLinearizable({})); }

TEST(LinearizabilityTest, AcceptsOneAfterTheOther) {
  EXPECT_TRUE(IsLinearizable({Read({}, 0, 1), Write(5, 2, 3), Read(5, 4, 5), Increment(6, 6, 7),
                              Delete(true, 8, 9), Delete(false, 10, 11)}));
}

TEST(LinearizabilityTest, RejectsAStaleRead) {
  EXPECT_FALSE(IsLinearizable({Write(1, 0, 1), Write(2, 2, 3), Read(1, 4, 5)}));
}

TEST(LinearizabilityTest, RejectsALostWrite) {
  EXPECT_FALSE(IsLinearizable({Write(1, 0, 1), Read({}, 2, 3)}));
}

TEST(LinearizabilityTest, AReadDuringAWriteMaySeeEither) {
  EXPECT_TRUE(IsLinearizable({Write(1, 0, 1), Write(2, 2, 10), Read(1, 3, 4)}));
  EXPECT_TRUE(IsLinearizable({Write(1, 0, 1), Write(2, 2, 10), Read(2, 3, 4)}));
}

TEST(LinearizabilityTest, ButTheNextReadMayNotGoBack) {
  EXPECT_TRUE(IsLinearizable({Write(1, 0, 1), Write(2, 2, 10), Read(1, 3, 4), Read(2, 5, 6)}));
  EXPECT_FALSE(IsLinearizable({Write(1, 0, 1), Write(2, 2, 10), Read(2, 3, 4), Read(1, 5, 6)}));
}

TEST(LinearizabilityTest, TwoReadersMustAgreeOnTheOrderOfWrites) {
  EXPECT_FALSE(IsLinearizable(
      {Write(1, 0, 10), Write(2, 0, 10), Read(1, 11, 12), Read(2, 13, 14), Read(1, 15, 16)}));
  EXPECT_FALSE(IsLinearizable(
      {Write(1, 0, 10), Write(2, 0, 10), Read(1, 1, 2), Read(2, 3, 4), Read(1, 5, 6)}));
}

TEST(LinearizabilityTest, RejectsAnIncrementThatHappenedTwice) {
  EXPECT_FALSE(IsLinearizable({Increment(1, 0, 10), Increment(1, 0, 10)}));
  EXPECT_TRUE(IsLinearizable({Increment(2, 0, 10), Increment(1, 0, 10)}));
  EXPECT_FALSE(IsLinearizable({Increment(2, 0, 4), Increment(1, 5, 10)}));
}

TEST(LinearizabilityTest, ALockHasOneHolder) {
  EXPECT_FALSE(IsLinearizable({SetIfAbsent(1, true, 0, 10), SetIfAbsent(2, true, 0, 10)}));
  EXPECT_TRUE(IsLinearizable({SetIfAbsent(1, true, 0, 10), SetIfAbsent(2, false, 0, 10)}));
  EXPECT_FALSE(IsLinearizable({SetIfAbsent(1, false, 0, 10), SetIfAbsent(2, false, 0, 10)}));
  EXPECT_TRUE(IsLinearizable({SetIfAbsent(1, true, 0, 1), Delete(true, 2, 10),
                              SetIfAbsent(2, true, 3, 9), Read(2, 11, 12)}));
  EXPECT_FALSE(IsLinearizable(
      {SetIfAbsent(1, true, 0, 1), SetIfAbsent(2, true, 3, 9), Delete(true, 10, 11)}));
}

// Executes random operations at random instants, so that the history is right by construction.
std::vector<RegisterOperation> RandomHistory(uint32_t seed, int clients, int operations) {
  std::mt19937 random(seed);
  std::vector<RegisterOperation> history;
  std::vector<int64_t> free_at(static_cast<size_t>(clients), 0);
  std::optional<int64_t> state;
  for (int64_t now = 10; static_cast<int>(history.size()) < operations; now += 10) {
    const size_t client = random() % free_at.size();
    if (free_at[client] >= now) continue;
    // It takes effect now, somewhere between a call before and a return after.
    RegisterOperation operation;
    operation.invoked_ns = std::max(free_at[client] + 1, now - static_cast<int64_t>(random() % 40));
    operation.returned_ns = now + static_cast<int64_t>(random() % 40);
    free_at[client] = operation.returned_ns;
    operation.argument = static_cast<int64_t>(random() % 3);
    operation.kind = static_cast<Kind>(random() % 5);
    switch (operation.kind) {
      case Kind::kRead:
        operation.result = state;
        break;
      case Kind::kWrite:
        state = operation.argument;
        break;
      case Kind::kIncrement:
        state = state.value_or(0) + 1;
        operation.result = state;
        break;
      case Kind::kSetIfAbsent:
        if (!state) operation.result = state = operation.argument;
        break;
      case Kind::kDelete:
        operation.result = state;
        state.reset();
        break;
    }
    history.push_back(operation);
  }
  return history;
}

TEST(LinearizabilityTest, AcceptsWhatReallyHappened) {
  for (uint32_t seed = 0; seed < 50; ++seed) {
    EXPECT_TRUE(IsLinearizable(RandomHistory(seed, 6, 300))) << seed;
  }
}

TEST(LinearizabilityTest, RejectsAnImpossibleResultInALongHistory) {
  for (uint32_t seed = 0; seed < 50; ++seed) {
    std::vector<RegisterOperation> history = RandomHistory(seed, 6, 300);
    history[200] = Read(777, history[200].invoked_ns, history[200].returned_ns);
    EXPECT_FALSE(IsLinearizable(history)) << seed;
  }
}

TEST(LinearizableCounterTest, AcceptsAnyOrderOfWhatOverlaps) {
  EXPECT_TRUE(IsLinearizableCounter({}));
  EXPECT_TRUE(IsLinearizableCounter({Increment(2, 0, 10), Increment(1, 5, 15)}));
  EXPECT_TRUE(IsLinearizableCounter({Increment(1, 0, 1), Increment(2, 2, 3)}));
}

TEST(LinearizableCounterTest, RejectsGapsAndRepetitions) {
  EXPECT_FALSE(IsLinearizableCounter({Increment(1, 0, 1), Increment(3, 2, 3)}));
  EXPECT_FALSE(IsLinearizableCounter({Increment(1, 0, 1), Increment(1, 2, 3)}));
  EXPECT_FALSE(IsLinearizableCounter({Increment(2, 0, 1)}));
}

TEST(LinearizableCounterTest, RejectsAnOrderAgainstTime) {
  EXPECT_FALSE(IsLinearizableCounter({Increment(2, 0, 1), Increment(1, 2, 3)}));
  EXPECT_FALSE(
      IsLinearizableCounter({Increment(3, 0, 4), Increment(1, 0, 20), Increment(2, 5, 20)}));
}

}  // namespace
}  // namespace larder
