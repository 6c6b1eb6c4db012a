#include "storage/intset.h"

#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "base/allocator.h"
#include "base/random.h"
#include <gtest/gtest.h>

namespace larder {
namespace {

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

class IntsetTest : public testing::Test {
 protected:
  ~IntsetTest() override { set_.Free(); }

  std::vector<int64_t> Values() const {
    std::vector<int64_t> values;
    for (size_t i = 0; i < set_.size(); ++i) values.push_back(set_.At(i));
    return values;
  }
  std::string Bytes() const { return std::string(set_.bytes()); }

  Intset set_ = Intset::Create();
};

TEST_F(IntsetTest, StartsEmptyAndNarrow) {
  EXPECT_TRUE(set_.empty());
  EXPECT_EQ(Bytes(), std::string("\2\0\0\0\0\0\0\0", 8));
  EXPECT_FALSE(set_.Contains(0));
  EXPECT_FALSE(set_.Remove(0));
}

TEST_F(IntsetTest, KeepsEachIntegerOnceAndInOrder) {
  EXPECT_TRUE(set_.Add(5));
  EXPECT_TRUE(set_.Add(-3));
  EXPECT_TRUE(set_.Add(4));
  EXPECT_FALSE(set_.Add(5));
  EXPECT_EQ(Values(), (std::vector<int64_t>{-3, 4, 5}));
  EXPECT_TRUE(set_.Contains(4));
  EXPECT_FALSE(set_.Contains(6));
  EXPECT_TRUE(set_.Remove(4));
  EXPECT_FALSE(set_.Remove(4));
  EXPECT_EQ(Values(), (std::vector<int64_t>{-3, 5}));
}

// The bytes are those that DUMP of redis-server 7.0.15 shows.
TEST_F(IntsetTest, HasTheBytesOfRedis) {
  set_.Add(1);
  set_.Add(-2);
  EXPECT_EQ(Bytes(), std::string("\2\0\0\0\2\0\0\0\xfe\xff\1\0", 12));
  set_.Add(70'000);
  EXPECT_EQ(Bytes(), std::string("\4\0\0\0\3\0\0\0\xfe\xff\xff\xff\1\0\0\0\x70\x11\1\0", 20));
  set_.Add(int64_t{1} << 40);
  EXPECT_EQ(Bytes().substr(0, 8), std::string("\10\0\0\0\4\0\0\0", 8));
  EXPECT_EQ(Bytes().size(), 8u + 4 * 8);
}

TEST_F(IntsetTest, WidensAtEitherEnd) {
  for (const int64_t value : {kMax, kMin, int64_t{1} << 31, -(int64_t{1} << 31) - 1}) {
    Intset set = Intset::Create();
    set.Add(0);
    set.Add(value);
    EXPECT_EQ(set.size(), 2u);
    EXPECT_EQ(set.At(0), std::min<int64_t>(0, value));
    EXPECT_EQ(set.At(1), std::max<int64_t>(0, value));
    set.Free();
  }
}

TEST_F(IntsetTest, StaysWideWhenTheWideOnesAreGone) {
  set_.Add(1);
  set_.Add(kMax);
  set_.Remove(kMax);
  EXPECT_EQ(Bytes(), std::string("\10\0\0\0\1\0\0\0\1\0\0\0\0\0\0\0", 16));
}

TEST_F(IntsetTest, DoesNotFindWhatItsWidthCannotHold) {
  set_.Add(1);
  EXPECT_FALSE(set_.Contains(65'537));  // Its low two bytes are a one.
  EXPECT_FALSE(set_.Contains(kMin));
  EXPECT_FALSE(set_.Remove(65'537));
}

TEST_F(IntsetTest, FiltersInAscendingOrder) {
  for (int64_t i = 0; i < 10; ++i) set_.Add(i);
  std::vector<int64_t> asked;
  set_.Filter([&](int64_t value) {
    asked.push_back(value);
    return value % 3 == 0;
  });
  EXPECT_EQ(asked, (std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(Values(), (std::vector<int64_t>{0, 3, 6, 9}));
  set_.Filter([](int64_t) { return false; });
  EXPECT_TRUE(set_.empty());
}

TEST_F(IntsetTest, LongRandomEditsLeaveWhatTheyShould) {
  Random random(3);
  std::set<int64_t> model;
  for (int step = 0; step < 30'000; ++step) {
    // Narrow at first, then of every width.
    const int shift = step < 10'000 ? 50 : static_cast<int>(random.Uniform(64));
    const auto value = static_cast<int64_t>(random.Next()) >> shift;
    switch (random.Uniform(3)) {
      case 0:
        ASSERT_EQ(set_.Contains(value), model.contains(value));
        break;
      case 1:
        ASSERT_EQ(set_.Add(value), model.insert(value).second);
        break;
      default:
        ASSERT_EQ(set_.Remove(value), model.erase(value) == 1);
        break;
    }
    ASSERT_EQ(set_.size(), model.size());
    if (step % 500 == 0) {
      ASSERT_EQ(Values(), std::vector<int64_t>(model.begin(), model.end()));
      ASSERT_TRUE(model.empty() || Intset::Validate(set_.bytes()));
      ASSERT_EQ(set_.allocated_bytes(), SizeClass(set_.bytes().size()));
      Intset copy = Intset::CopyOf(set_.bytes());
      ASSERT_EQ(copy.bytes(), set_.bytes());
      copy.Free();
    }
  }
}

TEST(IntsetValidateTest, RefusesWhatIsNone) {
  const std::string good("\2\0\0\0\2\0\0\0\1\0\2\0", 12);
  EXPECT_TRUE(Intset::Validate(good));
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(Intset::Validate(std::string_view(good).substr(0, size))) << size;
  }
  const struct {
    const char* why;
    std::string bytes;
  } kBad[] = {
      {"too long", good + '\0'},
      {"empty", std::string("\2\0\0\0\0\0\0\0", 8)},
      {"no such width", std::string("\3\0\0\0\1\0\0\0\1\0\0", 11)},
      {"width one", std::string("\1\0\0\0\1\0\0\0\1", 9)},
      {"twice the same", std::string("\2\0\0\0\2\0\0\0\1\0\1\0", 12)},
      {"descending", std::string("\2\0\0\0\2\0\0\0\2\0\1\0", 12)},
      {"descending by sign", std::string("\2\0\0\0\2\0\0\0\1\0\xff\xff", 12)},
      {"a size that overflows 32 bits", std::string("\10\0\0\0\0\0\0\x20", 8)},
  };
  for (const auto& [why, bytes] : kBad) EXPECT_FALSE(Intset::Validate(bytes)) << why;
}

}  // namespace
}  // namespace larder
