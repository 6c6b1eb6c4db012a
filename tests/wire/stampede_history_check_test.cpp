// The check of histories itself: it finds each fault, and none where there is an excuse.
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/wire/stampede_history.h"

namespace larder {
namespace {

using Outcome = KeyHistory::Use::Outcome;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

constexpr Nanoseconds kSlack = 50;

KeyHistory::Grant Grant(RequestSpan span, const char* token) {
  return {.span = span, .token = token, .lease = 1'000};
}

KeyHistory::Use Fill(RequestSpan span, const char* token, Outcome outcome, uint64_t fill = 1) {
  return {.span = span, .token = token, .outcome = outcome, .fill = fill};
}

KeyHistory::Read Read(RequestSpan span, uint64_t version, bool fresh = true) {
  return {.span = span, .version = version, .fill = 1, .fresh = fresh};
}

TEST(StampedeHistoryCheckTest, TwoLeasesNeedAnEndBetweenThem) {
  KeyHistory history;
  history.grants = {Grant({10, 20}, "a"), Grant({30, 40}, "b")};
  EXPECT_THAT(Violations(history, kSlack), ElementsAre(StartsWith("two leases at a time")));
  // Any of these may have ended the first.
  KeyHistory released = history;
  released.uses = {{.span = {35, 50}, .token = "a", .outcome = Outcome::kUnknown}};
  EXPECT_THAT(Violations(released, kSlack), IsEmpty());
  KeyHistory mutated = history;
  mutated.mutations = {{.span = {5, 15}}};
  EXPECT_THAT(Violations(mutated, kSlack), IsEmpty());
  KeyHistory closed = history;
  closed.grants[0].closed = 25;
  EXPECT_THAT(Violations(closed, kSlack), IsEmpty());
  KeyHistory overdue = history;
  overdue.grants[0].lease = 15;
  EXPECT_THAT(Violations(overdue, kSlack), IsEmpty());
  // These not: too early, too late, refused.
  history.mutations = {{.span = {5, 9}}, {.span = {41, 50}}};
  history.uses = {Fill({42, 50}, "a", Outcome::kRefused)};
  EXPECT_THAT(Violations(history, kSlack), ElementsAre(StartsWith("two leases at a time")));
}

TEST(StampedeHistoryCheckTest, ATokenIsAcceptedOnceAndOnlyWhileItIsGood) {
  KeyHistory twice;
  twice.grants = {Grant({10, 20}, "a")};
  twice.uses = {Fill({30, 40}, "a", Outcome::kAccepted), Fill({50, 60}, "a", Outcome::kAccepted)};
  EXPECT_THAT(Violations(twice, kSlack), ElementsAre(StartsWith("a token was accepted twice")));

  KeyHistory late;
  late.grants = {Grant({10, 20}, "a")};
  late.mutations = {{.span = {25, 30}}};
  late.uses = {Fill({31, 40}, "a", Outcome::kAccepted)};
  EXPECT_THAT(Violations(late, kSlack), ElementsAre(StartsWith("a token was accepted after")));
  late.uses[0].span.sent = 29;  // It may have come first.
  EXPECT_THAT(Violations(late, kSlack), IsEmpty());

  KeyHistory overdue;
  overdue.grants = {Grant({10, 20}, "a")};
  overdue.uses = {Fill({1'021, 1'030}, "a", Outcome::kAccepted)};
  EXPECT_THAT(Violations(overdue, kSlack), ElementsAre(StartsWith("a token was accepted after")));
}

TEST(StampedeHistoryCheckTest, ATokenIsRefusedForAReason) {
  KeyHistory history;
  history.grants = {Grant({10, 20}, "a")};
  history.uses = {Fill({30, 40}, "a", Outcome::kRefused)};
  EXPECT_THAT(Violations(history, kSlack), ElementsAre(StartsWith("a token was refused for no")));
  history.mutations = {{.span = {35}}};  // It may have been run.
  EXPECT_THAT(Violations(history, kSlack), IsEmpty());
}

TEST(StampedeHistoryCheckTest, TokensAreDifferentAndKnown) {
  KeyHistory history;
  history.grants = {Grant({10, 20}, "a"), Grant({2'000, 2'010}, "a")};
  history.uses = {Fill({2'020, 2'030}, "b", Outcome::kAccepted)};
  EXPECT_THAT(Violations(history, kSlack), ElementsAre(StartsWith("token given out twice"),
                                                       StartsWith("a token was used that nobody")));
}

TEST(StampedeHistoryCheckTest, ValuesAreNoOlderThanWhatCameBeforeThem) {
  KeyHistory removed;
  removed.uses = {Fill({1, 2}, "a", Outcome::kUnknown)};
  removed.grants = {Grant({0, 1}, "a")};
  removed.mutations = {{.span = {10, 20}, .version = 5, .removes = true}};
  removed.reads = {Read({21, 30}, 4, /*fresh=*/false)};
  EXPECT_THAT(Violations(removed, kSlack), ElementsAre(StartsWith("a value older than its rem")));
  removed.reads[0].span.sent = 19;
  EXPECT_THAT(Violations(removed, kSlack), IsEmpty());

  KeyHistory invalidated = removed;
  invalidated.mutations[0].removes = false;
  invalidated.reads = {Read({21, 30}, 4, /*fresh=*/false)};
  EXPECT_THAT(Violations(invalidated, kSlack), IsEmpty());
  invalidated.reads = {Read({21, 30}, 4)};
  EXPECT_THAT(Violations(invalidated, kSlack),
              ElementsAre(StartsWith("a value older than its invalidation")));

  KeyHistory backwards = removed;
  backwards.mutations.clear();
  backwards.reads = {Read({10, 20}, 5), Read({21, 30}, 4)};
  EXPECT_THAT(Violations(backwards, kSlack), ElementsAre(StartsWith("a value was seen after a n")));

  KeyHistory refused;
  refused.reads = {Read({10, 20}, 5)};
  EXPECT_THAT(Violations(refused, kSlack), ElementsAre(StartsWith("a value was seen that was")));
}

TEST(StampedeHistoryCheckTest, NobodyWaitsWhileNobodyLoads) {
  KeyHistory history;
  history.grants = {Grant({10, 20}, "a")};
  history.uses = {{.span = {30, 40}, .token = "a", .outcome = Outcome::kAccepted}};
  history.vain_waits = {{.span = {25, 91}}};
  EXPECT_THAT(Violations(history, kSlack), ElementsAre(StartsWith("somebody was left waiting")));
  history.vain_waits[0].span.received = 90;
  EXPECT_THAT(Violations(history, kSlack), IsEmpty());
}

}  // namespace
}  // namespace larder
