#include "server/client_memory.h"

#include <vector>

#include "gtest/gtest.h"

namespace larder {
namespace {

constexpr auto kAllowed = ClientMemory::Eviction::kAllowed;
constexpr auto kForbidden = ClientMemory::Eviction::kForbidden;

TEST(ClientMemoryTest, ClassesDoubleFrom32KiBTo4GiB) {
  EXPECT_EQ(ClientMemory::ClassOf(0), 0);
  EXPECT_EQ(ClientMemory::ClassOf((32 << 10) - 1), 0);
  EXPECT_EQ(ClientMemory::ClassOf(32 << 10), 1);
  EXPECT_EQ(ClientMemory::ClassOf((64 << 10) - 1), 1);
  EXPECT_EQ(ClientMemory::ClassOf(64 << 10), 2);
  EXPECT_EQ(ClientMemory::ClassOf((int64_t{4} << 30) - 1), ClientMemory::kClasses - 2);
  EXPECT_EQ(ClientMemory::ClassOf(int64_t{4} << 30), ClientMemory::kClasses - 1);
  EXPECT_EQ(ClientMemory::ClassOf(int64_t{1} << 50), ClientMemory::kClasses - 1);
}

TEST(ClientMemoryTest, TheLargestIsOfTheHighestClass) {
  ClientMemory memory;
  EXPECT_EQ(memory.largest_class(), ClientShare::kNoClass);
  ClientShare small{.client_id = 1};
  ClientShare large{.client_id = 2};
  ClientShare medium{.client_id = 3};
  memory.Update(small, 1000, kAllowed);
  memory.Update(large, 1 << 20, kAllowed);
  memory.Update(medium, 100'000, kAllowed);
  EXPECT_EQ(memory.bytes(), 1000 + (1 << 20) + 100'000);
  EXPECT_EQ(memory.Largest().client_id, 2u);
  memory.Remove(large);
  EXPECT_EQ(memory.Largest().client_id, 3u);
  memory.Update(small, 8 << 20, kAllowed);  // Grows.
  EXPECT_EQ(memory.Largest().client_id, 1u);
  memory.Update(small, 0, kAllowed);  // Shrinks.
  EXPECT_EQ(memory.Largest().client_id, 3u);
}

TEST(ClientMemoryTest, WhoMayNotBeEvictedCountsButIsNeverTheLargest) {
  ClientMemory memory;
  ClientShare kept{.client_id = 1};
  memory.Update(kept, 1 << 20, kForbidden);
  EXPECT_EQ(memory.bytes(), 1 << 20);
  EXPECT_EQ(memory.largest_class(), ClientShare::kNoClass);
  memory.Update(kept, 1 << 20, kAllowed);
  EXPECT_EQ(memory.Largest().client_id, 1u);
  memory.Update(kept, 1 << 20, kForbidden);
  EXPECT_EQ(memory.largest_class(), ClientShare::kNoClass);
}

TEST(ClientMemoryTest, ManyOfOneClassLeaveInAnyOrder) {
  ClientMemory memory;
  std::vector<ClientShare> shares(100);
  for (ClientShare& share : shares) memory.Update(share, 5000, kAllowed);
  for (size_t i = 0; i < shares.size(); i += 2) memory.Remove(shares[i]);
  for (size_t i = shares.size() - 1; i < shares.size(); i -= 2) memory.Remove(shares[i]);
  EXPECT_EQ(memory.bytes(), 0);
  EXPECT_EQ(memory.largest_class(), ClientShare::kNoClass);
}

}  // namespace
}  // namespace larder
