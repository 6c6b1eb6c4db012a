#include "base/memory_meter.h"

#include <thread>

#include "base/allocator.h"
#include "gtest/gtest.h"

namespace larder {
namespace {

constexpr size_t kMegabyte = 1 << 20;

class MemoryMeterTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!MemoryMeter::available()) GTEST_SKIP() << "This build's allocator does not count.";
    MemoryMeter::Calibrate();
  }
};

TEST_F(MemoryMeterTest, CountsWhatThisThreadAllocatesAndFrees) {
  const int64_t before = MemoryMeter::ThreadBytes();
  void* memory = Allocate(kMegabyte);
  EXPECT_EQ(MemoryMeter::ThreadBytes() - before, static_cast<int64_t>(RoundedSize(kMegabyte)));
  Deallocate(memory, kMegabyte);
  EXPECT_EQ(MemoryMeter::ThreadBytes(), before);
}

TEST_F(MemoryMeterTest, AThreadThatEndsLeavesWhatItHolds) {
  const int64_t before = MemoryMeter::ProcessBytes();
  void* memory = nullptr;
  std::thread([&] {
    MemoryMeter::ThreadBytes();
    memory = Allocate(4 * kMegabyte);
  }).join();
  EXPECT_NEAR(static_cast<double>(MemoryMeter::ProcessBytes() - before), 4.0 * kMegabyte,
              64 * 1024);
  Deallocate(memory, 4 * kMegabyte);
  EXPECT_NEAR(static_cast<double>(MemoryMeter::ProcessBytes() - before), 0, 64 * 1024);
}

TEST_F(MemoryMeterTest, CalibrationFindsWhatUnknownThreadsAllocated) {
  MemoryMeter::ProcessBytes();
  void* memory = nullptr;
  std::thread([&] { memory = Allocate(4 * kMegabyte); }).join();
  MemoryMeter::Calibrate();
  EXPECT_NEAR(static_cast<double>(MemoryMeter::ProcessBytes()),
              static_cast<double>(AllocatedBytes()), 64 * 1024);
  Deallocate(memory, 4 * kMegabyte);
}

TEST_F(MemoryMeterTest, KnowsOnlyThreadsThatLive) {
  MemoryMeter::ThreadBytes();
  const int before = MemoryMeter::threads();
  std::thread([&] {
    MemoryMeter::ThreadBytes();
    EXPECT_EQ(MemoryMeter::threads(), before + 1);
  }).join();
  EXPECT_EQ(MemoryMeter::threads(), before);
}

}  // namespace
}  // namespace larder
