#include "net/gather.h"

#include <array>

#include <gtest/gtest.h>

namespace larder {
namespace {

using std::chrono::microseconds;

// Rounds 20 us apart, each with one event, of `clients` different connections in turn.
void RunFor(Gather& gather, int rounds, int clients, size_t events_of_round = 1) {
  static std::array<char, 64 * 64> connections;
  for (int i = 0; i < rounds; ++i) {
    gather.NoteEvent(&connections[static_cast<size_t>(i % clients) * 64]);
    gather.EndRound(MonoTime{} + microseconds(20) * i, events_of_round);
  }
}

TEST(GatherTest, ManyClientsAreWorthWaitingFor) {
  Gather gather;
  RunFor(gather, 200, 50);
  EXPECT_TRUE(gather.Worthwhile());
}

TEST(GatherTest, FewClientsNeverWaitHoweverBusy) {
  Gather gather;
  RunFor(gather, 1000, 1);
  EXPECT_FALSE(gather.Worthwhile());
  RunFor(gather, 1000, 8);
  EXPECT_FALSE(gather.Worthwhile());
}

TEST(GatherTest, AFullRoundGainsNothingFromMore) {
  Gather gather;
  RunFor(gather, 200, 50, 16);
  EXPECT_FALSE(gather.Worthwhile());
}

TEST(GatherTest, ClientsThatComeSeldomDoNotWait) {
  Gather gather;
  std::array<char, 64 * 64> connections;
  for (int i = 0; i < 1000; ++i) {
    gather.NoteEvent(&connections[static_cast<size_t>(i % 64) * 64]);
    gather.EndRound(MonoTime{} + microseconds(100) * i, 1);
  }
  EXPECT_FALSE(gather.Worthwhile());
}

}  // namespace
}  // namespace larder
