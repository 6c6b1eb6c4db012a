#include "server/machine_memory.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "gtest/gtest.h"
#include "tests/support/server_process.h"

namespace larder {
namespace {

constexpr char kV1NoLimit[] = "9223372036854771712\n";

// A made-up /proc and /sys.
class MachineMemoryTest : public testing::Test {
 protected:
  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = folder_.path() / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  void WriteMachine(int64_t kib) {
    Write("proc/meminfo", "MemTotal:   " + std::to_string(kib) + " kB\nMemFree:  5 kB\n");
  }
  MachineMemory Find() const { return FindMachineMemory(folder_.path().string() + "/"); }

  TemporaryDirectory folder_;
};

TEST_F(MachineMemoryTest, WithoutAControlGroupItIsTheMachines) {
  WriteMachine(2048);
  EXPECT_EQ(Find().bytes, 2048 * 1024);
  EXPECT_EQ(Find().source, MemorySource::kMachine);
}

TEST_F(MachineMemoryTest, WithoutAnythingItIsUnknown) {
  EXPECT_EQ(Find().bytes, 0);
  EXPECT_EQ(Find().source, MemorySource::kUnknown);
}

TEST_F(MachineMemoryTest, MeminfoNeedNotBeginWithTheTotal) {
  Write("proc/meminfo", "MemFree:  5 kB\nMemTotal: 7 kB\n");
  EXPECT_EQ(Find().bytes, 7 * 1024);
}

TEST_F(MachineMemoryTest, InAContainerTheLimitStandsAtTheTop) {
  WriteMachine(2048);
  Write("proc/self/cgroup", "0::/\n");
  Write("sys/fs/cgroup/memory.max", "1000000\n");
  EXPECT_EQ(Find().bytes, 1'000'000);
  EXPECT_EQ(Find().source, MemorySource::kControlGroup);
}

TEST_F(MachineMemoryTest, TheSmallestLimitOfTheAncestorsHolds) {
  struct Case {
    const char* own_limit;
    int64_t bytes;
  };
  WriteMachine(2048);
  Write("proc/self/cgroup", "0::/kube.slice/pod/larder\n");
  Write("sys/fs/cgroup/kube.slice/memory.max", "1500000\n");
  Write("sys/fs/cgroup/kube.slice/pod/memory.max", "1200000\n");
  for (const Case& limited :
       {Case{"max\n", 1'200'000}, Case{"1300000\n", 1'200'000}, Case{"1100000\n", 1'100'000}}) {
    SCOPED_TRACE(limited.own_limit);
    Write("sys/fs/cgroup/kube.slice/pod/larder/memory.max", limited.own_limit);
    EXPECT_EQ(Find().bytes, limited.bytes);
  }
}

TEST_F(MachineMemoryTest, APathOfTheHostsTreeStillFindsTheTopOfTheContainers) {
  WriteMachine(2048);
  Write("sys/fs/cgroup/memory.max", "1000000\n");
  for (const char* group : {"0::/docker/0123abcd\n", "0::/../other\n"}) {
    SCOPED_TRACE(group);
    Write("proc/self/cgroup", group);
    EXPECT_EQ(Find().bytes, 1'000'000);
  }
}

TEST_F(MachineMemoryTest, VersionOneHasAFolderForMemory) {
  WriteMachine(2048);
  Write("proc/self/cgroup", "5:cpu,cpuacct:/a\n4:hugetlb,memory:/a/b\n0::/\n");
  Write("sys/fs/cgroup/memory/memory.limit_in_bytes", kV1NoLimit);
  EXPECT_EQ(Find().source, MemorySource::kMachine);
  Write("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "1000000\n");
  Write("sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", kV1NoLimit);
  EXPECT_EQ(Find().bytes, 1'000'000);
  EXPECT_EQ(Find().source, MemorySource::kControlGroup);
}

TEST_F(MachineMemoryTest, ALimitAboveTheMachinesMemoryIsNone) {
  WriteMachine(2048);
  Write("proc/self/cgroup", "0::/\n");
  Write("sys/fs/cgroup/memory.max", "3000000\n");
  EXPECT_EQ(Find().bytes, 2048 * 1024);
  EXPECT_EQ(Find().source, MemorySource::kMachine);
}

TEST_F(MachineMemoryTest, WhatMakesNoSenseIsNoLimit) {
  WriteMachine(2048);
  Write("proc/self/cgroup", "nonsense\n0::/\n\n");
  for (const char* text : {"", "-1", "0", "12x", "99999999999999999999"}) {
    Write("sys/fs/cgroup/memory.max", text);
    EXPECT_EQ(Find().source, MemorySource::kMachine) << text;
  }
}

}  // namespace
}  // namespace larder
