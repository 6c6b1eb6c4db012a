#include "base/slab_usage.h"

#include <cstring>
#include <string_view>
#include <vector>

#include "base/allocator.h"
#include "gtest/gtest.h"

namespace larder {
namespace {

// A size that nothing else here uses, with 32 allocations a slab.
constexpr size_t kBytes = 640;
constexpr size_t kCount = 32'000;

class SlabUsageTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!SlabUsage::available()) GTEST_SKIP() << "This build's allocator does not tell.";
    for (size_t i = 0; i < kCount; ++i) held_.push_back(Allocate(kBytes));
  }
  ~SlabUsageTest() override {
    for (void* memory : held_) Deallocate(memory, kBytes);
  }
  // Leaves one in so many.
  void KeepOneIn(size_t part) {
    std::vector<void*> kept;
    for (size_t i = 0; i < held_.size(); ++i) {
      if (i % part == 0) {
        kept.push_back(held_[i]);
      } else {
        Deallocate(held_[i], kBytes);
      }
    }
    held_ = std::move(kept);
    FlushThreadCache();
  }

  std::vector<void*> held_;
};

TEST_F(SlabUsageTest, FullSlabsAreNotSparse) {
  const SlabUsage usage;
  for (const void* memory : held_) ASSERT_FALSE(usage.IsSparse(memory, kBytes));
}

TEST_F(SlabUsageTest, MovingWhatIsSparseWinsBackNearlyAllThatIsWasted) {
  const int64_t before = SlabUsage().wasted_bytes();
  KeepOneIn(4);
  constexpr auto kFreed = static_cast<int64_t>(kCount * kBytes * 3 / 4);
  EXPECT_NEAR(static_cast<double>(SlabUsage().wasted_bytes() - before), kFreed, kFreed / 20.0);
  for (int pass = 0; pass < 4; ++pass) {
    const SlabUsage usage;
    for (void*& memory : held_) {
      if (usage.IsSparse(memory, kBytes)) memory = MoveAllocation(memory, kBytes);
    }
  }
  EXPECT_LT(SlabUsage().wasted_bytes() - before, kFreed / 10);
}

TEST(MoveAllocationTest, TakesTheContentAlong) {
  constexpr std::string_view kText = "content";
  void* memory = Allocate(kText.size());
  std::memcpy(memory, kText.data(), kText.size());
  memory = MoveAllocation(memory, kText.size());
  EXPECT_EQ(std::string_view(static_cast<const char*>(memory), kText.size()), kText);
  Deallocate(memory, kText.size());
}

}  // namespace
}  // namespace larder
